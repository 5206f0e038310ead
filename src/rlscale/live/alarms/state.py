"""When an alarm is sent: once when it begins, once when it is over, and not each time that a value dances.

The rule. What is there is sent at once, and not again while it stays, unless it becomes graver or another decision.
It is over when it has not been there for a while of the run's own progress: :data:`CALM` rows or evaluations, twice as
many with every onset of the same alarm before. A value that goes to and fro over its threshold therefore sends a number
of events that grows with the logarithm of the length of the run. What cannot be judged now is not over.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from rlscale.health import SEVERITIES
from rlscale.live.alarms.signal import ONSET, RECOVERY, AlarmEvent, Key, Progress, Signal

__all__ = ["CALM", "AlarmState", "advanced", "restored"]

#: The while: evaluations for what is judged of the curve, logged rows for the others. The gate's own decisions have
#: their hysteresis in the gate; a run that logs again has not stalled.
CALM: Mapping[str, tuple[str, int]] = MappingProxyType(
    {
        "collapse": ("evaluations", 2),
        "resolved": ("evaluations", 2),
        "trap": ("evaluations", 2),
        "decision": ("evaluations", 0),
        "stalled": ("rows", 1),
    }
)
_MONITOR = ("rows", 3)
#: Doublings at most.
_MOST = 8


@dataclass(frozen=True)
class AlarmState:
    """How one alarm stands.

    Parameters
    ----------
    last : AlarmEvent
        What was sent last.
    there : Progress, optional
        How far the run was when the alarm was last there; None where that is not known yet.
    """

    last: AlarmEvent
    there: Progress | None = None

    @property
    def open(self) -> bool:
        """Whether it began and is not over."""
        return self.last.event == ONSET


def restored(events: Iterable[AlarmEvent]) -> dict[Key, AlarmState]:
    """Return the state after events, in their order.

    When an alarm was last there is not among them: it is taken to be when it began, so that it is over no later than it
    would be. Every onset still takes twice as long as the one before, and the number of events grows as slowly.
    """
    return {event.signal.key: AlarmState(event, event.reached) for event in events}


def advanced(
    before: Mapping[Key, AlarmState],
    present: Iterable[Signal],
    progress: Mapping[str, Progress],
    at: float,
    *,
    unjudged: Collection[Key] = (),
    over: Collection[str] = (),
) -> tuple[dict[Key, AlarmState], tuple[AlarmEvent, ...]]:
    """Return how alarms stand now, and what is to be sent.

    Parameters
    ----------
    before : mapping of Key to AlarmState
    present : iterable of Signal
        All that is there now, of all runs.
    progress : mapping of str to Progress
        Of all runs that were looked at; an alarm of another run stays as it is.
    at : float
        Unix time.
    unjudged : collection of Key
        What cannot be judged now.
    over : collection of str
        Runs of which nothing more will come: what is not there any more is over at once.

    Returns
    -------
    dict of Key to AlarmState
    tuple of AlarmEvent
    """
    after, events = dict(before), []
    here = {signal.key: signal for signal in present}
    for key, signal in here.items():
        reached = progress.get(signal.run)
        event = _onset(before.get(key), signal, at, reached)
        events += [] if event is None else [event]
        after[key] = AlarmState(event or before[key].last, reached)
    for key, state in before.items():
        reached = progress.get(key[0])
        if key in here or not state.open or reached is None or key in unjudged:
            continue
        there = state.there or reached
        begun_anew = reached.rows < there.rows or reached.evaluations < there.evaluations
        after[key] = AlarmState(state.last, reached if begun_anew else there)
        if key[0] in over or _calm(after[key], reached):
            event = AlarmEvent(
                event=RECOVERY, signal=state.last.signal, at=at, onsets=state.last.onsets, reached=reached
            )
            events.append(event)
            after[key] = AlarmState(event)
    return after, tuple(events)


def _onset(state: AlarmState | None, signal: Signal, at: float, reached: Progress | None) -> AlarmEvent | None:
    """Return the onset to be sent of what is there; None where it was sent."""
    onsets, before = 1 if state is None else state.last.onsets, None
    if state is not None and state.open:
        sent = state.last.signal
        graver = SEVERITIES.index(signal.severity) > SEVERITIES.index(sent.severity)
        if signal.state == sent.state and not graver:
            return None
        before = sent.severity if signal.state == sent.state else sent.state
    elif state is not None:
        onsets += 1
    return AlarmEvent(event=ONSET, signal=signal, at=at, onsets=onsets, before=before, reached=reached)


def _calm(state: AlarmState, reached: Progress) -> bool:
    """Whether an alarm has not been there for long enough."""
    assert state.there is not None
    counted, least = CALM.get(state.last.signal.kind, _MONITOR)
    gone: int = getattr(reached, counted) - getattr(state.there, counted)
    doublings: int = min(state.last.onsets - 1, _MOST)
    return gone >= least << doublings
