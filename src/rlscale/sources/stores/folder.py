"""A temporary folder that goes with its owner; what a killed process left is removed by the next one."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections.abc import Callable
from pathlib import Path

__all__ = ["temporary"]

_PREFIX = "rlscale-image-"
_LOCK = ".lock"


def temporary(owner: object) -> tuple[Path, Callable[[], object]]:
    """Return a new temporary folder and what removes it, which its owner's end and that of the process do too.

    A process that is killed removes nothing, so folders whose owner holds its lock no more are removed here.
    """
    place = Path(tempfile.gettempdir()).resolve()
    _sweep(place)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=place))
    lock = _locked(folder / f"{_LOCK}.new", os.O_CREAT)
    if lock is not None:
        os.rename(folder / f"{_LOCK}.new", folder / _LOCK)  # so that nobody sees it unlocked
    return folder, weakref.finalize(owner, _remove, folder, lock, os.getpid())


def _sweep(place: Path) -> None:
    for folder in place.glob(f"{_PREFIX}*"):
        lock = _locked(folder / _LOCK)
        if lock is not None:
            _remove(folder, lock, os.getpid())


def _locked(path: Path, how: int = 0) -> int | None:
    """Return a lock on a file; None where another process has it, or there are no such locks or no such file."""
    try:
        import fcntl

        lock = os.open(path, os.O_RDWR | how, 0o600)
    except (ImportError, OSError):
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return None
    return lock


def _remove(folder: Path, lock: int | None, process: int) -> None:
    if os.getpid() != process:  # a copy of the process does not own it
        return
    shutil.rmtree(folder, ignore_errors=True)
    if lock is not None:
        os.close(lock)
