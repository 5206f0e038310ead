"""Tables as columns: one shape for CSV, Parquet and JSON lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlscale.errors import EmptyError, SourceError
from rlscale.sources.limits import MOST_CELLS, MOST_KEYS
from rlscale.sources.repair import number
from rlscale.sources.tables.parquet import Sheet, coded, floats, is_number
from rlscale.sources.text import json_rows, plural
from rlscale.sources.words import left_out, mostly_numbers

__all__ = ["Columns", "Named", "TextColumn", "from_json_lines", "from_parquet", "settle_numbers", "settled"]

Floats = NDArray[np.float64]

#: Whether a column, by its name, is of a kind.
Named = Callable[[str], bool]


@dataclass
class Columns:
    """A table by column.

    Parameters
    ----------
    path : str
        The file.
    rows : int
        Rows read.
    numbers : dict of str to array, shape (rows,)
        Numeric columns, NaN where empty.
    labels : dict of str to (array of int, shape (rows,), list of str)
        Text columns: a code for each row, and the text of each code.
    words : dict of str to (int, str)
        Columns left out because they hold words: the line (the row, in Parquet) of the first, and that cell.
    repairs : list of str
        What was left out.
    """

    path: str
    rows: int = 0
    numbers: dict[str, Floats] = field(default_factory=dict)
    labels: dict[str, tuple[NDArray[np.intp], list[str]]] = field(default_factory=dict)
    words: dict[str, tuple[int, str]] = field(default_factory=dict)
    repairs: list[str] = field(default_factory=list)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns read, those of text first."""
        return (*self.labels, *self.numbers)


@dataclass
class TextColumn:
    """A text column as it grows: a code for each text, in order of first sight."""

    codes: dict[str, int] = field(default_factory=dict)
    parts: list[NDArray[np.intp]] = field(default_factory=list)

    def add(self, cells: Sequence[str]) -> None:
        """Append cells."""
        codes = self.codes
        for cell in dict.fromkeys(cells):
            codes.setdefault(cell, len(codes))
        self.parts.append(np.fromiter(map(codes.__getitem__, cells), np.intp, len(cells)))

    def add_coded(self, places: NDArray[np.intp], values: Sequence[Any]) -> None:
        """Append cells given as places in ``values``; -1 is an empty cell."""
        used, first = np.unique(places, return_index=True)
        code = np.zeros(len(values) + 1, dtype=np.intp)  # the last is that of -1
        for place in used[np.argsort(first)]:
            code[place] = self.codes.setdefault("" if place < 0 else _as_text(values[place]), len(self.codes))
        self.parts.append(code[places])

    def done(self) -> tuple[NDArray[np.intp], list[str]]:
        """Return a code for each row and the stripped text of each code."""
        stripped: dict[str, int] = {}
        merged = np.array([stripped.setdefault(text.strip(), len(stripped)) for text in self.codes], dtype=np.intp)
        return merged[np.concatenate(self.parts)], list(stripped)


def from_json_lines(path: Path, text: Named, required: Named) -> Columns:
    """Read a long table in JSON lines: one flat object a row. Arguments and errors as for CSV.

    Objects and lists in a cell are not read.
    """
    table = Columns(str(path))
    cells: dict[str, tuple[list[int], list[Any]]] = {}
    lines: list[int] = []
    for line, row in json_rows(path, table.repairs):
        for key, value in row.items():
            places, values = cells.get(key) or cells.setdefault(key, ([], []))
            places.append(table.rows)
            values.append(value)
        table.rows += 1
        lines.append(line)
        if len(cells) > MOST_KEYS or table.rows * len(cells) > MOST_CELLS:
            what = f"{plural(table.rows, 'row')} of {len(cells)} columns"
            raise SourceError(str(path), f"holds more than {what}; is this a table of runs?")
    if not table.rows:
        raise EmptyError(str(path), "holds no complete row; nothing was logged yet")
    for name, (places, values) in cells.items():
        settled(table, name, places, values, text, required, lines)
    return table


