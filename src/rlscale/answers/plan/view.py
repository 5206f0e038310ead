"""The view of a plan: what it is of, and which recipes are shown."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

from rlscale.answers.numbers import quantity, reward
from rlscale.answers.settings import Settings
from rlscale.answers.view import View, read_with
from rlscale.answers.views import Bounds, RunLine, run_line
from rlscale.decisions.plan import Crossing, Plan, RecipePlan
from rlscale.sources import Reading

__all__ = ["PlanView", "plan_view"]


@dataclass(frozen=True, kw_only=True)
class PlanView(View):
    """The answer of ``plan``.

    Parameters
    ----------
    plan : Plan
    runs : tuple of RunLine
        All of them, in their order.
    shown : tuple of str
        The recipes to show.
    errors : tuple of BadFile
    settings : Settings
    grouping : Grouping, optional
    left_out : tuple of LeftOut
    """

    plan: Plan
    runs: tuple[RunLine, ...]
    shown: tuple[str, ...]

    @cached_property
    def rows(self) -> tuple[RecipePlan, ...]:
        """The recipes to show, best first."""
        return tuple(row for row in self.plan.recipes if row.recipe in self.shown)

    @cached_property
    def fitted(self) -> tuple[RecipePlan, ...]:
        """Those of them that could be fitted."""
        return tuple(row for row in self.rows if row.next_doubling is not None)

    @property
    def crossings(self) -> tuple[Crossing, ...]:
        """Crossings of the recipes to show, with any other."""
        return tuple(each for each in self.plan.crossings if each.a in self.shown or each.b in self.shown)

    @cached_property
    def bounds(self) -> Bounds:
        """What rewards are written and drawn in."""
        return min(run.shown_in[0] for run in self.runs), max(run.shown_in[1] for run in self.runs)

    @property
    def range(self) -> float:
        """What shares of the range are shares of, in reward."""
        return self.plan.fits[0].run.curve.range

    @property
    def worth(self) -> float:
        """What a doubling has to gain, in reward."""
        return self.plan.worth * self.range

    def place(self, recipe: str) -> int:
        """Return the place of a recipe among all, 0 for the best: its colour."""
        return next(k for k, row in enumerate(self.plan.recipes) if row.recipe == recipe)

    def compute(self, value: float) -> str:
        """Return a compute with its unit."""
        return quantity(value, self.plan.unit)

    def reward(self, value: float | None) -> str:
        """Return a reward as people read it."""
        return reward(value, self.bounds)


def plan_view(
    plan: Plan, reading: Reading | None = None, settings: Settings | None = None, shown: Collection[str] = ()
) -> PlanView:
    """Return the view of a plan of the runs of ``reading``; only recipes of runs in ``shown``, all where none is."""
    runs = tuple(run_line(fit.run, fit.verdict, fit.warnings) for fit in plan.fits)
    chosen = {run.recipe for run in runs if not shown or run.run in shown}
    return PlanView(
        plan=plan,
        runs=runs,
        shown=tuple(row.recipe for row in plan.recipes if row.recipe in chosen),
        **read_with(reading, settings),
        left_out=plan.left_out,
    )
