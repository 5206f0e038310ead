"""The simulated truths of the benchmarks: off the engine's prior, and the published fits of ScaleRL."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import Truth

#: ``C_last / C_mid``, noise correlation and evaluations after the one at 0 of the off-prior table.
RATIOS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
CORRELATIONS = (0.0, 0.5, 0.8)
COUNTS = (12, 40, 100)
#: Midpoint of the off-prior truths, in an arbitrary unit (the engine is scale-free).
C_MID = 1000.0

#: ScaleRL, arXiv 2510.13786, Table 1: (C_mid in GPU-hours, B, A).
SCALERL = {
    "ScaleRL": (2542.0, 1.92, 0.610),
    "32k": (11272.0, 1.89, 0.645),
    "8gen": (2542.0, 2.44, 0.585),
    "24gen": (3054.0, 2.22, 0.590),
    "32gen": (2936.0, 2.07, 0.595),
    "Scout": (4242.0, 1.65, 0.710),
    "bs512": (2818.0, 1.77, 0.605),
    "bs2048": (10909.0, 1.70, 0.645),
    "math": (2896.0, 2.05, 0.595),
    "code": (1675.0, 1.09, 0.615),
}


def off_prior(
    rng: np.random.Generator, rho: float, *, baseline: float | None = None, sigma: float | None = None
) -> Truth:
    """Draw a truth: ``A ~ U(.4, .9)``, ``B ~ LN(ln 1.5, .4)``, ``R0 ~ U(.05, .3)``, ``sigma ~ U(.008, .03)``.

    Parameters
    ----------
    rng : numpy.random.Generator
    rho : float
        Correlation of the noise.
    baseline, sigma : float, optional
        Hold ``R0`` or the noise sd at this value.
    """
    drawn = rng.uniform(0.4, 0.9), rng.lognormal(np.log(1.5), 0.4), rng.uniform(0.05, 0.3), rng.uniform(0.008, 0.03)
    asymptote, exponent, free_baseline, free_sigma = (float(value) for value in drawn)
    return Truth(
        R0=free_baseline if baseline is None else baseline,
        A=asymptote,
        B=exponent,
        C_mid=C_MID,
        sigma=free_sigma if sigma is None else sigma,
        rho=rho,
    )


def evenly(ratio: float, count: int) -> NDArray[np.float64]:
    """Return compute 0 and ``count`` more equally spaced up to ``ratio * C_MID``: shape (count + 1,)."""
    return np.linspace(0.0, ratio * C_MID, count + 1)


def scalerl(name: str) -> Truth:
    """Return a row of Table 1 with ``R0 = .2`` (no paper states it) and noise sd .004 (1,000 x 16 samples a point)."""
    midpoint, exponent, asymptote = SCALERL[name]
    return Truth(R0=0.2, A=asymptote, B=exponent, C_mid=midpoint, sigma=0.004)
