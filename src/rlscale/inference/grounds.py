"""What an answer rests on before it may be ``resolved``: a gain, a midpoint passed, enough evaluations, raw ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import Curve
from rlscale.curves.bounds import jitter
from rlscale.health import Alarm
from rlscale.inference.posterior import Posterior
from rlscale.inference.smoothed import Smoothing

__all__ = ["FEWEST", "GAIN_SHARE", "SURE", "Grounds", "capped", "grounds", "p_past_midpoint"]

Floats = NDArray[np.float64]

#: A gain smaller than this share of the range is no learning.
GAIN_SHARE = 0.02
#: An interval of fewer evaluations is not acted on, however narrow (``benchmarks/few.py``).
FEWEST = 8
#: An answer ends on a bound within this share of the range; a run is far from it by more than this one.
ON_BOUND, FAR_SHARE = 0.01, 0.15
#: A fit further from the mean of the latest evaluations than this share of the range and than so many of their jitters
#: has missed them: no answer that rests on it is acted on. The latest are the last 3.
MISS_SHARE, MISS_JITTERS, LATEST = 0.15, 8.0, 3
#: A claim holds from this probability on.
SURE = 0.9


@dataclass(frozen=True, kw_only=True)
class Grounds:
    """What one curve shows, whatever the question.

    Parameters
    ----------
    p_gain : float
        Probability of a gain so far of more than :data:`GAIN_SHARE` of the range, ``P(R(C_last) - R0 > .02 range)``.
    p_past_midpoint : float
        Probability that ``C_mid < C_last``.
    level : float
        Mean of the noise-free reward at the last compute.
    smoothing : Smoothing, optional
        How the values look smoothed, where they are too few for that: under three windows.
    n_points : int
        Evaluations fitted.
    missed : float, optional
        Mean of the latest evaluations fitted, where the fit lies far from it; None where it does not.
    alarm : Alarm, optional
        The first at ``stop`` that lasts to the end of the run: no answer is acted on under it.
    """

    p_gain: float
    p_past_midpoint: float
    level: float
    smoothing: Smoothing | None
    n_points: int
    missed: float | None = None
    alarm: Alarm | None = None

    @property
    def few(self) -> bool:
        """Whether there are too few evaluations to act on an answer."""
        return self.n_points < FEWEST

    @property
    def allow_resolved(self) -> bool:
        """Whether an answer that is narrow enough may be acted on."""
        shown = self.p_past_midpoint >= 0.5 and self.p_gain >= SURE
        return shown and self.smoothing is None and not self.few and self.missed is None and self.alarm is None


def capped(curve: Curve, high: float, level: float) -> bool:
    """Whether only a bound that nobody stated ends an interval: the run is far from it, and its upper end lies on it.

    Parameters
    ----------
    curve : Curve
    high : float
        The 90 % quantile of the answer, in reward.
    level : float
        Mean of the noise-free reward at the last compute.
    """
    bound = curve.bounds[1]
    assumed = curve.bounds_from == "values"
    return assumed and high > bound - ON_BOUND * curve.range and level < bound - FAR_SHARE * curve.range


def grounds(
    posterior: Posterior, now: Floats, smoothed: Smoothing | None = None, alarm: Alarm | None = None
) -> Grounds:
    """Return what a curve shows.

    Parameters
    ----------
    posterior : Posterior
    now : array, shape (d,)
        Draws of the noise-free reward at the last compute.
    smoothed : Smoothing, optional
        How the values look smoothed, as :func:`~rlscale.inference.smoothed.smoothing` of the whole log says.
    alarm : Alarm, optional
        As in :class:`Grounds`.
    """
    curve = posterior.curve
    gained = now - posterior.baseline
    level, latest = float(posterior.mean(now)), float(curve.reward[-LATEST:].mean())
    far = abs(latest - level) > max(MISS_SHARE * curve.range, MISS_JITTERS * jitter(curve.reward))
    return Grounds(
        p_gain=posterior.probability(gained > GAIN_SHARE * curve.range),
        p_past_midpoint=p_past_midpoint(posterior),
        level=level,
        smoothing=smoothed if smoothed is not None and smoothed.hides(curve.n_points) else None,
        n_points=curve.n_points,
        missed=latest if far else None,
        alarm=alarm,
    )


def p_past_midpoint(posterior: Posterior) -> float:
    """Probability that the run has passed its midpoint, ``C_mid < C_last``."""
    return posterior.probability(posterior.draws.m_within < 0.0)
