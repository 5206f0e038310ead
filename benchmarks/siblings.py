"""Runs that are further on beside one that is not: whether they help to forecast it, and under which condition.

``python -m benchmarks.siblings``. Every run of ``archives.SOURCES`` and of the simulated shapes of ``sources`` is cut
and forecast as ``rlscale backtest`` does, alone and with the other runs of its metric: with what *finished* ones showed
at its end (all but itself, whole; also a random few of them), with what others had shown at the *same cut*, and, for
comparison, with what was *forecast* of them at the same cut, whatever they agree on: an earlier study's way, which is
not in use. Scores are shares of the range.

Settings are chosen without a source: of :data:`SETTINGS` those under which no cut of a metric of another source is more
than 2 % worse, and of them that with the lowest mean log ratio of CRPS. Only its forecasts of the source left out count
as *out of source*. The setting in use is milder than what is chosen.

Targets: with finished runs CRPS of all real cases at the first cut is lower out of source; under the setting in use no
metric at any cut is worse by more than 2 %, with finished runs and at the same cut, which is what ``--siblings auto``
does. Kendall's tau and the regret of the best forecast are shown: mixed, so ``rank`` has none of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from benchmarks.archives import SOURCES
from benchmarks.common import Report, main
from benchmarks.designs import finished
from benchmarks.sources import SHAPES
from rlscale.curves import Curve, Run
from rlscale.inference import Posterior, Siblings, fits
from rlscale.inference.siblings import KERNEL, LEAST, Kernel, informed, shown
from rlscale.trust import CUTS
from rlscale.trust.backtest import MIN_RUN, Task, beside, cut_runs, predictive
from rlscale.trust.scores import crps, kendall_tau, top1_regret

__all__ = ["SETTINGS", "Metric", "Scored", "measure"]

Floats = NDArray[np.float64]
#: CRPS, error and whether the 80 % interval holds the truth; the median.
Row = tuple[float, float, float, float]

SETTINGS = tuple(
    Kernel(share=share, floor=floor, agree=agree)
    for agree, floor, share in product((0.5, 0.75, 1.0, float("inf")), (0.03, 0.05), (0.5, 0.7))
)
#: The form of an earlier study: running siblings by their forecasts, without a condition.
FORMER = Kernel(agree=float("inf"))
FINISHED, FEW, SAME = "finished runs", f"{LEAST} finished runs", "same cut"
FORECAST = "forecasts of running ones"
WORST = 0.02
SIMULATED = 40


@dataclass(frozen=True, eq=False)
class Metric:
    """The runs of one metric of one source, whole, and their cases."""

    name: str
    source: str
    real: bool
    span: float
    runs: Sequence[Run]
    tasks: Sequence[Task]


@dataclass(frozen=True, eq=False)
class Scored:
    """One case: alone, and by way and setting with others; None where they do not count."""

    task: Task
    alone: Row
    beside: Mapping[tuple[str, Kernel], Row | None]

    def score(self, way: str, kernel: Kernel) -> Row:
        """Return the score of the forecast made so."""
        return self.beside.get((way, kernel)) or self.alone


Found = Mapping[str, Sequence[Scored]]


def metrics(quick: bool) -> list[Metric]:
    """Read the runs that are here, and simulate others."""
    found = []
    for one in SOURCES:
        if one.present:
            runs = one.runs()[: 12 if quick else None]
            found.append(_metric(one.name, one.folder, runs, one.bounds[1] - one.bounds[0], one.least))
    for place, shape in enumerate(SHAPES):
        rng = np.random.default_rng([89, place])
        made = [finished(shape, rng) for _ in range(10 if quick else SIMULATED)]
        runs = [Run(name=f"{k}", recipe=shape, curve=curve) for k, curve in enumerate(made)]
        found.append(_metric(f"simulated {shape}", "", runs, 1.0, MIN_RUN))
    return found


def _metric(name: str, source: str, runs: Sequence[Run], span: float, least: int) -> Metric:
    return Metric(name, source, bool(source), span, runs, beside(cut_runs(runs, CUTS, least)[0]))


def scored(metric: Metric) -> list[Scored]:
    """Forecast every case alone and with others."""
    whole = {run.name: run.curve for run in metric.runs}
    runs = (Run(name=task.run, recipe=task.recipe, curve=task.seen) for task in metric.tasks)
    made = fits(runs, own_targets=(float(task.ahead[-1]) for task in metric.tasks))
    fitted = [(task, fit.posterior, fit.forecasts[-1].q50) for task, fit in zip(metric.tasks, made, strict=True)
              if fit.posterior is not None]  # fmt: skip
    found = []
    for task, posterior, _ in fitted:
        medians = [q50 for other, _, q50 in fitted if other.cut == task.cut and other.run != task.run]
        found.append(_scored(metric, task, posterior, whole, medians))
    return found


def _scored(
    metric: Metric, task: Task, posterior: Posterior, whole: Mapping[str, Curve], medians: Sequence[float]
) -> Scored:
    values = predictive(posterior, task.ahead)[0]
    end = float(task.ahead[-1])
    others = [curve for name, curve in whole.items() if name != task.run]
    every = shown(task.seen, others, (end,))
    ways = {FINISHED: every, FEW: None if every is None else few(every, task), SAME: task.siblings}
    found: dict[tuple[str, Kernel], Row | None] = {}
    for (way, siblings), kernel in product(ways.items(), SETTINGS):
        found[way, kernel] = _beside(posterior, siblings, kernel, values, task, metric.span)
    if len(medians) >= 4:
        forecast = Siblings(end, np.array(medians))
        found[FORECAST, FORMER] = _beside(posterior, forecast, FORMER, values, task, metric.span)
    return Scored(task, _row(values, posterior.weight, task.truth, metric.span), found)


def few(siblings: Siblings, task: Task) -> Siblings:
    """Return as few of the siblings as count, at random."""
    rng = np.random.default_rng([97, *task.run.encode()])
    return Siblings(siblings.compute, rng.choice(siblings.levels, LEAST, replace=False))


def _beside(
    posterior: Posterior, siblings: Siblings | None, kernel: Kernel, values: Floats, task: Task, span: float
) -> Row | None:
    other = None if siblings is None else informed(posterior, siblings, kernel)
    return None if other is None else _row(values, other.weight, task.truth, span)


def _row(values: Floats, weight: Floats, truth: float, span: float) -> Row:
    order = np.argsort(values)
    upto = np.cumsum(weight[order]) - 0.5 * weight[order]
    low, middle, high = np.interp((0.1, 0.5, 0.9), upto, values[order])
    return crps(values, weight, truth) / span, abs(middle - truth) / span, float(low <= truth <= high), middle


def mean(rows: Iterable[Row]) -> Floats:
    """Return the means of what was scored."""
    return np.mean(np.array(list(rows)), axis=0)


def ratio(cases: Sequence[Scored], way: str, kernel: Kernel, place: int = 0) -> float:
    """Log ratio of the mean CRPS (or error) with others to that alone."""
    ours, alone = mean(one.score(way, kernel) for one in cases), mean(one.alone for one in cases)
    return float(np.log(ours[place] / alone[place]))


def at(cases: Sequence[Scored], cut: float) -> list[Scored]:
    """Return the cases of one cut."""
    return [one for one in cases if one.task.cut == cut]


def terms(found: Found, names: Iterable[str], way: str, kernel: Kernel) -> dict[tuple[str, float], float]:
    """Return the log ratio of CRPS of each metric at each cut."""
    parts = {(name, cut): at(found[name], cut) for name in names for cut in CUTS}
    return {key: ratio(cases, way, kernel) for key, cases in parts.items() if cases}


def chosen(found: Found, names: Sequence[str]) -> Kernel:
    """Return the setting with the lowest mean term over metrics of those without one above 2 %; else the mildest."""
    every = {kernel: [*terms(found, names, FINISHED, kernel).values()] for kernel in SETTINGS}
    sound = [kernel for kernel, each in every.items() if max(each) <= np.log1p(WORST)]
    return min(sound, key=lambda kernel: float(np.mean(every[kernel])), default=SETTINGS[0])


def show(report: Report, found: Found, way: str, kernel: Kernel) -> None:
    """Show every metric and cut, alone and with others."""
    columns = ["metric", "cut", "cases", "informed", "CRPS alone", "with others", "change", "error", "80 % cover"]
    table = report.table(f"{way}: {said(kernel)}", columns)
    for name, cases in found.items():
        for cut in CUTS:
            if part := at(cases, cut):
                ours, alone = mean(one.score(way, kernel) for one in part), mean(one.alone for one in part)
                counted = sum(one.beside.get((way, kernel)) is not None for one in part)
                changes = [f"{100 * np.expm1(ratio(part, way, kernel, place)):+.1f} %" for place in (0, 1)]
                cover = f"{100 * alone[2]:.0f} to {100 * ours[2]:.0f}"
                table.add(name, f"{cut:.0%}", str(len(part)), str(counted), alone[0], ours[0], *changes, cover)


def said(kernel: Kernel) -> str:
    """Describe a setting."""
    return f"share {kernel.share:g}, bandwidth at least {kernel.floor:g}, agreeing within {kernel.agree:g}"


def out_of_source(report: Report, metric_list: Sequence[Metric], found: Found) -> dict[str, Kernel]:
    """Choose the setting without each source, and show what all settings do."""
    real = [metric for metric in metric_list if metric.real]
    names = [metric.name for metric in real]
    table = report.table("what was compared: 100 ln(CRPS / alone), finished runs, real", ["setting", "mean", "worst"])
    for kernel in SETTINGS:
        each = [*terms(found, names, FINISHED, kernel).values()]
        table.add(said(kernel), f"{100 * np.mean(each):+.1f}", f"{100 * max(each):+.1f}")
    table = report.table("chosen without the source", ["source", "setting"])
    picked = {}
    for source in dict.fromkeys(metric.source for metric in real):
        picked[source] = chosen(found, [metric.name for metric in real if metric.source != source])
        table.add(source, said(picked[source]))
    return picked


def ranking(report: Report, found: Found) -> None:
    """Show how the runs of each metric are ordered, alone and with finished runs."""
    table = report.table("order of the runs, finished runs", ["metric", "cut", "tau", "with others", "regret", "with"])
    for name, cases in found.items():
        for cut in CUTS:
            part = at(cases, cut)
            if any(one.beside.get((FINISHED, KERNEL)) for one in part):
                truth = np.array([one.task.truth for one in part])
                both = [np.array([row[3] for row in rows]) for rows in
                        ([one.alone for one in part], [one.score(FINISHED, KERNEL) for one in part])]  # fmt: skip
                taus = [f"{kendall_tau(each, truth) or 0.0:.3f}" for each in both]
                table.add(name, f"{cut:.0%}", *taus, *(f"{top1_regret(each, truth) or 0.0:.3f}" for each in both))


def judged(report: Report, metric_list: Sequence[Metric], found: Found, picked: Mapping[str, Kernel]) -> None:
    """Judge pooled CRPS out of source at each cut, and the worst of all metrics and cuts."""
    pooled: dict[float, list[tuple[float, float]]] = defaultdict(list)
    for metric in metric_list:
        if metric.real:
            for one in found[metric.name]:
                ours = one.score(FINISHED, picked[metric.source])
                pooled[one.task.cut].append((one.alone[0], ours[0]))
    for cut in CUTS:
        alone, ours = np.mean(pooled[cut], axis=0)
        passed = bool(ours < alone) if cut == CUTS[0] else None
        target = f"< {alone:.4f}, alone" if cut == CUTS[0] else f"{alone:.4f} alone"
        report.check(f"CRPS at {cut:.0%}, real, out of source", f"{ours:.4f}", target, passed)
    for way in (FINISHED, FEW, SAME):
        every = terms(found, list(found), way, KERNEL)
        name, cut = max(every, key=every.__getitem__)
        worst = float(np.expm1(every[name, cut]))
        report.check(
            f"worst of all, {way}",
            f"{100 * worst:+.1f} %, {name} at {cut:.0%}",
            "" if way == FEW else "<= 2 %",
            None if way == FEW else worst <= WORST,
        )
    every = terms(found, [metric.name for metric in metric_list if metric.real], FORECAST, FORMER)
    name, cut = max(every, key=every.__getitem__)
    text = f"{100 * np.expm1(every[name, cut]):+.1f} %, {name} at {cut:.0%}"
    report.check(f"worst of real ones, {FORECAST}, not shipped", text, "", None)


def measure(quick: bool = False) -> Report:
    """Compare forecasts with and without other runs."""
    report = Report("siblings", "Do runs that are further on help to forecast one that is not?")
    every = metrics(quick)
    if not any(metric.real for metric in every):
        report.skipped = "the public archives are not here; set RLSCALE_CURVES to their folder"
        return report
    every = [metric for metric in every if metric.tasks]
    found = {metric.name: scored(metric) for metric in every}
    picked = out_of_source(report, every, found)
    for way, kernel in ((FINISHED, KERNEL), (FEW, KERNEL), (SAME, KERNEL), (FORECAST, FORMER)):
        show(report, found, way, kernel)
    ranking(report, found)
    judged(report, every, found, picked)
    return report


if __name__ == "__main__":
    main(measure)
