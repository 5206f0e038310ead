"""Fans that reach far beyond their data: where their axis ends under open bounds, and arrows for what lies past it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rlscale.answers.charts.spec import Band, End, Label, Line, Mark, Panel, Whisker

__all__ = ["ARROWS", "beyond", "ends_within", "marks_within", "near_limits"]

Ends = tuple[float, float]

#: What arrows say.
ARROWS = "An arrow says how far an interval goes past the axis."
#: An axis goes past the evaluations by this share of their span, and by the second to reach a median.
_ROOM, _FARTHEST = 0.75, 1.5
#: Digits of a number beyond an axis.
_DIGITS = 2
#: Height of a label, as a share of a panel.
_LIFT = 0.06


def near_limits(full: Ends, rewards: Sequence[float], medians: Sequence[float]) -> Ends:
    """Return the ends of an axis on which evaluations are not squeezed by an interval without bounds.

    Parameters
    ----------
    full : (float, float)
        Ends on which all is shown: what is returned never lies outside them.
    rewards, medians : sequence of float
        Evaluations, and medians of forecasts.

    Examples
    --------
    >>> near_limits((-5.0, 20.0), [0.0, 1.0], [0.5, 1.5])
    (-0.75, 1.75)
    >>> near_limits((-0.1, 1.3), [0.0, 1.0], [0.5, 1.1])
    (-0.1, 1.3)
    """
    low, high = min(rewards), max(rewards)
    span = high - low
    if span <= 0.0:
        return full
    least, most = min([low, *medians]), max([high, *medians])
    bottom = min(low - _ROOM * span, max(least, low - _FARTHEST * span))
    top = max(high + _ROOM * span, min(most, high + _FARTHEST * span))
    return max(full[0], bottom), min(full[1], top)


def marks_within(marks: Sequence[Mark], limits: Ends) -> list[Mark]:
    """Return marks cut at the ends of an axis; whiskers that go on carry an arrow."""
    kept: list[Mark] = []
    for mark in marks:
        if isinstance(mark, Band):
            low, high = (tuple(np.clip(edge, *limits).tolist()) for edge in (mark.low, mark.high))
            kept.append(replace(mark, low=low, high=high))
        elif isinstance(mark, Line):
            inside = [k for k, y in enumerate(mark.y) if limits[0] <= y <= limits[1]]
            if inside:
                kept.append(replace(mark, x=tuple(mark.x[k] for k in inside), y=tuple(mark.y[k] for k in inside)))
        elif isinstance(mark, Whisker):
            bottom, middle, top = (float(value) for value in np.clip((mark.low, mark.middle, mark.high), *limits))
            kept.append(replace(mark, low=bottom, middle=middle, high=top))
            lift = _LIFT * (limits[1] - limits[0])
            kept += [Label(mark.x, top, "↑", mark.colour)] if mark.high > limits[1] else []
            kept += [Label(mark.x, bottom + lift, "↓", mark.colour)] if mark.low < limits[0] else []
        else:
            kept.append(mark)
    return kept


def ends_within(ends: Sequence[End], limits: Ends) -> tuple[End, ...]:
    """Return what stands in the margin cut at the ends of an axis, with an arrow and the number past it."""
    kept = []
    for end in ends:
        low, high = end.interval or (end.y, end.y)
        past = f" ↑{high:.{_DIGITS}g}" if high > limits[1] else ""
        past += f" ↓{low:.{_DIGITS}g}" if low < limits[0] else ""
        middle, bottom, top = (float(value) for value in np.clip((end.y, low, high), *limits))
        interval = None if end.interval is None else (bottom, top)
        kept.append(replace(end, y=middle, interval=interval, text=f"{end.text}{past}"))
    return tuple(kept)


def beyond(panels: Sequence[Panel]) -> bool:
    """Return whether intervals in the margin of panels go past their axis."""
    return any(arrow in end.text for panel in panels for end in panel.ends for arrow in "↑↓")
