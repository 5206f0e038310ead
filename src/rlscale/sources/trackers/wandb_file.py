"""``.wandb`` files, which Weights & Biases writes beside every run, offline or not, decoded without its package.

A file is a LevelDB log: a header of 7 bytes, blocks of 32 KiB, and in them chunks (CRC-32 of type and data, length,
type) that are whole records or their first, middle and last parts. A record is a protobuf message: a history row, the
run, a line of its console, ...
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from rlscale.errors import EmptyError, SourceError
from rlscale.sources.format import Address, Claim, Entry, Format, Kind, Precision, Stored
from rlscale.sources.limits import MOST_GPUS, WANDB_METADATA_CAP, WANDB_RECORD_CAP
from rlscale.sources.record import Record, followed
from rlscale.sources.text import opened, plural, were
from rlscale.sources.trackers.wandb_run import Run
from rlscale.sources.trackers.wire import WireError

__all__ = ["FORMAT", "NAME", "joined", "read_records", "sniff"]

NAME = "wandb"

_MAGIC = b":W&B\xe1\xbe"
_HEADER = 7
_BLOCK = 32 << 10
_CHUNK = struct.Struct("<IHB")
_FULL, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4


#: Its own logs.
_DEBUG = frozenset({"debug.log", "debug-internal.log", "debug-core.log"})


def sniff(path: Path, head: bytes) -> bool:
    """Whether the file is a ``.wandb`` file, by its name or its header."""
    return path.suffix == ".wandb" or head.startswith(_MAGIC)


def read_records(path: Path) -> list[Record]:
    """Return the run of a ``.wandb`` file, one record, with every history row.

    The step of a value is the trainer's own where a row holds one, else W&B's count of log calls; see
    :class:`rlscale.sources.record.RowColumns`. Keys of nested values are joined by ``/``. A run that was killed may
    hold no history but still its console, which is kept (the first 64 MiB of it). GPUs are those W&B saw on the first
    node.

    Raises
    ------
    SourceError
        The file is empty, no ``.wandb`` file, or nothing in it can be read.
    """
    run, state = Run(), _State()
    for payload in _payloads(path, state):
        try:
            run.take(payload)
        except WireError:
            state.strange += 1
    if not (run.id or run.rows or run.lines):
        what = "nothing in it can be read" if state.damaged or state.strange else "no run was logged yet"
        raise SourceError(str(path), f"{what}; give a .wandb file that W&B has written to")
    console = run.console()
    return [
        Record(
            name=run.name,
            path=str(path),
            format=NAME,
            rows=len(run.rows),
            columns=run.rows.done(),
            config=run.config,
            starts=() if run.start is None else (run.start,),
            gpus=run.gpus or _gpus_beside(path),
            run_id=run.id or None,
            group=run.group or None,
            console=console,
            repairs=(*state.told(), *run.repairs()),
        )
    ]


def joined(records: list[Record]) -> list[Record]:
    """Return the records with those of one run id joined in the order of their starts.

    A run that is resumed gets a folder and a file for every session. Of two copies of one session the longer is kept.
    """
    runs: dict[str | int, dict[float, Record]] = {}
    copies: dict[str | int, list[str]] = {}
    for k, record in enumerate(records):
        key = k if record.run_id is None else record.run_id
        sessions = runs.setdefault(key, {})
        start = record.starts[0] if record.starts else float(k)
        other = sessions.get(start)
        sessions[start] = record if other is None else max(other, record, key=_length)
        if other is not None:
            left = min(record, other, key=_length)
            copies.setdefault(key, []).append(f"{_place(left)} is a copy of the session and was left out")
    found = []
    for key, sessions in runs.items():
        first, *more = (sessions[start] for start in sorted(sessions))
        for later in more:
            first = followed(first, later, f"{_place(later)} is another session of run {key}: joined as one run")
        left_out = copies.get(key, [])
        found.append(replace(first, repairs=(*first.repairs, *left_out)) if left_out else first)
    return found


def _length(record: Record) -> tuple[int, int]:
    return record.rows, len(record.console)


def _place(record: Record) -> str:
    path = Path(record.path)
    return f"{path.parent.name}/{path.name}"


@dataclass
class _State:
    """What was wrong with the chunks of a file."""

    damaged: int = 0
    first: int = -1
    torn: int = 0
    strange: int = 0
    large: int = 0
    parts: list[bytes] = field(default_factory=list)
    size: int = 0

    def skip(self, at: int, size: int) -> None:
        """Note bytes that were passed over, and forget the record they cut through."""
        self.parts.clear()
        self.damaged += size
        self.first = at if self.first < 0 else self.first

    def told(self) -> list[str]:
        """Return one sentence for each."""
        found = []
        if self.damaged:
            found.append(f"{were(self.damaged, 'byte')} skipped as damaged, the first at byte {self.first}")
        if self.strange:
            found.append(f"{were(self.strange, 'record')} left out, which could not be decoded")
        if self.large:
            found.append(f"{were(self.large, 'record')} passed over, larger than {WANDB_RECORD_CAP >> 20} MiB")
        if self.torn:
            what = "hold a torn record and were left out (the run was cut off, or goes on)"
            found.append(f"the last {plural(self.torn, 'byte')} {what}")
        return found


def _payloads(path: Path, state: _State) -> Iterator[bytes]:
    """Yield the records of a file, one block in memory at a time.

    A chunk that is damaged ends its block, as in LevelDB: the next block begins with a chunk again.

    Raises
    ------
    SourceError
        The file is empty, or its header is not that of a ``.wandb`` file.
    """
    with opened(path) as file:
        header = file.read(_HEADER)
        if not header:
            raise EmptyError(str(path), "the file is empty; nothing was logged yet")
        if not header.startswith(_MAGIC) or len(header) < _HEADER:
            raise SourceError(str(path), f"is no .wandb file (it begins with {header!r}); give the file W&B wrote")
        if header[-1] != 0:
            raise SourceError(
                str(path), f"is of .wandb version {header[-1]}, and only 0 is known; export its runs to CSV"
            )
        offset = _HEADER
        while block := file.read(_BLOCK - offset % _BLOCK):
            last = (offset + len(block)) % _BLOCK != 0
            for kind, part in _chunks(block, offset, last, state):
                whole = _assembled(kind, part, offset, state)
                if whole is not None:
                    yield whole
            offset += len(block)
    state.torn += sum(map(len, state.parts))


def _chunks(block: bytes, offset: int, last: bool, state: _State) -> Iterator[tuple[int, bytes]]:
    """Yield type and content of the chunks of a block, which begins at ``offset`` of the file."""
    at = 0
    while len(block) - at >= _CHUNK.size:
        crc, length, kind = _CHUNK.unpack_from(block, at)
        stop = at + _CHUNK.size + length
        if stop > len(block) and last and _FULL <= kind <= _LAST:
            state.torn = sum(map(len, state.parts)) + len(block) - at
            state.parts.clear()
            return
        if stop > len(block) or not _FULL <= kind <= _LAST or zlib.crc32(block[at + 6 : stop]) != crc:
            state.skip(offset + at, len(block) - at)
            return
        yield kind, block[at + _CHUNK.size : stop]
        at = stop
    if last:
        state.torn = len(block) - at


def _assembled(kind: int, part: bytes, offset: int, state: _State) -> bytes | None:
    """Return the record that a chunk completes, None while parts of it are missing."""
    if kind in (_FULL, _FIRST):
        if state.parts:
            state.skip(offset, sum(map(len, state.parts)))
        if kind == _FULL:
            return part
        state.parts = [part]
        state.size = len(part)
        return None
    if not state.parts:  # its first part was damaged, which is told already
        return None
    state.size += len(part)
    if state.size <= WANDB_RECORD_CAP:
        state.parts.append(part)
    if kind == _MIDDLE:
        return None
    whole = b"".join(state.parts)
    state.parts = []
    if state.size > WANDB_RECORD_CAP:
        state.large += 1
        return None
    return whole


def _gpus_beside(path: Path) -> float | None:
    """Return the GPUs in ``files/wandb-metadata.json``, where older versions kept what they knew of the machine."""
    try:
        with _metadata(path).open("rb") as file:
            metadata = json.loads(file.read(WANDB_METADATA_CAP))
    except (OSError, ValueError, RecursionError):
        return None
    count = metadata.get("gpu_count") if isinstance(metadata, dict) else None
    return float(count) if type(count) is int and 0 < count < MOST_GPUS else None


def _metadata(path: Path) -> Path:
    return path.parent / "files" / "wandb-metadata.json"


def _claims(folder: Path, names: Sequence[str]) -> Claim | None:
    """Return the claim: what else stands beside a ``.wandb`` file repeats the run (its console, its summary)."""
    own = frozenset(name for name in names if name.endswith(".wandb"))
    return Claim(only=own, beside=_DEBUG) if own or not _DEBUG.isdisjoint(names) else None


def _from_service(uri: str) -> Sequence[Stored]:
    from rlscale.sources.trackers import wandb_api

    return wandb_api.read_records(uri)


FORMAT: Format = Format(
    name=NAME,
    kind=Kind.TRACKER,
    entries=(
        Entry(
            NAME, "W&B offline files", "run-*.wandb, or the folder wandb",
            note="decoded without the wandb package; killed runs and their console too", precision=Precision.TRACKED,
        ),
        Entry(
            NAME, "W&B's service", "wandb://ENTITY/PROJECT[/RUN]", "wandb",
            "the documented shape of its answers, on a local server", "full history, not the sampled one",
        ),
    ),
    sniff=sniff,
    read=read_records,
    address=Address(("wandb",), "wandb://ENTITY/PROJECT", _from_service),
    endings=(".wandb",),
    claims=_claims,
    companions=lambda path: (_metadata(path),),
    folder_words=r"wandb([-_]offline)?|(offline-)?run-\d{8}_\d{6}-.*",
    joined=joined,
)  # fmt: skip
