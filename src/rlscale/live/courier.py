"""Carries decisions out: starts a command for each, without a shell, and sees how it ends without waiting for it."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from rlscale.errors import InputError

__all__ = ["Courier", "Ended", "check_program", "command_of"]

#: Commands that run at once.
MOST = 8
#: Seconds between asking a command to end and ending it.
GRACE = 5.0
#: Bytes kept of what a command printed.
KEPT = 2000


def command_of(text: str, option: str = "--on-decision") -> tuple[str, ...]:
    """Return the words of a command, as a shell would take them apart; nothing else of a shell is there.

    ``option`` is what it was given with, for errors.

    Raises
    ------
    InputError
        No command, or a quote without its end.
    """
    try:
        words = tuple(shlex.split(text))
    except ValueError as error:
        raise InputError(f"{option} {text!r} cannot be taken apart: {error}") from error
    if not words:
        what = {"--on-decision": "a decision", "--on-alarm": "an alarm"}[option]
        raise InputError(f"{option} is empty; give a program that reads {what} as JSON on its standard input")
    return words


def check_program(command: tuple[str, ...], option: str = "--on-decision") -> None:
    """Refuse a command whose program is not there, or may not be run; ``option`` as for :func:`command_of`.

    Raises
    ------
    InputError
        With what to do next.
    """
    program = command[0]
    if shutil.which(program) is not None:
        return
    there = Path(program)
    if there.is_dir():
        raise InputError(f"{option}: {program!r} is a folder; give the program in it")
    if there.exists():
        raise InputError(
            f"{option}: {program!r} may not be run; make it executable (chmod +x), or put what runs it before it: "
            f"'python {program}'"
        )
    raise InputError(
        f"{option}: there is no program {program!r}; give its path, or the name of one that a shell would find"
    )


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    Parameters
    ----------
    decision, attempt : int
    outcome : str
        ``done``, ``failed`` or ``timeout``.
    exit_code : int, optional
    said : str
        The end of what it printed.
    """

    decision: int
    attempt: int
    outcome: str
    exit_code: int | None
    said: str


@dataclass
class _Running:
    decision: int
    attempt: int
    process: subprocess.Popen[bytes]
    printed: IO[bytes]
    deadline: float
    asked: bool = False


class Courier:
    """Starts commands and watches them.

    Parameters
    ----------
    command : tuple of str
        The program and its arguments; it reads a decision, or an alarm, as JSON on its standard input.
    timeout : float
        Seconds after which a command is ended.
    clock : callable
        Returns seconds that only go forward.
    """

    def __init__(
        self, command: tuple[str, ...], timeout: float = 60.0, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._command, self._timeout, self._clock = command, timeout, clock
        self._running: list[_Running] = []

    @property
    def free(self) -> bool:
        """Whether another command may be started."""
        return len(self._running) < MOST

    @property
    def busy(self) -> bool:
        """Whether a command runs."""
        return bool(self._running)

    def start(self, decision: int, attempt: int, document: Mapping[str, Any]) -> Ended | None:
        """Start the command for a decision; return how it ended where it could not be started."""
        printed = tempfile.TemporaryFile()  # noqa: SIM115  open as long as the command runs
        try:
            with tempfile.TemporaryFile() as given:  # a file: a pipe that nobody reads would block
                given.write(json.dumps(document, allow_nan=False).encode())
                given.seek(0)
                process = subprocess.Popen(
                    self._command, stdin=given, stdout=printed, stderr=subprocess.STDOUT, start_new_session=True
                )
        except (OSError, ValueError) as error:
            printed.close()
            return Ended(decision, attempt, "failed", None, f"{self._command[0]} cannot be started: {error}")
        self._running.append(_Running(decision, attempt, process, printed, self._clock() + self._timeout))
        return None

    def ended(self) -> list[Ended]:
        """Return the commands that have ended since the last call; end those that take too long."""
        found, left = [], []
        now = self._clock()
        for one in self._running:
            code = one.process.poll()
            if code is None and now >= one.deadline:
                _kill(one.process, signal.SIGKILL if one.asked else signal.SIGTERM)
                one.asked, one.deadline = True, now + GRACE
            if code is None:
                left.append(one)
                continue
            outcome = "timeout" if one.asked else "done" if code == 0 else "failed"
            found.append(Ended(one.decision, one.attempt, outcome, code, _tail(one.printed)))
            if one.asked:
                _kill(one.process, signal.SIGKILL)  # what it started and left behind
        self._running = left
        return found

    def close(self) -> list[Ended]:
        """End all commands that still run, and return how they ended."""
        for one in self._running:
            one.asked = True
            _kill(one.process, signal.SIGKILL)
            one.process.wait()
        return self.ended()


def _kill(process: subprocess.Popen[bytes], how: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, how)


def _tail(printed: IO[bytes]) -> str:
    with printed:
        size = printed.seek(0, os.SEEK_END)
        printed.seek(max(0, size - KEPT))
        return printed.read().decode("utf-8", errors="replace").strip()
