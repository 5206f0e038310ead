"""Tables as columns: one shape for CSV, Parquet and JSON lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlscale.errors import FormatError, SourceError
from rlscale.sources.repair import number
from rlscale.sources.text import json_rows

__all__ = ["Columns", "TextColumn", "from_json_lines", "from_parquet"]

Floats = NDArray[np.float64]


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

    def done(self) -> tuple[NDArray[np.intp], list[str]]:
        """Return a code for each row and the stripped text of each code."""
        stripped: dict[str, int] = {}
        merged = np.array([stripped.setdefault(text.strip(), len(stripped)) for text in self.codes], dtype=np.intp)
        return merged[np.concatenate(self.parts)], list(stripped)


def from_json_lines(path: Path, text: frozenset[str], required: frozenset[str]) -> Columns:
    """Read a long table in JSON lines: one flat object a row. Arguments and errors as for CSV."""
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
            grown = TextColumn()
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
    """Read a Parquet file; needs pyarrow. Arguments as for CSV.

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
        kinds = pyarrow.types
        plain = any(is_kind(column.type) for is_kind in (kinds.is_floating, kinds.is_integer, kinds.is_decimal))
        if name.lower() in text:
            grown = TextColumn()
            grown.add([_as_text(value) for value in column.to_pylist()])
            table.labels[name] = grown.done()
        elif plain:
            table.numbers[name] = column.cast(pyarrow.float64(), safe=False).to_numpy().astype(np.float64)
        elif name.lower() in required:
            message = f"column {name!r} holds {column.type}, not numbers; write it as a float column"
            raise SourceError(str(path), message)
    return table
