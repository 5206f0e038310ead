"""The report of a backtest: one HTML file that opens offline, in the style of the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rlscale.present.backtest import words
from rlscale.present.backtest.scoreboard import COLUMNS, scoreboard
from rlscale.present.backtest.view import BacktestView
from rlscale.present.charts.backtest import DOTS, reliability_panel, risk_panel, truth_limits, truth_panel
from rlscale.present.charts.spec import Panel
from rlscale.present.charts.svg import panel_svg
from rlscale.present.coverage import pooled
from rlscale.present.numbers import UNKNOWN, count, reward
from rlscale.present.report import rendered
from rlscale.present.views import versions
from rlscale.trust.backtest import MIN_RUN, TAIL
from rlscale.trust.calibration import reliability, risk_coverage
from rlscale.trust.outcome import Case

__all__ = ["backtest_html"]

#: Runs in the table of runs; a page of thousands of rows would open in no browser.
_ROWS = 300

_METHODS = (
    ("last value", "the reward of the last evaluation seen"),
    ("mean of last 3", "the mean of the last three"),
    ("least squares", "the sigmoid with R0, A, B and C_mid free, by bounded least squares from several starts"),
    (
        "linearised grid",
        "R0 the first evaluation; for each of 600 ceilings a straight line through the log odds; the ceiling of least "
        "squared error",
    ),
    (
        "published grid",
        "ScaleRL, arXiv 2510.13786, A.5: R0 the first evaluation; A from .450 to .800 of the range, C_mid from 100 to "
        "40,000 GPU-hours, B fitted in each cell. It knows no other unit: the last evaluation seen is put at 4,000",
    ),
)


def backtest_html(view: BacktestView) -> str:
    """Return the report of a backtest."""
    return rendered("backtest.html.j2", _context(view))


def _context(view: BacktestView) -> dict[str, Any]:
    result = view.result
    told = [scored for scored in result.cuts if scored.cases]
    runs, limits = _runs(view), truth_limits(result.cases, result.bounds) if result.cases else (0.0, 1.0)
    return {
        "headline": words.headline(view),
        "summary": f"{count(len({case.run for case in result.cases}), 'run')}, {count(len(result.cases), 'forecast')}",
        "metric": result.metric,
        "columns": COLUMNS,
        "cuts": [
            {
                "title": f"At {words.at(scored.cut)} of the compute, {count(len(scored.cases), 'run')}",
                "rows": scoreboard(view, scored) if scored.cases else (),
                "sentences": words.cut_sentences(view, scored),
            }
            for scored in result.cuts
        ],
        "lead": words.lead(view),
        "grouping": pooled(view.grouping),
        "reliability": [
            (name, _square(reliability_panel(reliability(cases), name))) for name, cases in words.panels(view)
        ],
        "risk": [
            (name, panel_svg(risk_panel(view, risk_coverage(cases), name), width=440, height=300, kind="panel"))
            for name, cases in words.panels(view)
        ],
        "truth": [
            (
                f"at {words.at(scored.cut)}{_capped(len(scored.cases))}",
                _square(truth_panel(view, scored.cases, limits, f"at {words.at(scored.cut)}")),
            )
            for scored in told
        ],
        "verdicts": words.verdict_rows(view),
        "tolerance": f"±{view.tolerance:.3g}",
        "run_cuts": [words.at(scored.cut) for scored in told],
        "runs": runs[:_ROWS],
        "hidden": max(len(runs) - _ROWS, 0),
        "notes": words.notes(view),
        "skipped": words.skipped(view),
        "warned": words.warned(view),
        "input": view.input,
        "errors": view.errors,
        "methods": _METHODS,
        "made": _made(view),
        "settings": view.settings,
        "options": {name: value for name, value in view.settings.options.items() if value not in (None, (), [], False)},
        "versions": versions(),
    }


def _square(panel: Panel) -> str:
    return panel_svg(panel, width=270, height=258, kind="panel")


def _capped(cases: int) -> str:
    return f", the first {DOTS} of {cases:,}" if cases > DOTS else ""


def _runs(view: BacktestView) -> list[dict[str, Any]]:
    """Return a row for each run: its end, and the forecast of each cut with whether it held."""
    bounds = view.result.bounds
    told = [scored.cut for scored in view.result.cuts if scored.cases]
    by_run: dict[str, dict[float, Case]] = {}
    for case in view.result.cases:
        by_run.setdefault(case.run, {})[case.cut] = case
    return [
        {
            "run": name,
            "truth": reward(next(iter(cases.values())).truth, bounds),
            "forecasts": [_forecast(cases.get(cut), bounds) for cut in told],
        }
        for name, cases in by_run.items()
    ]


def _forecast(case: Case | None, bounds: tuple[float, float]) -> dict[str, Any]:
    if case is None:
        return {"median": UNKNOWN, "ends": "", "missed": "", "verdict": ""}
    low, middle, high = (reward(case.quantile(level), bounds) for level in (0.1, 0.5, 0.9))
    missed = "" if case.covers(0.8) else "above" if case.truth > case.quantile(0.9) else "below"
    return {"median": middle, "ends": f"{low}–{high}", "missed": missed, "verdict": case.verdict.name}


def _made(view: BacktestView) -> Sequence[tuple[str, str]]:
    cuts = ", ".join(words.at(scored.cut) for scored in view.result.cuts)
    return (
        (
            "Seen",
            f"The evaluations up to {cuts} of each run's own compute, at least 4 of them after the start. Runs of "
            f"fewer than {MIN_RUN} evaluations are skipped, and listed above.",
        ),
        ("Truth", f"The mean of the last max({TAIL}, n / 10) evaluations of the run, none of which was seen."),
        (
            "Forecast",
            "The posterior of what was seen, with default or given options, and its predictive of that mean: the "
            "curve, its model error and autocorrelated evaluation noise. No random numbers.",
        ),
        (
            "Scores",
            "Errors are of the median. CRPS: E|X − y| − E|X − X'| / 2. Rank τ: Kendall's tau-b of forecasts and truths "
            "of the runs. Pairs right: pairs of runs with different truths in the right order, ties half. Top-1 "
            "regret: best truth less that of the run forecast highest.",
        ),
        (
            "Independence",
            "Bands and binomial intervals take runs as independent. Seeds of one recipe, and cuts of one run, are not "
            "quite: the band of all cuts together is therefore one for the number of runs.",
        ),
        ("Hindsight", "A run that was stopped early because it looked bad is scored by the end it has."),
    )
