"""Charts drawn by matplotlib, which is loaded only when one is: files for ``--plot``, axes for notebooks."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from rlscale.answers.charts.spec import Band, Chart, End, Key, Label, Line, Panel, Part, Points, Whisker
from rlscale.answers.palette import INK, MUTED, SERIES, VERDICT
from rlscale.errors import InputError
from rlscale.inference import VerdictName
from rlscale.render.labels import spread
from rlscale.sources.printable import clean_lines

__all__ = ["check_figure", "check_matplotlib", "draw_panel", "drawn", "hex_colour", "write_chart"]

_TYPES = (".png", ".svg")
_STYLE = {
    "font.family": "sans-serif",
    "font.size": 9.5,
    "axes.edgecolor": "#c4c9cf",
    "axes.labelcolor": MUTED,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "text.color": INK,
    "svg.hashsalt": "rlscale",
    "svg.fonttype": "path",
    "figure.facecolor": "white",
    "text.parse_math": False,
}
_GRID, _FAINT = "#e8ebee", "#aab1b9"
_NAMED = {"ink": INK, "muted": MUTED, "faint": _FAINT, **{name.value: VERDICT[name][0] for name in VerdictName}}
_DASHES: dict[str, Any] = {"": "-", "dashed": (0, (4, 1.6)), "dotted": (0, (2, 3))}
#: Entries of a legend that fit under one panel.
_ACROSS = 5
Axes = Any


def hex_colour(role: str) -> str:
    """Return a colour role as matplotlib takes it."""
    return _NAMED.get(role) or SERIES[int(role[1:])]


def check_figure(path: Path) -> None:
    """Refuse a chart that cannot be written.

    Raises
    ------
    InputError
        A file type other than PNG and SVG, or no matplotlib.
    """
    if path.suffix.lower() not in _TYPES:
        raise InputError(f"--plot {path}: {path.suffix or 'no ending'} is not a chart; end the name in .png or .svg")
    check_matplotlib("--plot")


def check_matplotlib(what: str) -> None:
    """Raise an error that says what to install where matplotlib is missing."""
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise InputError(f"{what} needs matplotlib; pip install 'rlscale[plot]'") from error


def write_chart(chart: Chart, path: Path) -> None:
    """Draw a chart into a PNG or SVG file.

    Raises
    ------
    InputError
        As :func:`check_figure`, or the file cannot be written.
    """
    check_figure(path)
    import matplotlib as mpl

    metadata = {"Date": None} if path.suffix.lower() == ".svg" else {"Software": None}
    with mpl.rc_context(_STYLE):
        figure = drawn(chart)
        try:
            with warnings.catch_warnings():
                # a name in a script that the font lacks is drawn as boxes, and is no reason to fail or to chatter
                warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
                if path.suffix.lower() == ".svg":  # matplotlib writes names as they are into comments
                    text = StringIO()
                    figure.savefig(text, format="svg", metadata=metadata)
                    path.write_text(clean_lines(text.getvalue()), encoding="utf-8", newline="\n")
                else:
                    figure.savefig(path, dpi=160, metadata=metadata)
        except OSError as error:
            raise InputError(f"cannot write {path}: {error.strerror}; give a file in a folder that exists") from error


def drawn(chart: Chart, figure: Any = None) -> Any:
    """Return a chart on a matplotlib figure, a new one by default, in the style of all charts."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(_STYLE):
        figure = figure or Figure(layout="constrained")
        _draw(figure, chart)
    return figure


def _draw(figure: Any, chart: Chart) -> None:
    sizes = [_inches(part) for part in chart.parts]
    figure.set_size_inches(max(width for width, _ in sizes), sum(height for _, height in sizes))
    several = len(chart.parts) > 1
    places = (
        figure.subfigures(len(chart.parts), 1, height_ratios=[height for _, height in sizes]) if several else [figure]
    )
    for place, part in zip(places, chart.parts, strict=True):
        ratios: dict[str, Any] = {"width_ratios": part.widths} if part.widths else {}
        ratios |= {"height_ratios": part.heights} if part.heights else {}
        grid = place.subplots(_rows(part), part.columns, squeeze=False, **ratios)
        for k, axes in enumerate(grid.flat):
            if k < len(part.panels):
                draw_panel(axes, part.panels[k])
            else:
                axes.set_visible(False)
    if chart.note:
        figure.supxlabel(chart.note, x=0.99, ha="right", fontsize=9, color=MUTED)
    if chart.keys:
        _legend(figure, chart.keys, alone=len(chart.panels) == 1)


