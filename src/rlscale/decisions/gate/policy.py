"""Every number of the gate in one frozen value, each with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from rlscale.curves import Curve
from rlscale.curves.value import Value
from rlscale.errors import InputError

__all__ = ["HOLD", "KILL", "Policy", "check_number", "frame_unit", "number", "scaled", "stored"]

#: Numbers of policies that are differences of rewards, shares of the range.
IN_REWARD = ("epsilon", "collapse_sd", "discrepancy", "keep_top", "seed_band", "margin")
P = TypeVar("P", bound=Any)


def number(default: Any, why: str) -> Any:
    """Return a field of a policy with its reason, which a policy file shows beside it."""
    return field(default=default, metadata={"why": why})


@dataclass(frozen=True, kw_only=True)
class Policy(Value):
    """The numbers of the joint-risk gate; rewards are shares of the metric's range, computes of the horizon.

    Raises
    ------
    InputError
        A number outside its range, or two that contradict each other.
    """

    name: str = number("hold", "how answers call it")
    mode: str = number(
        "hold", "hold pauses runs and can resume them; kill stops them for good and spends its risk once"
    )
    alpha: float = number(
        0.15,
        "model-based risk allowed that a paused run would have beaten all the others by more than epsilon; measured "
        "wrong stops are far below it, since forecasts are wide and pauses can be taken back: at equal compute less "
        "risk loses more than a later first pause does",
    )
    epsilon: float = number(0.02, "a difference not worth compute; less than the run-to-run sd buys nothing")
    looks: int = number(24, "looks from the start to the horizon, one an evaluation at most")
    patience: int = number(2, "looks in a row at which a run has to qualify: for fewer resumes, not for fewer errors")
    sure: float = number(0.5, "one look is enough at this share of alpha: waiting is for what is close")
    minimum_share: float = number(
        0.25, "no run is paused earlier: before its midpoint the prior decides, and what learns the format first is low"
    )
    minimum_evaluations: int = number(6, "no run is paused on fewer evaluations after the start")
    late_until: float = number(
        0.45, "longest delay believable before a run takes off; beyond it there is no protection"
    )
    late_gain: float = number(0.15, "a run has taken off once it gained this share of the leader's gain")
    late_factor: float = number(
        4.0,
        "a start is believed possible until so many times the compute at which the last of its rivals took off, "
        "late_until at most: where all took off early, what is flat and low is no late start; 0 asks no rival",
    )
    probe_share: float = number(
        1 / 3, "what was paused on less compute gets its next evaluations before the others get their last; 0 for none"
    )
    probe_after: float = number(0.75, "it gets them once one of the others has come so far")
    collapse_sd: float = number(0.03, "a collapsed run is forecast where its last 3 evaluations are, give or take this")
    drift_looks: int = number(4, "earlier looks whose forecasts are held against the latest one")
    drift_largest: float = number(6.0, "forecasts that drifted more than they claimed are widened, up to so much")
    discrepancy: float = number(
        0.02, "delta: sd of what no posterior knows, such as slow late gains, until half of the budget; then it shrinks"
    )
    correlation: float = number(
        0.0, "share of the discrepancy's variance that all runs have in common and that cancels; 0 is the cautious end"
    )
    keep_top: float = number(
        0.02, "a run this near to the best running one, by the last 3 evaluations, is kept; shrinks as delta does"
    )
    seeds: str = number("all", "all: every seed of a recipe goes on; staged: one of each, more for the near-best")
    seed_band: float = number(0.03, "staged seeds: a recipe forecast this near to the best gets its other seeds")
    resume_cost: float = number(0.0, "compute of one restart, as a share of one run's horizon")
    checkpoint_cost: float = number(0.0, "cost of keeping one paused run's checkpoint, as a share of one run's horizon")

    def __post_init__(self) -> None:
        check_number(self, "alpha", 0.0, 1.0, strict=True)
        for name in (
            "sure",
            "minimum_share",
            "late_until",
            "correlation",
            "late_gain",
            "probe_share",
            "probe_after",
        ):
            check_number(self, name, 0.0, 1.0)
        for name in (
            "epsilon",
            "collapse_sd",
            "discrepancy",
            "keep_top",
            "seed_band",
            "resume_cost",
            "checkpoint_cost",
        ):
            check_number(self, name, 0.0, 1.0)
        check_number(self, "drift_largest", 1.0, 100.0)
        check_number(self, "late_factor", 0.0, 100.0)
        for name, least in (("looks", 2), ("patience", 1), ("minimum_evaluations", 1), ("drift_looks", 0)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise InputError(f"policy {self.name!r}: {name} = {value!r} is not a whole number of at least {least}")
        for name, words in (("mode", ("hold", "kill")), ("seeds", ("all", "staged"))):
            if getattr(self, name) not in words:
                raise InputError(f"policy {self.name!r}: {name} = {getattr(self, name)!r} is not {' or '.join(words)}")
        if self.patience >= self.looks:
            raise InputError(
                f"policy {self.name!r}: patience = {self.patience} looks leaves none of looks = {self.looks} to act on"
            )


def check_number(policy: object, name: str, low: float, high: float, *, strict: bool = False) -> None:
    """Refuse a number of a policy outside its range.

    Raises
    ------
    InputError
        It is no number from ``low`` to ``high``, or with ``strict`` one of these.
    """
    value = getattr(policy, name)
    given = isinstance(value, int | float) and not isinstance(value, bool)
    if not given or not low <= value <= high or (strict and value in (low, high)):
        span = f"strictly between {low:g} and {high:g}" if strict else f"from {low:g} to {high:g}"
        raise InputError(f"policy {getattr(policy, 'name', '?')!r}: {name} = {value!r} is not a number {span}")


def scaled(policy: P, unit: float) -> P:
    """Return a policy whose rewards, shares of the range, are shares of the frame, ``unit`` ranges being one frame."""
    if unit == 1.0:
        return policy
    return replace(policy, **{name: getattr(policy, name) * unit for name in IN_REWARD if hasattr(policy, name)})


def stored(numbers: Mapping[str, Any]) -> Policy:
    """Return the policy of numbers that were kept, by this release or an earlier one.

    A guard that there was not yet is off, so that what was decided is decided again.
    """
    return Policy(**{**_BEFORE, **numbers})


def frame_unit(curve: Curve) -> float:
    """Return the range as a share of the frame: 1 where the bounds are stated."""
    low, high = curve.frame
    return curve.range / (high - low)


#: What stands for a number that kept policies lack: the guard is off.
_BEFORE = {"late_factor": 0.0, "probe_share": 0.0}
HOLD = Policy()
#: What is stopped cannot be taken back: late starts are believed whatever the rivals did, and nothing is probed.
KILL = Policy(name="kill", mode="kill", alpha=0.05, patience=3, sure=0.0, late_until=0.4, late_factor=0.0,
              probe_share=0.0)  # fmt: skip
