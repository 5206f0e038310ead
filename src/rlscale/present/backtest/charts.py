"""Charts of a backtest as inline SVG: reliability, error against the share kept, forecast against truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rlscale.present.axis import reward_ticks
from rlscale.present.backtest.view import METHOD_WORDS, BacktestView
from rlscale.present.fans import reward_limits
from rlscale.present.labels import spread
from rlscale.present.numbers import reward
from rlscale.present.svg import Canvas, Point, series
from rlscale.trust.calibration import Reliability, RiskCoverage
from rlscale.trust.outcome import OURS, Case

__all__ = ["DOTS", "colour_of", "reliability_svg", "risk_svg", "truth_limits", "truth_svg"]

Ends = tuple[float, float]
#: Forecasts drawn against their truths at most.
DOTS = 400


@dataclass(frozen=True)
class _Area:
    """A plotting area with linear axes, and the canvas it is in."""

    canvas: Canvas
    left: float
    right: float
    top: float
    bottom: float
    x_ends: Ends
    y_ends: Ends

    def at(self, x: float, y: float) -> Point:
        """Return where a point stands."""
        (x0, x1), (y0, y1) = self.x_ends, self.y_ends
        across, up = (x - x0) / (x1 - x0), (y - y0) / (y1 - y0)
        return self.left + (self.right - self.left) * across, self.bottom - (self.bottom - self.top) * up

    def frame(self, x_ticks: Sequence[tuple[float, str]], y_ticks: Sequence[tuple[float, str]], what: str) -> None:
        """Draw the grid, the ticks and the name of the x axis."""
        for value, label in y_ticks:
            _, y = self.at(self.x_ends[0], value)
            self.canvas.line([(self.left - 4, y), (self.right, y)], "grid")
            self.canvas.text((self.left - 9, y + 4), label, "tick end")
        self.canvas.line([(self.left - 4, self.bottom), (self.right, self.bottom)], "base")
        for value, label in x_ticks:
            self.canvas.text((self.at(value, self.y_ends[0])[0], self.bottom + 17), label, "tick mid")
        self.canvas.text((0.5 * (self.left + self.right), self.bottom + 35), what, "tick mid")


def colour_of(method: str) -> str:
    """Return the colour of a method, as CSS."""
    return series(list(METHOD_WORDS).index(method))


def reliability_svg(shown: Reliability, title: str) -> str:
    """Return a reliability diagram: how often the intervals of each level held, and where chance would put that."""
    canvas = Canvas(270, 258)
    area = _Area(canvas, 46, 252, 8, 214, (0.0, 1.0), (0.0, 1.0))
    ticks = [(k / 4, f"{25 * k} %") for k in range(5)]
    area.frame(ticks, ticks, "level of the interval")
    band = [area.at(x, y) for x, y in zip(shown.nominal, shown.high, strict=True)]
    band += [area.at(x, y) for x, y in zip(shown.nominal, shown.low, strict=True)][::-1]
    canvas.area(band, "chance")
    canvas.line([area.at(0, 0), area.at(1, 1)], "now")
    points = [area.at(x, y) for x, y in zip(shown.nominal, shown.held, strict=True)]
    canvas.line(points, "rl", colour_of(OURS))
    for level, held, point in zip(shown.nominal, shown.held, points, strict=True):
        tip = f"{100 * level:.0f} % intervals held {round(held * shown.cases)} of {shown.cases}"
        canvas.dot(point, "re", 3.2, tip, colour_of(OURS))
    return canvas.render(f"Reliability, {title}: share of truths held against the level of the interval", "panel")


def risk_svg(view: BacktestView, shown: RiskCoverage, title: str) -> str:
    """Return the mean error of each method on the share of forecasts with the narrowest intervals."""
    low, high = view.result.bounds
    highest = 1.06 * max(map(max, shown.errors.values())) or 0.01 * (high - low)
    canvas = Canvas(440, 300)
    area = _Area(canvas, 50, 318, 10, 254, (0.0, 1.0), (0.0, highest))
    area.frame([(k / 4, f"{25 * k} %") for k in range(5)], reward_ticks(0.0, highest, 5), "forecasts kept")
    names = [name for name in METHOD_WORDS if name in shown.errors]
    for name in reversed(names):
        points = [area.at(x, y) for x, y in zip(shown.kept, shown.errors[name], strict=True)]
        canvas.line(points, "rl" if name == OURS else "rl thin", colour_of(name))
        tip = f"{METHOD_WORDS[name]}: {view.error(shown.errors[name][-1])} over all"
        canvas.dot(points[-1], "re", 3.4 if name == OURS else 2.4, tip, colour_of(name))
    ends = [area.at(1.0, shown.errors[name][-1])[1] for name in names]
    for name, height in zip(names, spread(ends, 15, area.top, area.bottom), strict=True):
        canvas.text((area.right + 10, height + 4), METHOD_WORDS[name], "value series", colour_of(name))
    return canvas.render(f"Mean error against the share of forecasts kept, {title}", "panel")


def truth_limits(cases: Sequence[Case], bounds: Ends) -> Ends:
    """Return the ends that both axes of a forecast-against-truth chart have."""
    return reward_limits([v for c in cases for v in (c.truth, c.quantile(0.1), c.quantile(0.9))], bounds)


def truth_svg(view: BacktestView, cases: Sequence[Case], limits: Ends, title: str) -> str:
    """Return forecasts against truths: medians with their 80 % intervals, hollow where the truth is outside."""
    canvas = Canvas(270, 258)
    area = _Area(canvas, 46, 252, 8, 214, limits, limits)
    ticks = reward_ticks(*limits, 4)
    area.frame(ticks, ticks, "what came true")
    canvas.line([area.at(limits[0], limits[0]), area.at(limits[1], limits[1])], "now")
    bounds = view.result.bounds
    for case in cases[:DOTS]:
        low, middle, high = (case.quantile(level) for level in (0.1, 0.5, 0.9))
        canvas.line([area.at(case.truth, low), area.at(case.truth, high)], "rl hair", colour_of(OURS))
    for case in cases[:DOTS]:
        low, middle, high = (case.quantile(level) for level in (0.1, 0.5, 0.9))
        span = f"{reward(low, bounds)}–{reward(high, bounds)}"
        tip = f"{case.run}: forecast {reward(middle, bounds)} ({span}), came true {reward(case.truth, bounds)}"
        held = case.covers(0.8)
        canvas.dot(area.at(case.truth, middle), "re" if held else "re missed", 3, tip, colour_of(OURS))
    return canvas.render(f"Forecast against what came true, {title}", "panel")
