"""The priors, written down once, with their reasons. All are free of the run's scale.

Rewards are on a unit range here: 0 is the lower bound of the metric, 1 the upper.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import OpenBounds

__all__ = ["PRIORS", "OpenCeiling", "Priors"]

Floats = NDArray[np.float64]


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
    """

    log_c_mid_sd: float = 1.5
    log_c_mid_limits: tuple[float, float] = (-5.0, 4.0)
    falling_weight: float = 0.05
    sigma_shape: float = 1.0
    sigma_scale: float = 0.015


PRIORS = Priors()


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
    def rising(self) -> float:
        """Probability of ``A > R0`` for ``R0`` uniform from 0 up to the knee."""
        return (self._above + 0.5 * self.knee) / (self._above + self.knee)

    def log_density(self, ceiling: Floats) -> Floats:
        """Log density at ``ceiling``, any shape; that of closed bounds is 0."""
        found: Floats = np.maximum(ceiling - self.knee, 0.0)
        found /= self.scale
        found *= found
        np.log1p(found, out=found)
        np.negative(found, out=found)
        found -= np.log(self._above + self.knee)
        return found
