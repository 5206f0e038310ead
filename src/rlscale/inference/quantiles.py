"""Quantiles of weighted draws."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["weighted_quantiles"]

Floats = NDArray[np.float64]


def weighted_quantiles(values: Floats, weight: Floats, levels: ArrayLike) -> Floats:
    """Quantiles of weighted draws: the inverse of the CDF that is linear between the draws' mid-weights.

    Parameters
    ----------
    values : array, shape (d,) or (d, k)
    weight : array, shape (d,)
        Non-negative, summing to 1.
    levels : array, shape (q,)
        In [0, 1].

    Returns
    -------
    array, shape (q,) or (q, k)
    """
    levels = np.asarray(levels, dtype=np.float64)
    if values.ndim == 2:
        return np.stack([weighted_quantiles(column, weight, levels) for column in values.T], axis=-1)
    order = np.argsort(values)
    ordered = weight.take(order)
    return np.asarray(np.interp(levels, np.cumsum(ordered) - 0.5 * ordered, values.take(order)))
