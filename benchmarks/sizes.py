"""Does the law across model sizes hold what it says? ``python -m benchmarks.sizes``.

Published constants are reproduced, then runs are simulated from them: sizes of .5 to 32 billion parameters, three runs
each, 105 evaluations, AR(1) noise of .005 to .02 of the reward with correlation .3, and run-to-run sd .01 of ``log L``.
The size to predict is 72 billion, of which nothing is shown. Beside it the procedure of the paper: least squares with
``E(72B)`` refitted on the first quarter of that size's runs, and the covariance of independent points.

Source of the constants: Tan et al., "Scaling Behaviors of LLM RL Post-Training" (arXiv 2509.25300), table 6 and the
fits in the authors' repository (four fits of seven sizes, intercepts given there in log10).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import Report, main, percent
from benchmarks.size_projects import (
    FITS,
    PHI,
    RUNS,
    SAMPLES,
    SIZES,
    Published,
    drawn_intercepts,
    grouped,
    least_squares,
    refitted_reward,
    shares_of,
    simulated,
)
from rlscale.curves import Run
from rlscale.decisions.sizes import FormName, size_law
from rlscale.decisions.sizes.predictions import posterior_of
from rlscale.inference import Interval
from rlscale.inference.size_law import exponent, midpoint_slope, new_size, shifted_intercept, summary
from rlscale.inference.size_law.trend import AMPLITUDE, WORTH, trend

Floats = NDArray[np.float64]

#: ``K_max``, ``N0`` in billions and the printed ``k`` of table 6, to four digits.
TABLE = (
    ("base C inter", 0.1518, 17.37, (0.0042, 0.0121, 0.0224, 0.0436, 0.0677, 0.0984, 0.1223)),
    ("base C intra", 0.1349, 13.09, (0.0050, 0.0139, 0.0252, 0.0470, 0.0697, 0.0957, 0.1141)),
    ("instruct C inter", 0.1443, 28.33, (0.0025, 0.0073, 0.0138, 0.0286, 0.0477, 0.0765, 0.1036)),
    ("instruct C intra", 0.1276, 17.27, (0.0036, 0.0102, 0.0189, 0.0368, 0.0571, 0.0829, 0.1029)),
    ("base D inter", 0.1631, 16.95, (0.0047, 0.0133, 0.0245, 0.0477, 0.0738, 0.1066, 0.1320)),
    ("instruct D inter", 0.1484, 27.15, (0.0027, 0.0078, 0.0148, 0.0304, 0.0505, 0.0803, 0.1078)),
)


def inside(interval: Interval, truth: float) -> bool:
    """Whether an 80 % interval holds the truth."""
    return interval.q10 <= truth <= interval.q90


def identities(report: Report) -> None:
    """Reproduce what is published exactly."""
    table = report.table("k(N) from (K_max, N0) against the published values", ["fit", "largest difference"])
    worst = 0.0
    for name, K_max, N0, printed in TABLE:
        apart = float(np.abs(exponent(SIZES / 1e9, K_max, N0) - np.array(printed)).max())
        worst = max(worst, apart)
        table.add(name, f"{apart:.6f}")
    report.check("k(N) tables to four digits", f"{worst:.6f}", "<= .00005 (rounding)", worst <= 5.1e-5)
    fit = FITS[1]
    shifted = shifted_intercept(fit.E, fit.k, SIZES * PHI)
    at = 1e4
    apart = float(np.abs(shifted - fit.k * np.log(SIZES * at * PHI) - (fit.E - fit.k * np.log(at))).max())
    report.check("E shift identity, C = N D phi", f"{apart:.1e}", "<= 1e-12", apart <= 1e-12)
    beta, gain, floor, step = 1.1, 0.3, 0.35, 1e-5

    def log_share(x: float) -> float:
        return float(np.log(floor + gain / (1.0 + np.exp(beta * x))))

    slope = -(log_share(step) - log_share(-step)) / (2.0 * step)
    apart = abs(slope - float(midpoint_slope(beta, gain, floor)))
    report.check("slope identity of appendix D at D0", f"{apart:.1e}", "<= 1e-8", apart <= 1e-8)


def submodel(report: Report) -> None:
    """Predict the published intercepts one, two and three sizes beyond others."""
    from scipy.stats import t as student

    table = report.table(
        "log L at the reference compute of a further size, from 3 to 6 smaller ones, four published fits (in sample: "
        "the sub-model was chosen on these)",
        ["sizes beyond", "cases", "mean error", "straight line", "last value", "80 % covers"],
    )
    for away in (1, 2, 3):
        ours, line, last, hits = [], [], [], []
        for fit in FITS:
            levels = fit.E - fit.k * float(np.mean(np.log(fit.compute[:, -1])))
            for shown in range(3, SIZES.size - away + 1):
                new = shown + away - 1
                at = np.log(SIZES[:shown])
                mean, scale, squares, degrees = trend(levels[None, :shown], at, float(np.log(SIZES[new])))
                sd = scale * np.sqrt((WORTH * AMPLITUDE**2 + squares[0]) / (WORTH + degrees))
                error = abs(mean[0] - levels[new])
                ours.append(error)
                straight = np.polynomial.Polynomial.fit(at, levels[:shown], 1)(np.log(SIZES[new]))
                line.append(abs(straight - levels[new]))
                last.append(abs(levels[shown - 1] - levels[new]))
                hits.append(bool(error <= sd * student.ppf(0.9, WORTH + degrees)))
        table.add(str(away), len(ours), *(float(np.mean(each)) for each in (ours, line, last)), percent(hits))


def coverage(report: Report, draws: int) -> None:
    """Cover exponent and reward of an unseen size, beside the paper's own procedure."""
    table = report.table(
        "72B unseen, from .5 to 32B; constants of the four published fits in turn",
        [
            "noise", "k covered, %", "error of the median", "LSQ error", "LSQ covered, %", "K_max, %", "N0, %",
            "reward, E drawn, %", "reward, E published, %", "mean error", "E refitted: ours", "covered, %", "paper's",
        ],
    )  # fmt: skip
    every: dict[str, list[bool]] = {"k": [], "drawn": [], "published": [], "lsq": []}
    for sd in (0.005, 0.01, 0.02):
        rng = np.random.default_rng([17, int(1000 * sd)])
        rows = [_unseen(rng, FITS[draw % len(FITS)], sd) for draw in range(draws)]
        for key in every:
            every[key] += [getattr(row, f"{key}_in") for row in rows]
        table.add(
            f"{sd:g}", percent([row.k_in for row in rows]), float(np.mean([row.k_error for row in rows])),
            float(np.mean([row.lsq_error for row in rows])), percent([row.lsq_in for row in rows]),
            percent([row.K_in for row in rows]), percent([row.N0_in for row in rows]),
            percent([row.drawn_in for row in rows]), percent([row.published_in for row in rows]),
            float(np.mean([row.published_error for row in rows])), float(np.mean([row.refit_error for row in rows])),
            percent([row.refit_in for row in rows]), float(np.mean([row.paper_error for row in rows])),
        )  # fmt: skip
        found = float(np.mean([row.k_in for row in rows]))
        report.check(f"k(72B) covered, noise {sd:g}", percent([row.k_in for row in rows]), "73 to 88 %",
                     0.73 <= found <= 0.88)  # fmt: skip
    report.check("k(72B) covered, all noise levels", percent(every["k"]), "73 to 88 %",
                 0.73 <= float(np.mean(every["k"])) <= 0.88)  # fmt: skip
    report.check("reward at 72B covered, E drawn anew", percent(every["drawn"]), ">= 75 %",
                 float(np.mean(every["drawn"])) >= 0.75)  # fmt: skip
    report.check("reward at 72B covered, E published", percent(every["published"]), "", None)
    report.check("beside it: least squares, independent points", percent(every["lsq"]), "", None)


