"""Are claims about recipes calibrated? ``python -m benchmarks.seeds``.

Recipes of several seeds with a known level: a recipe's ceiling ``A ~ U(.4, .9)``, its runs' ceilings ``N(A, tau^2)``,
``ln C_mid`` of the runs scattered by .05; six recipes a project, up to 3 ``C_mid``, ranked at 12. The run-to-run sd is
learned from the replicates and shrunk to .03, or the default is used. Truth of a recipe: its reward at the target with
its own ``A``. Beside it the same with the sd held at 0, which claims these runs only: the negative control.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import Report, main, noisy
from benchmarks.designs import evenly
from rlscale.curves import Run, Truth
from rlscale.decisions import rank
from rlscale.inference import Fit, FitOptions, fit
from rlscale.inference.families import SIGMOID

Floats = NDArray[np.float64]

RECIPES, POINTS, LAST, TARGET = 6, 30, 3.0, 12.0
MIDPOINT = 1000.0
#: Runs of each recipe x true run-to-run sd.
CASES = ((1, 0.03), (2, 0.01), (2, 0.03), (2, 0.06), (4, 0.01), (4, 0.03), (4, 0.06))
OPTIONS = FitOptions(families=(SIGMOID,), model_error=0.0)


def project(rng: np.random.Generator, seeds: int, tau: float) -> tuple[list[Fit], dict[str, float]]:
    """Return the fits of one project and the level of each recipe at the target."""
    fits, levels = [], {}
    for recipe in range(RECIPES):
        ceiling, exponent, baseline = rng.uniform(0.4, 0.9), rng.lognormal(np.log(1.5), 0.2), rng.uniform(0.05, 0.3)
        midpoint = MIDPOINT * rng.uniform(0.7, 1.3)
        middle = {"R0": float(baseline), "A": float(ceiling), "B": float(exponent), "C_mid": float(midpoint)}
        levels[f"r{recipe}"] = float(Truth(**middle, sigma=0.0, rho=0.0).reward([TARGET * MIDPOINT])[0])
        for seed in range(seeds):
            truth = Truth(
                R0=float(baseline),
                A=float(np.clip(ceiling + tau * rng.standard_normal(), 0.0, 1.0)),
                B=float(exponent),
                C_mid=float(midpoint * np.exp(0.05 * rng.standard_normal())),
                sigma=0.01,
                rho=0.3,
            )
            curve = noisy(truth, evenly(LAST, POINTS), rng)
            fits.append(fit(Run(name=f"r{recipe}#{seed}", recipe=f"r{recipe}", curve=curve), options=OPTIONS))
    return fits, levels


def scored(seeds: int, tau: float, projects: int, seed_sd: float | None) -> tuple[float, float, float, float]:
    """Return coverage of the 80 % intervals, mean tau in use, and what claims of 90 % and more came to, with theirs."""
    rng = np.random.default_rng([53, seeds, int(1000 * tau)])
    inside, used, stated, right = [], [], [], []
    for _ in range(projects):
        fits, levels = project(rng, seeds, tau)
        ranking = rank(fits, target=TARGET * MIDPOINT, seed_sd=seed_sd)
        used.append(ranking.seed_sd.value)
        for row in ranking.recipes:
            if row.forecast is not None:
                inside.append(row.forecast.q10 <= levels[row.recipe] <= row.forecast.q90)
        for pair in ranking.pairs:
            better = pair.p_a_better >= 0.5
            sure = pair.p_a_better if better else 1.0 - pair.p_a_better
            if sure >= 0.9:
                stated.append(sure)
                right.append((levels[pair.a] > levels[pair.b]) == better)
    return float(np.mean(inside)), float(np.mean(used)), float(np.mean(stated)), float(np.mean(right))


def measure(quick: bool = False) -> Report:
    """Measure coverage of recipe levels and the truth of confident claims."""
    report = Report("seeds", "Are claims about recipes calibrated?")
    table = report.table(
        "recipe levels at 4 x the last compute, sigmoid, no model error",
        [
            "runs a recipe, true tau", "tau in use", "covered, %", "claims >= 90 %: stated", "came true",
            "tau 0: covered, %", "came true",
        ],
    )  # fmt: skip
    worst = 1.0
    for seeds, tau in CASES:
        projects = 3 if quick else 120 // seeds
        covered, used, stated, right = scored(seeds, tau, projects, None)
        naive, _, _, naive_right = scored(seeds, tau, projects, 0.0)
        table.add(
            f"{seeds}, {tau:g}", f"{used:.3f}", f"{100 * covered:.0f}", f"{100 * stated:.0f} %", f"{100 * right:.0f} %",
            f"{100 * naive:.0f}", f"{100 * naive_right:.0f} %",
        )  # fmt: skip
        if tau <= 0.03:
            worst = min(worst, covered)
    report.check(
        "coverage of recipe levels, tau up to the default, worst case", f"{100 * worst:.0f} %", ">= 70 %", worst >= 0.7
    )
    return report


if __name__ == "__main__":
    main(measure)
