"""Deterministic low-discrepancy points: the same for every fit, so that the same input gives the same bits."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv

__all__ = ["gamma_quantiles", "lattice"]

Floats = NDArray[np.float64]


def _generalised_golden_ratio(dims: int) -> float:
    """The real root of ``g^(d+1) = g + 1``; by the contraction ``g <- (1 + g)^(1/(d+1))``."""
    g = 2.0
    for _ in range(64):
        g = (1.0 + g) ** (1.0 / (dims + 1))
    return g


@lru_cache(maxsize=8)
def lattice(count: int, dims: int) -> Floats:
    """Return ``count`` points of the additive recurrence ``u_i = frac((i + 1/2) g^-(1..d))``, shape (dims, count).

    The first coordinate is the midpoint rule ``(i + 1/2)/count``, the others follow the recurrence with the
    generalised golden ratio of the dimensions left (M. Roberts, "The unreasonable effectiveness of quasirandom
    sequences", 2018).
    """
    index = np.arange(count) + 0.5
    g = _generalised_golden_ratio(dims - 1)
    points = np.empty((dims, count))
    points[0] = index / count
    for k in range(1, dims):
        points[k] = np.mod(0.5 + index * g**-k, 1.0)
    points.flags.writeable = False
    return points


@lru_cache(maxsize=256)
def gamma_quantiles(shape: float, count: int, dims: int, coordinate: int) -> Floats:
    """Return the Gamma(``shape``, 1) quantiles at one coordinate of :func:`lattice`, shape (count,).

    Slow (an iterative inverse) and the same for all curves of one length, so it is kept.
    """
    values: Floats = gammaincinv(shape, lattice(count, dims)[coordinate])
    values.flags.writeable = False
    return values
