"""How early and how falsely do health monitors fire? ``python -m benchmarks.health``.

- simulated runs (``health_simulated``): 1,000 healthy ones with the traps of real ones, 200 of each kind of sickness;
- real runs with diagnostic series (``RLSCALE_HEALTH`` names their folder; it is not part of this project): for the
  runs of each source, thresholds are chosen on the runs of all other sources;
- public runs with a proxy reward beside the true one (``RLSCALE_CURVES``).

Beside it: fixed levels on single rows, as small monitor packages have them, and the fall of the reward alone. The form
of the rules was tuned on simulated runs of another seed (0) and by looking at the same real runs, so that what holds
out of group is the choice of thresholds, not of the rules. ``python -m benchmarks.health_page`` puts what
``python -m benchmarks.run_all health`` measured into the package and into its page.
"""

from __future__ import annotations

import csv
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from benchmarks.archives import curves_folder
from benchmarks.common import Report, main, percent
from benchmarks.health_rivals import cusum_reuse, fell, fixed, ruptures_points
from benchmarks.health_runs import ANSWERS, Labelled, real_runs, run_of
from benchmarks.health_simulated import KINDS, LOSING, Case, healthy, sick
from rlscale.curves import Run
from rlscale.health import MONITORS, SEVERITIES, Health, Limits, RunHealth, check_health
from rlscale.health.detect import change_points

SEED = 61
#: Title of the table that the package takes its rates from.
RATES = "alarms on healthy runs, by monitor and severity"
#: Evaluations within which a sickness that costs nothing yet is to be found.
WITHIN = 5
FACTORS = (0.5, 0.7, 1.0, 1.4, 2.0)
#: Thresholds that a factor scales, by monitor: higher is milder; below 0 the inverse. Published numbers stay.
SCALED: Mapping[str, tuple[tuple[str, int], ...]] = {
    "truncation": (("truncation_stop", 1), ("truncation_rise", 1), ("truncation_half", 1)),
    "entropy_collapse": (("entropy_low", -1),),
    "entropy_explosion": (("entropy_high", 1), ("entropy_far", 1)),
    "kl_blowup": (("kl_ratio", 1), ("kl_least", 1)),
    "train_inference_mismatch": (("mismatch_ratio", 1), ("mismatch_logp", 1)),
    "zero_variance": (("groups_persist", 1),),
    "grad_norm": (("grad_warn", 1), ("grad_stop", 1)),
    "length_drift": (("length_grow", 1), ("length_shrink", -1)),
    "reward_hacking": (("hacking_rise", 1), ("hacking_follow", -1)),
}
#: Labels with fewer runs are reported, not scored.
SCORED = 4


def first_alarm(health: RunHealth, monitor: str = "", least: str = "warn", since: float = -np.inf) -> float | None:
    """Return the step of the first alarm of a monitor (of any) at a severity or above, raised at a step or later."""
    rank = SEVERITIES.index(least)
    steps = [
        one.raised_step for one in health.alarms
        if SEVERITIES.index(one.severity) >= rank and monitor in ("", one.monitor) and one.raised_step >= since
    ]  # fmt: skip
    return min(steps, default=None)


def simulated_healthy(report: Report, count: int) -> Counter[tuple[str, str]]:
    """Return how many simulated healthy runs each monitor fires on, by severity."""
    rng = np.random.default_rng(SEED)
    cases = [healthy(rng, f"healthy{k}") for k in range(count)]
    found = check_health([case.run for case in cases]).runs
    fires = Counter({pair for one in found for pair in ()})
    for one in found:
        fires.update({(alarm.monitor, alarm.severity) for alarm in one.alarms})
    stops = [one.worst == "stop" for one in found]
    warns = [one.worst in ("warn", "stop") for one in found]
    table = report.table(f"{count} simulated healthy runs: share that raises an alarm", ["", "stop", "warn or stop"])
    table.add("monitors", percent(stops), percent(warns))
    table.add("fixed levels", "", percent([fixed(case.run) is not None for case in cases]))
    table.add("reward fell", "", percent([fell(case.run) is not None for case in cases]))
    report.check("simulated healthy runs with a stop", percent(stops), "<= 5 %", np.mean(stops) <= 0.05)
    report.check("simulated healthy runs with a warning or a stop", percent(warns), "<= 15 %", np.mean(warns) <= 0.15)
    return fires


