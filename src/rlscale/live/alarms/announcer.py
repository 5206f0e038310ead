"""Alarms as they are sent: what is there now against what was sent, kept first, then given to the sinks."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from rlscale.live.alarms.present import worth
from rlscale.live.alarms.signal import AlarmEvent, Key, Progress, Signal
from rlscale.live.alarms.sinks import Sink
from rlscale.live.alarms.state import AlarmState, advanced

__all__ = ["Announcer"]


class Announcer:
    """Sends alarms once when they begin and once when they are over.

    Parameters
    ----------
    sinks : sequence of Sink
    level : str
        ``note``, ``warn`` or ``stop``: what is milder is not sent.
    """

    def __init__(self, sinks: Sequence[Sink] = (), level: str = "warn") -> None:
        self._sinks, self._level = tuple(sinks), level
        self.state: dict[Key, AlarmState] = {}

    @property
    def open(self) -> tuple[Signal, ...]:
        """What began and is not over, as it was sent."""
        return tuple(state.last.signal for state in self.state.values() if state.open)

    @property
    def busy(self) -> bool:
        """Whether an alarm is still to be sent."""
        return any(sink.busy for sink in self._sinks)

    @property
    def awaited(self) -> bool:
        """Whether something is under way that the last pass waits for."""
        return any(sink.busy for sink in self._sinks if sink.awaited)

    def announce(
        self,
        present: Iterable[Signal],
        progress: Mapping[str, Progress],
        *,
        unjudged: Collection[Key] = (),
        over: Collection[str] = (),
        keep: Callable[[Sequence[AlarmEvent]], None] = lambda _: None,
    ) -> tuple[AlarmEvent, ...]:
        """Send what is new, and return it.

        Parameters
        ----------
        present, progress, unjudged, over
            As for :func:`rlscale.live.alarms.state.advanced`.
        keep : callable
            Keeps events for later; where it raises, nothing is sent, and the next call tries again.
        """
        after, events = advanced(
            self.state, worth(present, self._level), progress, time.time(), unjudged=unjudged, over=over
        )
        if events:
            keep(events)
        self.state = after
        for event in events:
            for sink in self._sinks:
                sink.send(event)
        return events

    def troubles(self) -> dict[str, str]:
        """Return what is wrong with each sink; an empty text where nothing is."""
        return {sink.name: sink.trouble() for sink in self._sinks}

    def close(self, patience: float) -> dict[str, str]:
        """Send what is left for so many seconds at most; return what is wrong with each sink, as above."""
        deadline = time.monotonic() + patience
        return {sink.name: sink.close(max(deadline - time.monotonic(), 0.0)) for sink in self._sinks}
