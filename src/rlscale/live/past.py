"""The history of recipes: the ceiling over compute as it was believed, and the place among all at each refit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rlscale.errors import LedgerError
from rlscale.inference.verdict import VerdictName
from rlscale.ledger import FitRow, Ledger, RunRow

__all__ = ["Past", "Step", "past"]

#: A run that does not learn, or has too little, ranks nowhere.
_NOWHERE = (VerdictName.NO_LEARNING.value, VerdictName.TOO_FEW_POINTS.value)


@dataclass(frozen=True)
class Step:
    """One refit of a run.

    Parameters
    ----------
    fit : FitRow
    place, contenders : int, optional
        Place of its recipe among all at that compute, 1 the best, and the number of recipes that had a place.
    """

    fit: FitRow
    place: int | None
    contenders: int | None


@dataclass(frozen=True)
class Past:
    """The history of one recipe.

    Parameters
    ----------
    recipe : str
    rows : tuple of RunRow
    steps : mapping of str to tuple of Step
        Of each run by name, compute increasing.
    by : str
        What recipes were ranked by: ``A`` or ``forecast``.
    """

    recipe: str
    rows: tuple[RunRow, ...]
    steps: Mapping[str, tuple[Step, ...]]
    by: str


def past(ledger: Ledger, recipe: str | None = None) -> tuple[Past, ...]:
    """Return the history of a recipe, or of all.

    Where a watcher kept the fits, it kept the places too: those among the runs as they stood at that moment. Otherwise
    a recipe's place at compute ``C`` is that of the mean over its runs of the latest fit up to ``C`` (its forecast at
    the target, else the median of A), among all recipes that had one.

    Raises
    ------
    LedgerError
        No such recipe, or no fits of it.
    """
    rows = ledger.book.runs()
    recipes = dict.fromkeys(row.recipe for row in rows)
    if recipe is not None and recipe not in recipes:
        raise LedgerError(f"{ledger.where}: no recipe {recipe!r}; its recipes are {', '.join(list(recipes)[:20])}")
    asked = list(recipes) if recipe is None else [recipe]
    held = ledger.fits.history(recipe)
    kept = {name: held.get(name, {}) for name in asked}
    if not any(own for held in kept.values() for own in held.values()):
        raise LedgerError(
            f"{ledger.where}: no fits of {'any recipe' if recipe is None else repr(recipe)} are kept; "
            "rlscale ledger add PATH makes them, and so does rlscale watch"
        )
    needed = any(one.place is None for held in kept.values() for own in held.values() for one in own)
    table = _Table(rows, ledger.fits.ranked()) if needed else None
    found = []
    for name in asked:
        own = tuple(row for row in rows if row.recipe == name)
        steps = {run: _steps(fits, name, table) for run, fits in kept[name].items()}
        by = "forecast" if any(one.mean is not None for fits in kept[name].values() for one in fits) else "A"
        found.append(Past(name, own, steps, by))
    return tuple(found)


def _steps(kept: Sequence[FitRow], recipe: str, table: _Table | None) -> tuple[Step, ...]:
    """Return the refits of a run, each with the place that was kept with it, else with the one made now."""
    without = [one for one in kept if one.place is None]
    made = table.places(recipe, without) if table is not None and without else []
    places = dict(zip((one.seq for one in without), made, strict=True))
    return tuple(Step(one, *places.get(one.seq, (one.place, one.contenders))) for one in kept)


class _Table:
    """The fits of all runs that were kept without a place, to rank recipes at the compute of each of them."""

    def __init__(self, rows: Sequence[RunRow], kept: Sequence[FitRow]) -> None:
        self._recipe = {row.id: row.recipe for row in rows}
        alike: dict[tuple[str, str], list[FitRow]] = {}
        for one in kept:
            alike.setdefault((one.settings, one.version), []).append(one)
        self._alike = alike
        self._levels: dict[tuple[str, str], tuple[NDArray[np.float64], list[str], NDArray[np.float64]]] = {}

    def places(self, recipe: str, kept: Sequence[FitRow]) -> list[tuple[int | None, int | None]]:
        """Return the place of a recipe at each of these fits, made alike, and how many recipes had one there."""
        key = (kept[0].settings, kept[0].version)
        if key not in self._levels:
            self._levels[key] = self._leveled(self._alike.get(key, []))
        computes, names, levels = self._levels[key]
        if recipe not in names:
            return [(one.place, one.contenders) for one in kept]
        columns = levels[:, np.searchsorted(computes, [one.compute for one in kept])]
        own = columns[names.index(recipe)]
        above = np.count_nonzero(columns > own, axis=0).tolist()
        count = np.count_nonzero(~np.isnan(columns), axis=0).tolist()
        return [
            (None if np.isnan(level) else 1 + place, many or None)
            for level, place, many in zip(own, above, count, strict=True)
        ]

    def _leveled(self, kept: Sequence[FitRow]) -> tuple[NDArray[np.float64], list[str], NDArray[np.float64]]:
        """Return all computes, the recipes, and the level of each recipe at each compute: shape (recipes, computes)."""
        computes = np.unique([one.compute for one in kept])
        by_run: dict[int, list[FitRow]] = {}
        for one in kept:
            by_run.setdefault(one.run_id, []).append(one)
        names = list(dict.fromkeys(self._recipe[run] for run in by_run))
        total, count = np.zeros((len(names), computes.size)), np.zeros((len(names), computes.size))
        for run, own in by_run.items():
            level = np.array([np.nan, *map(_level, own)])  # nothing before the first fit
            at = level[np.searchsorted([one.compute for one in own], computes * (1 + 1e-9), side="right")]
            row, known = names.index(self._recipe[run]), ~np.isnan(at)
            total[row, known] += at[known]
            count[row] += known
        with np.errstate(invalid="ignore"):
            return computes, names, total / np.where(count > 0, count, np.nan)


def _level(one: FitRow) -> float:
    """Return what a fit is ranked by; NaN where it ranks nowhere."""
    middle = None if one.A is None else one.A[1]
    found = one.mean if one.mean is not None else middle
    return np.nan if found is None or one.verdict in _NOWHERE else found
