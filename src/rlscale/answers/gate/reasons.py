"""Why the gate decides as it does: a sentence a reason, with the runs that share it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rlscale.answers.numbers import quantity, reward
from rlscale.decisions.gate import Action, Decision, GateAnswer

__all__ = ["TOGETHER", "Reason", "reasons"]


@dataclass(frozen=True)
class Reason:
    """A sentence, the decision that it is about, and its runs in their order."""

    action: Action
    text: str
    runs: tuple[str, ...]


def reasons(decisions: Sequence[Decision], answer: GateAnswer) -> tuple[Reason, ...]:
    """Return the reasons of decisions, in the order of the first run of each.

    Where the sentences of the runs differ only in their numbers, which stand in the table, one speaks for all.
    """
    alike: dict[tuple[Action, str], list[Decision]] = {}
    for one in decisions:
        alike.setdefault((one.action, one.code), []).append(one)
    found = []
    for (action, code), several in alike.items():
        by_text: dict[str, list[str]] = {}
        for one in several:
            by_text.setdefault(one.reason, []).append(one.run)
        together = TOGETHER.get(code)
        if len(by_text) > 1 and together is not None:
            by_text = {together(answer): [one.run for one in several]}
        found += [Reason(action, text, tuple(runs)) for text, runs in by_text.items()]
    return tuple(found)


def _better(answer: GateAnswer) -> str:
    low, high = answer.bounds
    return f"better than all others by more than {reward(answer.policy.epsilon * (high - low), answer.bounds)}"


def _budget(answer: GateAnswer) -> str:
    return quantity(answer.budget, answer.unit)


def _compute(answer: GateAnswer, share: float) -> str:
    return quantity(share * answer.horizon, answer.unit)


def _chance(value: float | None) -> str:
    if value is None:
        return "unknown"
    return "under 0.1 %" if value < 0.001 else f"{100 * value:.1f} %" if value < 0.1 else f"{100 * value:.0f} %"


def _unlikely(answer: GateAnswer) -> str:
    hardly = f"Each is hardly {_better(answer)} at {_budget(answer)}: forecasts and probabilities stand in the table"
    risk, allowed = _chance(answer.risk), _chance(answer.policy.alpha)
    if answer.policy.mode == "kill":
        return f"{hardly}. With them, risk spent is {risk} of {allowed}."
    return (
        f"{hardly}. Pausing all that is paused carries a model-based risk of {risk}, at most {allowed} is allowed. "
        "Keep their checkpoints."
    )


def _still(answer: GateAnswer) -> str:
    return f"They stay paused: each is hardly {_better(answer)}; model-based risk of all {_chance(answer.risk)}."


def _resumed(answer: GateAnswer) -> str:
    return f"Resume them: they no longer fit under the risk allowed, {_chance(answer.policy.alpha)}."


def _cannot_separate(answer: GateAnswer) -> str:
    return (
        f"They cannot be told apart from the best yet at {_budget(answer)}: pausing them would take the risk above "
        f"{_chance(answer.policy.alpha)}."
    )


def _collapsed(answer: GateAnswer) -> str:
    return (
        "Their rewards collapsed: the gate expects them to stay down. Find the cause, or go back to checkpoints from "
        "before the fall."
    )


def _sick(answer: GateAnswer) -> str:
    return (
        "Monitors say stop: the gate expects their rewards to stay where they are. rlscale health PATH --explain RUN "
        "says why, and what to do."
    )


def _waiting(answer: GateAnswer) -> str:
    return f"They may be paused at the next look: {answer.policy.patience} looks in a row have to agree."


def _minimum(answer: GateAnswer) -> str:
    policy = answer.policy
    return (
        f"They are too young to judge: at least {policy.minimum_evaluations} evaluations and "
        f"{_compute(answer, policy.minimum_share)} are asked for."
    )


def _late(answer: GateAnswer) -> str:
    policy = answer.policy
    return (
        f"They may not have taken off yet: each gained less than {100 * policy.late_gain:.0f} % of what the leader "
        f"did, and late starts are believed possible until {_compute(answer, policy.late_until)}."
    )


def _probe(answer: GateAnswer) -> str:
    return (
        "They were judged on little: they get their next evaluations, up to "
        f"{_compute(answer, answer.policy.probe_share)}, before the others get their last."
    )


def _keep_top(answer: GateAnswer) -> str:
    return "They are among the best now: what is that near the top is not paused whatever its forecast."


def _unfitted(answer: GateAnswer) -> str:
    return "Nothing can be forecast from so few evaluations yet; a fit needs 4."


#: Sentences that speak for several runs, by the reason in a word.
TOGETHER: dict[str, Callable[[GateAnswer], str]] = {
    "unlikely_best": _unlikely,
    "still_held": _still,
    "resumed": _resumed,
    "cannot_separate": _cannot_separate,
    "collapsed": _collapsed,
    "sick": _sick,
    "waiting": _waiting,
    "minimum": _minimum,
    "late_start": _late,
    "probe": _probe,
    "keep_top": _keep_top,
    "unfitted": _unfitted,
}
