"""Logs that are being written: read again and again, what has not changed only once."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from rlscale.curves import Run
from rlscale.errors import SourceError
from rlscale.left_out import LeftOut
from rlscale.sources import formats
from rlscale.sources.assemble import Named, assemble
from rlscale.sources.collect import folders_of, listed, named_logs
from rlscale.sources.copies import counted_once
from rlscale.sources.described import described
from rlscale.sources.discover import Found, by_name
from rlscale.sources.format import Stored, Tails
from rlscale.sources.log import ReadOptions
from rlscale.sources.readers import read_found
from rlscale.sources.reading import Reading, reading_of
from rlscale.sources.sessions import sessions_told
from rlscale.sources.settings_file import SETTINGS_FILE
from rlscale.sources.stores import Image
from rlscale.sources.tail import Descriptors, NotLinesError, Tail
from rlscale.sources.text import encoding_of, read_head

__all__ = ["Follower"]

#: Device, inode, size and time of change of a file and of what is read beside it; None: read at every look.
_Signature = tuple[tuple[int, int, int, int], ...] | None


class Follower:
    """Reads the same files and folders again and again while trainers write them.

    Parameters
    ----------
    paths : sequence of str or Path
        As for :func:`rlscale.sources.collect.collect`. New files of a folder are found at the next look.
    options : ReadOptions
        As for :func:`rlscale.sources.collect.collect`; ``strict`` is not heeded.
    once : bool
        Whether runs that are copies of one another count once: for who shows runs. Whoever decides on them has jobs to
        tell apart, which may be equal for a while.
    image : Image, optional
        What another follower has fetched from stores.
    """

    def __init__(
        self,
        paths: Sequence[str | Path],
        options: ReadOptions | None = None,
        *,
        once: bool = False,
        image: Image | None = None,
    ) -> None:
        self._paths = folders_of(paths)
        self._local = self._paths  # as files
        self._once = once
        self.image = image or Image()
        self._options = replace(options or ReadOptions(), strict=False)
        self._held: dict[Path, _Held] = {}
        self._open = Descriptors()
        weakref.finalize(self, self._open.close_all)
        self._looks: dict[tuple[Callable[[Path], float], Path], tuple[_Signature, float]] = {}
        self._files: list[Found] = []
        self._seen: tuple[list[Found], list[Path], list[str], _Signature] | None = None
        self._last: Reading | None = None

    def poll(self) -> Reading:
        """Read what changed since the last call.

        Returns
        -------
        Reading
            What :func:`rlscale.sources.collect.collect` gives for the files as they are now, except that a log that
            was rotated or erased keeps its earlier rows, and that the runs of a file that is gone, or cannot be read
            any more, stay as they were, beside its error. The very object of the last call where nothing changed.

        Raises
        ------
        ChoiceError
            Several metrics or compute axes could be meant.
        InputError
            An option that cannot be, or no path.
        """
        self._local, failed = self.image.fetched(self._paths)
        listing = listed(self._local, self._options, self._looked) if self._local or not failed else ([], [], [])
        files, errors, beside = listing
        errors = [*failed, *errors]
        gone = self._gone(files)
        errors = [error for error in errors if Path(error.path) not in gone]
        self._files = _with_gone(files, self._files, gone)
        changed = self._refreshed(files)
        stated = _signature_of(*(Path(path) / SETTINGS_FILE for path in self._local))
        seen = (self._files, list(gone), [str(error) for error in (*errors, *beside)], stated)
        if self._last is not None and not changed and seen == self._seen:
            return self._last
        self._last, self._seen = None, seen  # so that an error of the options is raised again
        errors.extend(SourceError(str(path), "is gone; what it held before is kept") for path in gone)
        self._last = self._reading(errors, beside)
        return self._last

    def close(self) -> None:
        """Close the files that are kept open; :meth:`poll` opens them again."""
        self._open.close_all()
        for held in self._held.values():
            held.close()

    def _gone(self, files: Sequence[Found]) -> list[Path]:
        """Return the files that were read before and are not there."""
        here = {found.path for found in files}
        lost = [found.path for found in self._files if found.path not in here and not found.uri]
        if not lost:
            return []
        homes = {_home(path) for path in here} - {None}
        known = {state[:2] for path in here for state in _signature_of(path)[:1]}
        gone = []
        for path in lost:
            held = self._held.get(path)
            if held is None or held.logs is None or os.path.exists(path):
                continue
            replaced = _home(path) in homes  # a checkpoint that a later one replaced
            if not replaced and here.isdisjoint(path.parents) and held.identity not in known:
                gone.append(path)
        return gone

    def _refreshed(self, files: Sequence[Found]) -> bool:
        """Read the files that changed; say whether any did."""
        signatures = {found.path: _signature(found) for found in files}
        here = {signature[0][:2]: path for path, signature in signatures.items() if signature}
        for path in self._held.keys() - {found.path for found in self._files}:
            self._forget(path)
        changed = False
        for found in files:
            path, signature = found.path, signatures[found.path]
            held = self._held.get(path)
            # renamed within what is followed: its rows are read under the new name
            moved = held is not None and held.identity != (signature[0][:2] if signature else None)
            if held is not None and moved and here.get(held.identity or (-1, -1), path) != path:
                self._forget(path)
            held = self._held.setdefault(path, _Held(self._open, self._options))
            changed = held.refresh(found, signature) or changed
        self._open.close_idle()
        return changed

    def _forget(self, path: Path) -> None:
        held = self._held.pop(path, None)
        if held is not None:
            held.close()
        self._open.close(path)

    def _looked(self, look: Callable[[Path], float], path: Path) -> float:
        """Return what a look into a file says, from memory where it has not changed."""
        signature = _signature_of(path)
        known = self._looks.get((look, path))
        if known is None or known[0] != signature:
            known = self._looks[look, path] = (signature, look(path))
        return known[1]

    def _reading(self, errors: list[SourceError], beside: Sequence[SourceError]) -> Reading:
        stale: list[SourceError] = []

        def held(found: Found) -> Sequence[Stored]:
            one = self._held[found.path]
            if one.logs is None:
                raise one.error or SourceError(str(found.path), "is gone")
            if one.error is not None:
                stale.append(one.error)
            return one.logs

        beside = list(beside)
        named = named_logs(self._files, errors, self._options, held, image=self.image.root)
        named = self.image.logs(described(named, self._local, beside))
        errors = self.image.errors([*errors, *stale])
        runs, copies = self._assembled(named, errors), list[LeftOut]()
        if self._once:
            runs, copies = counted_once(sessions_told(runs))
        return reading_of(runs, named, errors, self.image.errors(beside), copies)

    def _assembled(self, named: Sequence[Named], errors: list[SourceError]) -> list[Run]:
        """Return the runs; a file that none can be made of does not stop the others."""
        while named:
            try:
                with np.errstate(over="ignore", invalid="ignore"):
                    runs, left_out = assemble(named, self._options)
            except SourceError as error:
                errors.append(error.with_traceback(None))
                rest = [one for one in named if one.log.path != error.path]
                named = rest if len(rest) < len(named) else []
            else:
                errors.extend(left_out)
                return runs
        return []


class _Held:
    """What was last read of a file, folder or address, and why it could not be read the last time."""

    def __init__(self, files: Descriptors, options: ReadOptions) -> None:
        self._options = options
        self.logs: Sequence[Stored] | None = None
        self.error: SourceError | None = None
        self._files = files
        self._signature: _Signature = None
        self._tail: Tail | None = None
        self._there: Tails | None = None

    @property
    def identity(self) -> tuple[int, int] | None:
        """Device and inode of a file that is read line by line."""
        return self._tail.identity if self._tail is not None else None

    def refresh(self, found: Found, signature: _Signature) -> bool:
        """Read what changed; say whether anything may have."""
        if signature is not None and signature == self._signature:
            return False
        logs, said = self.logs, str(self.error)
        self._signature = signature
        try:
            self.logs, self.error = self._read(found), None
        except SourceError as error:
            self.error = error.with_traceback(None)
            if isinstance(error.__cause__, OSError):  # the system may allow it the next time
                self._signature = None
        except OSError as error:
            self._signature = None
            self.error = SourceError(str(found.path), f"cannot be read ({error.strerror or error}); check the disk")
        return self.logs is not logs or str(self.error) != said

    def _read(self, found: Found) -> Sequence[Stored]:
        path = found.path
        if found.uri:
            return self._of_address(found)
        if by_name(path) or path.is_dir():
            return read_found(found, self._options)
        if self._tail is None:
            head = read_head(path)
            form = formats.of_file(path, head) if head else None
            if form is None or form.fold is None or not encoding_of(head).startswith("utf-8"):
                return read_found(found, self._options)
            self._tail = Tail(path, self._files, self._options)
        try:
            return self._tail.look()
        except NotLinesError:
            self._tail = None
            self._files.close(path)
            return read_found(found, self._options)

    def _of_address(self, found: Found) -> Sequence[Stored]:
        """Return what is there: where its format reads on from the last look, the very sequence of that."""
        form = formats.of_scheme(found.uri.partition(":")[0])
        if form is None or form.address is None or form.address.tail is None:
            return read_found(found, self._options)
        if self._there is None:
            self._there = form.address.tail(found.uri)
        return self._there.look()

    def close(self) -> None:
        """Close what is kept open and is no file."""
        if self._there is not None:
            self._there.close()


def _signature(found: Found) -> _Signature:
    """Return what tells whether a file changed; None for what is read at every look."""
    path = found.path
    if found.uri:
        return None
    try:
        beside = formats.companions_of(path)
    except OSError:
        return None
    return None if beside is None else _signature_of(path, *beside) or None


def _signature_of(*paths: Path) -> tuple[tuple[int, int, int, int], ...]:
    found = []
    for path in paths:
        try:
            state = os.stat(path)
        except OSError:
            continue
        found.append((state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns))
    return tuple(found)


def _home(path: Path) -> Path | None:
    """Return the folder of the run whose history a file repeats."""
    known = formats.checkpoint_of(path)
    return None if known is None else known[1].home


def _with_gone(files: Sequence[Found], before: Sequence[Found], gone: Sequence[Path]) -> list[Found]:
    """Return the files, those that are gone each behind the one that it stood behind."""
    merged = list(files)
    last: Path | None = None
    for found in before:
        if found.path in gone:
            place = next((k for k, one in enumerate(merged) if one.path == last), -1)
            merged.insert(place + 1, found)
        last = found.path
    return merged
