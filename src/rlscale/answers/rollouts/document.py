"""The JSON of ``rollouts``: keys may be added, none is renamed."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rlscale.answers.coverage import coverage_document
from rlscale.answers.documents import SCHEMA
from rlscale.answers.rollouts.view import RolloutsView
from rlscale.decisions.rollouts import Allocation, ClassRollouts, Optimum, PromptAllocation, TrainingContrast, TriedN
from rlscale.inference import Interval

__all__ = ["rollouts_document"]

Document = dict[str, Any]


def rollouts_document(view: RolloutsView) -> Document:
    """Return the document of ``rollouts --json``."""
    answer = view.answer
    reuse, best = answer.data_reuse, answer.best_at_k
    return {
        "schema": SCHEMA,
        "unit": answer.unit,
        "budget": answer.budget,
        "classes": [_class(entry) for entry in answer.classes],
        "allocation": None if answer.allocation is None else _split(answer.allocation),
        "prompts": None if answer.prompts is None else _prompts(answer.prompts),
        "data_reuse": None if reuse is None else asdict(reuse),
        "best_at_k": None if best is None else asdict(best),
        "notes": list(answer.notes),
        "prompt_budget": None if answer.prompts is None else _together(answer.prompts),
        "metric": view.metric or None,
        "seed_sd": None if answer.seed_sd is None else asdict(answer.seed_sd),
        "input": [{"remark": item.text, "runs": list(item.runs)} for item in view.input],
        **coverage_document(view.grouping, view.left_out),
        "errors": [asdict(error) for error in view.errors],
        "options": dict(view.settings.options),
    }


def _class(entry: ClassRollouts) -> Document:
    best = entry.n_star
    return {
        "class": entry.name,
        "n": list(entry.n),
        "envelope": [{"n": piece.n, "from": piece.start, "to": piece.end} for piece in entry.envelope],
        "n_star": None if best is None else _interval(best.n),
        "saturation": _interval(entry.saturation),
        "supported": None if entry.supported is None else list(entry.supported),
        "at": None if best is None else best.compute,
        "where": None if best is None else best.where,
        "p_saturated": entry.p_saturated,
        "law": None if entry.law is None else asdict(entry.law),
        "path": [_optimum(each) for each in entry.path],
        "compared_at": entry.compared_at,
        "tried": [_tried(each) for each in entry.tried],
        "records": [asdict(record) for record in entry.records],
        "training": None if entry.training is None else _training(entry.training),
        "allocation": None if entry.allocation is None else _split(entry.allocation),
        "reasons": dict(entry.reasons),
        "notes": list(entry.notes),
    }


def _optimum(each: Optimum) -> Document:
    return {"compute": each.compute, "n": _interval(each.n)}


def _tried(each: TriedN) -> Document:
    return {
        "n": each.n,
        "runs": list(each.runs),
        "recipes": list(each.recipes),
        "verdict": each.verdict.name.value,
        "reason": each.verdict.reason,
        "compute_first": each.first,
        "compute_last": each.last,
        "reward": _interval(each.reward),
        "p_best": each.p_best,
        "broke_at": each.broke_at,
    }


def _training(contrast: TrainingContrast) -> Document:
    return {**asdict(contrast), "n": list(contrast.n)}


def _split(allocation: Allocation) -> Document:
    first = {
        "problems_per_batch": allocation.problems_per_batch,
        "rollouts": allocation.rollouts,
        "updates": allocation.updates,
        "updates_range": list(allocation.updates_range),
    }
    return {**first, **{name: value for name, value in asdict(allocation).items() if name not in first}}


def _prompts(allocation: PromptAllocation) -> list[Document]:
    return [
        {
            "prompt": share.prompt, "rollouts": share.rollouts, "correct": share.correct, "graded": share.graded,
            "pass_rate": _interval(share.pass_rate), "p_learnable": share.p_learnable, "p_mixed": share.p_mixed,
        }
        for share in allocation.prompts
    ]  # fmt: skip


def _together(allocation: PromptAllocation) -> Document:
    return {
        "budget": allocation.budget,
        "used": allocation.used,
        "mixed": _interval(allocation.mixed),
        "mixed_share": _interval(allocation.mixed_share),
        "even": allocation.even,
        "left_out": allocation.left_out,
        "most": allocation.most,
        "prior": asdict(allocation.prior),
        "notes": list(allocation.notes),
    }


def _interval(interval: Interval | None) -> Document | None:
    return None if interval is None else asdict(interval)
