"""The health of runs: every monitor on every run."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from rlscale.curves import Run
from rlscale.health.alarm import Alarm, Health, NotMeasurable, RunHealth
from rlscale.health.limits import Limits
from rlscale.health.measured import FALSE_ALARMS
from rlscale.health.monitor import Finding, Judgement, Monitor
from rlscale.health.monitors import MONITORS, STALLED, stalled_at
from rlscale.health.scale import Scale, scales_of
from rlscale.health.vitals import Vitals, vitals_of
from rlscale.left_out import LeftOut, lacked

__all__ = ["HasRuns", "check_health", "run_health"]


class HasRuns(Protocol):
    """What was read: it holds runs, and knows what it lacks."""

    @property
    def runs(self) -> Sequence[Run]:
        """The runs."""


def check_health(
    runs: Run | Iterable[Run] | HasRuns,
    *,
    limits: Limits | None = None,
    now: float | None = None,
    until: float | None = None,
) -> Health:
    """Return what every monitor says of every run: alarms, and what cannot be measured.

    Parameters
    ----------
    runs : Run, several, or Reading
        As :func:`rlscale.read` and :func:`rlscale.collect` return them.
    limits : Limits, optional
        Other thresholds.
    now : float, optional
        Unix time, for runs that are watched: whether they have stalled.
    until : float, optional
        Compute past which nothing is looked at.

    Returns
    -------
    Health
        A run is looked at row by row: no rule of an alarm looks at rows after the one at which it was raised. Units,
        the scale of a reward, and what is measured at all are decided from all rows.

    Examples
    --------
    >>> import rlscale
    >>> health = rlscale.check_health(rlscale.read("bundled"))
    >>> [run.worst for run in health.runs][:2]
    ['note', 'note']
    """
    several = [runs] if isinstance(runs, Run) else list(runs if isinstance(runs, Iterable) else runs.runs)
    left: tuple[LeftOut, ...] = () if isinstance(runs, Run) else lacked(runs)
    scales = scales_of(several)
    chosen = limits or Limits()
    return Health(tuple(run_health(run, chosen, now=now, until=until, scales=scales) for run in several), left)


def run_health(
    run: Run,
    limits: Limits,
    *,
    now: float | None = None,
    until: float | None = None,
    monitors: Sequence[Monitor] = MONITORS,
    scales: Mapping[tuple[str, str], Scale] | None = None,
) -> RunHealth:
    """Return what every monitor, or every one of some, says of one run; see :func:`check_health`."""
    vitals = vitals_of(run, limits, until=until, scales=scales)
    alarms: list[Alarm] = []
    missing: list[NotMeasurable] = []
    quiet: list[str] = []
    for each in monitors:
        judgement = _judged(each, vitals, limits, now)
        if judgement.lacking:
            missing.append(NotMeasurable(each.name, judgement.lacking))
        elif judgement.findings:
            alarms += [_alarm(each, finding, run.curve.unit) for finding in judgement.findings]
        else:
            quiet.append(each.name)
    known = list(vitals.channels.values())
    known += [vitals.reward] if vitals.reward is not None and vitals.reward.key != run.curve.metric else []
    return RunHealth(
        run=run.name,
        recipe=run.recipe,
        unit=run.curve.unit,
        alarms=tuple(sorted(alarms, key=lambda alarm: (alarm.step, alarm.monitor))),
        not_measurable=tuple(missing),
        quiet=tuple(quiet),
        channels=tuple(known),
        curve=vitals.curve,
        remarks=vitals.remarks,
    )


def _judged(each: Monitor, vitals: Vitals, limits: Limits, now: float | None) -> Judgement:
    if each is STALLED and now is not None:
        return stalled_at(vitals, limits, now)
    return each.judge(vitals, limits)


def _alarm(each: Monitor, finding: Finding, unit: str) -> Alarm:
    channel, span = finding.channel, finding.span
    steps, compute = (channel.lost_step, channel.lost_compute) if finding.lost else (channel.step, channel.compute)
    return Alarm(
        monitor=each.name,
        severity=finding.severity,
        since=_known(compute[span.start]),
        step=float(steps[span.start]),
        raised=_known(compute[span.raised]),
        raised_step=float(steps[span.raised]),
        until=None if span.end is None else _known(channel.compute[span.end]),
        until_step=None if span.end is None else float(channel.step[span.end]),
        value=_known(finding.value),
        threshold=finding.threshold,
        unit=finding.unit or channel.unit,
        series=channel.key,
        message=finding.message,
        advice=each.advice,
        source=each.source,
        false_alarms=FALSE_ALARMS.get((each.name, finding.severity)),
        compute_unit=unit,
    )


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
