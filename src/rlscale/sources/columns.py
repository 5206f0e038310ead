"""Tables as columns: CSV, Parquet and JSON lines to one shape, without a Python float for each cell."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlscale.errors import FormatError, SourceError
from rlscale.sources.repair import number
from rlscale.sources.text import json_rows, lines, opened, plural, shown

__all__ = ["Columns", "from_csv", "from_json_lines", "from_parquet"]

Floats = NDArray[np.float64]

_CHUNK = 1 << 16

#: What a cell without a value looks like.
_MISSING = frozenset({"", "nan", "na", "n/a", "none", "null", "-", "nat", "<na>"})


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
    repairs : list of str
        What was left out.
    """

    path: str
    rows: int = 0
    numbers: dict[str, Floats] = field(default_factory=dict)
    labels: dict[str, tuple[NDArray[np.intp], list[str]]] = field(default_factory=dict)
    repairs: list[str] = field(default_factory=list)


@dataclass
class _Text:
    """A text column as it grows: the code of each text in order of first sight."""

    codes: dict[str, int] = field(default_factory=dict)
    parts: list[NDArray[np.intp]] = field(default_factory=list)

    def add(self, cells: Sequence[str]) -> None:
        codes = self.codes
        self.parts.append(np.fromiter((codes.setdefault(cell, len(codes)) for cell in cells), np.intp, len(cells)))

    def done(self) -> tuple[NDArray[np.intp], list[str]]:
        """Return a code for each row and the stripped text of each code."""
        stripped: dict[str, int] = {}
        merged = np.array([stripped.setdefault(text.strip(), len(stripped)) for text in self.codes], dtype=np.intp)
        return merged[np.concatenate(self.parts)], list(stripped)


def from_csv(path: Path, text: frozenset[str], required: frozenset[str]) -> Columns:
    """Read a CSV file (comma, semicolon or tab, whichever its header holds most of).

    Parameters
    ----------
    path : Path
        The file; its first line names the columns.
    text : frozenset of str
        Columns (lower case) read as text whatever they hold.
    required : frozenset of str
        Columns (lower case) whose every cell must be a number or empty; another column with words in it is left out.

    Raises
    ------
    SourceError
        Empty, no header, header only, a row (other than the last) with more or fewer cells than the header, a word
        in a required column, or anything :func:`rlscale.sources.text.lines` raises.
    """
    table = Columns(str(path))
    reader, header = _opened_csv(path)
    texts = {name: _Text() for name in header if name.lower() in text}
    numeric: dict[str, list[Floats]] = {name: [] for name in header if name not in texts}
    checked = [k for k, name in enumerate(header) if name.lower() in required]
    for numbers, rows in _csv_chunks(path, reader, len(header), table):
        if len(rows) < _CHUNK and any(_floats([rows[-1][k]]) is None for k in checked) and _without_end(path):
            table.repairs.append(f"the last row (line {numbers[-1]}) is torn and was left out")
            del numbers[-1], rows[-1]
        if not rows:
            continue
        table.rows += len(rows)
        for name, cells in zip(header, zip(*rows, strict=True), strict=True):
            if name in texts:
                texts[name].add(cells)
            elif name in numeric:
                values = _floats(cells)
                if values is not None:
                    numeric[name].append(values)
                elif name.lower() not in required:
                    del numeric[name]
                else:
                    raise _not_a_number(table, name, cells, numbers)
    if not table.rows:
        raise SourceError(str(path), "holds a header and no rows; nothing was logged yet")
    table.numbers = {name: np.concatenate(parts) for name, parts in numeric.items()}
    table.labels = {name: column.done() for name, column in texts.items()}
    return table


def _opened_csv(path: Path) -> tuple[Any, list[str]]:
    source = lines(path)
    first = next((line for line in source), "")
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(itertools.chain([first], source), delimiter=delimiter)
    try:
        header = [name.strip() for name in next(reader, [])]
    except csv.Error as error:
        raise SourceError(str(path), f"line 1 is not CSV ({error}); is this a table?") from error
    if not any(header) or all(number(name) is not None for name in header if name):
        example = "run,compute,unit,reward"
        raise SourceError(str(path), f"line 1 is not a header: {shown(first)}; name the columns, for example {example}")
    twice = next((name for name in header if name and header.count(name) > 1), None)
    if twice is not None:
        raise SourceError(str(path), f"column {twice!r} appears twice in the header; rename one of them")
    return reader, header


