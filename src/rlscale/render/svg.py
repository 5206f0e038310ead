"""Panels as inline SVG for pages: crisp text, colours from the CSS variables of the page, light or dark."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html import escape
from types import MappingProxyType
from typing import Any

from rlscale.answers.charts.spec import Band, End, Label, Line, Panel, Points, Whisker
from rlscale.answers.palette import PAGE, SERIES, SERIES_DARK, VERDICT
from rlscale.inference import Interval, VerdictName
from rlscale.render.labels import spread

__all__ = ["DASHES", "END_APART", "colour_variables", "css_colour", "interval_svg", "panel_svg", "plot_area"]

Point = tuple[float, float]
#: Pixels between what stands side by side in the right margin, and of a letter of a label.
END_APART, _LETTER = 8.0, 7.0
_NONE: Mapping[str, str] = MappingProxyType({})
DASHES = {"dashed": "5 3", "dotted": "2 3"}


def css_colour(role: str) -> str:
    """Return a colour role as CSS."""
    return f"var(--{role})"


@dataclass(frozen=True)
class _Canvas:
    """Elements of one SVG, in order of drawing, and the plotting area of its panel."""

    panel: Panel
    left: float
    right: float
    top: float
    bottom: float
    elements: list[str] = field(default_factory=list)

    def at(self, x: float, y: float) -> Point:
        """Return where a point of the data stands."""
        across, up = self.panel.x.position(x), self.panel.y.position(y)
        return self.left + (self.right - self.left) * across, self.bottom - (self.bottom - self.top) * up

    def line(self, points: Iterable[Point], kind: str, style: str = "") -> None:
        self.elements.append(f'<polyline class="{kind}"{_styled(style)} points="{_path(points)}"/>')

    def area(self, points: Iterable[Point], kind: str, style: str = "") -> None:
        self.elements.append(f'<polygon class="{kind}"{_styled(style)} points="{_path(points)}"/>')

    def dot(self, at: Point, kind: str, radius: float, tip: str = "", style: str = "") -> None:
        head = f'<circle class="{kind}"{_styled(style)} cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="{radius:g}"'
        self.elements.append(f"{head}><title>{escape(tip)}</title></circle>" if tip else f"{head}/>")

    def text(self, at: Point, text: str, kind: str, style: str = "") -> None:
        self.elements.append(
            f'<text class="{kind}"{_styled(style)} x="{at[0]:.1f}" y="{at[1]:.1f}">{escape(text)}</text>'
        )


def panel_svg(panel: Panel, *, width: float = 480, height: float = 292, kind: str = "fan") -> str:
    """Return one panel; its title is left to the page.

    Parameters
    ----------
    panel : Panel
    width, height : float
        Of the drawing, in pixels; text keeps its size.
    kind : str
        CSS class.
    """
    canvas = _Canvas(panel, *plot_area(panel, width, height))
    _frame(canvas)
    for mark in panel.marks:
        _MARKS[type(mark)](canvas, mark)
    _ends(canvas)
    if panel.corner:
        canvas.text((canvas.right, canvas.bottom - 8), panel.corner, "tick end")
    size = f'viewBox="0 0 {width:g} {height:g}"'
    head = f'<svg class="{kind}" {size} role="img" aria-label="{escape(panel.description)}">'
    return "".join([head, *canvas.elements, "</svg>"])


def plot_area(panel: Panel, width: float, height: float) -> tuple[float, float, float, float]:
    """Return the left, right, upper and lower edge of the axes in a drawing, in its pixels."""
    bars = sum(end.interval is not None for end in panel.ends)
    longest = max((len(end.text) for end in panel.ends), default=0)
    margin = 18 + (END_APART * bars + 6 + _LETTER * longest if panel.ends else 0)
    return 50, width - margin, 14, height - (42 if panel.x.ticks or panel.x.label else 14)


def colour_variables(selector: str, light: Mapping[str, str] = _NONE, dark: Mapping[str, str] = _NONE) -> str:
    """Return the palette as CSS variables of what a selector names, light and dark, with further roles of each.

    Dark is what the system asks for, or ``data-theme`` of the root element; paper is light.
    """
    recipes = [{f"s{k}": colour for k, colour in enumerate(colours)} for colours in (SERIES, SERIES_DARK)]
    verdicts = [{name.value: VERDICT[name][k] for name in VerdictName} for k in range(2)]
    on_light, on_dark = (
        _declared({**{name: colours[k] for name, colours in PAGE.items()}, **recipes[k], **verdicts[k], **more})
        for k, more in enumerate((light, dark))
    )
    return (
        f"{selector}{{color-scheme:light;{on_light}}}\n"
        "@media screen and (prefers-color-scheme: dark)"
        f"{{:root:not([data-theme=light]) {selector}{{color-scheme:dark;{on_dark}}}}}\n"
        f"@media screen{{:root[data-theme=dark] {selector}{{color-scheme:dark;{on_dark}}}}}\n"
    )


def _declared(colours: Mapping[str, str]) -> str:
    return "".join(f"--{name}:{colour};" for name, colour in colours.items())


def _frame(canvas: _Canvas) -> None:
    """Draw the grid, the ticks, the name of the axis across, and its break before 0."""
    x, y, edge = canvas.panel.x, canvas.panel.y, canvas.panel.x.low
    for value, label in y.ticks:
        height = canvas.at(edge, value)[1]
        canvas.line([(canvas.left - 4, height), (canvas.right, height)], "grid")
        canvas.text((canvas.left - 9, height + 4), label, "tick end")
    canvas.line([(canvas.left - 4, canvas.bottom), (canvas.right, canvas.bottom)], "base")
    for value, label in x.ticks:
        canvas.text((canvas.at(value, y.low)[0], canvas.bottom + 17), label, "tick mid")
    if x.zero:
        middle, low, high = (
            canvas.left + 0.5 * x.start * (canvas.right - canvas.left),
            canvas.bottom - 4,
            canvas.bottom + 4,
        )
        canvas.area([(middle - 4, low), (middle + 4, low), (middle + 4, high), (middle - 4, high)], "gap")
        for shift in (-2.5, 2.5):
            canvas.line([(middle + shift - 2, high), (middle + shift + 2, low)], "base")
    canvas.text((0.5 * (canvas.left + canvas.right), canvas.bottom + 34), x.label, "tick mid")


def _band(canvas: _Canvas, mark: Band) -> None:
    low = [canvas.at(x, y) for x, y in zip(mark.x, mark.low, strict=True)]
    high = [canvas.at(x, y) for x, y in zip(mark.x, mark.high, strict=True)]
    canvas.area(high + low[::-1], "area", f"--c:{css_colour(mark.colour)};opacity:{mark.strength:g}")


def _line(canvas: _Canvas, mark: Line) -> None:
    points = [canvas.at(x, y) for x, y in zip(mark.x, mark.y, strict=True)]
    if mark.steps:
        points = [each for before, point in zip([points[0], *points], points, strict=False)
                  for each in ((point[0], before[1]), point)]  # fmt: skip
    style = f"--c:{css_colour(mark.colour)};stroke-width:{mark.width:g}"
    if mark.dash:
        style += f";stroke-dasharray:{DASHES[mark.dash]}"
    if mark.strength < 1.0:
        style += f";opacity:{mark.strength:g}"
    canvas.line(points, "line", style)


def _points(canvas: _Canvas, mark: Points) -> None:
    style = f"--c:{css_colour(mark.colour)}" + (f";opacity:{mark.strength:g}" if mark.strength < 1.0 else "")
    hollow = mark.hollow or (False,) * len(mark.x)
    tips = mark.tips or ("",) * len(mark.x)
    for x, y, ring, tip in zip(mark.x, mark.y, hollow, tips, strict=True):
        canvas.dot(canvas.at(x, y), "dot ring" if ring else "dot", mark.size, tip, style)


def _whisker(canvas: _Canvas, mark: Whisker) -> None:
    style = f"--c:{css_colour(mark.colour)}"
    canvas.line([canvas.at(mark.x, mark.low), canvas.at(mark.x, mark.high)], "line", f"{style};stroke-width:1.3")
    canvas.dot(canvas.at(mark.x, mark.middle), "dot ring", 3.4, mark.tip, style)


def _label(canvas: _Canvas, mark: Label) -> None:
    x, y = canvas.at(mark.x, mark.y)
    side = {"start": ("", 5.0), "middle": (" mid", 0.0), "end": (" end", -5.0)}[mark.anchor]
    canvas.text((x + side[1], y + 9), mark.text, f"tick{side[0]}")


_MARKS: dict[type, Any] = {Band: _band, Line: _line, Points: _points, Whisker: _whisker, Label: _label}


def _ends(canvas: _Canvas) -> None:
    """Draw what stands in the right margin: the intervals side by side, then the names kept apart."""
    ends = canvas.panel.ends
    edge = canvas.panel.x.high
    x = canvas.right + 10
    for end in ends:
        if end.interval is not None:
            _interval(canvas, end, x)
            x += END_APART
    heights = [canvas.at(edge, end.y)[1] for end in ends]
    for end, height in zip(ends, spread(heights, 17, canvas.top, canvas.bottom), strict=True):
        style = f"--c:{css_colour(end.colour)}" + ("" if end.bold or end.bar else ";font-weight:500")
        canvas.text((x + 4, height + 4), end.text, "value", style)


def _interval(canvas: _Canvas, end: End, x: float) -> None:
    low, high = end.interval or (end.y, end.y)
    edge, style = canvas.panel.x.high, f"--c:{css_colour(end.colour)}"
    bottom, middle, top = (canvas.at(edge, value)[1] for value in (low, end.y, high))
    if end.bar:
        canvas.area([(x - 4, top), (x + 4, top), (x + 4, bottom), (x - 4, bottom)], "area", f"{style};opacity:.35")
        canvas.line([(x - 7, middle), (x + 7, middle)], "line", style)
    else:
        canvas.line([(x, bottom), (x, top)], "line", style)
        canvas.dot((x, middle), "dot", 3, "", style)


def interval_svg(interval: Interval | None, limits: tuple[float, float], colour: str) -> str:
    """Return a small bar of an 80 % interval with its median, on the scale of its column."""
    if interval is None:
        return ""
    low, high = limits

    def x(value: float) -> float:
        return 3 + 114 * (min(max(value, low), high) - low) / max(high - low, 1e-12)

    start, end, style = x(interval.q10), max(x(interval.q90), x(interval.q10) + 1), f"--c:{css_colour(colour)}"
    says = f"80 % interval {interval.q10:.4g} to {interval.q90:.4g}"
    return (
        f'<svg class="mini" viewBox="0 0 120 14" role="img" aria-label="{says}">'
        f'<polyline class="track" points="3,7 117,7"/>'
        f'<polyline class="ibar" style="{style}" points="{start:.1f},7 {end:.1f},7"/>'
        f'<circle class="dot" style="{style}" cx="{x(interval.q50):.1f}" cy="7" r="3.2"/></svg>'
    )


def _path(points: Iterable[Point]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _styled(style: str) -> str:
    return f' style="{style}"' if style else ""
