"""The view of a law across model sizes."""

from __future__ import annotations

from dataclasses import dataclass

from rlscale.answers.remarks import Remark, read_remarks
from rlscale.answers.settings import Settings
from rlscale.answers.view import View, read_with
from rlscale.decisions.sizes import SizeLaw, SizePrediction, SizeRow
from rlscale.inference import Interval
from rlscale.sources import Reading

__all__ = ["SizesView", "sizes_view"]


@dataclass(frozen=True, kw_only=True)
class SizesView(View):
    """The answer of ``sizes``; ``input`` is what was repaired, or is to be known, of the runs read."""

    law: SizeLaw
    input: tuple[Remark, ...] = ()

    @property
    def shown_in(self) -> tuple[float, float]:
        """What rewards are written in."""
        return 0.0, self.law.r_max

    @property
    def at(self) -> float:
        """The compute at which sizes are compared: the budget, else the largest that a run has reached."""
        budget = self.law.budget
        return max(run.curve.compute_last for run in self.law.runs) if budget is None else budget.compute

    @property
    def asked(self) -> tuple[SizePrediction, ...]:
        """The predictions that were asked for, in place of those of each run's end."""
        return tuple(each for each in self.law.predictions if each.kind.value != "within_run")

    def reward(self, row: SizeRow) -> Interval:
        """Return the mean reward of a size at :attr:`at`, with data or without."""
        band = self.law.rewards(row.model_params, self.at)
        return Interval(band.q10[0], band.q50[0], band.q90[0])

    def p_best(self, row: SizeRow) -> float | None:
        """Return the probability that a size has the highest reward at the budget; None without one."""
        budget = self.law.budget
        chances = () if budget is None else budget.p_best
        return next((each.p for each in chances if each.model_params == row.model_params), None)


def sizes_view(law: SizeLaw, reading: Reading, settings: Settings | None = None) -> SizesView:
    """Return the view of a law for the runs of ``reading``."""
    return SizesView(
        law=law,
        input=read_remarks(reading.runs),
        **read_with(reading, settings),
        left_out=law.left_out,
    )
