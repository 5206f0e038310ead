"""The chart of ``sizes``: the exponent against size, reward against compute by size, reward at the budget."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rlscale.answers.charts.axes import compute_axis, reward_axis, reward_limits, reward_ticks
from rlscale.answers.charts.recipes import colour_of
from rlscale.answers.charts.spec import Axis, Band, Chart, End, Label, Line, Mark, Panel, Part, Points, Whisker
from rlscale.answers.numbers import number, probability, quantity, reward, span
from rlscale.answers.palette import verdict_words
from rlscale.answers.sizes.view import SizesView
from rlscale.decisions.sizes import SizeRow
from rlscale.decisions.sizes.written import written
from rlscale.inference import Interval

__all__ = ["sizes_chart"]

#: Places along a curve, evaluations drawn at most, and air at the ends of the axis of sizes, a factor.
_GRID, _POINTS, _AIR = 49, 900, 1.6
#: Least share of the axis between two named sizes.
_APART = 0.08


def sizes_chart(view: SizesView) -> Chart:
    """Return the chart of an answer."""
    panels = [_exponents(view), _rewards(view)]
    if view.law.budget is not None:
        panels.append(_budget(view))
    return Chart((Part(tuple(panels), len(panels), (4.9, 4.0)),))


def _size_axis(rows: Sequence[SizeRow]) -> Axis:
    """Return a log axis of sizes, with those that are shown as its ticks."""
    low, high = rows[0].model_params / _AIR, rows[-1].model_params * _AIR
    axis = Axis("parameters of the model (log)", low, high, (), "log")
    named: list[float] = []
    for row in reversed(rows):
        if not named or axis.position(named[-1]) - axis.position(row.model_params) >= _APART:
            named.append(row.model_params)
    return Axis(axis.label, low, high, tuple((size, written(size)) for size in reversed(named)), "log")


def _exponents(view: SizesView) -> Panel:
    """Return ``k(N)``: the law with its band, and each size's own exponent."""
    law, rows = view.law, view.law.sizes
    axis = _size_axis(rows)
    grid = np.geomspace(axis.low, axis.high, _GRID)
    band = law.exponents(grid)
    high = 1.12 * max(*band.q90, *(row.k.q90 for row in rows))
    low = min(0.0, *(row.k.q10 for row in rows))
    marks: list[Mark] = [
        Band(band.at, band.q10, band.q90, "muted", 0.2),
        Line(band.at, band.q50, "muted", 1.8),
    ]
    if law.K_max.q50 <= high:
        marks.append(Line((axis.low, axis.high), (law.K_max.q50, law.K_max.q50), "muted", 1.0, "dotted"))
        marks.append(Label(axis.low, law.K_max.q50, "K_max", "muted", "start"))
    if axis.low < law.N0.q50 < axis.high:
        marks.append(Line((law.N0.q50, law.N0.q50), (low, high), "muted", 1.0, "dotted"))
        marks.append(Label(law.N0.q50, low + 0.08 * (high - low), "N0", "muted", "start"))
    for place, row in enumerate(rows):
        said = f"{_named(row)}: k = {number(row.k.q50, 4)} (80 %: {number(row.k.q10, 4)}–{number(row.k.q90, 4)})"
        marks.append(Whisker(row.model_params, row.k.q10, row.k.q50, row.k.q90, colour_of(place), said))
    ticks = reward_ticks(low, high, 6)
    return Panel(
        description="Exponent of the law against the size of the model",
        x=axis,
        y=Axis("exponent k(N)", low, high, ticks),
        marks=tuple(marks),
        title="Exponent k(N)",
        subtitle=f"K_max {_short(law.K_max)}, N0 {written(law.N0.q50)}: {verdict_words(law.verdict.name)}",
        subtitle_colour=law.verdict.name.value,
    )


def _named(row: SizeRow) -> str:
    return written(row.model_params) if row.in_sample else f"{written(row.model_params)}, without runs"


def _short(interval: Interval) -> str:
    return f"{number(interval.q50, 3)} ({number(interval.q10, 3)}–{number(interval.q90, 3)})"


