"""The chart of ``ledger history --plot``: A with its interval as runs grew, and the place among all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rlscale.inference import Interval
from rlscale.live.past import Past
from rlscale.present.figures import GRID, draw_into
from rlscale.present.labels import spread
from rlscale.present.numbers import quantity
from rlscale.present.over_time.figure import draw_band
from rlscale.present.palette import INK, MUTED, SERIES

__all__ = ["write_history_figure"]

#: Recipes in colour.
_MOST = len(SERIES)


def write_history_figure(view: Sequence[Past], path: Path) -> None:
    """Draw the history of recipes into a PNG or SVG file: of one recipe each run, of several one run each.

    Raises
    ------
    InputError
        The file type is not supported, matplotlib is missing, or the file cannot be written.
    """

    def draw(figure: Any) -> None:
        figure.set_size_inches(9.0, 6.4)
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1.25))
        lines = _lines(view)
        _ceilings(upper, view, lines)
        _places(lower, lines)
        unit = view[0].rows[0].unit
        lower.set_xlabel(f"compute of the run, {unit}", fontsize=9)
        lower.xaxis.set_major_formatter(lambda value, _: quantity(value))

    draw_into(path, draw)


def _lines(view: Sequence[Past]) -> list[tuple[str, Any]]:
    """Return (name, steps) of what is drawn."""
    if len(view) == 1:
        return list(view[0].steps.items())[:_MOST]
    farthest = [max(one.steps.values(), key=lambda steps: steps[-1].fit.compute if steps else 0.0) for one in view]
    ordered = sorted(
        zip((one.recipe for one in view), farthest, strict=True),
        key=lambda item: item[1][-1].place or len(view) if item[1] else len(view),
    )
    return ordered[:_MOST]


def _ceilings(axes: Any, view: Sequence[Past], lines: Sequence[tuple[str, Any]]) -> None:
    what = "one line a run" if len(view) == 1 else "the longest run of each recipe"
    title = f"{view[0].recipe}: the ceiling as it was believed" if len(view) == 1 else "Ceilings as they were believed"
    _plain(axes, f"{title} ({what}; bands: 80 %)")
    axes.set_ylabel(f"ceiling, {view[0].rows[0].metric}", fontsize=9)
    ends = []
    for k, (name, steps) in enumerate(lines):
        known = [step for step in steps if step.fit.A is not None]
        if not known:
            continue
        compute = [step.fit.compute for step in known]
        intervals = [Interval(*step.fit.A) for step in known]
        middle = [each.q50 for each in intervals]
        draw_band(axes, compute, intervals, SERIES[k], alpha=0.13 if len(lines) > 2 else 0.2)
        axes.plot(compute, middle, color=SERIES[k], linestyle="", marker="o", markersize=3)
        resolved = [(c, m) for c, m, step in zip(compute, middle, known, strict=True) if step.fit.verdict == "resolved"]
        if resolved:
            axes.plot(*zip(*resolved, strict=True), linestyle="", marker="o", markersize=6, color=SERIES[k], zorder=4)
        ends.append((name, compute[-1], middle[-1], SERIES[k]))
    least, most = view[0].rows[0].bounds
    bottom, top = axes.get_ylim()
    axes.set_ylim(max(bottom, least - 0.02 * (most - least)), min(top, most + 0.02 * (most - least)))
    bottom, top = axes.get_ylim()
    heights = spread([one[2] for one in ends], 0.055 * (top - bottom), bottom, top)
    right = max((one[1] for one in ends), default=1.0)
    axes.set_xlim(0.0, right * 1.02)
    for (name, _, _, colour), height in zip(ends, heights, strict=True):
        axes.annotate(name, (right * 1.02, height), xytext=(6, 0), textcoords="offset points", va="center",
                      fontsize=8.5, color=colour, annotation_clip=False)  # fmt: skip
    if any(step.fit.verdict == "resolved" for _, steps in lines for step in steps):
        axes.annotate("large dots: resolved", (0.0, 1.0), xycoords="axes fraction", xytext=(0, 3),
                      textcoords="offset points", fontsize=8, color=MUTED)  # fmt: skip


def _places(axes: Any, lines: Sequence[tuple[str, Any]]) -> None:
    _plain(axes, "Place among all recipes at that compute")
    worst = 1
    for k, (_, steps) in enumerate(lines):
        ranked = [(step.fit.compute, step.place) for step in steps if step.place is not None]
        worst = max([worst, *(step.contenders for step in steps if step.contenders is not None)])
        if ranked:
            axes.plot(*zip(*ranked, strict=True), color=SERIES[k], linewidth=1.7, drawstyle="steps-post", alpha=0.9)
    axes.set_ylim(worst + 0.4, 0.6)
    ticks = range(1, worst + 1) if worst <= 8 else sorted({1, *range(worst // 4, worst + 1, max(worst // 4, 1))})
    axes.set_yticks(list(ticks))
    axes.set_ylabel("place", fontsize=9)


def _plain(axes: Any, title: str) -> None:
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelsize=8.5, pad=5)
    axes.set_title(title, loc="left", fontsize=10, fontweight="bold", pad=16, color=INK)
