"""Alarms to a program: started for each without a shell, with the alarm as JSON on its standard input."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from rlscale.live.alarms.signal import AlarmEvent
from rlscale.live.courier import Courier, Ended

__all__ = ["AlarmCommand"]

#: Alarms that wait while as many commands run as may at once.
ROOM = 256


class AlarmCommand:
    """Starts a program for each alarm, once; one that fails or takes too long is told as trouble, and is not repeated.

    Parameters
    ----------
    courier : Courier
        Of the program.
    room : int
        Alarms that may wait; what comes beyond is dropped, and counted.
    """

    name, awaited = "on-alarm", True

    def __init__(self, courier: Courier, room: int = ROOM) -> None:
        self._courier, self._room = courier, room
        self._waiting: deque[tuple[int, AlarmEvent]] = deque()
        self._titles: dict[int, str] = {}
        self._number = self._dropped = 0
        self._why = ""

    @property
    def busy(self) -> bool:
        """Whether a command runs, or is to be started."""
        return bool(self._waiting) or self._courier.busy

    def send(self, event: AlarmEvent) -> None:
        """Start the command, or queue it where too many run."""
        if len(self._waiting) >= self._room:
            self._dropped += 1
            return
        self._number += 1
        self._titles[self._number] = event.title
        self._waiting.append((self._number, event))
        self._start()

    def trouble(self) -> str:
        """See how commands ended, start those that wait, and return what is wrong, or nothing."""
        for ended in self._courier.ended():
            self._note(ended)
        self._start()
        return self._told()

    def close(self, patience: float, *, pause: Callable[[float], None] = time.sleep) -> str:
        """Wait for the commands for so many seconds at most, then end them; return what is wrong, or nothing."""
        deadline = time.monotonic() + patience
        while self.busy and time.monotonic() < deadline:
            self.trouble()
            pause(0.02)
        for ended in self._courier.close():
            self._note(ended)
        self._dropped += len(self._waiting)
        self._waiting.clear()
        return self._told()

    def _start(self) -> None:
        while self._waiting and self._courier.free:
            number, event = self._waiting.popleft()
            failed = self._courier.start(number, 1, event.document())
            if failed is not None:
                self._note(failed)

    def _note(self, ended: Ended) -> None:
        title = self._titles.pop(ended.decision, "an alarm")
        if ended.outcome == "done":
            self._why = ""
            return
        how = "took too long" if ended.outcome == "timeout" else "failed"
        code = "" if ended.exit_code is None else f" (exit code {ended.exit_code})"
        self._why = f"the command for {title} {how}{code}: {ended.said[-300:] or 'it said nothing'}"

    def _told(self) -> str:
        dropped = f"{self._dropped} alarms were dropped: too many waited for commands" if self._dropped else ""
        return "; ".join(filter(None, (self._why, dropped)))
