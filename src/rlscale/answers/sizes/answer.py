"""The answer of ``sizes``: a row a size."""

from __future__ import annotations

from rlscale.answers.answer import Answer, Block, Document, Figures, Section
from rlscale.answers.numbers import count, quantity
from rlscale.answers.remarks import input_section
from rlscale.answers.sizes import words
from rlscale.answers.sizes.chart import sizes_chart
from rlscale.answers.sizes.document import sizes_document
from rlscale.answers.sizes.view import SizesView
from rlscale.answers.table import Cell, Column, Table
from rlscale.decisions.sizes.written import written

__all__ = ["sizes_answer"]

#: Crossings that a terminal shows.
_CROSSINGS = 6


def sizes_answer(view: SizesView, *, charts: bool = False) -> Answer:
    """Return the answer: the law, and what it is asked; with ``charts`` what a page and ``--plot`` draw."""
    law = view.law
    table = _table(view)
    chart = sizes_chart(view) if charts else None
    figures = () if chart is None else (Figures("", chart.panels, _drawn(view), size="half"),)
    blocks: list[Block] = [
        table,
        *figures,
        Section("The best size for the budget", words.best(view)),
        Section("Where larger sizes overtake", words.crossings(view), most=_CROSSINGS),
        *([_predictions(view)] if law.predictions else []),
        Section("Why", words.reasons(view), most=8),
        *([_forms(view)] if law.compare else []),
        Section("Which form to believe" if not law.compare else "", words.believed(view)),
        Section("Limits", words.limits(view)),
        Section("Not used", words.unused(view)),
        Section("What the numbers rest on", words.basis(view)),
        Section("The law in letters, which some texts swap", words.letterings(view)),
        input_section(view.input),
    ]
    seen = sum(row.in_sample for row in law.sizes)
    return Answer(
        headline=words.headline(view),
        table=table,
        document=Document(sizes_document, view),
        lead=words.lead(view),
        blocks=tuple(blocks),
        chart=chart,
        kicker=f"{law.metric} · {count(seen, 'size')}, {count(len(law.runs), 'run')}",
        errors=view.errors,
        settings=view.settings,
    )


def _drawn(view: SizesView) -> str:
    """Return what the drawings show."""
    chances = "" if view.law.budget is None else " At the budget: in per cent, the probability of each to be the best."
    return (
        "Bands and bars are 80 % intervals. Exponents: the law in grey, each size's own in its colour. Rewards: "
        "evaluations and fitted lines, dashed past the last evaluation and where a size has no runs; at the right the "
        f"rewards at {quantity(view.at, view.law.unit)}.{chances}"
    )


def _table(view: SizesView) -> Table:
    law = view.law
    chances = () if law.budget is None else (Column("p_best", "P(best)", "probability", bar=True),)
    columns = (
        Column("size", "size", "name", audience="people"),
        Column("model_params", audience="programs"),
        Column("in_sample", audience="programs"),
        Column("runs", "runs", "count", spare=True),
        Column("compute_last", "last", "compute", spare=True),
        Column("observed", "reached", "reward"),
        Column("k", "exponent k\n80 %", "fine"),
        Column("E", "intercept E\n80 %", "fine"),
        Column("at", audience="programs"),
        Column("reward", f"at {quantity(view.at)}\n80 %", "reward", bar=True),
        *chances,
    )
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            written(row.model_params), row.model_params, row.in_sample, len(row.runs) if row.in_sample else None,
            row.last, row.observed, row.k, row.E, view.at, view.reward(row),
            *(() if law.budget is None else (view.p_best(row),)),
        )
        for row in law.sizes
    )  # fmt: skip
    best = () if law.budget is None else tuple(
        k for k, row in enumerate(law.sizes) if row.model_params == law.budget.best
    )  # fmt: skip
    note = f"compute in {_axis(view)}; log L = -k log X + E, natural logarithms; – no runs of this size"
    return Table(name="sizes", columns=columns, rows=rows, note=note, bounds=view.shown_in, bold=best, coloured=True)


def _axis(view: SizesView) -> str:
    clock = view.law.runs[0].curve.clock
    return f"{view.law.unit} ({clock})" if clock else view.law.unit


def _predictions(view: SizesView) -> Table:
    columns = (
        Column("size", "size", "name"),
        Column("kind", "predicted from"),
        Column("compute", "at", "compute"),
        Column("reward", "reward\n80 %", "reward", bar=True),
        Column("observed", "reached", "reward"),
        Column("verdict", "verdict", "verdict"),
    )
    rows = tuple(
        (written(each.model_params), words.kinds(each), each.compute, each.reward, each.observed,
         each.verdict.name.value)
        for each in view.law.predictions
    )  # fmt: skip
    note = f"compute in {_axis(view)}; reached: mean of the last evaluations, where that size has run so far"
    return Table(name="predictions", title="Predictions", columns=columns, rows=rows, note=note, bounds=view.shown_in)


def _forms(view: SizesView) -> Table:
    columns = (
        Column("held_out", "not shown"),
        Column("form", "form"),
        Column("crps", "CRPS", "error", best=-1),
        Column("mean_abs_error", "mean error", "error", best=-1),
        Column("runs", "runs", "count"),
    )
    largest = view.law.posterior.model_params[-1]
    rows = tuple(
        (words.held_out(each.held_out, largest), words.FORMS[each.form], each.crps, each.mean_abs_error,
         each.runs or None)
        for each in view.law.compare
    )  # fmt: skip
    note = "forecasts of the mean of each run's last evaluations; CRPS and error in reward, * least"
    return Table(
        name="compare", title="Which form to believe", columns=columns, rows=rows, note=note, bounds=view.shown_in,
        group="held_out",
    )  # fmt: skip
