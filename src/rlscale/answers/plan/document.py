"""The JSON of ``plan``: keys may be added, none is renamed."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rlscale.answers.coverage import coverage_document
from rlscale.answers.documents import SCHEMA, run_document
from rlscale.answers.plan.view import PlanView
from rlscale.decisions.plan import Cost, Crossing, Doubling, LearningRate, PretrainingShare, Reach, RecipePlan, Split
from rlscale.inference import Interval

__all__ = ["lr_document", "plan_document"]

Document = dict[str, Any]


def plan_document(view: PlanView) -> Document:
    """Return the document of ``plan --json``."""
    plan = view.plan
    return {
        "schema": SCHEMA,
        "reward": plan.reward,
        "budget": plan.budget,
        "unit": plan.unit,
        "recipes": [_recipe(row) for row in view.rows],
        "crossings": [_crossing(each) for each in view.crossings],
        "split": None if plan.split is None else _split(plan.split),
        "pretraining": None if plan.pretraining is None else _pretraining(plan.pretraining),
        "lr": None if plan.lr is None else lr_document(plan.lr),
        "price": plan.price,
        "worth": plan.worth,
        "at": plan.at,
        "clock": view.runs[0].clock or None,
        "metric": view.runs[0].metric,
        "split_reason": plan.split_reason or None,
        "claim": plan.claim,
        "seed_sd": asdict(plan.seed_sd),
        "notes": list(plan.notes),
        "runs": [run_document(run) for run in view.runs if run.recipe in view.shown],
        **coverage_document(view.grouping, view.left_out),
        "errors": [asdict(error) for error in view.errors],
        "options": dict(view.settings.options),
    }


def _recipe(row: RecipePlan) -> Document:
    return {
        "recipe": row.recipe,
        "verdict": row.verdict.name.value,
        "reach": None if row.reach is None else _reach(row.reach),
        "next_doubling": None if row.next_doubling is None else _doubling(row.next_doubling),
        "worth_until": _interval(row.worth_until),
        "forecast": _interval(row.forecast),
        "runs": list(row.runs),
        "reason": row.verdict.reason,
        "compute_last": row.compute_last,
        "p_best": row.p_best,
        "later_doublings": [_doubling(each) for each in row.later_doublings],
        "notes": list(row.notes),
    }


def _reach(reach: Reach) -> Document:
    return {
        "reward": reach.reward,
        "p": reach.p,
        "p_by_budget": reach.p_by_budget,
        "compute": _interval(reach.compute),
        "horizon": reach.horizon,
        "reason": reach.reason or None,
        "chances": [{"compute": compute, "p": p} for compute, p in reach.chances],
    }


def _doubling(buys: Doubling) -> Document:
    """Return a doubling; its cost is that of one unit of reward: in dollars where there is a price, else in hours."""
    return {
        "from": buys.start,
        "to": buys.end,
        "gain": _interval(buys.gain),
        "cost": _cost(buys.cost_in_money or buys.cost),
        "cost_gpu_hours": _cost(buys.cost),
        "cost_dollars": _cost(buys.cost_in_money),
        "compute": buys.compute,
        "price": buys.price,
    }


def _cost(cost: Cost | None) -> Document | None:
    return None if cost is None else {"q10": cost.q10, "q50": cost.q50, "q90": cost.q90, "unit": cost.unit}


def _crossing(each: Crossing) -> Document:
    return {"a": each.a, "b": each.b, "compute": _interval(each.compute), "p": each.p}


def _split(split: Split) -> Document:
    document = asdict(split)
    first = {name: document.pop(name) for name in ("explore_each", "commit", "p_right")}
    return {**first, **document}


def _pretraining(share: PretrainingShare) -> Document:
    document = asdict(share)
    first = {name: document.pop(name) for name in ("share", "references")}
    return {**first, **document}


def lr_document(rate: LearningRate) -> Document:
    """Return a learning rate with its evidence."""
    return {
        "value": rate.value,
        "rule": rate.rule,
        "limits": list(rate.limits),
        "batch": rate.batch,
        "anchor_lr": rate.anchor_lr,
        "anchor_batch": rate.anchor_batch,
        "evidence": [asdict(each) for each in rate.evidence],
    }


def _interval(interval: Interval | None) -> Document | None:
    return None if interval is None else {"q10": interval.q10, "q50": interval.q50, "q90": interval.q90}
