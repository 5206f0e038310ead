"""What several rooms' tests share: ledgers on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres import REQUIRED, Server, binaries


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL server; tests that need one are skipped where there is none, or fail where one is required."""
    if binaries() is None:
        if os.environ.get(REQUIRED):
            pytest.fail(f"{REQUIRED} is set and there is no PostgreSQL; install Debian's package postgresql")
        pytest.skip("no PostgreSQL on this machine")
    # not below pytest's own folder: sessions that run at once clear away each other's old ones
    with tempfile.TemporaryDirectory(prefix="rlscale-postgres-") as folder:
        server = Server(Path(folder))
        yield server
        server.stop("immediate")


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path) -> str:
    """The address of an empty ledger, on each kind of database."""
    if request.param == "sqlite":
        return str(tmp_path / "runs.db")
    server: Server = request.getfixturevalue("postgres")
    return server.database()
