"""The readers, in the order they are tried."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rlscale.errors import SourceError
from rlscale.sources import jsonl, table, trl, trl_stdout, verl_console, verl_file
from rlscale.sources.discover import by_name, without_reader
from rlscale.sources.log import Log
from rlscale.sources.text import read_head

__all__ = ["READERS", "Reader", "read_file"]


@dataclass(frozen=True)
class Reader:
    """One format: ``sniff`` says from the name and the first bytes whether ``read`` knows the file."""

    name: str
    sniff: Callable[[Path, bytes], bool]
    read: Callable[[Path], list[Log]]


READERS = (
    Reader(trl.NAME, trl.sniff, trl.read),
    Reader(verl_file.NAME, verl_file.sniff, verl_file.read),
    Reader(table.NAME, table.sniff, table.read),
    Reader(jsonl.NAME, jsonl.sniff, jsonl.read),
    Reader(trl_stdout.NAME, trl_stdout.sniff, trl_stdout.read),
    Reader(verl_console.NAME, verl_console.sniff, verl_console.read),
)


def read_file(path: Path) -> list[Log]:
    """Return the runs of one file.

    Raises
    ------
    FormatError
        No reader knows the file.
    SourceError
        The file is empty or its reader refuses it.
    """
    if by_name(path):
        raise without_reader(path)
    try:
        head = read_head(path)
        if not head:
            raise SourceError(str(path), "the file is empty; nothing was logged yet")
        for reader in READERS:
            if reader.sniff(path, head):
                return reader.read(path)
    except OSError as error:  # the disk, or a file that went away meanwhile
        raise SourceError(str(path), f"cannot be read ({error.strerror or error}); check the disk") from error
    raise without_reader(path)
