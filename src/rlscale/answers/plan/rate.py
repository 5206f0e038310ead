"""A learning rate: on its own, and in a plan."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from rlscale.answers.answer import Answer, Document, Figures, Section, Sentence
from rlscale.answers.charts.axes import compute_ticks
from rlscale.answers.charts.spec import Axis, Chart, Label, Line, Panel, Part, Points
from rlscale.answers.documents import SCHEMA
from rlscale.answers.numbers import quantity
from rlscale.answers.plan.document import lr_document
from rlscale.answers.settings import Settings
from rlscale.answers.table import Column, Table
from rlscale.decisions.plan import LearningRate
from rlscale.decisions.plan.learning_rate import TESTED

__all__ = ["RateView", "rate_answer", "rate_section", "rate_words"]

#: What is null in the document of a plan without runs.
_NOTHING: dict[str, Any] = {
    "reward": None, "budget": None, "unit": None, "recipes": [], "crossings": [], "split": None, "pretraining": None,
}  # fmt: skip


@dataclass(frozen=True)
class RateView:
    """A learning rate alone, and how it was asked for."""

    rate: LearningRate
    settings: Settings = field(default_factory=Settings)


def rate_words(rate: LearningRate) -> str:
    """Return the learning rate in a sentence."""
    return (
        f"Learning rate {_lr(rate.value)} for a total batch of {rate.batch:,.10g}, from {_lr(rate.anchor_lr)} at "
        f"{rate.anchor_batch:,.10g}, by the square-root rule."
    )


def rate_section(rate: LearningRate) -> Section:
    """Return the rule with its limits and its evidence."""
    sentences = [
        Sentence(f"{rate.rule}."),
        *(Sentence(f"{text[:1].upper()}{text[1:]}.") for text in rate.limits),
        *(Sentence(f"{each.says} (grade: {each.grade}).", each.source) for each in rate.evidence),
    ]
    return Section("The learning rate: its rule, limits and evidence", tuple(sentences))


def rate_answer(view: RateView, *, charts: bool = False) -> Answer:
    """Return the answer of a learning rate without runs."""
    rate = view.rate
    chart = Chart((Part((_panel(rate),), 1, (7.2, 4.4)),)) if charts else None
    columns = [Column(key, key, "label") for key in ("lr", "batch", "anchor_lr", "anchor_batch")]
    columns.append(Column("rule", "rule"))
    table = Table(name="lr", columns=tuple(columns),
                  rows=((rate.value, rate.batch, rate.anchor_lr, rate.anchor_batch, rate.rule),))  # fmt: skip
    return Answer(
        headline=rate_words(rate),
        table=table,
        document=Document(_document, view),
        blocks=(*(() if chart is None else (Figures("", chart.panels),)), rate_section(rate)),
        chart=chart,
        kicker="learning rate",
        settings=view.settings,
    )


def _document(view: RateView) -> dict[str, Any]:
    return {
        "schema": SCHEMA, **_NOTHING, "lr": lr_document(view.rate), "grouping": None, "left_out": [], "errors": [],
        "options": dict(view.settings.options),
    }  # fmt: skip


def _lr(value: float) -> str:
    return f"{value:.4g}"


def _panel(rate: LearningRate) -> Panel:
    """Return the rule as a line, solid over the factor that was compared."""
    near = rate.anchor_batch / TESTED, rate.anchor_batch * TESTED
    low, high = min(near[0], rate.batch / 2.0), max(4.0 * near[1], 4.0 * rate.batch)

    def at(batch: float) -> float:
        return rate.anchor_lr * math.sqrt(batch / rate.anchor_batch)

    ends = at(low), at(high)
    ticks = tuple((value, f"{value:.1e}") for value, _ in compute_ticks(*ends, 5))
    anchor = f"{_lr(rate.anchor_lr)} at {rate.anchor_batch:,.10g}"
    wanted = f"{_lr(rate.value)} at {rate.batch:,.10g}"
    return Panel(
        description="Learning rate against the total batch, by the square-root rule",
        x=Axis("total batch (samples of one sampling step, log)", low, high, compute_ticks(low, high, 6), "log"),
        y=Axis("learning rate (log)", *ends, ticks, "log"),
        marks=(
            Line((low, high), ends, "s0", 1.2, "dashed", strength=0.6),
            Line(near, (at(near[0]), at(near[1])), "s0", 2.2),
            Points((rate.anchor_batch,), (rate.anchor_lr,), "ink", 4.0, tips=(f"anchor: {anchor}",)),
            Points((rate.batch,), (rate.value,), "s1", 4.6, tips=(wanted,)),
            Label(rate.anchor_batch, rate.anchor_lr, f"anchor: {anchor}", "muted", "start"),
            Label(rate.batch, rate.value, wanted, "muted", "start"),
        ),
        title="lr = anchor x sqrt(batch / anchor batch)",
        subtitle=f"solid: up to {quantity(TESTED)} times the anchor either way, as far as the rule was compared",
    )
