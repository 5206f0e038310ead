"""What a printed log's dialects share: rows collected line by line, keys bounded, torn rows refused."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Collection
from typing import ClassVar, Self

from rlscale.errors import SourceError
from rlscale.sources.files.fold import forked
from rlscale.sources.history import History, of_rows
from rlscale.sources.limits import MOST_KEYS
from rlscale.sources.repair import Row
from rlscale.sources.trainers.trainer import Trainer

__all__ = ["Dialect", "Keys", "unframed"]


_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_RAY = re.compile(r"\((?:\w|[.-])+ (?:pid|ip)=[^)\n]{0,200}\) ?")


class Keys:
    """The keys seen so far, bounded: a file with more than any run logs is damaged or made up."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._seen: set[str] = set()

    def check(self, keys: Collection[str]) -> None:
        """Take note of the keys of a row.

        Raises
        ------
        SourceError
            There are more than :data:`MOST_KEYS` together.
        """
        if not self._seen.issuperset(keys):
            self._seen.update(keys)
            if len(self._seen) > MOST_KEYS:
                raise SourceError(self._path, f"holds more than {MOST_KEYS:,} different keys; is this a log?")


class Dialect(ABC):
    """One way of printing metrics; fed the lines of a log in order, it collects rows.

    Parameters
    ----------
    path : str
        The log, for messages.
    """

    name: ClassVar[str]
    trainer: ClassVar[Trainer]

    def __init__(self, path: str) -> None:
        self.path = path
        self.rows: list[Row] = []
        self.keys = Keys(path)
        self.torn: tuple[int, str] | None = None
        self.sealed: list[str] = []  # about rows that were torn where one file ended and the next goes on

    @property
    def started(self) -> bool:
        """Whether a row of this dialect was seen."""
        return bool(self.rows) or self.torn is not None

    @abstractmethod
    def feed(self, position: int, line: str) -> None:
        """Take the next line, its number from 1, its end included.

        Raises
        ------
        SourceError
            A row before this line is torn.
        """

    def add(self, step: float, values: dict[str, float]) -> None:
        """Collect a row."""
        self.keys.check(values.keys())
        self.rows.append((step, values))

    def tear(self, position: int, step: float, how: str) -> None:
        """Note a row that has no end; it may be the last line, being written."""
        self.torn = (position, f"line {position} (step {step:g}) is torn: {how}")

    def refuse_torn(self, line: str) -> None:
        """Refuse a log that goes on after a torn row.

        Raises
        ------
        SourceError
            ``line`` is not blank and a row before it is torn.
        """
        if self.torn is not None and not line.isspace():
            raise SourceError(self.path, f"{self.torn[1]}; repair or remove the line")

    def fork(self) -> Self:
        """Return a copy that is fed on its own."""
        twin = forked(self)
        twin.keys = forked(self.keys)
        return twin

    def seal(self) -> None:
        """Take the end of a file whose log goes on in another one: a row that is torn there is left out."""
        if self.torn is not None:
            self.sealed.append(self._left_out())
            self.torn = None

    def _left_out(self) -> str:
        return f"the last row (line {self.torn[0]}) is torn and was left out" if self.torn else ""

    def histories(self, form: str) -> list[History]:
        """Return the runs of the rows, resumes repaired; ``form`` names the container.

        Raises
        ------
        SourceError
            A row in the middle is torn.
        """
        repairs = [*self.sealed, self._left_out()] if self.torn else self.sealed
        rows = self.trainer.rows(self.rows) if self.trainer.rows else self.rows
        return of_rows(rows, self.path, form, repairs=repairs)


def unframed(line: str) -> str:
    """Return a line without colours and without the process that Ray names before it."""
    if "\x1b" in line:
        line = _COLOUR.sub("", line)
    match = _RAY.match(line) if line.startswith("(") else None
    return line[match.end() :] if match else line
