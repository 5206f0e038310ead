"""The view of the overview: a ranking, the part of it that is shown, and what stands beside each recipe."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rlscale.answers.numbers import count, quantity
from rlscale.answers.savings import savings_words
from rlscale.answers.views import RankView, RunLine, headline, runs_by_recipe
from rlscale.decisions import Ranking, RecipeRank
from rlscale.decisions.savings import Savings
from rlscale.errors import InputError
from rlscale.health import RunHealth
from rlscale.inference import Interval, VerdictName
from rlscale.live.alarms import Signal

__all__ = ["BESIDE", "CARDS", "ROWS", "SORTS", "OverviewView", "Told", "shown_rows"]

#: Recipes of one page, and runs of them that are drawn as cards.
ROWS, CARDS = 25, 30
#: By what the recipes can be sorted; what is not known comes last.
SORTS: Mapping[str, Callable[[RecipeRank], Any]] = {
    "recipe": lambda row: row.recipe.casefold(),
    "verdict": lambda row: list(VerdictName).index(row.verdict.name),
    "p_best": lambda row: row.p_best,
    "forecast": lambda row: None if row.forecast is None else row.forecast.q50,
    "ceiling": lambda row: None if row.A is None else row.A.q50,
}
#: What else they are sorted by where that is known: compute of all runs, compute of one at which it is resolved.
BESIDE = ("spent", "resolves_at")


@dataclass(frozen=True, kw_only=True)
class Told:
    """A decision as the overview tells it.

    Parameters
    ----------
    run, action, reason : str
    at : float, optional
        When it was made, in seconds since 1970; None for one that is of now.
    acting : bool
        Whether it is carried out.
    by : str
        Who made it, where a person did.
    """

    run: str
    action: str
    reason: str
    at: float | None = None
    acting: bool = True
    by: str = ""


@dataclass(frozen=True, kw_only=True)
class OverviewView:
    """What the overview shows.

    Parameters
    ----------
    ranked : RankView
        All recipes; of a ledger with very many runs those as they were last fitted.
    rows : tuple of RecipeRank
        The part that is shown.
    offset, matching : int
        Place of the first of them among those that match what was searched for, and how many these are.
    search : str
    spent : mapping of str to float
        Compute of each recipe so far, all its runs together.
    resolves : mapping of str to Interval
        Compute of one run at which a recipe should be resolved; one without an answer is left out.
    open_ended : frozenset of str
        Recipes of which the upper end of that is as far as anybody looked.
    savings : Savings, optional
        None where nothing is decided.
    price : float, optional
        Dollars for a GPU-hour.
    actions : mapping of str to str
        The decision in force on each run.
    latest : tuple of Told
        The latest decisions, the last first.
    health : tuple of RunHealth
        Of the runs that were judged.
    sent : tuple of Signal
        Alarms that a watcher has sent and that are not over.
    risk : str
        Of what is paused, in a sentence.
    notes : tuple of str
        What else must be known, first of all.
    stored : bool
        Whether the numbers are those that a ledger keeps, of each run as it was last fitted.
    """

    ranked: RankView
    rows: tuple[RecipeRank, ...]
    offset: int = 0
    matching: int = 0
    search: str = ""
    spent: Mapping[str, float] = field(default_factory=dict)
    resolves: Mapping[str, Interval] = field(default_factory=dict)
    open_ended: frozenset[str] = frozenset()
    savings: Savings | None = None
    price: float | None = None
    actions: Mapping[str, str] = field(default_factory=dict)
    latest: tuple[Told, ...] = ()
    health: tuple[RunHealth, ...] = ()
    sent: tuple[Signal, ...] = ()
    risk: str = ""
    notes: tuple[str, ...] = ()
    stored: bool = False

    @property
    def recipes(self) -> int:
        """How many recipes there are."""
        return len(self.ranked.ranking.recipes)

    @property
    def runs(self) -> tuple[RunLine, ...]:
        """The runs of the recipes that are shown, in order of rank."""
        by_recipe = runs_by_recipe(self.ranked.runs)
        return tuple(run for row in self.rows for run in by_recipe.get(row.recipe, ()))

    @property
    def headline(self) -> str:
        """The answer in a sentence."""
        return _stored_headline(self.ranked) if self.stored else headline(self.ranked)

    @property
    def money(self) -> str:
        """What was spent, is planned and is saved, in a sentence."""
        unit = self.ranked.ranking.unit
        if self.savings is not None:
            return savings_words(self.savings.at(self.price) if unit in ("gpu-hours", "dollars") else self.savings)
        total = sum(self.spent.values())
        if not total:
            return ""
        said = f"Spent {quantity(total, unit)} so far"
        if self.price is not None and unit == "gpu-hours":
            said += f": {quantity(self.price * total)} dollars at {self.price:,g} a GPU-hour"
        return f"{said}."

    @property
    def sent_beside(self) -> tuple[Signal, ...]:
        """Alarms sent that the health of the runs does not show: of what else is judged, or of other runs."""
        shown = {(run.run, alarm.monitor) for run in self.health for alarm in run.alarms if alarm.lasts}
        return tuple(signal for signal in self.sent if signal.key not in shown)

    def alarms(self, recipe: str) -> tuple[RunHealth, ...] | None:
        """Return the health of the runs of a recipe; None where none was judged."""
        return tuple(each for each in self.health if each.recipe == recipe) or None


def shown_rows(
    ranking: Ranking,
    search: str = "",
    offset: int = 0,
    sort: str = "",
    beside: Mapping[str, Callable[[RecipeRank], Any]] | None = None,
) -> tuple[tuple[RecipeRank, ...], int, int]:
    """Return the recipes of one page, the place of the first of them, and how many match.

    Parameters
    ----------
    ranking : Ranking
    search : str
        A part of the name of the recipe or of one of its runs, in any case.
    offset : int
        How many of those that match stand before the page; beyond the end the last page is shown.
    sort : str
        One of :data:`SORTS` or of ``beside``, with ``-`` before it where the largest comes first; empty for the rank.
    beside : mapping of str to callable
        What recipes can also be sorted by, where that is known.

    Raises
    ------
    InputError
        There is no such order.
    """
    wanted = search.casefold()
    rows = [
        row for row in ranking.recipes
        if not wanted or wanted in row.recipe.casefold() or any(wanted in run.casefold() for run in row.runs)
    ]  # fmt: skip
    if sort:
        orders = {**SORTS, **(beside or {})}
        by = orders.get(sort.removeprefix("-"))
        if by is None:
            raise InputError(f"sort={sort!r} is no column; sort by {', '.join(orders)}", parameter="sort")
        known = [row for row in rows if by(row) is not None]
        lacking = [row for row in rows if by(row) is None]
        rows = sorted(known, key=by, reverse=sort.startswith("-")) + lacking
    first = offset if offset < len(rows) else max(len(rows) - 1, 0) // ROWS * ROWS
    return tuple(rows[first : first + ROWS]), first, len(rows)


def _stored_headline(view: RankView) -> str:
    """Return who has the highest stored level: no probability is kept that would tell recipes apart."""
    ranked = [row for row in view.ranking.recipes if row.verdict.ranks and row.A is not None]
    total = count(len(view.ranking.recipes), "recipe")
    if not ranked:
        return f"None of {total} shows learning yet, as last fitted."
    by = "ceiling" if view.at == "the asymptote" else f"forecast at {view.at}"
    return f"{ranked[0].recipe} has the highest {by} of {total}, each as it was last fitted."
