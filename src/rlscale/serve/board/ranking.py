"""The overview: a ranking of fits, or of what a ledger keeps of them, with what stands beside each recipe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rlscale.answers import Answer
from rlscale.answers.gate.view import risk_words
from rlscale.answers.overview import CARDS, OverviewView, overview_answer, shown_rows
from rlscale.answers.remarks import open_ended
from rlscale.answers.views import RankView, run_line, runs_by_recipe
from rlscale.decisions import RecipeRank
from rlscale.inference import Fit, Interval
from rlscale.serve.board.kept import MOST, Kept
from rlscale.serve.board.state import State
from rlscale.serve.query import Query

__all__ = ["ranked_answer", "stored_answer"]

#: Decisions that the overview tells.
_LATEST = 6
#: Runs that are read from a ledger with very many for one page.
_DRAWN = 2 * CARDS


def ranked_answer(
    state: State, query: Query, ranked: RankView, fits: Sequence[Fit], kept: Kept, price: float | None
) -> Answer:
    """Return the overview of runs that were ranked."""
    by_recipe = runs_by_recipe(ranked.runs)
    spent = {recipe: sum(run.compute_last for run in runs) for recipe, runs in by_recipe.items()}
    places = {run.run: k for k, run in enumerate(ranked.runs)}

    def resolved_by(row: RecipeRank) -> float | None:
        found = _resolves((row,), [[fits[places[run]] for run in row.runs]])[0].get(row.recipe)
        return None if found is None else found.q50

    whole = state.reading is not None and len(state.reading.runs) <= MOST  # of very many not all are fitted
    beside = {"spent": lambda row: spent.get(row.recipe), "resolves_at": resolved_by if whole else _unknown}
    rows, first, matching = shown_rows(ranked.ranking, query.search, query.offset, query.sort, beside)
    resolves, later = _resolves(rows, [[fits[places[run]] for run in row.runs] for row in rows])
    reading = state.reading
    assert reading is not None
    names = {run for row in rows for run in row.runs}
    judged = [run for run in reading.runs if whole or run.name in names]
    gate = state.decided.gate
    view = OverviewView(
        ranked=ranked,
        rows=rows,
        offset=first,
        matching=matching,
        search=query.search,
        spent=spent,
        resolves=resolves,
        open_ended=later,
        health=kept.health(judged),
        savings=None if gate is None else gate.savings,
        actions=state.decided.actions,
        latest=state.decided.told[:_LATEST],
        sent=state.decided.sent,
        risk="" if gate is None else risk_words(gate),
        price=price,
        notes=_waiting(state),
    )
    return overview_answer(view, fits, kept.fan, kept.hits)


def stored_answer(state: State, query: Query, kept: Kept, price: float | None) -> Answer:
    """Return the overview of a ledger's runs as they were last fitted; only what is drawn is fitted now."""
    stored = state.stored
    assert stored is not None
    ranking = stored.ranked.ranking
    beside = {"spent": lambda row: stored.spent.get(row.recipe), "resolves_at": _unknown}
    rows, first, matching = shown_rows(ranking, query.search, query.offset, query.sort, beside)
    drawn = [run for row in rows for run in row.runs][:_DRAWN]
    reading = stored.load(tuple(drawn))
    fits = kept.fits(reading.runs)
    lines = tuple(run_line(fit.run, fit.verdict, fit.warnings) for fit in fits)
    by_name = {fit.run.name: fit for fit in fits}
    resolves, later = _resolves(rows, [[by_name[run] for run in row.runs if run in by_name] for row in rows])
    gate = state.decided.gate
    view = OverviewView(
        ranked=replace(stored.ranked, runs=lines),
        rows=rows,
        offset=first,
        matching=matching,
        search=query.search,
        spent=stored.spent,
        resolves=resolves,
        open_ended=later,
        health=kept.health(reading.runs),
        savings=None if gate is None else gate.savings,
        actions=state.decided.actions,
        latest=state.decided.told[:_LATEST],
        sent=state.decided.sent,
        risk="" if gate is None else risk_words(gate),
        price=price,
        notes=(*stored.notes, *_unanswered(query)),
        stored=True,
    )
    return overview_answer(view, fits, kept.fan, kept.hits)


def _unknown(row: RecipeRank) -> float | None:
    return None


def _unanswered(query: Query) -> tuple[str, ...]:
    """Say that stored fits have their own target."""
    if query.target is None:
        return ()
    return ("Recipes keep the order of their stored fits; the page of a run forecasts it at any compute.",)


def _waiting(state: State) -> tuple[str, ...]:
    """Say what becomes of decisions that were asked for."""
    decided = state.decided
    if state.budget is None or decided.gate is not None:
        return ()
    return (decided.note or "The first decisions are being worked out; they show up here in a moment.",)


def _resolves(rows: Sequence[RecipeRank], fits: Sequence[Sequence[Fit]]) -> tuple[dict[str, Interval], frozenset[str]]:
    """Return when each recipe should be resolved: the run that its verdict is of, which is the middle one.

    With it the recipes of which the upper end of that is as far as anybody looked.
    """
    found, later = {}, set()
    for row, own in zip(rows, fits, strict=True):
        of = [fit for fit in own if fit.verdict == row.verdict] or list(own)
        when = next((fit for fit in of if fit.resolves_at is not None), None)
        if when is not None and when.resolves_at is not None:
            found[row.recipe] = when.resolves_at
            if open_ended(when.resolves_at, when.run.curve.compute_last):
                later.add(row.recipe)
    return found, frozenset(later)
