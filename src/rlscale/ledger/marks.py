"""Whether a ledger holds anything new, in one small question: for who shows it and asks every second."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from rlscale.ledger.database import Database
from rlscale.ledger.schema import decisions, deliveries, events, leases, logs, looks, overrides, runs

__all__ = ["Marks", "marks_of"]


@dataclass(frozen=True)
class Marks:
    """Numbers that change with what a ledger holds.

    Parameters
    ----------
    runs, points, ended : int
        Runs, points of all of them, runs that are over.
    bounds : float
        Changes with what is assumed of bounds.
    logs : int
        Appends to the series of all runs.
    looks, decisions, words, events : int
        The latest of each.
    commands : tuple of (str, int)
        How many ended in which way.
    holders : tuple of str
        Who holds the leases.
    """

    runs: int
    points: int
    ended: int
    bounds: float
    logs: int
    looks: int
    decisions: int
    words: int
    events: int
    commands: tuple[tuple[str, int], ...]
    holders: tuple[str, ...]

    @property
    def ruled(self) -> tuple[int, int]:
        """Those that change with what is decided."""
        return self.looks, self.decisions

    @property
    def of_runs(self) -> tuple[float, ...]:
        """Those that change with the runs and their logs."""
        return (self.runs, self.points, self.ended, self.bounds, self.logs)


def marks_of(database: Database) -> Marks:
    """Return the marks of a ledger as it stands.

    Raises
    ------
    LedgerError
        Its file is gone, or is another one than the file that was opened; its tables are those of another release; it
        cannot be read.
    """
    database.check()
    return database.read(_marks)


def _marks(connection: Connection) -> Marks:
    count, points, ended, low, high = connection.execute(
        select(func.count(), func.sum(runs.c.last_seq), func.count(runs.c.ended), func.sum(runs.c.low),
               func.sum(runs.c.high))
    ).one()  # fmt: skip
    latest = [
        int(connection.execute(select(func.max(table.c.id))).scalar() or 0)
        for table in (looks, decisions, overrides, events)
    ]
    ways = select(deliveries.c.outcome, func.count()).group_by(deliveries.c.outcome).order_by(deliveries.c.outcome)
    return Marks(
        int(count), int(points or 0), int(ended), float(low or 0.0) - 1.7 * float(high or 0.0),
        int(connection.execute(select(func.sum(logs.c.last))).scalar() or 0),
        latest[0], latest[1], latest[2], latest[3],
        tuple((str(outcome), int(number)) for outcome, number in connection.execute(ways)),
        tuple(str(row.holder) for row in connection.execute(select(leases.c.holder).order_by(leases.c.name))),
    )  # fmt: skip
