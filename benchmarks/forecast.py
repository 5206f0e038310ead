"""Forecasts made early beside what came true: ours and every rival on the same cases, one table.

``python -m benchmarks.forecast``. The protocol is that of ``rlscale backtest`` (design §12, ``rlscale.trust``): runs
cut at 25, 50 and 75 % of their compute, the target the mean of their last evaluations. On

- real runs: the public archives (``archives``; ``RLSCALE_CURVES`` names their folder) and the six bundled runs;
- simulated runs (``designs.finished``): the sigmoid, and shapes that a sigmoid is not: Weibull, Gompertz, two rises, a
  late take-off; AR(1) noise.

Rivals: least squares with its covariance, MINOS, the published grid (ScaleRL A.5, the fast form that chooses the same
cell), the linearised grid, the last value, the mean of the last 3; NUTS on the sigmoid where NumPyro is installed, on
the validation archive cut at half only (it takes seconds a case). How intervals are read as distributions stands in
``forecasters``; the CRPS of a point is its absolute error. Errors are in reward; where sets are pooled, in shares of
the range.

Targets (issue 3) on the 22 validation curves: CRPS below .0373 / .0142 / .0090 at the three cuts, CRPS and mean
absolute error below every rival that gives a point at each cut, 80 % coverage pooled over the cuts 75 to 92 % and no
cut below 70 %. On every archive of at least 10 curves (design §9): CRPS and mean absolute error below the last value,
the mean of the last 3, least squares and the published grid at each cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks import forecasters
from benchmarks.archives import ARCHIVES, VALIDATION, archives, bundled_runs
from benchmarks.common import Report, Table, main
from benchmarks.designs import SHAPES, finished
from benchmarks.forecasters import Forecaster, Score, clocked, score, score_of_case
from rlscale.curves import Run
from rlscale.inference import FitOptions, VerdictName
from rlscale.inference.families import SIGMOID
from rlscale.trust import CUTS, Backtest, backtest
from rlscale.trust.backtest import Task, cut_runs
from rlscale.trust.baselines import METHODS
from rlscale.trust.calibration import NOMINAL, reliability, verdict_scores

OURS, SIGMOID_ONLY, CHAINS = "rlscale (average)", "rlscale (sigmoid)", "NUTS (sigmoid)"
POINTS = {
    "scalerl_grid": "published grid",
    "linearised_grid": "linearised grid",
    "last_value": "last value",
    "last3_mean": "mean of last 3",
}
LEAST_SQUARES = "least squares, covariance"
#: The rivals of design §9; of each the point counts, also of least squares.
DESIGN = ("last_value", "last3_mean", "least_squares", "scalerl_grid")
CRPS_BELOW = {0.25: 0.0373, 0.5: 0.0142, 0.75: 0.0090}
POOLED, EACH = (0.75, 0.92), 0.70
AT_LEAST = 10
#: Runs of each simulated shape.
SIMULATED = 40
SCORES = ("mean |err|", "median |err|", "p90 |err|", "CRPS", "80 % cover", "50 % cover")
CHAINS_CUT = 0.5
#: Every so many cases are timed, of what is not timed as it is scored.
TIMED = 5


@dataclass(frozen=True)
class Found:
    """What one set of runs gave: the backtest, every method's scores in the order of its cases, and times in ms."""

    name: str
    real: bool
    result: Backtest
    scores: dict[str, list[Score]]
    ms: dict[str, float]

    def at(self, method: str, cut: float | None) -> list[Score]:
        """Return the scores of a method at one cut, or at all of them; none where it was not run."""
        if method == CHAINS:
            return self.scores[method] if cut == CHAINS_CUT else []
        pairs = zip(self.scores[method], self.result.cases, strict=True)
        return [one for one, case in pairs if cut is None or case.cut == cut]

    @property
    def range(self) -> float:
        """Width of the bounds, in reward."""
        return self.result.bounds[1] - self.result.bounds[0]


def measured(name: str, runs: Sequence[Run], real: bool) -> Found:
    """Forecast one set of runs by every method."""
    result = backtest(runs)
    tasks = {(task.run, task.cut): task for task in cut_runs(runs, CUTS)[0]}
    seen = [tasks[case.run, case.cut] for case in result.cases]
    truths = [case.truth for case in result.cases]
    scores = {OURS: [score_of_case(case) for case in result.cases]}
    ms = {OURS: timed(forecasters.ours(FitOptions()), seen)}
    for method, forecaster in with_intervals(name).items():
        chosen = [k for k, task in enumerate(seen) if method != CHAINS or task.cut == CHAINS_CUT]
        pairs = [clocked(forecaster, seen[k]) for k in chosen]
        scores[method] = [score(found, truths[k]) for k, (found, _) in zip(chosen, pairs, strict=True)]
        ms[method] = float(np.median([taken for _, taken in pairs]))
    for key, method in POINTS.items():
        scores[method] = [score_of_case(case, key) for case in result.cases]
        ms[method] = timed(lambda task, key=key: METHODS[key](task.seen, task.ahead), seen)
    return Found(name, real, result, scores, ms)


