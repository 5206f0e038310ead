"""Forecasts corrected by finished runs of their own source: ``rlscale backtest --calibrate`` on public archives.

``python -m benchmarks.archive_scale``. On every real metric of ``sources`` the correction of ``trust.archive`` is
learned from some runs and judged on others: each run by all others; each recipe by the runs of all others; each half of
the runs by the other half, ten splits with a fixed seed, where ten informative runs have to do instead of 20. Several
rules are compared. For each source the rule with the lowest ``ln(CRPS / CRPS as it was)``, a mean over the metrics of
all *other* sources, is chosen; its scores are those *out of source*. Rules without a guard (*free*) stand beside them
and cannot be chosen: they do harm where many runs end at one value. That there is a guard, and its form, was decided
with these sources in sight.

Targets, on the rule that ships, for each way to hold out: on no metric a CRPS above 1.02 times what it was, and no
coverage of 80 % intervals that was 75 % or more falls below. Everything is in shares of the range.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import Report, main
from benchmarks.sources import Group, read
from rlscale.curves import Run
from rlscale.inference import FitOptions, fits
from rlscale.inference.correction import Correction
from rlscale.trust import CUTS
from rlscale.trust.archive import RULE, Ends, Rule, correction_of
from rlscale.trust.backtest import predictive
from rlscale.trust.scores import crps

Floats = NDArray[np.float64]
Split = tuple[NDArray[np.bool_], NDArray[np.bool_]]

SHIPPED = "ships: guarded, shift"
RULES: dict[str, tuple[Rule, bool]] = {
    "widens only": (Rule(narrows=False, shifts=False), False),
    "guarded": (Rule(shifts=False), False),
    "widens only, shift": (Rule(narrows=False), False),
    SHIPPED: (RULE, False),
    "guarded, shift, by cut": (RULE, True),
    "guarded at .80, shift": (Rule(floor=0.8), False),
    "free": (Rule(shifts=False, guarded=False), False),
    "free, shift of 2 s.e.": (Rule(guarded=False, errors=2.0, alike=0.0), False),
}
SPLITS, FEW = 10, 10
LOSS, COVER = 1.02, 0.75
#: Equally likely values that stand for a forecast.
_VALUES = 400


@dataclass(frozen=True, eq=False)
class Cases:
    """The cases of a group: ends, forecasts, and what they scored.

    Parameters
    ----------
    group : Group
    ends : Ends
    recipe : array of str, shape (n,)
    cut : array, shape (n,)
    values : array, shape (n, d)
        Equally likely draws of each forecast, in reward.
    crps, inside : array, shape (n,)
        As the forecasts were.
    """

    group: Group
    ends: Ends
    recipe: NDArray[np.str_]
    cut: Floats
    values: Floats
    crps: Floats
    inside: NDArray[np.bool_]

    def judged(self, chosen: NDArray[np.bool_], by: Correction) -> tuple[Floats, NDArray[np.bool_]]:
        """Return CRPS and whether 80 % intervals hold the ends, of some cases corrected ``by``."""
        weight = np.full(_VALUES, 1.0 / _VALUES)
        scores = []
        for k in np.flatnonzero(chosen).tolist():
            bounds = (float(self.ends.bounds[0, k]), float(self.ends.bounds[1, k]))
            moved = by.applied(self.values[k][None], weight, np.array([np.inf]), bounds)[0]
            scores.append(crps(moved, weight, float(self.ends.truth[k])) / self.group.span)
        return np.array(scores), self.ends[chosen].inside(by)


def cases_of(group: Group) -> Cases:
    """Forecast the cases of a group as ``rlscale backtest`` does by default."""
    runs = (Run(name=task.run, recipe=task.recipe, curve=task.seen) for task in group.tasks)
    found = fits(runs, options=FitOptions(), own_targets=(float(task.ahead[-1]) for task in group.tasks))
    levels, rows, tasks = (np.arange(_VALUES) + 0.5) / _VALUES, [], []
    for task, fit in zip(group.tasks, found, strict=True):
        if fit.posterior is not None:
            values, _ = predictive(fit.posterior, task.ahead)
            rows.append(fit.posterior.quantiles(values, np.concatenate([levels, (0.1, 0.5, 0.9)])))
            tasks.append(task)
    table = np.array(rows)
    low, middle, high = table[:, _VALUES:].T
    bounds = np.array([task.seen.bounds for task in tasks]).T
    ends = Ends(
        run=np.array([task.run for task in tasks]),
        truth=np.array([task.truth for task in tasks]),
        last=np.array([task.seen.reward[-1] for task in tasks]),
        low=low,
        middle=middle,
        high=high,
        bounds=np.stack([np.minimum(bounds[0], low), np.maximum(bounds[1], high)]),
        span=group.span,
    )
    plain = Cases(
        group=group,
        ends=ends,
        recipe=np.array([task.recipe for task in tasks]),
        cut=np.array([task.cut for task in tasks]),
        values=table[:, :_VALUES],
        crps=np.empty(0),
        inside=np.empty(0, dtype=bool),
    )
    scores, inside = plain.judged(np.ones(len(tasks), dtype=bool), Correction())
    return replace(plain, crps=scores, inside=inside)


def by_run(cases: Cases) -> Iterator[Split]:
    """Hold out each run."""
    for name in np.unique(cases.ends.run):
        yield cases.ends.run != name, cases.ends.run == name


def by_recipe(cases: Cases) -> Iterator[Split]:
    """Hold out each recipe."""
    for name in np.unique(cases.recipe):
        yield cases.recipe != name, cases.recipe == name


def by_half(cases: Cases) -> Iterator[Split]:
    """Hold out halves of the runs."""
    names, rng = np.unique(cases.ends.run), np.random.default_rng(89)
    for _ in range(SPLITS):
        first = np.isin(cases.ends.run, rng.permutation(names)[: names.size // 2])
        yield from ((first, ~first), (~first, first))


WAYS: dict[str, tuple[Callable[[Cases], Iterator[Split]], int]] = {
    "run": (by_run, RULE.fewest),
    "recipe": (by_recipe, RULE.fewest),
    "half": (by_half, FEW),
}


@dataclass(frozen=True, kw_only=True)
class Held:
    """Scores of held-out cases, as they were and corrected; and the mean correction."""

    before: float
    after: float
    covered_before: float
    covered: float
    scale: float
    shift: float

    @property
    def ratio(self) -> float:
        """CRPS over what it was."""
        return self.after / self.before


def held_out(cases: Cases, rule: Rule, by_cut: bool, splits: Iterator[Split]) -> Held:
    """Correct every part that is held out by the rest."""
    before, after, inside_before, inside, scales, shifts = ([] for _ in range(6))
    for learned, judged in splits:
        for cut in CUTS if by_cut else (None,):
            here = np.ones(cases.cut.size, dtype=bool) if cut is None else cases.cut == cut
            if not (judged & here).any():
                continue
            found = correction_of(cases.ends[learned & here], rule)
            scores, holds = cases.judged(judged & here, found)
            after.append(scores)
            inside.append(holds)
            before.append(cases.crps[judged & here])
            inside_before.append(cases.inside[judged & here])
            scales.append(found.scale)
            shifts.append(found.shift)
    means = [float(np.concatenate(each).mean()) for each in (before, after, inside_before, inside)]
    named = dict(zip(("before", "after", "covered_before", "covered"), means, strict=True))
    return Held(**named, scale=float(np.mean(scales)), shift=float(np.mean(shifts)))


def compared(report: Report, groups: Sequence[Cases]) -> dict[str, dict[str, Held]]:
    """Show every rule, each run held out: CRPS over what it was, coverage; return the scores by rule and group."""
    found = {
        name: {one.group.name: held_out(one, rule, by_cut, by_run(one)) for one in groups}
        for name, (rule, by_cut) in RULES.items()
    }
    columns = ["rule", "100 ln, mean", *(one.group.name for one in groups)]
    table = report.table("rules, each run held out: CRPS / as it was, coverage of 80 % intervals", columns)
    as_was = [f"1, {100 * one.inside.mean():.0f} %" for one in groups]
    table.add("none", "0", *as_was)
    for name, each in found.items():
        cells = [f"{held.ratio:.3f}, {100 * held.covered:.0f} %" for held in each.values()]
        table.add(name, f"{100 * np.mean([np.log(held.ratio) for held in each.values()]):+.1f}", *cells)
    return found


def out_of_source(report: Report, groups: Sequence[Cases], found: Mapping[str, Mapping[str, Held]]) -> None:
    """Choose the rule of each source on all others."""
    table = report.table(
        "the rule chosen without a source, on its metrics, each run held out",
        ["metric", "rule", "CRPS before", "after", "cover before", "after"],
    )
    for one in groups:
        others = [other.group.name for other in groups if other.group.source != one.group.source]
        score = {
            name: np.mean([np.log(found[name][other].ratio) for other in others])
            for name, (rule, _) in RULES.items()
            if rule.guarded
        }
        best = min(score, key=score.__getitem__)
        held = found[best][one.group.name]
        cover = (f"{100 * share:.1f} %" for share in (held.covered_before, held.covered))
        table.add(one.group.name, best, held.before, held.after, *cover)


def ships(report: Report, groups: Sequence[Cases]) -> None:
    """Show and judge the rule that ships, for each way to hold out."""
    for way, (splits, fewest) in WAYS.items():
        columns = ["metric", "runs", "informative", "scale", "shift", "CRPS before", "after", "cover before", "after"]
        table = report.table(f"what ships, by {way} held out; {fewest} informative runs needed", columns)
        found: dict[str, Held] = {}
        for one in groups:
            held = held_out(one, replace(RULE, fewest=fewest), False, splits(one))
            counts = [str(len(set(names.tolist()))) for names in (one.ends.run, one.ends.run[one.ends.informative])]
            cover = [f"{100 * share:.1f} %" for share in (held.covered_before, held.covered)]
            moved = (f"{held.scale:.2f}", f"{held.shift:+.2f}")
            table.add(one.group.name, *counts, *moved, held.before, held.after, *cover)
            found[one.group.name] = held
        worst = max(found, key=lambda name: found[name].ratio)
        text = f"{found[worst].ratio:.3f}, {worst}"
        report.check(f"by {way}: largest CRPS / as it was", text, f"<= {LOSS}", found[worst].ratio <= LOSS)
        above = [name for name, held in found.items() if held.covered_before >= COVER]
        if above:
            worst = min(above, key=lambda name: found[name].covered)
            text, passed = f"{100 * found[worst].covered:.1f} %, {worst}", found[worst].covered >= COVER
            report.check(f"by {way}: lowest coverage where it was enough", text, f">= {100 * COVER:.0f} %", passed)


def measure(quick: bool = False) -> Report:
    """Correct each source by runs of its own."""
    report = Report("archive_scale", "Do finished runs of a source make forecasts of its other runs better?")
    groups = [cases_of(group) for group in read(24 if quick else None, 1) if group.real]
    if not groups:
        report.skipped = "the public archives are not here; set RLSCALE_CURVES to their folder"
        return report
    found = compared(report, groups)
    out_of_source(report, groups, found)
    ships(report, groups)
    return report


if __name__ == "__main__":
    main(measure)
