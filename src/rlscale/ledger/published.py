"""What trackers have been told of runs, and what they have not: the ledger is the queue, so nothing in it is lost."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, func, insert, select, update

from rlscale.ledger.database import Database
from rlscale.ledger.fits import FitRow, fits_after
from rlscale.ledger.rulings import DecisionRow, decisions_on
from rlscale.ledger.schema import decisions, fits, looks, published
from rlscale.ledger.values import RunRow

__all__ = ["Backlog", "Cursor", "Published"]


@dataclass(frozen=True)
class Cursor:
    """Up to where a tracker has been told of a run: number of its point, and of the decision on it; 0 of nothing."""

    seq: int = 0
    decision: int = 0


@dataclass(frozen=True)
class Backlog:
    """What a tracker has not been told of a run.

    Parameters
    ----------
    run_id : int
    fits : tuple of FitRow
        One a point, in their order.
    decisions : tuple of DecisionRow
        In their order.
    before : DecisionRow, optional
        The latest decision that it was told of.
    cursor : Cursor
        Where it stands once it is told all this.
    """

    run_id: int
    fits: tuple[FitRow, ...]
    decisions: tuple[DecisionRow, ...]
    before: DecisionRow | None
    cursor: Cursor


class Published:
    """The trackers that a ledger's looks are told to.

    Parameters
    ----------
    database : Database
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def waiting(self, target: str, settings: str, *, acting: bool) -> dict[int, Cursor]:
        """Return where a tracker stands with each run that there is something new of, by the run's id.

        Parameters
        ----------
        target : str
            Digest of its address.
        settings : str
            Hash of the settings whose fits it is told; decisions hold on when settings change, and are told once.
        acting : bool
            Whether of decisions that are carried out, or of those of a dry run.
        """

        def work(connection: Connection) -> dict[int, Cursor]:
            last = select(fits.c.run_id, func.max(fits.c.seq)).where(fits.c.settings == settings)
            seqs = _pairs(connection, last.group_by(fits.c.run_id))
            ruled = (
                select(decisions.c.run_id, func.max(decisions.c.id))
                .join(looks, looks.c.id == decisions.c.look_id)
                .where(looks.c.acting == int(acting))
                .group_by(decisions.c.run_id)
            )
            ids = _pairs(connection, ruled)
            seen = select(published.c.run_id, func.max(published.c.seq)).where(published.c.settings == settings)
            told = _pairs(connection, seen.where(published.c.target == target).group_by(published.c.run_id))
            heard = select(published.c.run_id, func.max(published.c.decision_id)).where(published.c.target == target)
            known = _pairs(connection, heard.group_by(published.c.run_id))
            found = {}
            for run in sorted(seqs.keys() | ids.keys()):
                cursor = Cursor(told.get(run, 0), known.get(run, 0))
                if seqs.get(run, 0) > cursor.seq or ids.get(run, 0) > cursor.decision:
                    found[run] = cursor
            return found

        return self._database.read(work)

    def backlog(self, run: RunRow, cursor: Cursor, settings: str, *, acting: bool, most: int = 1000) -> Backlog:
        """Return what is new of a run since a cursor: at most so many fits, and the decisions."""

        def work(connection: Connection) -> Backlog:
            fitted = fits_after(connection, run.id, settings, cursor.seq, most)
            ruled = decisions_on(connection, run.id, acting)
            before = [one for one in ruled if one.id <= cursor.decision]
            new = tuple(one for one in ruled if one.id > cursor.decision)
            stands = Cursor(
                max((one.seq for one in fitted), default=cursor.seq),
                max((one.id for one in new), default=cursor.decision),
            )
            return Backlog(run.id, fitted, new, before[-1] if before else None, stands)

        return self._database.read(work)

    def told(self, target: str, settings: str, run: int, cursor: Cursor) -> None:
        """Note up to where a tracker has been told of a run."""
        own = (published.c.target == target, published.c.run_id == run, published.c.settings == settings)
        values = {"seq": cursor.seq, "decision_id": cursor.decision, "at": time.time()}

        def work(connection: Connection) -> None:
            if not connection.execute(update(published).where(*own).values(**values)).rowcount:
                connection.execute(insert(published).values(target=target, run_id=run, settings=settings, **values))

        self._database.write(work)


def _pairs(connection: Connection, asked: Select[Any]) -> dict[int, int]:
    return {int(run): int(number) for run, number in connection.execute(asked)}
