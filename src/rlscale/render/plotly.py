"""Panels as figures of plotly, as plain values: what :mod:`rlscale.render.svg` draws, to be pointed at and zoomed.

Colours are CSS variables, ``var(--s0)``: a page puts in what they stand for, light or dark. All texts and numbers are
written here; a browser computes none.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from rlscale.answers import Answer, Cards, Figures, numbers
from rlscale.answers.charts.spec import Axis, Band, End, Label, Line, Panel, Points, Whisker
from rlscale.render.html import SIZES, SOLE, keyed_blocks
from rlscale.render.labels import spread
from rlscale.render.svg import DASHES, END_APART, css_colour, plot_area

__all__ = ["figure", "figures"]

Numbers = Sequence[float]
Plain = dict[str, Any]

#: Points that share so many pixels with another of the same kind cannot be told from it: the last is kept.
_PIXEL = 0.5
#: Letters of a label that is pointed at.
_LETTERS = 90
#: What stands in the frame and not in the data: a zoom takes it away.
BREAK = "break"


def figures(answer: Answer) -> dict[str, list[Plain]]:
    """Return the figures of an answer: key of its fragment to one of each drawing that may be pointed at."""
    found: dict[str, list[Plain]] = {}
    for key, block in keyed_blocks(answer):
        if isinstance(block, Figures) and block.size == "wide":
            found[key] = [figure(panel, *SIZES["wide"]) for panel in block.panels]
        elif isinstance(block, Cards) and len(block.cards) == 1 and not block.small:
            found[key] = [figure(block.cards[0].panel, *SOLE)]
    return found


def figure(panel: Panel, width: float, height: float) -> Plain:
    """Return a panel as a figure of plotly: its ``data`` and its ``layout``.

    Parameters
    ----------
    panel : Panel
    width, height : float
        Of the drawing in pixels; lines are thinned to what so many can show.

    Returns
    -------
    dict
        Plain values that go into JSON.
    """
    left, right, top, bottom = plot_area(panel, width, height)
    drawn = _Drawn(panel, right - left, bottom - top)
    for mark in panel.marks:
        drawn.add(mark)
    annotations, shapes = _ends(panel.ends, panel.y, drawn.height)
    if panel.x.zero:
        shapes += _break(panel.x.start)
    if panel.corner:
        annotations.append(
            _text(1, 0, _escaped(panel.corner), "muted", "right", "bottom", xref="paper", yref="paper", yshift=2)
        )
    return {
        "data": drawn.traces,
        "layout": {
            "width": width,
            "height": height,
            "margin": {"l": left, "r": width - right, "t": top, "b": height - bottom, "pad": 0},
            "xaxis": _axis(panel.x, across=True),
            "yaxis": _axis(panel.y, across=False),
            "annotations": [*drawn.annotations, *annotations],
            "shapes": shapes,
            "font": {"size": 12, "color": css_colour("muted")},
            "hoverlabel": {"bgcolor": css_colour("card"), "bordercolor": css_colour("line"), "align": "left",
                           "font": {"size": 13, "color": css_colour("ink")}, "namelength": 0},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "showlegend": False,
            "hovermode": "closest",
            "hoverdistance": 24,
            "dragmode": "zoom",
        },
    }  # fmt: skip


class _Drawn:
    """The traces of a panel, in order of drawing."""

    def __init__(self, panel: Panel, width: float, height: float) -> None:
        self.panel, self.width, self.height = panel, width, height
        self.traces: list[Plain] = []
        self.annotations: list[Plain] = []
        self._bands = [mark for mark in panel.marks if isinstance(mark, Band)]

    def add(self, mark: Any) -> None:
        kinds: dict[type, Any] = {
            Band: self._band, Line: self._line, Points: self._points, Whisker: self._whisker, Label: self._label,
        }  # fmt: skip
        kinds[type(mark)](mark)

    def _band(self, mark: Band) -> None:
        x, y = [*mark.x, *mark.x[::-1]], [*mark.high, *mark.low[::-1]]
        keep = self._kept(mark.x, mark.high)
        keep += [2 * len(mark.x) - 1 - k for k in reversed(keep)]
        self._put(x, y, keep, mode="lines", fill="toself", line={"width": 0}, fillcolor=css_colour(mark.colour),
                  opacity=mark.strength, hoverinfo="skip")  # fmt: skip

    def _line(self, mark: Line) -> None:
        line: Plain = {"color": css_colour(mark.colour), "width": mark.width}
        if mark.dash:
            line["dash"] = ",".join(f"{part}px" for part in DASHES[mark.dash].split())
        if mark.steps:
            line["shape"] = "hv"
        keep = self._kept(mark.x, mark.y)
        self._put(mark.x, mark.y, keep, tips=self._read(mark, keep), mode="lines", line=line, opacity=mark.strength)

    def _read(self, mark: Line, keep: Sequence[int]) -> list[str] | None:
        """Return what a line says where it is pointed at: its value, in the bands around it."""
        if not mark.name:
            return None
        around = [band for band in self._bands if band.colour == mark.colour and band.name]
        places = [dict(zip(band.x, zip(band.low, band.high, strict=True), strict=True)) for band in around]
        tips = []
        for k in keep:
            x = mark.x[k]
            says = [f"{mark.name}: {self._value(mark.y[k])} at {numbers.quantity(x, self._unit())}"]
            for band, ends in zip(around, places, strict=True):
                if x in ends:
                    low, high = ends[x]
                    says.append(f"{band.name}: {self._value(low)}–{self._value(high)}")
            tips.append("<br>".join(map(_escaped, says)))
        return tips

    def _value(self, value: float) -> str:
        span = self.panel.y.high - self.panel.y.low
        return numbers.reward(value, (0.0, 10.0 ** math.ceil(math.log10(span)))) if span > 0.0 else f"{value:g}"

    def _unit(self) -> str:
        """Return the unit in the name of an axis of compute, ``compute (tokens, log)``."""
        _, _, inside = self.panel.x.label.partition("(")
        return inside.removesuffix(")").removesuffix(", log")

    def _points(self, mark: Points) -> None:
        cells: dict[tuple[int, int], int] = {}
        for k, (x, y) in enumerate(zip(mark.x, mark.y, strict=True)):
            cells[self._pixel(x, y)] = k
        keep = sorted(cells.values())
        hollow = [bool(mark.hollow) and mark.hollow[k] for k in keep]
        colour = css_colour(mark.colour)
        marker: Plain = {"color": colour, "size": 2 * mark.size, "line": {"width": 0}}
        if any(hollow):
            marker["color"] = [css_colour("card") if ring else colour for ring in hollow]
            marker["line"] = {"width": [1.4 if ring else 0 for ring in hollow], "color": colour}
        tips = [_escaped(mark.tips[k]) for k in keep] if mark.tips else None
        self._put(mark.x, mark.y, keep, tips=tips, mode="markers", marker=marker, cliponaxis=False,
                  opacity=mark.strength)  # fmt: skip

    def _whisker(self, mark: Whisker) -> None:
        colour = css_colour(mark.colour)
        tips = ["", _escaped(mark.tip), ""] if mark.tip else None
        marker = {"color": css_colour("card"), "size": [0, 6.8, 0], "line": {"width": [0, 1.4, 0], "color": colour}}
        self._put([mark.x] * 3, [mark.low, mark.middle, mark.high], range(3), tips=tips, mode="lines+markers",
                  line={"color": colour, "width": 1.3}, marker=marker)  # fmt: skip

    def _label(self, mark: Label) -> None:
        side, shift = {"start": ("left", 5), "middle": ("center", 0), "end": ("right", -5)}[mark.anchor]
        x = _along(self.panel.x, [mark.x])[0]
        x = math.log10(x) if self.panel.x.scale == "log" else x  # annotations of a log axis stand at powers of ten
        y = _along(self.panel.y, [mark.y])[0]
        self.annotations.append(_text(x, y, _escaped(mark.text), mark.colour, side, "middle", xshift=shift, yshift=-5))

    def _kept(self, x: Numbers, y: Numbers) -> list[int]:
        """Return the places of a line that a screen can tell apart: ends and extremes of each pixel."""
        if len(x) <= 2 * self.width:
            return list(range(len(x)))
        columns: dict[int, list[int]] = {}
        for k, value in enumerate(x):
            columns.setdefault(round(self.panel.x.position(value) * self.width / _PIXEL), []).append(k)
        keep: set[int] = set()
        for places in columns.values():
            keep |= {places[0], places[-1], min(places, key=y.__getitem__), max(places, key=y.__getitem__)}
        return sorted(keep)

    def _pixel(self, x: float, y: float) -> tuple[int, int]:
        across, up = self.panel.x.position(x) * self.width, self.panel.y.position(y) * self.height
        return round(across / _PIXEL), round(up / _PIXEL)

    def _put(self, x: Numbers, y: Numbers, keep: Iterable[int], *, tips: list[str] | None = None, **how: Any) -> None:
        keep = list(keep)
        trace = {
            "type": "scatter",
            "x": _short(_along(self.panel.x, [x[k] for k in keep])),
            "y": _short(_along(self.panel.y, [y[k] for k in keep])),
            **how,
        }
        if tips is None:
            trace["hoverinfo"] = "skip"
        else:
            trace |= {"hoverinfo": "text", "text": tips, "hoverlabel": {"bordercolor": _colour_of(how)}}
        if trace.get("opacity", 1.0) == 1.0:
            trace.pop("opacity", None)
        self.traces.append(trace)


def _colour_of(how: Plain) -> Any:
    colour = how.get("line", {}).get("color") or how["marker"]["line"].get("color") or how["marker"]["color"]
    return colour if isinstance(colour, str) else colour[0]


def _axis(axis: Axis, *, across: bool) -> Plain:
    ends = _along(axis, [axis.low, axis.high])
    if axis.scale == "log":
        first = _along(axis, [0.0])[0] if axis.zero else ends[0]
        limits = [math.log10(first), math.log10(ends[1])]
        if limits[1] <= limits[0]:
            limits = [limits[0] - 0.5, limits[0] + 0.5]
    else:
        limits = ends
    return {
        "type": "log" if axis.scale == "log" else "linear",
        "range": limits,
        "tickmode": "array",
        "tickvals": _along(axis, [value for value, _ in axis.ticks]),
        "ticktext": [_escaped(label) for _, label in axis.ticks],
        "title": {"text": _escaped(axis.label) if across else "", "font": {"size": 12}, "standoff": 8},
        "showgrid": not across,
        "gridcolor": css_colour("grid"),
        "gridwidth": 1,
        "zeroline": False,
        "showline": across,
        "linecolor": css_colour("faint"),
        "linewidth": 1,
        "ticklen": 0 if across else 4,
        "ticks": "" if across else "outside",
        "tickcolor": css_colour("grid"),
        "fixedrange": not across,
    }


def _along(axis: Axis, values: Numbers) -> list[float]:
    """Return values as an axis of plotly takes them: 0 of a log axis stands before its break."""
    if axis.scale == "root":
        return [math.sqrt(abs(value)) for value in values]
    if axis.scale == "linear" or axis.high <= axis.low:
        return [value if value > 0.0 or axis.scale == "linear" else axis.low for value in values]
    share = axis.start / (1.0 - axis.start)
    before = math.exp(math.log(axis.low) - share * (math.log(axis.high) - math.log(axis.low)))
    return [value if value > 0.0 else max(before, 5e-324) for value in values]


def _ends(ends: Sequence[End], axis: Axis, height: float) -> tuple[list[Plain], list[Plain]]:
    """Return the names in the right margin, kept apart, and the intervals before them."""
    texts, shapes = [], []
    x = 10.0
    for end in ends:
        if end.interval is not None:
            shapes += _interval(end, axis, x)
            x += END_APART
    natural = [height * (1.0 - axis.position(end.y)) for end in ends]
    for end, wanted, place in zip(ends, natural, spread(natural, 17, 0, height), strict=True):
        text = f"<b>{_escaped(end.text)}</b>" if end.bold or end.bar else _escaped(end.text)
        texts.append(_text(1, _along(axis, [end.y])[0], text, end.colour, "left", "middle", xref="paper",
                           xshift=x + 4, yshift=wanted - place))  # fmt: skip
    return texts, shapes


def _interval(end: End, axis: Axis, x: float) -> list[Plain]:
    low, high = _along(axis, end.interval or (end.y, end.y))
    middle, colour = _along(axis, [end.y])[0], css_colour(end.colour)
    frame = {"xref": "paper", "yref": "y", "xsizemode": "pixel", "xanchor": 1, "layer": "above"}
    if end.bar:
        bar = {**frame, "type": "rect", "x0": x - 4, "x1": x + 4, "y0": low, "y1": high, "fillcolor": colour,
               "opacity": 0.35, "line": {"width": 0}}  # fmt: skip
        across = {**frame, "type": "line", "x0": x - 7, "x1": x + 7, "y0": middle, "y1": middle,
                  "line": {"color": colour, "width": 1.5}}  # fmt: skip
        return [bar, across]
    dot = {**frame, "type": "circle", "x0": x - 3, "x1": x + 3, "ysizemode": "pixel", "yanchor": middle, "y0": -3,
           "y1": 3, "fillcolor": colour, "line": {"width": 0}}  # fmt: skip
    return [{**frame, "type": "line", "x0": x, "x1": x, "y0": low, "y1": high, "line": {"color": colour, "width": 1.2}},
            dot]  # fmt: skip


def _break(start: float) -> list[Plain]:
    """Return the break of an axis between 0 and where its logarithm begins."""
    frame = {"name": BREAK, "xref": "paper", "yref": "paper", "xsizemode": "pixel", "ysizemode": "pixel",
             "xanchor": 0.5 * start, "yanchor": 0, "layer": "above"}  # fmt: skip
    gap = {**frame, "type": "rect", "x0": -4, "x1": 4, "y0": -4, "y1": 4, "fillcolor": css_colour("card"),
           "line": {"width": 0}}  # fmt: skip
    strokes = [
        {**frame, "type": "line", "x0": shift - 2, "x1": shift + 2, "y0": -4, "y1": 4,
         "line": {"color": css_colour("faint"), "width": 1}}
        for shift in (-2.5, 2.5)
    ]  # fmt: skip
    return [gap, *strokes]


def _text(x: float, y: float, text: str, colour: str, side: str, height: str, **more: Any) -> Plain:
    return {"x": x, "y": y, "text": text, "showarrow": False, "xanchor": side, "yanchor": height,
            "font": {"size": 12, "color": css_colour(colour)}, **more}  # fmt: skip


def _escaped(text: str) -> str:
    """Return a text of the data as plotly shows it: it takes tags and entities for what they are in HTML."""
    text = text if len(text) <= _LETTERS else f"{text[: _LETTERS - 1]}…"
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _short(values: Numbers) -> list[float]:
    """Return values with as many digits as a screen shows."""
    return [float(f"{value:.7g}") for value in values]
