"""How far are the quantiles from the exact posterior? ``python -m benchmarks.quadrature``.

The reference is the same posterior on a grid of forty times as many cells and 2^16 draws, whose own error is below
.1 %; that it is the right posterior is checked by ``tests/inference/test_posterior.py`` against a dense integration
that shares no code with the engine. Errors are of the 10, 50 and 90 % quantiles, as shares of the 80 % width.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import Report, main, noisy
from benchmarks.designs import C_MID, off_prior
from rlscale.curves import Curve
from rlscale.inference.backend import Jobs
from rlscale.inference.draws import draw
from rlscale.inference.evidence import evidence
from rlscale.inference.families import AVERAGED, SIGMOID, Family
from rlscale.inference.flat import flat_cells
from rlscale.inference.posterior import Posterior, posterior
from rlscale.inference.priors import LEARNED, PRIORS
from rlscale.inference.products import Curves
from rlscale.inference.zoom import together, zoomed

Floats = NDArray[np.float64]

LEVELS = (0.1, 0.5, 0.9)
QUANTITIES = ("A", "R(2x)", "R(4x)", "R(8x)", "C_mid", "B", "R0", "sigma")
DENSE, MANY = (150, 100), 1 << 16
#: Mean and 95th percentile that are put up with, in percent.
ALLOWED = (0.6, 2.0)


def quantiles(found: Posterior) -> Floats:
    """Return the quantiles of QUANTITIES at LEVELS, shape (8, 3)."""
    ahead = found.reward(np.array([2.0, 4.0, 8.0]) * found.curve.compute_last)
    values = (found.asymptote, *ahead.T, np.log(found.midpoint), np.log(found.exponent), found.baseline, found.sigma)
    return np.stack([found.quantiles(value, LEVELS) for value in values])


def dense(curve: Curve, families: Sequence[Family]) -> Posterior:
    """Return the reference."""
    learned = len(families) > 1
    priors = LEARNED if learned else PRIORS
    data = evidence(curve, early=learned, walk=learned, priors=priors)
    curves = Curves((data,), priors)
    cells = zoomed(Jobs(curves, tuple(family for family in families if family.rises)), fine=DENSE)
    if not families[-1].rises:
        cells = together(cells, flat_cells(curves, families[-1]))
    draws = draw(cells, range(len(families)), data.noises, priors, count=MANY)
    return Posterior(tuple(families), curve, draws, None if learned else 0.0, priors=priors)


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
    """Compare the quantiles with the reference, for the sigmoid and for the average."""
    report = Report("quadrature", "How far are the quantiles from the exact posterior?")
    made = cases(8 if quick else 80)
    for name, families in (("sigmoid", (SIGMOID,)), ("average", AVERAGED)):
        errors = []
        for curve in made:
            exact = quantiles(dense(curve, families))
            width = exact[:, 2] - exact[:, 0]
            errors.append(np.abs(quantiles(posterior(curve, families=families)) - exact) / width[:, None])
        conclude(report, name, 100.0 * np.array(errors))
    return report


def conclude(report: Report, name: str, shares: Floats) -> None:
    """Report errors of shape (curves, quantities, levels), in percent of the 80 % width."""
    table = report.table(
        f"{name}: error of the 10, 50 and 90 % quantiles, % of the 80 % width",
        ["quantity", "mean", "95th percentile", "worst"],
    )
    for quantity, column in zip(QUANTITIES, np.moveaxis(shares, 1, 0), strict=True):
        table.add(quantity, f"{column.mean():.2f}", f"{np.quantile(column, 0.95):.2f}", f"{column.max():.2f}")
    mean, high = float(shares.mean()), float(np.quantile(shares, 0.95))
    report.check(f"{name}: quantile error, mean", f"{mean:.2f} %", f"<= {ALLOWED[0]} %", mean <= ALLOWED[0])
    report.check(f"{name}: 95th percentile", f"{high:.2f} %", f"<= {ALLOWED[1]} %", high <= ALLOWED[1])
    within = f"{100 * float(np.mean(shares <= 1.0)):.0f} %, worst {shares.max():.2f} %"
    report.check(f"{name}: quantiles within 1 %", within, "", None)


if __name__ == "__main__":
    main(measure)
