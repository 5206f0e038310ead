"""Charts for ``--plot``: fan charts of runs, an overlay of recipes. Matplotlib is loaded only when one is drawn."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rlscale.errors import InputError
from rlscale.inference import Fit, Interval
from rlscale.present.axis import ComputeAxis, reward_ticks
from rlscale.present.fans import Fan, RecipeCurve, fan, recipe_curves, recipe_places, reward_limits
from rlscale.present.labels import spread
from rlscale.present.numbers import count, probability, reward
from rlscale.present.palette import INK, MUTED, SERIES, VERDICT, verdict_words
from rlscale.present.views import FitView, RankView

__all__ = ["GRID", "PANELS", "check_figure", "draw_into", "frame", "margin", "panel_grid", "short", "write_figure"]

_TYPES = (".png", ".svg")
#: Panels of runs in one figure; further runs are left to the report.
PANELS = 12
#: Recipes drawn in colour; the rest are grey.
_COLOURED = 8
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
GRID = "#e8ebee"
Axes = Any


def check_figure(path: Path) -> None:
    """Refuse a chart that cannot be written.

    Raises
    ------
    InputError
        A file type other than PNG and SVG, or no matplotlib.
    """
    if path.suffix.lower() not in _TYPES:
        raise InputError(f"--plot {path}: {path.suffix or 'no ending'} is not a chart; end the name in .png or .svg")
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise InputError("--plot needs matplotlib; pip install 'rlscale[plot]'") from error


def write_figure(view: FitView | RankView, fits: Sequence[Fit], path: Path) -> None:
    """Draw an answer into a PNG or SVG file: the overlay for a ranking, above fan charts of up to a dozen runs.

    Raises
    ------
    InputError
        As :func:`check_figure`, or the file cannot be written.
    """

    def draw(figure: Any) -> None:
        if isinstance(view, RankView):
            _rank_figure(figure, view, fits)
        else:
            _fit_figure(figure, fits)

    draw_into(path, draw)


def draw_into(path: Path, draw: Callable[[Any], None]) -> None:
    """Write the figure that ``draw`` draws, in the style of all charts; raises as :func:`write_figure`."""
    check_figure(path)
    import matplotlib as mpl
    from matplotlib.figure import Figure

    metadata = {"Date": None} if path.suffix.lower() == ".svg" else {"Software": None}
    with mpl.rc_context(_STYLE):
        figure = Figure(layout="constrained")
        draw(figure)
        try:
            with warnings.catch_warnings():
                # a name in a script that the font lacks is drawn as boxes, and is no reason to fail or to chatter
                warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
                figure.savefig(path, dpi=160, metadata=metadata)
        except OSError as error:
            raise InputError(f"cannot write {path}: {error.strerror}; give a file in a folder that exists") from error


def _fit_figure(figure: Any, fits: Sequence[Fit]) -> None:
    rows, columns = panel_grid(figure, len(fits))
    _fans(figure, [(fit, SERIES[0]) for fit in fits[:PANELS]], rows, columns)


def panel_grid(figure: Any, runs: int) -> tuple[int, int]:
    """Size a figure of a panel for each run, and return its rows and columns; it says how many runs are not drawn."""
    shown = min(runs, PANELS)
    columns = 1 if shown == 1 else 2 if shown <= 4 else 3
    rows = math.ceil(shown / columns)
    figure.set_size_inches(7.2 if columns == 1 else 4.6 * columns, (4.4 if columns == 1 else 3.3) * rows)
    if runs > shown:
        told = f"{count(runs - shown, 'more run')} in --report"
        figure.supxlabel(told, x=0.99, ha="right", fontsize=9, color=MUTED)
    return rows, columns


def _rank_figure(figure: Any, view: RankView, fits: Sequence[Fit]) -> None:
    if len(fits) > PANELS:
        figure.set_size_inches(10.5, 6.2)
        _overlay(figure.subplots(), view, fits)
        return
    columns = 2 if len(fits) <= 4 else 3
    rows = math.ceil(len(fits) / columns)
    figure.set_size_inches(4.4 * columns, 4.8 + 3.1 * rows)
    upper, lower = figure.subfigures(2, 1, height_ratios=(4.8, 3.1 * rows))
    _overlay(upper.subplots(), view, fits)
    places = recipe_places(view)
    ordered = sorted(fits, key=lambda fit: places[fit.run.recipe])
    _fans(lower, [(fit, _colour(places[fit.run.recipe])) for fit in ordered], rows, columns)


def _fans(figure: Any, fits: Sequence[tuple[Fit, str]], rows: int, columns: int) -> None:
    """Draw the fan chart of each (fit, colour) on one reward axis."""
    grid = figure.subplots(rows, columns, squeeze=False)
    charts = [fan(fit) for fit, _ in fits]
    limits = reward_limits([v for chart in charts for v in _extent(chart)], charts[0].run.shown_in)
    for place, axes in enumerate(grid.flat):
        if place < len(charts):
            _fan(axes, charts[place], limits, fits[place][1])
        else:
            axes.set_visible(False)


def _extent(chart: Fan) -> list[float]:
    ceiling = chart.asymptote
    return [*chart.reward, *chart.q10, *chart.q90, *((ceiling.q10, ceiling.q90) if ceiling else ())]


def frame(axes: Axes, axis: ComputeAxis, limits: tuple[float, float], unit: str, metric: str) -> None:
    """Set up a log compute axis with a break before compute 0, a light grid and round ticks."""
    ticks = axis.ticks(6)
    axes.set_xlim(-0.02, 1.0)
    axes.set_ylim(*limits)
    axes.set_xticks([axis.position(value) for value, _ in ticks], [label for _, label in ticks])
    rewards = reward_ticks(*limits)
    axes.set_yticks([value for value, _ in rewards], [label for _, label in rewards])
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelsize=8.5)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(f"compute ({unit})", fontsize=8.5)
    if axes.get_subplotspec().is_first_col():
        axes.set_ylabel(metric, fontsize=8.5, labelpad=7)
    if axis.zero:
        break_mark = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
        axes.annotate("//", (0.5 * axis.start, 0), xycoords=axes.get_xaxis_transform(), ha="center", va="center",
                      fontsize=8, color="#8b939c", bbox=break_mark, annotation_clip=False, zorder=5)  # fmt: skip


def _fan(axes: Axes, chart: Fan, limits: tuple[float, float], colour: str) -> None:
    run = chart.run
    axis = ComputeAxis(chart.first, chart.horizon, zero=chart.compute[0] == 0)
    frame(axes, axis, limits, run.unit, run.metric)
    at = [axis.position(compute) for compute in chart.grid]
    if at:
        axes.fill_between(at, chart.q10, chart.q90, color=colour, alpha=0.16, linewidth=0)
        axes.fill_between(at, chart.q25, chart.q75, color=colour, alpha=0.24, linewidth=0)
        axes.plot(at, chart.q50, color=colour, linewidth=1.8)
    if run.compute_first > 0:
        axes.axvline(axis.position(chart.last), color="#aab1b9", linewidth=0.9, dashes=(3, 3))
    for used, face in ((True, INK), (False, "white")):
        points = [
            (axis.position(c), r) for c, r, u in zip(chart.compute, chart.reward, chart.used, strict=True) if u == used
        ]
        if points:
            axes.scatter(
                *zip(*points, strict=True), s=9, color=face, edgecolors=INK, linewidths=0.5, zorder=3, alpha=0.75
            )
    for item in chart.targets:
        _whisker(axes, axis.position(item.compute), item.interval, colour)
    if chart.asymptote is not None:
        margin(axes, chart.asymptote, run.shown_in, colour)
    light, _ = VERDICT[run.verdict.name]
    axes.set_title(short(run.run), loc="left", fontsize=10, fontweight="bold", pad=19)
    axes.annotate(f"● {verdict_words(run.verdict.name)}", (0, 1), (0, 6), xycoords="axes fraction",
                  textcoords="offset points", fontsize=9, color=light, annotation_clip=False)  # fmt: skip


def _whisker(axes: Axes, x: float, interval: Interval, colour: str) -> None:
    axes.plot([x, x], [interval.q10, interval.q90], color=colour, linewidth=1.2, zorder=4, clip_on=False)
    axes.plot(
        [x], [interval.q50], marker="o", markersize=4.5, color="white", mec=colour, mew=1.3, zorder=5, clip_on=False
    )


def margin(axes: Axes, interval: Interval, bounds: tuple[float, float], colour: str) -> None:
    """Draw the asymptote's 80 % interval in the right margin, with its median."""
    x = 1.045
    axes.plot([x, x], [interval.q10, interval.q90], color=colour, linewidth=5, alpha=0.35, solid_capstyle="butt",
              clip_on=False)  # fmt: skip
    axes.plot([x - 0.014, x + 0.014], [interval.q50] * 2, color=colour, linewidth=1.8, clip_on=False)
    axes.annotate(f"ceiling\n{reward(interval.q50, bounds)}", (x + 0.026, interval.q50), fontsize=8.5, color=colour,
                  va="center", annotation_clip=False)  # fmt: skip


