"""The answer of ``gate``: a row a run."""

from __future__ import annotations

import math

from rlscale.answers.answer import Answer, Block, Document, Figures, Section, Sentence
from rlscale.answers.gate.chart import gate_chart
from rlscale.answers.gate.document import gate_document
from rlscale.answers.gate.reasons import reasons
from rlscale.answers.gate.view import CLAIM, GateView, headline, risk_words
from rlscale.answers.numbers import count, quantity, reward
from rlscale.answers.remarks import input_section
from rlscale.answers.savings import savings_words
from rlscale.answers.table import Column, Table

__all__ = ["gate_answer"]


def gate_answer(view: GateView, *, charts: bool = False) -> Answer:
    """Return the answer: what gets compute first; with ``charts`` what a page and ``--plot`` draw."""
    answer = view.answer
    table = _table(view)
    chart = gate_chart(view) if charts else None
    blocks: list[Block] = []
    if view.shown:
        figures = [] if chart is None else [Figures("", chart.panels)]
        blocks = [
            table,
            *figures,
            Section("Why", _why(view)),
            Section("Notes", tuple(text for text in (*answer.notes, _judged(view), view.calibration, CLAIM) if text)),
            input_section(view.input),
        ]
    return Answer(
        headline=headline(view),
        table=table,
        document=Document(gate_document, view),
        lead=tuple(text for text in (risk_words(view), savings_words(view.savings)) if text),
        grouping=view.grouping,
        blocks=tuple(blocks),
        chart=chart,
        kicker=f"{answer.metric} · {count(len(answer.decisions), 'run')}",
        errors=view.errors,
        settings=view.settings,
    )


def _table(view: GateView) -> Table:
    answer = view.answer
    columns = (
        Column("decision", "decision", "decision"),
        Column("run", "run", "name"),
        Column("recipe", audience="programs"),
        Column("spent", "spent", "compute"),
        Column("reward", "reward\nnow", "reward", spare=True),
        Column("forecast", f"at {quantity(answer.budget)}\n80 %", "reward", bar=True),
        Column("h", "P(best\nby ε)", "probability"),
        Column("verdict", kind="verdict", audience="programs"),
        Column("because", "because", spare=True, audience="people"),
        Column("reason_code", audience="programs"),
        Column("reason", audience="programs"),
    )
    rows = tuple(
        (
            each.action.value, each.run, each.recipe, each.evidence.spent, each.evidence.reward,
            each.evidence.interval, each.evidence.h,
            None if each.evidence.verdict is None else each.evidence.verdict.value,
            each.code.replace("_", " "), each.code, each.reason,
        )
        for each in view.ordered
    )  # fmt: skip
    low, high = answer.bounds
    axis = f"{answer.unit} ({answer.clock})" if answer.clock else answer.unit
    epsilon = reward(answer.policy.epsilon * (high - low), answer.bounds)
    note = f"compute in {axis}; ε = {epsilon}"
    return Table(name="decisions", columns=columns, rows=rows, note=note, bounds=answer.bounds)


def _why(view: GateView) -> tuple[Sentence, ...]:
    return tuple(
        Sentence(reason.text, _names(reason.runs), reason.action.value) for reason in reasons(view.ordered, view.answer)
    )


def _names(names: tuple[str, ...], most: int = 6) -> str:
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most:,} more"


def _judged(view: GateView) -> str:
    answer = view.answer
    if answer.claim == "runs":
        return "Judged are these runs, not new runs of their recipes: run-to-run sd 0 (--seed-sd)."
    if math.isnan(answer.seed_sd):  # of a look that was kept: it was learned then
        return "Judged are recipes, their runs together; run-to-run sd τ as learned at each look."
    return f"Judged are recipes, their runs together; run-to-run sd τ = {answer.seed_sd:.3f} of the range."
