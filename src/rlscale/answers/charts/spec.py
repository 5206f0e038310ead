"""What a chart shows, as frozen plain values in the units of the data: nothing here knows who draws it.

Colours are roles: ``s0`` to ``s7`` (recipes in order of rank), ``ink``, ``muted``, ``faint``, or a verdict's name.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Axis", "Band", "Chart", "End", "Key", "Label", "Line", "Mark", "Panel", "Part", "Points", "Whisker"]

Numbers = tuple[float, ...]

#: Share of a log axis given to 0 and the break behind it.
_BREAK = 0.07


@dataclass(frozen=True)
class Axis:
    """One axis of a panel.

    Parameters
    ----------
    label : str
        What it counts, with its unit.
    low, high : float
        Its ends; above 0 on a log axis.
    ticks : tuple of (float, str)
    scale : str
        ``linear``, ``log`` or ``root`` (the square root, from 0).
    zero : bool
        Whether 0 stands at the left end of a log axis, before a break.
    """

    label: str
    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    scale: str = "linear"
    zero: bool = False

    @property
    def start(self) -> float:
        """Position at which a log axis starts, in [0, 1]: behind 0 and the break, where there is one."""
        return _BREAK if self.zero else 0.0

    def position(self, value: float) -> float:
        """Return where a value stands between the ends, 0 to 1; outside them it is beyond."""
        if self.scale == "linear":
            return (value - self.low) / (self.high - self.low)
        if self.scale == "root":
            return math.sqrt(abs(value) / self.high)
        if value <= 0.0:
            return 0.0
        if self.high <= self.low:
            return 0.5 * (1.0 + self.start)
        # differences of logs: the ratio of two finite computes may be infinite
        share = (math.log(value) - math.log(self.low)) / (math.log(self.high) - math.log(self.low))
        return self.start + (1.0 - self.start) * share


@dataclass(frozen=True)
class Band:
    """The area between two lines, shape (k,) each; ``strength`` is its opacity, ``name`` what it says when read."""

    x: Numbers
    low: Numbers
    high: Numbers
    colour: str
    strength: float = 0.16
    name: str = ""


@dataclass(frozen=True)
class Line:
    """A line through points, shape (k,); ``dash`` is empty, ``dashed`` or ``dotted``; with ``steps`` a staircase.

    ``name`` is what a page says of it when it is pointed at; one without is not read.
    """

    x: Numbers
    y: Numbers
    colour: str
    width: float = 1.8
    dash: str = ""
    steps: bool = False
    strength: float = 1.0
    name: str = ""


@dataclass(frozen=True)
class Points:
    """Dots of shape (k,).

    Parameters
    ----------
    x, y : tuple of float
    colour : str
    size : float
        Radius, in pixels of a page.
    hollow : tuple of bool
        Which are drawn as rings; empty for none.
    tips : tuple of str
        What each says on a page when pointed at; empty for nothing.
    strength : float
        Opacity.
    marker : str
        ``o s D v ^ P * X``, as matplotlib names them; pages draw circles.
    """

    x: Numbers
    y: Numbers
    colour: str
    size: float = 2.1
    hollow: tuple[bool, ...] = ()
    tips: tuple[str, ...] = ()
    strength: float = 1.0
    marker: str = "o"


@dataclass(frozen=True)
class Whisker:
    """An interval at one place with its median as a ring."""

    x: float
    low: float
    middle: float
    high: float
    colour: str
    tip: str = ""


@dataclass(frozen=True)
class Label:
    """A word beside a place; ``anchor`` is the side of the text that stands there: start, middle or end."""

    x: float
    y: float
    text: str
    colour: str = "muted"
    anchor: str = "end"


Mark = Band | Line | Points | Whisker | Label


@dataclass(frozen=True)
class End:
    """What stands in the right margin: a name at a height, kept apart from the others.

    Parameters
    ----------
    y : float
        Where it belongs.
    text : str
    colour : str
    interval : (float, float), optional
        Drawn beside the panel.
    bar : bool
        The interval is a thick bar (a ceiling), else a thin line with a dot.
    bold : bool
    marker : str
        A mark before the text; empty for none.
    """

    y: float
    text: str
    colour: str
    interval: tuple[float, float] | None = None
    bar: bool = False
    bold: bool = False
    marker: str = ""


@dataclass(frozen=True)
class Key:
    """One entry of a legend; ``shape``: ``dot ring line dotted band``; a line may carry a ``marker``."""

    shape: str
    colour: str
    text: str
    marker: str = ""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One pair of axes.

    Parameters
    ----------
    description : str
        What a screen reader says.
    x, y : Axis
    marks : tuple of Mark
        In order of drawing.
    title : str
    subtitle : str
        Below the title, in ``subtitle_colour``.
    ends : tuple of End
    corner : str
        A remark at the lower right.
    keys : tuple of Key
        The legend.
    """

    description: str
    x: Axis
    y: Axis
    marks: tuple[Mark, ...]
    title: str = ""
    subtitle: str = ""
    subtitle_colour: str = "muted"
    ends: tuple[End, ...] = ()
    corner: str = ""
    keys: tuple[Key, ...] = ()


@dataclass(frozen=True)
class Part:
    """Panels side by side in so many columns, each of ``size`` inches; ``widths`` and ``heights`` are relative."""

    panels: tuple[Panel, ...]
    columns: int
    size: tuple[float, float]
    widths: Numbers = ()
    heights: Numbers = ()


@dataclass(frozen=True)
class Chart:
    """Parts below each other, with a remark and a legend below all of them."""

    parts: tuple[Part, ...]
    note: str = ""
    keys: tuple[Key, ...] = ()

    @property
    def panels(self) -> tuple[Panel, ...]:
        """All panels, in order."""
        return tuple(panel for part in self.parts for panel in part.panels)
