"""A PostgreSQL server of the tests' own, from the machine's binaries, in a temporary folder."""

from __future__ import annotations

import getpass
import random
import shutil
import socket
import subprocess
from pathlib import Path

from tests.waiting import LIMIT

#: Set where a missing PostgreSQL is an error and no reason to skip.
REQUIRED = "RLSCALE_REQUIRE_POSTGRES"


def binaries() -> Path | None:
    """Return the folder of ``initdb`` and ``pg_ctl``; None where there is no PostgreSQL."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    named = shutil.which("initdb")
    return None if named is None else Path(named).resolve().parent


def free_port() -> int:
    """Return a port that nobody uses, below those that systems give to outgoing connections: a server may restart."""
    while True:
        port = random.SystemRandom().randrange(15_000, 30_000)
        with socket.socket() as asked:
            if asked.connect_ex(("127.0.0.1", port)):
                return port


class Server:
    """A server on a free port of this machine; every database of it is the tests' own.

    Parameters
    ----------
    folder : Path
        Empty; holds the data and the socket.
    """

    def __init__(self, folder: Path) -> None:
        found = binaries()
        assert found is not None
        self._bin, self._folder = found, folder
        self._as = ["runuser", "-u", "postgres", "--"] if getpass.getuser() == "root" else []
        if self._as:
            shutil.chown(folder, "postgres")
        self.port = free_port()
        self._run("initdb", "-D", str(folder / "data"), "-U", "rlscale", "--auth=trust", "--no-sync", "-E", "UTF8")
        self.start()
        self._count = 0

    def _run(self, program: str, *args: str) -> None:
        with (self._folder / "said").open("w+b") as said:  # a pipe would stay open as long as the server runs
            done = subprocess.run([*self._as, str(self._bin / program), *args], stdout=said, stderr=said, cwd="/")
            if done.returncode:
                log = self._folder / "log"
                raise RuntimeError(
                    f"{program}: {(self._folder / 'said').read_text()}{log.read_text() if log.exists() else ''}"
                )

    def _control(self, what: str, *args: str) -> None:
        place = ["-D", str(self._folder / "data"), "-l", str(self._folder / "log")]
        self._run("pg_ctl", what, "-w", "-t", f"{LIMIT:.0f}", *place, *args)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        # what a crash of the server must not lose, the machine's memory keeps
        settings = {
            "listen_addresses": "127.0.0.1", "unix_socket_directories": self._folder, "max_connections": 60,
            "fsync": "off",
        }  # fmt: skip
        self._control("start", "-o", f"-p {self.port} " + " ".join(f"-c {k}={v}" for k, v in settings.items()))

    def stop(self, mode: str = "fast") -> None:
        """Stop it; ``immediate`` is a crash."""
        self._control("stop", "-m", mode)

    def database(self) -> str:
        """Return the URL of a new, empty database."""
        import psycopg

        self._count += 1
        name = f"ledger{self._count}"
        with psycopg.connect(f"postgresql://rlscale@127.0.0.1:{self.port}/postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"postgresql://rlscale:secret@127.0.0.1:{self.port}/{name}"
