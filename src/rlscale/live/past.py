"""The history of recipes: the ceiling over compute as it was believed, and the place among all at each refit."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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
    kept = {name: ledger.fits.history(name) for name in asked}
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
        steps = {run: tuple(_step(one, name, table) for one in fits) for run, fits in kept[name].items()}
        by = "forecast" if any(one.mean is not None for fits in kept[name].values() for one in fits) else "A"
        found.append(Past(name, own, steps, by))
    return tuple(found)


def _step(one: FitRow, recipe: str, table: _Table | None) -> Step:
    if one.place is not None or table is None:
        return Step(one, one.place, one.contenders)
    return Step(one, *table.place(recipe, one))


class _Table:
    """The kept fits of all runs, by settings and recipe, to rank recipes at any compute."""

    def __init__(self, rows: Sequence[RunRow], kept: Sequence[FitRow]) -> None:
        recipe = {row.id: row.recipe for row in rows}
        self._held: dict[tuple[str, str], dict[str, dict[int, tuple[list[float], list[float | None]]]]] = {}
        for one in kept:
            level = one.mean if one.mean is not None else None if one.A is None else one.A[1]
            runs = self._held.setdefault((one.settings, one.version), {}).setdefault(recipe[one.run_id], {})
            computes, levels = runs.setdefault(one.run_id, ([], []))
            computes.append(one.compute)
            levels.append(None if one.verdict in _NOWHERE else level)

    def place(self, recipe: str, one: FitRow) -> tuple[int | None, int | None]:
        """Return the place of a recipe at the compute of a fit, and how many had one."""
        levels = {}
        for name, runs in self._held.get((one.settings, one.version), {}).items():
            there = []
            for computes, found in runs.values():
                k = bisect_right(computes, one.compute * (1 + 1e-9))
                level = found[k - 1] if k else None
                if level is not None:
                    there.append(level)
            if there:
                levels[name] = sum(there) / len(there)
        if recipe not in levels:
            return None, len(levels) or None
        return 1 + sum(level > levels[recipe] for level in levels.values()), len(levels)
