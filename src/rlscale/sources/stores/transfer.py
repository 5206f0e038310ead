"""Bytes of objects to files: many small objects at a time, long ones in pieces, those that grew from where they end."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["ChangedError", "Transfer", "transferred"]

#: Bytes wanted for at a time, and those of one request.
_BATCH = 16 << 20
_PIECE = 4 << 20
#: Objects wanted for at a time.
_TOGETHER = 256
#: Bytes before the end of a file that show whether its object goes on as it did.
_OVERLAP = 1 << 12


class ChangedError(OSError):
    """The object is another than the one that was listed, or wanted for before."""


@dataclass(frozen=True)
class Transfer:
    """A file to write.

    Parameters
    ----------
    remote : str
        The object, as its library names it.
    local : Path
        The file.
    end : int
        Bytes of the object to fetch.
    start : int
        Bytes that the file has already; with 0 it is written anew.
    whole : bool
        Whether ``end`` is the end of the object.
    """

    remote: str
    local: Path
    end: int
    start: int = 0
    whole: bool = True

    @property
    def first(self) -> int:
        """The first byte that is fetched."""
        return max(self.start - _OVERLAP, 0)

    @property
    def part(self) -> Path:
        """The file while it is written anew."""
        return self.local.with_name(f".{self.local.name}.part")


_Piece = tuple[Transfer, int, int]


def transferred(store: Any, transfers: Iterable[Transfer]) -> dict[Path, BaseException]:
    """Write files; return why some could not be written: those hold what they held, or more of the object.

    Parameters
    ----------
    store : fsspec.AbstractFileSystem
    transfers : iterable of Transfer
        Each of another file.
    """
    wrong: dict[Path, BaseException] = {}
    again: list[Transfer] = []
    for batch in _batches(transfers):
        pieces = [piece for piece in batch if piece[0].local not in wrong]
        for piece, data in zip(pieces, _fetched(store, pieces), strict=True):
            job = piece[0]
            if job.local in wrong:
                continue
            if isinstance(data, BaseException):
                wrong[job.local] = data
            elif job.start and piece[1] == job.first and not _goes_on(job, data):
                wrong[job.local] = ChangedError()
                again.append(job)
            else:
                _put(piece, data, wrong)
        for job in {piece[0] for piece in pieces if piece[0].local in wrong}:
            job.part.unlink(missing_ok=True)
    if again:
        anew = [Transfer(job.remote, job.local, job.end, whole=job.whole) for job in again]
        for job in anew:
            del wrong[job.local]
        wrong.update(transferred(store, anew))
    return wrong


def _batches(transfers: Iterable[Transfer]) -> Iterator[list[_Piece]]:
    batch: list[_Piece] = []
    size = 0
    for job in transfers:
        for begin in range(job.first, max(job.end, job.first + 1), _PIECE):
            end = min(begin + _PIECE, job.end)
            if batch and (size + end - begin > _BATCH or len(batch) == _TOGETHER):
                yield batch
                batch, size = [], 0
            batch.append((job, begin, end))
            size += end - begin
    if batch:
        yield batch


def _fetched(store: Any, pieces: Sequence[_Piece]) -> list[Any]:
    """Return the bytes of pieces, or why they cannot be read; nothing is wanted for an empty one."""
    wanted = [piece for piece in pieces if piece[2] > piece[1]]
    if not wanted:
        return [b"" for _ in pieces]
    spans = [_span(piece) for piece in wanted]
    names, starts, ends = [job.remote for job, _, _ in wanted], [low for low, _ in spans], [high for _, high in spans]
    data = dict(zip(wanted, store.cat_ranges(names, starts, ends, on_error="return"), strict=True))
    return [data.get(piece, b"") for piece in pieces]


def _span(piece: _Piece) -> tuple[int | None, int | None]:
    """Return the range to ask for; none where the object is one piece, so that it is as it was at one time."""
    job, begin, end = piece
    return (None, None) if job.whole and begin == 0 and end == job.end else (begin, end)


def _goes_on(job: Transfer, data: bytes) -> bool:
    """Whether an object that grew still holds what the file ends with."""
    with job.local.open("rb") as file:
        file.seek(job.first)
        return data.startswith(file.read(job.start - job.first))


def _put(piece: _Piece, data: bytes, wrong: dict[Path, BaseException]) -> None:
    """Append a piece to its file; a file that is written anew gets its name with the last one."""
    job, begin, end = piece
    if _span(piece)[1] is not None and len(data) != end - begin:
        wrong[job.local] = ChangedError()
        return
    begins = begin == 0 and not job.start  # what an interrupted look left there goes
    with (job.local if job.start else job.part).open("wb" if begins else "ab") as file:
        file.write(data[job.start - begin :] if begin < job.start else data)
    if end == job.end and not job.start:
        os.replace(job.part, job.local)