@dataclass(frozen=True)
class Unseen:
    """How one simulated project went."""

    k_in: bool
    k_error: float
    K_in: bool
    N0_in: bool
    lsq_in: bool
    lsq_error: float
    drawn_in: bool
    published_in: bool
    published_error: float
    refit_in: bool
    refit_error: float
    paper_error: float


def _unseen(rng: np.random.Generator, fit: Published, sd: float) -> Unseen:
    truth, last = float(fit.k[-1]), float(fit.compute[-1, -1])
    runs = simulated(rng, shares_of(fit, fit.E), fit.compute, fit.unit, sd)
    sized = grouped(runs)
    shown = sized.without(float(SIZES[-1]))
    posterior = posterior_of(shown)
    new = new_size(posterior, float(SIZES[-1]))
    k, reward = summary(new.k), summary(posterior.reward(new.k, new.level, last)[:, 0])
    reached = float(1.0 - np.exp(fit.E[-1] - truth * np.log(last)))
    classic = least_squares(shown.runs, float(SIZES[-1]))
    begun = posterior_of(sized.cut(0.25, float(SIZES[-1])))
    refit = summary(begun.size_reward(float(SIZES[-1]), last)[:, 0])
    first = [run for run in sized.cut(0.25, float(SIZES[-1])).runs if run.model_params == SIZES[-1]]
    again, target = _drawn(rng, fit, sd, last)
    return Unseen(
        k_in=inside(k, truth), k_error=abs(k.q50 - truth), K_in=inside(summary(posterior.K_max), fit.K_max),
        N0_in=inside(summary(posterior.N0), fit.N0), lsq_in=abs(classic.k_new - truth) <= 1.2816 * classic.k_sd,
        lsq_error=abs(classic.k_new - truth), drawn_in=inside(again, target), published_in=inside(reward, reached),
        published_error=abs(reward.q50 - reached), refit_in=inside(refit, reached),
        refit_error=abs(refit.q50 - reached), paper_error=abs(refitted_reward(first, classic.k_new, last) - reached),
    )  # fmt: skip


