"""Evaluation noise: a stationary AR(1) along the run, and its quadratic forms for every correlation at once.

For whitened series ``v_t - rho v_(t-1)`` the inner product of two series is a quadratic in ``rho`` whose three
coefficients do not depend on it::

    <v, w>_rho = (1 - rho^2) v_1 w_1 + sum_(t>1) (v_t - rho v_(t-1)) (w_t - rho w_(t-1))
               = (1 + rho^2) T - rho L - rho^2 E
    T = sum v_t w_t,   L = sum_(t>1) (v_t w_(t-1) + v_(t-1) w_t),   E = v_1 w_1 + v_n w_n

so the sums are taken once and every ``rho`` is nearly free.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["RHO_GRID", "at_correlations", "columns", "mean_variance"]

Floats = NDArray[np.float64]

#: Correlations of neighbouring evaluations, equally likely a priori.
RHO_GRID = np.array([0.0, 0.2, 0.4, 0.6, 0.75, 0.87])
RHO_GRID.flags.writeable = False


def at_correlations(rho: Floats) -> Floats:
    """Return the matrix, shape (r, 3), that turns sums ``(T, L, E)`` into inner products: ``matrix @ sums``."""
    return np.stack([1.0 + rho * rho, -rho, -rho * rho], axis=-1)


def columns(values: Floats) -> Floats:
    """Return the columns that turn any series ``w`` into its sums ``(T, L, E)`` with ``values``: shape (3, n).

    ``v_t``, ``v_(t-1) + v_(t+1)`` with zero beyond the ends, and ``v_t`` at the ends alone; ``sums = columns @ w``.
    """
    found = np.zeros((3, values.size))
    found[0] = values
    found[1, 1:] = values[:-1]
    found[1, :-1] += values[1:]
    found[2, 0], found[2, -1] = values[0], values[-1]
    return found


def mean_variance(rho: Floats, count: int) -> Floats:
    """Variance of the mean of ``count`` successive evaluations, in units of the marginal variance.

    ``(1 / m^2) sum_ij rho^|i-j|`` for each ``rho``, any shape.
    """
    lags = np.arange(1, count)
    return np.asarray((count + 2.0 * np.sum((count - lags) * rho[..., None] ** lags, axis=-1)) / count**2)
