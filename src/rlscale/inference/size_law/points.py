"""Fixed, evenly spread points in as many dimensions as a posterior over sizes has: a rank-1 lattice.

The Sobol points of ``inference.lattice`` have 11 coordinates; here each size and each run takes some.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

__all__ = ["COUNT", "chi_squared", "normals", "uniforms"]

Floats = NDArray[np.float64]

#: Points, a prime.
COUNT = 4093
#: Generator of the lattice: among a third of all, the one with the least correlation of any two of 44 coordinates, as
#: normal quantiles (.026), and of their squares.
_GENERATOR = 509


@lru_cache(maxsize=16)
def uniforms(dims: int) -> Floats:
    """Return the points, shape (COUNT, dims), each coordinate evenly spread over (0, 1).

    ``u_ij = frac(i a^j / n) + 1 / (2 n)`` with ``n`` the count and ``a`` the generator (Korobov, 1959).
    """
    powers = np.ones(dims, dtype=np.int64)
    for j in range(1, dims):
        powers[j] = powers[j - 1] * _GENERATOR % COUNT
    points = (np.arange(COUNT)[:, None] * powers % COUNT + 0.5) / COUNT
    points.flags.writeable = False
    return points


@lru_cache(maxsize=16)
def normals(dims: int) -> Floats:
    """Return :func:`uniforms` as standard normal quantiles, shape (COUNT, dims)."""
    values: Floats = ndtri(uniforms(dims))
    values.flags.writeable = False
    return values


def chi_squared(degrees: float, z: Floats) -> Floats:
    """Return chi-squared quantiles at normal ones (Wilson and Hilferty, 1931)."""
    part = 2.0 / (9.0 * degrees)
    return np.asarray(degrees * np.maximum(1.0 - part + z * np.sqrt(part), 1e-3) ** 3)
