"""The tables of a plan: the compute to a reward, what more compute buys, all numbers."""

from __future__ import annotations

from rlscale.answers.numbers import quantity
from rlscale.answers.plan.view import PlanView
from rlscale.answers.table import Cell, Column, Table
from rlscale.decisions.plan import Cost, RecipePlan

__all__ = ["buys_table", "flat_table", "reach_table"]

#: Costs are told for a gain of this share of the range.
_STEP = 0.01


def reach_table(view: PlanView) -> Table:
    """Return the chance of reaching the reward, and the compute that it takes."""
    plan = view.plan
    by_budget = plan.budget is not None
    columns = (
        Column("recipe", "recipe", "name"),
        Column("verdict", "verdict", "verdict"),
        Column("compute_last", "now at", "compute"),
        Column("p", "P(ever)", "probability", bar=True),
        *([Column("p_by_budget", f"P(by {quantity(plan.budget)})", "probability", bar=True)] if by_budget else []),
        Column("compute", "compute to reach it\n80 %", "compute"),
    )
    rows = tuple(
        (
            row.recipe, row.verdict.name.value, row.compute_last, None if row.reach is None else row.reach.p,
            *([None if row.reach is None else row.reach.p_by_budget] if by_budget else []),
            None if row.reach is None else row.reach.compute,
        )
        for row in view.rows
    )  # fmt: skip
    farther = ", or the budget" if by_budget else ""
    note = f"compute in {view.runs[0].axis}, given that it gets there; ever: within 8 times now{farther}"
    return Table(name="reach", title=f"To reach {view.reward(plan.reward)}", columns=columns, rows=rows, note=note,
                 bounds=view.bounds, coloured=True)  # fmt: skip


def buys_table(view: PlanView) -> Table:
    """Return what the next doubling gains and costs, how long doublings are worth it, and the forecast."""
    plan = view.plan
    alone = plan.reward is None
    hours = any(row.next_doubling is not None and row.next_doubling.cost is not None for row in view.rows)
    money = any(row.next_doubling is not None and row.next_doubling.cost_in_money is not None for row in view.rows)
    step = view.reward(_STEP * view.range)
    columns = [
        Column("recipe", "recipe", "name"),
        *([Column("verdict", "verdict", "verdict"), Column("compute_last", "now at", "compute")] if alone else []),
        Column("gain", "a doubling\ngains, 80 %", "reward"),
        *([Column("cost", f"GPU-hours\nfor +{step}", "label")] if hours else []),
        *([Column("cost_dollars", f"dollars\nfor +{step}", "label")] if money else []),
        Column("worth_until", "worth it\nuntil, 80 %", "compute"),
        Column("forecast", f"at {quantity(plan.at)}\n80 %", "reward", bar=True),
        Column("p_best", "P(best)", "probability", bar=True, spare=True),
    ]
    rows = []
    for row in view.rows:
        buys = row.next_doubling
        cells: list[Cell] = [row.recipe]
        cells += [row.verdict.name.value, row.compute_last] if alone else []
        cells.append(None if buys is None else buys.gain)
        cells += [_cost(None if buys is None else buys.cost, view.range)] if hours else []
        cells += [_cost(None if buys is None else buys.cost_in_money, view.range)] if money else []
        rows.append((*cells, row.worth_until, row.forecast, row.p_best))
    note = f"compute in {view.runs[0].axis}; worth it: a doubling gains {view.reward(view.worth)} or more"
    note += "; a cost is that of the doubling over its gain" if hours or money else ""
    return Table(name="doubling", title="What more compute buys", columns=tuple(columns), rows=tuple(rows), note=note,
                 bounds=view.bounds, coloured=True)  # fmt: skip


def _cost(cost: Cost | None, width: float) -> str | None:
    """Return what a step of reward costs, with its interval; no end where some gain is none."""
    if cost is None:
        return None
    low, middle, high = (
        None if each is None else quantity(_STEP * width * each) for each in (cost.q10, cost.q50, cost.q90)
    )
    if low is None:
        return "no gain"
    return f"{middle or 'no gain'} ({low}–{high or '∞'})"


def flat_table(view: PlanView) -> Table:
    """Return all numbers of each recipe, for programs."""
    words = (Column("recipe", "recipe", "name"), Column("verdict", "verdict", "verdict"))
    kinds = {
        "compute_last": "compute", "p_best": "probability", "reward": "reward", "p": "probability",
        "p_by_budget": "probability", "compute": "compute", "doubling_from": "compute", "doubling_to": "compute",
        "gain": "reward", "cost": "compute", "cost_q10": "compute", "cost_q90": "compute", "cost_dollars": "compute",
        "cost_dollars_q10": "compute", "cost_dollars_q90": "compute", "worth_until": "compute", "at": "compute",
        "forecast": "reward",
    }  # fmt: skip
    columns = (*words, *(Column(key, key, kind) for key, kind in kinds.items()))
    return Table(name="recipes", columns=columns, rows=tuple(_flat(view, row) for row in view.rows), bounds=view.bounds)


def _flat(view: PlanView, row: RecipePlan) -> tuple[Cell, ...]:
    reach, buys = row.reach, row.next_doubling
    reached = (None,) * 3 if reach is None else (reach.p, reach.p_by_budget, reach.compute)
    doubling = (None,) * 3 if buys is None else (buys.start, buys.end, buys.gain)
    prices = (None, None) if buys is None else (buys.cost, buys.cost_in_money)
    costs = [each for cost in prices for each in _three(cost)]
    at = None if row.forecast is None else view.plan.at
    return (
        row.recipe, row.verdict.name.value, row.compute_last, row.p_best, view.plan.reward, *reached, *doubling, *costs,
        row.worth_until, at, row.forecast,
    )  # fmt: skip


def _three(cost: Cost | None) -> tuple[float | None, ...]:
    return (None,) * 3 if cost is None else (cost.q50, cost.q10, cost.q90)
