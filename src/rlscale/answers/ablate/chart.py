"""The chart of ``ablate``: effect on the ceiling against effect on speed, and a forest of both."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rlscale.answers.ablate import words
from rlscale.answers.ablate.view import AblateView
from rlscale.answers.charts.axes import reward_ticks
from rlscale.answers.charts.runs import short
from rlscale.answers.charts.spec import Axis, Chart, End, Key, Label, Line, Mark, Panel, Part, Points
from rlscale.answers.numbers import effect, number
from rlscale.decisions.ablation import KnobEffect, Says
from rlscale.inference import Interval

__all__ = ["ablate_chart"]

_COLOURS = {
    Says.RAISES_CEILING: "s2",
    Says.LOWERS_CEILING: "s1",
    Says.FASTER: "s0",
    Says.SLOWER: "s3",
    Says.UNRESOLVED: "muted",
    Says.CONFOUNDED: "s4",
}
#: Comparisons drawn, and named beside the points, at most.
_MOST, _NAMED = 24, 12
#: Factors of compute that an axis may show.
_FACTORS = (0.02, 0.05, 0.1, 0.2, 0.33, 0.5, 0.67, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0)
_FINE = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.4, 1.6, 1.8, 2.0, 2.5)
_SLOWEST, _FASTEST = 0.02, 50.0
#: Fewer ticks than this and finer ones are drawn.
_FEW = 5


def ablate_chart(view: AblateView) -> Chart | None:
    """Return the chart of an answer; None where nothing was compared."""
    drawn = [each for each in view.result.knobs if each.ceiling is not None and each.speed is not None][:_MOST]
    if not drawn:
        return None
    shown = [says for says in _COLOURS if any(each.says is says for each in drawn)]
    keys = tuple(Key("dot", _COLOURS[says], words.SAYS[says]) for says in shown)
    height = 1.5 + 0.3 * max(len(drawn), 3)
    panels = (_plane(view, drawn), _ceilings(view, drawn), _speeds(view, drawn))
    return Chart((Part(panels[:1], 1, (8.2, 5.0)), Part(panels[1:], 2, (6.6, height))), keys=keys)


def _plane(view: AblateView, drawn: Sequence[KnobEffect]) -> Panel:
    """Return effect on the ceiling against factor of speed, a cross each."""
    across, up = _factor_axis(drawn, 9), _effect_axis(view, drawn)
    marks: list[Mark] = [
        Line((1.0, 1.0), (up.low, up.high), "faint", 1.0, "dashed"),
        Line((across.low, across.high), (0.0, 0.0), "faint", 1.0, "dashed"),
    ]
    drop = 0.025 * (up.high - up.low)  # below the line of its interval
    for place, each in enumerate(drawn):
        ceiling, speed = _ceiling(each), _clipped(_factor(each), across)
        colour = _COLOURS[each.says]
        marks += [
            Line((speed.q10, speed.q90), (ceiling.q50, ceiling.q50), colour, 1.3, strength=0.8),
            Line((speed.q50, speed.q50), (ceiling.q10, ceiling.q90), colour, 1.3, strength=0.8),
            _dot(view, each, speed.q50, ceiling.q50),
        ]
        if place < _NAMED:
            marks.append(Label(speed.q50, ceiling.q50 - drop, _short(each), colour, "start"))
    return Panel(
        description="Effect of each knob on the ceiling against its effect on speed",
        x=across,
        y=up,
        marks=tuple(marks),
        title="Effect on the ceiling against effect on speed",
        subtitle="up: a higher ceiling; right: as far with less compute",
    )


def _ceilings(view: AblateView, drawn: Sequence[KnobEffect]) -> Panel:
    axis = _effect_axis(view, drawn)
    text = {id(each): effect(_ceiling(each).q50, view.result.bounds) for each in drawn}
    return _forest(view, drawn, axis, 0.0, [_ceiling(each) for each in drawn], text, "Effect on the ceiling")


def _speeds(view: AblateView, drawn: Sequence[KnobEffect]) -> Panel:
    axis = _factor_axis(drawn, 4)
    text = {id(each): f"{number(_factor(each).q50)}×" for each in drawn}
    factors = [_clipped(_factor(each), axis) for each in drawn]
    return _forest(view, drawn, axis, 1.0, factors, text, "Effect on speed")


def _forest(
    view: AblateView,
    drawn: Sequence[KnobEffect],
    axis: Axis,
    nothing: float,
    intervals: Sequence[Interval],
    text: dict[int, str],
    title: str,
) -> Panel:
    """Return intervals below each other, the surest on top, named at the right."""
    top = float(len(drawn))
    marks: list[Mark] = [Line((nothing, nothing), (0.4, top + 0.6), "faint", 1.0, "dashed")]
    ends = []
    for place, (each, interval) in enumerate(zip(drawn, intervals, strict=True)):
        height, colour = top - place, _COLOURS[each.says]
        marks.append(Line((interval.q10, interval.q90), (height, height), colour, 1.8))
        marks.append(_dot(view, each, interval.q50, height))
        ends.append(End(height, f"{_short(each)}  {text[id(each)]}", colour))
    return Panel(
        description=f"{title} of each knob, with 80 % intervals",
        x=axis,
        y=Axis("", 0.4, top + 0.6, ()),
        marks=tuple(marks),
        title=f"{title} (80 %)",
        ends=tuple(ends),
    )


def _short(each: KnobEffect) -> str:
    return f"{short(each.knob, 20)} → {short(each.end, 10)}"


def _dot(view: AblateView, each: KnobEffect, x: float, y: float) -> Points:
    ceiling, factor = _ceiling(each), _factor(each)
    tip = (
        f"{words.change(each)}: {words.SAYS[each.says]}; ceiling {effect(ceiling.q50, view.result.bounds)}, "
        f"speed {number(factor.q50)}×"
    )
    ring = each.together in (Says.UNRESOLVED, Says.CONFOUNDED)
    return Points((x,), (y,), _COLOURS[each.says], 3.6, hollow=(ring,), tips=(tip,))


def _ceiling(each: KnobEffect) -> Interval:
    assert each.ceiling is not None
    return each.ceiling.effect


def _factor(each: KnobEffect) -> Interval:
    assert each.speed is not None
    return each.speed.factor


def _clipped(interval: Interval, axis: Axis) -> Interval:
    return Interval(*(min(max(v, axis.low), axis.high) for v in (interval.q10, interval.q50, interval.q90)))


def _effect_axis(view: AblateView, drawn: Sequence[KnobEffect]) -> Axis:
    ends = [end for each in drawn for end in (_ceiling(each).q10, _ceiling(each).q90)]
    width = view.result.bounds[1] - view.result.bounds[0]
    low, high = min(*ends, -0.02 * width), max(*ends, 0.02 * width)
    air = 0.1 * (high - low)
    label = f"effect on the ceiling ({view.result.metric})"
    return Axis(label, low - air, high + air, reward_ticks(low - air, high + air, 6))


def _factor_axis(drawn: Sequence[KnobEffect], most: int) -> Axis:
    ends = [end for each in drawn for end in (_factor(each).q10, _factor(each).q90)]
    low, high = max(min(*ends, 0.8) / 1.12, _SLOWEST), min(max(*ends, 1.25) * 1.12, _FASTEST)
    inside = [value for value in _FACTORS if low <= value <= high]
    if len(inside) < _FEW:
        inside = [value for value in _FINE if low <= value <= high]
    if len(inside) > most:
        step = math.ceil(len(inside) / most)
        centre = inside.index(1.0)
        inside = [value for k, value in enumerate(inside) if (k - centre) % step == 0]
    ticks = tuple((value, f"{value:g}×") for value in inside)
    return Axis("speed, as a factor of compute (log)", low, high, ticks, "log")
