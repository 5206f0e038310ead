"""What every decision asks of its runs first: that they can be compared, and which recipe each belongs to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rlscale.curves import Run
from rlscale.errors import InputError

__all__ = ["by_recipe", "check_seed_sd", "on_one_axis"]

#: What runs that are compared share: in words, and the option with which they are read alike.
_SHARED = {
    "unit": ("units", "--unit U"),
    "clock": ("clocks", "--clock C"),
    "metric": ("metrics", "--metric KEY"),
    "frame": ("bounds", "--bounds LO HI"),
}


def on_one_axis(runs: Sequence[Run], what: str, fields: Sequence[str]) -> None:
    """Refuse runs whose curves differ in one of ``fields``; ``what`` is the verb of what was asked for.

    Raises
    ------
    InputError
        No runs, or several values of a field.
    """
    if not runs:
        raise InputError(f"nothing to {what}: no runs were given")
    for field in fields:
        values = {getattr(run.curve, field) for run in runs}
        if len(values) > 1:
            several = ", ".join(str(value) or "none stated" for value in sorted(values))
            noun, option = _SHARED[field]
            raise InputError(f"the runs have several {noun} ({several}); {what} them apart, or read them with {option}")


def check_seed_sd(given: float | None) -> None:
    """Refuse a run-to-run sd that is none, or larger than the range that it is a share of.

    Raises
    ------
    InputError
        A negative or infinite one, or one above 1.
    """
    if given is None or 0 <= given <= 1:
        return
    if not 0 <= given < np.inf:
        raise InputError(f"--seed-sd {given:g} is not a size; give a share of the range, 0 or more")
    percent = f"{given / 100:g} is {given:g} %" if given <= 100 else ".03 is 3 %"
    raise InputError(f"--seed-sd {given:g} is more than the whole range; give a share of it, 0 to 1: {percent}")


def by_recipe(runs: Sequence[Run]) -> dict[str, list[int]]:
    """Return the places of the runs of each recipe."""
    found: dict[str, list[int]] = {}
    for place, run in enumerate(runs):
        found.setdefault(run.recipe, []).append(place)
    return found
