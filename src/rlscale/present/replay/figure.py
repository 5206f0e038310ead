"""The chart of a replay for ``--plot``: compute used against regret, and against how often the best was kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rlscale.present.figures import GRID, draw_into
from rlscale.present.labels import spread
from rlscale.present.numbers import count
from rlscale.present.palette import INK, MUTED, SERIES
from rlscale.present.replay import words
from rlscale.present.replay.view import ReplayView
from rlscale.trust.replay import NEAR, PolicyScores

__all__ = ["write_replay_figure"]

Axes = Any
_MARKS = "oDsv^P*X"


def write_replay_figure(view: ReplayView, path: Path) -> None:
    """Draw a replay into a PNG or SVG file.

    Raises
    ------
    InputError
        The file type is not supported, matplotlib is missing, or the file cannot be written.
    """

    def draw(figure: Any) -> None:
        figure.set_size_inches(11.2, 4.9)
        left, right = figure.subplots(1, 2)
        metric, near = view.result.arena.metric, words.kept(view, NEAR[-1])
        _panel(
            left, view, lambda one: one.regret, f"mean regret, {metric} (square-root scale)", "Compute against regret"
        )
        _regret_axis(left, view)
        _panel(right, view, lambda one: 100.0 * one.kept[-1], f"a {view.noun} within {near} of the best kept, %",
               "Compute against the best kept")  # fmt: skip
        _labels(right, view, lambda one: 100.0 * one.kept[-1])
        meetings = f"{count(view.result.tournaments, 'tournament')} of {count(view.result.size, view.noun)}"
        lines = "dots: each policy as it is; lines: the same with other numbers" if view.result.frontier else ""
        figure.supxlabel(
            f"compute used, % of running everything   ·   {meetings}   ·   {lines}".rstrip(" ·"),
            fontsize=9,
            color=MUTED,
        )

    draw_into(path, draw)


def _colour(view: ReplayView, family: str) -> str:
    names = [one.policy for one in view.result.policies]
    return SERIES[names.index(family) % len(SERIES)] if family in names else MUTED


def _panel(axes: Axes, view: ReplayView, value: Callable[[PolicyScores], float], what: str, title: str) -> None:
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelsize=8.5, pad=5)
    axes.set_title(title, loc="left", fontsize=10, fontweight="bold", pad=10)
    axes.set_ylabel(what, fontsize=8.5)
    axes.set_xlim(_ends(view))
    for family, several in view.result.frontier.items():
        own = [one for one in view.result.policies if one.policy == family]
        line = sorted([*several, *own], key=lambda one: one.cost)
        main = family == view.main.policy
        axes.plot(
            [100 * one.cost for one in line], [value(one) for one in line], color=_colour(view, family),
            linewidth=1.8 if main else 1.0, alpha=0.9 if main else 0.55, marker=".", markersize=4,
        )  # fmt: skip
    for place, one in enumerate(view.result.policies):
        main = one is view.main
        axes.plot(
            [100 * one.cost], [value(one)], linestyle="", marker=_MARKS[place % len(_MARKS)],
            markersize=8 if main else 6, color=_colour(view, one.policy), clip_on=False, zorder=5,
        )  # fmt: skip


def _ends(view: ReplayView) -> tuple[float, float]:
    costs = [one.cost for one in view.result.policies]
    costs += [one.cost for several in view.result.frontier.values() for one in several]
    return max(0.0, 100 * min(costs) - 4.0), min(130.0, 100 * max(costs) + 4.0)


def _regret_axis(axes: Axes, view: ReplayView) -> None:
    """Use a square-root scale: small regrets matter, and 0 has to be on it."""
    highest = max(one.regret for one in _all(view))
    top = 1.08 * highest if highest > 0 else 0.01 * view.result.arena.range
    axes.set_yscale("function", functions=(lambda y: abs(y) ** 0.5, lambda y: y**2))
    axes.set_ylim(0.0, top)
    ticks = _ticks(top)
    axes.set_yticks(ticks, [view.regret(tick) for tick in ticks])
    axes.minorticks_off()


def _ticks(top: float, apart: float = 0.12) -> list[float]:
    """Return 0 and round numbers up to ``top`` that stand apart on a square-root scale, as a share of its height."""
    found = [0.0]
    for power in range(-6, 7):
        for digit in (1.0, 2.0, 5.0):
            tick = float(f"{digit:g}e{power}")
            if tick <= top and (tick / top) ** 0.5 - (found[-1] / top) ** 0.5 >= apart:
                found.append(tick)
    return found


def _all(view: ReplayView) -> list[PolicyScores]:
    return [*view.result.policies, *(one for several in view.result.frontier.values() for one in several)]


def _labels(axes: Axes, view: ReplayView, value: Callable[[PolicyScores], float]) -> None:
    """Name the policies at the right edge, each beside its mark."""
    values = [value(one) for one in _all(view)]
    low, high = min(values), max(values)
    room = max(high - low, 1.0)
    axes.set_ylim(low - 0.06 * room, high + 0.06 * room)
    order: Sequence[PolicyScores] = view.result.policies
    heights = spread([value(one) for one in order], 0.075 * room, low - 0.04 * room, high + 0.04 * room)
    end = _ends(view)[1]
    for place, (one, height) in enumerate(zip(order, heights, strict=True)):
        colour, main = _colour(view, one.policy), one is view.main
        x = end + 0.04 * (end - _ends(view)[0])
        axes.plot([x], [height], marker=_MARKS[place % len(_MARKS)], markersize=5, color=colour, clip_on=False)
        axes.annotate(one.policy, (x, height), xytext=(7, 0), textcoords="offset points", fontsize=9, va="center",
                      color=colour if main else INK, fontweight="bold" if main else "normal",
                      annotation_clip=False)  # fmt: skip
