"""One log that grows: only what was appended is read, and what it held before it was rotated or erased is kept."""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from rlscale.errors import EmptyError, SourceError
from rlscale.sources import formats
from rlscale.sources.files.fold import Fold
from rlscale.sources.format import Format
from rlscale.sources.log import Log, ReadOptions
from rlscale.sources.text import HEAD_BYTES, Utf8Lines, encoding_of

__all__ = ["Descriptors", "NotLinesError", "Tail"]

#: Two contents that begin with the same bytes, up to this many, are one, written again.
_SAME = 1 << 16

#: The bytes before the end that show whether a file was appended to or written again.
_LAST = 1 << 12

_BLOCK = 1 << 20

_MOST_OPEN = 128
_IDLE_S = 3600.0


class NotLinesError(Exception):
    """The file is not, or no longer, one that is read line by line."""


class Descriptors:
    """The files kept open, so that the end of one that was renamed can still be read.

    Parameters
    ----------
    most : int
        Files open at a time; those that changed last stay open.
    idle : float
        Seconds after which a file that does not change is closed.
    """

    def __init__(self, most: int = _MOST_OPEN, idle: float = _IDLE_S) -> None:
        self._most, self._idle = most, idle
        self._open: OrderedDict[Path, tuple[FileIO, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._open)

    def of(self, path: Path) -> FileIO | None:
        """Return the open file that was last read under a name."""
        held = self._open.get(path)
        return held[0] if held is not None else None

    def keep(self, path: Path, file: FileIO) -> None:
        """Keep the file of a name open, in place of the one before; note that it changed now."""
        held = self._open.pop(path, None)
        if held is not None and held[0] is not file:
            held[0].close()
        self._open[path] = (file, time.monotonic())
        while len(self._open) > self._most:
            self.close(next(iter(self._open)))

    def close(self, path: Path) -> None:
        """Close the file of a name, where one is open."""
        held = self._open.pop(path, None)
        if held is not None:
            held[0].close()

    def close_idle(self) -> None:
        """Close the files that have not changed for long."""
        since = time.monotonic() - self._idle
        for path in [path for path, (_, changed) in self._open.items() if changed < since]:
            self.close(path)

    def close_all(self) -> None:
        """Close every file."""
        for path in list(self._open):
            self.close(path)


@dataclass
class _Content:
    """What was read of a file from its first byte on: the rows of ``base``, those of files before it, and its own."""

    form: Format
    base: Fold | None
    base_lines: int
    fold: Fold
    lines: Utf8Lines
    head: bytes = b""
    last: bytes = b""
    size: int = 0
    seen: tuple[int, int, int, int] = (0, 0, 0, 0)
    error: SourceError | None = None

    @classmethod
    def after(
        cls, path: Path, form: Format, options: ReadOptions | None, base: Fold | None = None, base_lines: int = 0
    ) -> _Content:
        """Return a content of which nothing is read, whose rows follow those of ``base``."""
        fold = form.new_fold(path, options) if base is None else base.fork()
        return cls(form, base, base_lines if base is not None else 0, fold, Utf8Lines(str(path)))

    def grow(self, file: FileIO, until: int) -> None:
        """Read on up to the byte ``until``."""
        while self.size < until:
            block = _bytes_at(file, self.size, min(_BLOCK, until - self.size))
            if not block:
                return
            if len(self.head) < _SAME:
                self.head += block[: _SAME - len(self.head)]
            self.last = (self.last + block)[-_LAST:]
            self.size += len(block)
            if self.error is None:
                self._take(block)

    def _take(self, block: bytes) -> None:
        number = self.base_lines + self.lines.number
        try:
            for line in self.lines.feed(block):
                number += 1
                self.fold.feed(number, line)
        except SourceError as error:  # and no line after it can mend that
            self.error = error.with_traceback(None)

    def logs(self) -> list[Log]:
        """Return the runs so far, a last line that has no end yet included."""
        if self.error is not None:
            raise self.error
        fold = self.fold.fork()
        for line in self.lines.rest():
            fold.feed(self.base_lines + self.lines.number + 1, line)
        return fold.done()

    def goes_on(self, file: FileIO, head: bytes, size: int) -> bool:
        """Whether the file holds this content, and more."""
        if size <= self.size or head[: len(self.head)] != self.head:
            return False
        return _bytes_at(file, self.size - len(self.last), len(self.last)) == self.last

    def ended(self) -> tuple[Fold | None, int]:
        """Return the rows, and the number of lines, that another file goes on from."""
        if self.error is not None:
            return self.base, self.base_lines
        try:
            rest = "".join(self.lines.rest())
        except SourceError:  # half a character
            rest = ""
        fold = self.fold.fork()
        try:
            fold.seal(rest)
        except SourceError:  # the unfinished line is no row
            fold = self.fold.fork()
            fold.seal("")
        return fold, self.base_lines + self.lines.number + 1


class Tail:
    """A file that is read line by line, again and again.

    Where its name comes to stand for another content (the file was renamed, emptied or written anew), the rows of the
    new content follow those of the old: a resume that erases the log keeps its history. Only a content that begins
    with the same bytes as the old one replaces it: the writer writes the whole file each time.

    Parameters
    ----------
    path : Path
        The file.
    files : Descriptors
        Keeps it open.
    options : ReadOptions, optional
        What its rows are read with.
    """

    def __init__(self, path: Path, files: Descriptors, options: ReadOptions | None = None) -> None:
        self.path = path
        self._files = files
        self._options = options
        self._target = ""  # where the name led to
        self._now: _Content | None = None
        self._before: _Content | None = None  # while it is open whether the content of now replaces it

    @property
    def identity(self) -> tuple[int, int] | None:
        """Device and inode of the content read last."""
        return self._now.seen[:2] if self._now is not None else None

    def look(self) -> list[Log]:
        """Read what is new; return the runs.

        Raises
        ------
        SourceError
            It cannot be read in its format.
        NotLinesError
            It is no file that is read line by line.
        OSError
            The system refuses.
        """
        file, seen = self._opened()
        now, size = self._now, seen[2]
        if now is None or now.seen != seen:
            head = _bytes_at(file, 0, min(size, HEAD_BYTES if now is None or now.size < HEAD_BYTES else _SAME))
            if now is not None and self._before is None and now.goes_on(file, head, size):
                self._append(now, file, head, size)
            else:
                self._before = self._before or now
                self._begin(file, head, size)
            assert self._now is not None
            self._now.seen = seen
        assert self._now is not None
        return self._now.logs()

    def _opened(self) -> tuple[FileIO, tuple[int, int, int, int]]:
        """Return the file that has the name, open; the end of one that had it before is read first."""
        held = self._files.of(self.path)
        there = _seen(os.stat(self.path))
        if held is not None:
            known = _seen(os.fstat(held.fileno()))
            if known[:2] == there[:2]:
                self._files.keep(self.path, held)
                return held, known
            if self._now is not None and self._now.seen[:2] == known[:2]:
                self._now.grow(held, known[2])
        target = os.path.realpath(self.path)
        if target != self._target:  # a link that was led to another log: nothing was rotated
            self._target, self._now, self._before = target, None, None
        file = FileIO(self.path, "rb")
        self._files.keep(self.path, file)
        return file, _seen(os.fstat(file.fileno()))

    def _append(self, now: _Content, file: FileIO, head: bytes, size: int) -> None:
        """Read on; the first lines of a file may tell another format than its first bytes did."""
        if now.size < HEAD_BYTES and (now.base is None or b"\n" in head):
            form = self._format(head)
            if form is not now.form:
                now = self._now = _Content.after(self.path, form, self._options)
        now.grow(file, size)

    def _begin(self, file: FileIO, head: bytes, size: int) -> None:
        """Read a content from its first byte."""
        before = self._before
        if before is None:
            content = _Content.after(self.path, self._format(head), self._options)
            decided = True
        else:
            most = min(len(before.head), len(head))
            same = before.head[:most] == head[:most]
            decided = not same or most == len(before.head)
            if not decided and b"\n" not in head:  # emptied, and the first line of what follows is being written
                self._now = None
                raise SourceError(str(self.path), "was emptied; what it held before is kept until new lines come")
            form = self._format(head) if b"\n" in head else before.form
            base, base_lines = (before.base, before.base_lines) if same else before.ended()
            content = _Content.after(self.path, form, self._options, base if form is before.form else None, base_lines)
        content.grow(file, size)
        self._now = content
        if decided:
            self._before = None

    def _format(self, head: bytes) -> Format:
        if not head:
            raise EmptyError(str(self.path), "the file is empty; nothing was logged yet")
        form = formats.of_file(self.path, head)
        if form is None or form.fold is None or not encoding_of(head).startswith("utf-8"):
            raise NotLinesError
        return form


def _seen(state: os.stat_result) -> tuple[int, int, int, int]:
    return state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns


def _bytes_at(file: FileIO, place: int, count: int) -> bytes:
    """Return ``count`` bytes, fewer where the file ends before."""
    file.seek(place)
    parts = []
    while count > 0 and (part := file.read(count)):
        parts.append(part)
        count -= len(part)
    return b"".join(parts)
