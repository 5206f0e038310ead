"""The chart of ``fit --over-time --plot``: the ceiling with its interval against compute, a panel for each run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rlscale.inference import Fit, Interval, VerdictName
from rlscale.present.figures import PANELS, draw_into, frame, panel_grid, short
from rlscale.present.labels import spread
from rlscale.present.numbers import reward
from rlscale.present.over_time.trace import Trace, trace, trace_limits
from rlscale.present.over_time.words import verdict_since
from rlscale.present.palette import MUTED, SERIES, VERDICT, verdict_words
from rlscale.present.views import FitView

__all__ = ["draw_band", "write_over_time_figure"]

#: Entries of a legend that fit under one panel.
_ACROSS = 5
Axes = Any


def write_over_time_figure(view: FitView, fits: Sequence[Fit], path: Path) -> None:
    """Draw how runs grew into a PNG or SVG file, a panel for each of up to a dozen.

    Raises
    ------
    InputError
        The file type is not supported, matplotlib is missing, or the file cannot be written.
    """
    pairs = [(run, run.over_time, fit) for run, fit in zip(view.runs, fits, strict=True) if run.over_time is not None]
    traces = [trace(run, grown, fit.run.curve) for run, grown, fit in pairs[:PANELS]]

    def draw(figure: Any) -> None:
        rows, columns = panel_grid(figure, len(pairs))
        limits = trace_limits(traces)
        grid = figure.subplots(rows, columns, squeeze=False)
        for place, axes in enumerate(grid.flat):
            if place < len(traces):
                _panel(axes, traces[place], limits)
            else:
                axes.set_visible(False)
        _legend(figure, traces)

    draw_into(path, draw)


def draw_band(axes: Axes, at: Sequence[float], intervals: Sequence[Interval], colour: str, *, alpha: float) -> None:
    """Draw medians as a line in the band of their 80 % intervals."""
    low, high = [each.q10 for each in intervals], [each.q90 for each in intervals]
    axes.fill_between(at, low, high, color=colour, alpha=alpha, linewidth=0)
    axes.plot(at, [each.q50 for each in intervals], color=colour, linewidth=1.7)


def _panel(axes: Axes, shown: Trace, limits: tuple[float, float]) -> None:
    run, axis = shown.run, shown.axis
    frame(axes, axis, limits, run.unit, run.metric)
    axes.scatter([axis.position(c) for c in shown.compute], shown.reward, s=7, color="#aab1b9", linewidths=0, zorder=1)
    ends = []
    for (believed, what), colour in zip(shown.answers, SERIES, strict=False):
        at = [axis.position(one.compute) for one in believed]
        now = believed[-1].interval
        draw_band(axes, at, [one.interval for one in believed], colour, alpha=0.18 if believed is shown.judged else 0.1)
        axes.plot([at[0], 1.0], [now.q50] * 2, color=colour, linewidth=0.9, dashes=(2, 3), zorder=1.5)
        ends.append((now.q50, f"{what} {reward(now.q50, run.shown_in)}", colour))
    for one in shown.judged:
        axes.scatter([axis.position(one.compute)], [one.interval.q50], s=24, color=VERDICT[one.verdict][0],
                     edgecolors="white", linewidths=0.7, zorder=4, clip_on=False)  # fmt: skip
    heights = spread([height for height, _, _ in ends], 0.07 * (limits[1] - limits[0]), *limits)
    for (_, label, colour), height in zip(ends, heights, strict=True):
        axes.annotate(label, (1.03, height), fontsize=8.5, color=colour, va="center", annotation_clip=False)
    axes.set_title(short(run.run), loc="left", fontsize=10, fontweight="bold", pad=19)
    axes.annotate(f"● {verdict_since(shown.grown)}", (0, 1), (0, 6), xycoords="axes fraction", fontsize=9,
                  textcoords="offset points", color=VERDICT[run.verdict.name][0], annotation_clip=False)  # fmt: skip


def _legend(figure: Any, traces: Sequence[Trace]) -> None:
    """Name the colours of the verdicts and what the rest shows, below all panels."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    seen = {one.verdict for each in traces for one in each.judged}
    marks = [Line2D([], [], linestyle="", marker="o", markersize=5, color=VERDICT[name][0], label=verdict_words(name))
             for name in VerdictName if name in seen]  # fmt: skip
    rest = [
        Patch(color=SERIES[0], alpha=0.25, linewidth=0, label="80 % interval"),
        Line2D([], [], color=SERIES[0], linewidth=0.9, dashes=(2, 3), label="today's median"),
        Line2D([], [], linestyle="", marker="o", markersize=3, color="#aab1b9", label="evaluations"),
    ]
    handles = [*marks, *rest]
    across = len(handles) if len(traces) > 1 or len(handles) <= _ACROSS else math.ceil(len(handles) / 2)
    ordered = [handle for column in range(across) for handle in handles[column::across]]  # legends fill columns first
    figure.legend(handles=ordered, loc="outside lower left", ncols=across, frameon=False, fontsize=8.5,
                  labelcolor=MUTED, handletextpad=0.5, columnspacing=1.4)  # fmt: skip
