"""The forecast of when a run resolves, against runs that go on.

Truths off the prior (``designs.off_prior``) with noise correlation 0, .5 or .8, an evaluation at 0 and 12, 24 or 40
after it, equally spaced up to .5 to 4 ``C_mid`` (log-uniform). Where the verdict is ``bending`` or ``pre_inflection``
the forecast is made; then the same run goes on at the same spacing, fitted again at each further evaluation, or every
3 % once these are closer, until its verdict is ``resolved`` or it is 100 times as long. Asked are the asymptote and the
reward at 8 times the last compute. Target: at least 60 % of the computes at which runs resolved lie within the 80 %
interval. A run that is not resolved at 100 times counts as above, unless ``q90`` is the horizon, which says "or later";
so does one that got no interval. In the last case the truths are of all the families averaged, their ``B`` scaled to
the same slope at the midpoint.

As a negative control the intervals are dealt out to the wrong runs: they must do worse. ``apart`` is the sd of the
answer within and between the families over that within, at the fit that resolved the run: the median is what the
constant of ``rlscale.inference.resolves`` stands for.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.common import Floats, Report, Table, UncheckedCurve, main, percent
from benchmarks.designs import C_MID, CORRELATIONS, off_prior
from rlscale.curves import Truth
from rlscale.inference import Fit, FitOptions, Interval, Posterior, VerdictName, fit
from rlscale.inference.families import AVERAGED, SIGMOID, Family
from rlscale.inference.resolves import HORIZON, resolves_at

COUNTS = (12, 24, 40)
RATIOS = (0.5, 4.0)
#: Once evaluations are closer than this share of the compute, some are passed over.
STRIDE = 0.03
WAITING = (VerdictName.BENDING, VerdictName.PRE_INFLECTION)
LEAST = 0.6
COLUMNS = (
    "case",
    "inside %",
    "below %",
    "above %",
    "median log",
    "median |log|",
    "log width",
    "rank corr.",
    "none",
    "median",
    "wrong %",
    "apart",
    "ms",
)


@dataclass(frozen=True)
class Case:
    """A fit, the target over the last compute, the families of the truths, and the stream of random numbers."""

    name: str
    options: FitOptions
    ahead: float
    truths: tuple[Family, ...]
    stream: int


#: What is averaged, but for no learning.
RISING = tuple(family for family in AVERAGED if family.rises)

CASES = (
    Case("sigmoid, asymptote", FitOptions(families=(SIGMOID,)), np.inf, (SIGMOID,), 0),
    Case("sigmoid, R(8 x)", FitOptions(families=(SIGMOID,)), 8.0, (SIGMOID,), 1),
    Case("average, asymptote", FitOptions(), np.inf, (SIGMOID,), 0),
    Case("average, R(8 x)", FitOptions(), 8.0, (SIGMOID,), 1),
    Case("average, asymptote, truths of all", FitOptions(), np.inf, RISING, 2),
)


@dataclass(frozen=True)
class Outcome:
    """One run: the forecast, the compute that resolved it (``inf``: none), both over the last compute, and the cost.

    ``apart`` is NaN where nothing resolved it.
    """

    found: Interval | None
    real: float
    apart: float
    seconds: float

    @property
    def inside(self) -> bool:
        """Whether the interval given holds it; no interval holds nothing."""
        return self.found is not None and self.within(self.found)

    def within(self, found: Interval) -> bool:
        """Whether an interval holds it; rounding at its ends does not count."""
        low, high = found.q10 * (1.0 - 1e-9), found.q90 * (1.0 + 1e-9)
        return self.real >= low and (self.real <= high or high >= HORIZON)


def later(count: int) -> Iterator[int]:
    """Count the evaluations of the fits to come, up to the horizon."""
    now = count
    while now < HORIZON * count:
        now = max(now + 1, round(now * (1.0 + STRIDE)))
        yield min(now, int(HORIZON * count))


def rewards(case: Case, truth: Truth, compute: Floats, rng: np.random.Generator) -> Floats:
    """Return noisy rewards of a truth, its curve of one of the families of the case, shape (n,)."""
    family = case.truths[int(rng.integers(len(case.truths)))]
    steepness = [float(each.slopes(np.zeros(1), np.ones(1))[0][0]) for each in (SIGMOID, family)]
    with np.errstate(divide="ignore"):
        x = np.log(compute / truth.C_mid)
    share = family.rise(x, np.full(x.shape, truth.B * steepness[0] / steepness[1]))
    return np.asarray(truth.R0 + (truth.A - truth.R0) * share + truth.noise(compute.size, rng))


def apart(found: Posterior, target: float) -> float:
    """Sd of the reward at ``target`` within and between the families, over that within."""
    values = found.reward([target])[:, 0]
    total = found.mean((values - found.mean(values)) ** 2)
    within = 0.0
    for k, family in enumerate(found.families):
        own, weight = found.component(family.name), float(found.weight[found.draws.family(k)].sum())
        values = own.reward([target])[:, 0]
        within += weight * float(own.mean((values - own.mean(values)) ** 2))
    return float(np.sqrt(total / within))


def outcome(rng: np.random.Generator, case: Case) -> Outcome | None:
    """Simulate a run, forecast when it resolves, and let it go on; None where there is nothing to forecast."""
    count = int(rng.choice(COUNTS))
    truth = off_prior(rng, float(rng.choice(CORRELATIONS)))
    ratio = float(np.exp(rng.uniform(*np.log(RATIOS))))
    compute = ratio * C_MID / count * np.arange(int(HORIZON * count) + 1)
    reward = rewards(case, truth, compute, rng)
    last = float(compute[count])
    target = case.ahead * last

    def at(number: int) -> Fit:
        return fit(UncheckedCurve(compute=compute[: number + 1], reward=reward[: number + 1]), target, case.options)

    first = at(count)
    if first.verdict.name not in WAITING or first.posterior is None:
        return None
    start = time.perf_counter()
    found = resolves_at(first.posterior, target, case.options.tolerance)
    seconds = time.perf_counter() - start
    if found is not None:
        found = Interval(found.q10 / last, found.q50 / last, found.q90 / last)
    for number in later(count):
        then = at(number)
        if then.verdict.name is VerdictName.RESOLVED and then.posterior is not None:
            return Outcome(found, float(compute[number]) / last, apart(then.posterior, target), seconds)
    return Outcome(found, np.inf, np.nan, seconds)


def measured(report: Report, table: Table, case: Case, curves: int) -> None:
    """Measure one case."""
    rng = np.random.default_rng([61, case.stream])
    outcomes: list[Outcome] = []
    while len(outcomes) < curves:
        one = outcome(rng, case)
        if one is not None:
            outcomes.append(one)
    given = [(one, one.found) for one in outcomes if one.found is not None]
    hits = [one.inside for one in outcomes]
    below = sum(not one.inside and one.real < found.q10 for one, found in given) / len(outcomes)
    real: Floats = np.array([min(one.real, HORIZON) for one, _ in given])
    median = np.array([found.q50 for _, found in given])
    ahead = np.log(real / median)
    # the order of runs tied at the next evaluation does not matter here
    ranks = [np.argsort(np.argsort(values)) for values in (real, median)]
    wrong = [one.within(given[k - 1][1]) for k, (one, _) in enumerate(given)]
    table.add(
        case.name,
        percent(hits),
        f"{100 * below:.1f}",
        f"{100 * (1.0 - np.mean(hits) - below):.1f}",
        f"{np.median(ahead):+.2f}",
        f"{np.median(np.abs(ahead)):.2f}",
        f"{np.median([np.log(found.q90 / found.q10) for _, found in given]):.2f}",
        f"{np.corrcoef(*ranks)[0, 1]:.2f}",
        str(len(outcomes) - len(given)),
        f"{np.median(real):.2f}",
        percent(wrong),
        f"{np.nanmedian([one.apart for one in outcomes]):.2f}",
        f"{1e3 * np.median([one.seconds for one in outcomes]):.1f}",
    )
    report.check(f"{case.name}: inside q10 to q90", f"{percent(hits)} %", ">= 60 %", np.mean(hits) >= LEAST)
    report.check(f"{case.name}: dealt out wrongly", f"{percent(wrong)} %", "less", np.mean(wrong) < np.mean(hits))


def measure(quick: bool = False) -> Report:
    """Measure the sigmoid and the default."""
    report = Report("resolves", "Does a run that goes on become resolved where it was said it would?")
    table = report.table(
        "computes that resolved a run, over the last compute at the forecast (logs are natural)", COLUMNS
    )
    for case in CASES:
        measured(report, table, case, 20 if quick else 200)
    return report


if __name__ == "__main__":
    main(measure)
