"""What the folds of JSON-lines logs share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, Self

from rlscale.sources.files.dialect import LONGEST_KEY
from rlscale.sources.files.fold import Fold, forked
from rlscale.sources.repair import Row
from rlscale.sources.repair import number as as_number
from rlscale.sources.text import JsonLines

__all__ = ["JsonFold", "numbers_and_lists", "numbers_of"]


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
        self._torn: list[str] = []  # what was left out: the ends of the files before this one, ...

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

    def note(self, sentence: str) -> None:
        """Add a sentence about what was left out."""
        self._torn.append(sentence)

    def repairs(self) -> list[str]:
        """Return the sentences about lines left out because they are torn."""
        return [*self._torn, *self._lines.repairs()]


def numbers_of(row: Mapping[str, Any], *, without: str = "") -> dict[str, float]:
    """Return the numbers of a row; those of a level inside it, however deep, get the key ``outer/inner``.

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
    return numbers_and_lists(row, without=without)[0]


def numbers_and_lists(row: Mapping[str, Any], *, without: str = "") -> tuple[dict[str, float], list[str]]:
    """Return what :func:`numbers_of` returns, and the keys of lists of numbers and of names too long for a key."""
    left: list[str] = []
    inside = row.get(without) if without else None
    if not isinstance(inside, Mapping):
        return _collected(row, left), left
    values = _collected({key: value for key, value in row.items() if key != without}, left)
    inner = _collected(inside, left)
    return {**values, **{key: value for key, value in inner.items() if key not in values}}, left


def _collected(row: Mapping[str, Any], left: list[str]) -> dict[str, float]:
    values: dict[str, float] = {}
    levels: list[tuple[str, Iterator[tuple[str, Any]]]] = [("", iter(row.items()))]
    while levels:
        prefix, items = levels[-1]
        for key, value in items:
            name = prefix + key
            if len(name) > LONGEST_KEY:
                left.append(f"{name[:40]}...")
            elif isinstance(value, dict):
                levels.append((f"{name}/", iter(value.items())))
                break
            elif isinstance(value, list):
                if any(isinstance(one, int | float) and not isinstance(one, bool) for one in value[:3]):
                    left.append(name)
            elif (logged := as_number(value)) is not None:
                values[name] = logged
        else:
            levels.pop()
    return values
