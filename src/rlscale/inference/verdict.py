"""Verdicts: what one curve supports, why, and what to do next. The first rule that holds decides."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import Curve
from rlscale.inference.forecast import Forecast, p_past_midpoint
from rlscale.inference.posterior import MIN_POINTS, Posterior
from rlscale.inference.regimes import Break, BreakKind

__all__ = ["Verdict", "VerdictName", "broken", "judge", "too_few"]

Floats = NDArray[np.float64]

#: A gain smaller than this share of the range is no learning.
GAIN_SHARE = 0.02
#: A run that did not learn and lies as near to the upper bound as this share of the range had little to learn.
NEAR_SHARE = 0.1
SURE = 0.9


class VerdictName(StrEnum):
    """The verdicts, from the least to the most that a curve supports."""

    TOO_FEW_POINTS = "too_few_points"
    NO_LEARNING = "no_learning"
    COLLAPSED = "collapsed"
    REGIME_CHANGE = "regime_change"
    PRE_INFLECTION = "pre_inflection"
    BENDING = "bending"
    RESOLVED = "resolved"


@dataclass(frozen=True)
class Verdict:
    """A verdict with one sentence that says why and one that says what to do next."""

    name: VerdictName
    why: str
    advice: str

    @property
    def reason(self) -> str:
        """Both sentences."""
        return f"{self.why} {self.advice}"

    @property
    def ranks(self) -> bool:
        """Whether a run with this verdict may rank first."""
        return self.name not in (VerdictName.TOO_FEW_POINTS, VerdictName.NO_LEARNING)


def too_few(curve: Curve) -> Verdict | None:
    """Return the verdict ``too_few_points`` where fewer than four distinct computes lie above 0."""
    trained = curve.n_trained
    if trained >= MIN_POINTS:
        return None
    count = {0: "No evaluation", 1: "Only 1 evaluation"}.get(trained, f"Only {trained} evaluations")
    return Verdict(
        VerdictName.TOO_FEW_POINTS,
        f"{count} after the start; a fit needs {MIN_POINTS}.",
        "Evaluate more often, or let the run go on.",
    )


def shown(reward: float, curve: Curve) -> str:
    """Write a reward to a thousandth of the metric's range."""
    digits = int(np.clip(3 - np.floor(np.log10(curve.range)), 0, 15))
    return f"{reward:.{digits}f}"


def broken(curve: Curve, found: Break) -> Verdict:
    """Return the verdict on a run whose curve is not one curve: ``collapsed`` or ``regime_change``."""
    unit, since = curve.unit, f"{found.since:.4g} {curve.unit}"
    before, low, now = (shown(level, curve) for level in (found.before, found.low, found.now))
    if found.kind is BreakKind.FALL:
        return Verdict(
            VerdictName.COLLAPSED,
            f"The reward fell from {before} around {found.until:.4g} {unit} to {now} and stayed down.",
            "Find the cause, or go back to a checkpoint from before the fall; the fit covers the part up to the peak.",
        )
    if found.kind is BreakKind.RECOVERY:
        why = (
            f"The reward fell from {before} around {found.until:.4g} {unit} to {low} and has come "
            f"back to {now} since {since}."
        )
        advice = "Find the cause; a forecast of what came before the fall no longer holds."
    elif found.kind is BreakKind.JUMP:
        why = f"The reward jumped up at {since}, from {before} to {low}: no smooth curve does that."
        advice = "Find out what changed there (data, reward or evaluation) before comparing across it."
    else:
        sizes = "" if found.sizes is None else f" (n_eval {found.sizes[0]:g}, then {found.sizes[1]:g})"
        why = f"The level moved from {before} to {low} at {since}, where the evaluation set changed{sizes}."
        advice = "Compare rewards of one set only; evaluate an earlier checkpoint on the new set to join the two."
    return Verdict(VerdictName.REGIME_CHANGE, why, advice)


def judge(posterior: Posterior, answer: Forecast, tolerance: float, *, now: Floats | None = None) -> Verdict:
    """Return the verdict on the question that ``answer`` answers, for a curve that is one curve.

    Parameters
    ----------
    posterior : Posterior
    answer : Forecast
        The reward at the target, or the asymptote.
    tolerance : float
        Half-width of an acceptable answer, as a share of the range.
    now : array, shape (d,), optional
        Draws of the noise-free reward at the last compute, where they are known.
    """
    curve = posterior.curve
    unit = curve.unit
    gained = (posterior.reward([curve.compute_last])[:, 0] if now is None else now) - posterior.baseline
    p_gain = posterior.probability(gained > GAIN_SHARE * curve.range)
    if p_gain < SURE:
        advice = (
            "Check the reward signal and the learning rate before spending more; there is no ceiling to forecast yet."
        )
        if posterior.mean(gained + posterior.baseline) > curve.bounds[1] - NEAR_SHARE * curve.range:
            advice = (
                "It was near its upper bound from the start, which leaves little to gain: measure something harder."
            )
        return Verdict(
            VerdictName.NO_LEARNING,
            f"A gain of more than {GAIN_SHARE * curve.range:.3g} so far has probability {p_gain:.2f}, under {SURE}.",
            advice,
        )
    width, past = answer.interval.width, p_past_midpoint(posterior)
    asked = "The ceiling" if np.isinf(answer.compute) else f"The reward at {answer.compute:.4g} {unit}"
    span = f"{asked} lies in {shown(answer.q10, curve)} to {shown(answer.q90, curve)} (80 %)"
    allowed = 2.0 * tolerance * curve.range
    if answer.resolved:
        return Verdict(VerdictName.RESOLVED, f"{span}, no wider than {allowed:.3g}.", "Act on it.")
    if past >= SURE:
        return Verdict(
            VerdictName.BENDING,
            f"{span}, wider than {allowed:.3g}, and the run is past its midpoint (probability {past:.2f}).",
            "Use the interval, not the median; more compute narrows it.",
        )
    blocker = f"wider than {allowed:.3g}" if width > allowed else "narrow, but the midpoint is probably still ahead"
    return Verdict(
        VerdictName.PRE_INFLECTION,
        f"{span}, {blocker}; the midpoint is passed with probability {past:.2f}.",
        "Let it run on before acting on a ceiling: refusing this early is the normal answer.",
    )
