"""The posterior at fixed shape: with ``(C_mid, B, rho)`` given, everything else has a closed form.

``u = R0 p + G q + noise`` is linear in the baseline ``R0`` and the gain ``G = A - R0``. With a flat prior on them and
``sigma^2 ~ InvGamma``, the innovation variance integrates to an inverse gamma and ``(R0, G)`` to a normal given it;
the bounds of the metric make ``(R0, G)`` a truncated normal. ``G`` is taken first because the prior's preference for
rising curves is a step at ``G = 0``; given ``G``, ``R0`` has an interval of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from rlscale.inference.evidence import Evidence
from rlscale.inference.noise import at_correlations
from rlscale.inference.priors import Priors

__all__ = ["FLOOR", "LOST", "GainLevels", "Nodes", "nodes", "normal_to_t", "t_to_normal"]

Floats = NDArray[np.float64]

#: The interval of ``G`` reaches this many conditional standard deviations of ``R0`` past the point where the
#: conditional mean of ``R0`` leaves its own interval: beyond, less than 1e-9 of the mass is left.
REACH = 6.0
_RIDGE = 1e-12
#: Masses under this are beyond floating point; a curve that needs them is not inside its bounds.
FLOOR, LOST = 1e-300, 1e-250
_BY_NODE = ("log_weight", "scale", "gain", "gain_precision", "share")
_BY_RHO = ("level", "level_precision")


@dataclass(frozen=True, eq=False)
class Nodes:
    """Conditional posteriors at many shapes, for several correlations: arrays of shape (k, r), or (d,) once taken.

    Precisions are in units of the inverse innovation variance.

    Parameters
    ----------
    log_weight : array
        ``-a ln b - 1/2 ln det M + (1/2 + a0) ln(1 - rho^2)``: the log marginal likelihood but for the mass inside the
        bounds.
    shape : float
        ``a``, the shape of the inverse gamma of the innovation variance.
    scale : array
        ``b``, its scale.
    gain, gain_precision : array
        Mean and precision of ``G`` before truncation.
    share : array
        The conditional mean of ``R0`` is ``level - share * G``: the (whitened) mean rise.
    level, level_precision : array, shape (r,) or (d,)
        The mean of the curve, and the conditional precision of ``R0``; they do not depend on the shape.
    """

    log_weight: Floats
    shape: float
    scale: Floats
    gain: Floats
    gain_precision: Floats
    share: Floats
    level: Floats
    level_precision: Floats

    def take(self, index: NDArray[np.intp]) -> Nodes:
        """Return the nodes at flat indices, shape (d,)."""
        each = {name: getattr(self, name).ravel()[index] for name in _BY_NODE}
        which = index % self.level.size
        return Nodes(shape=self.shape, level=self.level[which], level_precision=self.level_precision[which], **each)

    @staticmethod
    def joined(parts: Sequence[Nodes]) -> Nodes:
        """Return nodes of one curve, each already taken, one after the other."""
        each = {name: np.concatenate([getattr(part, name) for part in parts]) for name in (*_BY_NODE, *_BY_RHO)}
        return Nodes(shape=parts[0].shape, **each)

    def gain_limits(self) -> tuple[Floats, Floats]:
        """Interval of ``G`` outside which ``R0`` or ``A`` is out of bounds, but for a negligible mass."""
        share = np.maximum(self.share, 1e-9)
        rest = np.maximum(1.0 - self.share, 1e-9)
        headroom = 1.0 - self.level
        high = np.minimum(1.0, np.minimum(self.level / share, headroom / rest))
        low = np.maximum(-1.0, -np.minimum(self.level / rest, headroom / share))
        # the innovation sd that goes with the allowed gain nearest to the unbounded optimum
        away = np.maximum(self.gain - np.maximum(high, low), np.minimum(low, high) - self.gain)
        away = np.maximum(away, 0.0)
        sd = np.sqrt((self.scale + 0.5 * self.gain_precision * away * away) / (self.shape * self.level_precision))
        slack = REACH * sd / np.minimum(share, rest)
        high = np.maximum(np.minimum(high + slack, 1.0), -1.0 + 1e-9)
        return np.maximum(np.minimum(low - slack, high - 1e-9), -1.0), high

    def gain_mass(self, priors: Priors) -> tuple[Floats, GainLevels]:
        """Return the prior-weighted mass of the interval of ``G``, and its levels for drawing from it.

        The marginal of ``G`` is Student's t with ``2 a`` degrees of freedom, by way of :func:`t_to_normal`.
        """
        low, high = self.gain_limits()
        scale = np.sqrt(self.scale / (self.shape * self.gain_precision))
        edges = np.array([low, np.minimum(np.maximum(low, 0.0), high), high])
        z = t_to_normal((edges - self.gain) / scale, 2.0 * self.shape)
        # far in the upper tail a CDF cannot resolve an interval: count such levels down from above instead
        flip = np.where(z[0] > 0.0, -1.0, 1.0)
        at_low, at_zero, at_high = ndtr(flip * z)
        mass = np.maximum(flip * (at_high - at_zero + priors.falling_weight * (at_zero - at_low)), FLOOR)
        return mass, GainLevels(low, high, at_low, at_zero, at_high, scale, flip)


@dataclass(frozen=True, eq=False)
class GainLevels:
    """The interval of ``G``, the CDF before truncation at its ends and at zero, the t scale; arrays of one shape.

    Where ``flip`` is -1 the levels are of the upper tail, ``P(G > edge)``, and fall from low to high.
    """

    low: Floats
    high: Floats
    at_low: Floats
    at_zero: Floats
    at_high: Floats
    scale: Floats
    flip: Floats

    def take(self, index: NDArray[np.intp]) -> GainLevels:
        """Return the levels at flat indices, shape (d,)."""
        return GainLevels(*(getattr(self, field.name).ravel()[index] for field in fields(self)))

    @staticmethod
    def joined(parts: Sequence[GainLevels]) -> GainLevels:
        """Return levels of shape (d,) one after the other."""
        names = [field.name for field in fields(GainLevels)]
        return GainLevels(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def t_to_normal(t: Floats, freedom: float) -> Floats:
    """Return ``z`` with ``Phi(z)`` the CDF of Student's t at ``t``, to about 1e-4 from 5 degrees of freedom on.

    ``z = sign(t) (8 v + 1)/(8 v + 3) sqrt(v ln(1 + t^2/v))`` (D. L. Wallace, Ann. Math. Stat. 30, 1959).
    """
    factor = (8.0 * freedom + 1.0) / (8.0 * freedom + 3.0)
    z = t * t
    z /= freedom
    np.log1p(z, out=z)
    z *= freedom * factor * factor
    np.sqrt(z, out=z)
    return np.copysign(z, t, out=z)


def normal_to_t(z: Floats, freedom: float) -> Floats:
    """Return the inverse of :func:`t_to_normal`."""
    factor = (8.0 * freedom + 1.0) / (8.0 * freedom + 3.0)
    t = z / factor
    t *= t
    t /= freedom
    np.expm1(t, out=t)
    t *= freedom
    np.sqrt(t, out=t)
    return np.copysign(t, z, out=t)


def nodes(data: Evidence, rises: Floats, rho: Floats, priors: Priors) -> Nodes:
    """Return the conditional posteriors for rises of shape (k, n) and correlations of shape (r,): arrays (k, r)."""
    turn = at_correlations(rho)
    level, cross, reward = data.fixed @ turn
    level_gain, gain_reward, gain_gain = data.sums(rises) @ turn
    share = level_gain / level
    centre = cross / level
    precision = np.maximum(gain_gain - level_gain * share, _RIDGE)
    gain = (gain_reward - level_gain * centre) / precision
    residual = np.maximum(reward - cross * centre - precision * gain * gain, 0.0)
    stationary = 1.0 - rho * rho
    shape = priors.sigma_shape + 0.5 * (data.count - 2)
    scale = priors.sigma_shape * priors.sigma_scale**2 * stationary + 0.5 * residual
    constant = (0.5 + priors.sigma_shape) * np.log(stationary) - 0.5 * np.log(level)
    log_weight = constant - shape * np.log(scale) - 0.5 * np.log(precision)
    return Nodes(log_weight, shape, scale, gain, precision, share, centre, level)
