"""What several rooms' tests share: ledgers on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.postgres import REQUIRED, Server, binaries

#: Bytes; a database of PostgreSQL takes 8 MB, and the ledgers' tests make fifty.
ROOM = 2 << 30

# how long an example takes says how busy the machine is
settings.register_profile("busy machines", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy machines")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL server; tests that need one are skipped where there is none, or fail where one is required."""
    if binaries() is None:
        if os.environ.get(REQUIRED):
            pytest.fail(f"{REQUIRED} is set and there is no PostgreSQL; install Debian's package postgresql")
        pytest.skip("no PostgreSQL on this machine")
    # not below pytest's own folder: sessions that run at once clear away each other's old ones
    with tempfile.TemporaryDirectory(prefix="rlscale-postgres-", dir=in_memory()) as folder:
        server = Server(Path(folder))
        yield server
        server.stop("immediate")


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of an empty ledger, on each kind of database."""
    if request.param == "postgresql":
        server: Server = request.getfixturevalue("postgres")
        yield server.database()
        return
    with tempfile.TemporaryDirectory(prefix="rlscale-sqlite-", dir=in_memory()) as folder:
        yield str(Path(folder) / "runs.db")


def in_memory() -> str | None:
    """Return a folder in memory, where databases need not wait for a disk; None where there is none with room."""
    folder = "/dev/shm"
    try:
        return folder if shutil.disk_usage(folder).free > ROOM and os.access(folder, os.W_OK) else None
    except OSError:
        return None
