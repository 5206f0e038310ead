"""The JSON documents of ``fit`` and ``rank``: ``"schema": 1``. Keys may be added, none is renamed."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rlscale.answers.coverage import coverage_document
from rlscale.answers.settings import Settings
from rlscale.answers.views import CEILING, QUANTITIES, Bearing, FitView, RankView, RunLine, RunView
from rlscale.health import Alarm
from rlscale.inference import Forecast, Interval, OverTime

if TYPE_CHECKING:
    from rlscale.decisions import Pair, RecipeRank

__all__ = ["SCHEMA", "alarm_document", "fit_document", "rank_document", "run_document"]

SCHEMA = 1
Document = dict[str, Any]


def fit_document(view: FitView) -> Document:
    """Return the document of ``fit --json``."""
    return {
        "schema": SCHEMA,
        "runs": [_run(run) for run in view.runs],
        **coverage_document(view.grouping, view.left_out),
        "errors": [asdict(error) for error in view.errors],
        "options": _options(view.settings),
        "calibration": _calibration(view),
    }


def rank_document(view: RankView) -> Document:
    """Return the document of ``rank --json``."""
    ranking = view.ranking
    return {
        "schema": SCHEMA,
        "at": _compute(ranking.at),
        "recipes": [_recipe(row) for row in ranking.recipes],
        "pairs": [_pair(pair) for pair in ranking.pairs],
        "unit": ranking.unit,
        "clock": (view.runs[0].clock or None) if view.runs else None,
        "metric": view.runs[0].metric if view.runs else None,
        "seed_sd": asdict(ranking.seed_sd),
        "claim": ranking.claim,
        "notes": list(ranking.notes),
        "runs": [run_document(run) for run in view.runs],
        **coverage_document(view.grouping, view.left_out),
        "errors": [asdict(error) for error in view.errors],
        "options": _options(view.settings),
        "calibration": _calibration(view),
    }


def _calibration(view: FitView | RankView) -> Document | None:
    """Return what finished runs said of forecasts, and what was done to these; None where that was not asked for."""
    if view.calibration is None:
        return None
    archive = view.calibration.archive
    kept: Document = {"scale": 1.0, "shift": 0.0, "calibrated": False} if archive is None else asdict(archive)
    return {**kept, "claim": view.calibration.forecasts_claim}


def _run(run: RunView) -> Document:
    forecasts = [_forecast(item) for item in run.forecasts]
    source = run.source
    return {
        "run": run.run,
        "recipe": run.recipe,
        "seed": run.seed,
        "unit": run.unit,
        "metric": run.metric,
        "n_points": run.n_points,
        "compute_last": run.compute_last,
        "reward_last": run.reward_last,
        "family": run.family,
        "verdict": run.verdict.name.value,
        "reason": run.verdict.reason,
        "resolves_at": _interval(run.resolves_at),
        **{name: _interval(run.quantities[name]) for name in QUANTITIES},
        "p_past_midpoint": run.p_past_midpoint,
        "forecast": forecasts,
        "warnings": list(run.warnings),
        "source": None
        if source is None
        else {
            "path": source.path,
            "format": source.format,
            "rows": source.rows,
            "repairs": list(source.repairs),
            "trainer": source.trainer,
        },
        "clock": run.clock or None,
        "level_sd": run.level_sd,
        "model_params": run.model_params,
        "bounds": list(run.bounds),
        "bounds_from": run.bounds_from,
        "asymptote": None if run.asymptote is None else _forecast(run.asymptote),
        "A_average": _interval(run.quantities[CEILING]),
        "weights": dict(run.weights) or None,
        "ceiling": _interval(run.quantities[CEILING]),
        "siblings": run.siblings,
        **({} if run.health is None else {"health": _health(run.health)}),
        **({} if run.over_time is None else {"over_time": _over_time(run.over_time)}),
    }


def _over_time(grown: OverTime) -> list[Document]:
    """Return each look at a run; its forecast, at the largest target, only where a target was given."""
    looks: list[Document] = []
    for look in grown.looks:
        ahead = {} if grown.target is None else {"forecast": _interval(look.forecast)}
        said = {"compute": look.compute, "verdict": look.verdict.name.value, "ceiling": _interval(look.ceiling)}
        looks.append({**said, **ahead})
    return looks


def _health(health: Bearing) -> Document:
    said = None if health.condition is None else str(health.condition)
    alarms = [alarm_document(alarm) for alarm in health.alarms]
    return {"alarms": alarms, "masked": health.masked, "condition": said}


def alarm_document(alarm: Alarm) -> Document:
    """Return an alarm of a monitor as JSON values."""
    return {
        "monitor": alarm.monitor,
        "severity": alarm.severity,
        "since": alarm.since,
        "value": alarm.value,
        "threshold": alarm.threshold,
        "message": alarm.message,
        "source": alarm.source,
        "false_alarms": None if alarm.false_alarms is None else asdict(alarm.false_alarms),
        "step": alarm.step,
        "raised": alarm.raised,
        "raised_step": alarm.raised_step,
        "until": alarm.until,
        "until_step": alarm.until_step,
        "series": alarm.series,
        "unit": alarm.unit,
        "advice": alarm.advice,
    }


def run_document(run: RunLine) -> Document:
    """Return what is said of each run that is judged with others; ``fit`` says the rest."""
    return {
        "run": run.run,
        "recipe": run.recipe,
        "verdict": run.verdict.name.value,
        "reason": run.verdict.reason,
        "n_points": run.n_points,
        "compute_last": run.compute_last,
        "reward_last": run.reward_last,
        "bounds": list(run.bounds),
        "bounds_from": run.bounds_from,
        "warnings": list(run.warnings),
        "repairs": list(run.repairs),
    }


def _recipe(row: RecipeRank) -> Document:
    return {
        "recipe": row.recipe,
        "runs": list(row.runs),
        "verdict": row.verdict.name.value,
        "p_best": row.p_best,
        "group": row.group,
        "A": _interval(row.A),
        "B": _interval(row.B),
        "forecast": _interval(row.forecast),
        "expected_regret": row.expected_regret,
        "ceiling": _interval(row.A),
        "reason": row.verdict.reason,
    }


def _pair(pair: Pair) -> Document:
    # asdict copies deeply, value by value: too slow for thousands
    return {**vars(pair), "published": None if pair.published is None else dict(vars(pair.published))}


def _forecast(item: Forecast) -> Document:
    document = {**asdict(item), "compute": _compute(item.compute)}
    if item.p_at_least is None:
        del document["p_at_least"]
    return document


def _interval(interval: Interval | None) -> Document | None:
    return None if interval is None else dict(vars(interval))


def _compute(value: float) -> float | str:
    return "asymptote" if math.isinf(value) else value


def _options(settings: Settings) -> Document:
    """Return the options, an infinite target by its name."""
    options = dict(settings.options)
    if isinstance(options.get("target"), float):
        options["target"] = _compute(options["target"])
    if "targets" in options:
        options["targets"] = [_compute(value) for value in options["targets"]]
    return options
