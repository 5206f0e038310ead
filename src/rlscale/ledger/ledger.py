"""A ledger, opened: its runs, fits, rulings, commands and events."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rlscale.ledger.address import address
from rlscale.ledger.book import Book
from rlscale.ledger.database import PATIENCE, Database
from rlscale.ledger.deliveries import Deliveries
from rlscale.ledger.events import Events
from rlscale.ledger.fits import Fits
from rlscale.ledger.lease import ACTING, DRY, Standby, held_by
from rlscale.ledger.marks import Marks, marks_of
from rlscale.ledger.overrides import Overrides
from rlscale.ledger.published import Published
from rlscale.ledger.rulings import Rulings

__all__ = ["Ledger"]


class Ledger:
    """What is kept of runs: their points, what was believed of them, what was decided and done.

    A ledger is an SQLite file, which many processes of one machine may write at once, or a PostgreSQL database for a
    team. What is written is added, never changed.

    Parameters
    ----------
    where : str
        The file, or ``postgresql://USER@HOST/DATABASE``; see :func:`rlscale.ledger.address.address`.
    create : bool
        Make it where it is not there.
    patience : float
        Seconds that a locked or unreachable database is waited for.

    Raises
    ------
    InputError
        The address is none, or the ledger cannot be opened.
    """

    def __init__(self, where: str, *, create: bool = False, patience: float = PATIENCE) -> None:
        self.where = address(where)
        self._database = Database(self.where, create=create, patience=patience)
        self.book = Book(self._database)
        self.fits = Fits(self._database)
        self.rulings = Rulings(self._database)
        self.overrides = Overrides(self._database)
        self.deliveries = Deliveries(self._database)
        self.events = Events(self._database)
        self.published = Published(self._database)

    def standby(
        self,
        lasts: float = 30.0,
        holder: str | None = None,
        *,
        acting: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> Standby:
        """Return who asks for the watcher's lease, which runs out after ``lasts`` seconds without a beat."""
        return Standby(self._database, lasts, holder, ACTING if acting else DRY, clock=clock)

    def watcher(self, *, acting: bool = True) -> str | None:
        """Return who watches it now, to act or in a dry run; None where nobody does."""
        return held_by(self._database, ACTING if acting else DRY)

    def marks(self) -> Marks:
        """Return numbers that change with what it holds.

        Raises
        ------
        LedgerError
            It is not the ledger any more that was opened, or cannot be read.
        """
        return marks_of(self._database)

    def begun_anew(self, name: str) -> None:
        """Note that the run before ``name#2`` is lost, of which this is the second start; nothing for a first start."""
        found = re.fullmatch(r"(.+)#(\d+)", name)
        if found is None:
            return
        before = found[1] if found[2] == "2" else f"{found[1]}#{int(found[2]) - 1}"
        for row in self.book.runs([before]):
            word = self.overrides.latest().get(row.id)
            if row.ended is None and (word is None or word.kind != "lost"):
                self.overrides.add(row, "lost", f"begun anew as {name}", who="rlscale")

    def close(self) -> None:
        """Close its connections."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
