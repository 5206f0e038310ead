"""Mixtures of t distributions: what an effect can be, over shapes of the curve and an uncertain run-to-run sd."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr

from rlscale.inference.forecast import Interval

__all__ = ["Mixture"]

Floats = NDArray[np.float64]

#: Steps of the bisection of a quantile, and how far from the means it looks, in sd.
_STEPS, _REACH = 60, 400.0


@dataclass(frozen=True, eq=False)
class Mixture:
    """A weighted sum of t distributions; arrays of shape (m,).

    Parameters
    ----------
    weight : array
        Summing to 1.
    mean, sd : array
        In the unit of the effect.
    freedom : array
        Degrees of freedom; ``inf`` for a normal distribution.
    """

    weight: Floats
    mean: Floats
    sd: Floats
    freedom: Floats

    def cdf(self, at: ArrayLike) -> Floats:
        """Probability below ``at``, any shape to the same shape."""
        at = np.asarray(at, dtype=np.float64)
        z = (at[..., None] - self.mean) / np.maximum(self.sd, 1e-300)
        # scipy's stdtr of infinite freedom is nan; a million is normal to 1e-6
        return np.asarray(stdtr(np.minimum(self.freedom, 1e6), z) @ self.weight)

    @property
    def p_positive(self) -> float:
        """Probability above 0."""
        return float(np.clip(1.0 - self.cdf(0.0), 0.0, 1.0))

    @property
    def p_value(self) -> float:
        """Two-sided: twice the probability of the less likely sign."""
        below = float(self.cdf(0.0))
        return min(2.0 * min(below, 1.0 - below), 1.0)

    @property
    def centre(self) -> float:
        """The mean of the means."""
        return float(self.weight @ self.mean)

    def quantile(self, level: float) -> float:
        """Return a quantile, by bisection."""
        low = float(np.min(self.mean - _REACH * self.sd))
        high = float(np.max(self.mean + _REACH * self.sd))
        for _ in range(_STEPS):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if float(self.cdf(middle)) < level else (low, middle)
        return 0.5 * (low + high)

    @property
    def interval(self) -> Interval:
        """The 80 % interval and the median."""
        return Interval(self.quantile(0.1), self.quantile(0.5), self.quantile(0.9))
