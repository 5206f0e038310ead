"""Where a ledger is: a file, or a database by URL; passwords are never shown."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rlscale.errors import InputError, hidden

if TYPE_CHECKING:
    from sqlalchemy import URL

__all__ = ["Address", "address"]

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|sqlite:")
_POSTGRES = ("postgresql", "postgres", "postgresql+psycopg")


@dataclass(frozen=True)
class Address:
    """A ledger's place; its text form holds no password.

    Parameters
    ----------
    url : sqlalchemy.URL
    file : Path, optional
        The SQLite file; None for a server.
    """

    url: URL = field(repr=False)
    file: Path | None = None

    def __str__(self) -> str:
        if self.file is not None:
            return str(self.file)
        return hidden(self.url.set(drivername="postgresql").render_as_string(hide_password=True))


def address(text: str) -> Address:
    """Return the place that ``text`` names.

    Parameters
    ----------
    text : str
        The path of an SQLite file, ``sqlite:///PATH``, or ``postgresql://USER@HOST/DATABASE``; each may follow
        ``ledger:``.

    Raises
    ------
    InputError
        Another kind of database, or text that is no address.
    """
    from sqlalchemy import URL, make_url
    from sqlalchemy.exc import ArgumentError

    named = text.strip().removeprefix("ledger:")
    if not named:
        raise InputError("the ledger's address is empty; give a file, as runs.db, or postgresql://USER@HOST/DATABASE")
    if _SCHEME.match(named) is None:
        return _file(named)
    try:
        url = make_url(named)
    except ArgumentError as error:
        raise InputError(f"{hidden(text)!r} is no address of a ledger; give a file, or a database's URL") from error
    if url.drivername == "sqlite":
        if not url.database or url.database == ":memory:":
            raise InputError(f"{text!r} names no file; a ledger is shared, so give one: sqlite:///runs.db")
        return _file(url.database)
    if url.drivername not in _POSTGRES:
        raise InputError(f"a ledger is an SQLite file or a PostgreSQL database, not {url.drivername!r}: {hidden(text)}")
    if not isinstance(url, URL) or not url.database:
        raise InputError(f"{hidden(text)} names no database; write postgresql://USER@HOST/DATABASE")
    return Address(url.set(drivername="postgresql+psycopg"))


def _file(name: str) -> Address:
    from sqlalchemy import URL

    path = Path(name)
    if "\0" in name or path.is_dir():
        raise InputError(f"the ledger {name!r} is a folder; give a file, as {path / 'runs.db'}")
    if not path.parent.is_dir():
        raise InputError(f"the ledger {name!r} cannot be made: {str(path.parent)!r} is not a folder; make it first")
    return Address(URL.create("sqlite", database=name), path)