def _rows(part: Part) -> int:
    return math.ceil(len(part.panels) / part.columns)


def _inches(part: Part) -> tuple[float, float]:
    width, height = part.size
    return width * part.columns, height * _rows(part)


def draw_panel(axes: Axes, panel: Panel) -> None:
    """Draw one panel on matplotlib axes; both of these count positions from 0 to 1, whatever the scale of the data."""
    _frame(axes, panel)
    for mark in panel.marks:
        _MARKS[type(mark)](axes, panel, mark)
    _ends(axes, panel)
    if panel.corner:
        axes.annotate(panel.corner, (1.0, 0.02), xycoords="axes fraction", fontsize=8.5, color=MUTED, ha="right")
    if panel.keys:
        axes.legend(handles=[_handle(key) for key in panel.keys], frameon=False, fontsize=8.5, loc="upper left",
                    handlelength=1.6, labelcolor=INK)  # fmt: skip


def _frame(axes: Axes, panel: Panel) -> None:
    x, y = panel.x, panel.y
    axes.set_xlim(-0.02 if x.scale == "log" else 0.0, 1.0)
    axes.set_ylim(0.0, 1.0)
    axes.set_xticks([x.position(value) for value, _ in x.ticks], [label for _, label in x.ticks])
    axes.set_yticks([y.position(value) for value, _ in y.ticks], [label for _, label in y.ticks])
    axes.grid(axis="y", color=_GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelsize=8.5)
    for side in ("left", "top", "right"):
        axes.spines[side].set_visible(False)
    axes.set_xlabel(x.label, fontsize=8.5)
    spec = axes.get_subplotspec()
    if spec is None or spec.is_first_col() or spec.get_gridspec().ncols == 1 or not _shared(panel):
        axes.set_ylabel(y.label, fontsize=8.5, labelpad=7)
    if x.zero:
        break_mark = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
        axes.annotate("//", (0.5 * x.start, 0), xycoords=axes.get_xaxis_transform(), ha="center", va="center",
                      fontsize=8, color="#8b939c", bbox=break_mark, annotation_clip=False, zorder=5)  # fmt: skip
    if panel.title:
        axes.set_title(panel.title, loc="left", fontsize=10, fontweight="bold", pad=19 if panel.subtitle else 10)
    if panel.subtitle:
        axes.annotate(panel.subtitle, (0, 1), (0, 6), xycoords="axes fraction", textcoords="offset points", fontsize=9,
                      color=hex_colour(panel.subtitle_colour), annotation_clip=False)  # fmt: skip


def _shared(panel: Panel) -> bool:
    """Whether panels side by side count the same upwards: runs against compute do."""
    return panel.x.scale == "log"


def _band(axes: Axes, panel: Panel, mark: Band) -> None:
    x, low, high = _at(panel, mark.x, mark.low, mark.high)
    axes.fill_between(x, low, high, color=hex_colour(mark.colour), alpha=mark.strength, linewidth=0)


def _line(axes: Axes, panel: Panel, mark: Line) -> None:
    x, y = _at(panel, mark.x, mark.y)
    axes.plot(x, y, color=hex_colour(mark.colour), linewidth=mark.width, linestyle=_DASHES[mark.dash],
              alpha=mark.strength, drawstyle="steps-post" if mark.steps else "default")  # fmt: skip


def _points(axes: Axes, panel: Panel, mark: Points) -> None:
    x, y = _at(panel, mark.x, mark.y)
    colour, hollow = hex_colour(mark.colour), mark.hollow or (False,) * len(x)
    for ring in (False, True):
        chosen = [k for k, each in enumerate(hollow) if each == ring]
        if chosen:
            axes.scatter([x[k] for k in chosen], [y[k] for k in chosen], s=(2.2 * mark.size) ** 2 / 2.2,
                         color="white" if ring else colour, edgecolors=colour if ring else "none", marker=mark.marker,
                         linewidths=0.9, alpha=mark.strength, zorder=3, clip_on=False)  # fmt: skip