def simulated_sick(report: Report, count: int) -> None:
    """Measure what is found of each kind, and when."""
    rng = np.random.default_rng(SEED + 1)
    table = report.table(
        f"{count} simulated runs of each sickness (delays in evaluations after the onset)",
        ["", "own monitor", "before half", f"within {WITHIN}", "median delay", "fixed: in time", "delay",
         "fell: in time", "delay"],
    )  # fmt: skip
    for kind in KINDS:
        cases = [sick(rng, kind, f"{kind}{k}") for k in range(count)]
        found = check_health([case.run for case in cases]).runs
        own = [first_alarm(one, kind, since=case.onset or 0.0) for case, one in zip(cases, found, strict=True)]
        first = [first_alarm(one, since=case.onset or 0.0) for case, one in zip(cases, found, strict=True)]
        losing = kind in LOSING
        rivals = [[_after(rival(case.run), case) for case in cases] for rival in (fixed, fell)]
        in_time = [_in_time(case, step, losing) for case, step in zip(cases, first, strict=True)]
        soon = [_soon(case, step) for case, step in zip(cases, first, strict=True)]
        cells: list[object] = [
            kind, percent([step is not None for step in own]), percent(in_time) if losing else "", percent(soon),
            _delay(cases, first),
        ]  # fmt: skip
        for steps in rivals:
            cells += [percent([_in_time(case, step, losing) for case, step in zip(cases, steps, strict=True)])]
            cells += [_delay(cases, steps)]
        table.add(*cells)
        if losing:
            report.check(f"{kind}: found before half of the loss", percent(in_time), ">= 90 %", np.mean(in_time) >= 0.9)
        else:
            report.check(f"{kind}: found within {WITHIN} evaluations", percent(soon), ">= 90 %", np.mean(soon) >= 0.9)


def _after(step: float | None, case: Case) -> float | None:
    """Return a first alarm of a rival; one before the onset is a false alarm and finds nothing."""
    return None if step is None or step < (case.onset or 0.0) else step


def _soon(case: Case, step: float | None) -> bool:
    return step is not None and step - (case.onset or 0.0) <= WITHIN * case.every


def _in_time(case: Case, step: float | None, losing: bool) -> bool:
    if not losing:
        return _soon(case, step)
    return step is not None and step <= (case.half or 0.0)


def _delay(cases: Sequence[Case], steps: Sequence[float | None]) -> str:
    known = [(s - (c.onset or 0.0)) / c.every for c, s in zip(cases, steps, strict=True) if s is not None]
    return f"{np.median(known):.1f}" if known else "never"


def scaled(monitor: str, factor: float) -> dict[str, float | int]:
    """Return the thresholds of a monitor times a factor."""
    base = Limits()
    found: dict[str, float | int] = {}
    for name, power in SCALED[monitor]:
        value = getattr(base, name) * factor**power
        value = round(value) if isinstance(getattr(base, name), int) else value
        found[name] = min(value, 0.98) if name.startswith("truncation") else value
    return found


def chosen(runs: Sequence[Labelled], by_factor: Mapping[tuple[str, float], Health], keep: Sequence[int]) -> Limits:
    """Return limits chosen on some runs: for each monitor the factor with fewest misses and false warnings."""
    best: dict[str, float | int] = {}
    for monitor in SCALED:
        labels = [label for label, names in ANSWERS.items() if monitor in names] or ["reward_collapse"]
        losses = []
        for factor in FACTORS:
            found = by_factor[monitor, factor].runs
            well = [first_alarm(found[k], monitor) is not None for k in keep if runs[k].label == "healthy"]
            ill = [first_alarm(found[k], monitor) is None for k in keep if runs[k].label in labels]
            losses.append((np.mean(well or [0]) + 0.5 * np.mean(ill or [0]), abs(np.log(factor))))
        best.update(scaled(monitor, FACTORS[min(range(len(FACTORS)), key=losses.__getitem__)]))
    return replace(Limits(), **best)  # type: ignore[arg-type]


