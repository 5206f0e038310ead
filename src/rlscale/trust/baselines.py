"""The methods people use today, written from their descriptions: what forecasts are compared with.

Each takes what has been seen of a curve and the computes of evaluations still to come, and returns one number, the mean
reward of those evaluations. None has an interval.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from rlscale.curves import Curve
from rlscale.inference.evidence import thinned
from rlscale.inference.least_squares import least_squares as point_fit

__all__ = ["METHODS", "PUBLISHED_A", "PUBLISHED_C_MID", "Sigmoid", "linearised_sigmoid", "published_sigmoid"]

Floats = NDArray[np.float64]
Method = Callable[[Curve, Floats], float]

#: The published grid, ScaleRL A.5: ``A``, and ``C_mid`` in GPU-hours.
PUBLISHED_A = 0.450 + 0.005 * np.arange(71)
PUBLISHED_C_MID = np.linspace(100.0, 40000.0, 100)
#: It knows GPU-hours only, so what has been seen of a run is taken to end here, where ScaleRL's ablations stop.
PUBLISHED_LAST = 4000.0
#: ``ln B`` tried for every cell of it.
_LOG_B = np.linspace(np.log(0.05), np.log(20.0), 300)
_LARGEST_LOG = 345.0  # the product of two exponentials of this is still finite


@dataclass(frozen=True)
class Sigmoid:
    """A fitted ``R(C) = R0 + (A - R0) / (1 + (C_mid / C)^B)``: a point, no more."""

    R0: float
    A: float
    B: float
    C_mid: float

    def reward(self, compute: Floats | float) -> Floats:
        """Reward at ``compute``, any shape."""
        with np.errstate(divide="ignore"):
            z = self.B * (np.log(np.asarray(compute, dtype=np.float64)) - np.log(self.C_mid))
        return np.asarray(self.R0 + (self.A - self.R0) * expit(z))


def last_value(seen: Curve, ahead: Floats) -> float:
    """Reward of the last evaluation."""
    return seen.reward_last


def last3_mean(seen: Curve, ahead: Floats) -> float:
    """Mean reward of the last three evaluations."""
    return float(np.mean(seen.reward[-3:]))


def linearised_grid(seen: Curve, ahead: Floats) -> float:
    """:func:`linearised_sigmoid` on the unit range, ``R0`` the first evaluation."""
    compute, reward = _on_unit_range(seen)
    fitted = linearised_sigmoid(compute, reward, float(reward[0]))
    return _in_reward(seen, fitted.reward(ahead))


def scalerl_grid(seen: Curve, ahead: Floats) -> float:
    """:func:`published_sigmoid` on the unit range, ``R0`` the first evaluation.

    The published grid is in GPU-hours and stops at 40,000, so compute is rescaled for it: the last evaluation seen is
    put at :data:`PUBLISHED_LAST`. Its ceilings are shares of the metric's range.
    """
    compute, reward = _on_unit_range(seen)
    scale = PUBLISHED_LAST / compute[-1]
    fitted = published_sigmoid(compute * scale, reward, float(reward[0]))
    return _in_reward(seen, fitted.reward(ahead * scale))


def least_squares(seen: Curve, ahead: Floats) -> float:
    """Bounded least squares with ``R0, A, B, C_mid`` free (``rlscale.inference.least_squares``)."""
    found = point_fit(thinned(seen)[0])
    return float(Sigmoid(found.R0, found.A, found.B, found.C_mid).reward(ahead).mean())


#: Every method under its name in JSON.
METHODS: MappingProxyType[str, Method] = MappingProxyType(
    {
        "last_value": last_value,
        "last3_mean": last3_mean,
        "linearised_grid": linearised_grid,
        "scalerl_grid": scalerl_grid,
        "least_squares": least_squares,
    }
)


def published_sigmoid(compute: Floats, reward: Floats, baseline: float) -> Sigmoid:
    """ScaleRL A.5: for every ``(A, C_mid)`` of the grid the best ``B``; the lowest squared error wins.

    Chooses the cell that the literal method (``curve_fit`` in each cell) chooses, a hundred times faster: at fixed
    ``(C_mid, B)`` the squared error is a parabola in ``A``, so all exponents of a midpoint cost one product; the lowest
    is refined by the parabola through it and its neighbours.

    Parameters
    ----------
    compute : array, shape (n,)
        In GPU-hours: the grid knows no other unit.
    reward : array, shape (n,)
        In [0, 1].
    baseline : float
        ``R0``, which the method takes as given.
    """
    above = compute > 0
    x, gap = np.log(compute[above]), reward[above] - baseline
    against, squares = _rise_sums(x, gap)
    gain = (PUBLISHED_A - baseline)[:, None, None]
    error = gap @ gap - 2.0 * gain * against + gain**2 * squares
    lowest = np.clip(np.argmin(error, axis=2), 1, _LOG_B.size - 2)
    before, here, after = (np.take_along_axis(error, lowest[..., None] + k, axis=2)[..., 0] for k in (-1, 0, 1))
    bend = np.maximum(before - 2.0 * here + after, 1e-300)
    shift = np.clip(0.5 * (before - after) / bend, -1.0, 1.0)
    refined = here + 0.5 * shift * (after - before) + 0.5 * shift**2 * bend
    i, j = np.unravel_index(int(np.argmin(refined)), refined.shape)
    exponent = float(np.exp(_LOG_B[lowest[i, j]] + shift[i, j] * (_LOG_B[1] - _LOG_B[0])))
    return Sigmoid(baseline, float(PUBLISHED_A[i]), exponent, float(PUBLISHED_C_MID[j]))


def _rise_sums(x: Floats, gap: Floats) -> tuple[Floats, Floats]:
    """Return ``s . gap`` and ``s . s`` of the rises of every (midpoint, exponent), shapes (100, 300)."""
    exponents, reference = np.exp(_LOG_B), x[-1]
    # (C_mid / C)^B is a product of one factor a point and one a midpoint: no exponential a cell. Where the first is cut
    # off the rise is 0 to the last bit
    of_points = np.exp(np.minimum(-exponents[:, None] * (x - reference), _LARGEST_LOG))
    of_midpoints = np.exp(
        np.clip(exponents * (np.log(PUBLISHED_C_MID) - reference)[:, None], -_LARGEST_LOG, _LARGEST_LOG)
    )
    against, squares = np.empty(of_midpoints.shape), np.empty(of_midpoints.shape)
    for k, factor in enumerate(of_midpoints):
        rise = of_points * factor[:, None]
        rise += 1.0
        np.reciprocal(rise, out=rise)
        against[k] = rise @ gap
        squares[k] = np.einsum("bt,bt->b", rise, rise)
    return against, squares


def linearised_sigmoid(compute: Floats, reward: Floats, baseline: float, count: int = 600) -> Sigmoid:
    """For each of ``count`` ceilings up to 1.6 times the best reward, regress ``logit`` of the share on ``ln C``.

    ``ln((R - R0) / (A - R)) = B (ln C - ln C_mid)`` by ordinary least squares on the points strictly between ``R0`` and
    ``A``; the ceiling of the lowest squared error of reward wins.

    Parameters
    ----------
    compute : array, shape (n,)
    reward : array, shape (n,)
        In [0, 1].
    baseline : float
        ``R0``, which the method takes as given.
    count : int
        Ceilings tried.
    """
    usable = (compute > 0) & (reward > baseline + 1e-6)
    fallback = Sigmoid(baseline, float(np.max(reward)), 1.0, float(np.median(compute[compute > 0])))
    if np.count_nonzero(usable) < 3:
        return fallback
    x, y = np.log(compute[usable]), reward[usable]
    nearest = y.max() + 1e-4
    ceilings = np.linspace(nearest, max(1.6 * y.max(), nearest), count)[:, None]
    odds = np.log((y - baseline) / (ceilings - y))
    centred = x - x.mean()
    slope = odds @ centred / (centred @ centred)
    slope = np.where(np.abs(slope) < 1e-9, 1e-9, slope)
    middle = x.mean() - odds.mean(axis=1) / slope
    fitted = baseline + (ceilings - baseline) * expit(slope[:, None] * (x - middle[:, None]))
    error = np.where(slope > 0, np.sum((fitted - y) ** 2, axis=1), np.inf)
    best = int(np.argmin(error))
    if not np.isfinite(error[best]):
        return fallback
    midpoint = float(np.exp(np.clip(middle[best], -300.0, 300.0)))
    return Sigmoid(baseline, float(ceilings[best, 0]), float(slope[best]), midpoint)


def _on_unit_range(seen: Curve) -> tuple[Floats, Floats]:
    """Return compute and reward on a range of [0, 1]; a very long curve averaged in blocks, as the engine does."""
    curve, _ = thinned(seen)
    low, high = curve.frame
    return curve.compute, (curve.reward - low) / (high - low)


def _in_reward(seen: Curve, shares: Floats) -> float:
    low, high = seen.frame
    return low + (high - low) * float(np.mean(shares))
