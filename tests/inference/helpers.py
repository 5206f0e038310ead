"""Curves with known truth for the tests of this room."""

from __future__ import annotations

import numpy as np

from rlscale.curves import Truth, simulate


def sigmoid_curve(ratio=2.0, n=40, sigma=0.01, rho=0.0, A=0.6, R0=0.2, B=1.9, seed=0, start=0.0, C_mid=1.0):
    """``n`` evaluations equally spaced from ``start`` to ``ratio`` times the midpoint."""
    compute = np.linspace(start, ratio, n) * C_mid
    truth = Truth(R0=R0, A=A, B=B, C_mid=C_mid, sigma=sigma, rho=rho)
    return simulate(truth, compute, rng=np.random.default_rng(seed))
