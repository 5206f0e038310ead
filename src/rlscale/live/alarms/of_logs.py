"""Alarms of logs that are followed without a ledger: what was sent is known as long as the process lives."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from rlscale.curves import Run
from rlscale.decisions import rank_best
from rlscale.errors import InputError, RlscaleError
from rlscale.health import Health
from rlscale.inference import Fit, fits
from rlscale.live.alarms.announcer import Announcer
from rlscale.live.alarms.judge import Judge, mark_of, progress_of
from rlscale.live.alarms.present import trap_signals, verdict_signals
from rlscale.live.alarms.signal import AlarmEvent, Signal
from rlscale.live.alarms.sinks import Sink
from rlscale.live.alarms.stalled import Arrivals
from rlscale.live.following import Following
from rlscale.sources import Reading

__all__ = ["LogAlarms", "LogLook"]


@dataclass(frozen=True, eq=False)
class LogLook:
    """What a look at logs shows.

    Parameters
    ----------
    reading : Reading
    health : Health
    alarms : tuple of AlarmEvent
        What this look sent.
    open : tuple of Signal
        What began and is not over.
    troubles : dict of str to str
        What is wrong, by what it concerns.
    """

    reading: Reading
    health: Health
    alarms: tuple[AlarmEvent, ...]
    open: tuple[Signal, ...]
    troubles: dict[str, str]


class LogAlarms:
    """Follows logs and sends the alarms of their runs; there is no gate, and so there are no decisions among them.

    Parameters
    ----------
    source : Following
    sinks, level
        As for :class:`rlscale.live.alarms.Announcer`.
    pause : float
        Seconds between two looks.
    clock : callable
        Returns seconds that only go forward.
    """

    def __init__(
        self,
        source: Following,
        *,
        sinks: Sequence[Sink] = (),
        level: str = "warn",
        pause: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source, self._announcer, self._judge = source, Announcer(sinks, level), Judge()
        self._arrivals = Arrivals(clock, pause)
        self._fits: dict[str, tuple[object, Fit]] = {}
        self._ranked: tuple[object, list[Signal]] | None = None
        self._last = LogLook(Reading((), ()), Health(()), (), (), {})

    @property
    def busy(self) -> bool:
        """Whether an alarm is still to be sent."""
        return self._announcer.busy

    def look(self) -> LogLook:
        """Read what is new, and send what is new of it.

        Raises
        ------
        ChoiceError, InputError
            As :meth:`rlscale.live.Following.poll`.
        """
        reading = self._source.poll()
        signals, blind = self._judge.judged(reading.runs)
        for run in reading.runs:
            self._arrivals.note(run.name, mark_of(run))
        signals += self._arrivals.signals(reading.runs)
        signals += self._curves(reading.runs)
        sent = self._announcer.announce(signals, progress_of(reading.runs), unjudged=blind)
        self._last = LogLook(
            reading, Health(tuple(self._judge.health(reading.runs))), sent, self._announcer.open,
            {**_wrong(reading), **self._sinks()},
        )  # fmt: skip
        return self._last

    def step(self) -> LogLook:
        """Look; what fails is wrong until it works again, and is no reason to stop."""
        try:
            return self.look()
        except RlscaleError as error:
            wrong = error.on_command_line
        except Exception as error:  # noqa: BLE001  a defect must not leave runs without a watcher
            wrong = f"{type(error).__name__}: {error}; this is a defect of rlscale, please report it"
        return replace(self._last, alarms=(), troubles={"look": wrong, **self._sinks()})

    def _sinks(self) -> dict[str, str]:
        return {name: text for name, text in self._announcer.troubles().items() if text}

    def close(self, patience: float) -> dict[str, str]:
        """Send what is left for so many seconds at most, and close files; return what is wrong with each sink."""
        self._source.close()
        return {name: text for name, text in self._announcer.close(patience).items() if text}

    def _curves(self, runs: Sequence[Run]) -> list[Signal]:
        """Return what the curves say: collapsed, resolved, and who leads early and loses."""
        marks = {run.name: (run.curve.n_points, run.curve.compute_last, float(run.curve.reward.sum())) for run in runs}
        grown = [run for run in runs if self._fits.get(run.name, (None,))[0] != marks[run.name]]
        for run, fitted in zip(grown, fits(grown), strict=True):
            self._fits[run.name] = (marks[run.name], fitted)
        known = [self._fits[run.name][1] for run in runs]
        if self._ranked is None or self._ranked[0] != marks:
            self._ranked = (marks, _traps(known))
        return [signal for each in known for signal in verdict_signals(each)] + self._ranked[1]


def _wrong(reading: Reading) -> dict[str, str]:
    """Return what could not be read, by its path."""
    found: dict[str, str] = {}
    for error in reading.errors:
        name = f"source {error.path}"
        found[name] = f"{found[name]}; {error.message}" if name in found else error.message
    return found


def _traps(known: Sequence[Fit]) -> list[Signal]:
    try:
        return trap_signals(rank_best(known)) if len(known) > 1 else []
    except InputError:  # runs of several units, metrics or bounds cannot be ranked
        return []
