"""What health does to forecasts: with alarms and without, on the same cuts of the same runs.

``python -m benchmarks.health_forecast`` (``RLSCALE_HEALTH`` names a folder of real runs with diagnostic series; it is
not part of this project). Each run is cut at 20 to 95 % of its compute; the target is the mean of its last evaluations.
CRPS is a share of the range; means are over runs, of each run over its cuts.

- as shipped: runs that end fallen (by the monitors' own rule) and the others, real and simulated; by source how many
  get better and worse. No number of the rule was tuned: what ``stop`` and ``fallen`` mean is that of the monitors;
- rules that were tried: what else could be left out or weighed down; for each source the rule that is best on all
  *other* sources, and what that gives;
- the share of runs that end fallen after an alarm at ``warn``, beside runs of the same sources without one, and the
  number of runs it would take to tell them apart: without it no lower tail is drawn;
- time of a fit, without series and with.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from benchmarks.archives import bundled_runs
from benchmarks.common import Report, main
from benchmarks.health_runs import real_runs
from benchmarks.health_simulated import LOSING, healthy, sick
from rlscale.curves import Curve, Run
from rlscale.health import Alarm, Checkup, Limits, checkup, run_health
from rlscale.health.standing import standing
from rlscale.inference import FitOptions, fits, posterior
from rlscale.inference.examine import examine
from rlscale.inference.posterior import MIN_POINTS
from rlscale.trust.backtest import Task, cut_runs, forecast_tasks, predictive
from rlscale.trust.outcome import Case
from rlscale.trust.scores import crps

SEED = 67
CUTS = tuple(np.round(np.arange(0.2, 0.96, 0.05), 2).tolist())
#: Of simulated runs, of which there are more.
FEWER = (0.35, 0.5, 0.65, 0.8)
#: Sds of one difference that is to be seen with this certainty at this level: 80 % at 5 %, two-sided.
SURE, LEVEL = 0.84, 1.96
#: A raised share of collapses that would be worth a lower tail.
RAISED = 0.15
#: Runs and sources of an alarm that a share can be measured on.
LEAST_SOURCES = 5
ROOT = np.sqrt(2.0 * np.pi)
ON, OFF = FitOptions(), FitOptions(health=False)


@dataclass(frozen=True)
class Pair:
    """One cut of one run: the scores of its forecast without alarms and with them."""

    run: str
    source: str
    without: tuple[float, bool]
    with_: tuple[float, bool]

    @property
    def differs(self) -> bool:
        """Whether alarms changed anything."""
        return self.without[0] != self.with_[0]


def ends_fallen(run: Run) -> bool:
    """Whether a whole run ends fallen, by the rule of the monitors."""
    limits, health = Limits(), run_health(run, Limits())
    bounds = run.curve.bounds if run.curve.open is None else None
    return bool(standing(health.curve, fall=limits.fall, solved=limits.groups_solved, bounds=bounds).fallen[-1])


def pairs(runs: Sequence[tuple[Run, str]], cuts: Sequence[float]) -> list[Pair]:
    """Return both forecasts of every cut that both could make."""
    found = []
    for run, source in runs:
        tasks, _ = cut_runs([run], cuts)
        both = [list(forecast_tasks(tasks, options, methods=())) for options in (OFF, ON)]
        for off, on in zip(*both, strict=True):
            if isinstance(off, Case) and isinstance(on, Case):
                found.append(Pair(run.name, source, _score(off), _score(on)))
    return found


def _score(case: Case) -> tuple[float, bool]:
    return case.crps / (case.bounds[1] - case.bounds[0]), case.covers(0.8)


def over_runs(values: Sequence[float], names: Sequence[str]) -> float:
    """Return the mean over runs, of each over its cuts."""
    by: dict[str, list[float]] = defaultdict(list)
    for value, name in zip(values, names, strict=True):
        by[name].append(value)
    return float(np.mean([np.mean(own) for own in by.values()])) if by else float("nan")


def shipped(
    report: Report, title: str, sets: Mapping[str, Sequence[tuple[Run, str]]], cuts: Sequence[float] = CUTS
) -> None:
    """Compare forecasts with alarms and without."""
    columns = ["", "runs", "cuts", "changed", "CRPS without", "with", "80 % without", "with", "sources better, worse"]
    table = report.table(title, columns)
    for name, runs in sets.items():
        found = pairs(runs, cuts)
        if not found:
            continue
        names = [pair.run for pair in found]
        before, after = ([getattr(pair, side) for pair in found] for side in ("without", "with_"))
        scores = [over_runs([float(one[k]) for one in side], names) for k in (0, 1) for side in (before, after)]
        by: dict[str, list[float]] = defaultdict(list)
        for pair in found:
            by[pair.source].append(pair.with_[0] - pair.without[0])
        moved = [float(np.mean(own)) for own in by.values()]
        table.add(
            name, len(set(names)), len(found), sum(pair.differs for pair in found), f"{scores[0]:.4f}",
            f"{scores[1]:.4f}", f"{scores[2]:.3f}", f"{scores[3]:.3f}",
            f"{sum(one < -1e-9 for one in moved)}, {sum(one > 1e-9 for one in moved)} of {len(moved)}",
        )  # fmt: skip
        report.check(
            f"{title}, {name}: CRPS with alarms", f"{scores[1]:.4f}",
            f"no more than {scores[0]:.4f}, give or take .0005", scores[1] <= scores[0] + 5e-4,
        )  # fmt: skip


#: What to do to a curve for the alarms of a run: the curve to fit, None to leave it as it is.
Rule = Callable[[Curve, Checkup], Curve | None]


def _spans(curve: Curve, alarms: Sequence[Alarm]) -> NDArray[np.bool_]:
    inside = np.zeros(curve.n_points, dtype=bool)
    for alarm in alarms:
        until = np.inf if alarm.until is None else alarm.until
        inside |= (curve.compute >= (alarm.since or 0.0)) & (curve.compute < until)
    return inside


def _rule(severities: Sequence[str], *, lasting: bool, over: bool, sd: float | None = None) -> Rule:
    """Return the rule that masks evaluations under alarms, or gives them ``sd`` times the noise."""

    def rule(curve: Curve, told: Checkup) -> Curve | None:
        alarms = [one for one in told.alarms if one.severity in severities and (lasting if one.lasts else over)]
        inside = _spans(curve, alarms)
        if not inside.any():
            return None
        if sd is not None:
            return replace(curve, sd=np.where(inside, sd, 1.0))
        kept = curve.select(~inside) if not inside.all() else None
        return kept if kept is not None and kept.n_trained >= MIN_POINTS else None

    return rule


RULES: Mapping[str, Rule] = {
    "nothing": lambda curve, told: None,
    "masked while over (stop)": _rule(("stop",), lasting=False, over=True),
    "masked from the onset on (stop)": _rule(("stop",), lasting=True, over=True),
    "a quarter of the weight (stop)": _rule(("stop",), lasting=True, over=True, sd=2.0),
    "masked while over (warn, stop)": _rule(("warn", "stop"), lasting=False, over=True),
    "masked from the onset on (warn, stop)": _rule(("warn", "stop"), lasting=True, over=True),
    "a quarter of the weight (warn, stop)": _rule(("warn", "stop"), lasting=True, over=True, sd=2.0),
}


def tried(report: Report, runs: Sequence[tuple[Run, str]]) -> None:
    """Compare rules on the cuts of real runs that the curve alone does not call broken."""
    cells: dict[str, list[tuple[str, str, float, float, bool, bool]]] = defaultdict(list)
    for run, source in runs:
        for task in cut_runs([run], CUTS)[0]:
            told = checkup(run.with_curve(task.seen, source=run.source, warnings=run.warnings))
            seen = examine(task.seen)
            if told is None or seen.found is not None:
                continue
            plain = _scored(seen.curve, task)
            for name, rule in RULES.items():
                curve = rule(seen.curve, told)
                own = plain if curve is None else _scored(curve, task)
                cells[name].append((run.name, source, plain[0], own[0], plain[1], own[1]))
    table = report.table(
        "Rules tried on real runs, cuts they change", ["", "cuts", "runs", "CRPS without", "with", "80 % without",
        "with", "sources better, worse"],
    )  # fmt: skip
    for name in RULES:
        moved = [cell for cell in cells[name] if cell[2] != cell[3]]
        if not moved:
            continue
        names = [cell[0] for cell in moved]
        numbers = [over_runs([float(cell[k]) for cell in moved], names) for k in (2, 3, 4, 5)]
        gained = [_gain([cell for cell in moved if cell[1] == one]) for one in {cell[1] for cell in moved}]
        table.add(
            name, len(moved), len(set(names)), *(f"{one:.4f}" for one in numbers[:2]),
            *(f"{one:.3f}" for one in numbers[2:]),
            f"{sum(one < 0 for one in gained)}, {sum(one > 0 for one in gained)} of {len(gained)}",
        )  # fmt: skip
    chosen = []
    for source in sorted({source for _, source in runs}):
        rest = {name: _gain([cell for cell in own if cell[1] != source]) for name, own in cells.items()}
        best = min(rest, key=lambda name: rest[name])
        chosen.append((best, _gain([cell for cell in cells[best] if cell[1] == source])))
    names_chosen = sorted({name for name, _ in chosen})
    total = float(np.mean([gain for _, gain in chosen]))
    report.check("rule that is best on all other sources", ", ".join(names_chosen), "the one that is shipped", None)
    report.check("its change of CRPS, mean over sources", f"{total:+.5f}", "not above 0", total <= 0.0)


def _gain(cells: Sequence[tuple[str, str, float, float, bool, bool]]) -> float:
    return over_runs([cell[3] - cell[2] for cell in cells], [cell[0] for cell in cells]) if cells else 0.0


def _scored(curve: Curve, task: Task) -> tuple[float, bool]:
    fitted = posterior(curve)
    values, _ = predictive(fitted, task.ahead)
    low, high = fitted.quantiles(values, (0.1, 0.9))
    return crps(values, fitted.weight, task.truth) / task.seen.span, bool(low <= task.truth <= high)


def held(report: Report, runs: Sequence[tuple[Run, str]]) -> None:
    """Compare, under a lasting ``stop``, the fit with what the gate believes: the level of the last 3, sd .03."""
    cells: dict[str, list[tuple[str, float, float, bool, bool]]] = defaultdict(list)
    for run, _ in runs:
        tasks = cut_runs([run], CUTS)[0]
        for task, case in zip(tasks, forecast_tasks(tasks, OFF, methods=()), strict=True):
            told = checkup(run.with_curve(task.seen, source=run.source, warnings=run.warnings))
            if told is None or told.stop is None or not isinstance(case, Case):
                continue
            fallen = case.verdict.name in ("collapsed", "regime_change")
            crps_then, covers = _score(case)
            level, sd = float(task.seen.reward[-3:].mean()), 0.03 * task.seen.span
            z = (task.truth - level) / sd
            there = 0.03 * (z * (2.0 * ndtr(z) - 1.0) + 2.0 * np.exp(-0.5 * z * z) / ROOT - 1.0 / np.sqrt(np.pi))
            name = "the curve shows a break" if fallen else "the curve shows none"
            cells[name].append((run.name, crps_then, float(there), covers, bool(abs(z) < 1.2816)))
    columns = ["", "cuts", "runs", "CRPS of the fit", "of the level", "80 % of the fit", "of the level"]
    table = report.table("Real runs under a lasting stop: the fit beside N(mean of the last 3, .03)", columns)
    for name, own in cells.items():
        names = [cell[0] for cell in own]
        numbers = [over_runs([float(cell[k]) for cell in own], names) for k in (1, 2, 3, 4)]
        table.add(name, len(own), len(set(names)), *(f"{one:.3f}" for one in numbers))


def later(report: Report, runs: Sequence[tuple[Run, str]]) -> None:
    """Say how many runs end fallen after a first alarm at ``warn``, while the reward still stood."""
    table = report.table(
        "Runs that end fallen after an alarm at warn or stop under which the reward stood",
        ["", "runs", "of sources", "end fallen", "runs of these sources without it", "end fallen", "runs needed each"],
    )  # fmt: skip
    ends = {run.name: ends_fallen(run) for run, _ in runs}
    alarmed: dict[str, dict[str, str]] = defaultdict(dict)
    for run, source in runs:
        limits = Limits()
        health = run_health(run, limits)
        bounds = run.curve.bounds if run.curve.open is None else None
        stands = standing(health.curve, fall=limits.fall, solved=limits.groups_solved, bounds=bounds)
        for alarm in health.alarms:
            at = np.array([alarm.raised_step])
            if alarm.severity != "note" and alarm.since is not None and not stands.at(at, stands.fallen)[0]:
                alarmed[alarm.monitor][run.name] = source
    measured = []
    for monitor, own in sorted(alarmed.items(), key=lambda item: -len(item[1])):
        sources = set(own.values())
        others = [run.name for run, source in runs if source in sources and run.name not in own]
        share, base = (float(np.mean([ends[name] for name in names])) if names else np.nan for names in (own, others))
        need = needed(base if np.isfinite(base) else 0.1)
        table.add(monitor, len(own), len(sources), f"{share:.0%}", len(others), f"{base:.0%}", need)
        measured.append(len(own) >= need and len(others) >= need and len(sources) >= LEAST_SOURCES)
    report.check(
        "monitors whose warnings raise the share by .15 or more, measurably", str(sum(measured)),
        "a lower tail for each; none without", None,
    )  # fmt: skip


def needed(base: float) -> int:
    """Return the independent runs each of two groups takes for shares ``base`` and ``base + .15`` to be told apart."""
    low, high = np.clip([base, base + RAISED], 0.02, 0.98)
    middle = (low + high) / 2
    root = LEVEL * np.sqrt(2 * middle * (1 - middle)) + SURE * np.sqrt(low * (1 - low) + high * (1 - high))
    return int(np.ceil((root / (high - low)) ** 2))


def cost(report: Report, sets: Mapping[str, Sequence[Run]]) -> None:
    """Time fits with alarms and without in turn: the least processor time of several rounds."""
    table = report.table("ms a fit in a batch", ["", "runs", "without", "with", "more"])
    for name, runs in sets.items():
        times: dict[bool, list[float]] = {True: [], False: []}
        for _ in range(5):
            for options in (OFF, ON):
                start = time.process_time()
                list(fits(runs, (), options))
                times[options.health].append(1e3 * (time.process_time() - start) / len(runs))
        off, on = min(times[False]), min(times[True])
        table.add(name, len(runs), f"{off:.2f}", f"{on:.2f}", f"{on / off - 1:+.1%}")


def measure(quick: bool = False) -> Report:
    """Measure all of it."""
    report = Report("health_forecast", "What do alarms do to forecasts?")
    real = [(one.run, one.group) for one in real_runs()]
    if real:
        kept = [(run, source) for run, source in real if run.curve.n_points >= 12][: 20 if quick else None]
        fallen = {run.name: ends_fallen(run) for run, _ in kept}
        shipped(
            report, "Real runs",
            {
                "end fallen": [one for one in kept if fallen[one[0].name]],
                "others": [one for one in kept if not fallen[one[0].name]],
            },
        )  # fmt: skip
        tried(report, kept)
        held(report, kept)
        later(report, real)
    rng = np.random.default_rng(SEED)
    count = 5 if quick else 40
    simulated = {
        "sick, all kinds that lose reward": [
            (sick(rng, kind, f"{kind}{k}").run, kind) for kind in LOSING for k in range(count)
        ],
        "healthy": [(healthy(rng, f"healthy{k}").run, "healthy") for k in range(2 * count)],
    }
    shipped(report, "Simulated runs", simulated, FEWER)
    bare = [Run(name=run.name, recipe=run.recipe, curve=run.curve) for run in bundled_runs()]
    farm = [run for run, _ in simulated["healthy"]]
    timed = {"bundled runs, no series": bare * 20, "bundled runs": [*bundled_runs()] * 20, "simulated healthy": farm}
    timed |= {"real, healthy": [one.run for one in real_runs() if one.label == "healthy"]} if real else {}
    cost(report, timed)
    return report


if __name__ == "__main__":
    main(measure)
