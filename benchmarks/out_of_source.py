"""Settings chosen without a source, and forecasts of that source by them: what a user's own runs may expect.

``python -m benchmarks.out_of_source``. Numbers of a source that settings were chosen on flatter. So for each source the
candidate (``candidates``) with the lowest score on all *other* sources is chosen, and only its forecasts of the source
left out count: these are ours *out of source*. Sources, metrics and simulated shapes stand in ``sources``; a source is
a whole folder, with all its metrics. The protocol of the cases is that of ``rlscale backtest``.

The score of a candidate is the mean of ``ln(mean CRPS / mean CRPS of the former estimator)`` over terms: each cut of
each real metric is a term, each simulated shape is one, the mean of its cuts. Cases that some candidate cannot forecast
are left out for all, and counted. Everything is in shares of the range; the CRPS of a point is its absolute error.

Targets, on the forecasts out of source: over all real cases 80 % intervals hold 75 to 90 %, and 70 % or more on each
metric of at least 60 cases; CRPS at each cut below every method in use today, mean error at most 1.02 times the best of
them; of what is called ``resolved`` 90 % within .05 of the truth, and on each source with at least 30 of them 80 % or
more by the lower one-sided 90 % bound; mean error and CRPS of three metrics at most what a study before this measured.

From a script, ``compare({"name": FitOptions(...), ...}, read(count=10))`` prints what the scores of settings would be.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from typing import Any

import numpy as np

from benchmarks.candidates import CANDIDATES, FORMER, SHIPPED
from benchmarks.common import Report, Table, main
from benchmarks.sources import TRAIN, VALIDATION, Group, Scores, candidates_scored, read, rivals_scored, scored
from rlscale.inference import FitOptions, VerdictName
from rlscale.trust import CUTS
from rlscale.trust.scores import binomial_interval

__all__ = ["Measured", "choose", "compare", "measure", "score"]

OURS, BEFORE, DEFAULT = "out of source", "former", "as shipped"
COLUMNS = ("cases", "mean |err|", "median |err|", "p90 |err|", "CRPS", "80 % cover", "50 % cover")
JOBS = min(2, os.cpu_count() or 1)
#: Half-width of an acceptable answer, a share of the range.
TOLERANCE = 0.05
POOLED, EACH, MANY = (0.75, 0.90), 0.70, 60
TIMES_BEST = 1.02
WITHIN, WITHIN_EACH, RESOLVED = 0.90, 0.80, 30
#: Mean error and CRPS at the three cuts, of an estimator that was measured before this one was written.
STUDY = {
    "creep-math": ((0.0420, 0.0318), (0.0194, 0.0153), (0.0123, 0.0097)),
    "maze mean": ((0.0221, 0.0205), (0.0098, 0.0092), (0.0087, 0.0071)),
    "pine train": ((0.1431, 0.1065), (0.1227, 0.0885), (0.0914, 0.0654)),
    "kanishkg": ((0.0470, 0.0321), (0.0149, 0.0120), (0.0114, 0.0081)),
    "rohunagrawal mean": ((0.1412, 0.1016), (0.0993, 0.0707), (0.0363, 0.0261)),
}
#: Shown beside the study and not judged.
BESIDE = ("kanishkg", "rohunagrawal mean")
#: A mean CRPS below this counts as this: its logarithm is taken.
_LEAST_CRPS = 1e-6

ByGroup = Mapping[str, Scores]


@dataclass(frozen=True)
class Measured:
    """Every method's scores on the same cases.

    Parameters
    ----------
    groups : sequence of Group
    methods : mapping
        Scores by method and group: ours out of source and as shipped, the former estimator, and those in use today.
    chosen : mapping
        The candidate chosen for each source, by the source left out.
    candidates : mapping
        Scores by candidate and group.
    """

    groups: Sequence[Group]
    methods: Mapping[str, ByGroup]
    chosen: Mapping[str, str]
    candidates: Mapping[str, ByGroup]

    @property
    def rivals(self) -> list[str]:
        """The methods in use today."""
        return [name for name in self.methods if name not in (OURS, BEFORE, DEFAULT)]

    @property
    def real(self) -> list[Group]:
        """The groups of real runs."""
        return [group for group in self.groups if group.real]

    def pooled(self, method: str, groups: Iterable[Group], cut: float | None = None) -> Scores:
        """Return the scores of all cases of several groups, at one cut or at all."""
        return pooled(self.methods[method], groups, cut)


def pooled(found: ByGroup, groups: Iterable[Group], cut: float | None = None) -> Scores:
    """Return the scores of all cases of several groups, at one cut or at all."""
    return Scores.joined([found[group.name][group.at(cut)] for group in groups])


def terms(found: ByGroup, former: ByGroup, group: Group) -> list[float]:
    """Return ``ln(mean CRPS / mean CRPS of the former estimator)`` at each cut, their mean for simulated runs."""
    logs = []
    for cut in CUTS:
        if group.at(cut).any():
            ours, theirs = (pooled(each, [group], cut).crps.mean() for each in (found, former))
            logs.append(float(np.log(max(ours, _LEAST_CRPS) / max(theirs, _LEAST_CRPS))))
    return logs if group.real else [float(np.mean(logs))]


def score(found: ByGroup, former: ByGroup, groups: Iterable[Group]) -> float:
    """Return the mean of :func:`terms` over groups; NaN without one."""
    every = [term for group in groups for term in terms(found, former, group)]
    return float(np.mean(every)) if every else float("nan")


def choose(candidates: Mapping[str, ByGroup], former: ByGroup, groups: Sequence[Group]) -> dict[str, str]:
    """Return the candidate with the lowest score on all other sources, by the source left out."""
    chosen = {}
    for source in dict.fromkeys(group.source for group in groups):
        others = [group for group in groups if group.source != source]
        chosen[source] = min(candidates, key=lambda name: score(candidates[name], former, others))
    return chosen


def shared(
    groups: Sequence[Group], candidates: Mapping[str, ByGroup], *others: Mapping[str, ByGroup]
) -> tuple[Any, ...]:
    """Return the groups and all scores with the cases only that every candidate forecasts."""
    kept = {
        group.name: np.all([np.isfinite(found[group.name].crps) for found in candidates.values()], axis=0)
        for group in groups
    }
    same = [replace(group, tasks=tuple(compress(group.tasks, kept[group.name]))) for group in groups]
    scores = [
        {name: {key: one[kept[key]] for key, one in found.items()} for name, found in each.items()}
        for each in (candidates, *others)
    ]
    return [group for group in same if group.tasks], *scores


def measured(groups: Sequence[Group], jobs: int) -> Measured:
    """Forecast every case by every candidate and every method in use today."""
    groups, candidates, rivals = shared(groups, candidates_scored(groups, jobs), rivals_scored(groups, jobs))
    chosen = choose(candidates, candidates[FORMER], groups)
    ours = {group.name: candidates[chosen[group.source]][group.name] for group in groups}
    methods = {OURS: ours, DEFAULT: candidates[SHIPPED], BEFORE: candidates[FORMER], **rivals}
    return Measured(groups, methods, chosen, candidates)


def cells(scores: Scores) -> list[str]:
    """Return a row of :data:`COLUMNS`."""
    if not scores.error.size:
        return ["0", *["none"] * (len(COLUMNS) - 1)]
    errors = scores.error.mean(), np.median(scores.error), np.quantile(scores.error, 0.9), scores.crps.mean()
    cover = [
        "none" if np.isnan(inside).any() else f"{100 * inside.mean():.0f} %" for inside in (scores.in80, scores.in50)
    ]
    return [f"{scores.error.size}", *(f"{value:.4f}" for value in errors), *cover]


def shown(group: Group) -> str:
    """Return the name of a group as tables show it where they tell real from simulated."""
    return group.name.removeprefix("simulated ")


def choices(report: Report, found: Measured) -> None:
    """Show what was chosen without each source, and its score on the others and on the source itself."""
    columns = ["source left out", "candidate", "score, others", "score, source"]
    table = report.table("candidate chosen without each source; scores are mean log ratios of CRPS", columns)
    former = found.candidates[FORMER]
    for source, name in found.chosen.items():
        parts = [[group for group in found.groups if (group.source == source) is own] for own in (False, True)]
        table.add(source, name, *(f"{score(found.candidates[name], former, part):+.4f}" for part in parts))


def by_source(report: Report, found: Measured, real: bool) -> None:
    """Show each metric at each cut: ours, the former estimator and the best method in use today, by mean error."""
    what = "metrics of real runs" if real else "simulated shapes"
    table = report.table(
        f"{what}, by cut; best of today by mean error", [f"{'metric' if real else 'shape'}, cut, method", *COLUMNS]
    )
    for group in found.groups:
        if group.real is not real:
            continue
        for cut in CUTS:
            if group.at(cut).any():
                best = min(found.rivals, key=lambda name: found.pooled(name, [group], cut).error.mean())
                for name in (OURS, DEFAULT, BEFORE, best):
                    table.add(f"{shown(group)}, {cut:.0%}, {name}", *cells(found.pooled(name, [group], cut)))


def side_by_side(report: Report, found: Measured, title: str, groups: Sequence[Group]) -> None:
    """Show every method on the cases of several groups together, at each cut and at all."""
    if not groups:
        return
    table = report.table(f"{title}, {len(groups)} metrics pooled", ["cut, method", *COLUMNS])
    for cut in (*CUTS, None):
        for name in found.methods:
            words = "all" if cut is None else f"{cut:.0%}"
            table.add(f"{words}, {name}", *cells(found.pooled(name, groups, cut)))


def within(scores: Scores) -> tuple[int, int, float]:
    """Return the cases within the tolerance, all of them, and the lower one-sided 90 % bound of their share."""
    hits, count = int(np.count_nonzero(scores.error <= TOLERANCE)), scores.error.size
    return hits, count, binomial_interval(hits, count, 0.8)[0]


def by_verdict(report: Report, found: Measured) -> None:
    """Show how often forecasts under each verdict were near the truth; ``resolved`` by source, too."""
    columns = ["runs, verdict", "cases", "within .05", "lower bound", "mean |err|", "80 % cover"]
    table = report.table("forecasts out of source, by verdict; bound: one-sided 90 %", columns)
    for title, real in (("real", True), ("simulated", False)):
        scores = found.pooled(OURS, [group for group in found.groups if group.real is real])
        for name in reversed(VerdictName):
            _verdict_row(table, f"{title}, {name.value}", scores[scores.verdict == name.value])
    table = report.table("resolved out of source, by source; bound: one-sided 90 %", ["source", *columns[1:]])
    for source in found.chosen:
        _verdict_row(table, source, resolved(found, [group for group in found.groups if group.source == source]))


def _verdict_row(table: Table, title: str, scores: Scores) -> None:
    if scores.error.size:
        hits, count, bound = within(scores)
        cover = f"{100 * scores.in80.mean():.0f} %"
        table.add(title, str(count), f"{100 * hits / count:.1f} %", f"{100 * bound:.1f} %", scores.error.mean(), cover)


def resolved(found: Measured, groups: Iterable[Group]) -> Scores:
    """Return our scores where the verdict was ``resolved``."""
    scores = found.pooled(OURS, groups)
    return scores[scores.verdict == VerdictName.RESOLVED.value]


def compared(report: Report, candidates: Mapping[str, ByGroup], former: ByGroup, groups: Sequence[Group]) -> None:
    """Show every candidate: its scores, CRPS and coverage over real cases, and the log ratio of each group."""
    real, simulated = ([group for group in groups if group.real is wanted] for wanted in (True, False))
    columns = ["candidate", "score", "real", "simulated", *(f"CRPS {cut:.0%}" for cut in CUTS), "CRPS", *COLUMNS[-2:]]
    table = report.table("what was compared: score of all groups; CRPS and coverage of all real cases", columns)
    for name, found in candidates.items():
        scores = [f"{score(found, former, part):+.4f}" for part in (groups, real, simulated)]
        crps = [f"{pooled(found, real, cut).crps.mean():.4f}" for cut in (*CUTS, None)]
        table.add(name, *scores, *crps, *cells(pooled(found, real))[-2:])
    words = [shown(group) for group in groups]
    table = report.table("what was compared: 100 ln(CRPS / former), mean of the cuts", ["candidate", *words])
    for name, found in candidates.items():
        table.add(name, *(f"{100 * score(found, former, [group]):+.1f}" for group in groups))
    table = report.table("what was compared: 80 % coverage, %", ["candidate", *words])
    for name, found in candidates.items():
        table.add(name, *(f"{100 * found[group.name].in80.mean():.0f}" for group in groups))


def compare(options: Mapping[str, FitOptions], groups: Sequence[Group]) -> dict[str, ByGroup]:
    """Score settings in this process, show them beside the former estimator, and return the scores by name and group.

    Cases that some of them cannot forecast are left out for all.
    """
    found = {name: scored(each, groups) for name, each in {FORMER: CANDIDATES[FORMER], **options}.items()}
    groups, found = shared(groups, found)
    compared(Report("compare", ""), found, found[FORMER], groups)
    return found


def coverage_checks(report: Report, found: Measured) -> None:
    """Judge the share of truths that 80 % intervals hold."""
    low, high = POOLED
    inside = found.pooled(OURS, found.real).in80
    text = f"{100 * inside.mean():.1f} % of {inside.size}"
    report.check("80 % coverage, real cases", text, "75 to 90 %", low <= inside.mean() <= high)
    for group in found.real:
        inside = found.pooled(OURS, [group]).in80
        if inside.size >= MANY:
            text = f"{100 * inside.mean():.1f} % of {inside.size}"
            report.check(f"{group.name}: 80 % coverage", text, ">= 70 %", inside.mean() >= EACH)


def accuracy_checks(report: Report, found: Measured) -> None:
    """Judge CRPS and mean error of all real cases beside the methods in use today."""
    for cut in CUTS:
        crps = {name: found.pooled(name, found.real, cut).crps.mean() for name in found.methods}
        best = min(found.rivals, key=crps.__getitem__)
        text = f"{crps[OURS]:.4f} (former {crps[BEFORE]:.4f})"
        report.check(f"CRPS at {cut:.0%}, real", text, f"< {crps[best]:.4f}, {best}", crps[OURS] < crps[best])
    error = {name: found.pooled(name, found.real).error.mean() for name in found.methods}
    best = min(found.rivals, key=error.__getitem__)
    text, limit = f"{error[OURS]:.4f} (former {error[BEFORE]:.4f})", TIMES_BEST * error[best]
    report.check("mean error, real, all cuts", text, f"<= {limit:.4f}, 1.02 x {best}", error[OURS] <= limit)


def verdict_checks(report: Report, found: Measured) -> None:
    """Judge how often what is called ``resolved`` is within the tolerance."""
    sources = dict.fromkeys(group.source for group in found.real)
    hits, count, _ = within(resolved(found, found.real))
    passed = hits >= WITHIN * count if count else None
    report.check("resolved within .05, real", f"{hits} of {count}", ">= 90 %", passed)
    for source in sources:
        hits, count, bound = within(resolved(found, [group for group in found.real if group.source == source]))
        if count >= RESOLVED:
            text = f"{hits} of {count}, lower bound {100 * bound:.1f} %"
            report.check(f"{source}: resolved within .05", text, "lower bound >= 80 %", bound >= WITHIN_EACH)


def study_checks(report: Report, found: Measured) -> None:
    """Judge mean error and CRPS beside what was measured before; some are only shown."""
    for group in found.real:
        for cut, limits in zip(CUTS, STUDY.get(group.name, ()), strict=False):
            scores = found.pooled(OURS, [group], cut)
            if scores.error.size:
                values = float(scores.error.mean()), float(scores.crps.mean())
                text, target = (f"{a:.4f}, {b:.4f}" for a, b in (values, limits))
                passed = all(round(value, 4) <= limit for value, limit in zip(values, limits, strict=True))
                judged = None if group.name in BESIDE else passed
                report.check(f"{group.name}: mean error, CRPS at {cut:.0%}", text, f"<= {target}", judged)


def measure(quick: bool = False) -> Report:
    """Choose settings without each source and forecast it by them."""
    report = Report("out_of_source", "How good are forecasts of runs from a source that no setting was chosen on?")
    groups = read(2, 2) if quick else read()
    if not any(group.real for group in groups):
        report.skipped = "the public archives are not here; set RLSCALE_CURVES to their folder"
        return report
    every = sum(len(group.tasks) for group in groups)
    found = measured(groups, JOBS)
    choices(report, found)
    side_by_side(report, found, "real runs", found.real)
    for kind in (VALIDATION, TRAIN):
        side_by_side(report, found, f"{kind} rewards", [group for group in found.real if group.kind == kind])
    side_by_side(
        report, found, "simulated runs, shapes as metrics", [group for group in found.groups if not group.real]
    )
    by_verdict(report, found)
    for real in (True, False):
        by_source(report, found, real)
    compared(report, found.candidates, found.candidates[FORMER], found.groups)
    cases = sum(len(group.tasks) for group in found.groups)
    report.check("cases", f"{cases}, {every - cases} left out that a candidate cannot forecast", "", None)
    for judge in (coverage_checks, accuracy_checks, verdict_checks, study_checks):
        judge(report, found)
    return report


if __name__ == "__main__":
    main(measure)
