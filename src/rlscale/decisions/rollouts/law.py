"""The law of the best number of rollouts: ``ln n*`` is a sigmoid in the log of compute that saturates.

``ln n* = l0 + (l1 - l0) / (1 + exp(-s (ln C - c)))``: IsoCompute (arXiv 2603.12151) fits a sigmoid of ``log n*``
against ``log C`` and prints no constants; this parametrisation is ours. ``exp(l1)`` is the saturation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rlscale.curves.value import Value
from rlscale.decisions.rollouts.spread import uniform

__all__ = ["BEYOND", "Law", "law_of"]

Floats = NDArray[np.float64]

#: The saturation may lie so far beyond the largest number tried, as a factor.
BEYOND = 2.0
#: Slopes considered, for each e-fold of compute, with their prior: the rise of ``n*`` ends as fast as curves near their
#: ceilings do, whose published exponents lie around 1.7. Middles lie within the support or a little beyond.
_SLOPES, _SLOPE, _SLOPE_SD = np.geomspace(0.4, 5.0, 10), 1.5, 0.4
_MIDDLES = np.linspace(0.0, 1.2, 19)
#: How far a draw's optimum strays from a law that is right, in ``ln n``, and how many independent looks at it the
#: support gives: neighbouring computes say the same.
_STRAY, _LOOKS = 0.35, 6.0
#: Coordinate of ``spread`` that picks slope and middle, after those of the surface.
_COORDINATE = 15
#: The law has saturated where what is left of its rise is less than this, as a factor of ``n``.
_SATURATED = 1.25


@dataclass(frozen=True, eq=False)
class Law(Value):
    """Draws of the law, each of shape (d,).

    Parameters
    ----------
    low, high : array
        ``l0`` and ``l1``, in ``ln n``.
    slope : array
        ``s``, for each e-fold of compute.
    middle : array
        ``c``, the log of compute in the curves' unit.
    saturated : array of bool
        Whether the rise is over within the support, and below the largest number tried.
    """

    low: Floats
    high: Floats
    slope: Floats
    middle: Floats
    saturated: NDArray[np.bool_]

    def log_n(self, compute: Floats) -> Floats:
        """Return ``ln n*`` at ``compute``, shape (c,): (d, c)."""
        share = _sigmoid(self.slope[:, None] * (np.log(compute) - self.middle[:, None]))
        return np.asarray(self.low[:, None] + (self.high - self.low)[:, None] * share)


def law_of(log_n: Floats, compute: Floats, limits: tuple[float, float]) -> Law:
    """Fit the law to draws of the optimum.

    For each draw ``l0`` and ``l1`` by least squares at each ``(s, c)`` of a grid, ``l1 >= l0``; one of the grid is then
    picked with probability ``prior(s) exp(-looks/2 * mean square / stray^2)``.

    Parameters
    ----------
    log_n : array, shape (d, c)
        Draws of ``ln n*``.
    compute : array, shape (c,)
        The support, evenly spread in log.
    limits : (float, float)
        Smallest and largest number of rollouts tried.
    """
    x = np.log(compute)
    slopes, places = (axis.ravel() for axis in np.meshgrid(_SLOPES, _MIDDLES))
    middles = x[0] + places * (x[-1] - x[0])
    share = _sigmoid(slopes[:, None] * (x - middles[:, None]))  # (g, c)
    low, high, error = _levels(log_n, share, np.log(limits[0]), np.log(BEYOND * limits[1]))
    fits = -0.5 * _LOOKS * error / _STRAY**2 - 0.5 * (np.log(slopes / _SLOPE) / _SLOPE_SD) ** 2
    weight = np.exp(fits - fits.max(axis=1, keepdims=True))
    total = np.cumsum(weight, axis=1)
    pick = uniform(log_n.shape[0], _COORDINATE)[:, None] * total[:, -1:]
    chosen = np.minimum(np.sum(total < pick, axis=1), slopes.size - 1)
    rows = np.arange(log_n.shape[0])
    low, high = low[rows, chosen], high[rows, chosen]
    left = (high - low) * (1.0 - share[chosen, -1])
    tried = np.log(limits[1])
    return Law(low, high, slopes[chosen], middles[chosen], (left < np.log(_SATURATED)) & (high < tried - 1e-9))


def _levels(log_n: Floats, share: Floats, lowest: float, highest: float) -> tuple[Floats, Floats, Floats]:
    """Return ``l0``, ``l1`` and the mean squared error of each draw at each node, shape (d, g)."""
    count = log_n.shape[1]
    centred = share - share.mean(axis=1, keepdims=True)
    rise = np.maximum(log_n @ centred.T / np.maximum(np.sum(centred**2, axis=1), 1e-9), 0.0)
    low = np.clip(log_n.mean(axis=1, keepdims=True) - rise * share.mean(axis=1), lowest, None)
    high = np.clip(low + rise, low, highest)
    rise = high - low
    error = np.mean(log_n**2, axis=1, keepdims=True) + low**2 + rise**2 * np.mean(share**2, axis=1)
    error += 2.0 * low * rise * share.mean(axis=1) - 2.0 * low * log_n.mean(axis=1, keepdims=True)
    error -= 2.0 * rise * (log_n @ share.T) / count
    return low, high, error


def _sigmoid(z: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(z, -60.0, 60.0))))
