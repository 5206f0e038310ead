"""Charts as inline SVG for the report: crisp text, colours from the CSS variables of the page, light or dark."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape

from rlscale.inference import Interval
from rlscale.present.axis import ComputeAxis, reward_ticks
from rlscale.present.fans import Fan, RecipeCurve, reward_limits
from rlscale.present.labels import spread
from rlscale.present.numbers import count, probability, quantity, reward, span
from rlscale.present.palette import SERIES

__all__ = ["Canvas", "Plot", "Point", "fan_limits", "fan_svg", "frame", "interval_svg", "overlay_svg", "series"]

Point = tuple[float, float]
#: Recipes drawn in colour in an overlay; the rest are grey.
COLOURED = len(SERIES)


@dataclass(frozen=True)
class Canvas:
    """Elements of one SVG, in order of drawing."""

    width: float
    height: float
    elements: list[str] = field(default_factory=list)

    def line(self, points: Iterable[Point], kind: str, colour: str = "") -> None:
        """Add a polyline."""
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.elements.append(f'<polyline class="{kind}"{_stroke(colour)} points="{path}"/>')

    def area(self, points: Iterable[Point], kind: str, colour: str = "") -> None:
        """Add a filled polygon."""
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.elements.append(f'<polygon class="{kind}"{_colour(colour)} points="{path}"/>')

    def dot(self, at: Point, kind: str, radius: float, tip: str = "", colour: str = "") -> None:
        """Add a circle; ``tip`` is shown on hover."""
        head = f'<circle class="{kind}"{_colour(colour)} cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="{radius:g}"'
        self.elements.append(f"{head}><title>{escape(tip)}</title></circle>" if tip else f"{head}/>")

    def text(self, at: Point, text: str, kind: str, colour: str = "") -> None:
        """Add a text; its class sets the anchor."""
        self.elements.append(
            f'<text class="{kind}"{_colour(colour)} x="{at[0]:.1f}" y="{at[1]:.1f}">{escape(text)}</text>'
        )

    def render(self, label: str, kind: str) -> str:
        """Return the SVG, with a label for those who cannot see it."""
        head = (
            f'<svg class="{kind}" viewBox="0 0 {self.width:g} {self.height:g}" role="img" aria-label="{escape(label)}">'
        )
        return "".join([head, *self.elements, "</svg>"])


def _stroke(colour: str) -> str:
    return f' style="stroke:{colour}"' if colour else ""


def _colour(colour: str) -> str:
    return f' style="--c:{colour}"' if colour else ""


@dataclass(frozen=True)
class Plot:
    """The plotting area inside a canvas, in its units, and what its axes span."""

    left: float
    right: float
    top: float
    bottom: float
    axis: ComputeAxis
    low: float
    high: float

    def x(self, compute: float) -> float:
        """Return where a compute stands."""
        return self.left + (self.right - self.left) * self.axis.position(compute)

    def y(self, value: float) -> float:
        """Return where a reward stands."""
        return self.bottom - (self.bottom - self.top) * (value - self.low) / (self.high - self.low)

    def points(self, compute: Sequence[float], values: Sequence[float]) -> list[Point]:
        """Return where evaluations stand."""
        return [(self.x(c), self.y(v)) for c, v in zip(compute, values, strict=True)]


def frame(canvas: Canvas, plot: Plot, unit: str, ticks: int) -> None:
    """Draw the grid, the ticks, the name of the compute axis, and its break before compute 0."""
    for value, label in reward_ticks(plot.low, plot.high, 5):
        y = plot.y(value)
        canvas.line([(plot.left - 4, y), (plot.right, y)], "grid")
        canvas.text((plot.left - 9, y + 4), label, "tick end")
    canvas.line([(plot.left - 4, plot.bottom), (plot.right, plot.bottom)], "base")
    for compute, label in plot.axis.ticks(ticks):
        canvas.text((plot.x(compute), plot.bottom + 17), label, "tick mid")
    if plot.axis.zero:
        middle = plot.left + 0.5 * plot.axis.start * (plot.right - plot.left)
        canvas.area([(middle - 4, plot.bottom - 4), (middle + 4, plot.bottom - 4), (middle + 4, plot.bottom + 4),
                     (middle - 4, plot.bottom + 4)], "gap")  # fmt: skip
        for shift in (-2.5, 2.5):
            canvas.line([(middle + shift - 2, plot.bottom + 4), (middle + shift + 2, plot.bottom - 4)], "base")
    canvas.text((0.5 * (plot.left + plot.right), plot.bottom + 34), f"compute ({unit}, log)", "tick mid")


def fan_svg(chart: Fan, limits: tuple[float, float] | None = None) -> str:
    """Return the fan chart of one run.

    Parameters
    ----------
    chart : Fan
    limits : (float, float), optional
        Ends of the reward axis, where several charts share it.
    """
    run, ceiling = chart.run, chart.asymptote
    if limits is None:
        limits = fan_limits([chart])
    canvas = Canvas(480, 292)
    axis = ComputeAxis(chart.first, chart.horizon, zero=chart.compute[0] == 0)
    plot = Plot(44, 412 if ceiling else 462, 14, 250, axis, *limits)
    frame(canvas, plot, run.unit, 5)
    if chart.grid:
        for low, high, kind in ((chart.q10, chart.q90, "b80"), (chart.q25, chart.q75, "b50")):
            edge = plot.points(chart.grid, high) + plot.points(chart.grid, low)[::-1]
            canvas.area(edge, kind)
        canvas.line(plot.points(chart.grid, chart.q50), "median")
    if run.compute_first > 0:
        last = plot.x(chart.last)
        canvas.line([(last, plot.top), (last, plot.bottom)], "now")
        canvas.text((last - 5, plot.top + 9), "now", "tick end")
    for compute, value, used in zip(chart.compute, chart.reward, chart.used, strict=True):
        tip = f"{reward(value, run.shown_in)} at {quantity(compute, run.unit, 4)}"
        canvas.dot((plot.x(compute), plot.y(value)), "pt" if used else "pt out", 2.1, tip)
    for item in chart.targets:
        x = plot.x(item.compute)
        canvas.line([(x, plot.y(item.q10)), (x, plot.y(item.q90))], "whisker")
        tip = f"{reward(item.q50, run.shown_in)} ({span(item.interval, run.shown_in)}, 80 %)"
        canvas.dot((x, plot.y(item.q50)), "target", 3.4, f"at {quantity(item.compute, run.unit)}: {tip}")
    if ceiling is not None:
        _ceiling(canvas, plot, ceiling, run.shown_in)
    return canvas.render(f"{run.run}: {run.metric} against compute, with the forecast", "fan")


def fan_limits(charts: Sequence[Fan]) -> tuple[float, float]:
    """Return the ends of a reward axis that fits all charts."""
    shown = [value for chart in charts for value in (*chart.reward, *chart.q10, *chart.q90)]
    shown += [end for chart in charts if chart.asymptote for end in (chart.asymptote.q10, chart.asymptote.q90)]
    return reward_limits(shown, charts[0].run.shown_in)


def _ceiling(canvas: Canvas, plot: Plot, interval: Interval, bounds: tuple[float, float]) -> None:
    """Draw the asymptote's 80 % interval in the right margin."""
    x = plot.right + 13
    top, bottom = plot.y(interval.q90), plot.y(interval.q10)
    canvas.area([(x - 4, top), (x + 4, top), (x + 4, bottom), (x - 4, bottom)], "ceil")
    y = plot.y(interval.q50)
    canvas.line([(x - 7, y), (x + 7, y)], "median")
    canvas.text((x + 11, y - 3), "ceiling", "tick")
    canvas.text((x + 11, y + 10), reward(interval.q50, bounds), "value")


