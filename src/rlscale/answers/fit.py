"""The answer of ``fit``: a row a run."""

from __future__ import annotations

from collections.abc import Sequence

from rlscale.answers import numbers, remarks
from rlscale.answers.answer import Answer, Block, Document, Section
from rlscale.answers.charts.spec import Chart
from rlscale.answers.documents import fit_document
from rlscale.answers.growth import growth_blocks
from rlscale.answers.reasons import Judged, reasons_section
from rlscale.answers.table import Cell, Column, Table
from rlscale.answers.views import CEILING, FitView, RunView, headline
from rlscale.inference import Fit, Interval

__all__ = ["fit_answer"]

_BEFORE = (
    Column("run", "run", "name"),
    Column("recipe", audience="programs"),
    Column("seed", kind="count", audience="programs"),
    Column("unit", audience="programs"),
    Column("metric", audience="programs"),
    Column("verdict", "verdict", "verdict"),
    Column("n_points", kind="count", audience="programs"),
    Column("compute_last", "last\ncompute", "compute"),
    Column("reward_last", "reward\nnow", "reward"),
)
_AFTER = (
    Column("ceiling", "ceiling\n80 %", "reward", bar=True),
    Column("A", kind="reward", audience="programs"),
    Column("B", kind="number", audience="programs"),
    Column("C_mid", kind="compute", audience="programs"),
    Column("R0", kind="reward", audience="programs"),
    Column("sigma", kind="reward", audience="programs"),
    Column("p_past_midpoint", "past\nmidpoint", "probability"),
    Column("resolves_at", kind="compute", audience="programs"),
)


def fit_answer(view: FitView, fits: Sequence[Fit] | None = None) -> Answer:
    """Return the answer.

    Parameters
    ----------
    view : FitView
    fits : sequence of Fit, optional
        Behind ``view``, in its order: where charts and cards are wanted.
    """
    table = _table(view)
    why = [Judged(run.run, run.verdict, remarks.outlook(run)) for run in view.runs]
    blocks: list[Block] = [table]
    if _has_forecast_table(view.runs):
        blocks.append(_forecasts(view))
    blocks += growth_blocks(view.runs)
    blocks += [
        reasons_section(why),
        Section("", (remarks.calibrated(view), *remarks.conditions(view.runs))),
        remarks.input_section(remarks.input_remarks(view.runs), on_page=False),
    ]
    chart = None
    if fits is not None:
        chart, drawn = _drawn(view, fits)
        blocks += drawn
    return Answer(
        headline=headline(view),
        table=table,
        document=Document(fit_document, view),
        grouping=view.grouping,
        blocks=tuple(blocks),
        chart=chart,
        kicker=f"{view.runs[0].metric} · {remarks.counts(view.runs)}" if view.runs else "",
        errors=view.errors,
        settings=view.settings,
    )


def _drawn(view: FitView, fits: Sequence[Fit]) -> tuple[Chart, list[Block]]:
    """Return the chart, and what a page has of the runs; what draws is loaded only here."""
    from rlscale.answers.cards import growth_cards, run_cards
    from rlscale.answers.charts.growth import growth_chart
    from rlscale.answers.charts.runs import fan_chart
    from rlscale.answers.checklist import checklist
    from rlscale.answers.health import health_marks

    grown = growth_cards(view, fits)
    chart = fan_chart(fits) if grown is None else growth_chart(view, fits)
    return chart, [
        run_cards(view, fits), *([] if grown is None else [grown]), *health_marks([fit.run for fit in fits]),
        checklist(view, fits),
    ]  # fmt: skip


def _table(view: FitView) -> Table:
    """Return the runs; a forecast is a pair of columns, its compute and its interval."""
    runs = view.runs
    targets = max((len(run.forecasts) for run in runs), default=0)
    headings = remarks.target_headings(runs)
    audience = "programs" if _has_forecast_table(runs) else "all"
    ahead = [
        column
        for k in range(targets)
        for column in (
            Column(f"target{_nth(k)}", kind="compute", audience="programs"),
            Column(f"forecast{_nth(k)}", f"{headings[k]}\n80 %", "reward", audience=audience, bar=True),
        )
    ]
    unit = remarks.common_unit(runs)
    return Table(
        name="runs",
        columns=(*_BEFORE, *ahead, *_AFTER),
        rows=tuple(_row(run, targets) for run in runs),
        note=f"compute in {runs[0].axis}" if unit else "",
        bounds=runs[0].shown_in if runs else (0.0, 1.0),
        row_bounds=tuple(run.shown_in for run in runs),
        row_units=() if unit else tuple(run.unit for run in runs),
    )


def _nth(place: int) -> str:
    return "" if place == 0 else f"_{place + 1}"


def _row(run: RunView, targets: int) -> tuple[Cell, ...]:
    forecasts: list[Cell] = []
    for k in range(targets):
        item = run.forecasts[k] if k < len(run.forecasts) else None
        forecasts += [None, None] if item is None else [item.compute, item.interval]
    quantities = [run.quantities[name] for name in (CEILING, "A", "B", "C_mid", "R0", "sigma")]
    return (
        run.run, run.recipe, run.seed, run.unit, run.metric, run.verdict.name.value, run.n_points,
        run.compute_last, run.reward_last, *forecasts, *quantities, run.p_past_midpoint, run.resolves_at,
    )  # fmt: skip


def _has_forecast_table(runs: Sequence[RunView]) -> bool:
    """Whether the forecasts need a table of their own: many targets, or a reward to reach."""
    return any(len(run.forecasts) > 2 or any(f.p_at_least is not None for f in run.forecasts) for run in runs)


def _forecasts(view: FitView) -> Table:
    wanted = view.settings.options.get("at_least")
    columns = [
        Column("run", "run", "name"),
        Column("compute", "compute", "label"),
        Column("q50", "median", "reward"),
        Column("half", "50 %", "label"),
        Column("wide", "80 %", "label"),
    ]
    columns += [] if wanted is None else [Column("p_at_least", f"P(≥ {wanted:g})", "probability")]
    rows: list[tuple[Cell, ...]] = []
    bounds = []
    for run in view.runs:
        for item in run.forecasts:
            half = numbers.span(Interval(item.q25, item.q50, item.q75), run.shown_in)
            compute = numbers.quantity(item.compute).removeprefix("the ")
            cells = (run.run, compute, item.q50, half, numbers.span(item.interval, run.shown_in))
            rows.append((*cells, *([] if wanted is None else [item.p_at_least])))
            bounds.append(run.shown_in)
    title = "Forecasts of the noise-free reward"
    return Table(
        name="forecasts", title=title, columns=tuple(columns), rows=tuple(rows), row_bounds=tuple(bounds), group="run"
    )
