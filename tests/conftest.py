"""What several rooms' tests share: ledgers on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.postgres import REQUIRED, Server, binaries


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A PostgreSQL server; tests that need one are skipped where there is none, or fail where one is required."""
    if binaries() is None:
        if os.environ.get(REQUIRED):
            pytest.fail(f"{REQUIRED} is set and there is no PostgreSQL; install Debian's package postgresql")
        pytest.skip("no PostgreSQL on this machine")
    server = Server(tmp_path_factory.mktemp("postgres"))
    yield server
    server.stop("immediate")


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path) -> str:
    """The address of an empty ledger, on each kind of database."""
    if request.param == "sqlite":
        return str(tmp_path / "runs.db")
    server: Server = request.getfixturevalue("postgres")
    return server.database()
