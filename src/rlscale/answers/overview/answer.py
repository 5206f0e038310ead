"""The overview: the table of recipes with all that stands beside them, the overlay, decisions, alarms, cards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from rlscale.answers import numbers, remarks
from rlscale.answers.answer import Answer, Block, Document, Section, Sentence
from rlscale.answers.cards import run_cards, small_cards
from rlscale.answers.charts.recipes import recipe_places
from rlscale.answers.charts.runs import Fan, fan
from rlscale.answers.checklist import checklist
from rlscale.answers.documents import rank_document
from rlscale.answers.health.answer import alarm_sentence
from rlscale.answers.health.view import first_alarms
from rlscale.answers.hints import FORECAST, GROUP, P_BEST, RESOLVED_BY, SPENT
from rlscale.answers.overview.view import CARDS, OverviewView, Told
from rlscale.answers.rank import overlay
from rlscale.answers.table import Cell, Column, Table
from rlscale.answers.when import moment
from rlscale.decisions import RecipeRank
from rlscale.health import SEVERITIES
from rlscale.inference import Fit

__all__ = ["overview_answer"]

#: Alarms that are told here; the page of health has all.
_ALARMS = 8
#: A trap that was sent keeps the probability, and the compute, of its moment; those of now stand beside it.
_SENT = " (As it was sent; the probability now stands under Early-leader traps.)"
#: What alarms of a severity are called where they are counted.
_SEVERITY = {"stop": "stop alarm", "warn": "warning", "note": "note"}


def overview_answer(
    view: OverviewView,
    fits: Sequence[Fit],
    drawn: Callable[[Fit], Fan] = fan,
    hits: Callable[[Fit], tuple[str, ...]] | None = None,
) -> Answer:
    """Return the answer.

    Parameters
    ----------
    view : OverviewView
    fits : sequence of Fit
        Behind ``view.ranked``, in its order; asked only for runs of the recipes that are shown.
    drawn, hits : callable
        Return the chart of a run, and what of it ended on a limit: for who keeps them.
    """
    ranked = view.ranked
    names = {run.run for run in view.runs[:CARDS]}
    places = [k for k, run in enumerate(ranked.runs) if run.run in names]
    part = replace(ranked, runs=tuple(ranked.runs[k] for k in places))
    shown = [fits[k] for k in places]
    drawing: list[Block] = []
    if shown:
        whole = len(view.rows) == view.recipes
        # with runs of other recipes left out, nothing is asked of their fits
        drawing = overlay(ranked, fits, None if whole else view.rows)
    basis = (*remarks.mixed_groups(ranked), *_basis(view), *ranked.ranking.notes)
    blocks: list[Block] = [
        _table(view),
        *drawing,
        _decisions(view.latest),
        _alarms(view),
        Section("Early-leader traps", () if view.stored else remarks.traps(ranked), most=6),
        Section("Crossings ahead", () if view.stored else remarks.crossings(ranked), most=4, note=remarks.MEDIANS),
        Section("Notes", basis),
    ]
    if shown:
        cards = small_cards(run_cards(part, shown, drawn))
        blocks += [replace(cards, hidden=max(len(view.runs) - CARDS, 0)), checklist(part, shown, hits)]
    return Answer(
        headline=view.headline,
        table=_table(view),
        document=Document(partial(_document, view=view), ranked),
        lead=tuple(text for text in (*view.notes, view.money, view.risk) if text),
        grouping=ranked.grouping,
        blocks=tuple(blocks),
        kicker=_kicker(view),
        errors=ranked.errors,
        settings=ranked.settings,
    )


def _kicker(view: OverviewView) -> str:
    runs = view.ranked.runs
    metric = runs[0].metric if runs else ""
    some = f", {len(view.rows)} shown" if len(view.rows) < view.recipes else ""
    all_runs = sum(len(row.runs) for row in view.ranked.ranking.recipes)
    points = "" if view.stored else f", {numbers.count(sum(run.n_points for run in runs), 'evaluation')}"
    recipes = numbers.count(view.recipes, "recipe")
    return f"{metric} · {recipes}{some}, {numbers.count(all_runs, 'run')}{points}".removeprefix(" · ")


def _basis(view: OverviewView) -> tuple[str, ...]:
    if view.stored:
        return ()
    return remarks.claim(view.ranked), remarks.calibrated(view.ranked)


def _table(view: OverviewView) -> Table:
    ranked = view.ranked
    asymptote = ranked.at == "the asymptote"
    at = "asymptote" if asymptote else f"at {numbers.quantity(ranked.ranking.at)}"
    rows = [(row, _beside(view, row)) for row in view.rows]
    columns = [
        *([] if view.stored else [Column("group", "group", "count", hint=GROUP)]),
        Column("recipe", "recipe", "name"),
        Column("verdict", "verdict", "verdict"),
        *([] if view.stored else [Column("p_best", "P(best)", "probability", bar=True, hint=P_BEST)]),
        *([] if view.stored and asymptote else [Column("forecast", f"{at}\n80 %", "reward", bar=True, hint=FORECAST)]),
        Column("ceiling", "ceiling\n80 %", "reward", bar=True),
        *([Column("resolves_at", "resolved by,\nper run", "compute", hint=RESOLVED_BY)] if view.resolves else []),
        Column("spent", "spent,\nall runs", "compute", spare=True, hint=SPENT),
        *([Column("decision", "decision", "decision")] if view.actions else []),
        *([Column("alarms", "alarms")] if view.health or view.sent else []),
    ]
    cells: list[tuple[Cell, ...]] = []
    for row, beside in rows:
        held: dict[str, Cell] = {
            "group": row.group, "recipe": row.recipe, "verdict": row.verdict.name.value, "p_best": row.p_best,
            "forecast": row.forecast, "ceiling": row.A, **beside,
        }  # fmt: skip
        cells.append(tuple(held[column.key] for column in columns))
    places = recipe_places(ranked)
    axis = ranked.runs[0].axis if ranked.runs else ranked.ranking.unit
    return Table(
        name="recipes", columns=tuple(columns), rows=tuple(cells), note=_note(view, axis), bounds=ranked.shown_in,
        coloured=True, places=tuple(places[row.recipe] for row in view.rows),
        open_ends=frozenset((k, "resolves_at") for k, row in enumerate(view.rows) if row.recipe in view.open_ended),
    )  # fmt: skip


def _note(view: OverviewView, axis: str) -> str:
    note = f"compute in {axis}"
    if len(view.rows) < view.matching or view.search:
        first, last = view.offset + 1, view.offset + len(view.rows)
        of = f"{view.matching:,} with {view.search!r} in their names" if view.search else f"{view.matching:,}"
        note += f"; {first:,} to {last:,} of {of}" if view.rows else f"; none of {of}"
    return note


def _beside(view: OverviewView, row: RecipeRank) -> dict[str, Cell]:
    """Return what stands beside a recipe: when it resolves, what it spent, what is decided, what is wrong."""
    return {
        "resolves_at": view.resolves.get(row.recipe),
        "spent": view.spent.get(row.recipe),
        "decision": _decision(view, row),
        "alarms": _counted(view, row.recipe),
    }


def _decision(view: OverviewView, row: RecipeRank) -> str | None:
    """Return the decision on a recipe: that on the run of it that is to get most."""
    own = [view.actions[run] for run in row.runs if run in view.actions]
    return next((action for action in ("commit", "continue", "hold", "stop") if action in own), None)


def _counted(view: OverviewView, recipe: str) -> str | None:
    """Return how many alarms a recipe has now, of every severity: those of its runs, and those that were sent of it."""
    judged = view.alarms(recipe)
    sent = [signal.severity for signal in view.sent_beside if signal.recipe == recipe]
    if judged is None and not sent:
        return None
    now = sent + [alarm.severity for run in judged or () for alarm in first_alarms(run) if alarm.lasts]
    parts = [numbers.count(now.count(name), _SEVERITY[name]) for name in reversed(SEVERITIES) if name in now]
    return ", ".join(parts) or "none"


def _decisions(latest: Sequence[Told]) -> Section:
    sentences = []
    for each in latest:
        when = "" if each.at is None else f"{moment(each.at)}: "
        dry = "" if each.acting else "dry run; "
        sentences.append(Sentence(f"{when}{dry}{each.reason}", each.run, each.action))
    return Section("Latest decisions", tuple(sentences))


def _alarms(view: OverviewView) -> Section:
    lasting = [(run.run, alarm) for run in view.health for alarm in first_alarms(run) if alarm.lasts]
    told = [(alarm.severity, alarm_sentence(alarm, run)) for run, alarm in lasting if alarm.severity != "note"]
    told += [
        (signal.severity, Sentence(f"{signal.message}{_SENT if signal.kind == 'trap' else ''}", signal.run,
                                   f"severity_{signal.severity}"))
        for signal in view.sent_beside
    ]  # fmt: skip
    told.sort(key=lambda item: -SEVERITIES.index(item[0]))
    sentences: list[Sentence | str] = [sentence for _, sentence in told[:_ALARMS]]
    notes = sum(alarm.severity == "note" for _, alarm in lasting)
    more = [numbers.count(len(told) - _ALARMS, "more alarm")] if len(told) > _ALARMS else []
    more += [numbers.count(notes, "note")] if notes else []
    if more:
        sentences.append(f"{' and '.join(more)} on the page of health.")
    return Section("Alarms", tuple(sentences))


def _document(ranked: Any, view: OverviewView) -> dict[str, Any]:
    """Return the document of ``rank``, and beside its keys what the overview adds."""
    savings = view.savings
    return {
        **rank_document(ranked),
        "offset": view.offset,
        "matching": view.matching,
        "stored": view.stored,
        "shown": [
            {"recipe": row.recipe, **_plain(_beside(view, row)), "resolves_later": row.recipe in view.open_ended}
            for row in view.rows
        ],
        "spent": sum(view.spent.values()),
        "decided": dict(Counter(view.actions.values())),
        "savings": None if savings is None else savings.document(),
        "latest_decisions": [
            {"run": each.run, "decision": each.action, "reason": each.reason, "acting": each.acting,
             "at": None if each.at is None else moment(each.at), "by": each.by or None}
            for each in view.latest
        ],
        "alarms": [
            {"run": run.run, "monitor": alarm.monitor, "severity": alarm.severity, "since": alarm.since,
             "message": alarm.message}
            for run in view.health for alarm in first_alarms(run) if alarm.lasts
        ] + [
            {"run": signal.run, "monitor": signal.kind, "severity": signal.severity, "since": signal.since,
             "message": signal.message}
            for signal in view.sent_beside
        ],
    }  # fmt: skip


def _plain(beside: dict[str, Cell]) -> dict[str, Any]:
    return {key: dict(vars(cell)) if hasattr(cell, "q50") else cell for key, cell in beside.items()}
