"""The database behind a ledger: connections, transactions that wait and try again, and the version of its tables."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, CursorResult, create_engine, event, inspect, text
from sqlalchemy.exc import DBAPIError, InterfaceError, NoSuchModuleError, OperationalError, SQLAlchemyError

from rlscale.errors import LedgerError, hidden
from rlscale.ledger.address import Address

__all__ = ["HEAD", "PATIENCE", "Database", "Replaced", "Unreachable", "inserted"]

T = TypeVar("T")

#: The version of the tables that this package reads and writes.
HEAD = "0005"
#: Where a ledger keeps its version; other programs' migrations keep theirs elsewhere.
_VERSION = "rlscale_version"
#: Seconds that a locked or unreachable database is waited for.
PATIENCE = 30.0
#: Seconds that are waited when a ledger is opened: whoever typed the address is waiting too.
_FIRST = 5.0
#: Any number that nobody else locks: two processes must not make the tables at once.
_LOCK = 7_285_413_960_411
#: A server that vanished is noticed within a minute, not after two hours.
_ALIVE = {"keepalives_idle": 20, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 50_000}
_MIGRATIONS = Path(__file__).parent / "migrations"
#: Longest pause between two tries, in seconds.
_PAUSE = 1.0


class Unreachable(LedgerError):
    """The database was locked or could not be reached for as long as it was waited for."""


class Replaced(LedgerError):
    """Another file stands in the place of the one that was opened."""


class Database:
    """A ledger's database.

    Parameters
    ----------
    where : Address
    create : bool
        Make the tables where there are none; else a ledger that is not there is an error.
    patience : float
        Seconds that a locked or unreachable database is waited for.

    Raises
    ------
    LedgerError
        It cannot be opened, is no ledger, or was written by a newer release.
    """

    def __init__(self, where: Address, *, create: bool = False, patience: float = PATIENCE) -> None:
        self.where, self.patience = where, patience
        if where.file is not None and not create and not where.file.is_file():
            raise LedgerError(f"no ledger {where}; rlscale ledger add PATH --ledger {where} makes one")
        self._server = where.file is None
        self._process = os.getpid()
        self._engine = self._opened()
        try:
            self._prepare(create)
            self._file = _identity(where)
        except LedgerError:
            self.close()
            raise

    def _opened(self) -> Any:
        try:
            if self._server:
                engine = create_engine(
                    self.where.url, pool_pre_ping=True, connect_args={"connect_timeout": 10, **_ALIVE}
                )
                event.listen(engine, "connect", partial(_limited, round(1000 * self.patience)))
                return engine
            engine = create_engine(self.where.url, connect_args={"timeout": self.patience})
        except (ModuleNotFoundError, NoSuchModuleError) as error:
            raise LedgerError("a PostgreSQL ledger needs psycopg; pip install 'rlscale[postgres]'") from error
        event.listen(engine, "connect", partial(_configured, self.where.file))
        event.listen(engine, "begin", _begun)
        return engine

    def close(self) -> None:
        """Close its connections."""
        self._engine.dispose()

    def check(self) -> None:
        """Make sure that it is still the ledger that was opened: an open file can be read long after it was deleted.

        Raises
        ------
        Replaced
            Its file is another one.
        LedgerError
            Its file is gone; its tables are of another release by now; it cannot be read.
        """
        there = _identity(self.where)
        if there is None and self._file is not None:
            raise LedgerError(f"{self.where} is gone; put it back")
        if there != self._file:
            raise Replaced(f"{self.where} is another file now; open it anew")
        found = self._tried(self._version, write=False, patience=self.patience)
        if found != HEAD:
            raise self._strange(found)

    def read(self, work: Callable[[Connection], T]) -> T:
        """Return what ``work`` reads in one transaction; tried again while the database cannot be reached."""
        return self._tried(work, write=False, patience=self.patience)

    def write(self, work: Callable[[Connection], T]) -> T:
        """Do ``work`` in one transaction: all of it or nothing.

        It is done again where the connection broke, even while it was being committed: it must find out whether it was
        done already.
        """
        return self._tried(work, write=True, patience=self.patience)

    def _tried(self, work: Callable[[Connection], T], *, write: bool, patience: float) -> T:
        if self._process != os.getpid():  # a connection is never shared with a forked process
            self._engine.dispose(close=False)
            self._process = os.getpid()
        deadline, pause = time.monotonic() + patience, 0.02
        while True:
            try:
                with self._engine.connect().execution_options(rlscale_write=write) as connection, connection.begin():
                    return work(connection)
            except SQLAlchemyError as error:
                passes = _passes(error)
                if not passes or time.monotonic() + pause > deadline:
                    kind = Unreachable if passes else LedgerError
                    raise kind(f"{self.where}: {_said(error)}") from None  # its chain holds the URL
            time.sleep(pause)
            pause = min(2.0 * pause, _PAUSE)

    def _prepare(self, create: bool) -> None:
        found = self._tried(self._version, write=False, patience=min(self.patience, _FIRST))
        if found == HEAD:
            return
        if (found is not None and found > HEAD) or (found is None and not create):
            raise self._strange(found)
        self.write(self._upgraded)

    def _strange(self, version: str | None) -> LedgerError:
        """Return why tables of a version cannot be read."""
        if version is None:
            return LedgerError(f"{self.where} holds no ledger; rlscale ledger add PATH --ledger {self.where} makes one")
        return LedgerError(
            f"{self.where} was written by {'a newer' if version > HEAD else 'an older'} rlscale (tables of version "
            f"{version}, this one knows {HEAD}); {'upgrade rlscale' if version > HEAD else 'open it anew'}"
        )

    def _version(self, connection: Connection) -> str | None:
        """Return the version of the tables, None where there are none.

        Raises
        ------
        LedgerError
            Tables of something else.
        """
        names = set(inspect(connection).get_table_names())
        if _VERSION in names:
            return connection.execute(text(f"SELECT version_num FROM {_VERSION}")).scalar()
        if names and (not self._server or {"runs", "points"} & names):
            raise LedgerError(f"{self.where} is a database of something else; give the ledger one of its own")
        return None

    def _upgraded(self, connection: Connection) -> None:
        from alembic import command
        from alembic.config import Config

        if self._server:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        config = Config(attributes={"connection": connection, "version_table": _VERSION})
        config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
        config.set_main_option("path_separator", "os")
        command.upgrade(config, "head")


def _identity(where: Address) -> tuple[int, int] | None:
    """Return device and inode of a ledger's file; None where it is not there, or a server."""
    try:
        state = None if where.file is None else where.file.stat()
    except OSError:
        return None
    return None if state is None else (state.st_dev, state.st_ino)


