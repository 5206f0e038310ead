"""How much of each object is fetched: logs whole, documents that may be logs by their beginning, others not at all."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath

from rlscale.sources import formats
from rlscale.sources.discover import may_be_log

__all__ = ["Portion", "beside", "portions"]

#: MLflow's folders of a run, whose files have the names of metrics.
_STORED = frozenset({"metrics", "params", "tags"})
#: What readers look at beside logs.
_BESIDE = ("meta.yaml", "-wal")


class Portion(enum.Enum):
    """How much of an object its image holds."""

    WHOLE = "whole"
    #: Its beginning; the rest too if that shows a log.
    HEAD = "head"
    #: An empty file of its name.
    NAME = "name"


def portions(names: Iterable[str]) -> dict[str, Portion]:
    """Return how much of each object is fetched, by its name below the folder that was named.

    Folders of runs hold checkpoints of models: what is no log by its name is not fetched. Of the states of a Trainer
    only the one at the top and that of the highest checkpoint are, which hold the history of the run.
    """
    listed = list(names)
    stores = {PurePosixPath(name).parent for name in listed if name.rpartition("/")[2] == "meta.yaml"}
    states = _states(listed)
    return {
        name: Portion.NAME if not states.get(name, True) else _portion(PurePosixPath(name), stores)
        for name in listed
        if not any(part.startswith(".") for part in name.split("/"))
    }


def beside(name: str) -> list[str]:
    """Return what readers look at beside a single log, by its name in the same folder."""
    return [one.as_posix() for one in formats.companions_of(Path(name)) or ()]


def _portion(name: PurePosixPath, stores: set[PurePosixPath]) -> Portion:
    looked = False

    def by_content(_: Callable[[Path], float], __: Path) -> float:
        nonlocal looked
        looked = True
        return 0.0

    if may_be_log(Path(name), by_content) or "tfevents" in name.name or name.name.endswith(_BESIDE):
        return Portion.WHOLE
    if looked:  # a text may hold its first step anywhere
        return Portion.HEAD if name.suffix.lower() == ".json" else Portion.WHOLE
    of_store = any(place.name in _STORED and place.parent in stores for place in name.parents)
    return Portion.WHOLE if of_store else Portion.NAME


def _states(names: Iterable[str]) -> dict[str, bool]:
    """Return the files that repeat the history of a run, and whether they are fetched."""
    runs: dict[Path, list[tuple[float, str]]] = {}
    for name in names:
        known = formats.checkpoint_of(Path(name))
        if known is not None:
            runs.setdefault(known[1].home, []).append((known[1].step, name))
    last = {name for states in runs.values() for _, name in sorted(states)[-2:]}
    return {name: name in last for states in runs.values() for _, name in states}
