"""Commands that carry out decisions: claimed before they are started, and how they ended."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, and_, insert, select, update

from rlscale.ledger.database import Database
from rlscale.ledger.lease import Lease, hold
from rlscale.ledger.schema import deliveries

__all__ = ["MOST_ATTEMPTS", "Deliveries", "Delivery"]

#: A command is started again until it has failed this often; being interrupted is no failure of its own.
MOST_ATTEMPTS = 3


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One start of a command.

    Parameters
    ----------
    decision_id, attempt : int
    at : float
    outcome : str
        ``started``, ``done``, ``failed``, ``timeout`` or ``interrupted``.
    exit_code : int, optional
    said : str
        The end of what it printed.
    """

    decision_id: int
    attempt: int
    at: float
    outcome: str
    exit_code: int | None
    said: str


class Deliveries:
    """The commands of a ledger.

    Parameters
    ----------
    database : Database
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._unsure: dict[int, int] = {}  # attempts at claims that this process does not know the end of

    def claim(self, lease: Lease, decision: int) -> int | None:
        """Claim a decision for carrying out, and return which attempt it is; None where it is somebody's or done.

        What failed or was interrupted is tried again: the command is told the attempt, for those that must not be run
        twice.

        Raises
        ------
        LeaseLost
            Another watcher has taken over.
        """

        def work(connection: Connection) -> int | None:
            hold(connection, lease)
            own = deliveries.c.decision_id == decision
            made = connection.execute(select(deliveries).where(own).order_by(deliveries.c.attempt)).all()
            last, attempt = made[-1] if made else None, len(made) + 1
            if last is not None and last.outcome == "started":
                # it is under way, unless it is this very claim, whose answer was lost
                ours = last.epoch == lease.epoch and self._unsure.get(decision) == last.attempt
                return last.attempt if ours else None
            failed = sum(one.outcome in ("failed", "timeout") for one in made)
            if failed >= MOST_ATTEMPTS or (last is not None and last.outcome == "done"):
                return None
            self._unsure[decision] = attempt
            connection.execute(
                insert(deliveries).values(
                    decision_id=decision, attempt=attempt, epoch=lease.epoch, at=time.time(), outcome="started", said=""
                )
            )
            return attempt

        claimed = self._database.write(work)
        self._unsure.pop(decision, None)
        return claimed

    def interrupt(self, lease: Lease) -> int:
        """Note as interrupted what watchers of earlier epochs had started and did not see the end of; return how many.

        Raises
        ------
        LeaseLost
            Another watcher has taken over.
        """

        def work(connection: Connection) -> int:
            hold(connection, lease)
            left = and_(deliveries.c.outcome == "started", deliveries.c.epoch < lease.epoch)
            return connection.execute(update(deliveries).where(left).values(outcome="interrupted")).rowcount

        return self._database.write(work)

    def end(self, decision: int, attempt: int, outcome: str, exit_code: int | None, said: str) -> None:
        """Note how a command ended; one that was given up as interrupted stays so."""
        own = and_(
            deliveries.c.decision_id == decision, deliveries.c.attempt == attempt, deliveries.c.outcome == "started"
        )
        told = {"outcome": outcome, "exit_code": exit_code, "said": said}
        self._database.write(lambda connection: connection.execute(update(deliveries).where(own).values(**told)))

    def of(self, numbers: Sequence[int] | None = None) -> tuple[Delivery, ...]:
        """Return the commands of some decisions, or of all."""
        asked = select(deliveries).order_by(deliveries.c.decision_id, deliveries.c.attempt)
        if numbers is not None:
            asked = asked.where(deliveries.c.decision_id.in_(list(numbers)))
        names = ("decision_id", "attempt", "at", "outcome", "exit_code", "said")
        return self._database.read(
            lambda connection: tuple(
                Delivery(**{name: row._mapping[name] for name in names}) for row in connection.execute(asked)
            )
        )
