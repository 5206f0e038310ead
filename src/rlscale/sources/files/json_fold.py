"""What the folds of JSON-lines logs share."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Self

from rlscale.sources.files.fold import Fold, forked
from rlscale.sources.repair import Row
from rlscale.sources.text import JsonLines

__all__ = ["JsonFold"]


class JsonFold(Fold):
    """Rows of JSON objects, one a line.

    Parameters
    ----------
    path : str
        The log, for messages.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.rows: list[Row] = []
        self._lines = JsonLines(path)
        self._torn: list[str] = []  # the ends of the files before this one

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        row = self._lines.parsed(number, line)
        if row is not None:
            self.take(number, row)

    @abstractmethod
    def take(self, number: int, row: dict[str, Any]) -> None:
        """Take the object of a line."""

    def fork(self) -> Self:
        """Return a copy that is fed on its own."""
        twin = forked(self)
        twin._lines = forked(self._lines)
        return twin

    def seal(self, rest: str) -> None:
        """Take the end of a file; a last line that is whole but for its line end counts."""
        if rest.strip() and self._lines.torn is None:
            self.feed(self._lines.last + 1, rest)
        self._torn.extend(self._lines.repairs())
        self._lines.torn = None

    def repairs(self) -> list[str]:
        """Return the sentences about lines left out because they are torn."""
        return [*self._torn, *self._lines.repairs()]
