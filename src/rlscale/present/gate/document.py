"""The JSON of ``gate``: keys may be added, none is renamed."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rlscale.decisions.gate import Decision
from rlscale.present.documents import SCHEMA
from rlscale.present.gate.view import CLAIM, GateView

__all__ = ["gate_document"]

Document = dict[str, Any]
_QUANTILES = ("q05", "q10", "q25", "q50", "q75", "q90", "q95")


def gate_document(view: GateView) -> Document:
    """Return the document of ``gate --json``."""
    answer = view.answer
    return {
        "schema": SCHEMA,
        "budget": answer.budget,
        "spent": answer.spent,
        "decisions": [_decision(one) for one in view.shown],
        "horizon": answer.horizon,
        "unit": answer.unit,
        "clock": answer.clock or None,
        "metric": answer.metric,
        "bounds": list(answer.bounds),
        "model_based_risk": answer.risk,
        "leader": answer.leader,
        "claim": answer.claim,
        "seed_sd": answer.seed_sd,
        "policy": asdict(answer.policy),
        "calibration": view.calibration,
        "notes": [*answer.notes, CLAIM],
        "input": [{"remark": item.text, "runs": list(item.runs)} for item in view.input],
        "errors": [asdict(error) for error in view.errors],
        "options": dict(view.settings.options),
    }


def _decision(one: Decision) -> Document:
    told = one.evidence
    forecast = None
    if told.forecast is not None:
        forecast = {**dict(zip(_QUANTILES, told.forecast, strict=True)), "mean": told.mean}
    return {
        "run": one.run,
        "recipe": one.recipe,
        "decision": one.action.value,
        "reason_code": one.code,
        "reason": one.reason,
        "evidence": {
            "contender": told.contender,
            "spent": told.spent,
            "evaluations": told.evaluations,
            "reward": told.reward,
            "forecast": forecast,
            "h": told.h,
            "joint_risk": told.joint_risk,
            "guard": told.guard,
            "looks_qualified": told.looks,
            "drift": told.drift,
            "discrepancy": told.discrepancy,
            "collapsed": told.collapsed,
            "verdict": None if told.verdict is None else told.verdict.value,
        },
    }
