"""TensorBoard event files: seconds and memory of a folder of 1 GB.

A folder of four sessions is written below a temporary folder, read in a fresh interpreter, and compared with what was
written. What a trainer logs a step: one event a tag, a time, a step and a 32-bit float.
"""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np

from benchmarks.common import Report, main
from benchmarks.speed import here

TAGS = [f"train/rewards/reward_function_{k}/mean" for k in range(40)] + [f"eval/metric_{k}" for k in range(10)]
SESSIONS = 4
GIGABYTE = 10**9

_READ = """
import json, resource, sys, time
from pathlib import Path
import numpy
from rlscale.sources.trackers import tensorboard
start = time.perf_counter()
(record,) = tensorboard.read_records(Path(sys.argv[1]))
seconds = time.perf_counter() - start
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
total = sum(float(column.value.sum()) for column in record.columns.values())
print(json.dumps({"seconds": seconds, "peak": peak, "rows": record.rows, "total": total}))
"""


def crc32c(data: bytes) -> int:
    """Return the masked checksum of event files."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


@cache
def head(length: int) -> bytes:
    """Return the head of a frame."""
    packed = struct.pack("<Q", length)
    return packed + struct.pack("<I", crc32c(packed))


def framed(payload: bytes) -> bytes:
    """Return a payload as a frame; the reader does not look at the payload's own checksum."""
    return head(len(payload)) + payload + bytes(4)


def varint(value: int) -> bytes:
    """Return a number as protobuf writes it."""
    parts = []
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])


def events(first: int, last: int, clock: float) -> Iterator[tuple[bytes, float]]:
    """Yield the frames of the steps ``first`` to ``last``, and the sum of their values."""
    rng = np.random.default_rng(first)
    shapes = []
    for tag in TAGS:
        value = b"\x0a" + varint(len(tag)) + tag.encode() + b"\x15"
        summary = b"\x0a" + varint(len(value) + 4) + value
        shapes.append(b"\x2a" + varint(len(summary) + 4) + summary)
    for step in range(first, last):
        values = rng.random(len(TAGS), dtype=np.float32)
        wall = b"\x09" + struct.pack("<d", clock + step) + b"\x10" + varint(step)
        frames = [framed(wall + shape + value.tobytes()) for shape, value in zip(shapes, values, strict=True)]
        yield b"".join(frames), float(values.sum(dtype=np.float64))


def write(folder: Path, size: int) -> tuple[int, float]:
    """Write about ``size`` bytes of event files; return how many scalars they hold and the sum of them."""
    each = len(next(events(100_000, 100_001, 0.0))[0])
    steps = max(1, size // each // SESSIONS)
    count, total = 0, 0.0
    for session in range(SESSIONS):
        with (folder / f"events.out.tfevents.{session}.host").open("wb") as file:
            start = struct.pack("<d", 1.8e9 + session * steps)
            file.write(framed(b"\x09" + start + b"\x1a\x0dbrain.Event:2"))
            for frames, sum_of_values in events(session * steps, (session + 1) * steps, 1.8e9):
                file.write(frames)
                count += len(TAGS)
                total += sum_of_values
    return count, total


def measure(quick: bool = False) -> Report:
    """Write, read and compare."""
    report = Report("tensorboard", "How long does a folder of event files take to read, and how much memory?")
    with tempfile.TemporaryDirectory() as folder:
        count, total = write(Path(folder), GIGABYTE // (100 if quick else 1))
        size = sum(path.stat().st_size for path in Path(folder).iterdir())
        command = [sys.executable, "-c", _READ, folder]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=here())
    found = json.loads(done.stdout)
    mega = found["peak"] / 1024
    room = 24 * count / 2**20
    report.check(
        f"{size / 1e9:.2f} GB, {count:,} scalars", f"{found['seconds']:.1f} s", "<= 60 s", found["seconds"] <= 60
    )
    report.check("scalars a second", f"{count / found['seconds'] / 1e6:.2f} million", "", None)
    limit = 1.5 * room + 128
    report.check(
        "memory, all of the process",
        f"{mega:.0f} MiB",
        f"<= 1.5 x 24 bytes a scalar + 128 MiB = {limit:.0f} MiB",
        mega <= limit,
    )
    same = found["rows"] == count and abs(found["total"] - total) < 1e-6 * total
    report.check("every scalar is there", str(found["rows"]), str(count), same)
    return report


if __name__ == "__main__":
    main(measure)
