"""Protobuf's wire format: just enough to walk a message whose field numbers are known."""

from __future__ import annotations

import struct
from collections.abc import Iterator

__all__ = ["BYTES", "FIXED32", "FIXED64", "VARINT", "WireError", "double", "fields", "signed", "text", "varint"]

#: Kinds of field, as the low three bits of its tag tell.
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5

_DOUBLE = struct.Struct("<d")

#: A varint of 64 bits takes ten bytes.
_LONGEST = 10


class WireError(ValueError):
    """Bytes that are no protobuf message."""


def varint(data: bytes, at: int, stop: int) -> tuple[int, int]:
    """Return the unsigned number at ``at``, modulo 2^64, and the place after it.

    Raises
    ------
    WireError
        It does not end before ``stop`` or within ten bytes.
    """
    result = shift = 0
    place = at
    last = at + _LONGEST if at + _LONGEST < stop else stop
    while place < last:
        byte = data[place]
        place += 1
        if byte < 0x80:
            return (result | byte << shift) & 0xFFFF_FFFF_FFFF_FFFF, place
        result |= (byte & 0x7F) << shift
        shift += 7
    raise WireError(f"a number at byte {at} does not end")


def fields(data: bytes, at: int, stop: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield ``(number, kind, start, end)`` of every field of the message ``data[at:stop]``.

    ``data[start:end]`` is the content of a field; a ``VARINT`` has its value in ``start`` instead. Nothing is copied:
    a field that is not wanted costs nothing, however long it is.

    Raises
    ------
    WireError
        The bytes are no message: a field ends after ``stop``, or is of a kind that does not exist.
    """
    while at < stop:
        tag = data[at]
        if tag < 0x80:
            at += 1
        else:
            tag, at = varint(data, at, stop)
        number, kind = tag >> 3, tag & 7
        if number == 0:
            raise WireError(f"a field before byte {at} has no number")
        if kind == VARINT:
            value, at = varint(data, at, stop)
            yield number, kind, value, at
            continue
        if kind == BYTES:
            if at < stop and data[at] < 0x80:  # nearly always; a call would take as long as all the rest
                size = data[at]
                at += 1
            else:
                size, at = varint(data, at, stop)
        elif kind == FIXED64:
            size = 8
        elif kind == FIXED32:
            size = 4
        else:
            raise WireError(f"a field before byte {at} is of kind {kind}, which is not used")
        end = at + size
        if end > stop:
            raise WireError(f"a field at byte {at} ends after its message")
        yield number, kind, at, end
        at = end


def signed(value: int) -> int:
    """Return a varint as the ``int64`` it stands for."""
    return value - (1 << 64) if value >> 63 else value


def double(data: bytes, at: int) -> float:
    """Return the ``double`` at ``at``; there must be eight bytes."""
    value: float = _DOUBLE.unpack_from(data, at)[0]
    return value


def text(data: bytes, at: int, stop: int) -> str:
    """Return ``data[at:stop]`` as text, whatever its bytes are."""
    return data[at:stop].decode("utf-8", "replace")