def _drawn(rng: np.random.Generator, fit: Published, sd: float, last: float) -> tuple[Interval, float]:
    """Return the predicted reward of an unseen size and the truth, ``E`` drawn anew."""
    E = drawn_intercepts(rng, fit)
    shares = shares_of(fit, E)
    posterior = posterior_of(grouped(simulated(rng, shares[:-1], fit.compute, fit.unit, sd)))
    new = new_size(posterior, float(SIZES[-1]))
    return summary(posterior.reward(new.k, new.level, last)[:, 0]), float(1.0 - shares[-1][-1])


def off_the_law(report: Report, draws: int) -> None:
    """Cover where sizes or runs do not lie on the law."""
    table = report.table(
        "off the law, noise .01: k(72B) of a size that lies off it as much as the others",
        ["what", "covered, %", "error of the median", "width", "LSQ covered, %"],
    )
    for name, size_sd, slope_sd, run_sd in (
        ("on the law", 0.0, 0.0, 0.01), ("sizes 3 % off", 0.03, 0.0, 0.01), ("sizes 6 % off", 0.06, 0.0, 0.01),
        ("sizes 12 % off", 0.12, 0.0, 0.01), ("slopes of runs 10 % off", 0.0, 0.1, 0.01),
        ("levels of runs .04 off", 0.0, 0.0, 0.04),
    ):  # fmt: skip
        rng = np.random.default_rng([19, int(1000 * size_sd), int(1000 * slope_sd), int(1000 * run_sd)])
        hits, errors, widths, classic_hits = [], [], [], []
        for draw in range(draws):
            fit = FITS[draw % len(FITS)]
            k = fit.k + size_sd * fit.k[-2] * rng.standard_normal(SIZES.size)
            level = (k - fit.k) * np.log(fit.compute[:, -1])  # each size turns around its end
            runs = [
                run
                for _ in range(RUNS)
                for run in _one_each(rng, fit, k + slope_sd * fit.k[-2] * rng.standard_normal(SIZES.size), k, level,
                                     run_sd)
            ]  # fmt: skip
            known = summary(new_size(posterior_of(grouped(runs)), float(SIZES[-1])).k)
            classic = least_squares(runs, float(SIZES[-1]))
            hits.append(inside(known, float(k[-1])))
            errors.append(abs(known.q50 - k[-1]))
            widths.append(known.width)
            classic_hits.append(abs(classic.k_new - k[-1]) <= 1.2816 * classic.k_sd)
        table.add(name, percent(hits), float(np.mean(errors)), float(np.mean(widths)), percent(classic_hits))
        if size_sd == 0.06:
            report.check(f"k(72B) covered, {name}", percent(hits), "", None)
            report.check(f"negative control: least squares, {name}", percent(classic_hits), "< 50 %",
                         float(np.mean(classic_hits)) < 0.5)  # fmt: skip


def _one_each(
    rng: np.random.Generator, fit: Published, own: Floats, k: Floats, level: Floats, run_sd: float
) -> list[Run]:
    """Return a run of each size but the largest whose slopes are ``own``, turned around the middle of its run."""
    turned = (own - k) * np.log(fit.compute).mean(axis=1)
    return simulated(
        rng, shares_of(fit, fit.E + level + turned, own)[:-1], fit.compute, fit.unit, 0.01, run_sd, per_size=1
    )


def s_shapes(rng: np.random.Generator) -> list[Floats]:
    """Return ``L`` of S-shaped runs along the samples: gains as in table 7, floors that fall with size."""
    gain = np.array([0.03, 0.05, 0.0734, 0.1882, 0.2520, 0.3279, 0.3084])
    middle = 4500.0 * np.exp(0.2 * rng.standard_normal(SIZES.size))
    floor = 0.1 + (0.25e9 / SIZES) ** 0.3
    return [f + g / (1.0 + SAMPLES / m) for f, g, m in zip(floor, gain, middle, strict=True)]


