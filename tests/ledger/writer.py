"""A process that appends points to a ledger, one at a time, and says so after each: ``ack RUN COMPUTE VALUE``."""

from __future__ import annotations

import sys

from rlscale.ledger import Heading, Ledger, points_of


def value_of(run: str, compute: float) -> float:
    """Return the value that stands at a compute, whoever writes it."""
    return round((compute * 0.37 + sum(map(ord, run)) * 0.011) % 1.0, 9)


def main(where: str, runs: str, first: int, last: int, patience: float) -> None:
    with Ledger(where, create=True, patience=patience) as ledger:
        rows = [ledger.book.enlist(Heading(name=name, recipe=name)) for name in runs.split(",")]
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        for compute in range(first, last):
            for row in rows:
                value = value_of(row.name, compute)
                ledger.book.append({row.id: {"reward": points_of([compute], [value])}})
                sys.stdout.write(f"ack {row.name} {compute} {value}\n")
                sys.stdout.flush()
