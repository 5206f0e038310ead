"""TensorBoard: event files in a folder ``NAME (rlscale)`` beside the run's own.

TensorBoard reads one growing event file a folder: a second one in the run's own folder would keep it from the first.
Files are opened for each write, so a thousand runs hold none open; each start of a watcher writes new ones, since the
last record of a file whose writer was killed may be torn.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from rlscale.errors import InputError
from rlscale.integrations.publish.contract import Account, Row, library

__all__ = ["TensorBoard"]

#: Longest part of a path that every file system takes, in bytes.
_LONGEST = 200


class TensorBoard:
    """Writes event files.

    Parameters
    ----------
    target, place : str
        As named; the folder that TensorBoard is started with.

    Raises
    ------
    InputError
        TensorBoard is not installed, or the folder is a file.
    """

    def __init__(self, target: str, place: str) -> None:
        self.target, self.failures = target, tuple[type[Exception], ...]()
        self._writer: Any = library(target, "tensorboard.summary.writer.record_writer", "tensorboard").RecordWriter
        self._event = library(target, "tensorboard.compat.proto.event_pb2", "tensorboard")
        self._summary = library(target, "tensorboard.compat.proto.summary_pb2", "tensorboard")
        self._text = library(target, "tensorboard.plugins.text.metadata", "tensorboard")
        self._tensor = library(target, "tensorboard.util.tensor_util", "tensorboard")
        self._folder = Path(place).expanduser().resolve()
        if self._folder.exists() and not self._folder.is_dir():
            raise InputError(
                f"--publish {target}: {place!r} is a file; give the folder that TensorBoard is started with"
            )
        self.key = f"tensorboard:{self._folder}"
        self._name = f"events.out.tfevents.{time.time_ns() // 10**9:010d}.{socket.gethostname()}.{os.getpid()}.rlscale"

    def write(self, account: Account, rows: Sequence[Row]) -> None:
        """Append rows to the event file of a run."""
        path = self._folder.joinpath(*_parts(account.beside)) / self._name
        path.parent.mkdir(parents=True, exist_ok=True)
        events = [self._of(row) for row in rows]
        with path.open("ab") as file:
            if not file.tell():
                events.insert(0, self._event.Event(wall_time=rows[0].at, file_version="brain.Event:2"))
            writer = self._writer(file)
            for event in events:
                writer.write(event.SerializeToString())
            file.flush()
            os.fsync(file.fileno())

    def _of(self, row: Row) -> Any:
        values = [self._summary.Summary.Value(tag=key, simple_value=value) for key, value in row.metrics.items()]
        values += [self._words(key, text) for key, text in row.texts.items()]
        return self._event.Event(wall_time=row.at, step=row.step, summary=self._summary.Summary(value=values))

    def _words(self, key: str, text: str) -> Any:
        about = self._text.create_summary_metadata(display_name="", description="")
        return self._summary.Summary.Value(tag=key, metadata=about, tensor=self._tensor.make_tensor_proto([text]))

    def close(self) -> None:
        """Nothing is open."""


def _parts(name: str) -> list[str]:
    """Return a run's name as the parts of a path below a folder, whatever it holds; different names differ."""
    parts = [part for part in name.split("/") if part.strip(". ")]
    safe = [part.replace("\\", "_").replace("\0", "_") for part in parts]
    if "/".join(safe) != name or any(len(part.encode()) > _LONGEST for part in safe):
        mark = sha256(name.encode()).hexdigest()[:8]
        short = [part.encode()[:_LONGEST].decode("utf-8", "ignore") for part in safe]
        return [*short[:-1], f"{short[-1]}-{mark}"] if short else [mark]
    return safe
