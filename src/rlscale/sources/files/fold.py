"""Files read line by line: what has been read so far is kept, so that a growing file need not be read again."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Self, TypeVar

from rlscale.sources.log import Log
from rlscale.sources.text import lines

__all__ = ["Fold", "NewFold", "forked", "read_lines"]


_T = TypeVar("_T")


def forked(thing: _T) -> _T:
    """Return a shallow copy whose lists, dictionaries and sets are its own."""
    twin = copy.copy(thing)
    for name, value in vars(thing).items():
        if isinstance(value, list | dict | set):
            setattr(twin, name, value.copy())
    return twin


class Fold(ABC):
    """What the lines of one log have told so far."""

    @abstractmethod
    def feed(self, number: int, line: str) -> None:
        """Take the next line, its number from 1, its end included.

        Raises
        ------
        SourceError
            The log cannot be read past this line.
        """

    @abstractmethod
    def done(self) -> list[Log]:
        """Return the runs of the lines; nothing may be fed after it (:meth:`fork` first).

        Raises
        ------
        SourceError
            The lines make no log.
        """

    @abstractmethod
    def fork(self) -> Self:
        """Return a copy that is fed on its own."""

    @abstractmethod
    def seal(self, rest: str) -> None:
        """Take the end of a file whose log goes on in another file, so that the first line of that can be fed.

        Parameters
        ----------
        rest : str
            The line that never got its end; empty where there is none. A row that is torn is left out.
        """


#: An empty fold of a log, given its path.
NewFold = Callable[[str], Fold]


def read_lines(path: Path, new: NewFold) -> list[Log]:
    """Return the runs of a whole file.

    Raises
    ------
    SourceError
        As its fold, or as :func:`rlscale.sources.text.line_blocks`.
    """
    fold = new(str(path))
    feed = fold.feed
    for number, line in enumerate(lines(path), start=1):
        feed(number, line)
    return fold.done()
