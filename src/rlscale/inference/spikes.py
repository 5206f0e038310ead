"""Isolated low spikes: single evaluations far under their neighbours, which say nothing about the curve.

Far from harmless: under Gaussian noise one such point widens every interval and pulls the level. Down-weighting all
outliers is worse, since it takes a true late level for one; leaving out isolated low points costs nothing (measured).
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from rlscale.curves import Curve
from rlscale.curves.bounds import MAD

__all__ = ["hanging", "spikes"]

Floats = NDArray[np.float64]

#: Evaluations of the window around a point, itself included.
WINDOW = 7
#: A spike lies so many robust sd, and at least this share of the range, under the median of its window.
SPIKE_SDS, SPIKE_SHARE = 5.0, 0.08
#: More than one in so many evaluations (and more than one) are noise, not accidents: none is a spike.
RARE = 20


def spikes(curve: Curve) -> NDArray[np.bool_]:
    """Return which evaluations are isolated low spikes: shape (n,).

    ``y_i < med_i - d``, ``d = max(5 s, .08 range)``, with ``med_i`` the median of the 7 evaluations around ``i`` and
    ``s`` the robust sd over the curve, the larger of that of ``y - med`` and that of the first differences over
    sqrt(2); and both neighbours above ``med_i - d / 2``, since two low evaluations in a row are no accident; and the
    median of the next 3 above ``y_i + d``, or it would be the first of a fall. Interior points only: the first and last
    three have no full window, and a low last point may be the start of a fall. Where more than one in twenty are so
    low, none is a spike: then they are what the evaluation does, as where a few samples are graded.

    Notes
    -----
    Hampel, "The influence curve and its role in robust estimation", 1974, with one scale for the whole curve: that of
    7 points alone is too noisy.
    """
    found = np.zeros(curve.n_points, dtype=bool)
    reward, least = curve.reward, SPIKE_SHARE * curve.range
    steps = np.diff(reward)
    half = WINDOW // 2
    if curve.n_points <= WINDOW:
        return found
    # a spike goes down and up again by half of d at least, and lies under the median by d: most curves are done here
    low = half + np.flatnonzero((steps[half - 1 : -half] < -0.5 * least) & (steps[half : 1 - half] > 0.5 * least))
    around = np.sort(reward[low[:, None] + np.arange(-half, half + 1)], axis=1)
    if not np.any(around[:, half] - reward[low] > least):
        return found
    middle, under, limit = _windows(curve)
    beside = np.minimum(reward[half - 1 : -half - 1], reward[half + 1 : reward.size - half + 1])
    later = np.median(sliding_window_view(reward[half + 1 :], half), axis=1)
    back = later - reward[half:-half] > limit
    found[half:-half] = (under > limit) & (beside > middle - 0.5 * limit) & back
    if np.count_nonzero(found) > max(1, curve.n_points // RARE):
        found[:] = False
    return found


def hanging(curve: Curve) -> bool:
    """Return whether the last evaluation is so low that only the next one can tell a spike from a fall.

    ``y_n < med - d`` with ``med`` the median of the 6 before it and ``d`` as in :func:`spikes`, and ``y_(n-1)`` above
    ``med - d / 2``: a second low one is no accident.
    """
    if curve.n_points <= WINDOW or curve.reward[-1] > curve.reward[-2] - 0.5 * SPIKE_SHARE * curve.range:
        return False
    limit = _windows(curve)[2]
    before = float(np.median(curve.reward[-WINDOW:-1]))
    return bool(curve.reward[-1] < before - limit and curve.reward[-2] > before - 0.5 * limit)


def _windows(curve: Curve) -> tuple[Floats, Floats, float]:
    """Return medians of the windows, how far their middle points lie under them, shape (n - 6,), and ``d``."""
    reward, half = curve.reward, WINDOW // 2
    steps = np.diff(reward)
    middle = np.median(sliding_window_view(reward, WINDOW), axis=1)
    under = middle - reward[half:-half]
    # the two scales agree on white noise; alone either takes some of its correlated noise for spikes
    spread = float(np.median(np.abs(under))), float(np.median(np.abs(steps - np.median(steps)))) / np.sqrt(2.0)
    return middle, under, max(SPIKE_SDS * MAD * max(spread), SPIKE_SHARE * curve.range)
