"""Points that are evenly spread in as many coordinates as are asked for: the same for every answer."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

__all__ = ["normal", "uniform"]

Floats = NDArray[np.float64]


@lru_cache(maxsize=8)
def _primes(count: int) -> tuple[int, ...]:
    found: list[int] = []
    candidate = 2
    while len(found) < count:
        if all(candidate % prime for prime in found if prime * prime <= candidate):
            found.append(candidate)
        candidate += 1
    return tuple(found)


def uniform(count: int, coordinate: int) -> Floats:
    """Return one coordinate of ``count`` points in (0, 1): ``frac((i + 1/2) sqrt(prime))``, shape (count,).

    Any two coordinates are evenly spread together (a Kronecker sequence: square roots of primes are independent over
    the rationals). ``inference.lattice`` is more even, in eleven coordinates at most.

    Examples
    --------
    >>> uniform(4, 0).round(3).tolist()
    [0.707, 0.121, 0.536, 0.95]
    """
    root = float(np.sqrt(_primes(max(16, coordinate + 1))[coordinate]))
    points = np.modf((np.arange(count) + 0.5) * root)[0]
    return np.asarray(np.clip(points, 1e-9, 1.0 - 1e-9))


def normal(count: int, coordinate: int) -> Floats:
    """Return standard normal quantiles at one coordinate of :func:`uniform`, shape (count,), of mean 0 and sd 1."""
    values = ndtri(uniform(count, coordinate))
    return np.asarray((values - values.mean()) / values.std())
