"""The answer of ``knobs [NAME]``: the catalogue, or one knob with all that was measured of it."""

from __future__ import annotations

from typing import Any

from rlscale.answers.answer import Answer, Block, Definitions, Document, Figures, Section, Sentence
from rlscale.answers.charts.spec import Chart
from rlscale.answers.documents import SCHEMA
from rlscale.answers.knobs.chart import CHART_NOTE, knobs_chart
from rlscale.answers.knobs.view import KnobsView, graded, moved
from rlscale.answers.numbers import count
from rlscale.answers.table import Column, Table
from rlscale.decisions.knobs import GRADES, Catalogue, Knob, Study

__all__ = ["catalogue_answer"]

_ONE_STACK = (
    "Most figures are from one stack (ScaleRL, 8B, mathematics). Effects are those of their baseline: from a weak "
    "one they "
    "are larger than in a full recipe, and they do not add up."
)


def catalogue_answer(view: KnobsView[Catalogue], *, charts: bool = False) -> Answer:
    """Return the answer: of several knobs a table and where studies disagree, of one all its studies."""
    knobs = view.result.knobs
    chart = knobs_chart(knobs) if charts else None
    if len(knobs) == 1:
        return _one(view, knobs[0], chart)
    ceiling = sum("ceiling" in knob.moves for knob in knobs)
    disputed = sum(bool(knob.contradictions) for knob in knobs)
    columns = (
        Column("name", "knob", "name"),
        Column("moves", "studies saw it move", "text"),
        Column("studies", "rows", "count"),
        Column("contradictions", "disputed", "text", audience="people"),
        Column("recipe", audience="programs"),
        Column("reading", audience="programs"),
    )
    rows = tuple(
        (
            knob.name,
            moved(knob.moves),
            len(knob.evidence),
            "yes" if knob.contradictions else "no",
            knob.recipe,
            knob.reading,
        )
        for knob in knobs
    )
    note = "rlscale knobs NAME shows what was measured, from which baseline"
    seen = f"{ceiling} were seen to move the ceiling, studies disagree on {disputed}"
    return Answer(
        headline=f"{count(len(knobs), 'knob')}: {seen}.",
        lead=(_ONE_STACK,),
        table=Table(name="knobs", columns=columns, rows=rows, note=note),
        document=Document(_document, view),
        blocks=(
            Table(name="knobs", columns=columns, rows=rows, note=note),
            *_figures(chart),
            Section("What to make of them", tuple(Sentence(knob.reading, subject=knob.title) for knob in knobs)),
            Section(
                "Where studies disagree",
                tuple(Sentence(text, subject=knob.title) for knob in knobs for text in knob.contradictions),
            ),
            _grades(),
        ),
        chart=chart,
        kicker=count(len(knobs), "knob"),
        errors=view.errors,
        settings=view.settings,
    )


def _one(view: KnobsView[Catalogue], knob: Knob, chart: Chart | None) -> Answer:
    columns = (
        Column("source", "source", "name"),
        Column("grade", "grade", "text"),
        Column("baseline", "from", "text", audience="programs"),
        Column("effect", "effect", "text", audience="programs"),
    )
    rows = tuple((study.source, study.grade, study.baseline, study.effect) for study in knob.evidence)
    recipe = f"The published recipe (ScaleRL): {knob.recipe}." if knob.recipe else "The published recipe does not say."
    blocks: tuple[Block, ...] = (
        *_figures(chart),
        Section("What was measured", tuple(_measured(study) for study in knob.evidence)),
        Section("Where studies disagree", knob.contradictions),
        Section("Goes together with", tuple(Sentence(each.says, subject=each.knob) for each in knob.interacts)),
        Section("Settings", (f"In configurations: {', '.join(knob.settings)}.",) if knob.settings else ()),
        _grades(),
    )
    return Answer(
        headline=f"{knob.title[:1].upper()}{knob.title[1:]}. {knob.reading}",
        lead=(f"Studies saw it move: {moved(knob.moves)}. {recipe}",),
        table=Table(name="studies", columns=columns, rows=rows),
        document=Document(_document, view),
        blocks=blocks,
        chart=chart,
        kicker=knob.name,
        errors=view.errors,
        settings=view.settings,
    )


def _figures(chart: Chart | None) -> tuple[Figures, ...]:
    return () if chart is None else (Figures("What was published", chart.panels, CHART_NOTE, size="half"),)


def _measured(study: Study) -> Sentence:
    known = graded(study.grade)
    return Sentence(
        f"{study.effect}. From: {study.baseline}.", subject=f"{study.source} ({known})" if known else study.source
    )


def _grades() -> Definitions:
    return Definitions("How figures are known", tuple(GRADES.items()), "A number behind S: so many readers agree.")


def _document(view: KnobsView[Catalogue]) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "knobs": [
            {
                "name": knob.name,
                "title": knob.title,
                "moves": list(knob.moves),
                "reading": knob.reading,
                "recipe": knob.recipe or None,
                "settings": list(knob.settings),
                "evidence": [
                    {"source": study.source, "grade": study.grade, "baseline": study.baseline, "effect": study.effect}
                    for study in knob.evidence
                ],
                "contradictions": list(knob.contradictions),
                "interacts": [{"knob": each.knob, "says": each.says} for each in knob.interacts],
            }
            for knob in view.result.knobs
        ],
        "options": dict(view.settings.options),
    }
