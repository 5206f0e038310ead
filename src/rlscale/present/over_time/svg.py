"""The chart of a run's growth as inline SVG for the report."""

from __future__ import annotations

from rlscale.present.labels import spread
from rlscale.present.numbers import quantity, reward, span
from rlscale.present.over_time.trace import Believed, Trace
from rlscale.present.palette import verdict_words
from rlscale.present.svg import Canvas, Plot, frame, series

__all__ = ["over_time_svg"]


def over_time_svg(shown: Trace, limits: tuple[float, float]) -> str:
    """Return the ceiling of a run with its interval as it was believed, and the forecast where a target was given.

    Parameters
    ----------
    shown : Trace
    limits : (float, float)
        Ends of the reward axis, which all runs share.
    """
    run = shown.run
    medians = [believed[-1].interval.q50 for believed, _ in shown.answers]
    ends = [
        f"{label} {reward(median, run.shown_in)}" for (_, label), median in zip(shown.answers, medians, strict=True)
    ]
    margin = 20 + 7 * max(map(len, ends), default=0)
    canvas = Canvas(480, 292)
    plot = Plot(44, 480 - margin, 14, 250, shown.axis, *limits)
    frame(canvas, plot, run.unit, 5)
    for compute, value in zip(shown.compute, shown.reward, strict=True):
        canvas.dot((plot.x(compute), plot.y(value)), "faint", 1.7)
    for place, (believed, _) in enumerate(shown.answers):
        _band(canvas, plot, believed, series(place), pale=believed is not shown.judged)
    for one in shown.judged:
        tip = (
            f"{verdict_words(one.verdict)} at {quantity(one.compute, run.unit, 4)}: "
            f"{reward(one.interval.q50, run.shown_in)} ({span(one.interval, run.shown_in)}, 80 %)"
        )
        canvas.dot((plot.x(one.compute), plot.y(one.interval.q50)), f"look {one.verdict.value}", 3.6, tip)
    heights = spread([plot.y(median) for median in medians], 16, plot.top, plot.bottom)
    for place, (text, height) in enumerate(zip(ends, heights, strict=True)):
        canvas.text((plot.right + 10, height + 4), text, "value series", series(place))
    return canvas.render(f"{run.run}: the answer as it was believed, against compute", "fan")


def _band(canvas: Canvas, plot: Plot, believed: tuple[Believed, ...], colour: str, *, pale: bool) -> None:
    """Draw the medians in the band of their intervals, and the latest median back through all of it."""
    at = [one.compute for one in believed]
    low, high = (
        [min(max(getattr(one.interval, end), plot.low), plot.high) for one in believed] for end in ("q10", "q90")
    )
    canvas.area(plot.points(at, high) + plot.points(at, low)[::-1], "believed pale" if pale else "believed", colour)
    now = plot.y(believed[-1].interval.q50)
    canvas.line([(plot.x(at[0]), now), (plot.right, now)], "rl today", colour)
    canvas.line(plot.points(at, [one.interval.q50 for one in believed]), "rl", colour)
