"""The answer of ``backtest``: a row a cut and method."""

from __future__ import annotations

from rlscale.answers.answer import Answer, Block, Definitions, Document, Figures, Section
from rlscale.answers.backtest import words
from rlscale.answers.backtest.chart import (
    DOTS,
    backtest_chart,
    reliability_panel,
    risk_panel,
    truth_limits,
    truth_panel,
)
from rlscale.answers.backtest.document import backtest_document, calibration_document
from rlscale.answers.backtest.methods import METHODS, statements
from rlscale.answers.backtest.view import METHOD_WORDS, BacktestView
from rlscale.answers.checklist import MADE
from rlscale.answers.numbers import UNKNOWN, count, reward
from rlscale.answers.palette import verdict_words
from rlscale.answers.remarks import input_section, remark_section
from rlscale.answers.table import Cell, Column, Table
from rlscale.inference import Interval
from rlscale.trust.calibration import reliability, risk_coverage, verdict_scores
from rlscale.trust.discrepancy import Calibration
from rlscale.trust.outcome import OURS, Case

__all__ = ["backtest_answer"]

#: The scores of a method, under the names of their fields.
SCORES = (
    Column("mean_abs_error", "mean\nerror", "error", best=-1),
    Column("median_abs_error", "median\nerror", "error", best=-1, spare=True),
    Column("p90_abs_error", "90 % of\nerrors ≤", "error", best=-1),
    Column("crps", "\nCRPS", "error", best=-1),
    Column("coverage80", "inside\n80 %", "percent"),
    Column("coverage50", "inside\n50 %", "percent", spare=True),
    Column("kendall_tau", "rank\nτ", "number", best=1, spare=True),
    Column("pairwise_accuracy", "pairs\nright", "percent", best=1),
    Column("top1_regret", "top-1\nregret", "error", best=-1),
)


def backtest_answer(view: BacktestView, calibration: Calibration | None = None, *, charts: bool = False) -> Answer:
    """Return the answer, and the calibration of the gate where it was asked for; with ``charts`` what a page draws."""
    result = view.result
    table = _methods(view)
    lead = words.lead(view)
    blocks: list[Block] = [table]
    for scored in result.cuts:
        title = f"At {words.at(scored.cut)} of the compute, {count(len(scored.cases), 'run')}"
        blocks.append(Section(title, tuple(words.cut_sentences(view, scored))))
    if charts:
        blocks += _figures(view)
    blocks.append(_verdicts(view))
    if calibration is not None:
        blocks.append(Section("Calibration of the gate", (calibration.claim,)))
        blocks.append(Section("Calibration of forecasts", (calibration.forecasts_claim,)))
    if charts:
        blocks.append(_runs(view))
    blocks += [
        Section("Notes", tuple(words.notes(view))),
        remark_section("Skipped", words.skipped(view)),
        remark_section("About the fits", words.warned(view)),
        input_section(view.input),
    ]
    if charts:
        blocks.append(Definitions(MADE, (*statements(view), *METHODS)))
    runs = count(len({case.run for case in result.cases}), "run")
    more = {} if calibration is None else {"calibration": calibration_document(calibration)}
    return Answer(
        headline=words.headline(view),
        table=table,
        document=Document(backtest_document, view, more),
        lead=(lead,) if lead else (),
        grouping=view.grouping,
        blocks=tuple(blocks),
        chart=backtest_chart(view) if charts else None,
        kicker=f"{result.metric} · {runs}, {count(len(result.cases), 'forecast')}",
        errors=view.errors,
        settings=view.settings,
    )


def _methods(view: BacktestView) -> Table:
    """Return the methods at each cut."""
    columns = (
        Column("cut", "cut", "cut"),
        Column("runs", kind="count", audience="programs"),
        Column("method", "method"),
        *SCORES,
    )
    rows: list[tuple[Cell, ...]] = []
    ours: list[int] = []
    for scored in view.result.cuts:
        for name, words_ in METHOD_WORDS.items() if scored.cases else ():
            if name == OURS:
                ours.append(len(rows))
            cells = (getattr(scored.methods[name], column.key) for column in SCORES)
            rows.append((scored.cut, len(scored.cases), words_, *cells))
    return Table(
        name="methods", title="Against simpler methods", columns=columns, rows=tuple(rows), bold=tuple(ours),
        note="* best of its column at a cut; errors and regret in reward", bounds=view.result.bounds, group="cut",
    )  # fmt: skip


