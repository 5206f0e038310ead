"""What monitors say: alarms, what cannot be measured, and the health of runs together."""

from __future__ import annotations

from dataclasses import dataclass

from rlscale.curves.value import Value
from rlscale.health.channel import Channel
from rlscale.left_out import LeftOut
from rlscale.results import Result

__all__ = ["SEVERITIES", "Alarm", "FalseAlarms", "Health", "NotMeasurable", "RunHealth"]

#: From the mildest to the gravest.
SEVERITIES = ("note", "warn", "stop")


@dataclass(frozen=True)
class FalseAlarms:
    """How often a monitor fires at this severity on runs with no fault.

    Parameters
    ----------
    simulated : float
        Share of simulated healthy runs.
    real : int
        Of the real healthy runs that could be judged, so many.
    of : int
        Real healthy runs that log what the monitor needs.
    """

    simulated: float
    real: int
    of: int

    def __str__(self) -> str:
        share = f"{100 * self.simulated:.1f} % of simulated"
        return f"fires on {share} and {self.real} of {self.of} real healthy runs"


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """One onset of one fault.

    Parameters
    ----------
    monitor : str
        Its name, as in :data:`rlscale.health.MONITORS`.
    severity : str
        ``note``, ``warn`` or ``stop``.
    since : float, optional
        Compute of the first row of the fault, in ``compute_unit``; None where the log holds no compute of its steps.
    step : float
        The trainer's step of that row (the compute itself in a table).
    raised, raised_step : float, optional and float
        Compute and step at which the rule was satisfied: a monitor that looks at each row fires here.
    until, until_step : float, optional
        First row of the recovery; None where the fault lasts to the end.
    value : float, optional
        What was measured there, in ``unit`` (``times`` for a ratio); None where it is not finite.
    threshold : float
        What it was compared with, in the same unit.
    unit : str
    series : str
        The log's own key.
    message : str
        What happened, with the number.
    advice : str
        The next step.
    source : str
        Where the threshold comes from.
    false_alarms : FalseAlarms, optional
        None where none were measured.
    compute_unit : str
    """

    monitor: str
    severity: str
    since: float | None
    step: float
    raised: float | None
    raised_step: float
    until: float | None
    until_step: float | None
    value: float | None
    threshold: float
    unit: str
    series: str
    message: str
    advice: str
    source: str
    false_alarms: FalseAlarms | None
    compute_unit: str

    @property
    def lasts(self) -> bool:
        """Whether the fault is there at the end of the log."""
        return self.until_step is None


@dataclass(frozen=True)
class NotMeasurable:
    """A monitor that cannot say anything of a run, and why: that is never the same as healthy."""

    monitor: str
    why: str


@dataclass(frozen=True, eq=False, kw_only=True)
class RunHealth(Value):
    """What all monitors say of one run.

    Parameters
    ----------
    run, recipe, unit : str
    alarms : tuple of Alarm
        In order of their onset.
    not_measurable : tuple of NotMeasurable
    quiet : tuple of str
        Monitors that could judge the run and raised nothing.
    channels : tuple of Channel
        The series that were judged, for charts.
    curve : Channel
        The reward that the run is judged by.
    remarks : tuple of str
        What was read in another unit, or left out.
    """

    run: str
    recipe: str
    unit: str
    alarms: tuple[Alarm, ...]
    not_measurable: tuple[NotMeasurable, ...]
    quiet: tuple[str, ...]
    channels: tuple[Channel, ...]
    curve: Channel
    remarks: tuple[str, ...] = ()

    @property
    def metric(self) -> str:
        """The key of the reward that the run is judged by."""
        return self.curve.key

    @property
    def worst(self) -> str:
        """The gravest severity of all alarms, recovered ones too; empty where none was raised."""
        return max((alarm.severity for alarm in self.alarms), key=SEVERITIES.index, default="")

    @property
    def now(self) -> str:
        """The gravest severity of the alarms that last; empty where none does."""
        return max((alarm.severity for alarm in self.alarms if alarm.lasts), key=SEVERITIES.index, default="")

    def of(self, monitor: str) -> tuple[Alarm, ...]:
        """Return the alarms of one monitor."""
        return tuple(alarm for alarm in self.alarms if alarm.monitor == monitor)


@dataclass(frozen=True, eq=False)
class Health(Result, Value):
    """The health of runs: what :func:`check_health` returns.

    Parameters
    ----------
    runs : tuple of RunHealth
    left_out : tuple of LeftOut
        What was named and could not be read.
    """

    runs: tuple[RunHealth, ...]
    left_out: tuple[LeftOut, ...] = ()
