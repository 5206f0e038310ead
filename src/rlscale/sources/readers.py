"""What a file, a folder or an address holds."""

from __future__ import annotations

from collections.abc import Sequence

from rlscale.errors import EmptyError, SourceError
from rlscale.sources import formats
from rlscale.sources.discover import Found, by_name, without_reader
from rlscale.sources.format import Stored
from rlscale.sources.log import ReadOptions
from rlscale.sources.tables import table_file
from rlscale.sources.text import read_head
from rlscale.sources.trackers import sqlite

__all__ = ["read_found"]


def read_found(found: Found, options: ReadOptions | None = None) -> Sequence[Stored]:
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
        return table_file.read(found.frame, options)
    path = found.path
    if by_name(path):
        raise without_reader(path)
    try:
        head = b"" if path.is_dir() else read_head(path)
        if not head and not path.is_dir():
            raise EmptyError(str(path), "the file is empty; nothing was logged yet")
        form = formats.of_file(path, head) if head else formats.of_folder(path)
        if form is not None:
            return form.stored(path, options)
    except OSError as error:  # the disk, or a file that went away meanwhile
        raise SourceError(str(path), f"cannot be read ({error.strerror or error}); check the disk") from error
    raise sqlite.refusal(path) if sqlite.is_sqlite(head) else without_reader(path)


def _from_address(uri: str) -> Sequence[Stored]:
    form = formats.of_scheme(uri.partition(":")[0])
    assert form is not None  # discovery refuses any other
    assert form.address is not None
    return form.address.read(uri)