def with_intervals(name: str) -> dict[str, Forecaster]:
    """Return the other forecasters with intervals, by name."""
    found = {
        SIGMOID_ONLY: forecasters.ours(FitOptions(families=(SIGMOID,))),
        LEAST_SQUARES: forecasters.with_covariance,
        "iminuit MINOS": forecasters.profiled,
    }
    if name == VALIDATION.name and forecasters.has_numpyro():
        found[CHAINS] = forecasters.chains()
    return found


def timed(forecaster: Forecaster, tasks: Sequence[Task]) -> float:
    """Return the median time of a forecast, after a warm-up, in ms."""
    some = tasks[::TIMED]
    forecaster(some[0])
    return float(np.median([clocked(forecaster, task)[1] for task in some]))


def cells(scores: Sequence[Score], ms: float, scale: float | Sequence[float] = 1.0) -> list[str]:
    """Return a row of :data:`SCORES` and the time; errors divided by ``scale``."""
    error = np.array([one.error for one in scores]) / scale
    crps = np.array([one.crps for one in scores]) / scale
    cover = [
        "none" if any(hit is None for hit in hits) else f"{100 * np.mean([bool(hit) for hit in hits]):.0f} %"
        for hits in ([one.in80 for one in scores], [one.in50 for one in scores])
    ]
    numbers = [f"{value:.4f}" for value in (error.mean(), np.median(error), np.quantile(error, 0.9), crps.mean())]
    return [*numbers, *cover, f"{ms:.1f}"]


def described(report: Report, sets: Sequence[Found]) -> None:
    """Say what was forecast."""
    words = {one.name: f"{one.what}, {one.metric}" for one in ARCHIVES}
    words["bundled"] = "validation accuracy, sorting letters"
    table = report.table("what was forecast", ["set", "runs", "forecasts", "lowest", "highest", "rewards"])
    for one in sets:
        runs = str(len({case.run for case in one.result.cases}))
        bounds = [f"{bound:g}" for bound in one.result.bounds]
        table.add(one.name, runs, str(len(one.result.cases)), *bounds, words.get(one.name, "known truth"))


def side_by_side(report: Report, title: str, sets: Sequence[Found], note: str) -> None:
    """Show every method on all cases of several sets together."""
    table = report.table(f"{title}, all cuts: {note}", ["method", *SCORES, "ms a curve"])
    for method in sets[0].scores:
        if not all(method in one.scores for one in sets):
            continue
        scores = [s for one in sets for s in one.scores[method]]
        scale = np.repeat([one.range for one in sets], [len(one.result.cases) for one in sets])
        table.add(method, *cells(scores, float(np.median([one.ms[method] for one in sets])), scale))
    without_chains(table, "")


def without_chains(table: Table, where: str) -> None:
    """Say why NUTS has no row."""
    if not forecasters.has_numpyro():
        table.add(f"{where}NUTS: not installed, pip install numpyro", *[""] * (len(SCORES) + 1))
    elif not where:
        table.add(f"{CHAINS}: see {VALIDATION.name}", *[""] * (len(SCORES) + 1))


def parts(report: Report, found: Found) -> None:
    """Show one set: pooled over the cuts, and at each cut where it is real."""
    runs = len({case.run for case in found.result.cases})
    table = report.table(f"{found.name}: {runs} runs", ["cut, method", *SCORES, "ms a curve"])
    for cut in (*CUTS, None) if found.real else (None,):
        for method in found.scores:
            if scores := found.at(method, cut):
                table.add(f"{'all' if cut is None else f'{cut:.0%}'}, {method}", *cells(scores, found.ms[method]))
    if found.name == VALIDATION.name:
        without_chains(table, "all, ")


def by_verdict(report: Report, title: str, sets: Sequence[Found]) -> None:
    """Show how forecasts did under each verdict."""
    table = report.table(title, ["verdict", "forecasts", "mean |err|", "inside 80 %", "within .05"])
    found = [(one.range, s) for one in sets for s in verdict_scores(one.result.cases, 0.05 * one.range)]
    for name in reversed(VerdictName):
        own = [(span, s) for span, s in found if s.name is name]
        if not own:
            continue
        cases = sum(s.cases for _, s in own)
        error = sum(s.cases * s.mean_abs_error / span for span, s in own) / cases
        held, within = sum(s.held for _, s in own), sum(s.within for _, s in own)
        table.add(
            name.value, str(cases), f"{error:.4f}", f"{held} ({held / cases:.0%})", f"{within} ({within / cases:.0%})"
        )


