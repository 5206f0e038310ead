"""How far are the quantiles from the exact posterior? ``python -m benchmarks.quadrature``.

The reference is the same posterior on a grid of twenty times as many cells and 2^17 draws, whose own error is below
.1 %; that it is the right posterior is checked by ``tests/inference/test_posterior.py`` against a dense integration
that shares no code with the engine. Errors are of the 10, 50 and 90 % quantiles, as shares of the 80 % width.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import Report, main, noisy
from benchmarks.designs import C_MID, off_prior
from rlscale.curves import Curve
from rlscale.inference.draws import COUNT, draw
from rlscale.inference.evidence import evidence
from rlscale.inference.families import SIGMOID
from rlscale.inference.posterior import Posterior
from rlscale.inference.priors import PRIORS
from rlscale.inference.zoom import FINE, zoomed

Floats = NDArray[np.float64]

LEVELS = (0.1, 0.5, 0.9)
QUANTITIES = ("A", "R(2x)", "R(4x)", "C_mid", "B", "R0", "sigma")
DENSE, MANY = (160, 112), 1 << 17


def quantiles(curve: Curve, fine: tuple[int, int], count: int) -> Floats:
    """Return the quantiles of QUANTITIES at LEVELS, shape (7, 3)."""
    grid = zoomed(evidence(curve), SIGMOID, PRIORS, fine=fine)
    found = Posterior(SIGMOID, curve, draw(grid, PRIORS, count=count), 0.0)
    ahead = found.reward([2.0 * curve.compute_last, 4.0 * curve.compute_last])
    values = (found.asymptote, *ahead.T, found.midpoint, found.exponent, found.baseline, found.sigma)
    return np.stack([found.quantiles(value, LEVELS) for value in values])


def cases(count: int) -> list[Curve]:
    """Return curves of every length, noise and reach, a quarter of them without an early evaluation."""
    rng = np.random.default_rng(91)
    curves: list[Curve] = []
    for k in range(count):
        truth = off_prior(rng, float(rng.choice([0.0, 0.5, 0.8])))
        last = float(rng.choice([0.5, 1.0, 2.0, 4.0, 8.0]))
        first = 0.0 if k % 4 else 0.3
        curves.append(noisy(truth, np.linspace(first, last, int(rng.choice([12, 20, 40, 100]))) * C_MID, rng))
    return curves


def measure(quick: bool = False) -> Report:
    """Compare the quantiles with the reference."""
    report = Report("quadrature", "How far are the quantiles from the exact posterior?")
    errors = []
    for curve in cases(8 if quick else 60):
        exact = quantiles(curve, DENSE, MANY)
        width = exact[:, 2] - exact[:, 0]
        errors.append(np.abs(quantiles(curve, FINE, COUNT) - exact) / width[:, None])
    shares = 100.0 * np.array(errors)
    table = report.table(
        "error of the 10, 50 and 90 % quantiles, % of the 80 % width", ["quantity", "mean", "95th percentile", "worst"]
    )
    for name, column in zip(QUANTITIES, np.moveaxis(shares, 1, 0), strict=True):
        table.add(name, f"{column.mean():.2f}", f"{np.quantile(column, 0.95):.2f}", f"{column.max():.2f}")
    report.check("quantile error, mean", f"{shares.mean():.2f} %", "<= 1 %", bool(shares.mean() <= 1.0))
    within = float(np.mean(shares <= 1.0))
    report.check("quantiles within 1 %", f"{100 * within:.0f} %, worst {shares.max():.2f} %", "all", within == 1.0)
    return report


if __name__ == "__main__":
    main(measure)
