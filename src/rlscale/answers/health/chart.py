"""The series of a run lined up under its curve, with the onsets of alarms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rlscale.answers.charts.axes import compute_ticks, reward_limits, reward_ticks
from rlscale.answers.charts.spec import Axis, Band, Chart, Key, Label, Line, Mark, Panel, Part, Points
from rlscale.answers.health.view import TITLES, HealthView, first_alarms, place
from rlscale.answers.numbers import quantity
from rlscale.answers.palette import SEVERITY
from rlscale.health import SEVERITIES, Alarm, Channel, RunHealth

__all__ = ["health_chart", "run_panels"]

#: Panels under the curve.
_MOST = 6
#: What is drawn first where no alarm chooses.
_USUAL = ("reward", "entropy", "truncation", "response_length", "grad_norm", "kl", "mismatch", "zero_variance")
#: Heights of the curve and of a row of names above it, where a series has 1, and rows at most.
_CURVE, _ROW, _NAMED = 1.5, 0.17, 5
#: A series over so many decades is drawn on a log axis.
_DECADES = 2.0


def health_chart(view: HealthView) -> Chart | None:
    """Return the chart of the run that is explained; None where nothing can be lined up."""
    panels = () if view.explained is None else run_panels(view.explained)
    if not panels:
        return None
    rows = len({mark.y for mark in panels[0].marks if isinstance(mark, Label)})
    heights = (_CURVE + _ROW * rows, *(1.0 for _ in panels[1:]))
    keys = tuple(Key("band", SEVERITY[f"severity_{name}"][2], name) for name in reversed(SEVERITIES))
    note = "Shaded from the onset of an alarm to its recovery; a line stands where it was raised."
    return Chart((Part(panels, 1, (9.0, 1.75), heights=heights),), note=note, keys=keys)


def run_panels(run: RunHealth) -> tuple[Panel, ...]:
    """Return the curve, and under it the series that raised alarms, else those that are looked at first."""
    placed = [each for each in run.channels if each.size >= 2 and bool(np.isfinite(each.compute).all())]
    if not run.curve.size or not placed:
        return ()
    last = max(float(each.compute[-1]) for each in (run.curve, *placed))
    ticks = tuple((value, quantity(value)) for value, _ in reward_ticks(0.0, 1.02 * last, 6))
    across = Axis("", 0.0, 1.02 * last, ticks)
    alarmed = [alarm.series for alarm in sorted(run.alarms, key=lambda a: -SEVERITIES.index(a.severity))]
    order = {key: rank for rank, key in enumerate(dict.fromkeys(alarmed))}
    usual = {name: rank for rank, name in enumerate(_USUAL)}
    chosen = sorted(placed, key=lambda each: (order.get(each.key, len(order)), usual.get(each.name, len(usual))))[
        :_MOST
    ]
    panels = [_curve(run, across), *(_series(run, channel, across) for channel in chosen)]
    bottom = Axis(f"compute ({run.unit})", across.low, across.high, across.ticks)
    panels[-1] = replace(panels[-1], x=bottom)
    return tuple(panels)


def _curve(run: RunHealth, across: Axis) -> Panel:
    curve = run.curve
    values = curve.value.tolist()
    drawn = reward_limits(values, (min(values), max(values)))
    named = _rows(run, across)
    rows = max((row for _, row, _ in named), default=-1) + 1
    limits = drawn[0], drawn[1] + rows * _ROW / _CURVE * (drawn[1] - drawn[0])
    marks: list[Mark] = []
    for alarm in first_alarms(run):
        marks += _onset(alarm, across, drawn, 0.08)
    marks += [
        Line(tuple(curve.compute.tolist()), tuple(values), "s0", 1.6),
        Points(tuple(curve.compute.tolist()), tuple(values), "s0", 2.0),
    ]
    marks += _names(named, limits[1], _ROW / _CURVE * (drawn[1] - drawn[0]))
    return Panel(
        description=f"{run.run}: the curve with the onsets of its alarms",
        x=across, y=Axis(_short(curve.key), *limits, reward_ticks(*drawn, 4)), marks=tuple(marks), title=run.run,
    )  # fmt: skip


def _rows(run: RunHealth, across: Axis) -> list[tuple[Alarm, int, bool]]:
    """Return the alarms with the rows their names stand in above the curve, and whether right of their onsets."""
    placed: list[tuple[Alarm, int, bool]] = []
    taken: list[float] = []
    for alarm in first_alarms(run):
        if alarm.since is None or alarm.severity == "note":
            continue
        x, width = across.position(alarm.since), 0.016 * len(TITLES[alarm.monitor]) + 0.02
        right = x < 0.75
        begin, end = (x, x + width) if right else (x - width, x)
        row = next((k for k, edge in enumerate(taken) if begin > edge), len(taken))
        if row == len(taken):
            taken.append(end)
        taken[row] = end
        if row < _NAMED:
            placed.append((alarm, row, right))
    return placed


def _names(named: Sequence[tuple[Alarm, int, bool]], top: float, apart: float) -> list[Mark]:
    """Return the names of the alarms at their onsets, above the lines that stand where alarms were raised."""
    marks: list[Mark] = []
    for alarm, row, right in named:
        assert alarm.since is not None
        colour = SEVERITY[f"severity_{alarm.severity}"][2]
        marks.append(Label(alarm.since, top - apart * row, TITLES[alarm.monitor], colour, "start" if right else "end"))
    return marks


def _onset(
    alarm: Alarm, across: Axis, limits: tuple[float, float], strength: float, others: Sequence[Alarm] = ()
) -> list[Mark]:
    """Return the stretch of an alarm, up to a graver one, and a line where it was raised."""
    if alarm.since is None:
        return []
    colour = SEVERITY[f"severity_{alarm.severity}"][2]
    rank = SEVERITIES.index(alarm.severity)
    since, end = alarm.since, across.high if alarm.until is None else alarm.until
    graver = [other.since for other in others if other.since is not None and SEVERITIES.index(other.severity) > rank]
    end = min([end, *(start for start in graver if start >= since)])
    raised = alarm.since if alarm.raised is None else alarm.raised
    low, high = limits
    line = Line((raised, raised), limits, colour, 1.0, "dashed", strength=0.8)
    return [Band((since, end), (low, low), (high, high), colour, strength), line] if end > since else [line]


def _series(run: RunHealth, channel: Channel, across: Axis) -> Panel:
    value = channel.value
    y = _axis(channel)
    shown = np.clip(value, y.low, y.high)
    own = [alarm for alarm in run.alarms if alarm.series == channel.key]
    marks: list[Mark] = []
    for alarm in own:
        marks += _onset(alarm, across, (y.low, y.high), 0.13, own)
    marks.append(Line(tuple(channel.compute.tolist()), tuple(shown.tolist()), "ink", 1.1))
    lost = channel.lost_compute[np.isfinite(channel.lost_compute)]
    if lost.size:
        marks.append(Points(tuple(lost.tolist()), (y.high,) * int(lost.size), "collapsed", 2.4, marker="X"))
    gravest = max(own, key=lambda alarm: SEVERITIES.index(alarm.severity), default=None)
    gist = "" if gravest is None else f"{gravest.severity}: {place(gravest)}"
    more = f" and {len(own) - 1} more" if len(own) > 1 else ""
    return Panel(
        description=f"{channel.key} of {run.run}", x=across, y=y, marks=tuple(marks),
        title=channel.name.replace("_", " "), subtitle=f"{gist}{more}" if gist else "",
        subtitle_colour="muted" if gravest is None else SEVERITY[f"severity_{gravest.severity}"][2],
    )  # fmt: skip


def _axis(channel: Channel) -> Axis:
    """Return the axis of a series: log where it spans decades above 0."""
    value = channel.value
    label = channel.unit if len(channel.unit) <= 18 else ""
    positive = value[value > 0]
    if positive.size and value.min() >= 0.0:
        low, high = float(np.quantile(positive, 0.02)), float(positive.max())
        if math.log10(high / low) >= _DECADES:
            return Axis(label, 0.8 * low, 1.3 * high, compute_ticks(0.8 * low, 1.3 * high, 4), "log")
    low, high = float(value.min()), float(value.max())
    span = high - low or abs(high) or 1.0
    low, high = low - 0.05 * span, high + 0.08 * span
    return Axis(label, low, high, reward_ticks(low, high, 3))


def _short(key: str) -> str:
    return key if len(key) <= 22 else f"…{key[-21:]}"
