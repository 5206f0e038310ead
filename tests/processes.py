"""Processes that tests start by the dozen, to kill them: forked from one that has imported what they need."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from tests.waiting import LIMIT, wait_until

#: Imported once; then a process starts within hundredths of a second, where the imports alone take more than one.
PRELOADED = [
    "rlscale.cli.live",
    "rlscale.live",
    "rlscale.ledger",
    "rlscale.render.watch",
    "psycopg",
    "tests.processes",
]


class Forked:
    """A process that calls a function, with its output in files; killed at the end of its ``with``, whatever happened.

    Parameters
    ----------
    folder : Path
        Where its output goes, to files that no other process writes.
    function : callable
        Of a module that can be imported.
    args
        Its arguments, which can be pickled.
    """

    def __init__(self, folder: Path, function: Callable[..., Any], *args: Any) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(PRELOADED)
        number = len(list(folder.glob("process*.out")))
        self._out, self._err = folder / f"process{number}.out", folder / f"process{number}.err"
        self._out.touch()
        self._process = context.Process(target=_run, args=(str(self._out), str(self._err), function, args))
        self._process.start()
        assert self._process.pid is not None
        self.pid: int = self._process.pid

    def poll(self) -> int | None:
        """Return the exit code, negative for a signal; None while it runs."""
        return self._process.exitcode

    def lines(self) -> list[str]:
        """Return the whole lines that it has printed; what a kill tore is none."""
        return [line for line in self._out.read_text(encoding="utf-8").splitlines(keepends=True) if line.endswith("\n")]

    def errors(self) -> str:
        """Return what it said on its standard error."""
        return self._err.read_text(encoding="utf-8") if self._err.exists() else ""

    def send(self, what: signal.Signals) -> None:
        """Send a signal."""
        os.kill(self.pid, what)

    def kill(self) -> None:
        """Kill it, and wait until it is gone."""
        self._process.kill()
        self.wait()

    def wait(self) -> int:
        """Wait until it ends; return its exit code."""
        self._process.join(LIMIT)
        code = self.poll()
        assert code is not None, f"process {self.pid} still runs after {LIMIT:g} s"
        return code

    def end(self) -> None:
        """Ask it to end, as a person or a scheduler would; it must do so without an error."""
        self.send(signal.SIGTERM)
        assert self.wait() == 0, self.errors()

    def freeze(self) -> None:
        """Stop it, as a machine that swaps or a debugger would, and wait until it stands still."""
        self.send(signal.SIGSTOP)
        stat = Path(f"/proc/{self.pid}/stat")
        wait_until(
            lambda: stat.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[0] == "T", self
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._process.close()


def command(*words: str) -> None:
    """Do what ``rlscale`` does with these words."""
    from rlscale.cli import main

    main(list(words))


def _run(out: str, err: str, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
    for path, number in ((out, 1), (err, 2)):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(file, number)
        os.close(file)
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115  open as long as the process
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    function(*args)