def _rewards(view: SizesView) -> Panel:
    """Return reward against compute: evaluations, fitted lines, and what is predicted."""
    law, shown = view.law, view.shown_in
    first = min(row.first for row in law.sizes if row.first is not None)
    last = max([view.at, *(row.last for row in law.sizes if row.last is not None)])
    marks: list[Mark] = []
    ends: list[End] = []
    values: list[float] = []
    for place, row in enumerate(law.sizes):
        own, drawn = _lines(view, row, colour_of(place), first)
        marks += own
        values += drawn
        at = view.reward(row)
        values += [at.q10, at.q90]
        ends.append(End(at.q50, f"{written(row.model_params)}  {reward(at.q50, shown)}", colour_of(place),
                        (at.q10, at.q90)))  # fmt: skip
    for place, row in enumerate(law.sizes):
        points = _points(view, row, colour_of(place))
        values += [value for each in points for value in each.y]
        marks = [*points, *marks]
    limits = reward_limits(values, shown)
    where = f"at the right: {quantity(view.at, law.unit)}"
    return Panel(
        description="Reward against compute of each size, with the lines of the law",
        x=compute_axis(first, last, law.unit, zero=False, most=5),
        y=reward_axis(limits, law.metric, 5),
        marks=tuple(marks),
        title=f"Reward ({law.metric}) against compute",
        subtitle=f"{where}, 80 % intervals",
        ends=tuple(reversed(ends)),
    )


def _lines(view: SizesView, row: SizeRow, colour: str, first: float) -> tuple[list[Mark], list[float]]:
    """Return the line of a size with its band, dashed past its data, and the rewards it passes."""
    start = first if row.first is None else row.first
    end = start if row.last is None else row.last
    grid = np.geomspace(start, max(view.at, end), _GRID)
    band = view.law.rewards(row.model_params, np.union1d(grid, [end]))
    least = min(0.0, view.law.runs[0].curve.bounds[0])
    shown = [k for k, value in enumerate(band.q50) if value > least]  # a line of logs has no floor
    x, low, high = ([values[k] for k in shown] for values in (band.at, band.q10, band.q90))
    marks: list[Mark] = [Band(tuple(x), tuple(max(each, least) for each in low), tuple(high), colour, 0.14)]
    seen = [k for k in shown if band.at[k] <= end]
    ahead = [k for k in shown if band.at[k] >= end]
    for dash, places in (("", seen), ("dashed", ahead)):
        if len(places) > 1:
            line = tuple(band.at[k] for k in places), tuple(band.q50[k] for k in places)
            marks.append(Line(*line, colour, 1.9, dash))
    return marks, [band.q50[k] for k in shown]


def _points(view: SizesView, row: SizeRow, colour: str) -> list[Points]:
    """Return some of the evaluations of a size."""
    runs = [run.curve for run in view.law.runs if run.name in row.runs]
    most = max(_POINTS // len(view.law.runs), 12)
    drawn = []
    for curve in runs:
        keep = np.unique(np.linspace(0, curve.n_points - 1, min(curve.n_points, most)).round().astype(int))
        keep = keep[curve.compute[keep] > 0.0]
        x, y = curve.compute[keep], curve.reward[keep]
        drawn.append(Points(tuple(x.tolist()), tuple(y.tolist()), colour, 1.5, strength=0.3))
    return drawn


def _budget(view: SizesView) -> Panel:
    """Return the reward at the budget against size, with the probability of each to be the best."""
    law, budget, shown = view.law, view.law.budget, view.shown_in
    assert budget is not None
    chances = budget.p_best
    low, high = reward_limits([end for each in chances for end in (each.reward.q10, each.reward.q90)], shown)
    foot, low = low - 0.04 * (high - low), low - 0.14 * (high - low)
    marks: list[Mark] = [
        Line(tuple(each.model_params for each in chances), tuple(each.reward.q50 for each in chances), "faint", 1.2)
    ]
    for place, each in enumerate(chances):
        text = f"{written(each.model_params)}: {reward(each.reward.q50, shown)} (80 %: {span(each.reward, shown)})"
        marks.append(Whisker(each.model_params, each.reward.q10, each.reward.q50, each.reward.q90, colour_of(place),
                             text))  # fmt: skip
        best = each.model_params == budget.best
        if each.p is not None:
            marks.append(Label(each.model_params, foot, probability(each.p), "ink" if best else "muted", "middle"))
    return Panel(
        description="Reward at the budget against the size of the model",
        x=_size_axis(law.sizes),
        y=reward_axis((low, high), law.metric, 5),
        marks=tuple(marks),
        title=f"Reward at {quantity(budget.compute, law.unit)} a run",
        subtitle="80 % intervals; no best size is named" if budget.refusal else "80 % intervals; below: P(best)",
    )