def _overlay(axes: Axes, view: RankView, fits: Sequence[Fit]) -> None:
    """Draw every recipe's evaluations and median curve, labelled at its end."""
    curves = recipe_curves(view, fits)
    drawn = [curve for curve in curves if curve.grid]
    first = min(c for curve in curves for c in curve.compute if c > 0) if drawn else 1.0
    last = max((curve.grid[-1] for curve in drawn), default=1.0)
    axis = ComputeAxis(first, last, zero=any(curve.compute[0] == 0 for curve in curves))
    shown = [v for curve in curves for v in (*curve.reward, *curve.median)]
    shown += [v for curve in drawn if curve.row.forecast for v in (curve.row.forecast.q10, curve.row.forecast.q90)]
    limits = reward_limits(shown, view.shown_in)
    frame(axes, axis, limits, view.ranking.unit, view.runs[0].metric)
    for curve in reversed(curves):
        _recipe(axes, axis, curve)
    _end_labels(axes, drawn, view, limits)
    axes.set_title(f"Recipes at {view.at}", loc="left", fontsize=11, fontweight="bold", pad=10)


def _colour(place: int) -> str:
    return SERIES[place] if place < _COLOURED else "#b9c0c7"


def _recipe(axes: Axes, axis: ComputeAxis, curve: RecipeCurve) -> None:
    colour, faint = _colour(curve.place), curve.place >= _COLOURED
    if not faint:
        at = [axis.position(c) for c in curve.compute]
        axes.scatter(at, curve.reward, s=7, color=colour, alpha=0.3, linewidths=0, zorder=2)
    for past in (True, False):
        part = [
            (axis.position(c), m)
            for c, m in zip(curve.grid, curve.median, strict=True)
            if (c <= curve.last if past else c >= curve.last)
        ]
        if part:
            axes.plot(*zip(*part, strict=True), color=colour, linewidth=1.0 if faint else 2.0, zorder=1 if faint else 3,
                      linestyle="-" if past else (0, (4, 1.6)))  # fmt: skip


