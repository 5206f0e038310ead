"""Which answer each page is: computed from a version of the board with what is kept of each run."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from rlscale.answers import Answer
from rlscale.answers.ablate import ablate_answer, ablate_view
from rlscale.answers.compare import MOST as MOST_COMPARED
from rlscale.answers.compare import CompareView, compare_answer
from rlscale.answers.decisions import Again, DecisionsView, decisions_answer, undecided_answer
from rlscale.answers.health import HealthView, health_answer, health_view
from rlscale.answers.needed import needed_answer
from rlscale.answers.plan import plan_view
from rlscale.answers.run import RunPage, run_answer
from rlscale.answers.settings import Settings, bad_files
from rlscale.answers.views import RankView, fit_view, run_line
from rlscale.curves import Run
from rlscale.decisions import RecipeRank, rank, rank_runs
from rlscale.decisions.ablation import ablate
from rlscale.decisions.plan import plan
from rlscale.errors import InputError
from rlscale.health import Health
from rlscale.inference import Fit, FitOptions
from rlscale.inference.targets import at_targets, target_grid
from rlscale.left_out import Listing
from rlscale.serve.board.kept import MOST, Kept
from rlscale.serve.board.paging import first_of, paged, with_page
from rlscale.serve.board.planning import PAGED, plan_page
from rlscale.serve.board.ranking import ranked_answer, stored_answer
from rlscale.serve.board.state import State
from rlscale.serve.query import NothingYetError, Query, UnknownError
from rlscale.serve.words import in_page_words
from rlscale.sources import Reading

__all__ = ["Answering"]

#: Runs whose health is shown on one page.
_HEALTH = 100
#: Rankings, and plans, that are kept.
_RANKINGS = 3
#: Recipes of which a run is compared where none is chosen, and runs of each among which the best is looked for.
_FIRST, _WEIGHED = 4, 24


class Answering:
    """The answers of the pages.

    Parameters
    ----------
    options : FitOptions
    seed_sd, price : float, optional
        As for :class:`rlscale.serve.LogBoard`.
    """

    def __init__(self, options: FitOptions, *, seed_sd: float | None = None, price: float | None = None) -> None:
        self.kept, self.seed_sd, self.price = Kept(options), seed_sd, price
        self._plans: list[tuple[tuple[int, Query], Answer]] = []
        self._rankings: list[tuple[Reading, float | None, RankView, Sequence[Fit]]] = []

    def answer(self, state: State, query: Query) -> Answer:
        """Return the answer to a question.

        Raises
        ------
        UnknownError
            A run that is not there.
        InputError
            What cannot be answered.
        """
        return in_page_words(_PAGES[query.view](self, state, query))

    def prepare(self, state: State, until: float) -> None:
        """Draw runs that nobody has looked at yet, until a time."""
        reading = state.reading
        if reading is None or len(reading.runs) > MOST:
            return
        for run in reading.runs:
            if time.monotonic() > until:
                return
            found = self.kept.fit(run, _targets(state.budget))
            self.kept.fan(found)
            self.kept.hits(found)

    def _overview(self, state: State, query: Query) -> Answer:
        if state.stored is not None:
            return stored_answer(state, query, self.kept, self.price)
        view, fits = self._ranked(state, _target(state, query))
        return ranked_answer(state, query, view, fits, self.kept, self.price)

    def _ranked(self, state: State, target: float | None) -> tuple[RankView, Sequence[Fit]]:
        """Return the ranking of all runs; the last few are kept."""
        reading = _reading(state)
        for known, at, view, fits in self._rankings:
            if known is reading and at == target:
                return view, fits
        view, fits = self._rank(reading, target)
        self._rankings = [(reading, target, view, fits), *self._rankings[:_RANKINGS]]
        return view, fits

    def _rank(self, reading: Reading, target: float | None) -> tuple[RankView, Sequence[Fit]]:
        """Return the ranking of all runs: from fits that are kept, or of very many without keeping them."""
        runs, targets = reading.runs, _targets(target)
        if len(runs) <= MOST:
            fits: Sequence[Fit] = self.kept.fits(runs, targets)
            ranking = rank(Listing(fits, left_out=reading.left_out), target=target, seed_sd=self.seed_sd)
            lines = tuple(run_line(fit.run, fit.verdict, fit.warnings) for fit in fits)
        else:
            ranking, outcomes = rank_runs(runs, self.kept.options, target=target, seed_sd=self.seed_sd)
            lines = tuple(run_line(run, of.verdict, of.warnings) for run, of in zip(runs, outcomes, strict=True))
            fits = self.kept.lazily(runs, targets)
        view = RankView(
            ranking=ranking, runs=lines, errors=bad_files(reading.errors), settings=_settings(target=target),
            grouping=reading.grouping, left_out=reading.left_out,
        )  # fmt: skip
        return view, fits

    def _run(self, state: State, query: Query) -> Answer:
        name = query.name or next(iter(self._leading(state)[0]), "")  # without a name, the run that leads
        reading = _some(state, (name,))
        run = _named(reading, name)
        target = _target(state, query)
        targets = _targets(target)
        found = self.kept.fit(run, targets)
        last = run.curve.compute_last
        grid = target_grid(last) if last > 0.0 else ()
        if grid and target is not None and grid[0] < target < grid[-1]:
            grid = tuple(sorted({*grid, target}))
        slider = at_targets(found, grid)
        view = fit_view((found,), settings=_settings(targets=list(targets)), over_time=(self.kept.grown(found),))
        page = RunPage(
            view=view, fit=found, slider=slider, health=self.kept.health((run,))[0],
            decisions=state.decided.on(run.name), asked=target,
        )  # fmt: skip
        return run_answer(page, self.kept.fan, self.kept.hits)

    def _compare(self, state: State, query: Query) -> Answer:
        chosen = _runs_of(state, query.runs)
        names, target, lead = chosen[:MOST_COMPARED], _target(state, query), ""
        targets = _targets(target)
        if not names:
            names, at, lead = self._leading(state)
            target = at if target is None else target
        if len(names) < 2:
            alone = len(_names(state)) < 2
            _some(state, names)
            return needed_answer(
                f"There is nothing to compare {names[0]} with." if names else "There is nothing to compare.",
                (
                    "Another run shows up here as soon as it is logged."
                    if alone
                    else "Choose more runs in the overview.",
                ),
            )
        reading = _some(state, names)
        runs = [_named(reading, name) for name in names]
        fits = [_alone(fit) for fit in self.kept.fits(runs, targets)]
        ranking = rank(fits, target=target, seed_sd=0.0, all_pairs=True)
        ranked = RankView(
            ranking=ranking,
            runs=tuple(run_line(fit.run, fit.verdict, fit.warnings) for fit in fits),
            settings=_settings(run=[*names], target=target),
        )
        if len(chosen) > MOST_COMPARED:
            lead = f"Shown are the first {MOST_COMPARED} of the {len(chosen)} runs that were chosen."
        return compare_answer(CompareView(ranked=ranked, fits=tuple(fits), lead=lead))

    def _leading(self, state: State) -> tuple[tuple[str, ...], float, str]:
        """Return the best run of each of the first recipes, the compute at which they are, and that in a sentence."""
        view = state.stored.ranked if state.stored is not None else self._ranked(state, state.budget)[0]
        at, leading = view.ranking.at, view.ranking.recipes[:_FIRST]
        runs = _some(state, [name for row in leading for name in row.runs[:_WEIGHED]]).runs
        level = {fit.run.name: _median(fit) for fit in self.kept.fits(runs, (at,))}

        def ordered(row: RecipeRank) -> list[str]:
            return sorted(row.runs[:_WEIGHED], key=lambda name: -level.get(name, -math.inf))

        by = f"by median {'ceiling' if math.isinf(at) else f'forecast at {view.at}'}"
        if len(leading) == 1:  # seeds of one recipe
            lead = f"These are the best runs of {leading[0].recipe} {by}; choose others in the overview."
            return tuple(ordered(leading[0])[:_FIRST]), at, lead
        first = f"the first {len(leading)} recipes of the overview, in which {leading[0].recipe} ranks first"
        lead = f"These are the best runs, {by}, of {first}; choose others there."
        return tuple(ordered(row)[0] for row in leading), at, lead

    def _decisions(self, state: State, query: Query) -> Answer:
        decided = state.decided
        if decided.gate is None:
            wait = "The first decisions are being worked out; they show up here in a moment."
            told = decided.note or (wait if state.budget is not None else "")
            return undecided_answer(told, (told,) if told else ())
        again = None
        if query.again is not None:
            if decided.explain is None:
                raise InputError("a decision is made again from a ledger only; rlscale watch keeps them in one")
            again = Again(number=query.again, explanation=decided.explain(query.again))
        answer = decisions_answer(
            DecisionsView(
                gate=decided.gate, history=decided.history, more=decided.more, words=decided.words,
                commands=decided.commands, watcher=decided.watcher, again=again,
                from_ledger=decided.explain is not None, looked_at=decided.looked_at,
            )
        )  # fmt: skip
        return paged(answer, query.offset, ("decisions",))

    def _plan(self, state: State, query: Query) -> Answer:
        key = (state.version, replace(query, offset=0).heeded)
        answer = next((answer for known, answer in self._plans if known == key), None)
        if answer is None:
            answer = self._planned(state, query)
            self._plans = [(key, answer), *self._plans[: _RANKINGS - 1]]
        return paged(answer, query.offset, PAGED)

    def _planned(self, state: State, query: Query) -> Answer:
        reading = _few(state, query, "a plan is made of")
        fits = Listing(self.kept.fits(reading.runs), left_out=reading.left_out)
        price = self.price if reading.runs[0].curve.unit == "gpu-hours" else None
        answer = plan(fits, reward=query.reward, budget=state.budget, price=price, seed_sd=self.seed_sd)
        asked = _settings(reward=query.reward, budget=state.budget, price=price, worth=answer.worth)
        return plan_page(plan_view(answer, reading, asked), reading, fits, state.budget, self.seed_sd)

    def _ablation(self, state: State, query: Query) -> Answer:
        reading = _few(state, query, "knobs are compared over")
        fits = Listing(self.kept.fits(reading.runs), left_out=reading.left_out)
        try:
            answer = ablate(fits, seed_sd=self.seed_sd)
        except InputError as error:
            return needed_answer(
                "There is no ablation to show.",
                (
                    f"{error.on_command_line[:1].upper()}{error.on_command_line[1:]}.",
                    "It takes at least two runs of one metric and unit whose settings are known and differ: logged by "
                    "the trainer, as columns of a table, or in a settings.csv in the folder of the runs.",
                    "rlscale knobs says which settings are known to move a ceiling.",
                ),
                kicker="ablation",
            )  # fmt: skip
        return ablate_answer(ablate_view(answer, reading, _settings()), charts=True)

    def _health(self, state: State, query: Query) -> Answer:
        names = _names(state)
        matching = tuple(name for name in names if query.search.casefold() in name.casefold())
        if not matching and query.name is None:
            raise InputError(f"no run has {query.search!r} in its name; search for another part of it")
        first = first_of(query.offset, len(matching), _HEALTH)
        chosen = matching[first : first + _HEALTH]
        if query.name is not None:
            if query.name not in names:
                raise _unknown(state, query.name)
            chosen = (query.name, *(name for name in chosen if name != query.name))[:_HEALTH]
        reading = _some(state, chosen)
        judged = Health(self.kept.health(reading.runs), reading.left_out)
        if query.name is not None and all(run.run != query.name for run in judged.runs):
            raise _unknown(state, query.name)
        view: HealthView = health_view(judged, reading, _settings(), explain=query.name)
        answer = health_answer(view, charts=True)
        return with_page(answer, first, len(chosen), max(len(matching), len(chosen)), _HEALTH)


def _settings(**options: object) -> Settings:
    return Settings(options={name: value for name, value in options.items() if value not in (None, [])})


def _target(state: State, query: Query) -> float | None:
    """Return the compute at which runs are compared: as asked, else the budget of the decisions, where there is one."""
    return state.budget if query.target is None else query.target


def _targets(target: float | None) -> tuple[float, ...]:
    return () if target is None else (target,)


def _median(fit: Fit) -> float:
    """Return the median forecast of a fit at its target; the lowest there is where nothing was fitted."""
    return fit.forecasts[0].q50 if fit.forecasts else -math.inf


def _runs_of(state: State, names: Sequence[str]) -> tuple[str, ...]:
    """Return the runs that names stand for: a run for itself, a recipe for all of its runs."""
    recipes = state.recipes
    runs = {run for own in recipes.values() for run in own}
    chosen = [(name,) if name in runs else recipes.get(name, (name,)) for name in names]
    return tuple(dict.fromkeys(run for own in chosen for run in own))


def _reading(state: State) -> Reading:
    reading = state.reading
    if reading is None or not reading.runs:
        if state.troubles:
            raise NothingYetError(f"no run can be shown until this is mended: {state.troubles[0]}")
        raise NothingYetError(f"no run yet: awaited is {state.awaited}; this page fills as soon as it is there")
    return reading


def _names(state: State) -> tuple[str, ...]:
    if state.stored is not None:
        return state.stored.names
    return tuple(run.name for run in _reading(state).runs)


def _unknown(state: State, name: str) -> UnknownError:
    """Return that there is no such run, and why where it was left out."""
    reading = state.reading
    for lost in () if reading is None else reading.left_out:
        if name == lost.run or (lost.run is None and name in (Path(lost.path).stem, Path(lost.path).name, lost.path)):
            return UnknownError(f"run {name[:200]!r} was left out: {lost.why}")
    return UnknownError(f"there is no run {name[:200]!r}")


def _some(state: State, names: Sequence[str]) -> Reading:
    """Return the runs of these names, in their order.

    Raises
    ------
    UnknownError
        One that is not there.
    """
    known = frozenset(_names(state))
    for name in names:
        if name not in known:
            raise _unknown(state, name)
    if state.stored is not None:
        return state.stored.load(tuple(names))
    reading = _reading(state)
    if len(names) == len(reading.runs):
        return reading
    by_name = {run.name: run for run in reading.runs}
    return replace(reading, runs=tuple(by_name[name] for name in names))


def _named(reading: Reading, name: str | None) -> Run:
    """Return a run; a ledger may hold one that cannot be made of its points."""
    for run in reading.runs:
        if run.name == name:
            return run
    why = next((error.on_command_line for error in reading.errors), "it has no evaluations yet")
    raise InputError(f"run {(name or '')[:200]!r} cannot be shown: {why}")


def _few(state: State, query: Query, what: str) -> Reading:
    """Return the runs that a page is of which compares all of them: those searched for, where all are too many."""
    names = _names(state)
    if len(names) > MOST or (query.search and state.stored is not None):
        wanted = query.search.casefold()
        names = tuple(name for name in names if wanted in name.casefold())
        if len(names) > MOST:
            raise InputError(
                f"{what} {MOST} runs at most, and here are {len(names):,}; search for a part of their names to choose"
            )
        if not names:
            raise InputError(f"no run has {query.search!r} in its name; search for another part of it")
    reading = _some(state, names)
    if not reading.runs:
        raise InputError("no run could be read yet; this page fills as soon as a log has an evaluation")
    return reading


def _alone(found: Fit) -> Fit:
    """Return the fit of a run as its own recipe."""
    return replace(found, run=replace(found.run, recipe=found.run.name))


_PAGES: Mapping[str, Callable[[Answering, State, Query], Answer]] = {
    "overview": Answering._overview,
    "run": Answering._run,
    "compare": Answering._compare,
    "decisions": Answering._decisions,
    "plan": Answering._plan,
    "ablation": Answering._ablation,
    "health": Answering._health,
}
