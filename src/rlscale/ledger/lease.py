"""One watcher at a time: who holds the lease, and how another takes it over without two acting at once.

The lease is a counter that its holder advances. Whoever waits takes it when the counter stood still for as long as the
lease lasts by the waiter's own monotonic clock: nobody's wall clock matters, and clocks that jump do no harm. Taking it
raises its epoch; everything that a watcher writes is written only if the epoch is still its own, in one transaction.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from rlscale.errors import LedgerError
from rlscale.ledger.database import Database
from rlscale.ledger.schema import leases

__all__ = ["ACTING", "DRY", "Lease", "LeaseLost", "Standby", "held_by", "hold", "me"]

#: Leases of a ledger: who carries decisions out, and who only tries.
ACTING, DRY = "watch", "dry-run"


class LeaseLost(LedgerError):
    """Another watcher has taken over; nothing was written."""


def me() -> str:
    """Return a name for a holder: its host, boot, process namespace, process, start, and which of several it is."""
    process = os.getpid()
    return "/".join((socket.gethostname(), *_machine(), str(process), _started(process) or "", uuid4().hex))


def _machine() -> tuple[str, str]:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return boot, os.readlink("/proc/self/ns/pid")
    except OSError:
        return "", ""


def _started(process: int) -> str | None:
    """Return when a process was started, in ticks since the boot; None where there is none or it cannot be known."""
    try:
        held = Path(f"/proc/{process}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    rest = held.rpartition(")")[2].split()
    return None if rest[0] in "ZX" else rest[19]  # a process that only waits to be noticed is dead


def _dead(holder: str) -> bool:
    """Whether a holder was a process of this very machine that is gone; False where that cannot be known."""
    host, boot, space, process, started = (holder.split("/") + [""] * 5)[:5]
    if not boot or not started or host != socket.gethostname() or (boot, space) != _machine() or not process.isdigit():
        return False
    return _started(int(process)) != started


@dataclass(frozen=True)
class Lease:
    """A lease that was held when this value was made.

    Parameters
    ----------
    holder : str
    epoch : int
        Rises by 1 with every new holder.
    name : str
        :data:`ACTING` or :data:`DRY`: a dry run must not keep a watcher from its work.
    """

    holder: str
    epoch: int
    name: str = ACTING


class _Wait:
    """How long the lease of somebody else has stood still."""

    def __init__(self, lasts: float) -> None:
        self.lasts = lasts
        self._seen: tuple[int, int] | None = None
        self._since = 0.0

    def over(self, epoch: int, beat: int, now: float) -> bool:
        if self._seen != (epoch, beat):
            self._seen, self._since = (epoch, beat), now
        return now - self._since >= self.lasts


class Standby:
    """Who wants the lease of a ledger.

    Parameters
    ----------
    database : Database
    lasts : float
        Seconds without a beat after which a lease may be taken over.
    holder : str, optional
        What this process is called.
    name : str
        Which lease.
    clock : callable
        Returns seconds that only go forward.
    """

    def __init__(
        self,
        database: Database,
        lasts: float = 30.0,
        holder: str | None = None,
        name: str = ACTING,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database, self.holder, self._name = database, holder or me(), name
        self._wait, self._clock = _Wait(lasts), clock

    def take(self) -> Lease | None:
        """Return the lease where it is free, this process's already, or has stood still long enough; else None."""

        def work(connection: Connection) -> Lease | None:
            row = connection.execute(select(leases).where(leases.c.name == self._name).with_for_update()).first()
            if row is None:
                try:
                    with connection.begin_nested():
                        connection.execute(insert(leases).values(name=self._name, holder=self.holder, epoch=1, beat=0))
                except IntegrityError:
                    return None  # somebody else was quicker; ask again later
                return Lease(self.holder, 1, self._name)
            if row.holder == self.holder:
                return Lease(self.holder, row.epoch, self._name)
            free = not row.holder or _dead(row.holder) or self._wait.over(row.epoch, row.beat, self._clock())
            if not free:
                return None
            epoch = row.epoch + 1
            connection.execute(
                update(leases).where(leases.c.name == self._name).values(holder=self.holder, epoch=epoch, beat=0)
            )
            return Lease(self.holder, epoch, self._name)

        return self._database.write(work)

    def beat(self, lease: Lease) -> None:
        """Say that the holder is there.

        Raises
        ------
        LeaseLost
            It is somebody else's.
        """
        self._database.write(lambda connection: hold(connection, lease))

    def give_back(self, lease: Lease) -> None:
        """Leave the lease to whoever wants it next."""
        own = (leases.c.name == lease.name) & (leases.c.holder == lease.holder) & (leases.c.epoch == lease.epoch)
        self._database.write(lambda connection: connection.execute(update(leases).where(own).values(holder="")))


def hold(connection: Connection, lease: Lease) -> None:
    """Advance a lease in a transaction, which must fail where it is lost.

    Raises
    ------
    LeaseLost
        It is somebody else's.
    """
    own = (leases.c.name == lease.name) & (leases.c.holder == lease.holder) & (leases.c.epoch == lease.epoch)
    done = connection.execute(update(leases).where(own).values(beat=leases.c.beat + 1))
    if done.rowcount != 1:
        raise LeaseLost("another watcher has taken over this ledger; this one stands by")


def held_by(database: Database, name: str = ACTING) -> str | None:
    """Return who holds a lease: its host and process; None where nobody does."""
    asked = select(leases.c.holder).where(leases.c.name == name)
    holder = database.read(lambda connection: connection.execute(asked).scalar())
    if not holder or _dead(holder):
        return None
    parts = holder.split("/")
    return f"{parts[0]}, process {parts[3]}" if len(parts) > 3 else holder
