"""The answer of ``knobs --diff``: what two configurations differ in, and which of it matters."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rlscale.answers.answer import Answer, Document, Section, Sentence
from rlscale.answers.documents import SCHEMA
from rlscale.answers.knobs.view import KnobsView
from rlscale.answers.numbers import count
from rlscale.answers.table import Column, Table
from rlscale.curves import Config
from rlscale.decisions.knobs import Diff, Difference

__all__ = ["diff_answer"]

_TITLES = {
    "ceiling": "May move the ceiling",
    "speed": "May move the speed",
    "stability": "May move the stability",
    "unresolved": "No study resolved an effect",
}
_SHOWN = 18


def diff_answer(view: KnobsView[Diff]) -> Answer:
    """Return the answer."""
    diff = view.result
    columns = (
        Column("setting", "setting", "name"),
        Column("a", "A", "text"),
        Column("b", "B", "text"),
        Column("matters", "may move", "text"),
        Column("knob", audience="programs"),
        Column("says", audience="programs"),
        Column("source", audience="programs"),
    )
    rows = tuple(
        (each.setting, _short(each.a), _short(each.b), each.matters, each.knob, each.says, each.source)
        for each in diff.differences
    )
    note = f"A: {diff.a.name}; B: {diff.b.name}; empty: not stated, and no default is known"
    table = Table(name="differences", columns=columns, rows=rows, note=note)
    sections = [
        Section(title, tuple(_sentence(difference) for difference in diff.of((name,))))
        for name, title in _TITLES.items()
    ]
    lead: tuple[str, ...] = (
        () if diff.a.trainer == diff.b.trainer else ("Two trainers: only what both can say is compared.",)
    )
    lead += tuple(dict.fromkeys(filter(None, map(_wrong, (diff.a, diff.b)))))
    return Answer(
        headline=_headline(diff),
        lead=lead,
        table=table,
        document=Document(_document, view),
        blocks=(*((table,) if rows else ()), *sections),
        kicker=f"{diff.a.name} and {diff.b.name}",
        errors=view.errors,
        settings=view.settings,
    )


def _wrong(config: Config) -> str:
    """Say that a configuration has errors, which are not compared; empty where it has none."""
    errors = len({remark.key for remark in config.remarks if remark.refused})
    if not errors:
        return ""
    wrong = "1 wrong setting" if errors == 1 else f"{errors} wrong settings"
    return f"{config.name} has {wrong}; rlscale knobs --check {config.name} says what is wrong."


def _headline(diff: Diff) -> str:
    pair = f"{diff.a.name} and {diff.b.name}"
    if not diff.differences:
        return f"{pair} say the same of the recipe ({count(diff.same, 'setting')})."
    matter = [difference.setting for difference in diff.of(("ceiling",))]
    names = f"{', '.join(matter[:4])}{f' and {len(matter) - 4} more' if len(matter) > 4 else ''}"
    counted = count(len(diff.differences), "setting")
    if matter:
        return f"{pair} differ in {counted}; of these {names} may move the ceiling."
    return f"{pair} differ in {counted}; none of these was seen to move the ceiling."


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def _sentence(difference: Difference) -> Sentence:
    source = f" [{difference.source}]" if difference.source else ""
    pair = f"{difference.a or 'not stated'} against {difference.b or 'not stated'}"
    return Sentence(f"{pair}. {difference.says}{source}", subject=difference.setting)


def _document(view: KnobsView[Diff]) -> dict[str, Any]:
    diff = view.result
    return {
        "schema": SCHEMA,
        "a": {"name": diff.a.name, "trainer": diff.a.trainer or None},
        "b": {"name": diff.b.name, "trainer": diff.b.trainer or None},
        "differences": [asdict(difference) for difference in diff.differences],
        "same": diff.same,
        "errors": [asdict(error) for error in view.errors],
        "options": dict(view.settings.options),
    }
