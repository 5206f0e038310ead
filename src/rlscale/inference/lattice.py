"""Deterministic low-discrepancy points: the same for every fit, so that the same input gives the same bits."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv, ndtri

__all__ = ["DIMS", "gamma_quantiles", "normal_quantiles", "sobol"]

Floats = NDArray[np.float64]

#: Direction numbers of the Sobol sequence: degree, coefficients and initial values of the primitive polynomial of each
#: dimension after the first (S. Joe and F. Y. Kuo, SIAM J. Sci. Comput. 30, 2008, table new-joe-kuo-6).
_POLYNOMIALS = (
    (1, 0, (1,)),
    (2, 1, (1, 3)),
    (3, 1, (1, 3, 1)),
    (3, 2, (1, 1, 1)),
    (4, 1, (1, 1, 3, 3)),
    (4, 4, (1, 3, 5, 13)),
    (5, 2, (1, 1, 5, 5, 17)),
    (5, 4, (1, 1, 5, 5, 5)),
    (5, 7, (1, 1, 7, 11, 19)),
    (5, 11, (1, 1, 5, 1, 1)),
)
_BITS = 30
#: Coordinates of a point.
DIMS = len(_POLYNOMIALS) + 1


@lru_cache(maxsize=4)
def sobol(count: int) -> Floats:
    """Return the first ``count`` points of the Sobol sequence, shape (DIMS, count), each moved into its cell's middle.

    They come in the order of their first coordinate, so that neighbours in the array are neighbours in ``m``.

    Parameters
    ----------
    count : int
        A power of two, so that every coordinate is evenly spread.
    """
    index = np.arange(count, dtype=np.int64)
    gray = index ^ (index >> 1)
    points = np.empty((DIMS, count))
    for dim in range(DIMS):
        directions = _directions(dim)
        bits = np.zeros(count, dtype=np.int64)
        for k in range(count.bit_length()):
            bits ^= np.where((gray >> k) & 1, directions[k], 0)
        points[dim] = bits / 2.0**_BITS + 0.5 / count
    points = points[:, np.argsort(points[0])]
    points.flags.writeable = False
    return points


def _directions(dim: int) -> list[int]:
    """Direction numbers of one dimension, scaled to ``_BITS`` bits."""
    if dim == 0:
        return [1 << (_BITS - 1 - k) for k in range(_BITS)]
    degree, coefficients, start = _POLYNOMIALS[dim - 1]
    numbers = [m << (_BITS - 1 - k) for k, m in enumerate(start)]
    for k in range(degree, _BITS):
        value = numbers[k - degree] ^ (numbers[k - degree] >> degree)
        for j in range(1, degree):
            if (coefficients >> (degree - 1 - j)) & 1:
                value ^= numbers[k - j]
        numbers.append(value)
    return numbers


@lru_cache(maxsize=16)
def normal_quantiles(count: int, coordinate: int) -> Floats:
    """Return the standard normal quantiles at one coordinate of :func:`sobol`, shape (count,)."""
    values: Floats = ndtri(sobol(count)[coordinate])
    values.flags.writeable = False
    return values


@lru_cache(maxsize=256)
def gamma_quantiles(shape: float, count: int, coordinate: int) -> Floats:
    """Return the Gamma(``shape``, 1) quantiles at one coordinate of :func:`sobol`, shape (count,).

    Slow (an iterative inverse) and the same for all curves of one length, so it is kept.
    """
    values: Floats = gammaincinv(shape, sobol(count)[coordinate])
    values.flags.writeable = False
    return values
