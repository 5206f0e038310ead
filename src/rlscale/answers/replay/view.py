"""The view of a replay."""

from __future__ import annotations

from dataclasses import dataclass

from rlscale.answers.numbers import error
from rlscale.answers.remarks import Remark, read_remarks
from rlscale.answers.settings import Settings
from rlscale.answers.view import View, read_with
from rlscale.curves import Run
from rlscale.decisions.savings import Savings
from rlscale.sources import Reading
from rlscale.trust.replay import PolicyScores, Replay

__all__ = ["ReplayView", "replay_view"]


@dataclass(frozen=True, kw_only=True)
class ReplayView(View):
    """The answer of ``replay``; ``input`` is what was repaired, or is to be known, of the ``runs`` read."""

    result: Replay
    input: tuple[Remark, ...] = ()
    runs: tuple[Run, ...] = ()
    price: float | None = None

    def savings(self, policy: PolicyScores) -> Savings:
        """Return what a policy saved in a tournament on average, at the price given."""
        return self.result.savings(policy).at(self.price)

    def regret(self, value: float) -> str:
        """Return a regret as text."""
        return error(value, (0.0, self.result.arena.range))

    @property
    def noun(self) -> str:
        """What meets in a tournament."""
        return "recipe" if self.result.setting.recipes else "run"

    @property
    def main(self) -> PolicyScores:
        """The policy that the headline speaks of: the gate where it was replayed, else the first."""
        return next((one for one in self.result.policies if one.policy == "hold"), self.result.policies[0])


def replay_view(
    result: Replay, reading: Reading, settings: Settings | None = None, price: float | None = None
) -> ReplayView:
    """Return the view of a replay on the runs of ``reading``; ``price`` is that of a GPU-hour, in dollars."""
    return ReplayView(
        result=result,
        input=read_remarks(reading.runs),
        **read_with(reading, settings),
        left_out=result.left_out,
        runs=reading.runs,
        price=price,
    )
