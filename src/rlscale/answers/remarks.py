"""What a reader must be told beside the numbers, as sentences: shared by the text output and the report."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rlscale.answers.answer import Section
from rlscale.answers.numbers import count, number, probability, quantity, reward
from rlscale.answers.views import FitView, RankView, RunLine, RunView, runs_by_recipe
from rlscale.curves import Run
from rlscale.curves.assumed import bounds_sentence
from rlscale.inference import Interval
from rlscale.inference.pool import SeedSpread
from rlscale.inference.resolves import HORIZON

if TYPE_CHECKING:
    from rlscale.decisions import Pair

__all__ = [
    "MEDIANS",
    "Remark",
    "calibrated",
    "claim",
    "claimed",
    "common_unit",
    "conditions",
    "counts",
    "crossings",
    "input_remarks",
    "input_section",
    "mixed_groups",
    "open_ended",
    "outlook",
    "outlook_ends",
    "published",
    "read_remarks",
    "remark_section",
    "shared",
    "target_headings",
    "traps",
]

View = FitView | RankView
#: What is said of forecasts without a calibration.
UNCALIBRATED = "Uncalibrated: not measured on runs like yours (rlscale backtest --calibrate)."
#: What a crossing is, beside that of a plan.
MEDIANS = "Where the two median curves meet; a plan gives the last change of who is ahead, which is another compute."
#: A crossing ahead is told from this probability on.
LIKELY = 0.6


@dataclass(frozen=True)
class Remark:
    """A sentence and the runs it is about, in their order."""

    text: str
    runs: tuple[str, ...]

    def subject(self, limit: int = 50) -> str:
        """Return the runs, or how many they are where their names fill more than ``limit`` characters."""
        names = ", ".join(self.runs)
        return names if len(self.runs) == 1 or len(names) <= limit else count(len(self.runs), "run")


def input_remarks(runs: Iterable[RunLine]) -> tuple[Remark, ...]:
    """Return what is assumed of the bounds, then warnings, then repairs, each once, with the runs that share it."""
    several = list(runs)
    return shared(
        [(run.bounds_said, run.run) for run in several if run.bounds_said]
        + [(text, run.run) for field in ("warnings", "repairs") for run in several for text in getattr(run, field)]
    )


def read_remarks(runs: Iterable[Run]) -> tuple[Remark, ...]:
    """Return what was assumed, said and repaired while reading, each once, with the runs that share it."""
    several = list(runs)
    bounds = [(bounds_sentence(run.curve), run.name) for run in several]
    return shared(
        [(text, name) for text, name in bounds if text]
        + [(text, run.name) for run in several for text in run.warnings]
        + [(text, run.name) for run in several if run.source for text in run.source.repairs]
    )


def shared(said: Iterable[tuple[str, str]]) -> tuple[Remark, ...]:
    """Return (text, run) as remarks: each text once, with the runs that share it."""
    found: dict[str, list[str]] = {}
    for text, run in said:
        found.setdefault(text, []).append(run)
    return tuple(Remark(text, tuple(dict.fromkeys(names))) for text, names in found.items())


def claim(view: RankView) -> str:
    """Say whether the probabilities are about recipes or runs, and where the run-to-run sd comes from."""
    return claimed(view.ranking.claim, view.ranking.seed_sd)


def claimed(claim: str, spread: SeedSpread) -> str:
    """Say whether probabilities are about ``recipes`` or ``runs``, and where the run-to-run sd comes from."""
    if claim == "runs":
        return "Probabilities are about these runs, not about new runs of the recipes (run-to-run sd 0)."
    where = {
        "given": "as given",
        "default": "the default: no recipe has several runs (--seed-sd sets it)",
        "replicates": f"learned from replicates ({count(spread.replicates, 'degree')} of freedom)",
    }[spread.source]
    tau = f"run-to-run sd included: τ = {spread.value:.3f} of the range, {where}"
    return f"Probabilities are about the recipes' mean levels, {tau}."


def calibrated(view: View) -> str:
    """Say whether forecasts were measured on finished runs like these, and what was done to them."""
    return UNCALIBRATED if view.calibration is None else view.calibration.forecasts_claim


def conditions(runs: Sequence[RunView]) -> tuple[str, ...]:
    """Return what forecasts hold under, of the runs where that is near: nothing for most."""
    told = [(run.run, run.health.condition) for run in runs if run.health is not None]
    return tuple(
        f"{run}: its forecast is {limit}; it stands at {limit.now:.2g}, and rlscale health shows its course."
        for run, limit in told
        if limit is not None and limit.near
    )


def mixed_groups(view: RankView) -> tuple[str, ...]:
    """Explain the groups where their numbers do not only rise down the table; nothing where they do."""
    groups = [row.group for row in view.ranking.recipes if row.group is not None]
    if groups == sorted(groups):
        return ()
    return (
        "A group holds all that its best does not beat with 95 %: a wide forecast may stay in a better group than its "
        "place.",
    )


def traps(view: RankView) -> tuple[str, ...]:
    """Return a sentence for each early leader that loses at the common compute, the best winners first."""
    places = {row.recipe: place for place, row in enumerate(view.ranking.recipes)}
    found = []
    for pair in view.ranking.pairs:
        if not pair.trap:
            continue
        loser, winner, p_winner = _sides(pair)
        crossing = (
            "" if pair.crossing is None else f"; the medians cross at {quantity(pair.crossing, view.ranking.unit)}"
        )
        text = (
            f"{loser} leads {winner} early and loses at {view.at} with probability {probability(p_winner)}{crossing}."
        )
        found.append((places[winner], places[loser], text))
    return tuple(text for _, _, text in sorted(found))


def _sides(pair: Pair) -> tuple[str, str, float]:
    """Return early leader, the other, and the probability that the other is better."""
    if pair.early_leader == pair.a:
        return pair.a, pair.b, 1.0 - pair.p_a_better
    return pair.b, pair.a, pair.p_a_better


def crossings(view: RankView) -> tuple[str, ...]:
    """Return a sentence for each crossing of medians still ahead of both recipes that is no trap."""
    places = {row.recipe: place for place, row in enumerate(view.ranking.recipes)}
    ran = {name: max(run.compute_last for run in runs) for name, runs in runs_by_recipe(view.runs).items()}
    found = []
    for pair in view.ranking.pairs:
        if pair.trap or pair.crossing is None:
            continue
        if not max(ran[pair.a], ran[pair.b]) < pair.crossing <= view.ranking.at:
            continue
        before, after, p_after = _sides(pair)
        if p_after < LIKELY:
            continue
        text = (
            f"{after} may overtake {before} at {quantity(pair.crossing, view.ranking.unit)} "
            f"(ahead at {view.at} with probability {probability(p_after)})."
        )
        found.append(((min(places[pair.a], places[pair.b]), max(places[pair.a], places[pair.b])), text))
    return tuple(text for _, text in sorted(found))


def published(view: RankView, limit: int = 6) -> tuple[str, ...]:
    """Return what the two published rules say of the leader against the rest of its group, one sentence an outcome."""
    rows = view.ranking.recipes
    leader = rows[0].recipe
    group = {row.recipe for row in rows if row.group == rows[0].group}
    outcomes: dict[str, list[str]] = {}
    for pair in view.ranking.pairs:
        if leader not in (pair.a, pair.b) or not {pair.a, pair.b} <= group:
            continue
        check = pair.published
        if check is None:
            continue
        mine, theirs = (check.A_a, check.A_b), (check.B_a, check.B_b)
        if pair.b == leader:
            mine, theirs = mine[::-1], theirs[::-1]
        other = pair.a if pair.b == leader else pair.b
        if not check.tie:
            outcome = f"{leader} has the {'higher' if mine[0] > mine[1] else 'lower'} least-squares A than"
            numbers = f"{reward(mine[0], view.shown_in)} against {reward(mine[1], view.shown_in)}"
        else:
            ahead = theirs[0] is not None and theirs[1] is not None and theirs[0] >= theirs[1]
            outcome = f"{leader} ties on A and has the {'higher' if ahead else 'lower'} B than"
            numbers = f"B {number(theirs[0])} against {number(theirs[1])}"
        outcomes.setdefault(outcome, []).append(f"{other} ({numbers})")
    return tuple(f"{outcome} {'; '.join(_capped_names(names, limit))}." for outcome, names in outcomes.items())


def _capped_names(names: Sequence[str], limit: int) -> list[str]:
    return list(names) if len(names) <= limit else [*names[:limit], f"{len(names) - limit} more"]


def counts(runs: Sequence[RunLine]) -> str:
    """Return ``6 runs, 240 evaluations``."""
    return f"{count(len(runs), 'run')}, {count(sum(run.n_points for run in runs), 'evaluation')}"


def common_unit(runs: Sequence[RunLine]) -> str:
    """Return the unit that all runs share, or an empty string."""
    units = {run.unit for run in runs}
    return units.pop() if len(units) == 1 else ""


def target_headings(runs: Sequence[RunView]) -> tuple[str, ...]:
    """Return a heading for each forecast: the compute where the runs share it, else the multiple of the last one."""
    fitted = [run for run in runs if run.forecasts]
    if not fitted:
        return ()
    headings = []
    for k in range(len(fitted[0].forecasts)):
        computes = {run.forecasts[k].compute for run in fitted}
        if len(computes) == 1 and common_unit(fitted):
            compute = computes.pop()
            headings.append("asymptote" if math.isinf(compute) else f"at {quantity(compute)}")
        else:
            headings.append(f"at {fitted[0].forecasts[k].compute / fitted[0].compute_last:.3g}× last")
    return tuple(headings)


def outlook(run: RunView) -> str:
    """Return the sentence that says when an unresolved run should become resolved; empty where that is not known."""
    if run.resolves_at is None:
        return ""
    return f"Should be resolved by {quantity(run.resolves_at.q50)} {run.unit} (80 %: {outlook_ends(run, ' to ')})."


def outlook_ends(run: RunView, between: str) -> str:
    """Return the 80 % interval of the compute at which a run should become resolved; empty where that is not known."""
    if run.resolves_at is None:
        return ""
    later = " or later" if open_ended(run.resolves_at, run.compute_last) else ""
    return f"{quantity(run.resolves_at.q10)}{between}{quantity(run.resolves_at.q90)}{later}"


def open_ended(resolves_at: Interval | None, compute_last: float) -> bool:
    """Return whether the upper end of when a run is resolved is as far as anybody looked, and no quantile."""
    return resolves_at is not None and resolves_at.q90 >= HORIZON * compute_last


def input_section(remarks: Iterable[Remark], *, on_page: bool = True) -> Section:
    """Return what was assumed, said and repaired while reading."""
    return remark_section("About the input", remarks, on_page=on_page)


def remark_section(title: str, remarks: Iterable[Remark], *, on_page: bool = True) -> Section:
    """Return remarks with their runs under a title."""
    return Section(title, tuple(f"{remark.subject()}: {remark.text}" for remark in remarks), on_page=on_page)
