"""The answer of ``ledger history``: a row a refit."""

from __future__ import annotations

from collections.abc import Sequence

from rlscale.inference import Interval
from rlscale.live.past import Past
from rlscale.present.answers.answer import Answer, Cell, Column, Table
from rlscale.present.ledger.history import history_document
from rlscale.present.ledger.when import moment
from rlscale.present.numbers import count

__all__ = ["history_answer"]

_COLUMNS = (
    Column("recipe", "recipe"), Column("run", "run"), Column("compute", "compute", "compute"),
    Column("verdict", "verdict", "verdict"), Column("ceiling", "ceiling, 80 %", "reward"),
    Column("target", "target", "compute"), Column("forecast", "forecast there, 80 %", "reward"),
    Column("place", "place", "count"), Column("contenders", "of", "count"), Column("at", "when"),
)  # fmt: skip


def history_answer(view: Sequence[Past], where: str) -> Answer:
    """Return the answer; ``where`` is the ledger."""
    rows: list[tuple[Cell, ...]] = []
    for recipe in view:
        for name, steps in recipe.steps.items():
            for step in steps:
                fit = step.fit
                rows.append((recipe.recipe, name, fit.compute, fit.verdict, _interval(fit.A), fit.target,
                             _interval(fit.forecast), step.place, step.contenders, moment(fit.at)))  # fmt: skip
    first = view[0].rows[0]
    table = Table("refits", _COLUMNS, tuple(rows), first.bounds, first.unit, f"compute in {first.unit}")
    headline = f"{where}: {count(len(view), 'recipe')}, {count(len(rows), 'refit')}."
    return Answer(headline, (table,), (), history_document(view, where))


def _interval(ends: tuple[float, float, float] | None) -> Interval | None:
    return None if ends is None else Interval(*ends)
