"""The answer of ``rank``: a row a recipe, the best first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rlscale.answers import numbers, remarks
from rlscale.answers.answer import Answer, Block, Document, Figures, Section
from rlscale.answers.cards import run_cards
from rlscale.answers.charts.recipes import rank_chart, recipe_curves, recipes_panel
from rlscale.answers.checklist import checklist
from rlscale.answers.documents import rank_document
from rlscale.answers.health import health_marks
from rlscale.answers.hints import GROUP, P_BEST, REGRET
from rlscale.answers.reasons import Judged, reasons_section
from rlscale.answers.table import Column, Table
from rlscale.answers.views import RankView, RunLine, headline, runs_by_recipe
from rlscale.inference import Fit, VerdictName

if TYPE_CHECKING:
    from rlscale.decisions import RecipeRank

__all__ = ["overlay", "rank_answer"]

#: Verdicts whose reason the table shows: their intervals.
_BRIEF = (VerdictName.RESOLVED, VerdictName.BENDING)
_GROUPS = "Recipes of one group cannot be told apart from its best with 95 % probability."


def rank_answer(view: RankView, fits: Sequence[Fit] | None = None, *, more: Mapping[str, Any] | None = None) -> Answer:
    """Return the answer.

    Parameters
    ----------
    view : RankView
    fits : sequence of Fit, optional
        Behind ``view``, in its order: where charts and cards are wanted.
    more : mapping, optional
        Added to the JSON document.
    """
    table = _table(view)
    rows, by_recipe = view.ranking.recipes, runs_by_recipe(view.runs)
    why = [Judged(_judged_name(row, by_recipe[row.recipe]), row.verdict) for row in rows]
    basis = (*remarks.mixed_groups(view), remarks.claim(view), remarks.calibrated(view), *view.ranking.notes)
    drawn: list[Block] = []
    if fits is not None:
        drawn = [run_cards(view, fits), *health_marks([fit.run for fit in fits]), checklist(view, fits)]
    published = "Cross-check by the published rules (A within .02 is a tie, then B)"
    blocks: list[Block] = [
        table,
        *([] if fits is None else overlay(view, fits)),
        Section("", basis),
        Section("Early-leader traps", remarks.traps(view), most=6),
        Section("Crossings ahead", remarks.crossings(view), most=4, note=remarks.MEDIANS),
        Section(published, remarks.published(view)),
        reasons_section(why, _BRIEF),
        remarks.input_section(remarks.input_remarks(view.runs), on_page=False),
        *drawn,
    ]
    runs = remarks.counts(view.runs)
    return Answer(
        headline=headline(view),
        table=table,
        document=Document(rank_document, view, more or {}),
        grouping=view.grouping,
        blocks=tuple(blocks),
        chart=None if fits is None else rank_chart(view, fits),
        kicker=f"{view.runs[0].metric} · {numbers.count(len(rows), 'recipe')}, {runs}",
        errors=view.errors,
        settings=view.settings,
    )


def _table(view: RankView) -> Table:
    at = "asymptote" if view.at == "the asymptote" else f"at {numbers.quantity(view.ranking.at)}"
    columns = (
        Column("group", "group", "count", hint=GROUP),
        Column("recipe", "recipe", "name"),
        Column("runs", "runs", "count", spare=True),
        Column("verdict", "verdict", "verdict"),
        Column("p_best", "P(best)", "probability", bar=True, hint=P_BEST),
        Column("forecast", f"{at}\n80 %", "reward", bar=True),
        Column("ceiling", "ceiling\n80 %", "reward", bar=True),
        Column("B", "exponent B\n80 %", "number"),
        Column("expected_regret", "expected\nregret", "reward", hint=REGRET),
    )
    rows = tuple(
        (
            row.group, row.recipe, len(row.runs), row.verdict.name.value, row.p_best, row.forecast, row.A,
            row.B, row.expected_regret,
        )
        for row in view.ranking.recipes
    )  # fmt: skip
    note = f"compute in {view.runs[0].axis}; regret in reward"
    return Table(name="recipes", columns=columns, rows=rows, note=note, bounds=view.shown_in, coloured=True)


def overlay(view: RankView, fits: Sequence[Fit], rows: Sequence[RecipeRank] | None = None) -> list[Block]:
    """Return the recipes, or ``rows`` of them, in one drawing, and one for small screens.

    One drawing cannot have readable text on both.
    """
    curves = recipe_curves(view, fits, rows)
    panel = recipes_panel(view, curves)
    if panel is None:
        return []
    undrawn = 0 if rows is not None else len(view.ranking.recipes) - len(curves)
    last = f" The {numbers.count(undrawn, 'last recipe')} of the ranking are not drawn." if undrawn else ""
    note = (
        f"{_GROUPS} Points are evaluations. Lines are median curves, dashed past the last evaluation. Bars at the "
        f"right are 80 % intervals at {view.at}, with P(best).{last}"
    )
    title = "All recipes" if len(curves) == len(view.ranking.recipes) or rows is None else "These recipes"
    return [Figures(title, (panel,), note, narrow=recipes_panel(view, curves, narrow=True))]


def _judged_name(row: RecipeRank, runs: Sequence[RunLine]) -> str:
    """Return the recipe, with the run its verdict is of where there are several."""
    if len(row.runs) == 1:
        return row.recipe
    own = next((run.run for run in runs if run.verdict == row.verdict), "")
    return f"{row.recipe} (by {own})" if own else row.recipe
