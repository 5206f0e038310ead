"""The JSON of ``sizes``: keys may be added, none is renamed."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rlscale.answers.coverage import coverage_document
from rlscale.answers.documents import SCHEMA
from rlscale.answers.sizes.view import SizesView
from rlscale.decisions.sizes import BestSize, Crossing, SizePrediction, SizeRow
from rlscale.inference import Verdict

__all__ = ["sizes_document"]

Document = dict[str, Any]


def sizes_document(view: SizesView) -> Document:
    """Return the document of ``sizes --json``."""
    law = view.law
    return {
        "schema": SCHEMA,
        "K_max": asdict(law.K_max),
        "N0": asdict(law.N0),
        "sizes": [_size(view, row) for row in law.sizes],
        "predictions": [_prediction(each) for each in law.predictions],
        "compare": [{**asdict(each), "form": each.form.value, "held_out": each.held_out.value} for each in law.compare],
        "believe": None if law.believe is None else {
            "form": law.believe.form.value, "why": law.believe.why, "unseen": law.believe.unseen.value,
        },
        "budget": None if law.budget is None else _budget(law.budget),
        "unit": law.unit,
        "metric": law.metric,
        "r_max": law.r_max,
        **_verdict(law.verdict),
        "doubt": law.doubt,
        "missed": [asdict(each) for each in law.missed],
        "p_past_N0": law.p_past_N0,
        "noise": {
            "sigma": asdict(law.sigma), "rho": asdict(law.rho), "level_spread": asdict(law.level_spread),
            "slope_spread": asdict(law.slope_spread), "law_error": asdict(law.law_error),
        },
        "widening": [asdict(each) for each in law.widening],
        "letterings": [asdict(each) for each in law.letterings],
        "submodel": law.submodel,
        "compute_means": law.compute_means,
        "notes": list(law.notes),
        "input": [{"remark": item.text, "runs": list(item.runs)} for item in view.input],
        **coverage_document(view.grouping, view.left_out),
        "errors": [asdict(error) for error in view.errors],
        "options": dict(view.settings.options),
    }  # fmt: skip


def _verdict(verdict: Verdict) -> Document:
    return {"verdict": verdict.name.value, "reason": verdict.reason}


def _size(view: SizesView, row: SizeRow) -> Document:
    prefactor = row.prefactor
    return {
        "model_params": row.model_params, "k": asdict(row.k), "E": asdict(row.E), "in_sample": row.in_sample,
        "prefactor": asdict(prefactor), "runs": list(row.runs), "compute_first": row.first, "compute_last": row.last,
        "observed": row.observed, "at": view.at, "reward": asdict(view.reward(row)), "verdicts": list(row.verdicts),
    }  # fmt: skip


def _prediction(each: SizePrediction) -> Document:
    return {
        "model_params": each.model_params, "compute": each.compute, "reward": asdict(each.reward),
        "kind": each.kind.value, **_verdict(each.verdict), "observed": each.observed, "sizes_away": each.sizes_away,
        "form": each.form.value,
    }  # fmt: skip


def _budget(budget: BestSize) -> Document:
    return {
        "compute": budget.compute,
        "best": budget.best,
        "p_best": [
            {"model_params": each.model_params, "p": each.p, "reward": asdict(each.reward),
             "in_sample": each.in_sample, "beyond": each.beyond}
            for each in budget.p_best
        ],
        "crossings": [_crossing(each) for each in budget.crossings],
        "cannot_separate": list(budget.cannot_separate),
        "why": budget.why,
        "refusal": budget.refusal,
        "notes": list(budget.notes),
    }  # fmt: skip


def _crossing(each: Crossing) -> Document:
    return {
        "small": each.small, "large": each.large, "compute": None if each.compute is None else asdict(each.compute),
        "p": each.p, "unsure": None if each.unsure is None else list(each.unsure), "window": list(each.window),
        "why": each.why,
    }  # fmt: skip
