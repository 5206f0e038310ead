"""The priors, written down once, with their reasons. All are free of the run's scale.

Rewards are on a unit range here: 0 is the lower bound of the metric, 1 the upper.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import OpenBounds

__all__ = ["LEARNED", "PRIORS", "AheadPrior", "OpenCeiling", "Priors", "WalkPrior", "priors_for"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class WalkPrior:
    """What is believed of the model error, a random walk in log compute (see ``walk``).

    Its sd over one unit of log time is ``multiple * (floor + by_gain * gain so far + by_jitter * jitter)``, a share of
    the range: a law misses more of a large rise than of a small one, and noisy runs wander more.

    Parameters
    ----------
    correlations : tuple of float
        Correlations of neighbouring evaluations, equally likely.
    amplitudes, weights : tuple of float
        The multiples, 0 for no model error, and their probabilities.
    floor, by_gain, by_jitter : float
    least_jitter : float
        The noise that the amplitude is a multiple of is taken for at least this share of the range.
    """

    correlations: tuple[float, ...] = (0.0, 0.4, 0.75)
    amplitudes: tuple[float, ...] = (0.0, 1.0, 2.0, 4.0)
    weights: tuple[float, ...] = (0.3, 0.3, 0.25, 0.15)
    floor: float = 0.005
    by_gain: float = 0.02
    by_jitter: float = 0.6
    least_jitter: float = 0.004


@dataclass(frozen=True, kw_only=True)
class AheadPrior:
    """What may happen other than that a curve goes on as it has (see ``ahead``).

    Parameters
    ----------
    stay : float
        Largest probability of persistence.
    climbing : float
        Standard errors of recent rise at which that has halved.
    stay_sd, stay_least : float
        Sd of a reward that stays, in jitters; the jitter is taken for at least this share of the range.
    further : float
        Probability that a run falls further after a break, by a share ``v^2`` of what is left to the lower bound, ``v``
        uniform.
    back, back_from_floor : (float, float)
        Else: Beta parameters of the share of the way that it comes back, and from the lower bound.
    """

    stay: float = 0.15
    climbing: float = 3.0
    stay_sd: float = 1.5
    stay_least: float = 0.01
    further: float = 0.3
    back: tuple[float, float] = (0.2, 0.2)
    back_from_floor: tuple[float, float] = (0.2, 1.5)


@dataclass(frozen=True, kw_only=True)
class Priors:
    """What is believed before a curve is seen (the family adds its own prior of ``B``).

    Parameters
    ----------
    log_c_mid_sd : float
        ``ln C_mid ~ N(ln C_last, sd)``: nobody stops a run orders of magnitude away from its midpoint. The largest
        single gain in accuracy measured.
    log_c_mid_limits : (float, float)
        The cut of that prior, in e-folds from the last compute.
    falling_weight : float
        ``(R0, A)`` is uniform inside the bounds, with this relative density where ``A < R0``: rewards rarely fall.
    sigma_shape, sigma_scale : float
        ``sigma^2 ~ InvGamma(shape, shape * scale^2)``, the marginal variance of the evaluation noise; the scale is a
        share of the curve's ``error_range``.
    walk : WalkPrior
    ahead : AheadPrior
    """

    log_c_mid_sd: float = 1.5
    log_c_mid_limits: tuple[float, float] = (-5.0, 4.0)
    falling_weight: float = 0.05
    sigma_shape: float = 1.0
    sigma_scale: float = 0.015
    walk: WalkPrior = WalkPrior()
    ahead: AheadPrior = AheadPrior()


PRIORS = Priors()
#: Where the model error is learned: what a law misses is no noise then, and a fall no part of the law.
LEARNED = Priors(sigma_scale=0.012, falling_weight=0.02)


def priors_for(model_error: float | None) -> Priors:
    """Return the priors that go with a model error that is given, or learned: None."""
    return LEARNED if model_error is None else PRIORS


@dataclass(frozen=True, kw_only=True)
class OpenCeiling:
    """The prior of the ceiling where nobody states the bounds: flat up to the highest level seen, then half-Cauchy.

    ``p(A) = c / (1 + ((A - knee)+ / scale)^2)`` on [0, 1], which stands for ``[m - s, M + 10 s]`` of
    :class:`rlscale.curves.OpenBounds`: a ceiling a few times the rise so far is likely, one ten times it is not.

    Parameters
    ----------
    knee : float
        ``M`` on that scale.
    scale : float
        ``s`` on that scale.
    """

    knee: float
    scale: float

    @classmethod
    def of(cls, bounds: OpenBounds) -> OpenCeiling:
        """Return the prior of open bounds, on the scale of the engine."""
        low, high = bounds.limits
        return cls(knee=(bounds.highest - low) / (high - low), scale=bounds.scale / (high - low))

    @property
    def _above(self) -> float:
        """Mass above the knee, before it is normed."""
        return self.scale * float(np.arctan((1.0 - self.knee) / self.scale))

    @property
    def norm(self) -> float:
        """Integral over [0, 1] of the density before it is normed."""
        return self._above + self.knee

    @property
    def rising(self) -> float:
        """Probability of ``A > R0`` for ``R0`` uniform from 0 up to the knee."""
        return (self._above + 0.5 * self.knee) / self.norm

    def log_density(self, ceiling: Floats) -> Floats:
        """Log density at ``ceiling``, any shape; that of closed bounds is 0."""
        found: Floats = np.maximum(ceiling - self.knee, 0.0)
        found /= self.scale
        found *= found
        np.log1p(found, out=found)
        np.negative(found, out=found)
        found -= np.log(self.norm)
        return found
