"""The JSON of ``gate``: keys may be added, none is renamed."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rlscale.answers.coverage import coverage_document
from rlscale.answers.documents import SCHEMA
from rlscale.answers.gate.view import CLAIM, GateView

__all__ = ["gate_document"]

Document = dict[str, Any]


def gate_document(view: GateView) -> Document:
    """Return the document of ``gate --json``."""
    answer = view.answer
    return {
        "schema": SCHEMA,
        "budget": answer.budget,
        "spent": answer.spent,
        "decisions": [{**one.document(), **_bounds(view, one.run)} for one in view.shown],
        "horizon": answer.horizon,
        "unit": answer.unit,
        "clock": answer.clock or None,
        "metric": answer.metric,
        "bounds": list(answer.bounds),
        "model_based_risk": answer.risk,
        "leader": answer.leader,
        "savings": view.savings.document(),
        "claim": answer.claim,
        "seed_sd": answer.seed_sd,
        "policy": asdict(answer.policy),
        "calibration": view.calibration,
        "notes": [*answer.notes, CLAIM],
        "input": [{"remark": item.text, "runs": list(item.runs)} for item in view.input],
        **coverage_document(view.grouping, view.left_out),
        "errors": [asdict(error) for error in view.errors],
        "options": dict(view.settings.options),
    }


def _bounds(view: GateView, run: str) -> Document:
    curve = view.curves.get(run)
    return {} if curve is None else {"bounds": list(curve.bounds), "bounds_from": curve.bounds_from}
