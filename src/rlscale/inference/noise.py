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

__all__ = ["RHO_GRID", "at_correlations", "mean_variance", "neighbours", "sums"]

Floats = NDArray[np.float64]

#: Correlations of neighbouring evaluations, equally likely a priori.
RHO_GRID = np.array([0.0, 0.2, 0.4, 0.6, 0.75, 0.87])
RHO_GRID.flags.writeable = False


def at_correlations(rho: Floats) -> Floats:
    """Return the matrix, shape (3, r), that turns sums ``(T, L, E)`` into inner products: ``sums @ matrix``."""
    return np.array([1.0 + rho * rho, -rho, -rho * rho])


def neighbours(values: Floats) -> Floats:
    """Return ``h(v)_t = v_(t-1) + v_(t+1)`` along axis 0, with zero beyond the ends, so that ``L = sum w_t h(v)_t``."""
    out = np.zeros_like(values)
    out[1:] += values[:-1]
    out[:-1] += values[1:]
    return out


def sums(v: Floats, w: Floats) -> Floats:
    """Return ``(T, L, E)`` of two series of shape (n,): shape (3,)."""
    return np.array([v @ w, v @ neighbours(w), v[0] * w[0] + v[-1] * w[-1]])


def mean_variance(rho: Floats, count: int) -> Floats:
    """Variance of the mean of ``count`` successive evaluations, in units of the marginal variance.

    ``(1 / m^2) sum_ij rho^|i-j|`` for each ``rho``, any shape.
    """
    lags = np.arange(1, count)
    return np.asarray((count + 2.0 * np.sum((count - lags) * rho[..., None] ** lags, axis=-1)) / count**2)
