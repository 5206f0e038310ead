"""Logs with the settings that stand beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from os.path import isfile
from pathlib import Path

from rlscale.errors import SourceError
from rlscale.sources.assemble import Named
from rlscale.sources.settings_file import SETTINGS_FILE, settings_file
from rlscale.sources.tables.frames import Frame

__all__ = ["described"]


def described(logs: Sequence[Named], paths: Sequence[str | Path | Frame], errors: list[SourceError]) -> list[Named]:
    """Return logs with the settings of the ``settings.csv`` in the folder that was named, where there is one.

    Parameters
    ----------
    logs : sequence of Named
    paths : sequence
        As the user named them.
    errors : list of SourceError
        Receives an error for a file that cannot be used; no run is left out for it.
    """
    complete = list(logs)
    for path in paths:
        beside = Path(path) / SETTINGS_FILE if isinstance(path, str | Path) else None
        if beside is None or not isfile(beside):  # False too for names that the system refuses
            continue
        try:
            stated = settings_file(beside)
        except SourceError as error:
            errors.append(_uncounted(error))
            continue
        for k, named in enumerate(complete):
            by_recipe, by_run = stated.get(named.identity.recipe, {}), stated.get(named.name, {})
            own = {**by_recipe, **by_run}
            for name in by_recipe.keys() & by_run.keys():
                if by_recipe[name] != by_run[name]:
                    both = f"{by_run[name]}, and {by_recipe[name]} of its recipe"
                    why = f"says two things of {name} of {named.name}: {both}; keep one"
                    errors.append(_uncounted(SourceError(str(beside), why)))
                    del own[name]
            if own and Path(named.log.path).is_relative_to(path):
                complete[k] = replace(named, log=replace(named.log, settings={**named.log.settings, **own}))
    return complete


def _uncounted(error: SourceError) -> SourceError:
    error.counted = False
    return error
