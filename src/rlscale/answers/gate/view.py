"""The view of a gate's decisions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from rlscale.answers.coverage import lacking
from rlscale.answers.numbers import count, reward
from rlscale.answers.remarks import Remark, read_remarks
from rlscale.answers.settings import Settings
from rlscale.answers.view import View, read_with
from rlscale.answers.views import listed
from rlscale.curves import Curve
from rlscale.decisions.gate import Action, Decision, GateAnswer
from rlscale.decisions.savings import Savings
from rlscale.sources import Reading

__all__ = ["CLAIM", "GateView", "gate_view", "headline", "risk_words"]

#: What is said under every answer.
CLAIM = (
    "Model-based risk: right if the forecasts are; it is no guarantee. rlscale replay shows how this gate would have "
    "done on your own finished runs."
)
#: How each action is told of several runs, in the order they are told and shown.
_VERBS = {Action.COMMIT: "commit", Action.CONTINUE: "continue", Action.HOLD: "hold", Action.STOP: "stop"}
#: Why nothing is decided, where that is so of all runs.
_NOTHING = {
    "no_learning": "No run shows learning yet",
    "no_forecast": "No run can be forecast yet",
    "nothing_to_compare": "There is no other run to compare with",
    "one_recipe": "There is no other recipe to compare with",
}


@dataclass(frozen=True, kw_only=True)
class GateView(View):
    """The answer of ``gate``.

    Parameters
    ----------
    answer : GateAnswer
    calibration : str
        Whether the forecasts were calibrated, in a sentence.
    shown : tuple of Decision
        The decisions to show, in the order of the runs.
    input : tuple of Remark
        What was repaired, or is to be known, of the runs read.
    errors : tuple of BadFile
    settings : Settings
    grouping : Grouping, optional
    left_out : tuple of LeftOut
    price : float, optional
        Dollars for a GPU-hour.
    """

    answer: GateAnswer
    calibration: str
    shown: tuple[Decision, ...]
    input: tuple[Remark, ...] = ()
    curves: Mapping[str, Curve] = field(default_factory=dict)
    price: float | None = None

    @property
    def savings(self) -> Savings:
        """What the decisions save, at the price given."""
        return self.answer.savings.at(self.price)

    @property
    def ordered(self) -> tuple[Decision, ...]:
        """The decisions to show: by action, then by forecast, the best first."""
        places = list(_VERBS)

        def key(one: Decision) -> tuple[int, float, str]:
            mean = one.evidence.mean
            return places.index(one.action), -mean if mean is not None else float("inf"), one.run

        return tuple(sorted(self.shown, key=key))


def gate_view(
    answer: GateAnswer,
    reading: Reading,
    calibration: str,
    settings: Settings | None = None,
    shown: Collection[str] = (),
    price: float | None = None,
) -> GateView:
    """Return the view of an answer on the runs of ``reading``; only those in ``shown`` are shown, all where none is."""
    return GateView(
        answer=answer,
        calibration=calibration,
        shown=tuple(one for one in answer.decisions if not shown or one.run in shown),
        input=read_remarks(reading.runs),
        **read_with(reading, settings),
        left_out=answer.left_out,
        curves={run.name: run.curve for run in reading.runs},
        price=price,
    )


def headline(view: GateView) -> str:
    """Return the answer in a sentence: how many runs go on, are held, stop or get the budget; first, what it lacks."""
    return f"{lacking(view.left_out, len(view.answer.decisions))}{_decided(view)}"


def _decided(view: GateView) -> str:
    answer = view.answer
    total = len(answer.decisions)
    found = {action: [one.run for one in answer.decisions if one.action is action] for action in _VERBS}
    if len(found[Action.CONTINUE]) == total:
        nobody = {one.code for one in answer.decisions} & set(_NOTHING)
        if nobody:
            return f"{_NOTHING[nobody.pop()]}: nothing is decided, what runs goes on."
        return "The run goes on." if total == 1 else f"All {total:,} runs go on: nothing is paused."
    parts = [
        f"{verb} {len(found[action]):,}{f' ({listed(found[action], 2)})' if action is Action.COMMIT else ''}"
        for action, verb in _VERBS.items()
        if found[action]
    ]
    said = listed(parts, len(parts))
    return f"Of {count(total, 'run')}: {said}."


def risk_words(view: GateView) -> str:
    """Return the risk of what is paused, or spent, in a sentence; nothing where nothing is."""
    answer, policy = view.answer, view.answer.policy
    if answer.risk is None:
        return ""
    low, high = answer.bounds
    better = reward(policy.epsilon * (high - low), answer.bounds)
    allowed = f"at most {100 * policy.alpha:g} % is allowed"
    if policy.mode == "kill":
        return f"Model-based risk spent on stops: {_chance(answer.risk)}; {allowed}."
    return (
        f"Model-based risk that one that is paused would have beaten all others by more than {better}: "
        f"{_chance(answer.risk)}; {allowed}."
    )


def _chance(value: float) -> str:
    return "under 0.1 %" if value < 0.001 else f"{100 * value:.1f} %"
