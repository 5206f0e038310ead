"""The posterior at fixed shape: with ``(C_mid, B, rho)`` given, everything else has a closed form.

``u = R0 p + G q + noise`` is linear in the baseline ``R0`` and the gain ``G = A - R0``. With a flat prior on them and
``sigma^2 ~ InvGamma``, the innovation variance integrates to an inverse gamma and ``(R0, G)`` to a normal given it;
the bounds of the metric make ``(R0, G)`` a truncated normal. ``G`` is taken first because the prior's preference for
rising curves is a step at ``G = 0``; given ``G``, ``R0`` has an interval of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from rlscale.inference.noise import at_correlations
from rlscale.inference.priors import Priors
from rlscale.inference.products import Curves, Sums

__all__ = [
    "FALLS",
    "FLOOR",
    "LOST",
    "REACH",
    "RIDGE",
    "Conditionals",
    "GainLevels",
    "Nodes",
    "joined",
    "nodes",
    "normal_to_t",
    "t_to_normal",
]

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

#: Beyond this many standard deviations less than 1e-9 of the mass is left. The interval of ``G`` reaches as many
#: conditional ones of ``R0`` past the point where the conditional mean of ``R0`` leaves its own interval.
REACH = 6.0
#: The least precision of a gain: of a shape that does not rise at all.
RIDGE = 1e-12
#: A gain under this is a fall: that of a shape without any rise is 0 but for underflow.
FALLS = -1e-100
#: Masses under this are beyond floating point; a curve that needs them is not inside its bounds.
FLOOR, LOST = 1e-300, 1e-250


_NONE = np.empty(0)
_NO_DRIFT = dict.fromkeys(("drift", "drift_level", "drift_reward", "drift_variance"), _NONE)


@dataclass(frozen=True, eq=False)
class _Arrays:
    """Arrays of one shape, (d,)."""

    def take(self, index: Indices) -> Self:
        """Return the entries at ``index``."""
        arrays = (getattr(self, field.name) for field in fields(self))
        return type(self)(*(array.take(index) if array.size else array for array in arrays))  # no walk: empty


_A = TypeVar("_A", bound=_Arrays)


def joined(parts: Sequence[_A]) -> _A:
    """Return arrays one after the other."""
    names = [field.name for field in fields(parts[0])]
    return type(parts[0])(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


@dataclass(frozen=True, eq=False)
class Nodes:
    """The conditional posteriors of ``j`` curves at ``k`` shapes and ``r`` correlations: arrays of shape (r, j, k).

    Precisions are in units of the inverse innovation variance.

    Parameters
    ----------
    constant : array, shape (r, j, 1)
        The part of the log marginal likelihood that does not depend on the shape.
    shape : array, shape (j, 1)
        ``a``, the shape of the inverse gamma of the innovation variance.
    scale : array
        ``b``, its scale.
    gain, gain_precision : array
        Mean and precision of ``G`` before truncation.
    share : array
        The conditional mean of ``R0`` is ``level - share * G``: the (whitened) mean rise.
    level, level_precision : array, shape (r, j, 1)
        The mean of the curve, and the conditional precision of ``R0``; they do not depend on the shape.
    drift : array
        The walk expected at the last evaluation for a unit of gain; empty without a walk.
    drift_fixed : array, shape (3, r, j, 1)
        The same for ``R0`` and for the rewards, and its variance.
    """

    constant: Floats
    shape: Floats
    scale: Floats
    gain: Floats
    gain_precision: Floats
    share: Floats
    level: Floats
    level_precision: Floats
    drift: Floats
    drift_fixed: Floats

    @property
    def log_weight(self) -> Floats:
        """``-a ln b - 1/2 ln det M + (1/2 + a0) ln(1 - rho^2)``: the log marginal likelihood without bounds."""
        return self._log_weight(self.scale, self.gain_precision)

    def _log_weight(self, scale: Floats, precision: Floats) -> Floats:
        found: Floats = np.log(scale)
        found *= -self.shape
        found += self.constant
        found -= 0.5 * np.log(precision)
        return found

    def rough(self, priors: Priors) -> Floats:
        """Return :attr:`log_weight` plus the log mass inside the bounds, to about a nat, without taking a CDF.

        The scale is that of the likeliest ``R0`` or ``A`` inside, and no gain spreads over more than 1.
        """
        variance = 1.0 / self.gain_precision
        end = self.level - self.share * self.gain
        cost = _outside(end, self.share, variance, self.level_precision)
        end += self.gain
        np.maximum(cost, _outside(end, 1.0 - self.share, variance, self.level_precision), out=cost)
        cost *= 0.5
        cost += self.scale
        found = self._log_weight(cost, self.gain_precision + self.scale * (2.0 * np.pi / self.shape))
        found += np.log(priors.falling_weight) * (self.gain < FALLS)
        return found

    def likeliest_ceiling(self, job: int) -> Floats:
        """Return the likeliest ``A`` of a curve inside the bounds, shape (r, k)."""
        return _ceiling(self.level[:, job], self.share[:, job], self.gain[:, job])

    def at(self, index: Indices) -> Conditionals:
        """Return the nodes at flat indices, shape (d,)."""
        jobs, shapes = self.scale.shape[1:]
        row = index // shapes
        shape, scale, precision = self.shape.take(row % jobs), self.scale.take(index), self.gain_precision.take(index)
        return Conditionals(
            shape=shape,
            scale=scale,
            gain=self.gain.take(index),
            gain_precision=precision,
            spread=np.sqrt(scale / (shape * precision)),
            share=self.share.take(index),
            level=self.level.take(row),
            level_precision=self.level_precision.take(row),
            **(self._drift_at(index, row) if self.drift.size else _NO_DRIFT),
        )

    def _drift_at(self, index: Indices, row: Indices) -> dict[str, Floats]:
        by_level, by_reward, variance = self.drift_fixed
        return {
            "drift": self.drift.take(index),
            "drift_level": by_level.take(row),
            "drift_reward": by_reward.take(row),
            "drift_variance": variance.take(row),
        }


def _ceiling(level: Floats, share: Floats, gain: Floats) -> Floats:
    """Return the likeliest ``A`` inside the bounds, of the shape of its arguments."""
    return np.asarray(np.clip(level + (1.0 - share) * gain, 0.0, 1.0))


def _outside(value: Floats, by_gain: Floats, gain_variance: Floats, precision: Floats) -> Floats:
    """Return the squared distance of ``value`` from [0, 1] in its own variance, ``1 / precision + by_gain^2 Var G``."""
    away = np.abs(value - 0.5)
    away -= 0.5
    np.maximum(away, 0.0, out=away)
    away *= away
    variance = by_gain * by_gain
    variance *= gain_variance
    variance += 1.0 / precision
    away /= variance
    return away


@dataclass(frozen=True, eq=False)
class Conditionals(_Arrays):
    """Some of :class:`Nodes`, arrays of shape (d,), and ``spread``: the scale of the t of ``G``.

    Those of the walk at the last evaluation are empty without one; else its mean is
    ``drift_reward - R0 drift_level - G drift`` and its variance ``drift_variance`` innovation variances.
    """

    shape: Floats
    scale: Floats
    gain: Floats
    gain_precision: Floats
    spread: Floats
    share: Floats
    level: Floats
    level_precision: Floats
    drift: Floats
    drift_level: Floats
    drift_reward: Floats
    drift_variance: Floats

    def likeliest_ceiling(self) -> Floats:
        """Return the likeliest ``A`` inside the bounds, shape (d,)."""
        return _ceiling(self.level, self.share, self.gain)

    def drift_given(self, baseline: Floats, gain: Floats, innovation: Floats, normal: Floats) -> Floats:
        """Draw the walk at the last evaluation given the rest, shape (d,); 0 without one.

        Parameters
        ----------
        baseline, gain, innovation, normal : array, shape (d,)
            ``R0``, ``G``, the sd of the innovations and standard normal coordinates.
        """
        if not self.drift.size:
            return np.zeros(gain.size)
        mean = self.drift_reward - baseline * self.drift_level - gain * self.drift
        return np.asarray(mean + innovation * np.sqrt(self.drift_variance) * normal)

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

    def gain_levels(self) -> tuple[NDArray[np.bool_], GainLevels]:
        """Return whether the bounds cut into the distribution of ``G``, shape (d,), and its levels there.

        The marginal of ``G`` is Student's t with ``2 a`` degrees of freedom, by way of :func:`t_to_normal`.
        """
        low, high = self.gain_limits()
        zero = np.minimum(np.maximum(low, 0.0), high)
        freedom = 2.0 * (self.shape[:1] if np.all(self.shape == self.shape[0]) else self.shape)
        reach = self.spread * normal_to_t(np.full(freedom.size, REACH), freedom)
        cut = (self.gain - zero < reach) | (high - self.gain < reach)
        z = t_to_normal((np.array([low, zero, high]) - self.gain) / self.spread, freedom)
        # far in the upper tail a CDF cannot resolve an interval: count such levels down from above instead
        flip = np.where(z[0] > 0.0, -1.0, 1.0)
        at_low, at_zero, at_high = ndtr(flip * z)
        return cut, GainLevels(low, high, at_low, at_zero, at_high, flip)


@dataclass(frozen=True, eq=False)
class GainLevels(_Arrays):
    """The interval of ``G`` and the CDF before truncation at its ends and at zero; arrays of shape (d,).

    Where ``flip`` is -1 the levels are of the upper tail, ``P(G > edge)``, and fall from low to high.
    """

    low: Floats
    high: Floats
    at_low: Floats
    at_zero: Floats
    at_high: Floats
    flip: Floats

    def mass(self, priors: Priors) -> Floats:
        """Return the mass of the interval, that below zero weighed by the prior."""
        rising, falling = self.at_high - self.at_zero, self.at_zero - self.at_low
        return np.maximum(self.flip * (rising + priors.falling_weight * falling), FLOOR)


def t_to_normal(t: Floats, freedom: Floats | float) -> Floats:
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


def normal_to_t(z: Floats, freedom: Floats | float) -> Floats:
    """Return the inverse of :func:`t_to_normal`."""
    factor = (8.0 * freedom + 1.0) / (8.0 * freedom + 3.0)
    t = z / factor
    t *= t
    t /= freedom
    np.expm1(t, out=t)
    t *= freedom
    np.sqrt(t, out=t)
    return np.copysign(t, z, out=t)


def nodes(curves: Curves, place: Indices, sums: Sums) -> Nodes:
    """Return the conditional posteriors of ``j`` jobs at ``k`` shapes each.

    Parameters
    ----------
    curves : Curves
    place : integer array, shape (j,)
        The curve of each job.
    sums : Sums
    """
    rest, noises = curves.fixed, np.arange(curves.data[0].noises.count)
    noises = noises.reshape(-1, curves.data[0].noises.amplitude.size)[sums.which].ravel()
    chosen = np.ix_(noises, place)
    level, cross, reward = rest.level[chosen], rest.cross[chosen], rest.reward[chosen]
    jobs, shapes = sums.rises.shape[2:]
    correlation = rest.correlation[noises]
    products = at_correlations(correlation) @ sums.rises.reshape(3, -1)
    level_gain, precision, gain = np.moveaxis(products.reshape(-1, 3, jobs, shapes), 1, 0)
    if sums.walk.size:
        level_gain -= sums.walk[0]
        precision -= sums.walk[1]
        gain -= sums.walk[2]
    centre = cross / level
    share = level_gain / level
    precision -= level_gain * share
    np.maximum(precision, RIDGE, out=precision)
    share += sums.end
    gain -= level_gain * centre
    gain /= precision
    scale = precision * gain
    scale *= gain
    np.subtract(reward - cross * centre, scale, out=scale)
    np.maximum(scale, 0.0, out=scale)
    scale *= 0.5
    scale += curves.floor[chosen]
    drift, drift_fixed = _NONE, _NONE
    if sums.walk.size:
        drift_fixed = rest.drift[:, chosen[0], chosen[1]]
        drift = sums.walk[3] + drift_fixed[0] * sums.end
    return Nodes(
        constant=curves.constant[chosen],
        shape=curves.shape[place],
        scale=scale,
        gain=gain,
        gain_precision=precision,
        share=share,
        level=centre,
        level_precision=level,
        drift=drift,
        drift_fixed=drift_fixed,
    )
