"""The readers, in the order they are tried."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path

from rlscale.errors import EmptyError, SourceError
from rlscale.sources.discover import Found, by_name, without_reader
from rlscale.sources.files import (
    console,
    json_array,
    jsonl,
    keyed_json,
    roll_state,
    sb3_monitor,
    trl_state,
    verl_file,
)
from rlscale.sources.files.fold import NewFold
from rlscale.sources.log import Log, ReadOptions
from rlscale.sources.record import Record
from rlscale.sources.tables import table, tracker_export
from rlscale.sources.text import read_head
from rlscale.sources.trackers import mlflow_store, sqlite, tensorboard, trackio, wandb_file

__all__ = ["READERS", "Reader", "read_found", "reader_of"]


@dataclass(frozen=True)
class Reader:
    """One format: ``sniff`` says from the name and the first bytes whether ``read`` knows the file.

    A trainer's own file is read to logs, a tracker's to records: sessions of a run may stand in several of them.
    ``fold`` is given where the file is read line by line.
    """

    name: str
    sniff: Callable[[Path, bytes], bool]
    read: Callable[[Path], list[Log] | list[Record]]
    fold: NewFold | None = None


READERS = (
    Reader(wandb_file.NAME, wandb_file.sniff, wandb_file.read_records),
    Reader(tensorboard.NAME, tensorboard.sniff, tensorboard.read_records),
    Reader(mlflow_store.NAME, mlflow_store.sniff, mlflow_store.read_records),
    Reader(trackio.NAME, trackio.sniff, trackio.read_records),
    Reader(roll_state.NAME, roll_state.sniff, roll_state.read),
    Reader(trl_state.NAME, trl_state.sniff, trl_state.read),
    Reader(verl_file.NAME, verl_file.sniff, verl_file.read, verl_file.VerlFold),
    Reader(sb3_monitor.NAME, sb3_monitor.sniff, sb3_monitor.read),
    Reader(keyed_json.NAME, keyed_json.sniff, keyed_json.read),
    Reader(tracker_export.NAME, tracker_export.sniff, tracker_export.read_records),
    Reader(table.NAME, table.sniff, table.read),
    Reader(jsonl.NAME, jsonl.sniff, jsonl.read, jsonl.MetricsFold),
    Reader(json_array.NAME, json_array.sniff, json_array.read),
    Reader(console.NAME, console.sniff, console.read, console.ConsoleFold),
)


def reader_of(path: Path, head: bytes, options: ReadOptions | None = None) -> Reader | None:
    """Return the reader that knows a file by its name and its first ``HEAD_BYTES`` bytes; None where none does.

    The options matter to tables and to rows of JSON, whose columns and keys may be anything.
    """
    reader = next((reader for reader in READERS if reader.sniff(path, head)), None)
    return reader if options is None or reader is None else _with_options(reader, options)


@lru_cache(maxsize=64)
def _with_options(reader: Reader, options: ReadOptions) -> Reader:
    """Return the reader with the options it heeds; the same one for the same options."""
    if reader.name == tracker_export.NAME:
        return replace(reader, read=partial(tracker_export.read_records, options=options))
    if reader.name == table.NAME:
        return replace(reader, read=partial(table.read, options=options))
    if reader.name == keyed_json.NAME:
        return replace(reader, read=partial(keyed_json.read, options=options))
    if reader.name == json_array.NAME:
        return replace(reader, read=partial(json_array.read, options=options))
    if reader.name == jsonl.NAME:
        new = partial(jsonl.MetricsFold, options=options)
        return replace(reader, read=partial(jsonl.read, options=options), fold=new)
    return reader


def read_found(found: Found, options: ReadOptions | None = None) -> list[Log] | list[Record]:
    """Return what one file, folder or address holds.

    Raises
    ------
    FormatError
        No reader knows it.
    SourceError
        It is empty or its reader refuses it.
    """
    if found.uri:
        return _from_address(found.uri)
    if found.frame is not None:
        return table.read(found.frame, options)
    path = found.path
    if by_name(path):
        raise without_reader(path)
    try:
        if path.is_dir():
            events = any("tfevents" in one.name for one in path.iterdir())
            return tensorboard.read_records(path) if events else mlflow_store.read_records(path)
        head = read_head(path)
        if not head:
            raise EmptyError(str(path), "the file is empty; nothing was logged yet")
        reader = reader_of(path, head, options)
        if reader is not None:
            return reader.read(path)
    except OSError as error:  # the disk, or a file that went away meanwhile
        raise SourceError(str(path), f"cannot be read ({error.strerror or error}); check the disk") from error
    raise sqlite.refusal(path) if sqlite.is_sqlite(head) else without_reader(path)


def _from_address(uri: str) -> list[Log] | list[Record]:
    if uri.lower().startswith("ledger:"):
        from rlscale.sources.trackers import ledger

        return ledger.read(uri)
    if uri.lower().startswith("wandb://"):
        from rlscale.sources.trackers import wandb_api

        return wandb_api.read_records(uri)
    from rlscale.sources.trackers import mlflow_server

    return mlflow_server.read_records(uri)
