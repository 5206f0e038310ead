"""The answer of ``backtest``: a row a method and cut."""

from __future__ import annotations

from rlscale.present.answers.answer import Answer, Column, Section, Table
from rlscale.present.backtest import words
from rlscale.present.backtest.document import backtest_document
from rlscale.present.backtest.scoreboard import COLUMNS
from rlscale.present.backtest.view import METHOD_WORDS, BacktestView

__all__ = ["backtest_answer"]

_KINDS = {"error": "reward", "share": "share", "number": "number"}


def backtest_answer(view: BacktestView) -> Answer:
    """Return the answer."""
    result = view.result
    scores = tuple(Column(each.name, each.heading.replace("\n", " ").strip(), _KINDS[each.kind]) for each in COLUMNS)
    rows = tuple(
        (scored.cut, len(scored.cases), METHOD_WORDS[name], *(getattr(own, each.name) for each in COLUMNS))
        for scored in result.cuts
        if scored.cases
        for name, own in scored.methods.items()
    )
    columns = (Column("cut", "cut", "share"), Column("runs", "runs", "count"), Column("method", "method"), *scores)
    low, high = result.bounds
    table = Table("methods", columns, rows, (0.0, 0.1 * (high - low)))
    sections = tuple(
        Section(f"At {words.at(scored.cut)} of the compute", tuple(words.cut_sentences(view, scored)))
        for scored in result.cuts
    )
    rest = (
        Section("Notes", tuple(words.notes(view))),
        Section("Skipped", tuple(f"{item.subject()}: {item.text}" for item in words.skipped(view))),
    )
    return Answer(words.headline(view), (table,), (*sections, *rest), backtest_document(view))
