"""An answer as a plain value: a headline, tables with typed columns, sentences, and the JSON document."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rlscale.inference import Interval, VerdictName
from rlscale.present import numbers
from rlscale.present.numbers import UNKNOWN
from rlscale.present.palette import verdict_words

__all__ = ["Answer", "Column", "Section", "Table"]

Cell = str | int | float | bool | Interval | None
Bounds = tuple[float, float]
#: What an interval is called in a flat table: the median under the column's own name.
_ENDS = (("", "q50"), ("_q10", "q10"), ("_q90", "q90"))


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Parameters
    ----------
    key : str
        Its name in CSV and in a DataFrame, as in the JSON.
    heading : str
        Its name for people.
    kind : str
        ``text``, ``verdict`` (its name), ``count``, ``number``, ``probability``, ``share`` (in per cent), ``compute``,
        ``reward``; numbers, computes and rewards also as an :class:`Interval`.
    shown : bool
        Whether people see it, or only programs.
    """

    key: str
    heading: str = ""
    kind: str = "text"
    shown: bool = True


@dataclass(frozen=True)
class Table:
    """A table.

    Parameters
    ----------
    name : str
    columns : tuple of Column
    rows : tuple of tuple
        A cell for each column: numbers as they are, None where unknown.
    bounds : (float, float)
        Of the metric: how many decimals a reward has.
    unit : str
        Of the computes.
    note : str
    """

    name: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    bounds: Bounds = (0.0, 1.0)
    unit: str = ""
    note: str = ""

    def flat(self) -> tuple[tuple[str, ...], list[tuple[str | int | float | bool | None, ...]]]:
        """Return the names and rows of a table of plain values: an interval fills three columns."""
        ranges = [any(isinstance(row[k], Interval) for row in self.rows) for k in range(len(self.columns))]
        names: list[str] = []
        for column, wide in zip(self.columns, ranges, strict=True):
            names += [f"{column.key}{end}" for end, _ in _ENDS] if wide else [column.key]
        rows = []
        for row in self.rows:
            cells: list[str | int | float | bool | None] = []
            for cell, wide in zip(row, ranges, strict=True):
                if isinstance(cell, Interval):
                    cells += [getattr(cell, end) for _, end in _ENDS]
                else:
                    cells += [cell, None, None] if wide else [cell]
            rows.append(tuple(cells))
        return tuple(names), rows

    def text(self, column: Column, cell: Cell) -> tuple[str, str]:
        """Return a cell as people read it, and the ends of its interval, empty where there is none."""
        if cell is None:
            return UNKNOWN, ""
        if isinstance(cell, Interval):
            write = self._writer(column.kind)
            return write(cell.q50), f"{write(cell.q10)}–{write(cell.q90)}"
        if isinstance(cell, str):
            return verdict_words(VerdictName(cell)) if column.kind == "verdict" else cell, ""
        return self._writer(column.kind)(float(cell)), ""

    def _writer(self, kind: str) -> Callable[[float], str]:
        writers: dict[str, Callable[[float], str]] = {
            "reward": lambda value: numbers.reward(value, self.bounds),
            "compute": numbers.quantity,
            "probability": numbers.probability,
            "share": lambda value: f"{100.0 * value:.1f} %",
            "count": lambda value: f"{value:,.0f}",
        }
        return writers.get(kind, numbers.number)


@dataclass(frozen=True)
class Section:
    """Sentences that belong together, under a title that may be empty."""

    title: str
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """What a command says.

    Parameters
    ----------
    headline : str
        The answer in a sentence.
    tables : tuple of Table
        The first is the answer; it is what becomes CSV and a DataFrame.
    sections : tuple of Section
    document : mapping
        The JSON.
    """

    headline: str
    tables: tuple[Table, ...]
    sections: tuple[Section, ...]
    document: Mapping[str, Any]
