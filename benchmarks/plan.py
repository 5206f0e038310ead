"""Is a plan right about the compute to a reward, does its split of a budget pay? ``python -m benchmarks.plan``.

*Compute to reach.* Truths off the engine's prior (``designs.off_prior``, noise correlation 0, .5 or .8), 80 evaluations
up to 2 ``C_mid``, cut at 1 and at 2 ``C_mid``. Every other case is asked for .5, .6, .7 or .8 whatever the run shows,
the rest for a reward ahead of it: the mean of the last 3 evaluations plus ``U(0, .3)``, at most .97. Three worlds:
*runs*, the law alone, asked with ``seed_sd`` 0; *recipes*, where the run's ceiling scatters by .03 around the recipe's
(its ``ln C_mid`` by .05) and the recipe's is the truth, as plan claims by default; *wandering runs*, to whose law a
Brownian motion in ``ln(1 + 4 C / C_mid)`` is added, sd .02 a unit, up to 8 ``C_mid``, and the truth is its first
passage. The truth is reached at any compute (up to 100 times the last); "ever" of plan is 8 times the last, which was
chosen on recipes of other seeds. Beside it the least-squares sigmoid inverted, which is sure, and the first passage of
the model error as the Brownian motion that it is, with fresh steps: the alternative to following quantile curves
(``decisions/plan/reach.py``). The expected calibration error (ECE) is over ten bins of equal width.

*Cut early.* Off-prior truths and slow recipes like those of ``rlscale simulate`` (``A`` .7 or .85, ``B`` 1.3 to 1.5),
18 evaluations up to .45 ``C_mid``, each asked for .4, .5, .6 and .7: what is said and what is reached within plan's
horizon, in bins of what is said. A property of rises that have only begun, not held to a target.

*Real runs* (where they are, see ``archives``): cut as a backtest cuts them and asked, by their end, for the mean of the
last 3 evaluations plus ``U(0, .2)`` of the range; the truth is the mean of the last tenth, at least 3.

*Split.* Projects of 4 recipes (``projects``), seen up to 300 or 1000, with a budget that takes one run to 4000: what is
left may be split. Each policy gets true evaluations of what it runs and chooses by the forecast. Regret: the best end
that any recipe has with all that is left, less the end of the one chosen; right is the one with the highest true reward
where it ends. *Equal thirds*: a third of what is left for all, a third for the best two, a third for the best.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from benchmarks import projects, sources
from benchmarks.common import Report, UncheckedCurve, main, noisy
from benchmarks.designs import C_MID, CORRELATIONS, SCALERL, off_prior, scalerl
from rlscale.curves import Curve, Run, Truth
from rlscale.decisions.plan import Reach, lr_for, plan
from rlscale.decisions.plan.paths import shuffled
from rlscale.decisions.plan.reach import HORIZON, reach
from rlscale.inference import FitOptions
from rlscale.inference.fit import fits
from rlscale.inference.forecast import Interval
from rlscale.inference.least_squares import least_squares
from rlscale.inference.pool import SEED_SD
from rlscale.inference.posterior import Posterior
from rlscale.inference.walk import passed

Floats = NDArray[np.float64]

POINTS, CUTS = 80, (1.0, 2.0)
#: Rewards that are wanted whatever a run shows, and the last compute's multiple beyond which nothing counts.
ROUND, NEVER = (0.5, 0.6, 0.7, 0.8), 100.0
#: Sd of the motion of wandering runs, over one unit of log time, and where it stops, in midpoints.
WANDER, STILL = 0.02, 8.0
#: The budget in question, in last computes.
BUDGET = 4.0
RUNS, RECIPES, WANDERING = "runs", "recipes", "wandering runs"
#: Curves of each world.
COUNTS = {RUNS: 4000, RECIPES: 4000, WANDERING: 2000}
#: The other methods are slow: they get the first of so many parts of the cases.
RIVALS = 4


@dataclass(frozen=True, eq=False)
class Case:
    """A reward wanted of a run cut short.

    Parameters
    ----------
    curve : Curve
    reward : float
    when : float
        Compute at which the truth gets there; ``inf`` where it does not.
    tau : float
        Of the claim.
    """

    curve: Curve
    reward: float
    when: float
    tau: float


def reached(truth: Truth, wanted: float) -> float:
    """Return the compute at which the law gets to a reward: ``C_mid ((R - R0) / (A - R))^(1 / B)``."""
    if wanted >= truth.A:
        return float("inf")
    return float(truth.C_mid * (max(wanted - truth.R0, 0.0) / (truth.A - wanted)) ** (1.0 / truth.B))


def cases(world: str, cut: float, count: int) -> list[Case]:
    """Return the cases of one world, cut at ``cut`` midpoints."""
    rng = np.random.default_rng([23, list(COUNTS).index(world)])
    return [_case(world, cut, rng, ahead=bool(k % 2)) for k in range(count)]


def _case(world: str, cut: float, rng: np.random.Generator, ahead: bool) -> Case:
    truth = off_prior(rng, float(rng.choice(CORRELATIONS)))
    compute = np.linspace(0.0, CUTS[-1] * C_MID, POINTS + 1)
    own, wander = truth, np.zeros((2, 1))
    if world == RECIPES:
        ceiling = float(np.clip(truth.A + SEED_SD * rng.standard_normal(), 0.0, 1.0))
        own = replace(truth, A=ceiling, C_mid=truth.C_mid * float(np.exp(0.05 * rng.standard_normal())))
    if world == WANDERING:
        nodes = np.geomspace(0.01 * C_MID, 2.0 * NEVER * C_MID, 2000)
        time = np.log1p(4.0 * np.minimum(nodes / C_MID, STILL))
        steps = np.sqrt(np.diff(time, prepend=0.0)) * rng.standard_normal(nodes.size)
        wander = np.stack([nodes, WANDER * np.cumsum(steps)])
    reward = own.reward(compute) + np.interp(compute, *wander) + own.noise(compute.size, rng)
    seen = compute <= cut * C_MID
    curve = UncheckedCurve(compute=compute[seen], reward=reward[seen])
    further, anyhow = rng.uniform(0.0, 0.3), float(rng.choice(ROUND))
    wanted = float(min(curve.reward[-3:].mean() + further, 0.97)) if ahead else anyhow
    when = reached(truth, wanted)
    if world == WANDERING:
        there = np.flatnonzero(truth.reward(wander[0]) + wander[1] >= wanted)
        when = float(wander[0][there[0]]) if there.size else float("inf")
    if when > NEVER * curve.compute_last:
        when = float("inf")
    return Case(curve, wanted, when, SEED_SD if world == RECIPES else 0.0)


@dataclass(frozen=True)
class Claim:
    """What a method says of a case: probability ever and by the budget, and the compute given that it gets there."""

    p: float
    p_by_budget: float
    compute: Interval | None


def by_plan(case: Case, run: Posterior) -> Claim:
    """Return what plan says."""
    answer: Reach = reach([run], case.reward, tau=case.tau, budget=BUDGET * case.curve.compute_last)
    return Claim(answer.p, answer.p_by_budget or 0.0, answer.compute)


def by_least_squares(case: Case, run: Posterior) -> Claim:
    """Invert the least-squares sigmoid: sure of what it says."""
    point = least_squares(case.curve)
    when = reached(Truth(R0=point.R0, A=point.A, B=point.B, C_mid=point.C_mid), case.reward)
    last = case.curve.compute_last
    sure = when <= NEVER * last
    return Claim(float(sure), float(when <= BUDGET * last), Interval(when, when, when) if sure else None)


def by_passage(case: Case, run: Posterior) -> Claim:
    """Return the first passage of paths whose model error to come takes fresh steps, also between two nodes."""
    few, last = run.thinned(512), case.curve.compute_last
    nodes = np.concatenate([np.geomspace(0.05 * last, last, 10), last * np.geomspace(1.02, HORIZON, 60)])
    level, ahead = few.expected(nodes).T, passed(np.log(nodes / last))
    scale, variance = few.curve.span * few.draws.walk_sd, np.diff(ahead, prepend=0.0)
    count = few.draws.weight.size
    normal = np.stack([_normal(shuffled(count, 3 + k)) for k in range(nodes.size)])
    gap = case.reward - level - scale * np.cumsum(np.sqrt(variance)[:, None] * normal, axis=0)
    if few.ahead is not None:
        stays = few.ahead.stays(few.draws)
        gap[ahead > 0.0] = np.where(stays, case.reward - few.ahead.still(few.draws), gap[ahead > 0.0])
        scale = np.where(stays, 0.0, scale)
    missed = np.where(gap > 0.0, 1.0, 0.0)
    between = variance[1:, None] * scale**2
    both = np.maximum(gap[1:], 0.0) * np.maximum(gap[:-1], 0.0)
    missed[1:] *= -np.expm1(-2.0 * both / np.maximum(between, 1e-300))
    chances = 1.0 - np.cumprod(missed, axis=0).mean(axis=1)
    p, by_budget = float(chances[-1]), float(np.interp(BUDGET * last, nodes, chances))
    if p < 0.5:
        return Claim(p, by_budget, None)
    times = np.exp(np.interp(np.array([0.1, 0.5, 0.9]) * p, chances, np.log(nodes)))
    return Claim(p, by_budget, Interval(*times.tolist()))


def _normal(order: NDArray[np.intp]) -> Floats:
    from scipy.special import ndtri

    return np.asarray(ndtri((order + 0.5) / order.size))


METHODS: dict[str, Callable[[Case, Posterior], Claim]] = {
    "plan": by_plan,
    "fresh steps": by_passage,
    "least squares": by_least_squares,
}


def calibration_error(claims: Floats, came: NDArray[np.bool_], bins: int = 10) -> float:
    """Return the expected calibration error, ``sum_b n_b / n |mean claim - mean came|``, over bins of equal width."""
    place = np.minimum((claims * bins).astype(np.intp), bins - 1)
    gaps = [abs(claims[place == k].sum() - came[place == k].sum()) for k in range(bins)]
    return float(np.sum(gaps) / claims.size)


@dataclass(frozen=True, eq=False)
class Score:
    """What came of claims, arrays of shape (n,).

    Parameters
    ----------
    p, p_by_budget : array
        Probabilities claimed.
    ever, soon, by_budget : array
        Whether the reward is reached at all, within plan's horizon, and by the budget.
    inside, error : array
        Whether the 80 % interval holds the compute, and ``|ln|`` of its median over it; NaN where not reached, or where
        no compute was given.
    """

    p: Floats
    p_by_budget: Floats
    ever: Floats
    soon: Floats
    by_budget: Floats
    inside: Floats
    error: Floats

    @classmethod
    def of(cls, cases: Sequence[Case], claims: Sequence[Claim]) -> Score:
        """Score the claims about some cases."""
        rows = []
        for case, each in zip(cases, claims, strict=True):
            inside, error, last = np.nan, np.nan, case.curve.compute_last
            if np.isfinite(case.when) and each.compute is not None:
                inside = float(each.compute.q10 <= case.when <= each.compute.q90)
                error = abs(float(np.log(each.compute.q50 / case.when))) if case.when > 0.0 else np.nan
            came = (case.when < np.inf, case.when <= HORIZON * last, case.when <= BUDGET * last)
            rows.append((each.p, each.p_by_budget, *map(float, came), inside, error))
        return cls(*np.array(rows).T)

    @classmethod
    def joined(cls, parts: Sequence[Score]) -> Score:
        """Put scores together."""
        return cls(*(np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(cls)))

    @property
    def calibration(self) -> float:
        """Expected calibration error of P(ever)."""
        return calibration_error(self.p, self.ever > 0.5)

    @property
    def cells(self) -> list[str]:
        """As a row of the table."""
        given = ~np.isnan(self.inside[self.ever > 0.5])
        return [
            f"{self.p.size}",
            f"{100 * self.ever.mean():.0f}",
            f"{self.calibration:.3f}",
            f"{calibration_error(self.p, self.soon > 0.5):.3f}",
            f"{calibration_error(self.p_by_budget, self.by_budget > 0.5):.3f}",
            f"{100 * given.mean():.0f}",
            f"{100 * np.nanmean(self.inside):.0f}",
            f"{np.nanmedian(self.error):.2f}",
        ]


def passages(report: Report, quick: bool) -> None:
    """Measure P(reach) and the compute to reach."""
    table = report.table(
        "the compute to reach a reward",
        [
            "world, cut in C_mid: method", "cases", "reached, %", "ECE ever", "ECE in 8 x", "ECE by 4 x", "given, %",
            "covered, %", "|ln error|",
        ],
    )  # fmt: skip
    ours: dict[str, Score] = {}
    worst = 0.0
    rival: list[Score] = []
    for world, full in COUNTS.items():
        parts = []
        for cut in CUTS:
            chosen = cases(world, cut, full // 40 if quick else full)
            fitted = [fit.posterior for fit in fits([case.curve for case in chosen], options=FitOptions())]
            both = [(case, run) for case, run in zip(chosen, fitted, strict=True) if run is not None]
            for name, method in METHODS.items():
                if name == "fresh steps" and world == RECIPES:
                    continue  # it is about runs
                some = both if name == "plan" else both[: -(-len(both) // RIVALS)]
                score = Score.of([case for case, _ in some], [method(case, run) for case, run in some])
                table.add(f"{world}, {cut:g}: {name}", *score.cells)
                (parts if name == "plan" else rival if name == "least squares" else []).append(score)
        ours[world] = Score.joined(parts)
        worst = max(worst, *(part.calibration for part in parts))
        table.add(f"{world}, both cuts: plan", *ours[world].cells)
    for world in (RUNS, RECIPES):
        error, covered = ours[world].calibration, 100.0 * float(np.nanmean(ours[world].inside))
        report.check(f"{world}: calibration error of P(reach)", f"{error:.3f}", "<= .05", error <= 0.05)
        report.check(
            f"{world}: 80 % interval of the compute, where reached",
            f"{covered:.0f} %",
            "70 to 90 %",
            70 <= covered <= 90,
        )
    report.check("calibration error of P(reach) at a single cut, worst of all worlds", f"{worst:.3f}", "", None)
    sure, error = Score.joined(rival).calibration, Score.joined(list(ours.values())).calibration
    report.check("calibration error of the inverted least-squares curve", f"{sure:.3f}", "above plan's", sure > error)


#: Curves cut early: midpoints seen, evaluations, rewards asked for, curves of each kind, and bins of what is said.
EARLY, EARLY_POINTS, EARLY_REWARDS, EARLY_COUNT = 0.45, 18, (0.4, 0.5, 0.6, 0.7), 250
EARLY_BINS = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.01)


def slow(rng: np.random.Generator) -> Truth:
    """Draw a slow recipe like those of ``rlscale simulate``."""
    ceiling, exponent = float(rng.choice([0.7, 0.85])), float(rng.uniform(1.3, 1.5))
    return Truth(R0=0.1, A=ceiling, B=exponent, C_mid=C_MID, sigma=0.012, rho=0.3)


def cut_early(report: Report, quick: bool) -> None:
    """Measure P(ever) of curves that are cut before their midpoint."""
    table = report.table("P(ever) of curves cut early", ["truths, said", "cases", "said, %", "reached in 8 x, %"])
    for kind in ("off-prior", "slow"):
        rng, truths, curves = np.random.default_rng(41), [], []
        for _ in range(EARLY_COUNT // 10 if quick else EARLY_COUNT):
            truth = slow(rng) if kind == "slow" else off_prior(rng, float(rng.choice(CORRELATIONS)))
            compute = np.linspace(0.0, EARLY * C_MID, EARLY_POINTS + 1)
            truths.append(truth)
            curves.append(
                UncheckedCurve(compute=compute, reward=truth.reward(compute) + truth.noise(compute.size, rng))
            )
        rows = []
        for truth, fit in zip(truths, fits(curves, options=FitOptions()), strict=True):
            if fit.posterior is not None:
                horizon = HORIZON * EARLY * C_MID
                rows += [
                    (reach([fit.posterior], wanted, tau=0.0).p, reached(truth, wanted) <= horizon)
                    for wanted in EARLY_REWARDS
                ]
        said, came = np.array(rows, dtype=float).T
        for low, high in pairwise(EARLY_BINS):
            inside = (said >= low) & (said < high)
            if inside.any():
                table.add(
                    f"{kind}: {100 * low:.0f} to {100 * min(high, 1.0):.0f} %",
                    f"{inside.sum()}",
                    f"{100 * said[inside].mean():.0f}",
                    f"{100 * came[inside].mean():.0f}",
                )
        table.add(f"{kind}: all", f"{said.size}", f"{100 * said.mean():.0f}", f"{100 * came.mean():.0f}")


def published(report: Report) -> None:
    """Check the rule of the learning rate, and find the published crossing of batches 768 and 2048 from their runs."""
    rate = lr_for(8192, anchor_lr=1e-6, anchor_batch=1024).value
    report.check("lr(8192) from 1e-6 at 1024", f"{rate:.3e}", "2.828e-06", f"{rate:.3e}" == "2.828e-06")
    small, large = scalerl("ScaleRL"), scalerl("bs2048")
    grid = np.geomspace(1000.0, 1e5, 200_001)
    change = np.flatnonzero(np.diff(np.sign(large.reward(grid) - small.reward(grid))))
    truth = float(grid[change[-1]])
    table = report.table(
        f"batches 768 and 2048 (Table 1: {SCALERL['ScaleRL']}, {SCALERL['bs2048']}) cross at {truth:.0f} GPU-hours",
        ["seen up to, GPU-hours", "ahead before", "P(2048 passes)", "q10", "q50", "q90"],
    )
    for last in (8000.0, 16000.0, 50000.0):
        rng = np.random.default_rng(7)
        runs = [
            Run(name=name, recipe=name, curve=noisy(law, np.arange(0.0, last + 1.0, 150.0), rng, unit="gpu-hours"))
            for name, law in (("768", small), ("2048", large))
        ]
        (crossing,) = plan(runs, budget=1e5, seed_sd=0.0).crossings
        where = crossing.compute
        numbers = ["", "", ""] if where is None else [f"{each:.0f}" for each in (where.q10, where.q50, where.q90)]
        table.add(f"{last:.0f}", crossing.a, f"{crossing.p:.2f}", *numbers)
        if last == 16000.0:
            covered = where is not None and crossing.b == "2048" and where.q10 <= truth <= where.q90
            report.check("the crossing, seen up to 16,000", "/".join(numbers) or "none", f"covers {truth:.0f}", covered)


def real_runs(report: Report, quick: bool) -> None:
    """Ask real runs, cut as ``rlscale backtest`` cuts them, for a reward ahead by their end."""
    table = report.table(
        "P(reward reached by the end of the run), real runs", ["source", "cases", "reached, %", "said, %", "ECE"]
    )
    rng, every = np.random.default_rng(37), []
    for group in sources.read(5 if quick else 60, simulated=0):
        rows = []
        for task, fit in zip(group.tasks, fits([task.seen for task in group.tasks], options=FitOptions()), strict=True):
            wanted = float(task.seen.reward[-3:].mean() + rng.uniform(0.0, 0.2) * group.span)
            if fit.posterior is not None:
                end = float(task.ahead[-1])
                rows.append(
                    (reach([fit.posterior], wanted, tau=0.0, budget=end).p_by_budget or 0.0, task.truth >= wanted)
                )
        every += rows
        table.add(group.name, *_real(rows))
    table.add("all", *_real(every))


def _real(rows: Sequence[tuple[float, bool]]) -> list[str]:
    claims, came = np.array([p for p, _ in rows]), np.array([there for _, there in rows])
    error = calibration_error(claims, came)
    return [f"{claims.size}", f"{100 * came.mean():.0f}", f"{100 * claims.mean():.0f}", f"{error:.3f}"]


def measure(quick: bool = False) -> Report:
    """Measure all."""
    report = Report("plan", "Is a plan right about compute, and does its split of a budget pay?")
    published(report)
    projects.budgets(report, quick)
    real_runs(report, quick)
    cut_early(report, quick)
    passages(report, quick)
    return report


if __name__ == "__main__":
    main(measure)
