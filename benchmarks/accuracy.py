"""Error of the median forecast beside least squares and the published grid.

First the off-prior design of ``coverage`` with ``n`` of 40 and 100: median absolute error of ``R(8 C_last)``, in
reward, of the posterior median (the sigmoid alone, no model error) against bounded least squares with ``R0`` free.
Targets (issue 2): at most 1.05 times least squares pooled over the cells, and lower at each ``C_last/C_mid <= 2`` and
pooled over those. The default, the average of the families, stands beside it without a target.

Then the published grid method on its own ground: ``C_mid ~ U(1,000, 12,000)`` GPU-hours, ``A ~ U(.5, .75)``, the true
``R0`` given, 40 evaluations after the one at 0, the same ``C_last/C_mid`` and noise correlations. Target: our median
error, pooled, is below its. MINOS on the same curves shows what a profile-likelihood interval covers.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from benchmarks import baselines
from benchmarks.common import Report, covers, main, noisy, percent
from benchmarks.designs import CORRELATIONS, RATIOS, evenly, off_prior
from rlscale.curves import Truth
from rlscale.inference import Posterior, posterior
from rlscale.inference.families import SIGMOID
from rlscale.trust.baselines import METHODS, published_sigmoid

COUNTS = (40, 100)
AHEAD = 8.0
NEAR = 2.0
OURS, AVERAGE = "rlscale (sigmoid)", "rlscale (average)"


def median(found: Posterior, target: float) -> float:
    """Median of the noise-free reward at ``target``, without model error."""
    return float(found.quantiles(found.reward([target])[:, 0], 0.5))


def cell(ratio: float, rho: float, count: int, curves: int) -> dict[str, list[float]]:
    """Return each method's absolute errors on the same curves, in reward.

    ``covered`` tells whether the delta-method interval of least squares holds the truth.
    """
    rng = np.random.default_rng([31, RATIOS.index(ratio), CORRELATIONS.index(rho), count])
    compute = evenly(ratio, count)
    target = AHEAD * float(compute[-1])
    errors: dict[str, list[float]] = defaultdict(list)
    for _ in range(curves):
        truth = off_prior(rng, rho)
        curve = noisy(truth, compute, rng)
        right = float(truth.reward(target))
        fitted = baselines.least_squares(curve.compute, curve.reward)
        forecasts = {
            OURS: median(posterior(curve, families=(SIGMOID,)), target),
            AVERAGE: median(posterior(curve), target),
            "least squares": float(fitted.reward(target)),
            "linearised grid": METHODS["linearised_grid"](curve, np.array([target])),
            "last value": METHODS["last_value"](curve, np.array([target])),
            "mean of last 3": METHODS["last3_mean"](curve, np.array([target])),
        }
        for method, forecast in forecasts.items():
            errors[method].append(abs(forecast - right))
        low, high = fitted.interval(target)
        errors["covered"].append(float(low <= right <= high))
    return errors


def off_prior_design(report: Report, curves: int) -> None:
    """Compare with least squares over the cells of the off-prior design."""
    methods = (OURS, AVERAGE, "least squares", "linearised grid", "last value", "mean of last 3")
    table = report.table(
        "median |error| of R(8 C_last) over n 40 and 100, rho 0, .5, .8", ["C_last/C_mid", *methods, "LS cover %"]
    )
    pooled: dict[str, list[float]] = defaultdict(list)
    near: dict[str, list[float]] = defaultdict(list)
    lower = []
    for ratio in RATIOS:
        here: dict[str, list[float]] = defaultdict(list)
        for count in COUNTS:
            for rho in CORRELATIONS:
                for method, values in cell(ratio, rho, count, curves).items():
                    here[method] += values
        for method, values in here.items():
            pooled[method] += values
            if ratio <= NEAR:
                near[method] += values
        table.add(ratio, *(f"{np.median(here[m]):.4f}" for m in methods), f"{100 * np.mean(here['covered']):.1f}")
        if ratio <= NEAR:
            lower.append(float(np.median(here[OURS]) / np.median(here["least squares"])))
    table.add("all", *(f"{np.median(pooled[m]):.4f}" for m in methods), f"{100 * np.mean(pooled['covered']):.1f}")
    times = float(np.median(pooled[OURS]) / np.median(pooled["least squares"]))
    error = bootstrap(np.array(pooled[OURS]), np.array(pooled["least squares"]))
    text = f"{times:.3f} x +- {error:.3f}"
    report.check("median error against least squares, pooled", text, "<= 1.05 x", times <= 1.05)
    times = float(np.median(near[OURS]) / np.median(near["least squares"]))
    report.check("the same, C_last/C_mid <= 2 pooled", f"{times:.3f} x", "< 1 x", times < 1.0)
    worst = max(lower)
    report.check("the same, worst of C_last/C_mid <= 2", f"{worst:.3f} x", "< 1 x", worst < 1.0)


def on_the_grids_ground(report: Report, curves: int) -> None:
    """Compare with the published grid in its own units and range, and with MINOS."""
    methods = (OURS, "published grid", "least squares")
    table = report.table(
        "the published grid's own units and range: median |error| of R(8 C_last), 80 % coverage",
        ["C_last/C_mid", *methods, "cover %", "MINOS cover %", "MINOS none"],
    )
    pooled: dict[str, list[float]] = defaultdict(list)
    for ratio in RATIOS:
        rng = np.random.default_rng([37, RATIOS.index(ratio)])
        errors: dict[str, list[float]] = defaultdict(list)
        ours, profile, none = [], [], 0
        for index in range(curves):
            base = off_prior(rng, CORRELATIONS[index % len(CORRELATIONS)])
            midpoint, asymptote = float(rng.uniform(1000.0, 12000.0)), float(rng.uniform(0.5, 0.75))
            truth = Truth(R0=base.R0, A=asymptote, B=base.B, C_mid=midpoint, sigma=base.sigma, rho=base.rho)
            compute = np.linspace(0.0, ratio * midpoint, 41)
            curve, target = noisy(truth, compute, rng, "gpu-hours"), AHEAD * float(compute[-1])
            right = float(truth.reward(target))
            found = posterior(curve, families=(SIGMOID,), model_error=0.0)
            values = found.reward([target])[:, 0]
            errors[OURS].append(abs(median(found, target) - right))
            grid = published_sigmoid(curve.compute, curve.reward, truth.R0)
            errors["published grid"].append(abs(float(grid.reward(target)) - right))
            least = baselines.least_squares(curve.compute, curve.reward)
            errors["least squares"].append(abs(float(least.reward(target)) - right))
            ours.append(covers(found, values, right))
            walked = baselines.minos(curve.compute, curve.reward, target)
            none += walked is None
            profile.append(walked is not None and bool(walked[0] <= right <= walked[1]))
        table.add(ratio, *(f"{np.median(errors[m]):.4f}" for m in methods), percent(ours), percent(profile), none)
        for method, values_ in errors.items():
            pooled[method] += values_
    table.add("all", *(f"{np.median(pooled[m]):.4f}" for m in methods), "", "", "")
    ours_, theirs = float(np.median(pooled[OURS])), float(np.median(pooled["published grid"]))
    error = bootstrap(np.array(pooled[OURS]), np.array(pooled["published grid"]))
    text = f"{ours_:.4f} v {theirs:.4f}, {ours_ / theirs:.3f} x +- {error:.3f}"
    report.check("median error against the published grid, pooled", text, "< 1 x", ours_ < theirs)


def bootstrap(ours: NDArray[np.float64], theirs: NDArray[np.float64], times: int = 400) -> float:
    """Return the standard error of the ratio of two medians over the same curves, both of shape (n,)."""
    rng = np.random.default_rng(61)
    picks = rng.integers(0, ours.size, size=(times, ours.size))
    return float(np.std(np.median(ours[picks], axis=1) / np.median(theirs[picks], axis=1)))


def measure(quick: bool = False) -> Report:
    """Measure both designs."""
    report = Report("accuracy", "Is the median forecast as accurate as least squares and the published grid?")
    off_prior_design(report, 10 if quick else 200)
    on_the_grids_ground(report, 6 if quick else 240)
    return report


if __name__ == "__main__":
    main(measure)
