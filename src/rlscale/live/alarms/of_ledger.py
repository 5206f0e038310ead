"""Alarms of the runs of a ledger that is watched: what was sent stands in the ledger, as events."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from rlscale.curves import Run
from rlscale.decisions import rank_best
from rlscale.errors import InputError
from rlscale.inference import Fit
from rlscale.ledger import ALARM, DRY_ALARM, WELL, Event, Lease, Ledger, NewEvent
from rlscale.live.alarms.announcer import Announcer
from rlscale.live.alarms.judge import Judge, mark_of, progress_of
from rlscale.live.alarms.present import decision_signals, trap_signals, verdict_signals
from rlscale.live.alarms.signal import ONSET, AlarmEvent, Signal
from rlscale.live.alarms.sinks import Sink
from rlscale.live.alarms.stalled import Arrivals
from rlscale.live.alarms.state import restored
from rlscale.live.sight import CEILING_ERROR, Looker, Seen, Sight

__all__ = ["LedgerAlarms", "alarm_events"]

#: Sinks whose troubles an earlier watcher may have left open.
_SINKS = ("on-alarm", "webhook")
#: Appends that are asked for the usual interval between rows.
_APPENDS = 101


def alarm_events(events: Iterable[Event]) -> list[AlarmEvent]:
    """Return the alarms that events of a ledger keep."""
    return [AlarmEvent.of(event.document, event.at) for event in events if event.document is not None]


class LedgerAlarms:
    """Sends the alarms of the runs that a watcher leads on.

    Parameters
    ----------
    ledger : Ledger
    acting : bool
        Whether the watcher acts: a dry run, whose decisions are others, has alarms of its own.
    sinks, level
        As for :class:`rlscale.live.alarms.Announcer`.
    pause : float
        Seconds between two looks.
    clock : callable
        Returns seconds that only go forward.
    """

    def __init__(
        self,
        ledger: Ledger,
        *,
        acting: bool,
        sinks: Sequence[Sink] = (),
        level: str = "warn",
        pause: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ledger, self._acting = ledger, acting
        self._announcer, self._judge = Announcer(sinks, level), Judge()
        self._arrivals = Arrivals(clock, pause)
        self._epoch: int | None = None
        self._sight: Sight | None = None
        self._from_sight: list[Signal] = []
        self._whole: dict[int, tuple[object, Run]] = {}

    @property
    def open(self) -> tuple[Signal, ...]:
        """What began and is not over."""
        return self._announcer.open

    @property
    def busy(self) -> bool:
        """Whether an alarm is still to be sent."""
        return self._announcer.busy

    @property
    def awaited(self) -> bool:
        """Whether something is under way that the last pass waits for."""
        return self._announcer.awaited

    @property
    def kind(self) -> str:
        """What its events are called in the ledger."""
        return ALARM if self._acting else DRY_ALARM

    def look(
        self, lease: Lease, field: Sequence[Seen], sight: Sight | None, looker: Looker, read: Mapping[str, Run]
    ) -> tuple[AlarmEvent, ...]:
        """Send what is new of runs as they stand, and return it.

        Parameters
        ----------
        lease : Lease
        field : sequence of Seen
            The runs.
        sight : Sight, optional
            The latest look at them; None where the gate could not look.
        looker : Looker
            What made it.
        read : mapping of str to Run
            Runs as their logs were read, by name; of the others the ledger holds the logs.

        Raises
        ------
        LeaseLost
            Another watcher has taken over; nothing was sent.
        LedgerError
            The ledger cannot be read or written; nothing was sent.
        """
        if self._epoch != lease.epoch:
            self._announcer.state = restored(alarm_events(self._ledger.events.alarms(self.kind)))
            self._epoch = lease.epoch
        runs = self._wholes(field, read)
        signals, blind = self._judge.judged(runs)
        signals += self._stalled(field, runs, looker.settings.budget)
        signals += self._seen(sight, looker)
        over = {each.row.name for each in field if each.state in ("finished", "stopped")}
        return self._announcer.announce(
            signals, progress_of(runs), unjudged=blind, over=over, keep=lambda events: self._keep(lease, events)
        )

    def troubles(self) -> dict[str, str]:
        """Return what is wrong with each sink; an empty text where nothing is, or nothing is sent there any more."""
        return {**dict.fromkeys(_SINKS, ""), **self._announcer.troubles()}

    def close(self, patience: float) -> dict[str, str]:
        """Send what is left for so many seconds at most; return what is wrong with each sink, as above."""
        return self._announcer.close(patience)

    def _wholes(self, field: Sequence[Seen], read: Mapping[str, Run]) -> list[Run]:
        """Return runs with all that their logs hold."""
        own = [each for each in field if each.row.name not in read]
        appends = self._ledger.book.appends() if own else {}
        marks = {each.row.id: (each.seq, appends.get(each.row.id)) for each in own}
        grown = [each for each in own if self._whole.get(each.row.id, (None,))[0] != marks[each.row.id]]
        logs = self._ledger.book.logs([each.row for each in grown]) if grown else {}
        for each in grown:
            log, run = logs.get(each.row.id), each.run
            if log is not None:
                run = replace(run, series=log.series, metrics=log.metrics, config=log.config, source=log.source)
            self._whole[each.row.id] = (marks[each.row.id], run)
        return [
            read[each.row.name] if each.row.name in read else self._whole[each.row.id][1]
            for each in field
        ]  # fmt: skip

    def _stalled(self, field: Sequence[Seen], runs: Sequence[Run], budget: float) -> list[Signal]:
        going = []
        for each, run in zip(field, runs, strict=True):
            self._arrivals.note(run.name, mark_of(run), partial(self._ledger.book.arrivals, each.row.id, _APPENDS))
            if each.state == "running" and run.curve.compute_last < budget:
                going.append(run)
        return self._arrivals.signals(going)

    def _seen(self, sight: Sight | None, looker: Looker) -> list[Signal]:
        """Return what a look says of runs: verdicts, decisions, and who leads early and loses."""
        if sight is None or sight is self._sight:
            return self._from_sight
        fits = looker.fits(sight)
        found = decision_signals(sight.answer.decisions, sight.answer.unit, acting=self._acting)
        for each in fits:
            found += verdict_signals(each)
        self._sight, self._from_sight = sight, found + self._traps(fits, looker)
        return self._from_sight

    @staticmethod
    def _traps(fits: Sequence[Fit], looker: Looker) -> list[Signal]:
        fitted = [
            each if each.posterior is None
            else replace(each, posterior=replace(each.posterior, model_error=CEILING_ERROR))
            for each in fits
        ]  # fmt: skip
        try:
            return trap_signals(rank_best(fitted, target=looker.settings.end, seed_sd=looker.settings.seed_sd))
        except InputError:  # runs that cannot be compared: the gate says so
            return []

    def _keep(self, lease: Lease, events: Sequence[AlarmEvent]) -> None:
        self._ledger.events.alarm(
            lease,
            [
                NewEvent(
                    kind=self.kind, subject=f"{each.signal.kind} {each.signal.run}",
                    message=each.text if each.event == ONSET else WELL, document=each.document(),
                )
                for each in events
            ],
        )  # fmt: skip