def _csv_chunks(path: Path, reader: Any, width: int, table: Columns) -> Iterator[tuple[list[int], list[list[str]]]]:
    """Yield (line numbers, rows) in chunks; a torn last row is left out and stated."""
    torn: tuple[int, list[str]] | None = None
    before = 1
    while True:
        try:
            chunk = [(reader.line_num, row) for row in itertools.islice(reader, _CHUNK)]
        except csv.Error as error:
            raise SourceError(str(path), f"line {reader.line_num} is not CSV ({error}); repair the line") from error
        if not chunk:
            break
        good: list[tuple[int, list[str]]] = []
        for line, row in chunk:
            if len(row) == width and torn is None:
                good.append((line, row))
            elif row:
                if torn is not None:
                    raise _wrong_width(path, *torn, width)
                torn = before + 1, row
                if line > before + 1:  # an open quote swallowed the rows after it
                    raise _wrong_width(path, *torn, width)
            before = line
        if good:
            yield [line for line, _ in good], [row for _, row in good]
    if torn is not None:
        table.repairs.append(f"the last row (line {torn[0]}) is torn and was left out")


def _without_end(path: Path) -> bool:
    """Whether the last line of a file has no end."""
    with opened(path) as file:
        file.seek(-1, 2)
        return file.read(1) not in b"\n\x00"


def _wrong_width(path: Path, line: int, row: list[str], width: int) -> SourceError:
    what = f"line {line} has {plural(len(row), 'cell')} where the header names {width}"
    return SourceError(str(path), f"{what}: {shown(','.join(row))}; repair or remove the line")


def _floats(cells: Sequence[str]) -> Floats | None:
    """Return cells as numbers, NaN where empty; None where one is a word."""
    try:
        return np.array(cells, dtype=np.float64)
    except ValueError:
        pass
    try:
        return np.array([np.nan if c.strip().lower() in _MISSING else float(c) for c in cells], dtype=np.float64)
    except ValueError:
        return None


def _not_a_number(table: Columns, name: str, cells: Sequence[str], numbers: list[int]) -> SourceError:
    for line, cell in zip(numbers, cells, strict=True):
        if cell.strip().lower() not in _MISSING and number(cell) is None:
            message = f"line {line}: {name} {shown(cell)} is not a number; repair the cell or leave it empty"
            return SourceError(table.path, message)
    raise AssertionError("a column was refused and every cell is a number")


def from_json_lines(path: Path, text: frozenset[str], required: frozenset[str]) -> Columns:
    """Read a long table in JSON lines: one flat object a row. Arguments and errors as in :func:`from_csv`."""
    table = Columns(str(path))
    cells: dict[str, list[Any]] = {}
    numbers: list[int] = []
    for line, row in json_rows(path, table.repairs):
        for key in row:
            if key not in cells:
                cells[key] = [None] * table.rows
        for key, column in cells.items():
            column.append(row.get(key))
        table.rows += 1
        numbers.append(line)
    if not table.rows:
        raise SourceError(str(path), "holds no complete row; nothing was logged yet")
    for name, column in cells.items():
        if name.lower() in text:
            grown = _Text()
            grown.add([_as_text(value) for value in column])
            table.labels[name] = grown.done()
            continue
        values = [number(value) for value in column]
        bad = next((k for k, value in enumerate(values) if value is None), None)
        if bad is None:
            table.numbers[name] = np.array(values, dtype=np.float64)
        elif name.lower() in required:
            message = f"line {numbers[bad]}: {name} {column[bad]!r:.40} is not a number; repair it or write null"
            raise SourceError(str(path), message)
    return table


def _as_text(value: Any) -> str:
    if value is None or (isinstance(value, float) and value != value):
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def from_parquet(path: Path, text: frozenset[str], required: frozenset[str]) -> Columns:
    """Read a Parquet file; needs pyarrow. Arguments as in :func:`from_csv`.

    Raises
    ------
    FormatError
        pyarrow is not installed.
    SourceError
        Not a Parquet file, no rows, or words in a required column.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise FormatError(str(path), "reading Parquet needs pyarrow: pip install rlscale[parquet]") from error
    try:
        arrow = pyarrow.parquet.ParquetFile(path).read()
    except (OSError, ValueError, NotImplementedError, pyarrow.ArrowException) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SourceError(str(path), f"not a Parquet file that can be read ({reason}); write it again") from error
    table = Columns(str(path), rows=arrow.num_rows)
    if not table.rows:
        raise SourceError(str(path), "holds columns and no rows; nothing was logged yet")
    for name in arrow.column_names:
        column = arrow.column(name)
        plain = pyarrow.types.is_floating(column.type) or pyarrow.types.is_integer(column.type)
        if name.lower() in text:
            grown = _Text()
            grown.add([_as_text(value) for value in column.to_pylist()])
            table.labels[name] = grown.done()
        elif plain:
            table.numbers[name] = column.cast(pyarrow.float64(), safe=False).to_numpy().astype(np.float64)
        elif name.lower() in required:
            message = f"column {name!r} holds {column.type}, not numbers; write it as a float column"
            raise SourceError(str(path), message)
    return table
