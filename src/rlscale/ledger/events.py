"""What happened while a ledger was watched: what went wrong and right again, and alarms of runs."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, func, insert, select

from rlscale.ledger.database import Database
from rlscale.ledger.lease import Lease, hold
from rlscale.ledger.schema import events
from rlscale.ledger.values import canonical

__all__ = ["ALARM", "ALARMS", "CHANGE", "DRY_ALARM", "WELL", "Event", "Events", "NewEvent"]

#: Message of an event that ends another; kind of an event that is no error.
WELL, CHANGE = "is well again", "bounds"
#: Kinds of alarms of runs: of a watcher that acts, and of a dry run, whose decisions are others.
ALARM, DRY_ALARM = "alarm", "dry-run alarm"
ALARMS = (ALARM, DRY_ALARM)
#: Characters kept of what an event is about, and of its message.
_SUBJECT, _MESSAGE = 2000, 4000


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that went wrong, or right again, while a ledger was watched.

    Parameters
    ----------
    id : int
    at : float
    kind : str
        ``source``, ``command``, ``gate``, ``watcher``, ``alarm``, ...
    subject, message : str
    document : mapping, optional
        Of an alarm: what programs are sent.
    """

    id: int
    at: float
    kind: str
    subject: str
    message: str
    document: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class NewEvent:
    """An event with a document, before it has a number; as in :class:`Event`."""

    kind: str
    subject: str
    message: str
    document: Mapping[str, Any]


class Events:
    """What happened while a ledger was watched.

    Parameters
    ----------
    database : Database
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, kind: str, subject: str, message: str) -> None:
        """Keep an event."""
        told = _columns(kind, subject, message, time.time())
        tries = 0

        def work(connection: Connection) -> None:
            nonlocal tries
            tries += 1
            _insert(connection, told, again=tries > 1)

        self._database.write(work)

    def alarm(self, lease: Lease, new: Sequence[NewEvent]) -> None:
        """Keep alarms: all of them or, where another watcher has taken over, none.

        Raises
        ------
        LeaseLost
            Another watcher has taken over.
        """
        now, tries = time.time(), 0
        rows = [
            {**_columns(each.kind, each.subject, each.message, now), "document": canonical(dict(each.document))}
            for each in new
        ]

        def work(connection: Connection) -> None:
            nonlocal tries
            hold(connection, lease)
            tries += 1
            for row in rows:
                _insert(connection, row, again=tries > 1)

        self._database.write(work)

    def last(self, count: int = 20) -> tuple[Event, ...]:
        """Return the latest events, oldest first."""
        return self._events(select(events).order_by(events.c.id.desc()).limit(count))[::-1]

    def open(self) -> tuple[Event, ...]:
        """Return the latest event of whatever is still wrong with the watching, oldest first; alarms are none."""
        kinds = events.c.kind.not_in((CHANGE, *ALARMS))
        return self._events(_latest(kinds).where(events.c.message != WELL))

    def alarms(self, kind: str = ALARM) -> tuple[Event, ...]:
        """Return the latest event of each alarm, of those that are over too, oldest first."""
        return self._events(_latest(events.c.kind == kind))

    def alarms_after(self, number: int, kind: str = ALARM) -> tuple[Event, ...]:
        """Return the events of alarms after that of a number, oldest first."""
        return self._events(select(events).where(events.c.kind == kind, events.c.id > number).order_by(events.c.id))

    def count(self) -> int:
        """Return how many there are."""
        asked = select(func.count()).select_from(events)
        return int(self._database.read(lambda connection: connection.execute(asked).scalar()) or 0)

    def _events(self, asked: Select[Any]) -> tuple[Event, ...]:
        return self._database.read(lambda connection: tuple(map(_event, connection.execute(asked))))


def _latest(which: Any) -> Select[Any]:
    """Return the question for the latest event of each subject."""
    last = select(func.max(events.c.id)).where(which).group_by(events.c.kind, events.c.subject)
    return select(events).where(events.c.id.in_(last)).order_by(events.c.id)


def _columns(kind: str, subject: str, message: str, at: float) -> dict[str, Any]:
    return {"at": at, "kind": kind, "subject": subject[:_SUBJECT], "message": message[:_MESSAGE]}


def _insert(connection: Connection, row: dict[str, Any], *, again: bool) -> None:
    """Insert a row; where that was tried before and the answer was lost, only if it is not there."""
    same = and_(*(events.c[name] == value for name, value in row.items()))
    if not again or connection.execute(select(events.c.id).where(same)).first() is None:
        connection.execute(insert(events).values(**row))


def _event(row: Row[Any]) -> Event:
    columns = dict(row._mapping)
    document = columns["document"]
    return Event(**{**columns, "document": None if document is None else json.loads(document)})
