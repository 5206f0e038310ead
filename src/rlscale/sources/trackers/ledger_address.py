"""Addresses of ledgers; what reads them is loaded where there is one."""

from __future__ import annotations

from collections.abc import Sequence

from rlscale.sources.format import Address, Entry, Format, Kind, Stored, Tails

__all__ = ["FORMAT", "NAME"]

NAME = "ledger"


def _read(uri: str) -> Sequence[Stored]:
    from rlscale.sources.trackers import ledger

    return ledger.read(uri)


def _tail(uri: str) -> Tails:
    from rlscale.sources.trackers import ledger

    return ledger.LedgerTail(uri)


FORMAT: Format = Format(
    name=NAME,
    kind=Kind.LEDGER,
    entries=(
        Entry(NAME, "a ledger in SQLite", "ledger:FILE", note="what rlscale ledger add and rlscale watch keep"),
        Entry(
            NAME, "a ledger in PostgreSQL", "ledger:postgresql://USER@HOST/DATABASE", "postgres", "a real server",
            "a password in PGPASSWORD or ~/.pgpass",
        ),
    ),
    address=Address((NAME,), "ledger:FILE", _read, _tail, bare=True),
)  # fmt: skip