def overlay_svg(
    curves: Sequence[RecipeCurve], unit: str, bounds: tuple[float, float], *, width: float, height: float, kind: str
) -> str:
    """Return the chart of all recipes: evaluations, median curves, labels and forecast intervals at their ends.

    Parameters
    ----------
    curves : sequence of RecipeCurve
        In order of rank.
    unit : str
    bounds : (float, float)
    width, height : float
        Of the drawing; text keeps its size.
    kind : str
        CSS class.
    """
    drawn = [curve for curve in curves if curve.grid]
    if not drawn:
        return ""
    shown = [v for curve in curves for v in (*curve.reward, *curve.median)]
    shown += [v for c in drawn if c.row.forecast for v in (c.row.forecast.q10, c.row.forecast.q90)]
    first = min(curve.grid[0] for curve in drawn)
    axis = ComputeAxis(first, max(curve.grid[-1] for curve in drawn), zero=any(0 in curve.compute for curve in curves))
    named = drawn[:COLOURED]
    wide = width > 700
    labels = [_end_label(curve, wide) for curve in named]
    margin = 24 + 8 * len(named) + 7 * max(map(len, labels))
    canvas = Canvas(width, height)
    plot = Plot(44, width - margin, 12, height - 42, axis, *reward_limits(shown, bounds))
    frame(canvas, plot, unit, 8 if wide else 4)
    for curve in reversed(drawn):
        _recipe(canvas, plot, curve, bounds)
    _ends(canvas, plot, named, labels, bounds)
    if len(drawn) > len(named):
        canvas.text(
            (plot.right, plot.bottom - 8), f"{count(len(drawn) - len(named), 'more recipe')} in grey", "tick end"
        )
    return canvas.render("Reward against compute of all recipes, with their median curves", kind)


