"""What monitors say to a fit: the alarms that bear on it, as of its last evaluation, and what it holds under."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rlscale.curves import Run
from rlscale.health.alarm import Alarm, RunHealth
from rlscale.health.check import run_health
from rlscale.health.limits import Limits
from rlscale.health.monitor import Monitor
from rlscale.health.monitors import MONITORS
from rlscale.health.screen import may_stop, stopping
from rlscale.health.standing import standing

__all__ = ["Checkup", "Condition", "checkup", "checkup_if_grave", "condition"]

#: Monitors of the log rather than of the run: a fall is not theirs.
_OF_THE_LOG = ("validation_silence", "stalled")
#: A level as near to its limit as this share of it is worth a word.
_NEAR = 0.5
_LATEST = 3


@dataclass(frozen=True)
class Checkup:
    """The alarms of a run that bear on a fit of its curve.

    Parameters
    ----------
    alarms : tuple of Alarm
        Those at ``warn`` or ``stop`` whose compute is known, in the order of their onset.
    fallen : bool
        Whether the curve stands ``fallen`` at its last evaluation, by the rule of the monitors.
    """

    alarms: tuple[Alarm, ...]
    fallen: bool

    @property
    def stop(self) -> Alarm | None:
        """The first alarm at ``stop`` that lasts."""
        return next((alarm for alarm in self.alarms if alarm.severity == "stop" and alarm.lasts), None)

    @property
    def episodes(self) -> tuple[Alarm, ...]:
        """Alarms at ``stop`` that are over."""
        return tuple(alarm for alarm in self.alarms if alarm.severity == "stop" and alarm.until is not None)

    def first_to_move(self, peak: float) -> Alarm | None:
        """Return the first alarm that was there at ``peak``, a compute; None where none was.

        Monitors that look at the log rather than at the run are left out.
        """
        there = [alarm for alarm in self._of_the_run if alarm[0] <= peak and (alarm[1] is None or alarm[1] > peak)]
        return there[0][2] if there else None

    def first_after(self, peak: float) -> Alarm | None:
        """Return the first alarm after ``peak``; None where there is none."""
        return next((alarm for since, _, alarm in self._of_the_run if since > peak), None)

    def latest_over(self, peak: float) -> Alarm | None:
        """Return the alarm that was over latest by ``peak``; None where none was."""
        over = [(until, alarm) for _, until, alarm in self._of_the_run if until is not None and until <= peak]
        return max(over, key=lambda pair: pair[0])[1] if over else None

    @property
    def _of_the_run(self) -> list[tuple[float, float | None, Alarm]]:
        """Onsets and recoveries of the alarms that are about the run, with them, in order of their onset."""
        return [
            (alarm.since, alarm.until, alarm)
            for alarm in self.alarms
            if alarm.since is not None and alarm.monitor not in _OF_THE_LOG
        ]


def checkup(run: Run, limits: Limits | None = None, *, monitors: Sequence[Monitor] = MONITORS) -> Checkup | None:
    """Return what monitors say to a fit of a run; None where its log holds no series.

    Rows after the last evaluation are not looked at, so that a curve that was cut knows nothing of what came later;
    alarms whose compute the log does not hold are left out.
    """
    if not run.series and not run.metrics:
        return None
    limits = limits or Limits()
    health = run_health(run, limits, until=run.curve.compute_last, monitors=monitors)
    alarms = [alarm for alarm in health.alarms if alarm.severity != "note" and alarm.since is not None]
    return Checkup(
        tuple(sorted(alarms, key=lambda alarm: (alarm.since or 0.0, alarm.monitor))), _fallen(run, health, limits)
    )


def checkup_if_grave(run: Run, limits: Limits | None = None) -> Checkup | None:
    """Return :func:`checkup` by the monitors that may say ``stop``; None, at once, for most runs, where none can."""
    limits = limits or Limits()
    return checkup(run, limits, monitors=stopping(run)) if may_stop(run, limits) else None


def _fallen(run: Run, health: RunHealth, limits: Limits) -> bool:
    bounds = run.curve.bounds if run.curve.open is None else None
    stands = standing(health.curve, fall=limits.fall, solved=limits.groups_solved, bounds=bounds)
    return bool(stands.fallen[-1])


@dataclass(frozen=True)
class Condition:
    """Under which a forecast holds: a level that destroyed published runs, and has not been reached.

    Parameters
    ----------
    quantity : str
    limit, now : float
        In ``unit``; ``now`` is the median of the latest three rows.
    unit : str
        Empty for shares.
    """

    quantity: str
    limit: float
    now: float
    unit: str

    def __str__(self) -> str:
        return f"valid while {self.quantity} stays below {self.limit:g}{self.unit and f' {self.unit}'}"

    @property
    def near(self) -> bool:
        """Whether half of the way to the limit is gone."""
        return self.now >= _NEAR * self.limit


def condition(health: RunHealth, limits: Limits | None = None) -> Condition | None:
    """Return the condition of forecasts of a run: the level that is nearest to its limit; None where none is measured.

    Only of monitors that raise nothing now, and whose level has a published effect: truncation (ScaleRL) and staleness
    (AReaL).
    """
    limits = limits or Limits()
    levels = {"truncation": (limits.truncation_warn, ""), "staleness": (limits.staleness_warn, "versions")}
    found = []
    for name, (limit, unit) in levels.items():
        channel = next((each for each in health.channels if each.name == name), None)
        alarms = health.of(name)
        calm = name in health.quiet or (bool(alarms) and not any(alarm.lasts for alarm in alarms))
        if channel is not None and channel.size and calm:
            found.append(Condition(name, limit, float(np.median(channel.value[-_LATEST:])), unit))
    return max(found, key=lambda one: one.now / one.limit, default=None)
