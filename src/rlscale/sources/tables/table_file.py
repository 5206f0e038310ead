"""Tables in a file or in memory: which they are, and how their columns are loaded."""

from __future__ import annotations

from pathlib import Path

from rlscale.sources.format import Entry, Format, Kind
from rlscale.sources.log import Log, ReadOptions
from rlscale.sources.tables.columns import from_json_lines, from_parquet
from rlscale.sources.tables.csv_table import from_csv
from rlscale.sources.tables.frames import Frame, from_frame
from rlscale.sources.tables.roles import is_csv, is_json_table
from rlscale.sources.tables.table import NAME, logs_of
from rlscale.sources.text import head_is, read_head

__all__ = ["FORMAT", "read", "sniff"]


def sniff(path: Path, head: bytes) -> bool:
    """Whether the file is a table: by its ending, Parquet's magic bytes, its header, or a JSON row with its columns."""
    if path.suffix.lower() in {".csv", ".tsv", ".parquet"} or head.startswith(b"PAR1"):
        return True
    return is_csv(head) or is_json_table(head)


def read(path: Path | Frame, options: ReadOptions | None = None) -> list[Log]:
    """Return the runs of a table.

    Rows are sorted by compute; of rows at one compute equal ones are dropped, and others are told apart as
    :mod:`rlscale.sources.tables.contradictions` says.

    Parameters
    ----------
    path : Path or Frame
        The table: a file, or one in memory.
    options : ReadOptions, optional
        ``by``, ``wide``, ``compute`` and ``metric`` say what the names of the columns do not.

    Raises
    ------
    SourceError
        Whatever makes the file no table, a run that mixes units or recipes, a row without a run, negative compute,
        rows that contradict each other.
    """
    if isinstance(path, Frame):
        return logs_of(path, from_frame, options)
    head = read_head(path)
    if head.startswith(b"PAR1") or path.suffix.lower() == ".parquet":
        load = from_parquet
    elif path.suffix.lower() in {".csv", ".tsv"} or is_csv(head):
        load = from_csv
    else:
        load = from_json_lines
    return logs_of(path, load, options)


FORMAT: Format = Format(
    name=NAME,
    kind=Kind.TABLE,
    entries=(
        Entry(NAME, "tables", "CSV, TSV or JSON lines, one row an evaluation", note="or one column a run: --wide"),
        Entry(NAME, "Parquet tables", "a .parquet file, one row an evaluation", "parquet"),
    ),
    sniff=sniff,
    read=read,
    heeds_options=True,
    endings=(".csv", ".tsv", ".parquet", ".jsonl", ".ndjson"),
    unsure=(".txt", ".err"),
    looks_like=lambda path: head_is(path, is_csv),
)
