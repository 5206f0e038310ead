"""Trackio: ``{project}.db`` (SQLite, a JSON object a row) and its export ``{project}.parquet`` (a column a metric)."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rlscale.errors import EmptyError
from rlscale.sources.format import Claim, Entry, Format, Kind, Precision
from rlscale.sources.limits import LINE_CAP, MOST_KEYS, TRACKIO_FOOTER_CAP
from rlscale.sources.record import Record, RowColumns
from rlscale.sources.tables.parquet import Sheet
from rlscale.sources.text import were
from rlscale.sources.trackers import sqlite

__all__ = ["FORMAT", "NAME", "read_records", "sniff"]

NAME = "trackio"

#: How Trackio writes values that JSON does not know.
_NOT_FINITE = frozenset({"NaN", "Infinity", "-Infinity"})

#: Columns of the export that are no metrics.
_OWN = frozenset({"id", "run_id", "run_name", "timestamp", "step", "log_id", "space_id"})

_PARQUET = b"PAR1"

#: Names of columns as the end of a Parquet file holds them, behind their lengths.
_NAMES = (b"\x08run_name", b"\x09timestamp", b"\x04step")

#: Tables that it exports beside those of the runs.
_PARTS = ("system", "configs", "traces", "alerts", "artifacts", "artifact_versions", "artifact_aliases")


@dataclass
class _Run:
    """One run as it is read."""

    name: str
    run_id: str | None = None
    rows: RowColumns = field(default_factory=RowColumns)
    config: dict[str, Any] = field(default_factory=dict)
    first: datetime | None = None
    unread: int = 0
    repairs: list[str] = field(default_factory=list)

    def add(self, values: Mapping[str, float], step: Any, timestamp: Any) -> None:
        if isinstance(step, bool) or not isinstance(step, int | float) or not math.isfinite(step):
            self.unread += 1
            return
        moment = _moment(timestamp)
        self.first = self.first or moment
        self.rows.add(values, float(step), _seconds(moment))


def sniff(path: Path, head: bytes) -> bool:
    """Whether the file is Trackio's database, by its tables, or its Parquet export, by the names of its columns.

    Raises
    ------
    SourceError
        A database that cannot be read.
    """
    if head.startswith(_PARQUET):
        footer = _footer(path)
        return all(name in footer for name in _NAMES)
    return sqlite.is_sqlite(head) and {"run_name", "metrics"} <= sqlite.tables_of(path).get("metrics", frozenset())


def _footer(path: Path) -> bytes:
    """Return the end of a Parquet file, which holds the names of its columns as they are."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 8))
        length = int.from_bytes(file.read(4), "little")
        file.seek(max(0, size - 8 - min(length, TRACKIO_FOOTER_CAP)))
        return file.read(TRACKIO_FOOTER_CAP)


def read_records(path: Path) -> list[Record]:
    """Return the runs of a database or an export, in the order of their first rows.

    Runs are told apart by ``run_id`` where there is one (Trackio 0.24 and later), else by ``run_name``; two runs of
    one name keep it. Trackio's ``step`` counts log calls: a step in the row itself goes before it. The configuration
    of an export stands in ``{project}_configs.parquet`` or ``aux/configs.parquet``.

    Raises
    ------
    FormatError
        Not Trackio's, or pyarrow is needed and not installed.
    SourceError
        It cannot be read, or holds no row.
    """
    with path.open("rb") as file:
        head = file.read(4)
    runs = _from_parquet(path) if head == _PARQUET else _from_database(path)
    found = [_record(run, str(path)) for run in runs.values() if len(run.rows)]
    if not found:
        raise EmptyError(str(path), "this Trackio project holds no logged row; check that the trainer logs to it")
    return found


def _record(run: _Run, path: str) -> Record:
    own = run.config
    group = own.get("_Group")
    if run.unread:
        run.repairs.append(f"{were(run.unread, 'row')} left out: not an object of numbers at a step, or over 16 MiB")
    if run.rows.left_out:
        run.repairs.append(f"{were(run.rows.left_out, 'value')} left out: more than {MOST_KEYS} keys")
    return Record(
        name=run.name,
        path=path,
        format=NAME,
        rows=len(run.rows),
        columns=run.rows.done(),
        config={key: value for key, value in own.items() if not key.startswith("_")},
        starts=_starts(_moment(own.get("_Created")), run.first),
        run_id=run.run_id,
        group=group if isinstance(group, str) and group else None,
        repairs=tuple(run.repairs),
    )


