"""The score of a forecast that is a distribution."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["crps"]

Floats = NDArray[np.float64]


def crps(values: Floats, weight: Floats, truth: float) -> float:
    """Continuous ranked probability score of weighted draws, exactly: ``E|X - y| - E|X - X'| / 2``.

    Parameters
    ----------
    values, weight : array, shape (d,)
        Draws, in reward, and their weights, summing to 1.
    truth : float
        ``y``. For a point forecast the score is the absolute error.

    Notes
    -----
    With the draws sorted and ``F`` the cumulative weight, ``E|X - X'| = 2 sum_i F_i (1 - F_i) (x_(i+1) - x_i)``.
    Gneiting and Raftery, "Strictly proper scoring rules", 2007, eq. 20.
    """
    order = np.argsort(values)
    x, below = values[order], np.cumsum(weight[order])[:-1]
    return float(weight @ np.abs(values - truth) - np.sum(below * (1.0 - below) * np.diff(x)))
