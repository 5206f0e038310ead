"""The frames of a TensorBoard event file and the ``Event`` messages in them, decoded without TensorBoard.

A file is a row of frames (length, checksum of the length, payload, checksum of the payload), and a payload is an
``Event``: the wall time, the step and a summary of tagged values.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field
from functools import cache

from rlscale.sources.limits import LONGEST_TAG, LONGEST_TEXT, MOST_KEYS, MOST_TEXTS
from rlscale.sources.record import Appends, Columns
from rlscale.sources.trackers.tensorboard_text import hparams, is_configuration
from rlscale.sources.trackers.wire import (
    BYTES,
    FIXED32,
    FIXED64,
    VARINT,
    WireError,
    double,
    fields,
    signed,
    text,
    varint,
)

__all__ = ["FRAME", "LENGTH", "PADDING", "Broken", "Sink", "first_time", "framed", "scan"]

#: Length and checksum of a frame, then the first bytes of nearly every event: field 1 (wall time) and the next tag.
_HEAD = struct.Struct("<QIBdB")
LENGTH = struct.Struct("<QI")
_FLOAT = struct.Struct("<f")
FRAME = 16
#: How many bytes must follow the last frame given to :func:`scan`.
PADDING = _HEAD.size
_WALL, _STEP, _SUMMARY = 0x09, 0x10, 0x2A

#: Numbers by the tensor's type: how they are packed in ``tensor_content`` and the field that holds them otherwise.
_TENSORS = {
    1: ("<f", 5),
    2: ("<d", 6),
    3: ("<i", 7),
    4: ("<B", 7),
    5: ("<h", 7),
    6: ("<b", 7),
    9: ("<q", 10),
    17: ("<H", 7),
    19: ("<e", 13),
    22: ("<I", 16),
    23: ("<Q", 17),
}
_STRING, _CONTENT = 7, 4
_VARINTS = frozenset({7, 10, 13, 16, 17})


@dataclass
class Sink:
    """What was read so far."""

    columns: Columns = field(default_factory=Columns)
    texts: dict[str, str] = field(default_factory=dict)
    hparams: dict[str, object] = field(default_factory=dict)
    repairs: list[str] = field(default_factory=list)
    #: What appends a scalar, by the bytes of its event without wall time, step and value: an event that differs from
    #: one seen before in these three alone, as nearly all do, is not parsed again.
    known: dict[bytes, Appends] = field(default_factory=dict)


@dataclass
class Broken(Exception):
    """The frame at this place of the block has a length that its checksum contradicts."""

    at: int


def first_time(head: bytes) -> float:
    """Return the wall time of the first event, infinite where the file ends before it."""
    if len(head) < LENGTH.size:
        return math.inf
    stop = min(LENGTH.size + LENGTH.unpack_from(head)[0], len(head))
    try:
        for number, kind, at, _ in fields(head, LENGTH.size, stop):
            if number == 1 and kind == FIXED64:
                return double(head, at)
    except WireError:
        return math.inf
    return math.inf


def scan(data: bytes, end: int, sink: Sink) -> tuple[int, int]:
    """Read the whole frames of ``data[:end]``; return the place after them and how many could not be decoded.

    ``data`` goes on for a few bytes after ``end``, so that the head of the last frame can be unpacked.

    Raises
    ------
    Broken
        A frame's length fails its checksum.
    """
    at = strange = 0
    known, head, value_at = sink.known.get, _HEAD.unpack_from, _FLOAT.unpack_from
    last = end - FRAME
    while at <= last:
        length, _, first, wall, second = head(data, at)
        stop = at + 12 + length  # where the payload ends
        if stop + 4 > end:
            break
        place, step = at + 21, 0
        if second == 0x10:  # _STEP, a varint
            step = data[at + 22]
            place = at + 23
            if step > 0x7F:
                byte = data[place]
                place += 1
                step += (byte - 1) << 7
                if byte > 0x7F:
                    step, place = _step(data, place, step)
        appends = known(data[place : stop - 4])
        if appends is not None and first == 0x09:  # _WALL
            add_step, add_value, add_time = appends
            add_step(step)
            add_value(value_at(data, stop - 4)[0])
            add_time(wall)
        else:
            try:
                tag = _parse(data, at + 12, stop, sink)
            except WireError as error:
                if not framed(data, at):
                    raise Broken(at) from error
                strange += 1
            else:
                if (
                    tag is not None
                    and first == _WALL
                    and second in (_STEP, _SUMMARY)
                    and data[place] == _SUMMARY
                    and not step >> 35
                ):
                    _remember(data[place : stop - 4], tag, sink)
        at = stop + 4
    return at, strange


def _step(data: bytes, place: int, step: int) -> tuple[int, int]:
    """Return a varint whose first two bytes are ``step`` and that goes on at ``place``, and the place after it.

    Past five bytes it is given up with a number of 2^35 or more.
    """
    shift = 14
    while step >> shift and shift < 35:
        step = step - (1 << shift) + (data[place] << shift)
        place += 1
        shift += 7
    return step, place


def _remember(shape: bytes, tag: str, sink: Sink) -> None:
    appends = sink.columns.appends(tag)
    if appends is not None and len(sink.known) < MOST_KEYS:
        sink.known[shape] = appends


def _parse(data: bytes, at: int, stop: int, sink: Sink) -> str | None:
    """Read one event; return its tag if it holds one plain scalar, whose four bytes end the event."""
    wall, step = math.nan, 0
    summaries: list[tuple[int, int]] = []
    for number, kind, start, end in fields(data, at, stop):
        if number == 1 and kind == FIXED64:
            wall = double(data, start)
        elif number == 2 and kind == VARINT:
            step = signed(start)
        elif number == 5 and kind == BYTES:
            summaries.append((start, end))
    if not summaries and wall != wall:
        raise WireError("an event without a time")
    plain = []
    for summary in summaries:
        for number, kind, start, end in fields(data, *summary):
            if number == 1 and kind == BYTES:
                tag, last = _value(data, start, end, step, wall, sink)
                plain.append(tag if last == stop else None)
    return plain[0] if len(plain) == 1 and len(summaries) == 1 else None


def _value(data: bytes, at: int, stop: int, step: int, wall: float, sink: Sink) -> tuple[str, int]:
    """Read one value of a summary; return its tag and where its plain number ends, -1 without one."""
    tag, plugin, content, last = "", "", (0, 0), -1
    tensor: tuple[int, int] | None = None
    for number, kind, start, end in fields(data, at, stop):
        if number == 1 and kind == BYTES:
            if end - start > LONGEST_TAG:
                raise WireError(f"a tag of {end - start} bytes")
            tag = text(data, start, end)
        elif number == 2 and kind == FIXED32:
            last = end
        elif number == 8 and kind == BYTES:
            tensor = start, end
        elif number == 9 and kind == BYTES:
            plugin, content = _plugin(data, start, end)
    if last >= 0:
        sink.columns.add(tag, step, _FLOAT.unpack_from(data, last - 4)[0], wall)
    elif plugin == "hparams":
        if content[1] - content[0] <= LONGEST_TEXT:
            sink.hparams = hparams(data, *content) or sink.hparams
    elif tensor is not None:
        number_or_text = _tensor(data, *tensor)
        if isinstance(number_or_text, float) and plugin in ("", "scalars"):
            sink.columns.add(tag, step, number_or_text, wall)
        elif isinstance(number_or_text, str) and is_configuration(tag) and len(sink.texts) < MOST_TEXTS:
            sink.texts[tag] = number_or_text
    return tag, last


def _plugin(data: bytes, at: int, stop: int) -> tuple[str, tuple[int, int]]:
    """Return the name of the plugin that a value's metadata name, and where its own data lie."""
    name, content = "", (0, 0)
    for number, kind, start, end in fields(data, at, stop):
        if number == 1 and kind == BYTES:
            for inner, inner_kind, inner_start, inner_end in fields(data, start, end):
                if inner == 1 and inner_kind == BYTES:
                    name = text(data, inner_start, inner_end)
                elif inner == 2 and inner_kind == BYTES:
                    content = inner_start, inner_end
    return name, content


def _tensor(data: bytes, at: int, stop: int) -> float | str | None:
    """Return the number of a tensor without dimensions or the first string of a tensor of strings; else None."""
    kind_of_number, dimensions = 0, False
    found: dict[int, tuple[int, int, int]] = {}
    for number, kind, start, end in fields(data, at, stop):
        if number == 1 and kind == VARINT:
            kind_of_number = start
        elif number == 2 and kind == BYTES:
            dimensions = end > start
        else:
            found.setdefault(number, (kind, start, end))
    if kind_of_number == _STRING:
        kind, start, end = found.get(8, (VARINT, 0, 0))
        return text(data, start, end) if kind == BYTES and end - start <= LONGEST_TEXT else None
    packed, where = _TENSORS.get(kind_of_number, ("", 0))
    if not packed or dimensions:
        return None
    size = struct.calcsize(packed)
    kind, start, end = found.get(_CONTENT, (VARINT, 0, 0))
    if kind != BYTES or end - start != size:
        kind, start, end = found.get(where, (BYTES, 0, 0))
        if where in _VARINTS:
            if kind != VARINT and (kind != BYTES or end == start):
                return None
            value = start if kind == VARINT else varint(data, start, end)[0]
            return _unpacked(packed, (value & ((1 << 8 * size) - 1)).to_bytes(size, "little"), 0)
    return _unpacked(packed, data, start) if kind != VARINT and end - start >= size else None


def _unpacked(packed: str, data: bytes, at: int) -> float:
    return float(struct.unpack_from(packed, data, at)[0])


def framed(data: bytes, at: int) -> bool:
    """Whether a frame begins at ``at``: the length there agrees with its checksum, a masked CRC-32C."""
    if len(data) < at + LENGTH.size:
        return False
    table = _table()
    crc = 0xFFFF_FFFF
    for byte in data[at : at + 8]:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFF_FFFF
    masked = (((crc >> 15) | (crc << 17)) + 0xA282_EAD8) & 0xFFFF_FFFF
    return masked == int(LENGTH.unpack_from(data, at)[1])


@cache
def _table() -> tuple[int, ...]:
    """Return the CRC-32C (Castagnoli) of every byte."""
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (0x82F6_3B78 if byte & 1 else 0)
        table.append(byte)
    return tuple(table)