def forms(report: Report, draws: int) -> None:
    """Compare forms where the truth is each of two of them."""
    table = report.table(
        "which form is believed for sizes with runs, and CRPS on last halves",
        ["truth", "projects", "power", "sigmoid", "s_shaped", "CRPS power", "CRPS sigmoid", "CRPS s_shaped"],
    )
    right: dict[str, list[bool]] = {}
    for truth in ("power", "s_shaped"):
        rng = np.random.default_rng([23, len(truth)])
        picked: list[FormName] = []
        scores: dict[FormName, list[float]] = {form: [] for form in FormName}
        for _ in range(draws):
            shares = s_shapes(rng) if truth == "s_shaped" else shares_of(FITS[1], FITS[1].E)
            law = size_law(simulated(rng, shares, FITS[1].compute, "samples", 0.01))
            picked += [] if law.believe is None else [law.believe.form]
            for score in law.compare:
                if score.held_out == "last_half" and score.crps is not None:
                    scores[score.form].append(score.crps)
        right[truth] = [(form is FormName.POWER) == (truth == "power") for form in picked]
        table.add(
            truth, len(picked), *(picked.count(form) for form in FormName),
            *(float(np.mean(scores[form])) for form in FormName),
        )  # fmt: skip
    for truth, hits in right.items():
        report.check(f"a form with a ceiling believed only where there is one: truth {truth}", percent(hits), "", None)


def budgets(report: Report, draws: int) -> None:
    """Check the crossings and what is claimed of the best size."""
    crossed, claims, came = [], [], []
    rng = np.random.default_rng(29)
    for draw in range(draws):
        fit = FITS[2 * (draw % 2)]
        budget = float(10 ** rng.uniform(17.5, 20.0))
        law = size_law(simulated(rng, shares_of(fit, fit.E), fit.compute, "flops", 0.01), budget=budget, compare=False)
        rewards = 1.0 - np.exp(fit.E - fit.k * np.log(budget))
        assert law.budget is not None
        for crossing in law.budget.crossings:
            a, b = (int(np.argmin(np.abs(SIZES - size))) for size in (crossing.small, crossing.large))
            truth = float(np.exp((fit.E[b] - fit.E[a]) / (fit.k[b] - fit.k[a])))
            if crossing.compute is not None and crossing.window[0] <= truth <= crossing.window[1]:
                crossed.append(inside(crossing.compute, truth))
        best = max(law.budget.p_best, key=lambda chance: chance.p or 0.0)
        if best.p is None:  # the law misses its runs: none is named
            continue
        claims.append(best.p)
        came.append(bool(SIZES[int(np.argmax(rewards))] == best.model_params))
    sure = [right for p, right in zip(claims, came, strict=True) if p >= 0.9]
    report.check("crossings covered by their 80 % intervals", percent(crossed), "", None)
    report.check("best size: mean stated P(best) against how often it is", f"{100 * np.mean(claims):.0f} % stated",
                 percent(came), None)  # fmt: skip
    report.check("best size, P(best) >= .9: came true", percent(sure) if sure else "none", ">= 85 %",
                 bool(np.mean(sure) >= 0.85) if sure else None)  # fmt: skip


def timed_calls(posteriors: int) -> Iterator[tuple[str, float]]:
    """Time what a person waits for, in ms: the best of a few."""
    rng = np.random.default_rng(31)
    fit = FITS[1]
    runs = simulated(rng, shares_of(fit, fit.E), fit.compute, fit.unit, 0.01)
    sized = grouped(runs)
    calls = {
        "lines of 21 runs and joint posterior": lambda: posterior_of(sized),
        "size_law, predict 72B, budget": lambda: size_law(runs, predict=72e9, budget=1e5, compare=False),
        "the same, forms compared": lambda: size_law(runs, predict=72e9, budget=1e5),
    }
    for name, call in calls.items():
        times = []
        for _ in range(posteriors):
            start = time.perf_counter()
            call()
            times.append(time.perf_counter() - start)
        yield name, 1e3 * min(times)


def measure(quick: bool = False) -> Report:
    """Measure identities, coverage, what is believed, budgets and speed."""
    report = Report("sizes", "Does the law across model sizes hold what it says?")
    identities(report)
    submodel(report)
    coverage(report, 6 if quick else 200)
    off_the_law(report, 6 if quick else 100)
    forms(report, 1 if quick else 12)
    budgets(report, 3 if quick else 60)
    table = report.table("time, best of several", ["call", "ms"])
    for name, ms in timed_calls(2 if quick else 5):
        table.add(name, ms)
        if name.startswith("lines"):
            report.check("a fit", f"{ms:.0f} ms", "<= 100 ms", ms <= 100.0)
    return report


if __name__ == "__main__":
    main(measure)
