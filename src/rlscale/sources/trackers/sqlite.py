"""SQLite databases, opened so that nothing on the disk changes, and read so that no damaged one takes for ever."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from rlscale.errors import FormatError, SourceError
from rlscale.sources.limits import SQLITE_COPY_CAP, SQLITE_VALUE_CAP

__all__ = ["ENDINGS", "Database", "is_sqlite", "journal_of", "opened", "refusal", "tables_of"]

_MAGIC = b"SQLite format 3\0"

#: Ends of the names of databases.
ENDINGS = (".db", ".sqlite", ".sqlite3")

#: Where the header keeps the version of the journal: 2 is write-ahead.
_READ_VERSION = 19


_WAIT = 5.0
_OPS = 1_000_000

_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FORMAT, sqlite3.SQLITE_TOOBIG})
_LOCKED = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_HALFWAY = frozenset({sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH})


def is_sqlite(head: bytes) -> bool:
    """Whether the first bytes are those of an SQLite database."""
    return head.startswith(_MAGIC)


def journal_of(path: Path) -> Path:
    """Return where the write-ahead log of a database stands."""
    return path.with_name(f"{path.name}-wal")


def tables_of(path: Path) -> dict[str, frozenset[str]]:
    """Return the plain tables of a database and their columns, both in lower case.

    Raises
    ------
    SourceError
        The database cannot be read.
    """
    with opened(path) as database:
        return {table: frozenset(columns) for table, columns in database.tables.items()}


def refusal(path: Path) -> FormatError:
    """Return the error of a database that no reader knows; it names the tables.

    Raises
    ------
    SourceError
        The database cannot be read.
    """
    names = sorted(tables_of(path))
    more = f" and {len(names) - 6} more" if len(names) > 6 else ""
    what = f"with the tables {', '.join(map(repr, names[:6]))}{more}" if names else "without tables"
    return FormatError(
        str(path),
        f"an SQLite database {what}: of no tracker rlscale knows (MLflow, Trackio); "
        "export its runs to CSV or give the trainer's own log",
    )


class Database:
    """An open database.

    Parameters
    ----------
    connection : sqlite3.Connection
        Cannot write.
    path : str
        The file, as the user named it.
    size : int
        Bytes of the file and its write-ahead log; a query that takes much longer than they explain is stopped.
    """

    def __init__(self, connection: sqlite3.Connection, path: str, size: int) -> None:
        self._connection, self.path, self._size = connection, path, size
        self._left = 100 + size // 10_000  # in units of _OPS: some 100 operations for each byte
        connection.text_factory = partial(str, encoding="utf-8", errors="replace")
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, SQLITE_VALUE_CAP)
        connection.set_progress_handler(self._spent, _OPS)
        for pragma in ("query_only=ON", "trusted_schema=OFF", "cell_size_check=ON", "temp_store=MEMORY"):
            connection.execute(f"PRAGMA {pragma}")
        self.tables = self._tables()

    def _spent(self) -> bool:
        self._left -= 1
        return self._left < 0

    def _tables(self) -> dict[str, dict[str, str]]:
        """Return the columns of each table, by name in lower case; no views and nothing computed by expressions."""
        found = {}
        stored = "SELECT name FROM sqlite_master WHERE type = 'table' AND rootpage > 0"
        for (name,) in list(self.rows(stored)):
            if isinstance(name, str) and not name.lower().startswith("sqlite_"):
                columns = self.rows(f"PRAGMA table_xinfo({_quoted(name)})")
                found[name.lower()] = {str(row[1]).lower(): str(row[1]) for row in columns if row[6] == 0}
        return found

    def rows(self, query: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a query.

        Raises
        ------
        SourceError
            The database is damaged, locked, or was left halfway through a change.
        """
        most = self._size // 4 + 1000  # no row takes less than 4 bytes
        try:
            for number, row in enumerate(self._connection.execute(query, values)):
                if number > most:
                    raise SourceError(self.path, _damaged("it repeats rows without end"))
                yield row
        except sqlite3.Error as error:
            raise _refused(self.path, error) from error
        except (MemoryError, OverflowError) as error:
            raise SourceError(self.path, _damaged("it holds a value beyond reason")) from error
        except UnicodeDecodeError as error:  # Python cannot decode SQLite's own message, which quotes the damage
            raise SourceError(self.path, _damaged("its schema is not UTF-8 text")) from error

    def select(self, table: str, wanted: Mapping[str, str | None]) -> Iterator[tuple[Any, ...]]:
        """Yield columns of a table, in the order its rows were inserted.

        Parameters
        ----------
        table : str
            In lower case.
        wanted : mapping of str to (str or None)
            The columns, and what stands for one that is not there (an SQL literal); None where it must be there.

        Raises
        ------
        FormatError
            The table, or a column that must be there, is not.
        """
        have = self.tables.get(table)
        if have is None:
            raise FormatError(self.path, f"the database has no table {table!r}; is it the tracker's own?")
        terms = []
        for column, other in wanted.items():
            if column not in have and other is None:
                message = f"table {table!r} has no column {column!r}; it is of a version rlscale does not know"
                raise FormatError(self.path, message)
            terms.append(_quoted(have[column]) if column in have else str(other))
        return self.rows(f"SELECT {', '.join(terms)} FROM {_quoted(table)}")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@contextmanager
