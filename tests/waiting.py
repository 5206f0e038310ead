"""How tests wait: for a state, however long the machine takes. Time decides nothing but that a test hangs."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol, TypeVar

T = TypeVar("T")

#: Seconds after which what was waited for is taken for a hang; no healthy machine, however busy, needs as long.
LIMIT = 300.0
#: Seconds between two looks at what is waited for.
PAUSE = 0.02


class Process(Protocol):
    """What can be asked whether it still runs: a :class:`subprocess.Popen`, a :class:`tests.processes.Forked`."""

    def poll(self) -> int | None:
        """Return the exit code; None while the process runs."""


def wait_until(state: Callable[[], T], *processes: Process) -> T:
    """Return the first true value of ``state``; fail at once where a process that is to bring it about has ended."""
    end = time.monotonic() + LIMIT
    while True:
        codes = [process.poll() for process in processes]
        value = state()  # after the codes: a process may end with what is waited for
        if value:
            return value
        assert set(codes) <= {None}, f"a process ended with exit code {codes} before what is waited for"
        assert time.monotonic() < end, f"not within {LIMIT:g} s"
        time.sleep(PAUSE)


class Clock:
    """A clock that moves when a test moves it, for code that is given its clock."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds
