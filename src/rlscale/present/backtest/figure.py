"""The chart of a backtest for ``--plot``: reliability beside error against the share of forecasts kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rlscale.present.axis import reward_ticks
from rlscale.present.backtest import words
from rlscale.present.backtest.view import METHOD_WORDS, BacktestView
from rlscale.present.figures import GRID, draw_into
from rlscale.present.labels import spread
from rlscale.present.numbers import count
from rlscale.present.palette import INK, MUTED, SERIES
from rlscale.trust.calibration import reliability, risk_coverage
from rlscale.trust.outcome import OURS

__all__ = ["write_backtest_figure"]

#: Cuts drawn apart in the reliability diagram; of more only all together are drawn.
_CUTS = 5
Axes = Any


def write_backtest_figure(view: BacktestView, path: Path) -> None:
    """Draw a backtest into a PNG or SVG file.

    Raises
    ------
    InputError
        The file type is not supported, matplotlib is missing, or the file cannot be written.
    """

    def draw(figure: Any) -> None:
        figure.set_size_inches(10.2, 4.4)
        left, right = figure.subplots(1, 2, width_ratios=(1, 1.25))
        _reliability(left, view)
        _risk(right, view)

    draw_into(path, draw)


def _frame(axes: Axes, title: str, what: str, across: str) -> None:
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelsize=8.5, pad=6)
    axes.spines["left"].set_visible(False)
    axes.set_xlim(0, 1)
    axes.set_xticks([k / 4 for k in range(5)], [f"{25 * k} %" for k in range(5)])
    axes.set_xlabel(across, fontsize=8.5)
    axes.set_ylabel(what, fontsize=8.5)
    axes.set_title(title, loc="left", fontsize=10, fontweight="bold", pad=10)


def _reliability(axes: Axes, view: BacktestView) -> None:
    """Draw the share of truths held against the level: all cuts in ink, each cut in a colour, the band of chance."""
    _frame(axes, "Do the intervals hold as often as they say?", "share of truths held", "level of the interval")
    axes.set_ylim(0, 1.02)
    axes.set_yticks([k / 4 for k in range(5)], [f"{25 * k} %" for k in range(5)])
    together, *each = words.panels(view)
    shown = reliability(together[1])
    axes.fill_between(shown.nominal, shown.low, shown.high, color="#b9c0c7", alpha=0.3, linewidth=0)
    axes.plot([0, 1], [0, 1], color="#aab1b9", linewidth=0.9, dashes=(3, 3))
    for place, (name, cases) in enumerate(each[:_CUTS] if len(each) <= _CUTS else []):
        found = reliability(cases)
        # the colours of methods stay theirs: cuts are told apart by marks too
        axes.plot(found.nominal, found.held, color=MUTED, linewidth=1.0, marker="osD^v"[place], markersize=3.6,
                  markerfacecolor="white", label=name)  # fmt: skip
    axes.plot(shown.nominal, shown.held, color=SERIES[0], linewidth=2.0, marker="o", markersize=4, label=together[0])
    band = f"90 % of chance, {count(shown.runs, 'run')}"
    axes.annotate(band, (0.98, 0.03), xycoords="axes fraction", ha="right", fontsize=8.5, color=MUTED)
    axes.legend(frameon=False, fontsize=8.5, loc="upper left", handlelength=1.6, labelcolor=INK)


def _risk(axes: Axes, view: BacktestView) -> None:
    """Draw the mean error of each method on the forecasts with the narrowest intervals, all cuts together."""
    name, cases = words.panels(view)[0]
    title = f"Do narrow intervals go with small errors? ({name})"
    _frame(axes, title, f"mean error, {view.result.metric}", "forecasts kept, narrowest 80 % intervals first")
    shown = risk_coverage(cases)
    low, high = view.result.bounds
    highest = 1.06 * max(map(max, shown.errors.values())) or 0.01 * (high - low)
    axes.set_ylim(0, highest)
    ticks = reward_ticks(0.0, highest, 5)
    axes.set_yticks([value for value, _ in ticks], [label for _, label in ticks])
    names = [method for method in METHOD_WORDS if method in shown.errors]
    ends = spread([shown.errors[method][-1] for method in names], 0.06 * highest, 0.0, highest)
    for place, (method, height) in enumerate(zip(names, ends, strict=True)):
        ours, colour = method == OURS, SERIES[place]
        axes.plot(
            shown.kept, shown.errors[method], color=colour, linewidth=2.2 if ours else 1.2, zorder=3 if ours else 2
        )
        axes.plot([1.0], [shown.errors[method][-1]], marker="o", markersize=3.6, color=colour, clip_on=False, zorder=4)
        axes.annotate(METHOD_WORDS[method], (1.03, height), fontsize=9, color=colour, va="center",
                      fontweight="bold" if ours else "normal", annotation_clip=False)  # fmt: skip