def opened(path: Path) -> Iterator[Database]:
    """Open a database for reading. The file stays as it is and nothing is made beside it.

    A database without a write-ahead log is opened read-only, with the usual locks. One with a log that a writer has
    open is read through the writer's own index (``readonly_shm``), and so holds all it has committed. A log without
    its index, left by a copy or a crash, is read from a private copy, because SQLite would make the index beside it.
    Without a log there is nothing to wait for: ``immutable`` keeps SQLite from making one.

    Raises
    ------
    SourceError
        The file is not a database, damaged, locked, or was left halfway through a change.
    """
    try:
        real = path.resolve()
        with real.open("rb") as file:
            head = file.read(100)
        wal = journal_of(real)
        logged = wal.stat().st_size if wal.is_file() else 0
        size = real.stat().st_size + logged
    except OSError as error:
        raise SourceError(str(path), f"cannot be opened ({error.strerror}); check the path and its rights") from error
    if not is_sqlite(head):
        raise FormatError(str(path), "is not an SQLite database; check the path")
    if len(head) < 100:
        raise SourceError(str(path), _damaged("it is shorter than its header"))
    if head[_READ_VERSION] != 2:
        yield from _connected(real, "mode=ro", path, size)
    elif real.with_name(f"{real.name}-shm").is_file() and wal.is_file():
        yield from _connected(real, "mode=ro&readonly_shm=1", path, size)
    elif not logged:
        yield from _connected(real, "immutable=1", path, size)
    else:
        with tempfile.TemporaryDirectory(prefix="rlscale-") as folder:
            yield from _connected(_copied(real, wal, Path(folder), path, size), "mode=ro", path, size)


def _copied(real: Path, wal: Path, folder: Path, path: Path, size: int) -> Path:
    advice = f"it was left with a write-ahead log ({wal.name}) and must be copied to be read"
    try:
        if size > min(SQLITE_COPY_CAP, shutil.disk_usage(folder).free):
            raise SourceError(str(path), f"{advice}, but is too large; open it once with the program that wrote it")
        copy = folder / "copy.db"
        shutil.copyfile(real, copy)
        shutil.copyfile(wal, folder / "copy.db-wal")
    except OSError as error:
        raise SourceError(str(path), f"{advice}: {error.strerror}; free some space in {folder.parent}") from error
    return copy


def _connected(real: Path, options: str, path: Path, size: int) -> Iterator[Database]:
    try:
        connection = sqlite3.connect(f"{real.as_uri()}?{options}", uri=True, timeout=_WAIT, isolation_level=None)
    except sqlite3.Error as error:
        raise _refused(str(path), error) from error
    with closing(connection):
        try:
            connection.execute("BEGIN")  # one snapshot for all queries
            database = Database(connection, str(path), size)
        except sqlite3.Error as error:
            raise _refused(str(path), error) from error
        yield database


def _damaged(reason: str) -> str:
    return f"the database is damaged ({reason}); copy it again, or run sqlite3 FILE .recover"


def _refused(path: str, error: sqlite3.Error) -> SourceError:
    """Return what an error of SQLite means to the user."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    reason = str(error).replace("\n", " ")[:200]
    if code == sqlite3.SQLITE_NOTADB:
        return SourceError(
            path, "is not an SQLite database that can be read: damaged after its first bytes, or encrypted"
        )
    if code in _LOCKED:
        return SourceError(path, "another program is writing to the database; try again in a moment")
    if code in _HALFWAY:
        halfway = "its last writer stopped halfway through a change" if os.path.exists(f"{path}-journal") else reason
        message = f"the database cannot be read without changing it ({halfway}); open it once with its own program"
        return SourceError(path, message)
    if code == sqlite3.SQLITE_INTERRUPT:
        return SourceError(path, _damaged("reading it takes longer than its size can explain"))
    if code in _DAMAGED:
        return SourceError(path, _damaged(reason))
    return SourceError(path, f"the database cannot be read ({reason}); is it the tracker's own?")
