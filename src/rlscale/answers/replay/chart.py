"""The chart of a replay: compute used against regret, and against how often the best was kept."""

from __future__ import annotations

from collections.abc import Callable

from rlscale.answers.charts.axes import reward_ticks
from rlscale.answers.charts.spec import Axis, Chart, End, Line, Mark, Panel, Part, Points
from rlscale.answers.numbers import count
from rlscale.answers.palette import SERIES
from rlscale.answers.replay import words
from rlscale.answers.replay.view import ReplayView
from rlscale.trust.replay import NEAR, PolicyScores

__all__ = ["replay_chart"]

_MARKERS = "oDsv^P*X"


def replay_chart(view: ReplayView) -> Chart:
    """Return both panels: each policy as it is as a mark, the same with other numbers as a line."""
    metric, near = view.result.arena.metric, words.kept(view, NEAR[-1])
    meetings = f"{count(view.result.tournaments, 'tournament')} of {count(view.result.size, view.noun)}"
    lines = "marks: each policy as it is; lines: the same with other numbers" if view.result.frontier else ""
    label = f"mean regret, {metric} (square-root scale)"
    left = _panel(view, lambda one: one.regret, _regret_axis(view, label), "Compute against regret")
    share = _kept_axis(view, f"a {view.noun} within {near} of the best kept, %")
    right = _panel(view, lambda one: 100.0 * one.kept[-1], share, "Compute against the best kept", named=True)
    return Chart((Part((left, right), 2, (5.6, 4.9)),), f"{meetings}   ·   {lines}".rstrip(" ·"))


def _colour(view: ReplayView, family: str) -> str:
    names = [one.policy for one in view.result.policies]
    return f"s{names.index(family) % len(SERIES)}" if family in names else "muted"


def _panel(
    view: ReplayView, value: Callable[[PolicyScores], float], y: Axis, title: str, *, named: bool = False
) -> Panel:
    marks: list[Mark] = []
    for family, several in view.result.frontier.items():
        own = [one for one in view.result.policies if one.policy == family]
        line = sorted([*several, *own], key=lambda one: one.cost)
        main = family == view.main.policy
        x, heights = tuple(100 * one.cost for one in line), tuple(map(value, line))
        strength = 0.9 if main else 0.55
        marks.append(Line(x, heights, _colour(view, family), 1.8 if main else 1.0, strength=strength))
        marks.append(Points(x, heights, _colour(view, family), 1.6, strength=strength))
    ends = []
    for place, one in enumerate(view.result.policies):
        colour, main, marker = _colour(view, one.policy), one is view.main, _MARKERS[place % len(_MARKERS)]
        size = 4.4 if main else 3.4
        marks.append(Points((100 * one.cost,), (value(one),), colour, size, tips=(one.policy,), marker=marker))
        ends.append(End(value(one), one.policy, colour, bold=main, marker=marker))
    low, high = _costs(view)
    across = Axis("compute used, % of running everything", low, high, reward_ticks(low, high, 7))
    return Panel(description=title, x=across, y=y, marks=tuple(marks), title=title, ends=tuple(ends) if named else ())


def _all(view: ReplayView) -> list[PolicyScores]:
    return [*view.result.policies, *(one for several in view.result.frontier.values() for one in several)]


def _costs(view: ReplayView) -> tuple[float, float]:
    costs = [one.cost for one in _all(view)]
    return max(0.0, 100 * min(costs) - 4.0), min(130.0, 100 * max(costs) + 4.0)


def _regret_axis(view: ReplayView, label: str) -> Axis:
    """Return a square-root scale: small regrets matter, and 0 has to be on it."""
    highest = max(one.regret for one in _all(view))
    top = 1.08 * highest if highest > 0 else 0.01 * view.result.arena.range
    return Axis(label, 0.0, top, tuple((tick, view.regret(tick)) for tick in _ticks(top)), "root")


def _kept_axis(view: ReplayView, label: str) -> Axis:
    values = [100.0 * one.kept[-1] for one in _all(view)]
    low, high = min(values), max(values)
    room = max(high - low, 1.0)
    ends = low - 0.06 * room, high + 0.06 * room
    return Axis(label, *ends, reward_ticks(*ends, 6))


def _ticks(top: float, apart: float = 0.12) -> list[float]:
    """Return 0 and round numbers up to ``top`` that stand apart on a square-root scale, as a share of its height."""
    ticks = [0.0]
    for power in range(-6, 7):
        for digit in (1.0, 2.0, 5.0):
            tick = float(f"{digit:g}e{power}")
            if tick <= top and (tick / top) ** 0.5 - (ticks[-1] / top) ** 0.5 >= apart:
                ticks.append(tick)
    return ticks