def _from_database(path: Path) -> dict[str, _Run]:
    runs: dict[str, _Run] = {}
    with sqlite.opened(path) as database:
        wanted = {"run_id": "NULL", "run_name": None, "timestamp": "NULL", "step": "NULL", "metrics": None}
        for run_id, name, timestamp, step, stored in database.select("metrics", wanted):
            run = _run_of(runs, run_id, name)
            values = _object(stored)
            if values is None:
                run.unread += 1
            else:
                run.add(_numbers(values), step, timestamp)
        if "configs" in database.tables:
            for run_id, name, stored in database.select(
                "configs", {"run_id": "NULL", "run_name": None, "config": None}
            ):
                known = runs.get(_identity(run_id, name))
                config = _object(stored)
                if known is not None and config is not None:
                    known.config = config
                elif known is not None:
                    known.repairs.append("the configuration could not be read and was left out")
    return runs


def _run_of(runs: dict[str, _Run], run_id: Any, name: Any) -> _Run:
    key = _identity(run_id, name)
    if key not in runs:
        runs[key] = _Run(_name(name), key if key == run_id else None)
    return runs[key]


def _identity(run_id: Any, name: Any) -> str:
    return run_id if isinstance(run_id, str) and run_id else _name(name)


def _name(name: Any) -> str:
    return name if isinstance(name, str) else ""


def _object(stored: Any) -> dict[str, Any] | None:
    """Return a stored JSON object, None where it is none, or longer than any row of a log."""
    if not isinstance(stored, str | bytes) or len(stored) > LINE_CAP:
        return None
    try:
        value = json.loads(stored)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _numbers(values: Mapping[str, Any]) -> dict[str, float]:
    """Return the numbers of a row; NaN where a value is not finite."""
    found = {}
    for key, value in values.items():
        if value is None or (isinstance(value, str) and value in _NOT_FINITE):
            found[key] = math.nan
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found[key] = _finite(value)
    return found


def _finite(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # an integer of hundreds of digits
        return math.nan


def _moment(stamp: Any) -> datetime | None:
    """Return an ISO 8601 time stamp; before it wrote zones, Trackio wrote the local time of the machine without one."""
    if isinstance(stamp, datetime):
        return stamp
    try:
        return datetime.fromisoformat(stamp) if isinstance(stamp, str) else None
    except ValueError:
        return None


def _seconds(moment: datetime | None) -> float:
    """Return the Unix time of a moment (in UTC where no zone is known), NaN where there is none."""
    if moment is None:
        return math.nan
    try:
        return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()
    except (OverflowError, ValueError):
        return math.nan


def _starts(created: datetime | None, first: datetime | None) -> tuple[float, ...]:
    """Return when a run began; nothing where it is known only when it was resumed, or not on the clock of its rows."""
    if created is None or first is None or (created.tzinfo is None) != (first.tzinfo is None):
        return ()
    start = _seconds(created)
    return (start,) if start <= _seconds(first) else ()


def _from_parquet(path: Path) -> dict[str, _Run]:
    runs: dict[str, _Run] = {}
    for row in _parquet_rows(path):
        run = _run_of(runs, row.get("run_id"), row.get("run_name"))
        # what a row did not log is null in the export
        values = {key: value for key, value in row.items() if key not in _OWN and value is not None}
        run.add(_numbers(values), row.get("step"), row.get("timestamp"))
    for beside in _configs(path):
        if beside.is_file():
            for row in _parquet_rows(beside):
                known = runs.get(_identity(row.get("run_id"), row.get("run_name")))
                if known is not None:
                    own = _OWN | {"created_at"}
                    known.config = {key: value for key, value in row.items() if key not in own and value is not None}
            break
    return runs


def _parquet_rows(path: Path) -> Iterator[dict[str, Any]]:
    sheet = Sheet(path)
    yield from sheet.records(list(sheet.kinds))


def _configs(path: Path) -> tuple[Path, ...]:
    return path.with_name(f"{path.stem}_configs.parquet"), path.parent / "aux" / "configs.parquet"


def _claims(folder: Path, names: Sequence[str]) -> Claim | None:
    """Return the Parquet files that Trackio exports beside ``p.db``, or beside ``p.parquet`` itself."""
    parts = [name.rpartition(".") for name in names]
    projects = {stem for stem, _, ending in parts if ending == "db"}
    tables = {stem for stem, _, ending in parts if ending == "parquet"}
    if not tables:
        return None
    beside = {f"{stem}_{part}" for stem in projects | tables for part in _PARTS}
    return Claim(beside=frozenset(f"{stem}.parquet" for stem in tables if stem in projects or stem in beside))


FORMAT: Format = Format(
    name=NAME,
    kind=Kind.TRACKER,
    entries=(
        Entry(NAME, "Trackio", "{project}.db", precision=Precision.TRACKED),
        Entry(NAME, "Trackio's export", "{project}.parquet", "parquet"),
    ),
    sniff=sniff,
    read=read_records,
    endings=(*sqlite.ENDINGS, ".parquet"),
    claims=_claims,
    companions=lambda path: _configs(path) if path.suffix == ".parquet" else (sqlite.journal_of(path),),
    folder_words="trackio",
)
