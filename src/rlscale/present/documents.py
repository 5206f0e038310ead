"""The JSON contract: ``"schema": 1``. Keys may be added, none is renamed; NaN and infinity never appear."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from rlscale.decisions import Pair, RecipeRank
from rlscale.inference import Forecast, Interval, OverTime
from rlscale.present.coverage import coverage_document
from rlscale.present.views import CEILING, QUANTITIES, FitView, RankView, RunLine, RunView, Settings

__all__ = ["SCHEMA", "dumps", "fit_document", "rank_document", "written"]

SCHEMA = 1
Document = dict[str, Any]

#: A list of more items than this has each of them on a line of its own, not laid out.
_LONG = 200


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
        "clock": view.runs[0].clock or None,
        "metric": view.runs[0].metric,
        "seed_sd": asdict(ranking.seed_sd),
        "claim": ranking.claim,
        "notes": list(ranking.notes),
        "runs": [_standing(run) for run in view.runs],
        **coverage_document(view.grouping, view.left_out),
        "errors": [asdict(error) for error in view.errors],
        "options": _options(view.settings),
        "calibration": _calibration(view),
    }


def dumps(document: Mapping[str, Any]) -> str:
    """Return the document as text; a number that is not finite becomes ``null``."""
    return "".join(written(document))


def written(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield the text of :func:`dumps` in pieces: that of thousands of runs is large, and has one of them a line."""
    lists = {key: value for key, value in document.items() if isinstance(value, list) and value}
    yield "{"
    for place, (key, value) in enumerate(document.items()):
        yield f"{',' if place else ''}\n  {_text(key)}: "
        if key not in lists:
            yield _text(value).replace("\n", "\n  ")
            continue
        for k, item in enumerate(value):
            yield f"{',' if k else '['}\n    "
            yield _line(item) if len(value) > _LONG else _text(item).replace("\n", "\n    ")
        yield "\n  ]"
    yield "\n}" if document else "}"


def _text(value: Any) -> str:
    # a line end inside a string is written as \\n, so those of the text are its layout
    return json.dumps(_finite(value), indent=2, ensure_ascii=False, allow_nan=False)


def _line(value: Any) -> str:
    try:  # the fast encoder of the library lays nothing out, and refuses what is not finite
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(value), ensure_ascii=False, allow_nan=False)


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


def _standing(run: RunLine) -> Document:
    """Return what ``rank`` says of each run; ``fit`` says the rest."""
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


def _finite(value: Any) -> Any:
    """Return plain JSON values all the way down, ``None`` for what is not finite."""
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
