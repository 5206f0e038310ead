"""Verdicts: what one curve supports, why, and what to do next. The first rule that holds decides."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from rlscale.curves import Curve
from rlscale.inference.ahead import FLOORED, Aftermath
from rlscale.inference.forecast import Forecast
from rlscale.inference.grounds import FEWEST, GAIN_SHARE, SURE, Grounds, capped
from rlscale.inference.posterior import MIN_POINTS
from rlscale.inference.regimes import Break, BreakKind
from rlscale.inference.sickness import lasts, not_to_act
from rlscale.numerals import quantity

__all__ = ["Verdict", "VerdictName", "broken", "judge", "shown", "unfit"]

#: A run without a gain that lies as near to a bound as this share of their distance never started, or had little to
#: learn.
NEAR_SHARE = 0.1
#: Without a gain that is at least this probable, there is no evidence of one.
LIKELY = 0.5


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
    """A verdict with one sentence that says why and one that says what to do next.

    Parameters
    ----------
    name : VerdictName
    why, advice : str
    saturated : bool
        Whether a run without a gain stands near its upper bound: it had little to learn, and may be the best.
    """

    name: VerdictName
    why: str
    advice: str
    saturated: bool = False

    @property
    def reason(self) -> str:
        """Both sentences."""
        return f"{self.why} {self.advice}"

    @property
    def ranks(self) -> bool:
        """Whether a run with this verdict may rank first: where it is saturated, only by the highest forecast."""
        return self.saturated or self.name not in (VerdictName.TOO_FEW_POINTS, VerdictName.NO_LEARNING)


def unfit(curve: Curve) -> Verdict | None:
    """Return the verdict on a curve that cannot be fitted; None where it can.

    ``too_few_points`` where fewer than four distinct computes lie above 0; ``no_learning`` under open bounds where
    nothing varies in any run, so that nothing says how large a reward could be.
    """
    trained = curve.n_trained
    if trained >= MIN_POINTS:
        return _constant(curve) if curve.open is not None and curve.open.range == 0.0 else None
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


def broken(curve: Curve, found: Break, aftermath: Aftermath | None = None, mover: str = "") -> Verdict:
    """Return the verdict on a run whose curve is not one curve: ``collapsed`` or ``regime_change``.

    Parameters
    ----------
    curve : Curve
    found : Break
    aftermath : Aftermath, optional
        Where the run stands if the fit ends before the break.
    mover : str
        What moved first, as a sentence with a space before it.
    """
    unit, since = curve.unit, f"{found.since:.4g} {curve.unit}"
    before, low, now = (shown(level, curve) for level in (found.before, found.low, found.now))
    if found.kind is BreakKind.FALL:
        after = "" if aftermath is None else ", and the forecast weighs staying down against coming back"
        why = f"The reward fell from {before} around {found.until:.4g} {unit} to {now} and stayed down."
        advice = (
            "Find the cause, or go back to a checkpoint from before the fall; the fit covers the part up to the peak"
        )
        return Verdict(VerdictName.COLLAPSED, why + mover + _floored(aftermath), f"{advice}{after}.")
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
    return Verdict(VerdictName.REGIME_CHANGE, why + mover, advice)


def _floored(aftermath: Aftermath | None) -> str:
    """Say how often runs came back from the lower bound, where this one lies on it."""
    if aftermath is None or not aftermath.on_floor:
        return ""
    fell, stayed = FLOORED
    return f" It lies at its lower bound: of {fell} public runs that reached it, {stayed} stayed there."


def judge(curve: Curve, answer: Forecast, found: Grounds, tolerance: float) -> Verdict:
    """Return the verdict on the question that ``answer`` answers, for a curve that is one curve.

    Parameters
    ----------
    curve : Curve
        What was fitted.
    answer : Forecast
        The reward at the target, or the asymptote.
    found : Grounds
    tolerance : float
        Half-width of an acceptable answer, as a share of the range.
    """
    if found.p_gain < LIKELY:
        verdict = _no_learning(curve, found)
        told = lasts(found.alarm)
        return replace(verdict, why=f"{verdict.why} {told}".rstrip()) if told else verdict
    asked = "The ceiling" if np.isinf(answer.compute) else f"The reward at {_at(answer.compute)} {curve.unit}"
    interval = f"{asked} lies in {shown(answer.q10, curve)} to {shown(answer.q90, curve)} (80 %)"
    allowed = 2.0 * tolerance * curve.range
    if answer.resolved:
        return Verdict(VerdictName.RESOLVED, f"{interval}, no wider than {allowed:.3g}.", "Act on it.")
    past = f"probability {_chance(found.p_past_midpoint)}"
    wide = answer.interval.width > allowed
    doubts, steps = _doubts(curve, found, answer)
    if found.p_past_midpoint >= SURE:
        width = f"wider than {allowed:.3g}" if wide else f"no wider than {allowed:.3g}"
        also = "and" if wide else "but not to be acted on yet, and"
        return Verdict(
            VerdictName.BENDING,
            f"{doubts}{interval}, {width}, {also} the run is past its midpoint ({past}).",
            f"{steps}Use the interval, not the median; more compute narrows it." if wide else steps.strip(),
        )
    width = f"wider than {allowed:.3g}"
    if not wide:
        ahead = found.p_past_midpoint < LIKELY
        width = "narrow, but the midpoint is probably still ahead" if ahead else "narrow, but not to be acted on yet"
    return Verdict(
        VerdictName.PRE_INFLECTION,
        f"{doubts}{interval}, {width}; the midpoint is passed with {past}.",
        f"{steps}Let it run on before acting on a ceiling: refusing this early is the normal answer.",
    )


def _at(compute: float) -> str:
    """Return a compute in words: a number as it is, large ones with their suffix."""
    return f"{compute:.4g}" if compute < 1e4 else quantity(compute, digits=4)


def _chance(value: float) -> str:
    """Return a probability as text; near certainty is never rounded to certainty."""
    return "over 0.99" if value > 0.995 else "under 0.01" if value < 0.005 else f"{value:.2f}"


def _doubts(curve: Curve, found: Grounds, answer: Forecast) -> tuple[str, str]:
    """Return what speaks against an answer whatever its width, and what would settle it."""
    doubts, steps = lasts(found.alarm), "" if found.alarm is None else not_to_act(found.alarm)
    if found.p_gain < SURE:
        doubts += f"Gain not shown yet: P = {found.p_gain:.0%}. ".replace("%", " %")
        first = "" if curve.has_baseline else "an evaluation at step 0, "
        steps += f"To settle the gain: {first}more items in each evaluation, or a longer run. "
    if found.missed is not None:
        level, latest = shown(found.level, curve), shown(found.missed, curve)
        doubts += f"The fit misses the latest evaluations: it stands at {level}, they at {latest}. "
        steps += (
            "Do not act on this fit; state the bounds (--bounds LO HI), or leave what no curve fits out (--from C). "
        )
    if found.few:
        doubts += f"Only {found.n_points} evaluations: no answer is acted on before {FEWEST}. "
        steps += "Evaluate more often, or let the run go on. "
    if capped(curve, answer.q90, found.level):
        doubts += f"The interval ends at the upper bound {curve.bounds[1]:g}, which is only assumed. "
        steps += "Give --bounds LO HI, or --bounds open. "
    if found.smoothing is not None:
        smoothed = found.smoothing
        few = "" if smoothed.needed is None else f", and {smoothed.needed} evaluations are needed to see through it"
        doubts += f"The values look smoothed, {smoothed.name}{few}. "
        steps += "Log the raw values: smoothed ones hide their noise and lag behind. "
    return doubts, steps


def _no_learning(curve: Curve, found: Grounds) -> Verdict:
    """Name where a run without a gain stands between its bounds, where those are known."""
    why = f"No evidence of a gain: one of more than {GAIN_SHARE * curve.range:.3g} has a probability of "
    why += f"{found.p_gain:.0%}".replace("%", " %")
    advice = "Check the reward signal and the learning rate before spending more; there is no ceiling to forecast yet."
    if curve.open is not None:
        return Verdict(VerdictName.NO_LEARNING, f"{why}.", advice)
    low, high = curve.bounds
    assumed = " (assumed)" if curve.bounds_from == "values" else ""
    level = shown(found.level, curve)
    if found.level > high - NEAR_SHARE * curve.span:
        return Verdict(
            VerdictName.NO_LEARNING,
            f"{why}, and it stands at {level}, near its upper bound {high:g}{assumed} from the start.",
            "It is saturated, which leaves little to gain: measure something harder.",
            saturated=True,
        )
    if found.level < low + NEAR_SHARE * curve.span:
        why += f", and it stands at {level}, near its lower bound {low:g}{assumed}: it never started."
        advice = "Check that any sample is ever right: start with easier items, or mend the reward signal."
        return Verdict(VerdictName.NO_LEARNING, why, advice)
    why += f", and it stands at {level}, in between its bounds {low:g} and {high:g}{assumed}."
    return Verdict(VerdictName.NO_LEARNING, why, advice)


def _constant(curve: Curve) -> Verdict:
    """Return the verdict on a run of a command in whose runs nothing varies, under open bounds."""
    value = float(np.median(curve.reward))
    told = f"all values equal {value:g}"
    if np.any(curve.reward != value):
        told = f"all values equal {value:g} but for single ones"
    return Verdict(
        VerdictName.NO_LEARNING,
        f"No evidence of a gain: {told}.",
        "Check that the reward is logged and graded; give --bounds LO HI if it can go further.",
    )
