"""The charts of a plan: compute to a reward, the chance of having reached it, cost against gain, crossings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rlscale.answers.answer import Figures
from rlscale.answers.charts.axes import compute_axis, reward_axis, reward_limits, share_axis
from rlscale.answers.charts.recipes import COLOURED, colour_of
from rlscale.answers.charts.runs import computes, short, start_of
from rlscale.answers.charts.spec import Axis, Band, Chart, End, Label, Line, Mark, Panel, Part, Points
from rlscale.answers.numbers import count, probability, quantity
from rlscale.answers.plan.share import share_panel
from rlscale.answers.plan.view import PlanView
from rlscale.answers.plan.words import LIKELY
from rlscale.decisions.plan import Doubling, RecipePlan
from rlscale.inference.median import median_curve

__all__ = ["drawings", "plan_chart"]

#: Recipes in the panel of intervals, and crossings that are marked.
_ROWS, _CROSSINGS = 12, 6
#: Recipes whose bands are drawn: those of more would hide each other.
_BANDS = 3
_SIZE = (6.4, 4.2)


def plan_chart(view: PlanView) -> Chart | None:
    """Return the chart of a plan; None where nothing was fitted."""
    if not view.fitted:
        return None
    parts = [] if view.plan.reward is None else [Part((_reach_panel(view), _chance_panel(view)), 2, _SIZE)]
    parts.append(Part((_gain_panel(view), _crossing_panel(view)), 2, _SIZE))
    if view.plan.pretraining is not None:
        parts.append(Part((share_panel(view.plan.pretraining),), 1, (2.0 * _SIZE[0], 2.8)))
    return Chart(tuple(parts))


def drawings(chart: Chart) -> list[Figures]:
    """Return the panels two by two for a page, with what they show."""
    return [
        Figures(
            "",
            part.panels,
            " ".join(f"{panel.title}: {panel.subtitle}." for panel in part.panels),
            size="half" if len(part.panels) > 1 else "wide",
        )
        for part in chart.parts
    ]


def _colour(view: PlanView, row: RecipePlan) -> str:
    return colour_of(view.place(row.recipe))


def _undrawn(rows: Sequence[RecipePlan], most: int = COLOURED) -> str:
    return f"; {count(len(rows) - most, 'more recipe')} not drawn" if len(rows) > most else ""


def _budget(view: PlanView, low: float, high: float) -> list[Mark]:
    if view.plan.budget is None:
        return []
    at = view.plan.budget
    return [Line((at, at), (low, high), "faint", 0.9, "dashed"), Label(at, high, "budget")]


def _horizon_axis(view: PlanView, rows: Sequence[RecipePlan], first: float) -> Axis:
    last = max(row.reach.horizon for row in rows if row.reach is not None)
    return compute_axis(first, max(last, first), view.plan.unit, zero=False, most=6)


def _reach_panel(view: PlanView) -> Panel:
    """Return a row a recipe: the interval of the compute that it takes, given that it gets there."""
    rows = sorted(view.fitted, key=lambda row: (_takes(row), -row.reach.p if row.reach else 0.0))[:_ROWS]
    first = 0.9 * min(min(_takes(row, 0), row.compute_last or np.inf) for row in rows)
    marks: list[Mark] = _budget(view, len(rows) - 0.4, -0.6)
    ends = []
    for height, row in enumerate(rows):
        assert row.reach is not None
        assert row.compute_last is not None
        colour, at, reach = _colour(view, row), float(height), row.reach
        name, chance = short(row.recipe, 22), probability(reach.p)
        # below the median, and wider: where both coincide the ring is around the dot
        now = f"{row.recipe} now: {quantity(row.compute_last, view.plan.unit)}"
        ring = Points((row.compute_last,), (at,), "ink", 6.0, hollow=(True,), tips=(now,))
        if reach.compute is None:
            marks += [Line((row.compute_last, reach.horizon), (at, at), "faint", 1.2, "dotted"), ring]
            ends.append(End(at, f"{name}  not within · {chance}", colour))
        else:
            low, middle, high = reach.compute.q10, reach.compute.q50, reach.compute.q90
            tip = f"{row.recipe}: {quantity(middle, view.plan.unit)} (80 %: {quantity(low)}–{quantity(high)})"
            marks += [
                Line((low, high), (at, at), colour, 3.4),
                ring,
                Points((middle,), (at,), colour, 4.2, tips=(tip,)),
            ]
            ends.append(End(at, f"{name}  {quantity(middle)} · {chance}", colour))
    wanted = view.reward(view.plan.reward)
    return Panel(
        description=f"Compute at which each recipe reaches {wanted}, with its 80 % interval",
        x=_horizon_axis(view, rows, first),
        y=Axis("", len(rows) - 0.4, -0.6, ()),
        marks=tuple(marks),
        title=f"Compute to reach {wanted}",
        subtitle=f"80 %, given that it gets there; ring: now; right: median · P(ever){_undrawn(view.fitted, _ROWS)}",
        ends=tuple(ends),
    )


def _takes(row: RecipePlan, end: int = 1) -> float:
    """Return the median of the compute that a recipe takes, or another end; infinity where it is not given."""
    if row.reach is None or row.reach.compute is None:
        return float("inf")
    return (row.reach.compute.q10, row.reach.compute.q50, row.reach.compute.q90)[end]


def _chance_panel(view: PlanView) -> Panel:
    """Return the chance of having reached the reward, against compute."""
    rows = view.fitted[:COLOURED]
    reaches = [(row, row.reach) for row in rows if row.reach is not None]
    first = min(reach.chances[0][0] for _, reach in reaches)
    marks: list[Mark] = _budget(view, 0.0, 1.0)
    ends = []
    for row, reach in reversed(reaches):
        x, y = tuple(compute for compute, _ in reach.chances), tuple(p for _, p in reach.chances)
        marks.append(Line(x, y, _colour(view, row), 2.0))
        ends.append(End(reach.p, f"{short(row.recipe, 22)}  {probability(reach.p)}", _colour(view, row)))
    wanted = view.reward(view.plan.reward)
    return Panel(
        description=f"Probability of having reached {wanted}, against compute",
        x=_horizon_axis(view, rows, first),
        y=share_axis("probability"),
        marks=tuple(marks),
        title=f"Chance of having reached {wanted}",
        subtitle=f"by a compute, as forecasts have it; right: P(ever){_undrawn(view.fitted)}",
        ends=tuple(ends),
    )


def _gain_panel(view: PlanView) -> Panel:
    """Return what each further doubling costs, against what it gains."""
    rows = view.fitted[:COLOURED]
    bought = [(row, _doublings(row)) for row in rows]
    priced = all(each.price is not None for _, several in bought for each in several)

    def cost(each: Doubling) -> float:
        return each.price if priced and each.price is not None else each.compute

    costs = [cost(each) for _, several in bought for each in several]
    gains = [end for row, several in bought for each in several[: 1 if len(rows) > _BANDS else None]
             for end in (each.gain.q10, each.gain.q90)]  # fmt: skip
    low, high = min(*gains, 0.0), max(*gains, view.worth)
    room = 0.06 * (high - low)
    first, last = min(costs), max(costs)
    marks: list[Mark] = [Line((first, last), (view.worth, view.worth), "muted", 1.0, "dotted")]
    ends = []
    for row, several in reversed(bought):
        colour = _colour(view, row)
        x, y = tuple(map(cost, several)), tuple(each.gain.q50 for each in several)
        if len(rows) <= _BANDS:
            lows, highs = tuple(each.gain.q10 for each in several), tuple(each.gain.q90 for each in several)
            marks.append(Band(x, lows, highs, colour, 0.13))
        tips = tuple(f"{row.recipe}, to {view.compute(each.end)}: {view.reward(each.gain.q50)}" for each in several)
        marks += [Line(x, y, colour), Points(x, y, colour, 3.2, tips=tips)]
        ends.append(End(y[-1], short(row.recipe, 22), colour))
    axis = compute_axis(first, last, view.plan.unit, zero=False, most=6)
    label = "dollars of the doubling (log)" if priced else f"compute of the doubling ({view.plan.unit}, log)"
    ends_of = (low - room, high + room)
    return Panel(
        description="Gain of each further doubling against what it costs",
        x=Axis(label, axis.low, axis.high, axis.ticks, "log"),
        y=reward_axis(ends_of, f"gain, {view.runs[0].metric}", 5),
        marks=tuple(marks),
        title="What a doubling costs, and gains",
        subtitle="medians of the next doublings"
        + ("; bands: 80 %" if len(rows) <= _BANDS else "")
        + f"; dotted: worth it, {view.reward(view.worth)}{_undrawn(view.fitted)}",
        ends=tuple(ends),
    )


def _doublings(row: RecipePlan) -> tuple[Doubling, ...]:
    assert row.next_doubling is not None
    return (row.next_doubling, *row.later_doublings)


def _crossing_panel(view: PlanView) -> Panel:
    """Return the median curves of recipes, and where one passes another."""
    rows = view.fitted[:COLOURED]
    of = {row.recipe: _curve(view, row) for row in rows}
    values = [value for _, y in of.values() for value in y]
    if view.plan.reward is not None:
        values.append(view.plan.reward)
    limits = reward_limits(values, view.bounds)
    first, last = min(x[0] for x, _ in of.values()), max(x[-1] for x, _ in of.values())
    marks: list[Mark] = _budget(view, *limits)
    if view.plan.reward is not None:
        marks.append(Line((first, last), (view.plan.reward,) * 2, "muted", 1.0, "dotted"))
    ends = []
    for row in reversed(rows):
        x, y = of[row.recipe]
        now, colour = row.compute_last or 0.0, _colour(view, row)
        k = sum(each <= now for each in x)
        marks += [Line(x[:k], y[:k], colour, 2.0), Line(x[k - 1 :], y[k - 1 :], colour, 2.0, "dashed")]
        ends.append(End(y[-1], short(row.recipe, 22), colour))
    crossings = [each for each in view.crossings if each.p >= LIKELY and each.a in of and each.b in of][:_CROSSINGS]
    for each in crossings:
        if each.compute is None:
            continue
        x, y = of[each.b]
        at = float(np.interp(np.log(each.compute.q50), np.log(x), y))
        ends_at = max(each.compute.q10, first), min(each.compute.q90, last)
        tip = f"{each.b} passes {each.a} at {view.compute(each.compute.q50)}, P = {probability(each.p)}"
        marks += [Line(ends_at, (at, at), "ink", 1.4), Points((each.compute.q50,), (at,), "ink", 3.6, (True,), (tip,))]
    rings = "rings: crossings, 80 %" if crossings else "no crossing is likelier than not"
    aim = "" if view.plan.reward is None else f"; dotted: {view.reward(view.plan.reward)}"
    return Panel(
        description="Median curves of the recipes, and where one passes another",
        x=compute_axis(first, last, view.plan.unit, zero=False, most=6),
        y=reward_axis(limits, view.runs[0].metric, 5),
        marks=tuple(marks),
        title=f"Median curves to {view.compute(last)}",
        subtitle=f"dashed: not run yet; {rings}{aim}{_undrawn(view.fitted)}",
        ends=tuple(ends),
    )


def _curve(view: PlanView, row: RecipePlan) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the median curve of a recipe from its first evaluation to the compute of the plan."""
    posteriors = [fit.posterior for fit in view.plan.fits if fit.run.recipe == row.recipe and fit.posterior is not None]
    start, now = min(map(start_of, posteriors)), row.compute_last or 0.0
    grid = np.union1d(computes(start, max(view.plan.at, now)), [now])
    return tuple(grid.tolist()), tuple(np.asarray(median_curve(posteriors, grid)).tolist())
