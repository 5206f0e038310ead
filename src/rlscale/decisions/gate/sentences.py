"""The sentence of each decision: what is done and why, with the numbers that decided."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rlscale.decisions.gate.policy import Policy
from rlscale.decisions.gate.standing import Ruling, Standing
from rlscale.health import Alarm, monitor
from rlscale.numerals import quantity

__all__ = ["Words", "sentence", "stop_said"]


@dataclass(frozen=True, kw_only=True)
class Words:
    """What sentences are made of.

    Parameters
    ----------
    reward : callable
        Writes a share of the range as a reward.
    difference : callable
        Writes a share of the range as a difference of rewards.
    compute : callable
        Writes a share of the horizon as a compute with its unit.
    budget : str
        The budget, with its unit.
    policy : Policy
    """

    reward: Callable[[float], str]
    difference: Callable[[float], str]
    compute: Callable[[float], str]
    budget: str
    policy: Policy

    @property
    def epsilon(self) -> str:
        """By how much a better reward has to be better."""
        return self.difference(self.policy.epsilon)

    @property
    def band(self) -> str:
        """How near to the best a recipe has to be for further seeds."""
        return self.difference(self.policy.seed_band)

    def forecast(self, one: Standing) -> str:
        """Return ``0.71 (80 %: 0.68 to 0.74)``."""
        if one.prospect is None:
            return "unknown"
        low, middle, high = (self.reward(one.prospect.quantile(q)) for q in (0.1, 0.5, 0.9))
        return f"{middle} (80 %: {low} to {high})"

    def chance(self, value: float | None) -> str:
        """Return a probability in per cent, never rounded to certainty."""
        if value is None:
            return "unknown"
        return "under 0.1 %" if value < 0.001 else f"{100 * value:.1f} %" if value < 0.1 else f"{100 * value:.0f} %"


def sentence(one: Standing, ruling: Ruling, words: Words, risk: float | None, looks: int) -> str:
    """Return the sentence of a decision."""
    made = _SENTENCES.get(ruling.code)
    return f"{ruling.code}." if made is None else made(one, ruling, words, risk, looks)


_Made = Callable[[Standing, Ruling, Words, float | None, int], str]


def _unlikely(one: Standing, ruling: Ruling, words: Words, risk: float | None, looks: int) -> str:
    policy = words.policy
    better = f"better than all others by more than {words.epsilon}"
    if policy.mode == "kill":
        return (
            f"Its reward at {words.budget} is forecast {words.forecast(one)}: {better} with probability "
            f"{words.chance(ruling.h)}; with this, risk spent is {words.chance(risk)} of {words.chance(policy.alpha)}."
        )
    return (
        f"Its reward at {words.budget} is forecast {words.forecast(one)}: {better} with probability "
        f"{words.chance(ruling.h)}; pausing all that is paused carries a model-based risk of {words.chance(risk)}, at "
        f"most {words.chance(policy.alpha)} is allowed. Keep its checkpoint."
    )


def _collapsed(one: Standing, ruling: Ruling, words: Words, risk: float | None, looks: int) -> str:
    return (
        f"Its reward collapsed to {words.reward(one.recent)}: the gate expects it to stay there. "
        "Find the cause, or go back to a checkpoint from before the fall."
    )


def _sick(one: Standing, ruling: Ruling, words: Words, risk: float | None, looks: int) -> str:
    assert one.alarm is not None
    return (
        f"{stop_said(one.alarm)}: the gate expects its reward to stay at {words.reward(one.recent)}. "
        f"To do: {one.alarm.advice}."
    )


def stop_said(alarm: Alarm) -> str:
    """Return ``Entropy high says stop since 1200 gpu-hours (entropy is 4 times its lowest level)``."""
    title = monitor(alarm.monitor).title
    since = "" if alarm.since is None else f" since {quantity(alarm.since, alarm.compute_unit)}"
    return f"{title[0].upper()}{title[1:]} says stop{since} ({alarm.message})"


def _still(one: Standing, ruling: Ruling, words: Words, risk: float | None, looks: int) -> str:
    return (
        f"It stays paused: probability {words.chance(ruling.h)} to beat all others by more than "
        f"{words.epsilon}; model-based risk of all that is paused {words.chance(risk)}."
    )


def _resumed(one: Standing, ruling: Ruling, words: Words, risk: float | None, looks: int) -> str:
    return (
        f"Resume it: it no longer fits under the risk allowed, {words.chance(words.policy.alpha)}; its chance to beat "
        f"all others by more than {words.epsilon} is {words.chance(ruling.h)}."
    )


def _cannot_separate(one: Standing, ruling: Ruling, words: Words, risk: float | None, looks: int) -> str:
    return (
        f"It cannot be told apart from the best yet: forecast {words.forecast(one)} at {words.budget}, probability "
        f"{words.chance(ruling.h)} to beat all others by more than {words.epsilon}; pausing it "
        f"would take the risk above {words.chance(words.policy.alpha)}."
    )


def _waiting(one: Standing, ruling: Ruling, words: Words, risk: float | None, looks: int) -> str:
    return (
        f"It may be paused at the next look: it qualified at {looks} in a row, {words.policy.patience} are asked for "
        f"(probability {words.chance(ruling.h)} to beat all others)."
    )


def _leader(one: Standing, ruling: Ruling, words: Words, risk: float | None, looks: int) -> str:
    return f"It has the highest forecast, {words.forecast(one)} at {words.budget}."


def _minimum(one: Standing, ruling: Ruling, words: Words, risk: float | None, looks: int) -> str:
    policy = words.policy
    return (
        f"It is too young to judge: {one.evaluations} evaluations up to {words.compute(one.spent)}; at least "
        f"{policy.minimum_evaluations} and {words.compute(policy.minimum_share)} are asked for."
    )


def _late(one: Standing, ruling: Ruling, words: Words, risk: float | None, looks: int) -> str:
    sooner = " at most, sooner where all rivals took off early" if words.policy.late_factor > 0.0 else ""
    return (
        f"It may not have taken off yet: a gain of {words.difference(one.gain)} so far is less than "
        f"{100 * words.policy.late_gain:.0f} % of the leader's, and late starts are believed possible until "
        f"{words.compute(words.policy.late_until)}{sooner}."
    )


def _probe(one: Standing, ruling: Ruling, words: Words, risk: float | None, looks: int) -> str:
    policy = words.policy
    return (
        f"It was judged on little, {words.compute(one.spent)}, and another has come to "
        f"{words.compute(policy.probe_after)} or more: it gets its next evaluations, up to "
        f"{words.compute(policy.probe_share)}, before the others get their last."
    )


def _keep_top(one: Standing, ruling: Ruling, words: Words, risk: float | None, looks: int) -> str:
    return (
        f"It is among the best now, {words.reward(one.recent)} by its last 3 evaluations; what is that near the top is "
        "not paused whatever its forecast."
    )


def _commit(one: Standing, ruling: Ruling, words: Words, risk: float | None, looks: int) -> str:
    done = "All its rivals are held or finished" if ruling.code == "only_one_left" else "Everything has finished"
    return (
        f"{done}: it gets the budget, with a forecast of {words.forecast(one)} at {words.budget}. {_risk(words, risk)}"
    )


def _risk(words: Words, risk: float | None) -> str:
    if not risk:
        return "Nothing is paused."
    return (
        f"Model-based risk that one that is paused would have been better by more than "
        f"{words.epsilon}: {words.chance(risk)}. Keep the runner-up's checkpoint."
    )


def _stop(one: Standing, ruling: Ruling, words: Words, risk: float | None, looks: int) -> str:
    return (
        f"All others have finished, and the model-based risk that one of the paused would have been better is "
        f"{words.chance(risk)}: release it."
    )


_SENTENCES: dict[str, _Made] = {
    "unlikely_best": _unlikely,
    "collapsed": _collapsed,
    "sick": _sick,
    "still_held": _still,
    "resumed": _resumed,
    "cannot_separate": _cannot_separate,
    "waiting": _waiting,
    "leader": _leader,
    "minimum": _minimum,
    "late_start": _late,
    "keep_top": _keep_top,
    "probe": _probe,
    "only_one_left": _commit,
    "best_finished": _commit,
    "cannot_win": _stop,
    "finished": lambda one, ruling, words, risk, looks: (
        "It has reached the end of the comparison: nothing more is spent on it."
    ),
    "stopped": lambda one, ruling, words, risk, looks: "It was stopped before.",
    "unfitted": lambda one, ruling, words, risk, looks: (
        f"Nothing can be forecast from {one.evaluations} evaluations yet; a fit needs 4."
    ),
    "no_forecast": lambda one, ruling, words, risk, looks: (
        "No run can be forecast yet: there is nothing to decide on; a fit needs 4 evaluations after the start."
    ),
    "no_learning": lambda one, ruling, words, risk, looks: (
        "No run shows learning yet, so none can be called better: check the reward signal before spending more."
    ),
    "nothing_to_compare": lambda one, ruling, words, risk, looks: (
        "It is alone: there is nothing to compare it with."
        + ("" if one.prospect is None else f" Its reward at {words.budget} is forecast {words.forecast(one)}.")
    ),
    "one_recipe": lambda one, ruling, words, risk, looks: (
        "All runs are of one recipe: there is no other to compare it with, and its seeds go on."
    ),
    "one_seed_first": lambda one, ruling, words, risk, looks: (
        "One seed of each recipe goes first; this one is for when its recipe turns out near the best."
    ),
    "near_best": lambda one, ruling, words, risk, looks: (
        f"Its recipe is forecast within {words.band} of the best: further seeds are worth it now."
    ),
    "not_near_best": lambda one, ruling, words, risk, looks: (
        f"Its recipe is not forecast within {words.band} of the best: one seed is enough."
    ),
}
