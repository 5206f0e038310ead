"""The answer of ``fit``: a row a run."""

from __future__ import annotations

from rlscale.present import remarks
from rlscale.present.answers.answer import Answer, Cell, Column, Section, Table
from rlscale.present.documents import fit_document
from rlscale.present.views import CEILING, FitView, RunView, headline

__all__ = ["fit_answer"]

_BEFORE = (
    Column("run", "run"),
    Column("recipe", "recipe", shown=False),
    Column("seed", "seed", "count", shown=False),
    Column("unit", "unit", shown=False),
    Column("metric", "metric", shown=False),
    Column("verdict", "verdict", "verdict"),
    Column("n_points", "evaluations", "count", shown=False),
    Column("compute_last", "last compute", "compute"),
    Column("reward_last", "reward now", "reward"),
)
_AFTER = (
    Column("ceiling", "ceiling, 80 %", "reward"),
    Column("A", "A of the sigmoid", "reward", shown=False),
    Column("B", "exponent B", "number", shown=False),
    Column("C_mid", "midpoint", "compute", shown=False),
    Column("R0", "baseline", "reward", shown=False),
    Column("sigma", "noise", "reward", shown=False),
    Column("p_past_midpoint", "past midpoint", "probability"),
    Column("resolves_at", "resolved by", "compute", shown=False),
)


def fit_answer(view: FitView) -> Answer:
    """Return the answer; a forecast is a pair of columns, its compute and its interval."""
    targets = max((len(run.forecasts) for run in view.runs), default=0)
    headings = remarks.target_headings(view.runs)
    ahead = [
        column
        for k in range(targets)
        for column in (
            Column(f"target{_nth(k)}", "", "compute", shown=False),
            Column(f"forecast{_nth(k)}", f"{headings[k] if k < len(headings) else 'forecast'}, 80 %", "reward"),
        )
    ]
    rows = tuple(_row(run, targets) for run in view.runs)
    unit = remarks.common_unit(view.runs) or ""
    bounds = view.runs[0].shown_in if view.runs else (0.0, 1.0)
    note = f"compute in {view.runs[0].axis}" if unit else ""
    table = Table("runs", (*_BEFORE, *ahead, *_AFTER), rows, bounds, unit, note)
    why = tuple(f"{run.run}: {run.verdict.why} {remarks.outlook(run)}".rstrip() for run in view.runs)
    said = tuple(f"{item.subject()}: {item.text}" for item in remarks.input_remarks(view.runs))
    sections = (Section("", (remarks.calibrated(view),)), Section("Why", why), Section("About the input", said))
    return Answer(headline(view), (table,), sections, fit_document(view))


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
