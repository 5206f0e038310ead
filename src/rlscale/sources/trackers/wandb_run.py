"""What the records of a ``.wandb`` file say of a run: its history, configuration, start, GPUs and console."""

from __future__ import annotations

import json
import math
from typing import Any

from rlscale.sources.limits import MOST_GPUS, MOST_KEYS, WANDB_CONSOLE_CAP, WANDB_SETTINGS_CAP
from rlscale.sources.record import RowColumns
from rlscale.sources.repair import number
from rlscale.sources.text import plural, were
from rlscale.sources.trackers.wire import BYTES, FIXED64, VARINT, double, fields, signed, text

__all__ = ["Run"]


#: Memory that a line of the console takes beside its text.
_LINE = 56


#: Fields of a record.
_HISTORY, _CONFIG, _OUTPUT, _RUN, _ENVIRONMENT = 2, 5, 13, 17, 26

#: Fields of an item of the history, the configuration or the summary.
_KEY, _NESTED_KEY, _NONE, _INTEGER, _NUMBER, _VALUE_JSON = 1, 2, 3, 5, 6, 16

#: First bytes of a JSON number, and of ``NaN`` and ``Infinity``.
_NUMERIC = frozenset(b"0123456789-NI")

#: W&B's own entry of the configuration.
_OWN = "_wandb"


class Run:
    """What was read so far; records are given to :meth:`take` in the order of the file."""

    def __init__(self) -> None:
        self.id = self.name = self.group = ""
        self.start: float | None = None
        self.gpus: float | None = None
        self.config: dict[str, Any] = {}
        self.rows = RowColumns()
        self.lines: list[str] = []
        self._pieces: dict[int, list[str]] = {}
        self._room = WANDB_CONSOLE_CAP
        self._settings = WANDB_SETTINGS_CAP
        self._cut = 0
        self._unread = 0
        self._own = -1.0

    def take(self, data: bytes) -> None:
        """Read one record.

        Raises
        ------
        WireError
            The bytes are no record.
        """
        for number_, kind, at, stop in fields(data, 0, len(data)):
            if kind != BYTES:
                continue
            if number_ == _HISTORY:
                self._history(data, at, stop)
            elif number_ == _OUTPUT:
                self._output(data, at, stop)
            elif number_ == _CONFIG:
                self._configure(data, at, stop)
            elif number_ == _RUN:
                self._run(data, at, stop)
            elif number_ == _ENVIRONMENT:
                self._environment(data, at, stop)

    def console(self) -> tuple[str, ...]:
        """Return the lines printed; what was printed after the last line end is a line too."""
        rest = ("".join(pieces) for _, pieces in sorted(self._pieces.items(), reverse=True))
        return (*self.lines, *(line for line in rest if line))

    def repairs(self) -> list[str]:
        """Return one sentence for each kind of thing that was left out."""
        found = []
        if self._cut:
            what = f"left out: it takes more than {WANDB_CONSOLE_CAP >> 20} MiB"
            found.append(f"of the console {were(self._cut, 'piece')} {what}")
        if self._unread:
            found.append(f"{plural(self._unread, 'setting')} of the configuration left out: no JSON, or too long")
        if self.rows.left_out:
            found.append(f"{were(self.rows.left_out, 'value')} left out: more than {MOST_KEYS} keys")
        return found

    def _history(self, data: bytes, at: int, stop: int) -> None:
        values: dict[str, float] = {}
        own = self._own + 1.0
        for field, kind, start, end in fields(data, at, stop):
            if kind != BYTES:
                continue
            if field == 1:
                key, value = _logged(data, start, end)
                if value is not None:
                    values[key] = value
            elif field == 2:
                own = next((float(signed(v)) for f, k, v, _ in fields(data, start, end) if f == 1 and k == VARINT), 0.0)
        self._own = values.get("_step", own)
        self.rows.add(values, self._own, values.get("_timestamp", math.nan))

    def _output(self, data: bytes, at: int, stop: int) -> None:
        """Add a piece of the console; standard output and error are put together apart, since they mix anywhere."""
        stream, piece = 0, ""
        for field, kind, start, end in fields(data, at, stop):
            if field == 1 and kind == VARINT:
                stream = start
            elif field == 3 and kind == BYTES:
                piece = text(data, start, end)
        size = len(piece) + _LINE * (1 + piece.count("\n"))
        if size > self._room:
            self._room, self._cut = 0, self._cut + 1
            return
        self._room -= size
        pieces = self._pieces.setdefault(min(stream, 1), [])
        first, *more = piece.split("\n")
        pieces.append(first)
        for line in more:
            self.lines.append("".join(pieces))
            pieces[:] = [line]

    def _run(self, data: bytes, at: int, stop: int) -> None:
        for field, kind, start, end in fields(data, at, stop):
            if kind != BYTES:
                continue
            if field == 1:
                self.id = text(data, start, end)
            elif field == 4:
                self._configure(data, start, end)
            elif field == 6:
                self.group = text(data, start, end)
            elif field == 8:
                self.name = text(data, start, end)
            elif field == 17 and self.start is None:
                self.start = _seconds(data, start, end)

    def _environment(self, data: bytes, at: int, stop: int) -> None:
        for field, kind, start, _ in fields(data, at, stop):
            if field == 19 and kind == VARINT and 0 < start < MOST_GPUS:
                self.gpus = float(start)

    def _configure(self, data: bytes, at: int, stop: int) -> None:
        for field, kind, start, end in fields(data, at, stop):
            if kind != BYTES or field not in (1, 2):
                continue
            keys, written = _item(data, start, end)
            if keys[:1] == [_OWN] or not keys:
                continue
            self._settings -= len(written)
            try:
                value = json.loads(written if self._settings >= 0 else b"") if field == 1 else None
            except (ValueError, RecursionError):
                self._unread += 1
                continue
            _put(self.config, keys, value, remove=field == 2)


def _logged(data: bytes, at: int, stop: int) -> tuple[str, float | None]:
    """Return key and value of an item of the history; None for what is no number."""
    key = ""
    value: float | None = None
    for field, kind, start, end in fields(data, at, stop):
        if field == _NESTED_KEY and kind == BYTES:
            key = f"{key}/{text(data, start, end)}" if key else text(data, start, end)
        elif field == _VALUE_JSON and kind == BYTES:
            value = _number(data[start:end])
        elif field == _KEY and kind == BYTES:
            key = text(data, start, end)
        elif field == _NUMBER and kind == FIXED64:
            value = double(data, start)
        elif field == _INTEGER and kind == VARINT:
            value = float((start >> 1) ^ -(start & 1))  # zigzag
        elif field == _NONE and kind == VARINT:
            value = math.nan
    return key, value


def _number(written: bytes) -> float | None:
    try:
        if written[:1] and written[0] in _NUMERIC:
            return float(written)
        return number(json.loads(written)) if len(written) < 64 else None
    except (ValueError, RecursionError):
        return None


def _item(data: bytes, at: int, stop: int) -> tuple[list[str], bytes]:
    """Return the keys, outermost first, and the JSON of a setting."""
    keys: list[str] = []
    written = b""
    for field, kind, start, end in fields(data, at, stop):
        if field in (_KEY, _NESTED_KEY) and kind == BYTES:
            keys.append(text(data, start, end))
        elif field == _VALUE_JSON and kind == BYTES:
            written = data[start:end]
    return keys, written


def _put(config: dict[str, Any], keys: list[str], value: Any, *, remove: bool) -> None:
    for key in keys[:-1]:
        inner = config.get(key)
        if not isinstance(inner, dict):
            inner = config[key] = {}
        config = inner
    if remove:
        config.pop(keys[-1], None)
    else:
        config[keys[-1]] = value


def _seconds(data: bytes, at: int, stop: int) -> float:
    """Return a ``google.protobuf.Timestamp`` as Unix time."""
    found = {number_: signed(value) for number_, kind, value, _ in fields(data, at, stop) if kind == VARINT}
    return found.get(1, 0) + found.get(2, 0) * 1e-9
