"""The answer of ``ablate``: a row a comparison."""

from __future__ import annotations

from rlscale.answers.ablate import words
from rlscale.answers.ablate.chart import ablate_chart
from rlscale.answers.ablate.document import ablate_document
from rlscale.answers.ablate.view import AblateView
from rlscale.answers.answer import Answer, Block, Document, Figures, Section
from rlscale.answers.numbers import count, quantity
from rlscale.answers.remarks import input_section
from rlscale.answers.table import Cell, Column, Table
from rlscale.decisions.ablation import KnobEffect

__all__ = ["ablate_answer"]

_DRAWN = (
    "Points are medians, lines 80 % intervals, each for itself; filled points are claims that hold with all "
    "comparisons taken together, rings are not resolved. Effects are against the baseline."
)


def ablate_answer(view: AblateView, *, charts: bool = False) -> Answer:
    """Return the answer: what each knob does; with ``charts`` what a page and ``--plot`` draw."""
    ablation = view.result
    table = _table(view)
    chart = ablate_chart(view) if charts else None
    figures: tuple[Figures, ...] = ()
    if chart is not None:
        plane, *forests = chart.panels
        figures = Figures(plane.title, (plane,), _DRAWN, narrow=plane), Figures("", tuple(forests), size="half")
    blocks: list[Block] = [
        table,
        *figures,
        Section("Why", words.reasons(view), most=12),
        Section("Confounded", words.confounded(view)),
        Section("Trends of numeric knobs", words.trends(view)),
        Section("Interactions", words.interactions(view), most=8),
        _recipes(view),
        Section("What the numbers rest on", words.basis(view)),
        input_section(view.input),
    ]
    runs = sum(len(recipe.runs) for recipe in ablation.recipes)
    return Answer(
        headline=words.headline(view),
        table=table,
        document=Document(ablate_document, view),
        lead=words.lead(view),
        grouping=view.grouping,
        blocks=tuple(blocks),
        chart=chart,
        kicker=f"{ablation.metric} · {count(len(ablation.recipes), 'recipe')}, {count(runs, 'run')}",
        errors=view.errors,
        settings=view.settings,
    )


def _table(view: AblateView) -> Table:
    ablation = view.result
    columns = (
        Column("knob", "knob", "name"),
        Column("from", "from"),
        Column("to", "to"),
        Column("runs_from", audience="programs"),
        Column("runs_to", audience="programs"),
        Column("says", audience="programs"),
        Column("claim", "says", audience="people"),
        Column("together", audience="programs"),
        Column("ceiling", "ceiling\n80 %", "effect"),
        Column("p_positive", "P(higher)", "probability", spare=True),
        Column("p_adjusted", audience="programs"),
        Column("at", f"at {quantity(ablation.at)}\n80 %", "effect", spare=True),
        Column("speed", "speed, ×\n80 %", "number"),
        Column("p_faster", audience="programs"),
        Column("needs_seeds", audience="programs"),
        Column("needs_compute", audience="programs"),
    )
    rows = tuple(_row(each) for each in ablation.knobs)
    speed = "speed: compute of the baseline over its own"
    note = f"less the baseline, {ablation.baseline}; compute in {ablation.unit}; {speed}"
    return Table(name="knobs", columns=columns, rows=rows, note=note, bounds=ablation.bounds)


def _row(each: KnobEffect) -> tuple[Cell, ...]:
    ceiling, at, speed, needs = each.ceiling, each.at, each.speed, each.needs
    return (
        each.knob, each.start, each.end, each.runs[0], each.runs[1], each.says.value, words.SAYS[each.says],
        each.together.value,
        None if ceiling is None else ceiling.effect, None if ceiling is None else ceiling.p_positive,
        None if ceiling is None else ceiling.p_adjusted, None if at is None else at.effect,
        None if speed is None else speed.factor, None if speed is None else speed.p_faster,
        None if needs is None else needs.seeds, None if needs is None else needs.compute,
    )  # fmt: skip


def _recipes(view: AblateView) -> Table:
    ablation = view.result
    columns = (
        Column("recipe", "recipe", "name"),
        Column("settings", "settings"),
        Column("runs", "runs", "count"),
        Column("used", "used", "count", spare=True),
        Column("ceiling", "ceiling\n80 %", "reward", bar=True),
        Column("p_past_midpoint", "P(past\nbend)", "probability", spare=True),
    )
    rows = tuple(
        (each.label, ", ".join(f"{name} {value}" for name, value in each.settings), len(each.runs), len(each.used),
         each.ceiling, each.p_past_midpoint)
        for each in ablation.recipes
    )  # fmt: skip
    return Table(name="recipes", title="Recipes", columns=columns, rows=rows, bounds=ablation.bounds)
