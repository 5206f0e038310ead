"""A server of the S3 protocol of the tests' own: a process on a free port of this machine."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.waiting import wait_until

#: Set where a missing server is an error and no reason to skip.
REQUIRED = "RLSCALE_REQUIRE_S3"
#: What the server's clients are told; it takes any.
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIATESTINGTESTING",
    "AWS_SECRET_ACCESS_KEY": "nobody-may-see-this",
    "AWS_DEFAULT_REGION": "us-east-1",
}
_REQUEST = re.compile(r'"(?:\x1b\[\d+m)*((?:GET|HEAD|PUT|POST|DELETE) \S+)')


def is_installed() -> bool:
    """Whether the server and the library of its client are."""
    return all(importlib.util.find_spec(name) for name in ("moto", "flask", "s3fs"))


class S3Server:
    """Starts with the object; :meth:`stop` ends it.

    Parameters
    ----------
    folder : Path
        Receives what it prints.
    """

    def __init__(self, folder: Path) -> None:
        self._log = folder / "requests.txt"
        with self._log.open("wb") as log:
            command = [sys.executable, "-m", "moto.server", "--port", "0"]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        port = wait_until(lambda: re.search(r"Running on http://127\.0\.0\.1:(\d+)", self._text()), self._process)
        self.address = f"http://127.0.0.1:{port[1]}"

    def _text(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    def requests(self) -> list[str]:
        """Return what it was asked so far, ``GET /bucket/key``."""
        return _REQUEST.findall(self._text())

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait()


class Bucket:
    """A folder of objects, in a store of fsspec.

    Parameters
    ----------
    store : fsspec.AbstractFileSystem
    url : str
        ``s3://BUCKET`` or ``memory://BUCKET``.
    """

    def __init__(self, store: Any, url: str) -> None:
        self.store, self.url = store, url

    def put(self, key: str, content: bytes | str) -> str:
        """Write an object; return its address."""
        address = f"{self.url}/{key}"
        self.store.pipe(address, content.encode() if isinstance(content, str) else content)
        return address

    def put_folder(self, folder: Path, key: str) -> str:
        """Write the files of a folder; return its address."""
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                self.put(f"{key}/{path.relative_to(folder).as_posix()}", path.read_bytes())
        return f"{self.url}/{key}"

    def remove(self, key: str) -> None:
        """Remove an object."""
        self.store.rm(f"{self.url}/{key}")
