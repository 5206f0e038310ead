"""Runs whose values are equal: of one recipe they count once, elsewhere it is said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rlscale.curves import Run
from rlscale.left_out import LeftOut

__all__ = ["counted_once"]

#: Shorter runs may be equal by chance.
_FEWEST = 8


def counted_once(runs: Sequence[Run]) -> tuple[list[Run], list[LeftOut]]:
    """Return the runs without copies, and the copies.

    A copy has the recipe of another run, its seed (or one of them has none) and all its values, at least 8 that are
    not all equal. Runs that are equal and still count, and seeds that are there twice, get a warning.
    """
    alike: dict[tuple[bytes, bytes], list[int]] = {}
    for k, run in enumerate(runs):
        curve = run.curve
        if curve.n_points >= _FEWEST and np.ptp(curve.reward) > 0:
            alike.setdefault((curve.compute.tobytes(), curve.reward.tobytes()), []).append(k)
    said: dict[int, list[str]] = {}
    repaired: dict[int, list[str]] = {}
    copies: dict[int, LeftOut] = {}
    for places in alike.values():
        kept: list[int] = []
        for k in places:
            first = next((j for j in kept if _is_copy(runs[j], runs[k])), None)
            if first is None:
                kept.append(k)
                continue
            count = runs[k].curve.n_points
            repaired.setdefault(first, []).append(
                f"{runs[k].name!r} of the same recipe is equal in all {count} evaluations: they count once"
            )
            why = f"equal to {runs[first].name!r} of the same recipe in all {count} evaluations: they count once"
            copies[k] = LeftOut(runs[k].name, _path(runs[k]), why, False)
        for k in kept if len(kept) > 1 else ():
            said.setdefault(k, []).append(_equal(runs, k, [j for j in kept if j != k]))
    left = [k for k in range(len(runs)) if k not in copies]
    for k, text in _replicates(runs, left):
        said.setdefault(k, []).append(text)
    told = [_told(runs[k], repaired.get(k, ()), said.get(k, ())) for k in left]
    return told, [copies[k] for k in sorted(copies)]


def _is_copy(first: Run, second: Run) -> bool:
    return first.recipe == second.recipe and (first.seed == second.seed or None in (first.seed, second.seed))


def _equal(runs: Sequence[Run], k: int, others: Sequence[int]) -> str:
    names = [repr(runs[j].name) for j in others[:2]]
    more = f" and {len(others) - 2} more" if len(others) > 2 else ""
    count = runs[k].curve.n_points
    return f"equal in all {count} evaluations to {', '.join(names)}{more}; both count: is one a copy of the other?"


def _replicates(runs: Sequence[Run], left: Sequence[int]) -> list[tuple[int, str]]:
    """Return a sentence for each run whose seed another run of its recipe has too."""
    seeds: dict[tuple[str, int], list[int]] = {}
    for k in left:
        seed = runs[k].seed
        if seed is not None:
            seeds.setdefault((runs[k].recipe, seed), []).append(k)
    return [
        (k, f"{len(places)} runs of {recipe!r} have the seed {seed} and different values: they count as replicates")
        for (recipe, seed), places in seeds.items()
        if len(places) > 1
        for k in places
    ]


def _told(run: Run, repairs: Sequence[str], warnings: Sequence[str]) -> Run:
    if not repairs and not warnings:
        return run
    source = run.source
    if source is not None and repairs:
        source = replace(source, repairs=(*source.repairs, *repairs))
    return replace(run, source=source, warnings=(*run.warnings, *warnings))


def _path(run: Run) -> str:
    return "" if run.source is None else run.source.path
