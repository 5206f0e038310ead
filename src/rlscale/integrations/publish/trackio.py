"""Trackio: rows of a run ``NAME (rlscale)`` of a local project, written at once, each once.

Rows of the run's own would be taken for its last step when its trainer resumes. The store is written directly: what
``trackio.log`` cannot write it drops, and it prints to the terminal of the watcher.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from rlscale.integrations.publish.contract import Account, Row, library
from rlscale.ledger import digest

__all__ = ["Trackio"]


class Trackio:
    """Writes to a Trackio project of this machine.

    Parameters
    ----------
    target, place : str
        As named; the project.

    Raises
    ------
    InputError
        Trackio is not installed.
    """

    def __init__(self, target: str, place: str) -> None:
        self.target, self.key, self._project = target, f"trackio:{place}", place
        self.failures: tuple[type[Exception], ...] = (sqlite3.Error,)
        self._described: set[str] = set()
        self._store: Any = library(target, "trackio.sqlite_storage", "trackio").SQLiteStorage

    def write(self, account: Account, rows: Sequence[Row]) -> None:
        """Write rows of a run; those that are there already are left alone."""
        about = {"rlscale_of": account.name, "ledger": account.ledger, "_Group": account.recipe}
        self._store.bulk_log(
            project=self._project, run=account.beside, run_id=account.mark,
            metrics_list=[{**row.metrics, **row.texts} for row in rows],
            steps=[row.step for row in rows],
            timestamps=[datetime.fromtimestamp(row.at, UTC).isoformat() for row in rows],
            log_ids=[digest([account.mark, row.key])[:32] for row in rows],
            config=None if account.mark in self._described else about,
        )  # fmt: skip
        self._described.add(account.mark)

    def close(self) -> None:
        """Nothing is open."""
