"""The JSON of ``ablate``: keys may be added, none is renamed."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from rlscale.answers.ablate.view import AblateView
from rlscale.answers.coverage import coverage_document
from rlscale.answers.documents import SCHEMA
from rlscale.decisions.ablation import Ablation, Effect, KnobEffect

__all__ = ["ablate_document"]

Document = dict[str, Any]


def ablate_document(view: AblateView) -> Document:
    """Return the document of ``ablate --json``."""
    ablation = view.result
    tau = ablation.tau
    return {
        "schema": SCHEMA,
        "baseline": ablation.baseline,
        "design": ablation.design.value,
        "tau": {
            "value": tau.value, "from": tau.source, "replicates": tau.replicates,
            "freedom": tau.freedom if math.isfinite(tau.freedom) else None, "speed": tau.speed,
        },
        "knobs": [_knob(each, ablation) for each in ablation.knobs],
        "confounded": [list(group) for group in ablation.confounded],
        "unstated": list(ablation.unstated),
        "trends": [{**asdict(each), "effect": _effect(each.effect)} for each in ablation.trends],
        "interactions": [
            {"knobs": list(each.knobs), "values": list(each.values), "ceiling": _effect(each.effect),
             "resolved": each.resolved}
            for each in ablation.interactions
        ],
        "recipes": [
            {"recipe": each.label, "settings": dict(each.settings), "runs": list(each.runs), "used": list(each.used),
             "ceiling": None if each.ceiling is None else asdict(each.ceiling),
             "p_past_midpoint": each.p_past_midpoint}
            for each in ablation.recipes
        ],
        "effect": ablation.effect,
        "unit": ablation.unit,
        "metric": ablation.metric,
        "bounds": list(ablation.bounds),
        "shapes": dict(ablation.shapes),
        "method": ablation.method,
        "notes": list(ablation.notes),
        "input": [{"remark": item.text, "runs": list(item.runs)} for item in view.input],
        **coverage_document(view.grouping, view.left_out),
        "errors": [asdict(error) for error in view.errors],
        "options": dict(view.settings.options),
    }  # fmt: skip


def _effect(each: Effect) -> Document:
    adjusted = {} if each.p_adjusted is None else {"p_adjusted": each.p_adjusted}
    return {"effect": asdict(each.effect), "p_positive": each.p_positive, **adjusted}


def _knob(each: KnobEffect, ablation: Ablation) -> Document:
    speed = each.speed
    return {
        "knob": each.knob,
        "from": each.start,
        "to": each.end,
        "runs": list(each.runs),
        "ceiling": None if each.ceiling is None else _effect(each.ceiling),
        "at": None if each.at is None else {"compute": ablation.at, **_effect(each.at)},
        "speed": None if speed is None else {
            "factor": asdict(speed.factor), "p_faster": speed.p_faster, "p_adjusted": speed.p_adjusted,
            "exponent": asdict(speed.exponent), "shared_ceiling": speed.shared,
        },
        "says": each.says.value,
        "together": each.together.value,
        "knobs": list(each.knobs),
        "reason": each.reason,
        "needs": None if each.needs is None else asdict(each.needs),
    }  # fmt: skip
