"""What the package itself has written to trackers is no part of any log: neither a metric of a run nor a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rlscale.curves import ADDED
from rlscale.sources.format import Stored
from rlscale.sources.keys import is_bookkeeping
from rlscale.sources.record import Record

__all__ = ["as_logged"]


def as_logged(held: Sequence[Stored]) -> list[Stored]:
    """Return what a file holds without what ``watch --publish`` wrote there: keys of runs, and runs of its own.

    Parameters
    ----------
    held : sequence of Log or Record
        Logs of trainers are returned as they are: nothing is written into those.
    """
    kept: list[Stored] = []
    for one in held:
        own = _own(one) if isinstance(one, Record) else one
        kept += [] if own is None else [own]
    return kept


def _own(record: Record) -> Record | None:
    own = {key: column for key, column in record.columns.items() if not key.startswith(ADDED)}
    if len(own) == len(record.columns):
        return record
    return None if all(map(is_bookkeeping, own)) else replace(record, columns=own)
