"""Verdicts and sentences on the law across sizes, in the words of those on a curve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rlscale.decisions.sizes.answer import FORM_WORDS, Belief, FormName, PredictionKind
from rlscale.decisions.sizes.grouping import SizedRuns
from rlscale.decisions.sizes.written import written
from rlscale.inference import Interval, Verdict, VerdictName
from rlscale.inference.grounds import GAIN_SHARE, SURE
from rlscale.inference.size_law import SizePosterior, SShaped, summary

__all__ = ["Basis", "Limits", "compute_means", "on_law", "on_prediction", "p_gain", "p_past_N0"]

#: The law is resolved where the 80 % interval of ``K_max`` is no wider than this share of its median.
WIDEST = 0.25
#: Fewest sizes that could contradict a law with two constants.
FEWEST_SIZES = 3
#: A size further away than this many steps is not acted on: the sub-model was measured up to there.
FARTHEST = 3.0
#: Nor is a reward at more than so many times the last compute seen: the first quarter of runs is what was measured.
AHEAD = 4.1

_DEARER = "one {} of a larger model costs more, about in proportion to its parameters;"
_MEANS = {
    "flops": "FLOPs of training: one FLOP is one FLOP at every size, so sizes compare at equal compute",
    "gpu-hours": "GPU-hours: sizes compare at equal cost where all ran on the same hardware",
    "dollars": "money: sizes compare at equal cost",
    "tokens": f"tokens: {_DEARER.format('token')} equal tokens are not equal compute",
    "samples": f"samples: {_DEARER.format('sample')} equal samples are equal data, not equal compute",
    "steps": f"steps: {_DEARER.format('step')} equal steps are not equal compute",
}


def compute_means(unit: str) -> str:
    """Say what one unit of compute is, across sizes."""
    return _MEANS[unit]


def p_past_N0(posterior: SizePosterior) -> float:
    """Probability that the largest size lies above ``N0``."""
    return float(np.mean(posterior.model_params[-1] > posterior.N0))


def p_gain(sized: SizedRuns, posterior: SizePosterior, size: float) -> float:
    """Probability that a size gained more than .02 of the range from its first evaluation to its last."""
    curves = [sized.runs[place].curve for place in sized.of(size)]
    first = min(float(curve.compute[curve.compute > 0.0][0]) for curve in curves)
    rewards = posterior.size_reward(size, [first, max(curve.compute_last for curve in curves)])
    return float(np.mean(rewards[:, 1] - rewards[:, 0] > GAIN_SHARE * curves[0].range))


def on_law(sized: SizedRuns, posterior: SizePosterior, doubt: str = "") -> Verdict:
    """Return the verdict on the law: whether its exponent has been seen to saturate; ``doubt`` speaks against it."""
    sizes, largest = len(sized.model_params), written(sized.model_params[-1])
    gains = [p_gain(sized, posterior, size) for size in sized.model_params]
    if max(gains) < 0.5:
        return Verdict(
            VerdictName.NO_LEARNING,
            f"No size shows a gain of more than .02 of the range (P at most {max(gains):.2f}).",
            "There is no exponent to predict from; find out why nothing is learned.",
        )
    if sizes < FEWEST_SIZES:
        return Verdict(
            VerdictName.TOO_FEW_POINTS,
            f"{sizes} sizes go through any law with two constants: nothing could have contradicted it.",
            "Train a third size, further away, before acting on K_max or N0.",
        )
    if doubt:
        return Verdict(
            VerdictName.PRE_INFLECTION,
            f"The law does not describe these runs: {doubt}.",
            "Do not act on K_max or N0: they are of a form that these runs do not follow.",
        )
    past, constant = p_past_N0(posterior), summary(posterior.K_max)
    chance = f"{past:.2f}" if past < 0.995 else "over 0.99"
    where = f"K_max lies in {constant.q10:.3g} to {constant.q90:.3g} (80 %)"
    if past < SURE:
        return Verdict(
            VerdictName.PRE_INFLECTION,
            f"The exponent still rises with size: {largest} is past N0 with probability {chance}; {where}.",
            "Predict the next size, not K_max; a larger size settles where it saturates.",
        )
    if constant.width <= WIDEST * constant.q50:
        return Verdict(
            VerdictName.RESOLVED,
            f"{where}, and {largest} is past N0 (probability {chance}).",
            "Act on the exponents; rewards of sizes without data have verdicts of their own.",
        )
    return Verdict(
        VerdictName.BENDING,
        f"{largest} is past N0 (probability {chance}); {where}.",
        "Use the interval, not the median; more sizes or runs narrow it.",
    )


@dataclass(frozen=True)
class Limits:
    """What a prediction may be acted on by.

    Parameters
    ----------
    tolerance : float
        Half-width of an acceptable answer, as a share of the range.
    believe : Belief, optional
        Which form did best on held-out data.
    """

    tolerance: float
    believe: Belief | None


@dataclass(frozen=True, eq=False)
class Basis:
    """What predictions of one kind rest on: the runs shown, and the posterior of the law for them.

    ``shaped`` is the S-shaped form for them, where it is believed; ``misses`` whether the law excludes their ends.
    """

    kind: PredictionKind
    sized: SizedRuns
    posterior: SizePosterior
    limits: Limits
    shaped: SShaped | None = None
    misses: bool = False

    @property
    def form(self) -> FormName:
        """The form to believe for this kind."""
        believe = self.limits.believe
        if believe is None:
            return FormName.POWER
        return believe.unseen if self.kind is PredictionKind.UNSEEN else believe.form


def on_prediction(basis: Basis, reward: Interval, compute: float, away: float) -> Verdict:
    """Return the verdict on a reward predicted at a compute, ``away`` steps of size from those shown.

    Resolved where it is narrow, near enough in size and compute, and the power law was not beaten on held-out data. Of
    a size without data never: its intercept is a trend over sizes that was chosen on four published fits, and the
    interval of the reward of their largest size held 36 % of the time (``benchmarks/sizes.py``).
    """
    sized, unseen = basis.sized, basis.kind is PredictionKind.UNSEEN
    law = on_law(sized, basis.posterior)
    allowed = 2.0 * basis.limits.tolerance * sized.runs[0].curve.range
    around = f"The reward lies in {reward.q10:.3f} to {reward.q90:.3f} (80 %)"
    if law.name in (VerdictName.NO_LEARNING, VerdictName.TOO_FEW_POINTS) and unseen:
        return Verdict(law.name, f"{around}, but: {law.why}", law.advice)
    doubts = [f"wider than {allowed:.3g}"] if reward.width > allowed else []
    if unseen:
        doubts.append("its intercept E(N) is only the trend of the other sizes")
    if away > FARTHEST:
        doubts.append(f"{away:.1f} steps of size from those seen")
    unbounded = ", and a power law has no ceiling" if basis.shaped is None else ""
    ahead = compute / max(curve.compute_last for curve in sized.curves)
    if ahead > AHEAD:
        doubts.append(f"at {ahead:.3g} times the last compute seen{unbounded}")
    if basis.shaped is not None:
        doubts.append("by S-shaped curves, which did better than the power law on held-out data")
    elif basis.form is not FormName.POWER:
        doubts.append(f"by the power law, where {FORM_WORDS[basis.form]} did better on held-out data")
    elif basis.misses:
        doubts.append("by the power law, which misses the last evaluations that it was shown")
    if not doubts:
        return Verdict(VerdictName.RESOLVED, f"{around}, no wider than {allowed:.3g}.", "Act on it.")
    start = "Train that size a little, its first part gives E(N)" if unseen else "Let it run on"
    sound = basis.form is FormName.POWER and not basis.misses
    name = VerdictName.BENDING if sound and p_past_N0(basis.posterior) >= SURE else VerdictName.PRE_INFLECTION
    return Verdict(name, f"{around}: {'; '.join(doubts)}.", f"{start}, or use the interval, not the median.")
