"""The JSON of ``backtest``: keys may be added, none is renamed."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rlscale.answers.backtest.view import BacktestView
from rlscale.answers.coverage import coverage_document
from rlscale.answers.documents import SCHEMA
from rlscale.trust.calibration import verdict_scores
from rlscale.trust.discrepancy import Calibration
from rlscale.trust.outcome import Case, CutScores

__all__ = ["backtest_document", "calibration_document"]

Document = dict[str, Any]


def backtest_document(view: BacktestView) -> Document:
    """Return the document of ``backtest --json``."""
    result = view.result
    return {
        "schema": SCHEMA,
        "cuts": [_cut(scored) for scored in result.cuts],
        "runs": [_case(case) for case in result.cases],
        "skipped": [asdict(one) for one in result.skipped],
        "verdicts": [
            {
                "verdict": row.name.value,
                "forecasts": row.cases,
                "mean_abs_error": row.mean_abs_error,
                "inside80": row.held,
                "within_tolerance": row.within,
            }
            for row in verdict_scores(result.cases, view.tolerance)
        ],
        "input": [{"remark": item.text, "runs": list(item.runs)} for item in view.input],
        "metric": result.metric,
        "unit": result.unit,
        "bounds": list(result.bounds),
        **coverage_document(view.grouping, view.left_out),
        "errors": [asdict(error) for error in view.errors],
        "options": dict(view.settings.options),
    }


def calibration_document(calibration: Calibration) -> Document:
    """Return the file of ``backtest --calibrate``, which ``--calibration`` of ``gate``, ``fit`` and ``rank`` reads."""
    said = None if calibration.archive is None else {**asdict(calibration.archive), "claim": calibration.archive.claim}
    return {"schema": SCHEMA, **asdict(calibration), "archive": said, "claim": calibration.claim}


def _cut(scored: CutScores) -> Document:
    return {
        "cut": scored.cut,
        "runs": len(scored.cases),
        "methods": {name: asdict(scores) for name, scores in scored.methods.items()},
        "target_noise": None if scored.target_noise is None else asdict(scored.target_noise),
    }


def _case(case: Case) -> Document:
    return {
        "run": case.run,
        "cut": case.cut,
        "truth": case.truth,
        "q10": case.quantile(0.1),
        "q50": case.quantile(0.5),
        "q90": case.quantile(0.9),
        "last_value": case.forecasts["last_value"],
        "recipe": case.recipe,
        "q25": case.quantile(0.25),
        "q75": case.quantile(0.75),
        "crps": case.crps,
        "forecasts": dict(case.forecasts),
        "n_seen": case.n_seen,
        "compute_seen": case.compute_seen,
        "noise_sd": case.noise_sd,
        "jitter_sd": case.jitter_sd,
        "verdict": case.verdict.name.value,
        "reason": case.verdict.reason,
        "bounds": list(case.bounds),
        "bounds_from": case.bounds_from,
        "warnings": list(case.warnings),
        "siblings": case.siblings,
    }
