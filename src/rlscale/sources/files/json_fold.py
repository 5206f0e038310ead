"""What the folds of JSON-lines logs share."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Mapping
from typing import Any, Self

from rlscale.sources.files.dialect import LONGEST_KEY
from rlscale.sources.files.fold import Fold, forked
from rlscale.sources.repair import Row
from rlscale.sources.repair import number as as_number
from rlscale.sources.text import JsonLines
from rlscale.sources.words import left_out

__all__ = ["JsonFold", "numbers_of"]

#: Levels of a row; what lies deeper is no metric.
_DEPTH = 16


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
        self._words: dict[str, tuple[int, int, str]] = {}  # by key: how many values are words; the first, its line

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

    def numbers(self, line: int, row: Mapping[str, Any], *, without: str = "") -> dict[str, float]:
        """Return :func:`numbers_of` a row; the words in it are counted."""
        words: dict[str, str] = {}
        values = numbers_of(row, without=without, words=words)
        for key, word in words.items():
            count, first, text = self._words.get(key, (0, line, word[:LONGEST_KEY]))
            self._words[key] = (count + 1, first, text)
        return values

    def repairs(self) -> list[str]:
        """Return the sentences about lines left out because they are torn, and about words among the numbers."""
        rows: Counter[str] = Counter()
        for _, values in self.rows if self._words else ():
            rows.update(key for key in values if key in self._words)
        among = [
            left_out(key, count, line, word, what="value")
            for key, (count, line, word) in self._words.items()
            if rows[key] > count
        ]
        return [*self._torn, *self._lines.repairs(), *among]


def numbers_of(row: Mapping[str, Any], *, without: str = "", words: dict[str, str] | None = None) -> dict[str, float]:
    """Return the numbers of a row; those of a level inside it get the key ``outer/inner``.

    Parameters
    ----------
    row : mapping of str to Any
        A row of JSON.
    without : str
        A level of the row that is no part of the keys; what stands beside it goes before it.
    words : dict, optional
        Takes the texts that are no numbers, by their keys.

    Examples
    --------
    >>> numbers_of({"step": 3, "critic": {"score": {"mean": 0.5}}})
    {'step': 3.0, 'critic/score/mean': 0.5}
    >>> numbers_of({"step": 3, "metrics": {"reward": 0.5}}, without="metrics")
    {'step': 3.0, 'reward': 0.5}
    """
    values: dict[str, float] = {}
    inside = row.get(without) if without else None
    texts = {} if words is None else words
    if not isinstance(inside, Mapping):
        _collect(row, "", _DEPTH, values, texts)
        return values
    _collect({key: value for key, value in row.items() if key != without}, "", _DEPTH, values, texts)
    inner: dict[str, float] = {}
    _collect(inside, "", _DEPTH, inner, texts)
    return {**values, **{key: value for key, value in inner.items() if key not in values}}


def _collect(row: Mapping[str, Any], prefix: str, depth: int, values: dict[str, float], words: dict[str, str]) -> None:
    for key, value in row.items():
        name = prefix + key
        if len(name) > LONGEST_KEY:
            continue
        if isinstance(value, dict):
            if depth > 1:
                _collect(value, f"{name}/", depth - 1, values, words)
            continue
        logged = as_number(value)
        if logged is not None:
            values[name] = logged
        elif isinstance(value, str):
            words[name] = value