def _verdicts(view: BacktestView) -> Table:
    columns = (
        Column("verdict", "verdict", "verdict"),
        Column("forecasts", "forecasts", "count"),
        Column("error", "mean\nerror", "error"),
        Column("inside", "inside\n80 %", "label"),
        Column("within", f"within\n±{view.tolerance:.3g}", "label"),
    )
    rows = tuple(
        (each.name.value, each.cases, each.mean_abs_error, f"{each.held} of {each.cases}",
         f"{each.within} of {each.cases}")
        for each in verdict_scores(view.result.cases, view.tolerance)
    )  # fmt: skip
    title, note = "By verdict at the cut, all cuts", "verdicts as they stood at the cut"
    return Table(name="verdicts", title=title, columns=columns, rows=rows, note=note, bounds=view.result.bounds)


def _figures(view: BacktestView) -> list[Block]:
    result = view.result
    panels = words.panels(view)
    limits = truth_limits(result.cases, result.bounds) if result.cases else (0.0, 1.0)
    reliable = tuple(reliability_panel(reliability(cases), name) for name, cases in panels)
    risk = tuple(risk_panel(view, risk_coverage(cases), name) for name, cases in panels)
    truth = tuple(
        truth_panel(view, scored.cases, limits, f"at {words.at(scored.cut)}{_capped(len(scored.cases))}")
        for scored in result.cuts
        if scored.cases
    )
    return [
        Figures(
            "Do the intervals hold as often as they say?", reliable,
            "Share of the truths inside the central interval of each level. On the dashed line they hold as often as "
            "they say; below it they are too narrow. Grey: where 90 % of such shares lie by chance if the levels are "
            "true.", "small",
        ),
        Figures(
            "Do narrow intervals go with small errors?", risk,
            "Mean error of the forecasts with the narrowest 80 % intervals of rlscale, from three of them to all. A "
            "line that rises to the right says that the width of an interval tells which forecasts to act on. Every "
            "method is scored on the same forecasts.", "half",
        ),
        Figures(
            "Forecast and truth", truth,
            "Median forecast and 80 % interval against what came true; hollow where the truth lies outside.", "small",
        ),
    ]  # fmt: skip


def _capped(cases: int) -> str:
    return f", the first {DOTS} of {cases:,}" if cases > DOTS else ""


def _runs(view: BacktestView) -> Table:
    """Return a row for each run: its end, and the forecast of each cut with whether it held."""
    cuts = [scored.cut for scored in view.result.cuts if scored.cases]
    by_run: dict[str, dict[float, Case]] = {}
    for case in view.result.cases:
        by_run.setdefault(case.run, {})[case.cut] = case
    columns = [Column("run", "run", "name"), Column("truth", "came true", "reward")]
    for cut in cuts:
        columns += [Column(f"at_{cut:g}", f"forecast at {words.at(cut)}, 80 %", "reward"), Column(f"says_{cut:g}")]
    rows: list[tuple[Cell, ...]] = []
    for name, cases in by_run.items():
        forecasts = [cell for cut in cuts for cell in _forecast(cases.get(cut), view.result.bounds)]
        rows.append((name, next(iter(cases.values())).truth, *forecasts))
    return Table(name="runs", title="Runs", columns=tuple(columns), rows=tuple(rows), bounds=view.result.bounds,
                 on_page_only=True)  # fmt: skip


def _forecast(case: Case | None, bounds: tuple[float, float]) -> tuple[Cell, Cell]:
    if case is None:
        return None, UNKNOWN
    verdict = verdict_words(case.verdict.name)
    if case.covers(0.8):
        return _interval(case), verdict
    side = "above" if case.truth > case.quantile(0.9) else "below"
    return _interval(case), f"{verdict}; {reward(case.truth, bounds)} came true, {side}"


def _interval(case: Case) -> Interval:
    return Interval(case.quantile(0.1), case.quantile(0.5), case.quantile(0.9))