def series(place: int) -> str:
    """Return the colour of the recipe at a place, as CSS."""
    return f"var(--s{place})" if place < COLOURED else "var(--faint)"


def _recipe(canvas: Canvas, plot: Plot, curve: RecipeCurve, bounds: tuple[float, float]) -> None:
    colour, faint = series(curve.place), curve.place >= COLOURED
    if not faint:
        for compute, value in zip(curve.compute, curve.reward, strict=True):
            canvas.dot((plot.x(compute), plot.y(value)), "rp", 1.8, colour=colour)
    points = list(zip(curve.grid, plot.points(curve.grid, curve.median), strict=True))
    weight = "rl faint" if faint else "rl"
    canvas.line([point for compute, point in points if compute <= curve.last], weight, colour)
    canvas.line([point for compute, point in points if compute >= curve.last], f"{weight} ahead", colour)


def _end_label(curve: RecipeCurve, wide: bool) -> str:
    most = 30 if wide else 9
    name = curve.row.recipe if len(curve.row.recipe) <= most else f"…{curve.row.recipe[1 - most :]}"
    return f"{name}  {probability(curve.row.p_best)}" if wide else name


def _ends(
    canvas: Canvas, plot: Plot, named: Sequence[RecipeCurve], labels: Sequence[str], bounds: tuple[float, float]
) -> None:
    """Draw each forecast's interval beside the plot and label it."""
    ends = [(curve, label, curve.row.forecast) for curve, label in zip(named, labels, strict=True)]
    medians = [plot.y(forecast.q50) for _, _, forecast in ends if forecast is not None]
    heights = iter(spread(medians, 17, plot.top, plot.bottom))
    edge = plot.right + 10 + 8 * len(ends)
    for offset, (curve, label, forecast) in enumerate(ends):
        if forecast is None:
            continue
        x, y, colour = plot.right + 9 + 8 * offset, plot.y(forecast.q50), series(curve.place)
        canvas.line([(x, plot.y(forecast.q10)), (x, plot.y(forecast.q90))], "rl thin", colour)
        tip = f"{curve.row.recipe}: {reward(forecast.q50, bounds)} ({span(forecast, bounds)}, 80 %)"
        canvas.dot((x, y), "re", 3, tip, colour)
        canvas.text((edge, next(heights) + 4), label, "value series", colour)


def interval_svg(interval: Interval | None, limits: tuple[float, float], place: int) -> str:
    """Return a small bar of an 80 % interval with its median, on the scale of its column."""
    if interval is None:
        return ""
    canvas = Canvas(120, 14)
    low, high = limits

    def x(value: float) -> float:
        return 3 + 114 * (min(max(value, low), high) - low) / max(high - low, 1e-12)

    canvas.line([(3, 7), (117, 7)], "track")
    canvas.line([(x(interval.q10), 7), (max(x(interval.q90), x(interval.q10) + 1), 7)], "ibar", series(place))
    canvas.dot((x(interval.q50), 7), "idot", 3.2, colour=series(place))
    return canvas.render(f"80 % interval {interval.q10:.4g} to {interval.q90:.4g}", "mini")
