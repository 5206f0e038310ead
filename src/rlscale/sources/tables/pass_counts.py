"""Tables of pass counts: how many of the graded samples of each prompt were right."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rlscale.errors import SourceError
from rlscale.sources import names
from rlscale.sources.stores import Image, is_address
from rlscale.sources.tables.columns import Columns, Named, from_json_lines, from_parquet
from rlscale.sources.tables.csv_table import from_csv, header_of
from rlscale.sources.tables.parquet import Sheet
from rlscale.sources.text import first_object, read_head

__all__ = ["PromptTable", "prompt_table", "without_prompt_tables"]

Floats = NDArray[np.float64]

#: The columns that tell such a table from a log.
_PROMPT, _COUNTS = "prompt", ("correct", "graded")
_KINDS: dict[str, Callable[[Path, Named, Named], Columns]] = {
    ".csv": from_csv, ".tsv": from_csv, ".txt": from_csv, ".parquet": from_parquet, ".jsonl": from_json_lines,
    ".ndjson": from_json_lines,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class PromptTable:
    """A table of pass counts.

    Parameters
    ----------
    path : str
    prompt : tuple of str
        In the order of the rows.
    correct, graded : array, shape (p,)
        NaN where a cell is empty.
    repairs : tuple of str
        What was left out.
    """

    path: str
    prompt: tuple[str, ...]
    correct: Floats
    graded: Floats
    repairs: tuple[str, ...]


def without_prompt_tables(paths: Iterable[str]) -> tuple[list[str], list[PromptTable]]:
    """Return the paths of logs, and the tables of pass counts among the paths: files with the three columns.

    Raises
    ------
    InputError
        As :func:`prompt_table`.
    """
    logs, tables = [], []
    with Image() as image:
        for path in paths:
            fetches = is_address(path) and Path(path).suffix.lower() in _KINDS
            files = image.fetched([path])[0] if fetches else [path]
            table = next((prompt_table(file) for file in map(Path, files) if file.is_file()), None)
            if table is None:
                logs.append(path)
            else:
                tables.append(replace(table, path=image.with_addresses(table.path)))
    return logs, tables


def prompt_table(path: Path) -> PromptTable | None:
    """Return a table of pass counts; None where a file is none.

    Parameters
    ----------
    path : Path
        CSV, JSON lines or Parquet with the columns ``prompt``, ``correct`` and ``graded``, and any others.

    Raises
    ------
    InputError
        One of the two counts is missing beside the others, or a cell of one is no number.
    """
    columns = {names.normal(name): name for name in _columns(path)}
    has = [name for name in _COUNTS if name in columns]
    if _PROMPT not in columns or not has:
        return None
    if len(has) < len(_COUNTS):
        missing = next(name for name in _COUNTS if name not in columns)
        raise SourceError(
            str(path),
            f"has the columns {_PROMPT} and {has[0]} and not {missing}; pass counts are a table of prompt, "
            "correct and graded",
        )
    read = _KINDS[path.suffix.lower()]
    counts = [columns[name] for name in _COUNTS]
    table = read(path, lambda name: name == columns[_PROMPT], lambda name: name in counts)
    codes, texts = table.labels[columns[_PROMPT]]
    correct, graded = (table.numbers[name] for name in counts)
    return PromptTable(str(path), tuple(texts[code] for code in codes), correct, graded, tuple(table.repairs))


def _columns(path: Path) -> list[str]:
    """Return the columns of a table; none where the file is no table."""
    try:
        read = _KINDS.get(path.suffix.lower())
        if read is from_parquet:
            return list(Sheet(path).kinds)
        if read is from_json_lines:
            return list(first_object(read_head(path)) or {})
        return [] if read is None else header_of(path)
    except SourceError:
        return []  # reading it as a log says what is wrong
