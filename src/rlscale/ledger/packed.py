"""Series as a ledger keeps them: what is new of all keys of a run in one row, as the bytes of their numbers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from rlscale.curves import Series
from rlscale.errors import LedgerError

__all__ = ["Key", "Part", "packed", "unpacked"]

#: Kind and name of a series.
Key = tuple[str, str]
_NUMBER = np.dtype("<f8")


@dataclass(frozen=True, eq=False)
class Part:
    """What is new of one series.

    Parameters
    ----------
    key : Key
    since : float
        Step from which on it takes the place of what was kept before.
    series : Series, optional
        None where the key is no more.
    """

    key: Key
    since: float
    series: Series | None


def packed(parts: Iterable[Part]) -> tuple[str, bytes]:
    """Return parts as JSON that names them and the bytes of their numbers.

    The bytes are 8 for each number, little-endian: first the steps, those that several series share once, then the
    values of each series. JSON is ASCII, whatever the keys hold: ``{"steps": [counts], "parts": [[kind, name, since,
    place of its steps or null], ...]}``.
    """
    shared: dict[bytes, int] = {}
    named: list[tuple[str, str, float, int | None]] = []
    values: list[bytes] = []
    for part in parts:
        kind, name = part.key
        place = None
        if part.series is not None:
            steps = part.series.step.astype(_NUMBER).tobytes()
            place = shared.setdefault(steps, len(shared))
            values.append(part.series.value.astype(_NUMBER).tobytes())
        named.append((kind, name, part.since, place))
    counts = [len(steps) // _NUMBER.itemsize for steps in shared]
    return json.dumps({"steps": counts, "parts": named}, separators=(",", ":")), b"".join([*shared, *values])


def unpacked(header: str, data: bytes) -> Iterator[Part]:
    """Yield the parts that :func:`packed` took.

    Raises
    ------
    LedgerError
        The bytes are not those that the JSON names.
    """
    said = json.loads(header)
    counts, named = said["steps"], said["parts"]
    size = sum(counts) + sum(counts[place] for *_, place in named if place is not None)
    if len(data) != size * _NUMBER.itemsize:
        raise LedgerError(
            f"a row of series holds {len(data):,} bytes for {size:,} numbers: the ledger is damaged; restore a copy"
        )
    numbers = np.frombuffer(data, dtype=_NUMBER).astype(np.float64)
    ends = np.cumsum([0, *counts])
    at = int(ends[-1])
    for kind, name, since, place in named:
        series = None
        if place is not None:
            values = numbers[at : at + counts[place]]
            at += counts[place]
            series = Series(numbers[ends[place] : ends[place + 1]], values)
        yield Part((kind, name), float(since), series)
