"""Train rewards of sources that no setting was chosen on, but for what follows a break.

``python -m benchmarks.unseen``. The archive of diagnostic series (``RLSCALE_HEALTH``, else ``shared/health`` beside the
checkout) holds runs of many small projects, nearly half of them sick. Taken are rewards inside [0, 1] with at least 12
evaluations, less the groups that lie in ``sources`` too (agentic RLVR, the proxy rewards of one code archive, the creep
validation curves). Its largest group was looked at once, for the share of the way that collapsed runs come back
(``AheadPrior.further`` and ``back``); nothing else was chosen on it. The protocol is that of ``rlscale backtest``.
"""

from __future__ import annotations

import csv
import gzip
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from benchmarks.candidates import CANDIDATES, FORMER, SHIPPED
from benchmarks.common import Report, main
from benchmarks.out_of_source import COLUMNS, TOLERANCE, cells
from benchmarks.sources import VALIDATION, Group, Scores, rivals_scored, scored
from rlscale.curves import Curve, Run
from rlscale.trust import CUTS
from rlscale.trust.backtest import MIN_RUN, cut_runs
from rlscale.trust.scores import binomial_interval

#: Groups that are sources of ``sources``: pine-rlvp-agentic and creep-math.
KNOWN = ("g04", "g16")
#: A series that tells the proxy rewards of rohunagrawal-leetcode-hack.
PROXY = "g_minus_f"
#: Labels of runs that go on as they did.
WELL = ("healthy", "unclear", "flat")
BOUNDS = (-0.02, 1.02)


def health_folder() -> Path:
    """Return the folder of the diagnostic series."""
    root = Path(__file__).resolve().parents[1]
    named = os.environ.get("RLSCALE_HEALTH")
    return Path(named) if named else root.parent / "shared" / "health"


def unseen_runs() -> Iterator[tuple[str, str, Run]]:
    """Yield the group, the label and the reward curve of each run that counts."""
    folder = health_folder()
    with open(folder / "runs.csv", encoding="utf-8") as file:
        about = {row["run"]: row for row in csv.DictReader(file)}
    points: dict[str, dict[float, float]] = {}
    with gzip.open(folder / "series.csv.gz", "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["name"] == "reward" and np.isfinite(value := float(row["value"])):
                points.setdefault(row["run"], {})[float(row["step"])] = value
    for name, series in points.items():
        group, label = about[name]["group"], about[name]["label"]
        compute, reward = (np.array(each) for each in zip(*sorted(series.items()), strict=True))
        inside = BOUNDS[0] <= reward.min() and reward.max() <= BOUNDS[1]
        if group in KNOWN or PROXY in about[name]["series"] or compute.size < MIN_RUN or not inside:
            continue
        yield group, label, Run(name=name, recipe=name, curve=Curve(compute=compute, reward=reward, bounds=(0.0, 1.0)))


def rows(report: Report, title: str, group: Group, methods: dict[str, Scores], chosen: Sequence[str]) -> None:
    """Show every method at each cut, on the runs named."""
    table = report.table(title, ["cut, method", *COLUMNS])
    own = np.array([task.run in chosen for task in group.tasks])
    for cut in (*CUTS, None):
        for name, scores in methods.items():
            words = "all" if cut is None else f"{cut:.0%}"
            table.add(f"{words}, {name}", *cells(scores[own & group.at(cut)]))


def measure(quick: bool = False) -> Report:
    """Forecast runs of sources that were not chosen on."""
    report = Report("unseen", "Do forecasts hold on train rewards of sources that nothing was chosen on?")
    if not (health_folder() / "series.csv.gz").exists():
        report.skipped = "the diagnostic series are not here; set RLSCALE_HEALTH to their folder"
        return report
    found = list(unseen_runs())[:: 12 if quick else 1]
    group = Group("unseen", "unseen", VALIDATION, tuple(cut_runs([run for *_, run in found], CUTS)[0]), 1.0)
    ours = {name: scored(CANDIDATES[name], [group])["unseen"] for name in (SHIPPED, FORMER)}
    rivals = {name: scores["unseen"] for name, scores in rivals_scored([group]).items()}
    forecast = np.isfinite(ours[SHIPPED].crps) & np.isfinite(ours[FORMER].crps)
    tasks = tuple(task for task, kept in zip(group.tasks, forecast.tolist(), strict=True) if kept)
    group = Group("unseen", "unseen", VALIDATION, tasks, 1.0)
    methods = {name: scores[forecast] for name, scores in {**ours, **rivals}.items()}
    every = [run.name for *_, run in found]
    rows(report, f"{len(every)} runs of {len({g for g, *_ in found})} groups", group, methods, every)
    for words, well in (("runs that go on as they did", True), ("sick runs", False)):
        chosen = [run.name for _, label, run in found if (label in WELL) is well]
        rows(report, f"{len(chosen)} {words}", group, methods, chosen)
    table = report.table("by group", ["group, method", *COLUMNS])
    for name in sorted({g for g, *_ in found}):
        own = {run.name for g, _, run in found if g == name}
        kept = np.array([task.run in own for task in group.tasks])
        for method in (SHIPPED, FORMER):
            table.add(f"{name}, {method}", *cells(methods[method][kept]))
    checks(report, methods, group, [*rivals])
    return report


def checks(report: Report, methods: dict[str, Scores], group: Group, rivals: Sequence[str]) -> None:
    """Judge coverage, CRPS, error and what is called resolved."""
    scores, former = methods[SHIPPED], methods[FORMER]
    low, high = 0.77, 0.91
    inside = float(scores.in80.mean())
    text = f"{100 * inside:.1f} % of {scores.in80.size} (former {100 * former.in80.mean():.1f} %)"
    report.check("80 % coverage", text, "77 to 91 %", low <= inside <= high)
    for cut in CUTS:
        crps = {name: float(each[group.at(cut)].crps.mean()) for name, each in methods.items()}
        best = min(rivals, key=crps.__getitem__)
        text = f"{crps[SHIPPED]:.4f} (former {crps[FORMER]:.4f})"
        report.check(f"CRPS at {cut:.0%}", text, f"< {crps[best]:.4f}, {best}", crps[SHIPPED] < crps[best])
    error = {name: float(each.error.mean()) for name, each in methods.items()}
    best = min(rivals, key=error.__getitem__)
    text = f"{error[SHIPPED]:.4f} (former {error[FORMER]:.4f})"
    limit = 0.95 * error[best]
    report.check("mean error, all cuts", text, f"<= {limit:.4f}, .95 x {best}", error[SHIPPED] <= limit)
    for name in (SHIPPED, FORMER):
        own = methods[name][methods[name].verdict == "resolved"]
        hits, count = int(np.count_nonzero(own.error <= TOLERANCE)), own.error.size
        if count:
            bound = binomial_interval(hits, count, 0.8)[0]
            passed = hits >= 0.9 * count if name == SHIPPED else None
            text = f"{hits} of {count}, lower bound {100 * bound:.1f} %"
            report.check(f"resolved within .05, {name}", text, ">= 90 %" if name == SHIPPED else "", passed)


if __name__ == "__main__":
    main(measure)
