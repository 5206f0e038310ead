"""The answer of the gate: a decision for every run, with its sentence and its evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from rlscale.curves import Run
from rlscale.curves.value import Value
from rlscale.decisions.gate.policy import Policy
from rlscale.decisions.gate.standing import Action
from rlscale.decisions.savings import Outlay, Savings, savings
from rlscale.health import Alarm
from rlscale.inference.forecast import LEVELS, Interval
from rlscale.inference.verdict import VerdictName
from rlscale.left_out import LeftOut
from rlscale.results import Result

__all__ = ["QUANTILES", "Decision", "Evidence", "GateAnswer", "comeback", "decided_savings"]

#: Names of the quantiles of a forecast, in the order of ``inference.forecast.LEVELS``.
QUANTILES = ("q05", "q10", "q25", "q50", "q75", "q90", "q95")


@dataclass(frozen=True, kw_only=True)
class Evidence(Value):
    """What a decision rests on; rewards in the metric's own scale, computes in the runs' unit.

    Parameters
    ----------
    contender : str
        What was judged: the run, or the recipe of several runs.
    spent : float
        Compute of this run so far.
    evaluations : int
        After the start.
    reward : float
        Mean of the last 3 evaluations of the contender.
    forecast : tuple of float, optional
        Quantiles of the reward at the budget, at ``inference.forecast.LEVELS``; None where nothing could be fitted.
    mean : float, optional
    h : float, optional
        Probability that the contender beats the best of all others by more than ``epsilon``.
    joint_risk : float, optional
        Model-based risk of all that is paused after this decision; of ``kill`` the risk spent.
    guard : str, optional
        The guard that kept it from being paused.
    looks : int
        Looks in a row at which it qualified to be paused.
    drift, discrepancy : float, optional
        Factor by which drift widened the forecast; sd that was added, in reward.
    collapsed : bool
        Whether the forecast was replaced by where the run fell to.
    verdict : VerdictName, optional
        On the run's reward at the budget.
    alarm : Alarm, optional
        The first at ``stop`` that lasts, for which the forecast was replaced by where the contender stands.
    """

    contender: str
    spent: float
    evaluations: int
    reward: float
    forecast: tuple[float, ...] | None
    mean: float | None
    h: float | None
    joint_risk: float | None
    guard: str | None
    looks: int
    drift: float | None
    discrepancy: float | None
    collapsed: bool
    verdict: VerdictName | None
    alarm: Alarm | None = None

    @property
    def interval(self) -> Interval | None:
        """The 80 % interval of the forecast; None where nothing could be fitted."""
        if self.forecast is None:
            return None
        return Interval(*(self.forecast[LEVELS.index(level)] for level in (0.1, 0.5, 0.9)))


@dataclass(frozen=True, kw_only=True)
class Decision(Value):
    """The decision on one run.

    Parameters
    ----------
    run, recipe : str
    action : Action
    code : str
        The reason in a word, stable for programs.
    reason : str
        One sentence.
    evidence : Evidence
    """

    run: str
    recipe: str
    action: Action
    code: str
    reason: str
    evidence: Evidence

    def document(self) -> dict[str, Any]:
        """Return the decision as JSON values: the entry of ``gate --json`` and what a ledger keeps."""
        told = self.evidence
        forecast = None
        if told.forecast is not None:
            forecast = {**dict(zip(QUANTILES, told.forecast, strict=True)), "mean": told.mean}
        return {
            "run": self.run,
            "recipe": self.recipe,
            "decision": self.action.value,
            "reason_code": self.code,
            "reason": self.reason,
            "evidence": {
                "contender": told.contender,
                "spent": told.spent,
                "evaluations": told.evaluations,
                "reward": told.reward,
                "forecast": forecast,
                "h": told.h,
                "joint_risk": told.joint_risk,
                "guard": told.guard,
                "looks_qualified": told.looks,
                "drift": told.drift,
                "discrepancy": told.discrepancy,
                "collapsed": told.collapsed,
                "verdict": None if told.verdict is None else told.verdict.value,
                **({} if told.alarm is None else {"alarm": _alarm(told.alarm)}),
            },
        }


def _alarm(alarm: Alarm) -> dict[str, Any]:
    names = ("monitor", "severity", "since", "value", "threshold", "message", "source")
    return {name: getattr(alarm, name) for name in names}


@dataclass(frozen=True, kw_only=True, repr=False)
class GateAnswer(Result, Value):
    """The decisions on all runs.

    Parameters
    ----------
    budget, horizon : float
        In ``unit``, for one run.
    spent : float
        Compute of all runs so far, in ``unit``.
    unit, clock, metric : str
    bounds : (float, float)
    decisions : tuple of Decision
        In the order of the runs.
    risk : float, optional
        Model-based risk of what is paused; None where nothing was compared.
    leader : str, optional
        The run or recipe with the highest forecast.
    policy : Policy
    claim : str
        ``runs`` or ``recipes``: what was judged.
    seed_sd : float
        Run-to-run sd that was used, as a share of the range.
    notes : tuple of str
    savings : Savings
        Against running all runs to the budget.
    runs : tuple of Run
        The runs, for charts.
    left_out : tuple of LeftOut
        What was named and could not be read.
    """

    budget: float
    horizon: float
    spent: float
    unit: str
    clock: str
    metric: str
    bounds: tuple[float, float]
    decisions: tuple[Decision, ...]
    risk: float | None
    leader: str | None
    policy: Policy
    claim: str
    seed_sd: float
    notes: tuple[str, ...]
    savings: Savings
    runs: tuple[Run, ...] = field(default=(), repr=False, compare=False)
    left_out: tuple[LeftOut, ...] = field(default=(), compare=False)

    def __repr__(self) -> str:
        counted = Counter(decision.action.value for decision in self.decisions)
        said = ", ".join(f"{action} {number}" for action, number in counted.items())
        return f"GateAnswer({len(self.decisions)} runs at {self.budget:g} {self.unit}: {said})"


def decided_savings(
    decisions: Sequence[Decision], budget: float, unit: str, *, paused: Collection[str], over: Collection[str]
) -> Savings:
    """Return what decisions save against running all runs to the budget.

    Parameters
    ----------
    decisions : sequence of Decision
    budget : float
        Compute that one run may get, in ``unit``.
    unit : str
    paused, over : collection of str
        Names of the runs that are held or stopped now, and of those that ended by themselves.
    """
    return savings(
        [
            Outlay(one.evidence.spent, one.run in paused, comeback(one.action, one.evidence.h), one.run in over)
            for one in decisions
        ],
        budget,
        unit,
    )


def comeback(action: Action, h: float | None) -> float | None:
    """Return the probability that a run goes on after all: that it is the best, if held; None where it goes on."""
    if action is Action.STOP:
        return 0.0
    return (h or 0.0) if action is Action.HOLD else None