def _whisker(axes: Axes, panel: Panel, mark: Whisker) -> None:
    x, colour = panel.x.position(mark.x), hex_colour(mark.colour)
    low, middle, high = _heights(panel, (mark.low, mark.middle, mark.high))
    axes.plot([x, x], [low, high], color=colour, linewidth=1.2, zorder=4, clip_on=False)
    axes.plot([x], [middle], marker="o", markersize=4.5, color="white", mec=colour, mew=1.3, zorder=5, clip_on=False)


def _label(axes: Axes, panel: Panel, mark: Label) -> None:
    x, y = panel.x.position(mark.x), panel.y.position(mark.y)
    side = {"start": ("left", 4), "middle": ("center", 0), "end": ("right", -4)}[mark.anchor]
    axes.annotate(mark.text, (x, y), (side[1], -9), textcoords="offset points", ha=side[0], fontsize=8.5,
                  color=hex_colour(mark.colour))  # fmt: skip


_MARKS: dict[type, Any] = {Band: _band, Line: _line, Points: _points, Whisker: _whisker, Label: _label}


def _at(panel: Panel, x: Sequence[float], *ys: Sequence[float]) -> list[list[float]]:
    return [[panel.x.position(value) for value in x], *(_heights(panel, y) for y in ys)]


def _heights(panel: Panel, y: Sequence[float]) -> list[float]:
    return [panel.y.position(value) for value in y]


def _ends(axes: Axes, panel: Panel) -> None:
    """Draw what stands in the right margin: the intervals side by side, then the names kept apart."""
    x = 1.03
    for end in panel.ends:
        if end.interval is not None:
            _interval(axes, panel, end, x)
            x += 0.026 if end.bar else 0.011
    heights = spread([panel.y.position(end.y) for end in panel.ends], 0.062, 0.0, 1.0)
    for end, height in zip(panel.ends, heights, strict=True):
        colour, weight = hex_colour(end.colour), "bold" if end.bold else "normal"
        if end.marker:
            axes.plot([x], [height], marker=end.marker, markersize=5, color=colour, clip_on=False)
        axes.annotate(end.text, (x, height), (8 if end.marker else 4, 0), textcoords="offset points", fontsize=8.8,
                      color=colour, va="center", fontweight=weight, annotation_clip=False)  # fmt: skip


def _interval(axes: Axes, panel: Panel, end: End, x: float) -> None:
    ends = end.interval or (end.y, end.y)
    low, middle, high = _heights(panel, (ends[0], end.y, ends[1]))
    colour = hex_colour(end.colour)
    if end.bar:
        axes.plot([x, x], [low, high], color=colour, linewidth=5, alpha=0.35, solid_capstyle="butt", clip_on=False)
        axes.plot([x - 0.014, x + 0.014], [middle, middle], color=colour, linewidth=1.8, clip_on=False)
    else:
        axes.plot([x, x], [low, high], color=colour, linewidth=1.4, clip_on=False)
        axes.plot([x], [middle], marker="o", markersize=3.6, color=colour, clip_on=False)


def _handle(key: Key) -> Any:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    colour = hex_colour(key.colour)
    if key.shape == "band":
        return Patch(color=colour, alpha=0.25, linewidth=0, label=key.text)
    if key.shape == "dot":
        return Line2D([], [], linestyle="", marker="o", markersize=5, color=colour, label=key.text)
    return Line2D([], [], color=colour, linewidth=1.4, linestyle=_DASHES["dotted" if key.shape == "dotted" else ""],
                  marker=key.marker, markersize=3.6, markerfacecolor="white", label=key.text)  # fmt: skip


def _legend(figure: Any, keys: Sequence[Key], *, alone: bool) -> None:
    """Draw the legend of all panels below them."""
    across = math.ceil(len(keys) / 2) if alone and len(keys) > _ACROSS else len(keys)
    ordered = [key for column in range(across) for key in keys[column::across]]  # legends fill columns first
    figure.legend(handles=[_handle(key) for key in ordered], loc="outside lower left", ncols=across, frameon=False,
                  fontsize=8.5, labelcolor=MUTED, handletextpad=0.5, columnspacing=1.4)  # fmt: skip
