"""What the folds of JSON-lines logs share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Self

from rlscale.sources.files.fold import Fold, forked
from rlscale.sources.limits import LONGEST_KEY, ROW_DEPTH
from rlscale.sources.repair import Row
from rlscale.sources.repair import number as as_number
from rlscale.sources.text import JsonLines

__all__ = ["JsonFold", "numbers_of"]


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


def numbers_of(row: Mapping[str, Any], *, without: str = "") -> dict[str, float]:
    """Return the numbers of a row; those of a level inside it get the key ``outer/inner``.

    Parameters
    ----------
    row : mapping of str to Any
        A row of JSON.
    without : str
        A level of the row that is no part of the keys; what stands beside it goes before it.

    Examples
    --------
    >>> numbers_of({"step": 3, "critic": {"score": {"mean": 0.5}}})
    {'step': 3.0, 'critic/score/mean': 0.5}
    >>> numbers_of({"step": 3, "metrics": {"reward": 0.5}}, without="metrics")
    {'step': 3.0, 'reward': 0.5}
    """
    values: dict[str, float] = {}
    inside = row.get(without) if without else None
    if not isinstance(inside, Mapping):
        _collect(row, "", ROW_DEPTH, values)
        return values
    _collect({key: value for key, value in row.items() if key != without}, "", ROW_DEPTH, values)
    inner: dict[str, float] = {}
    _collect(inside, "", ROW_DEPTH, inner)
    return {**values, **{key: value for key, value in inner.items() if key not in values}}


def _collect(row: Mapping[str, Any], prefix: str, depth: int, values: dict[str, float]) -> None:
    for key, value in row.items():
        name = prefix + key
        if len(name) > LONGEST_KEY:
            continue
        if isinstance(value, dict):
            if depth > 1:
                _collect(value, f"{name}/", depth - 1, values)
            continue
        logged = as_number(value)
        if logged is not None:
            values[name] = logged
