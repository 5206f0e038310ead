"""Simulation-based calibration: are the intervals exact where the prior is right.

Truths are drawn from the engine's own priors (``inference.priors`` and the sigmoid's): ``ln C_mid`` around the last
compute, ``ln B``, ``(R0, A)`` in the unit square with weight .05 where ``A < R0``, ``rho`` from its grid, ``sigma`` cut
to at most .1. An evaluation at 0 and 40 equally spaced ones after it, fitted with the sigmoid alone, no model error,
noise free to leave the bounds (below the reader). Targets (issue 2, design §9), 2,000 curves: 80 +- 3 % and 50 +- 4 %
for ``A, B, C_mid`` and the rewards at ``2 C_last`` and ``8 C_last``; ``R0`` reported. The rank of the truth among the
draws should be uniform: chi-squared over 20 bins.

Talts et al., "Validating Bayesian inference algorithms with simulation-based calibration", 2018.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from benchmarks.common import Report, main, noisy
from rlscale.curves import Truth
from rlscale.inference import Posterior, posterior
from rlscale.inference.families import SIGMOID
from rlscale.inference.noise import RHO_GRID
from rlscale.inference.priors import PRIORS

COUNT = 40
LAST = 1.0
SIGMA_MAX = 0.1
BINS = 20
QUANTITIES = ("A", "B", "C_mid", "R(2 C_last)", "R(8 C_last)", "R0")


def within(rng: np.random.Generator, mean: float, sd: float, limits: tuple[float, float]) -> float:
    """Draw from a normal cut to ``limits``, by rejection."""
    while True:
        value = float(rng.normal(mean, sd))
        if limits[0] <= value <= limits[1]:
            return value


def from_prior(rng: np.random.Generator) -> Truth:
    """Draw a truth from the priors of the engine; compute is in units of the last one."""
    m = within(rng, 0.0, PRIORS.log_c_mid_sd, PRIORS.log_c_mid_limits)
    log_limits = float(np.log(SIGMOID.b_limits[0])), float(np.log(SIGMOID.b_limits[1]))
    log_b = within(rng, SIGMOID.log_b_mean, SIGMOID.log_b_sd, log_limits)
    sigma = np.inf
    while sigma > SIGMA_MAX:
        shape, scale = PRIORS.sigma_shape, PRIORS.sigma_scale
        sigma = float(np.sqrt(shape * scale**2 / rng.gamma(shape)))
    while True:
        r0, a, coin = rng.uniform(size=3)
        if a >= r0 or coin < PRIORS.falling_weight:
            break
    return Truth(
        R0=float(r0),
        A=float(a),
        B=float(np.exp(log_b)),
        C_mid=float(LAST * np.exp(m)),
        sigma=sigma,
        rho=float(rng.choice(RHO_GRID)),
    )


def ranks(found: Posterior, truth: Truth) -> list[float]:
    """Return the posterior probability below the truth of each of :data:`QUANTITIES`."""
    ahead = found.reward([2.0 * LAST, 8.0 * LAST])
    right = truth.reward([2.0 * LAST, 8.0 * LAST])
    pairs = (
        (found.asymptote, truth.A),
        (found.exponent, truth.B),
        (found.midpoint, truth.C_mid),
        (ahead[:, 0], float(right[0])),
        (ahead[:, 1], float(right[1])),
        (found.baseline, truth.R0),
    )
    return [float(found.weight @ (values < value)) for values, value in pairs]


def central(rank: NDArray[np.float64], level: float) -> float:
    """Share of truths inside the central ``level`` interval."""
    return float(np.mean(np.abs(rank - 0.5) <= level / 2.0))


def measure(quick: bool = False) -> Report:
    """Measure coverage and rank uniformity."""
    report = Report("sbc", "Are the intervals exact where the prior is right?")
    curves = 100 if quick else 2000
    rng = np.random.default_rng(41)
    compute = np.linspace(0.0, LAST, COUNT + 1)
    found = []
    for _ in range(curves):
        truth = from_prior(rng)
        found.append(ranks(posterior(noisy(truth, compute, rng), families=(SIGMOID,), model_error=0.0), truth))
    by_quantity = dict(zip(QUANTITIES, np.array(found).T, strict=True))
    table = report.table(
        f"simulation-based calibration, {curves} curves of {COUNT} evaluations",
        ["quantity", "80 % covers", "50 % covers", "95 % covers", "mean rank", "chi2 p"],
    )
    for name, rank in by_quantity.items():
        counts, _ = np.histogram(rank, bins=BINS, range=(0.0, 1.0))
        p = float(chi2.sf(np.sum((counts - curves / BINS) ** 2) / (curves / BINS), BINS - 1))
        levels = [f"{100 * central(rank, level):.1f}" for level in (0.8, 0.5, 0.95)]
        table.add(name, *levels, f"{rank.mean():.3f}", f"{p:.3f}")
    for level, slack in ((0.8, 0.03), (0.5, 0.04)):
        scores = {name: central(rank, level) for name, rank in by_quantity.items() if name != "R0"}
        worst = max(scores, key=lambda name: abs(scores[name] - level))
        report.check(
            f"{level:.0%} coverage of A, B, C_mid, R(2x), R(8x)",
            f"{100 * min(scores.values()):.1f} to {100 * max(scores.values()):.1f} %, furthest {worst}",
            f"{100 * level:.0f} +- {100 * slack:.0f} %",
            abs(scores[worst] - level) <= slack,
        )
    return report


if __name__ == "__main__":
    main(measure)
