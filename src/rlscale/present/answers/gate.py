"""The answer of ``gate``: a row a run."""

from __future__ import annotations

from rlscale.present.answers.answer import Answer, Column, Section, Table
from rlscale.present.gate.document import gate_document
from rlscale.present.gate.reasons import reasons
from rlscale.present.gate.view import CLAIM, GateView, headline
from rlscale.present.savings import savings_words
from rlscale.present.views import listed

__all__ = ["gate_answer"]

_COLUMNS = (
    Column("run", "run"),
    Column("recipe", "recipe", shown=False),
    Column("decision", "decision"),
    Column("reason_code", "because"),
    Column("spent", "spent", "compute"),
    Column("reward", "reward now", "reward"),
    Column("forecast", "forecast at the budget, 80 %", "reward"),
    Column("h", "P(best)", "probability"),
    Column("verdict", "verdict", "verdict", shown=False),
    Column("reason", "reason", shown=False),
)


def gate_answer(view: GateView) -> Answer:
    """Return the answer: what gets compute first."""
    answer = view.answer
    rows = tuple(
        (
            each.run, each.recipe, each.action.value, each.code, each.evidence.spent, each.evidence.reward,
            each.evidence.interval, each.evidence.h,
            None if each.evidence.verdict is None else each.evidence.verdict.value, each.reason,
        )
        for each in view.ordered
    )  # fmt: skip
    table = Table("decisions", _COLUMNS, rows, answer.bounds, answer.unit, f"compute in {answer.unit}")
    why = tuple(f"{one.action.value} {listed(one.runs, 6)}: {one.text}" for one in reasons(view.ordered, answer))
    notes = tuple(text for text in (view.calibration, *answer.notes, CLAIM) if text)
    said = tuple(f"{item.subject()}: {item.text}" for item in view.input)
    sections = (
        Section("", (savings_words(view.savings),)),
        Section("Why", why),
        Section("Notes", notes),
        Section("About the input", said),
    )
    return Answer(headline(view), (table,), sections, gate_document(view))
