"""The posterior at fixed shape: with ``(C_mid, B, rho)`` given, everything else has a closed form.

``u = R0 p + G q + noise`` is linear in the baseline ``R0`` and the gain ``G = A - R0``. With a flat prior on them and
``sigma^2 ~ InvGamma``, the innovation variance integrates to an inverse gamma and ``(R0, G)`` to a normal given it;
the bounds of the metric make ``(R0, G)`` a truncated normal. ``G`` is taken first because the prior's preference for
rising curves is a step at ``G = 0``; given ``G``, ``R0`` has an interval of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from rlscale.inference.evidence import Evidence
from rlscale.inference.noise import Form
from rlscale.inference.priors import Priors

__all__ = ["Nodes", "nodes"]

Floats = NDArray[np.float64]

#: The interval of ``G`` reaches this many conditional standard deviations of ``R0`` past the point where the
#: conditional mean of ``R0`` leaves its own interval: beyond, less than 1e-9 of the mass is left.
REACH = 6.0
_RIDGE = 1e-12


@dataclass(frozen=True, eq=False)
class Nodes:
    """Conditional posteriors at many shapes; every array has one shape.

    Parameters
    ----------
    log_weight : array
        ``-a ln b - 1/2 ln det M + (1/2 + a0) ln(1 - rho^2)``: log marginal likelihood but for the mass inside the bounds.
    shape : float
        ``a``, the shape of the inverse gamma of the innovation variance.
    scale : array
        ``b``, its scale.
    gain : array
        Mean of ``G`` before truncation.
    gain_precision : array
        Its precision, in units of the inverse innovation variance.
    level : array
        ``c``: the conditional mean of ``R0`` is ``c - share * G``.
    share : array
        Slope of that line: the (whitened) mean rise.
    level_precision : array
        Conditional precision of ``R0``, in units of the inverse innovation variance.
    """

    log_weight: Floats
    shape: float
    scale: Floats
    gain: Floats
    gain_precision: Floats
    level: Floats
    share: Floats
    level_precision: Floats

    def gain_limits(self, innovation_sd: Floats) -> tuple[Floats, Floats]:
        """Interval of ``G`` outside which ``R0`` or ``A`` is out of bounds, for a given innovation sd."""
        reach = REACH * innovation_sd / np.sqrt(self.level_precision)
        share = np.clip(self.share, 1e-9, None)
        rest = np.clip(1.0 - self.share, 1e-9, None)
        above, below = self.level + reach, 1.0 - self.level + reach
        high = np.minimum(1.0, np.minimum(above / share, below / rest))
        low = np.maximum(-1.0, np.maximum(-above / rest, -below / share))
        return np.minimum(low, high - 1e-9), high

    def mass(self, innovation_sd: Floats, priors: Priors) -> Floats:
        """Prior-weighted probability of the interval of ``G``, for a given innovation sd."""
        return self.gain_mass(innovation_sd, priors)[0]

    def gain_mass(self, innovation_sd: Floats, priors: Priors) -> tuple[Floats, tuple[Floats, Floats, Floats]]:
        """Return the mass and the normal CDF at the low end, at zero (within the interval) and at the high end."""
        low, high = self.gain_limits(innovation_sd)
        sd = innovation_sd / np.sqrt(self.gain_precision)
        at_low, at_zero, at_high = (
            ndtr((edge - self.gain) / sd) for edge in (low, np.clip(0.0, low, high), high)
        )
        # a float's CDF cannot resolve an interval far in the tail; a floor keeps the logarithm finite
        mass = np.maximum(at_high - at_zero + priors.falling_weight * (at_zero - at_low), 1e-300)
        return mass, (at_low, at_zero, at_high)


def nodes(data: Evidence, forms: tuple[Form, Form, Form], rho: Floats, priors: Priors) -> Nodes:
    """Return the conditional posteriors for forms of shape (k, ...) and correlations that broadcast against them."""
    level_gain, gain_reward, gain_gain = (f.at(rho) for f in forms)
    level, cross, reward = data.level.at(rho), data.cross.at(rho), data.reward.at(rho)
    share = level_gain / level
    centre = cross / level
    precision = np.maximum(gain_gain - level_gain * share, _RIDGE)
    gain = (gain_reward - level_gain * centre) / precision
    residual = np.maximum(reward - cross * centre - precision * gain**2, 0.0)
    stationary = 1.0 - np.asarray(rho) ** 2
    shape = priors.sigma_shape + 0.5 * (data.count - 2)
    scale = priors.sigma_shape * priors.sigma_scale**2 * stationary + 0.5 * residual
    log_weight = (
        -shape * np.log(scale)
        - 0.5 * np.log(precision * level)
        + (0.5 + priors.sigma_shape) * np.log(stationary)
    )
    full = np.broadcast_to(level, log_weight.shape)
    return Nodes(log_weight, shape, scale, gain, precision, np.broadcast_to(centre, log_weight.shape), share, full)
