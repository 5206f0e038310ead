"""The answer of ``knobs --emit``: the settings that are written, each with its reason, and what is missing."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rlscale.answers.answer import Answer, Document, Section, Sentence
from rlscale.answers.documents import SCHEMA
from rlscale.answers.knobs.view import KnobsView
from rlscale.answers.numbers import count
from rlscale.answers.table import Column, Table
from rlscale.decisions.knobs import EmittedConfig

__all__ = ["emit_answer"]


def emit_answer(view: KnobsView[EmittedConfig]) -> Answer:
    """Return the answer."""
    emitted = view.result
    columns = (
        Column("key", "key", "name"),
        Column("value", "value", "text"),
        Column("reason", audience="programs"),
        Column("source", audience="programs"),
    )
    rows = tuple((line.key, line.value, line.reason, line.source) for line in emitted.lines)
    table = Table(name="settings", columns=columns, rows=rows)
    return Answer(
        headline=(
            f"ScaleRL's recipe for {emitted.title} {emitted.version}, batch {emitted.batch}: "
            f"{count(len(emitted.lines), 'setting')}; {count(len(emitted.missing), 'part')} cannot be expressed."
        ),
        table=table,
        document=Document(_document, view),
        blocks=(
            table,
            Section(
                "Why", tuple(Sentence(f"{each.reason}. [{each.source}]", subject=each.key) for each in emitted.lines)
            ),
            Section(
                "What the trainer cannot express",
                tuple(Sentence(f"{each.value}. {each.why}.", subject=each.setting) for each in emitted.missing),
            ),
        ),
        kicker=emitted.title,
        errors=view.errors,
        settings=view.settings,
    )


def _document(view: KnobsView[EmittedConfig]) -> dict[str, Any]:
    emitted = view.result
    return {
        "schema": SCHEMA,
        "recipe": emitted.recipe,
        "trainer": emitted.trainer,
        "version": emitted.version,
        "batch": emitted.batch,
        "gpus": emitted.gpus,
        "lines": [asdict(each) for each in emitted.lines],
        "missing": [asdict(each) for each in emitted.missing],
        "text": emitted.text,
        "options": dict(view.settings.options),
    }
