"""Points that are evenly spread in as many coordinates as are asked for: the same for every answer."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

__all__ = ["OWN", "normal", "uniform"]

Floats = NDArray[np.float64]


#: Coordinates below this are those of the surface and the law; those of the runs follow.
OWN = 16


@lru_cache(maxsize=16)
def _primes(most: int) -> NDArray[np.intp]:
    """Return the primes up to ``most``, by the sieve of Eratosthenes."""
    prime = np.ones(most + 1, dtype=bool)
    prime[:2] = False
    for number in range(2, int(most**0.5) + 1):
        if prime[number]:
            prime[number * number :: number] = False
    return np.flatnonzero(prime)


def uniform(count: int, coordinate: int) -> Floats:
    """Return one coordinate of ``count`` points in (0, 1): ``frac((i + 1/2) sqrt(prime))``, shape (count,).

    Any two coordinates are evenly spread together (a Kronecker sequence: square roots of primes are independent over
    the rationals). ``inference.lattice`` is more even, in eleven coordinates at most.

    Examples
    --------
    >>> uniform(4, 0).round(3).tolist()
    [0.707, 0.121, 0.536, 0.95]
    """
    most = 1024
    while _primes(most).size <= coordinate:
        most *= 4
    root = float(np.sqrt(_primes(most)[coordinate]))
    points = np.modf((np.arange(count) + 0.5) * root)[0]
    return np.asarray(np.clip(points, 1e-9, 1.0 - 1e-9))


def normal(count: int, coordinate: int) -> Floats:
    """Return standard normal quantiles at one coordinate of :func:`uniform`, shape (count,), of mean 0 and sd 1."""
    values = ndtri(uniform(count, coordinate))
    return np.asarray((values - values.mean()) / values.std())
