"""The JSON of ``replay``: keys may be added, none is renamed."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rlscale.answers.coverage import coverage_document
from rlscale.answers.documents import SCHEMA
from rlscale.answers.replay.view import ReplayView
from rlscale.trust.replay import NEAR, PolicyScores

__all__ = ["replay_document"]

Document = dict[str, Any]


def replay_document(view: ReplayView) -> Document:
    """Return the document of ``replay --json``."""
    result = view.result
    return {
        "schema": SCHEMA,
        "tournaments": result.tournaments,
        "k": result.size,
        "policies": [_scores(one) | {"savings": view.savings(one).document()} for one in result.policies],
        "frontier": {family: [_scores(one) for one in several] for family, several in result.frontier.items()},
        "savings": view.savings(view.main).document(),
        "looks": result.looks,
        "horizon": result.arena.horizon,
        "unit": result.arena.unit,
        "metric": result.arena.metric,
        "range": result.arena.range,
        "runs": [
            {"run": run.name, "bounds": list(run.curve.bounds), "bounds_from": run.curve.bounds_from}
            for run in view.runs
        ],
        "contenders": [one.name for one in result.arena.contenders],
        "claim": "recipes" if result.setting.recipes else "runs",
        "skipped": [asdict(one) for one in result.arena.skipped],
        "input": [{"remark": item.text, "runs": list(item.runs)} for item in view.input],
        **coverage_document(view.grouping, view.left_out),
        "errors": [asdict(error) for error in view.errors],
        "options": dict(view.settings.options),
    }


def _scores(one: PolicyScores) -> Document:
    return {
        "policy": one.policy,
        "cost": one.cost,
        "kept": {f"{near:g}": value for near, value in zip(NEAR, one.kept, strict=True)},
        "regret": one.regret,
        "wrong": one.wrong,
        "resumes": one.resumes,
        "rounds": one.rounds,
        "wrong_low": one.wrong_low,
        "wrong_high": one.wrong_high,
    }
