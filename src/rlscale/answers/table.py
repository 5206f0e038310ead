"""Tables of an answer: typed columns, rows of plain cells, and how each cell reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rlscale.answers import numbers
from rlscale.answers.numbers import UNKNOWN
from rlscale.answers.palette import verdict_words
from rlscale.inference import Interval, VerdictName

__all__ = ["Cell", "Column", "FlatCell", "Table"]

Cell = str | int | float | bool | Interval | None
FlatCell = str | int | float | bool | None
Bounds = tuple[float, float]
#: What an interval is called in a flat table: the median under the column's own name.
_ENDS = (("", "q50"), ("_q10", "q10"), ("_q90", "q90"))
#: Kinds whose cells are words.
_WORDS = ("text", "name", "verdict", "decision")


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Parameters
    ----------
    key : str
        Its name in CSV and in a DataFrame, as in the JSON.
    heading : str
        Its name for people; a line end where a terminal may break it.
    kind : str
        Words: ``text``, ``name`` (of a run or recipe, folded where it is long), ``verdict``, ``decision``; ``label``,
        a number that is written out already. Numbers:
        ``count``, ``number``, ``fine`` (four decimals), ``decimal`` (one decimal), ``probability``, ``share``,
        ``percent`` and ``cut`` (in per cent, with one decimal, none, and as many as it has), ``compute``, ``reward``,
        ``error`` (a difference of rewards, one decimal more), ``effect`` (one with its sign). Numbers
        also as an :class:`Interval`.
    audience : str
        ``all``, ``people`` (no CSV, no DataFrame) or ``programs``.
    spare : bool
        Left out where there is little room.
    best : int
        Marks the best of each group of rows: -1 the lowest, 1 the highest, 0 none.
    bar : bool
        A page draws the interval, or the probability, as a bar.
    hint : str
        What the heading means, in a sentence: a page tells it who points at it.
    """

    key: str
    heading: str = ""
    kind: str = "text"
    audience: str = "all"
    spare: bool = False
    best: int = 0
    bar: bool = False
    hint: str = ""

    @property
    def words(self) -> bool:
        """Whether its cells are words: they stand at the left, numbers at the right."""
        return self.kind in _WORDS

    @property
    def title(self) -> str:
        """The heading on one line."""
        return self.heading.replace("\n80 %", ", 80 %").replace("\n", " ").strip()


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table.

    Parameters
    ----------
    name : str
        As a key, ``runs``.
    columns : tuple of Column
    rows : tuple of tuple
        A cell for each column: numbers as they are, None where unknown.
    title : str
    note : str
    bounds : (float, float)
        Of the metric: how many decimals a reward has.
    row_bounds : tuple of (float, float)
        Of each row, where they differ.
    row_units : tuple of str
        Written behind the computes of each row, where neither the note nor a heading says their unit.
    bold : tuple of int
        Rows that stand out.
    group : str
        Key of the column whose change begins a new group of rows; its cells are written once a group.
    coloured : bool
        Rows have the colours of recipes by their order, as in the charts.
    on_page_only : bool
        A terminal and a notebook leave it out.
    places : tuple of int
        Place of each row among all, where these are some of them: it gives the colour.
    open_ends : frozenset of (int, str)
        Row and column of the intervals whose upper end is as far as anybody looked, not a quantile.
    """

    name: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    title: str = ""
    note: str = ""
    bounds: Bounds = (0.0, 1.0)
    row_bounds: tuple[Bounds, ...] = ()
    row_units: tuple[str, ...] = ()
    bold: tuple[int, ...] = ()
    group: str = ""
    coloured: bool = False
    on_page_only: bool = False
    places: tuple[int, ...] = ()
    open_ends: frozenset[tuple[int, str]] = frozenset()

    @property
    def shown(self) -> tuple[int, ...]:
        """Places of the columns for people."""
        return tuple(k for k, column in enumerate(self.columns) if column.audience != "programs")

    def place(self, key: str) -> int:
        """Return the place of a column."""
        return next(k for k, column in enumerate(self.columns) if column.key == key)

    def flat(self) -> tuple[tuple[str, ...], list[tuple[FlatCell, ...]]]:
        """Return the names and rows of a table of plain values for programs: an interval fills three columns."""
        places = [k for k, column in enumerate(self.columns) if column.audience != "people"]
        wide = {k: any(isinstance(row[k], Interval) for row in self.rows) for k in places}
        names: list[str] = []
        for k in places:
            key = self.columns[k].key
            names += [f"{key}{end}" for end, _ in _ENDS] if wide[k] else [key]
        return tuple(names), [self._plain(row, places, wide) for row in self.rows]

    @staticmethod
    def _plain(row: tuple[Cell, ...], places: list[int], wide: dict[int, bool]) -> tuple[FlatCell, ...]:
        cells: list[FlatCell] = []
        for k in places:
            cell = row[k]
            if isinstance(cell, Interval):
                cells += [getattr(cell, end) for _, end in _ENDS]
            else:
                cells += [cell, None, None] if wide[k] else [cell]
        return tuple(cells)

    def starts(self, row: int) -> bool:
        """Return whether a row begins a group; every row does where there are none."""
        if not self.group:
            return True
        k = self.place(self.group)
        return row == 0 or self.rows[row][k] != self.rows[row - 1][k]

    def text(self, row: int, place: int) -> tuple[str, str]:
        """Return a cell as people read it, and the ends of its interval, empty where there is none."""
        column, cell = self.columns[place], self.rows[row][place]
        if column.key == self.group and not self.starts(row):
            return "", ""
        if cell is None:
            return UNKNOWN, ""
        if isinstance(cell, str):
            return verdict_words(VerdictName(cell)) if column.kind == "verdict" else cell, ""
        write = self._writer(column.kind, row)
        if isinstance(cell, Interval):
            between = " to " if column.kind == "effect" else "–"
            later = " or later" if (row, column.key) in self.open_ends else ""
            middle = f"{write(cell.q50)}{later if cell.q50 >= cell.q90 else ''}"
            return middle, f"{write(cell.q10).removesuffix(' %')}{between}{write(cell.q90)}{later}"
        return write(float(cell)), ""

    def best(self, place: int) -> frozenset[int]:
        """Return the rows that are best in a column: of each group, unless all of it reads alike."""
        column = self.columns[place]
        best: set[int] = set()
        if column.best:
            for rows in self._groups():
                values = {k: value for k in rows if isinstance(value := self.rows[k][place], (int, float))}
                texts = {k: self.text(k, place)[0] for k in values}
                if len(set(texts.values())) > 1:
                    first = texts[max(values, key=lambda k: column.best * values[k])]
                    best |= {k for k, text in texts.items() if text == first}
        return frozenset(best)

    def _groups(self) -> list[list[int]]:
        groups: list[list[int]] = []
        for k in range(len(self.rows)):
            if not groups or (self.group and self.starts(k)):
                groups.append([])
            groups[-1].append(k)
        return groups

    def _writer(self, kind: str, row: int) -> Callable[[float], str]:
        bounds = self.row_bounds[row] if self.row_bounds else self.bounds
        unit = self.row_units[row] if self.row_units else ""
        writers: dict[str, Callable[[float], str]] = {
            "reward": lambda value: numbers.reward(value, bounds),
            "error": lambda value: numbers.error(value, bounds),
            "effect": lambda value: numbers.effect(value, bounds),
            "compute": lambda value: numbers.quantity(value, unit),
            "probability": numbers.probability,
            "share": lambda value: f"{100.0 * value:.1f} %",
            "percent": lambda value: f"{100.0 * value:.0f} %",
            "cut": lambda value: f"{100.0 * value:g} %",
            "count": lambda value: f"{value:,.0f}",
            "fine": lambda value: numbers.number(value, 4),
            "decimal": lambda value: f"{value:,.1f}",
        }
        return writers.get(kind, numbers.number)
