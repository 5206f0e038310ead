"""What the folds of JSON-lines logs share."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Self

from rlscale.sources.files.fold import Fold, forked
from rlscale.sources.limits import LONGEST_KEY
from rlscale.sources.repair import Row
from rlscale.sources.repair import number as as_number
from rlscale.sources.text import JsonLines, plural
from rlscale.sources.words import left_out

__all__ = ["JsonFold", "numbers_of"]

#: Keys of lists that a sentence names, and of those that are remembered.
_NAMED, _REMEMBERED = 3, 100


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
        self._words: dict[str, tuple[int, int, str]] = {}  # by key: how many values are words; the first, its line
        self._lists: dict[str, None] = {}  # keys of lists of numbers, which are no metrics

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
        """Return :func:`numbers_of` a row; the words and the lists in it are counted."""
        words: dict[str, str] = {}
        lists: list[str] = []
        values = numbers_of(row, without=without, words=words, lists=lists)
        if lists and len(self._lists) < _REMEMBERED:
            self._lists.update(dict.fromkeys(lists))
        for key, word in words.items():
            count, first, text = self._words.get(key, (0, line, word[:LONGEST_KEY]))
            self._words[key] = (count + 1, first, text)
        return values

    def note(self, sentence: str) -> None:
        """Add a sentence about what was left out."""
        self._torn.append(sentence)

    def repairs(self) -> list[str]:
        """Return the sentences about lines that are torn, and about words and lists among the numbers."""
        rows: Counter[str] = Counter()
        for _, values in self.rows if self._words else ():
            rows.update(key for key in values if key in self._words)
        among = [
            left_out(key, count, line, word, what="value")
            for key, (count, line, word) in self._words.items()
            if rows[key] > count
        ]
        if self._lists:
            more = len(self._lists) - _NAMED
            beside = f" and {plural(more, 'more key')}" if more > 0 else ""
            among.append(f"lists of numbers were left out: {', '.join(list(self._lists)[:_NAMED])}{beside}")
        return [*self._torn, *self._lines.repairs(), *among]


def numbers_of(
    row: Mapping[str, Any],
    *,
    without: str = "",
    words: dict[str, str] | None = None,
    lists: list[str] | None = None,
) -> dict[str, float]:
    """Return the numbers of a row; those of a level inside it, however deep, get the key ``outer/inner``.

    Parameters
    ----------
    row : mapping of str to Any
        A row of JSON.
    without : str
        A level of the row that is no part of the keys; what stands beside it goes before it.
    words : dict of str to str, optional
        Receives the words of the row, by key.
    lists : list of str, optional
        Receives the keys of lists of numbers, and the beginnings of names too long for a key.

    Examples
    --------
    >>> numbers_of({"step": 3, "critic": {"score": {"mean": 0.5}}})
    {'step': 3.0, 'critic/score/mean': 0.5}
    >>> numbers_of({"step": 3, "metrics": {"reward": 0.5}}, without="metrics")
    {'step': 3.0, 'reward': 0.5}
    """
    texts, left = {} if words is None else words, [] if lists is None else lists
    inside = row.get(without) if without else None
    if not isinstance(inside, Mapping):
        return _collected(row, texts, left)
    values = _collected({key: value for key, value in row.items() if key != without}, texts, left)
    inner = _collected(inside, texts, left)
    return {**values, **{key: value for key, value in inner.items() if key not in values}}


def _collected(row: Mapping[str, Any], words: dict[str, str], lists: list[str]) -> dict[str, float]:
    values: dict[str, float] = {}
    levels: list[tuple[str, Iterator[tuple[str, Any]]]] = [("", iter(row.items()))]
    while levels:
        prefix, items = levels[-1]
        for key, value in items:
            name = prefix + key
            if len(name) > LONGEST_KEY:
                lists.append(f"{name[:40]}...")
            elif isinstance(value, dict):
                levels.append((f"{name}/", iter(value.items())))
                break
            elif isinstance(value, list):
                if any(isinstance(one, int | float) and not isinstance(one, bool) for one in value[:3]):
                    lists.append(name)
            elif (logged := as_number(value)) is not None:
                values[name] = logged
            elif isinstance(value, str):
                words[name] = value
        else:
            levels.pop()
    return values