def real(report: Report) -> tuple[Counter[tuple[str, str]], Counter[str]]:
    """Measure the labelled runs out of group; return the false alarms of the shipped limits, and runs judged."""
    runs = real_runs()
    shipped = check_health([one.run for one in runs]).runs
    by_factor = {
        (monitor, factor): check_health([one.run for one in runs], limits=replace(Limits(), **scaled(monitor, factor)))  # type: ignore[arg-type]
        for monitor in SCALED for factor in FACTORS
    }  # fmt: skip
    found: list[RunHealth] = list(shipped)
    for group in sorted({one.group for one in runs}):
        inside = [k for k, one in enumerate(runs) if one.group == group]
        limits = chosen(runs, by_factor, [k for k in range(len(runs)) if k not in set(inside)])
        for k, one in zip(inside, check_health([runs[k].run for k in inside], limits=limits).runs, strict=True):
            found[k] = one
    _by_label(report, runs, found)
    well = [k for k, one in enumerate(runs) if one.label == "healthy"]
    for name, results in (("out of group", found), ("as shipped", shipped)):
        stops = [results[k].worst == "stop" for k in well]
        warns = [results[k].worst in ("warn", "stop") for k in well]
        target = name == "out of group"
        report.check(
            f"real healthy runs with a stop, {name}", percent(stops), "<= 8 %" if target else "",
            np.mean(stops) <= 0.08 if target else None,
        )  # fmt: skip
        report.check(
            f"real healthy runs with a warning or a stop, {name}", percent(warns), "<= 25 %" if target else "",
            np.mean(warns) <= 0.25 if target else None,
        )  # fmt: skip
    fires: Counter[tuple[str, str]] = Counter()
    judged: Counter[str] = Counter()
    for k in well:
        missing = {one.monitor for one in shipped[k].not_measurable}
        judged.update(each.name for each in MONITORS if each.name not in missing)
        fires.update({(alarm.monitor, alarm.severity) for alarm in shipped[k].alarms})
    return fires, judged


def _by_label(report: Report, runs: Sequence[Labelled], found: Sequence[RunHealth]) -> None:
    table = report.table(
        "real runs by label, thresholds out of group (delays in rows after the labelled onset)",
        ["", "runs", "stop", "warn or stop", "own monitor", "median delay", "fixed", "delay", "fell", "delay"],
    )
    places: dict[str, list[int]] = defaultdict(list)
    for k, one in enumerate(runs):
        places[one.label].append(k)
    for label, at in sorted(places.items(), key=lambda item: (item[0] not in ("healthy", "flat"), -len(item[1]))):
        if label == "unclear":
            continue
        rivals = [[rival(runs[k].run) for k in at] for rival in (fixed, fell)]
        own = ANSWERS.get(label, ())
        named = [any(first_alarm(found[k], name, "note") is not None for name in own) for k in at]
        cells: list[object] = [
            label if len(at) >= SCORED else f"{label} (few)", len(at), f"{sum(found[k].worst == 'stop' for k in at)}",
            f"{sum(found[k].worst in ('warn', 'stop') for k in at)}", f"{sum(named)}" if own else "",
            _late(runs, at, [first_alarm(found[k]) for k in at]),
        ]  # fmt: skip
        for steps in rivals:
            cells += [f"{sum(step is not None for step in steps)}", _late(runs, at, steps)]
        table.add(*cells)


def _late(runs: Sequence[Labelled], at: Sequence[int], steps: Sequence[float | None]) -> str:
    delays = []
    for k, step in zip(at, steps, strict=True):
        onset = runs[k].onset
        if step is None or onset is None:
            continue
        rows = max((one.series.step for one in runs[k].run.metrics.values()), key=len)
        delays.append(float(np.searchsorted(rows, step) - np.searchsorted(rows, onset)))
    return f"{np.median(delays):+.0f}" if delays else ""


def detectors(report: Report, count: int) -> None:
    """Measure our change points beside those of ruptures, and a CUSUM beside the rule for reused data."""
    rng = np.random.default_rng(SEED + 2)
    table = report.table(
        "change points in AR(.5) noise of 200 rows (ours; ruptures, where installed)",
        ["shift in sd", "ours right", "ms", "ruptures right", "ms"],
    )
    for shift in (0.0, 3.0, 5.0):
        right: tuple[list[bool], list[bool]] = ([], [])
        spent = [0.0, 0.0]
        for _ in range(count):
            x = rng.normal(size=200)
            for k in range(1, 200):
                x[k] = 0.5 * x[k - 1] + np.sqrt(0.75) * x[k]
            x[100:] += shift
            for which, find in enumerate((change_points, ruptures_points)):
                start = time.perf_counter()
                found = find(x)
                spent[which] += time.perf_counter() - start
                if found is not None:
                    right[which].append(any(abs(p - 100) <= 3 for p in found) if shift else found == ())
        cells = [(percent(r), f"{1000 * s / count:.1f}") if r else ("", "") for r, s in zip(right, spent, strict=True)]
        table.add(f"{shift:g}", *cells[0], *cells[1])
    table = report.table("reused data: the rule and a CUSUM of validation below its best", ["", "healthy", "in time"])
    well = [healthy(rng, f"w{k}") for k in range(count)]
    ill = [sick(rng, "data_reuse", f"i{k}") for k in range(count)]

    def rule(run: Run) -> float | None:
        return first_alarm(check_health(run).runs[0], "data_reuse")

    for name, find_reuse in (("rule", rule), ("CUSUM", cusum_reuse)):
        false = [find_reuse(case.run) is not None for case in well]
        soon = [_soon(case, _after(find_reuse(case.run), case)) for case in ill]
        table.add(name, percent(false), percent(soon))


