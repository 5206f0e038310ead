"""The JSON of ``health``: keys may be added, none is renamed."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rlscale.answers.coverage import coverage_document
from rlscale.answers.documents import SCHEMA, alarm_document
from rlscale.answers.health.view import HealthView
from rlscale.health import RunHealth

__all__ = ["health_document"]

Document = dict[str, Any]


def health_document(view: HealthView) -> Document:
    """Return the document of ``health --json``."""
    return {
        "schema": SCHEMA,
        "runs": [_run(run) for run in view.runs],
        **coverage_document(view.grouping, view.left_out),
        "errors": [asdict(error) for error in view.errors],
        "options": dict(view.settings.options),
    }


def _run(run: RunHealth) -> Document:
    return {
        "run": run.run,
        "recipe": run.recipe,
        "unit": run.unit,
        "metric": run.metric,
        "now": run.now or None,
        "worst": run.worst or None,
        "alarms": [alarm_document(alarm) for alarm in run.alarms],
        "not_measurable": [asdict(each) for each in run.not_measurable],
        "quiet": list(run.quiet),
        "remarks": list(run.remarks),
    }
