"""Runs whose steps follow on one another: perhaps one run in several sessions, which is said and not decided."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from rlscale.curves import Run

__all__ = ["sessions_told"]

_NUMBERED = re.compile(r"(.+?)[-_.#]?([0-9]{1,9})")


def sessions_told(runs: Sequence[Run]) -> list[Run]:
    """Return the runs, with a warning on those that begin after the one numbered before them ended.

    Parameters
    ----------
    runs : sequence of Run
        On one axis. Names such as ``PPO_1`` and ``PPO_2`` are of one row; seeds of one recipe are not told.
    """
    rows: dict[str, list[tuple[int, int]]] = {}
    for k, run in enumerate(runs):
        found = _NUMBERED.fullmatch(run.name)
        if found is not None and run.recipe == run.name:
            rows.setdefault(found[1], []).append((int(found[2]), k))
    told: dict[int, str] = {}
    for row in rows.values():
        ordered = [runs[k] for _, k in sorted(row)]
        if len(row) > 1 and all(_goes_on(first, later) for first, later in pairwise(ordered)):
            for (_, k), first in zip(sorted(row)[1:], ordered, strict=False):
                told[k] = (
                    f"begins at {runs[k].curve.compute[0]:g} {runs[k].curve.unit}, where {first.name!r} had ended: if "
                    "they are sessions of one run, append their logs to one file"
                )
    return [replace(run, warnings=(*run.warnings, told[k])) if k in told else run for k, run in enumerate(runs)]


def _goes_on(first: Run, later: Run) -> bool:
    return bool(first.curve.n_points and later.curve.compute[0] > first.curve.compute_last > 0)
