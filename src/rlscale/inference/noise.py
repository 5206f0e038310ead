"""Evaluation noise: a stationary AR(1) along the run, and its quadratic forms for every correlation at once.

For whitened series ``v_t - rho v_(t-1)`` the inner product of two series is a quadratic in ``rho`` whose three
coefficients do not depend on it::

    <v, w>_rho = (1 - rho^2) v_1 w_1 + sum_(t>1) (v_t - rho v_(t-1)) (w_t - rho w_(t-1))
               = (1 + rho^2) T - rho L - rho^2 E
    T = sum v_t w_t,   L = sum_(t>1) (v_t w_(t-1) + v_(t-1) w_t),   E = v_1 w_1 + v_n w_n

so the sums are taken once and every ``rho`` is nearly free.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["RHO_GRID", "Form", "form", "mean_variance", "neighbours"]

Floats = NDArray[np.float64]

#: Correlations of neighbouring evaluations, equally likely a priori.
RHO_GRID = np.array([0.0, 0.2, 0.4, 0.6, 0.75, 0.87])
RHO_GRID.flags.writeable = False


@dataclass(frozen=True)
class Form:
    """The ``rho``-free sums ``T``, ``L``, ``E`` of one inner product; arrays of one shape (one entry a node)."""

    total: Floats
    lagged: Floats
    ends: Floats

    def at(self, rho: Floats | float) -> Floats:
        """Return ``<v, w>_rho``; ``rho`` broadcasts against the sums."""
        rho = np.asarray(rho)
        value: Floats = (1.0 + rho * rho) * self.total - rho * self.lagged - rho * rho * self.ends
        return value

    def __getitem__(self, index: tuple[object, ...]) -> Form:
        return Form(self.total[index], self.lagged[index], self.ends[index])  # type: ignore[index]


def neighbours(values: Floats) -> Floats:
    """Return ``h(v)_t = v_(t-1) + v_(t+1)`` along axis 0, with zero beyond the ends, so that ``L = sum w_t h(v)_t``."""
    out = np.zeros_like(values)
    out[1:] += values[:-1]
    out[:-1] += values[1:]
    return out


def form(v: Floats, w: Floats) -> Form:
    """Return the sums of ``<v, w>`` for two series of shape (n,)."""
    return Form(np.asarray(v @ w), np.asarray(v @ neighbours(w)), np.asarray(v[0] * w[0] + v[-1] * w[-1]))


def mean_variance(rho: Floats, count: int) -> Floats:
    """Variance of the mean of ``count`` successive evaluations, in units of the marginal variance.

    ``(1 / m^2) sum_ij rho^|i-j|`` for each ``rho``, any shape.
    """
    lags = np.arange(1, count)
    return np.asarray((count + 2.0 * np.sum((count - lags) * rho[..., None] ** lags, axis=-1)) / count**2)
