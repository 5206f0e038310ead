"""The answer of ``rank``: a row a recipe, the best first."""

from __future__ import annotations

from rlscale.present import remarks
from rlscale.present.answers.answer import Answer, Column, Section, Table
from rlscale.present.documents import rank_document
from rlscale.present.views import RankView, headline

__all__ = ["rank_answer"]


def rank_answer(view: RankView) -> Answer:
    """Return the answer."""
    at = f"at {view.at}".replace("at the asymptote", "asymptote")
    columns = (
        Column("group", "group", "count"),
        Column("recipe", "recipe"),
        Column("runs", "runs", "count"),
        Column("verdict", "verdict", "verdict"),
        Column("p_best", "P(best)", "probability"),
        Column("forecast", f"{at}, 80 %", "reward"),
        Column("ceiling", "ceiling, 80 %", "reward"),
        Column("B", "exponent B, 80 %", "number"),
        Column("expected_regret", "expected regret", "reward"),
    )
    rows = tuple(
        (
            row.group, row.recipe, len(row.runs), row.verdict.name.value, row.p_best, row.forecast, row.A,
            row.B, row.expected_regret,
        )
        for row in view.ranking.recipes
    )  # fmt: skip
    note = f"compute in {view.runs[0].axis}; regret in reward"
    table = Table("recipes", columns, rows, view.shown_in, view.ranking.unit, note)
    basis = (*remarks.mixed_groups(view), remarks.claim(view), remarks.calibrated(view), *view.ranking.notes)
    said = tuple(f"{item.subject()}: {item.text}" for item in remarks.input_remarks(view.runs))
    sections = (
        Section("", basis),
        Section("Early-leader traps", tuple(remarks.traps(view))),
        Section("Crossings ahead", tuple(remarks.crossings(view))),
        Section("About the input", said),
    )
    return Answer(headline(view), (table,), sections, rank_document(view))