def _limited(patience: int, connection: Any, _: Any) -> None:
    """Let nobody hold a row for longer, who froze or was cut off in a transaction; nor wait for one for longer."""
    cursor = connection.cursor()
    for name in ("lock_timeout", "idle_in_transaction_session_timeout"):
        cursor.execute(f"SET {name} = {max(patience, 1)}")
    cursor.close()
    connection.commit()


def _configured(file: Path | None, connection: Any, _: Any) -> None:
    connection.isolation_level = None  # transactions begin where we say so, not at the first change
    cursor = connection.cursor()
    pragmas = ["synchronous=FULL", "foreign_keys=ON"]
    if (
        file is not None and not file.stat().st_size
    ):  # a new file; it stays so, and a file of somebody else's is left as it is
        pragmas.insert(0, "journal_mode=WAL")
    for pragma in pragmas:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begun(connection: Connection) -> None:
    write = connection.get_execution_options().get("rlscale_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _passes(error: SQLAlchemyError) -> bool:
    """Whether a failure may pass: a lock, a server that restarts, a connection that broke."""
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated or isinstance(error, InterfaceError):
        return True
    said = str(error.orig).lower()
    if "full" in said:  # a disk does not empty itself while we wait
        return False
    gone = ("locked", "busy", "connection", "server closed", "starting up", "shutting down", "terminating", "deadlock",
            "serialize", "recovery mode", "lock timeout")  # fmt: skip
    wrong = ("password", "authentication", "role ", "does not exist", "no such", "translate host")
    return isinstance(error, OperationalError) and any(w in said for w in gone) and not any(w in said for w in wrong)


def _said(error: SQLAlchemyError) -> str:
    """Return what happened and what to do, without the statement and without a password."""
    cause = str(getattr(error, "orig", None) or error).strip()
    said = hidden(cause.splitlines()[0] if cause else type(error).__name__)
    lower = said.lower()
    for word, advice in _ADVICE:
        if word in lower:
            return f"{said}; {advice}"
    return f"the database refuses: {said}"


_ADVICE = (
    ("locked", "another process holds it; if none should, see who has the file open"),
    ("lock timeout", "another process holds it; if none should, see who has a transaction open"),
    ("full", "free some space: what was written before is safe"),
    ("no space left", "free some space: what was written before is safe"),
    ("not a database", "give an SQLite file, or a new name"),
    ("readonly", "give a file that can be written"),
    ("unable to open", "check the path and its rights"),
    ("disk i/o", "check the disk: what was written before is safe"),
    ("malformed", "restore it from a copy"),
    ("password", "check the user and the password (PGPASSWORD or ~/.pgpass keep it off the command line)"),
    ("does not exist", "create it first"),
    ("connection", "check that the server runs and can be reached"),
)


def inserted(made: CursorResult[Any]) -> int:
    """Return the number that an added row was given."""
    key = made.inserted_primary_key
    assert key is not None
    return int(key[0])