def _end_labels(axes: Axes, drawn: Sequence[RecipeCurve], view: RankView, limits: tuple[float, float]) -> None:
    """Label the recipes at the right, in their colours, with the forecast's interval as a whisker."""
    named = [curve for curve in drawn if curve.place < _COLOURED and curve.row.forecast is not None]
    wanted = [curve.row.forecast.q50 for curve in named if curve.row.forecast is not None]
    heights = spread(wanted, 0.062 * (limits[1] - limits[0]), *limits)
    for offset, (curve, height) in enumerate(zip(named, heights, strict=True)):
        row, colour, x = curve.row, _colour(curve.place), 1.012 + 0.011 * offset
        if row.forecast is None:
            continue
        axes.plot([x, x], [row.forecast.q10, row.forecast.q90], color=colour, linewidth=1.4, clip_on=False)
        axes.plot([x], [row.forecast.q50], marker="o", markersize=3.6, color=colour, clip_on=False)
        text = f"{short(row.recipe)}  {reward(row.forecast.q50, view.shown_in)} · P(best) {probability(row.p_best)}"
        edge = 1.012 + 0.011 * len(named) + 0.006
        axes.annotate(text, (edge, height), fontsize=9, color=colour, va="center", annotation_clip=False)
    hidden = len(drawn) - len(named)
    if hidden > 0:
        axes.annotate(f"{count(hidden, 'more recipe')} in grey", (1.0, 0.02), xycoords="axes fraction", fontsize=8.5,
                      color=MUTED, ha="right")  # fmt: skip


def short(name: str, most: int = 34) -> str:
    """Return the end of a name that is too long for a title."""
    return name if len(name) <= most else f"…{name[-most + 1 :]}"
