"""What people decide on runs, before the gate: added, never changed."""

from __future__ import annotations

import getpass
import socket
import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, func, insert, select

from rlscale.errors import LedgerError
from rlscale.ledger.database import Database, inserted
from rlscale.ledger.schema import overrides, points, runs
from rlscale.ledger.values import RunRow

__all__ = ["GRACE", "KINDS", "Override", "Overrides", "evaluations_of", "forced", "next_look", "spoken", "visible"]

#: What people can decide: hold a run until they say otherwise, let it go on for now, let it go on whatever the gate
#: says, note that it ended, or that it is lost: it failed, and what it was forecast to reach it never will.
KINDS = ("hold", "resume", "pin", "end", "lost")
#: Evaluations that a run which a person resumed is left alone for.
GRACE = 2


@dataclass(frozen=True, kw_only=True)
class Override:
    """What a person decided on a run.

    Parameters
    ----------
    id : int
    run_id : int
    run : str
    kind : str
        One of :data:`KINDS`.
    at : float
    who, note : str
    evaluations : int
        Evaluations that the run had then.
    """

    id: int
    run_id: int
    run: str
    kind: str
    at: float
    who: str
    note: str
    evaluations: int


def visible(text: str) -> str:
    """Return a text without what cannot be seen, line breaks among it: terminals and pages obey that."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def next_look(watcher: str | None) -> str:
    """Return who will see what a person said, in words."""
    return f"{watcher} will see it at its next look" if watcher else "no watcher runs now: the next one will see it"


def forced(word: Override | None, evaluations: int) -> str | None:
    """Return what a person's latest word demands of a run that now has so many evaluations: hold, continue, nothing."""
    if word is None:
        return None
    if word.kind == "hold":
        return "hold"
    if word.kind == "pin" or (word.kind == "resume" and evaluations < word.evaluations + GRACE):
        return "continue"
    return None


class Overrides:
    """What people said of the runs of a ledger.

    Parameters
    ----------
    database : Database
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, run: RunRow, kind: str, note: str = "", who: str | None = None) -> Override:
        """Keep what a person decided on a run.

        Raises
        ------
        LedgerError
            A word that is none.

        Notes
        -----
        ``note`` and ``who`` are kept as :func:`visible` leaves them.
        """
        if kind not in KINDS:
            raise LedgerError(f"{kind!r} is no decision of a person; it is one of {', '.join(KINDS)}")
        now, reason = time.time(), visible(note)

        def work(connection: Connection) -> int:
            same = (overrides.c.at == now) & (overrides.c.run_id == run.id) & (overrides.c.kind == kind)
            there = connection.execute(select(overrides.c.id).where(same)).scalar()
            if there is not None:  # the answer to the first try was lost
                return int(there)
            told = {"at": now, "run_id": run.id, "kind": kind, "who": visible(who or "") or _user(), "note": reason}
            told["evaluations"] = evaluations_of(connection, run)
            return inserted(connection.execute(insert(overrides).values(**told)))

        number = self._database.write(work)
        (kept,) = self._read(spoken().where(overrides.c.id == number))
        return kept

    def all(self) -> tuple[Override, ...]:
        """Return all that people decided, in order."""
        return self._read(spoken().order_by(overrides.c.id))

    def latest(self) -> dict[int, Override]:
        """Return the latest word on each run that there is one on, by the run's id."""
        return {word.run_id: word for word in self.all()}

    def _read(self, asked: Select[Any]) -> tuple[Override, ...]:
        return self._database.read(
            lambda connection: tuple(Override(**row._mapping) for row in connection.execute(asked))
        )


def spoken() -> Select[Any]:
    """Return the question for words, each with the name of its run: the fields of :class:`Override`."""
    return select(overrides, runs.c.name.label("run")).join(runs, runs.c.id == overrides.c.run_id)


def evaluations_of(connection: Connection, run: RunRow) -> int:
    """Return how many evaluations a run has."""
    asked = select(func.count(func.distinct(points.c.compute)))
    own = (points.c.run_id == run.id) & (points.c.metric == run.metric)
    return int(connection.execute(asked.where(own)).scalar() or 0)


def _user() -> str:
    try:
        return f"{getpass.getuser()}@{socket.gethostname()}"
    except (KeyError, OSError):  # a container without a user
        return f"?@{socket.gethostname()}"