def proxies(report: Report) -> None:
    """Measure reward hacking on public runs that log a gameable proxy beside the true tests."""
    path = curves_folder() / "rohunagrawal-leetcode-hack" / "curves.csv"
    if not path.exists():
        report.check(
            "proxy against truth", "the public archives are not here; set RLSCALE_CURVES to their folder", "", None
        )
        return
    rows: dict[str, dict[str, list[tuple[float, float]]]] = defaultdict(lambda: defaultdict(list))
    with open(path, encoding="utf-8") as file:
        for row in csv.DictReader(file):
            rows[row["run_id"]][row["metric"]].append((float(row["compute"]), float(row["value"])))
    table = report.table(
        "proxy (g) against truth (f), public runs",
        ["", "runs", "warned, f named true", "median rise at the alarm", "warned, names as logged", "noted, as logged"],
    )
    groups: dict[str, list[tuple[bool, float, str]]] = defaultdict(list)
    for name, columns in rows.items():
        if not {"train_reward_f", "train_reward_mean"} <= set(columns):
            continue
        series = {key: tuple(np.array(sorted(pairs)).T) for key, pairs in columns.items()}
        key = "train_reward_g" if "train_reward_g" in columns else "train_reward_mean"
        proxy, truth = series[key][1], series["train_reward_f"][1]
        run = run_of(name, {"train_reward": series[key], "rewards/true_f": series["train_reward_f"]})
        up = bool(np.mean(proxy[-5:]) - np.mean(proxy[:5]) >= 0.1)
        followed = bool(np.mean(truth[-5:]) - np.mean(truth[:5]) >= 0.15 * (np.mean(proxy[-5:]) - np.mean(proxy[:5])))
        kind = "proxy rises, truth stays" if up and not followed else "both rise" if up else "proxy does not rise"
        alarms = check_health(run).runs[0].of("reward_hacking")
        beside = {f"rewards/{one}": series[f"train_reward_{one}"] for one in "fg" if f"train_reward_{one}" in series}
        logged = check_health(run_of(name, {"train_reward": series["train_reward_mean"], **beside})).runs[0]
        said = [alarm.severity for alarm in logged.of("reward_hacking")]
        worst = max(said, key=SEVERITIES.index, default="")
        groups[kind].append((bool(alarms), alarms[0].value or 0.0 if alarms else np.nan, worst))
    for kind, found in sorted(groups.items()):
        rise = [value for hit, value, _ in found if hit]
        words = Counter(worst for _, _, worst in found)
        median = float(np.median(rise)) if rise else ""
        table.add(kind, len(found), sum(hit for hit, _, _ in found), median, words["warn"], words["note"])
    target = groups.get("proxy rises, truth stays", [])
    if target:
        hits = [hit for hit, _, _ in target]
        report.check(
            "hacking found where the proxy rises and the truth stays", percent(hits), ">= 90 %", np.mean(hits) >= 0.9
        )


def rates(
    report: Report, fires: Counter[tuple[str, str]], count: int, real_fires: Counter[tuple[str, str]],
    judged: Counter[str],
) -> None:  # fmt: skip
    """Put down how often each monitor fires on healthy runs, for the package (``benchmarks.health_page``)."""
    table = report.table(RATES, ["monitor", "severity", "simulated", "real", "of"])
    for each in MONITORS:
        for severity in SEVERITIES:
            pair = (each.name, severity)
            if each.name != "stalled":
                table.add(*pair, f"{fires[pair] / count:.3f}", f"{real_fires[pair]}", f"{judged[each.name]}")


def measure(quick: bool) -> Report:
    """Measure it; a tenth of the simulated runs where ``quick``."""
    report = Report("health", "How early, and how falsely, do health monitors fire?")
    count = 100 if quick else 1000
    fires = simulated_healthy(report, count)
    simulated_sick(report, 20 if quick else 200)
    detectors(report, 20 if quick else 100)
    proxies(report)
    if not real_runs():
        report.check("labelled real runs", "not here; set RLSCALE_HEALTH to their folder", "", None)
        return report
    real_fires, judged = real(report)
    rates(report, fires, count, real_fires, judged)
    return report


if __name__ == "__main__":
    main(measure)