def settled(
    table: Columns,
    name: str,
    places: Sequence[int],
    values: Sequence[Any],
    text: Named,
    required: Named,
    lines: Sequence[int] | None = None,
) -> None:
    """Put a column of cells into a table: as text, as numbers, or where it holds many words as one that is left out.

    Parameters
    ----------
    table : Columns
    name : str
    places : sequence of int
        The rows that have a cell.
    values : sequence
        The cells, plain; one of lists or objects is not read.
    text, required : callable
        As for CSV.
    lines : sequence of int, optional
        The line of each row, where the table is a file.

    Raises
    ------
    SourceError
        A word in a required column.
    """
    if any(isinstance(value, dict | list) for value in values):
        return
    if text(name):
        labels = [""] * table.rows
        for place, value in zip(places, values, strict=True):
            labels[place] = _as_text(value)
        grown = TextColumn()
        grown.add(labels)
        table.labels[name] = grown.done()
        return
    read = [number(value) for value in values]
    at = [k for k, value in enumerate(read) if value is None]
    if at and required(name):
        row = places[at[0]]
        where = f"row {row + 1}" if lines is None else f"line {lines[row]}"
        message = f"{where}: {name} {values[at[0]]!r:.40} is not a number; repair it or write null"
        raise SourceError(table.path, message)
    column = np.full(table.rows, np.nan)
    column[list(places)] = [np.nan if value is None else value for value in read]
    words = [(places[k] + 1 if lines is None else lines[places[k]], str(values[k])) for k in at]
    settle_numbers(table, name, column, words)


def settle_numbers(table: Columns, name: str, values: Floats, words: Sequence[tuple[int, str]]) -> None:
    """Put a column of numbers into a table without the words among them; as one that is left out where many are.

    Parameters
    ----------
    table : Columns
    name : str
    values : array, shape (rows,)
        NaN where a cell is empty or a word.
    words : sequence of (int, str)
        The line of each word, and the word.
    """
    if words and not mostly_numbers(name, values, len(words)):
        table.words[name] = words[0]
        return
    table.numbers[name] = values
    if words:
        table.repairs.append(left_out(name, len(words), *words[0]))


def _as_text(value: Any) -> str:
    if value is None or (isinstance(value, float) and value != value):
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def from_parquet(path: Path, text: Named, required: Named) -> Columns:
    """Read a Parquet file; needs pyarrow. Arguments as for CSV.

    Raises
    ------
    FormatError
        pyarrow is not installed.
    SourceError
        Not a Parquet file, no rows, more cells than any log, or words in a required column.
    """
    sheet = Sheet(path)
    table = Columns(str(path), rows=sheet.rows)
    if not table.rows:
        raise EmptyError(str(path), "holds columns and no rows; nothing was logged yet")
    numbers: dict[str, list[Floats]] = {}
    texts: dict[str, TextColumn] = {}
    for name, kind in {**sheet.kinds, **sheet.nested}.items():
        if text(name) and name in sheet.kinds:
            texts[name] = TextColumn()
        elif name in sheet.kinds and is_number(kind):
            numbers[name] = []
        elif required(name):
            raise SourceError(str(path), f"column {name!r} holds {kind}, not numbers; write it as a float column")
        elif text(name):
            raise SourceError(str(path), f"column {name!r} holds {kind}, not text; write it as a string column")
        elif name in sheet.kinds:
            table.words[name] = (1, str(kind))
    for batch in sheet.batches([*texts, *numbers]):
        for name, grown in texts.items():
            grown.add_coded(*coded(table.path, batch[name]))
        for name, parts in numbers.items():
            parts.append(floats(table.path, batch[name]))
    table.numbers = {name: np.concatenate(parts) for name, parts in numbers.items()}
    table.labels = {name: grown.done() for name, grown in texts.items()}
    return table
