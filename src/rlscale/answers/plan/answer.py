"""The answer of ``plan``: a row a recipe, the best first."""

from __future__ import annotations

from rlscale.answers import remarks
from rlscale.answers.answer import Answer, Block, Document, Section
from rlscale.answers.numbers import count
from rlscale.answers.plan.chart import drawings, plan_chart
from rlscale.answers.plan.document import plan_document
from rlscale.answers.plan.rate import rate_section, rate_words
from rlscale.answers.plan.share import references_table
from rlscale.answers.plan.tables import buys_table, flat_table, reach_table
from rlscale.answers.plan.view import PlanView
from rlscale.answers.plan.words import (
    crossing_words,
    far_lead,
    few_lead,
    headline,
    recipe_words,
    share_words,
    split_lead,
    split_words,
    unordered,
)
from rlscale.decisions.plan.plan import FAR_BUDGET
from rlscale.decisions.rank import UNORDERED

__all__ = ["plan_answer"]

#: What is said of every forecast.
_UNMEASURED = (
    "Right if the forecasts are, which was not measured on runs like yours: rlscale backtest PATH does that. No number "
    "here knows of a collapse, a change of regime or a second rise to come."
)


def plan_answer(view: PlanView, *, charts: bool = False) -> Answer:
    """Return the answer: the compute to a reward, what more of it buys; with ``charts`` what is drawn."""
    plan = view.plan
    chart = plan_chart(view) if charts else None
    blocks: list[Block] = [
        *([] if plan.reward is None else [reach_table(view)]),
        *([buys_table(view)] if plan.reward is None or view.fitted else []),
        *([] if chart is None else drawings(chart)),
        Section("What to know of recipes", recipe_words(view)),
        Section("The split of the budget", split_words(view)),
        Section("Crossings", crossing_words(view), most=6),
    ]
    if plan.pretraining is not None:
        share = plan.pretraining
        blocks += [references_table(view, share), Section("", (f"{share.note[:1].upper()}{share.note[1:]}.",))]
    if plan.lr is not None:
        blocks.append(rate_section(plan.lr))
    # what leads the answer is not said again under it
    lead_first = (unordered(view), few_lead(view), split_lead(view), far_lead(view))
    notes = (note for note in plan.notes if not note.startswith((FAR_BUDGET, UNORDERED)))
    basis = (remarks.claimed(plan.claim, plan.seed_sd), *notes, _UNMEASURED)
    blocks += [Section("Notes", basis), remarks.input_section(remarks.input_remarks(view.runs))]
    lead = (*lead_first, share_words(view), "" if plan.lr is None else rate_words(plan.lr))
    return Answer(
        headline=headline(view),
        table=flat_table(view),
        document=Document(plan_document, view),
        lead=tuple(text for text in lead if text),
        grouping=view.grouping,
        blocks=tuple(blocks),
        chart=chart,
        kicker=f"{view.runs[0].metric} · {count(len(plan.recipes), 'recipe')}, {remarks.counts(view.runs)}",
        errors=view.errors,
        settings=view.settings,
    )