def by_level(report: Report, sets: Sequence[Found]) -> None:
    """Show how often central intervals of each level held."""
    table = report.table("intervals that held, %, by their level", ["set", *(f"{level:.0%}" for level in NOMINAL)])
    for title, real in (("real", True), ("simulated", False)):
        cases = [case for one in sets if one.real is real for case in one.result.cases]
        if cases:
            table.add(title, *(f"{100 * held:.0f}" for held in reliability(cases).held))


def validation_checks(report: Report, found: Found) -> None:
    """Judge the targets of issue 3."""
    for cut, allowed in CRPS_BELOW.items():
        crps = float(np.mean([one.crps for one in found.at(OURS, cut)]))
        report.check(f"{found.name}: CRPS at {cut:.0%}", f"{crps:.4f}", f"< {allowed:.4f}", crps < allowed)
    below(report, found, tuple(METHODS), "every point method")
    hits = {cut: float(np.mean([bool(one.in80) for one in found.at(OURS, cut)])) for cut in CUTS}
    pooled = float(np.mean([bool(one.in80) for one in found.scores[OURS]]))
    low, high = POOLED
    text = f"{100 * pooled:.1f} % of {len(found.scores[OURS])}"
    report.check(f"{found.name}: 80 % coverage, cuts pooled", text, "75 to 92 %", low <= pooled <= high)
    worst = min(hits.values())
    report.check(f"{found.name}: 80 % coverage, worst cut", f"{100 * worst:.1f} %", ">= 70 %", worst >= EACH)


def below(report: Report, found: Found, rivals: Sequence[str], words: str) -> None:
    """Judge whether CRPS and mean absolute error are below those of rivals that give a point, at each cut."""
    told, count = [], 0
    for scored in found.result.cuts:
        mine = scored.methods["rlscale"]
        for rival in rivals:
            theirs = scored.methods[rival].mean_abs_error
            for word, value in (("mean error", mine.mean_abs_error), ("CRPS", mine.crps)):
                assert value is not None
                assert theirs is not None
                count += 1
                if value >= theirs:
                    name = POINTS.get(rival, "least squares")
                    told.append((value - theirs, f"{word} at {scored.cut:.0%} {value:.4f} v {theirs:.4f} of {name}"))
    text = f"{count - len(told)} of {count} comparisons"
    if told:
        text += f"; furthest off: {max(told)[1]}"
    report.check(f"{found.name}: mean error and CRPS at each cut below {words}", text, "all", not told)


def sets_of(count: int | None, simulated: int) -> list[tuple[str, list[Run], bool]]:
    """Return the sets of runs: name, runs (at most ``count`` real ones) and whether they are real."""
    real = {**archives(), "bundled": bundled_runs()}
    found = [(name, runs[:count], True) for name, runs in real.items()]
    for place, shape in enumerate(SHAPES[:-1]):
        rng = np.random.default_rng([79, place])
        made = [Run(name=f"{k}", recipe=shape, curve=finished(shape, rng)) for k in range(simulated)]
        found.append((f"simulated {shape}", made, False))
    return found


def measure(quick: bool = False) -> Report:
    """Forecast every set by every method."""
    report = Report("forecast", "How good are forecasts made early, beside what is in use today?")
    sets = [measured(name, runs, real) for name, runs, real in sets_of(2 if quick else None, 2 if quick else SIMULATED)]
    described(report, sets)
    for title, real in (("real runs", True), ("simulated runs", False)):
        pooled = [one for one in sets if one.real is real]
        count = sum(len(one.result.cases) for one in pooled)
        note = f"{len(pooled)} sets, {count} forecasts, errors as shares of the range"
        side_by_side(report, title, pooled, note)
    by_level(report, sets)
    for title, real in (("real runs, by verdict at the cut", True), ("simulated runs, by verdict at the cut", False)):
        by_verdict(report, title, [one for one in sets if one.real is real])
    for one in sets:
        parts(report, one)
    judged = [one for one in sets if one.real and one.name != "bundled"]
    if not judged:
        report.check("public archives", "not here; set RLSCALE_CURVES to their folder", "", None)
    for one in judged:
        if one.name == VALIDATION.name:
            validation_checks(report, one)
        if quick or len({case.run for case in one.result.cases}) >= AT_LEAST:
            below(report, one, DESIGN, "last value, mean of last 3, least squares, published grid")
    return report


if __name__ == "__main__":
    main(measure)
