"""TensorBoard event files, decoded without TensorBoard: every scalar as it was written, none sampled away.

A file is a row of frames (length, checksum of the length, payload, checksum of the payload), and a payload is an
``Event`` message: the wall time, the step and a summary of tagged values. Values are 32-bit floats.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rlscale.errors import EmptyError, SourceError
from rlscale.sources.format import Claim, Entry, Format, Kind, Precision
from rlscale.sources.limits import EVENT_CAP, MOST_KEYS
from rlscale.sources.record import Record, followed
from rlscale.sources.text import opened, plural, were
from rlscale.sources.trackers.tensorboard_frames import FRAME, LENGTH, PADDING, Broken, Sink, first_time, framed, scan
from rlscale.sources.trackers.tensorboard_text import configuration

__all__ = ["FORMAT", "NAME", "joined", "read_records", "sniff"]

NAME = "tensorboard"

_BLOCK = 4 << 20

#: In the name of every event file, and what stands around it.
_MARK = "tfevents"
_EVENTS = re.compile(r"\.?(events\.out\.)?tfevents.*$")

#: The first event holds a time and the version of the format.
_FIRST = 1 << 12


def sniff(path: Path, head: bytes) -> bool:
    """Whether the file is an event file by its name or its first frame, or the folder holds event files."""
    if path.is_dir():
        return bool(_event_files(path))
    return _MARK in path.name or (b"brain.Event:" in head[:64] and framed(head, 0))


def read_records(path: Path) -> list[Record]:
    """Return the run of an event file, or of a folder of event files.

    The files directly in a folder are the sessions of one run, in the order of their first events. Memory grows with
    the scalars alone, 24 bytes each; images, histograms and the like are passed over.

    Parameters
    ----------
    path : Path
        One event file, or a folder.

    Returns
    -------
    list of Record
        One record, or none where no file holds a scalar (what TensorBoard's HParams tab reads has files of its own).

    Raises
    ------
    SourceError
        The file is empty or no event file; of several, all of them.
    """
    files = _event_files(path) if path.is_dir() else [path]
    if not files:
        raise SourceError(str(path), "holds no event file (a name with tfevents); give the folder of one run")
    sink = Sink()
    refused: list[SourceError] = []
    sessions: list[tuple[float, Path]] = []
    for file in files:
        try:
            sessions.append((_first_time(file), file))
        except SourceError as error:
            refused.append(error)
    if not sessions:
        raise refused[0]
    starts = []
    for start, file in sorted(sessions):
        before = len(sink.columns)
        _read(file, sink)
        if len(sink.columns) > before and math.isfinite(start):
            starts.append(start)
    left = [f"{Path(error.path).name} was left out: it {error.message}" for error in refused]
    count = len(sink.columns)
    if not count:
        return []
    if sink.columns.left_out:
        left.append(f"{were(sink.columns.left_out, 'value')} left out: more than {MOST_KEYS} tags")
    return [
        Record(
            name="",
            path=str(path),
            format=NAME,
            rows=count,
            columns=sink.columns.done(),
            config={**configuration(sink.texts), **sink.hparams},
            starts=tuple(starts),
            repairs=(*sink.repairs, *left),
        )
    ]


def joined(records: list[Record]) -> list[Record]:
    """Return the records with the sessions of one run joined, in the order of the first of each.

    Hugging Face's trainer opens a new folder below ``runs`` at every start. A record goes on where another below the
    same ``runs`` stopped if it begins in the middle (its first step lies above its own usual distance between steps,
    above the other's first step, and not beyond the other's last step and the usual distance), began later, and logs
    the same tags; a session cut short may lack some, and a tag with one value (a summary at the end) is not asked for.
    """
    found: list[Record] = []
    for record in sorted(records, key=lambda one: one.starts[:1] or (math.inf,)):
        for k in reversed(range(len(found))) if _in_the_middle(record) else ():
            if _goes_on(found[k], record):
                step = min(float(column.step.min()) for column in record.columns.values())
                what = f"{_folder(record).name} goes on at step {step:g} where {_folder(found[k]).name} stopped"
                found[k] = followed(found[k], record, f"{what}: joined as one run, since both stand below runs/")
                break
        else:
            found.append(record)
    place = {record.path: k for k, record in enumerate(records)}
    return sorted(found, key=lambda one: place[one.path])


def _in_the_middle(record: Record) -> bool:
    """Whether a record begins above its own usual distance between steps; nearly all begin at the start."""
    steps = np.unique(np.concatenate([column.step for column in record.columns.values()]))
    return steps.size < 2 or bool(steps[0] > np.median(np.diff(steps)))


def _goes_on(first: Record, later: Record) -> bool:
    home = _folder(first).parent
    if home.name != "runs" or _folder(later).parent != home or _folder(later) == _folder(first):
        return False
    if not (first.starts and later.starts and first.starts[-1] < later.starts[0]):
        return False
    often = [{key for key, column in one.columns.items() if column.step.size > 1} for one in (first, later)]
    if not (often[0] <= set(later.columns) or often[1] <= set(first.columns)):
        return False
    steps, more = (np.unique(np.concatenate([c.step for c in one.columns.values()])) for one in (first, later))
    usual = float(np.median(np.diff(steps))) if steps.size > 1 else 0.0
    own = float(np.median(np.diff(more))) if more.size > 1 else usual
    return bool(max(own, float(steps[0])) < more[0] <= steps[-1] + usual)


def _folder(record: Record) -> Path:
    path = Path(record.path)
    return path.parent if _MARK in path.name else path


def _event_files(folder: Path) -> list[Path]:
    """Return the event files of a folder; a link to a file elsewhere is not followed."""
    try:
        home = folder.resolve()
        named = (path for path in folder.iterdir() if _MARK in path.name and path.is_file())
        return sorted(path for path in named if path.resolve().is_relative_to(home))
    except OSError as error:
        raise SourceError(str(folder), f"cannot be listed ({error.strerror}); check its rights") from error


def _first_time(path: Path) -> float:
    """Return the wall time of a file's first event, infinite where the file ends before it.

    Raises
    ------
    SourceError
        The file is empty or no event file.
    """
    with opened(path) as file:
        head = file.read(_FIRST)
    if not head:
        raise EmptyError(str(path), "is empty; nothing was logged yet")
    if len(head) >= LENGTH.size and not framed(head, 0):
        raise SourceError(str(path), "is no event file (byte 0: the length of the first record fails its checksum)")
    return first_time(head)


def _read(path: Path, sink: Sink) -> None:
    """Put every scalar of a file into ``sink``, and what could not be read into its repairs.

    A damaged frame ends the reading: its length is what tells where the next frame begins, and a place that merely
    looks like a frame may lie inside an image.
    """
    offset, rest, large, strange = 0, b"", 0, 0
    broken = False
    with opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        while block := file.read(_BLOCK):
            data = rest + block
            try:
                at, odd = scan(data + bytes(PADDING), len(data), sink)
            except Broken as error:
                offset, broken = offset + error.at, True
                break
            strange += odd
            offset, rest = offset + at, data[at:]
            if len(rest) < LENGTH.size:
                continue
            frame = FRAME + LENGTH.unpack_from(rest)[0]
            if frame > FRAME + EVENT_CAP or offset + frame > size:
                broken = not framed(rest, 0)
                if broken or offset + frame > size:
                    break
                large += 1
                offset, rest = offset + frame, b""
                file.seek(offset)
    _tell(path, sink.repairs, (offset, size), broken, large, strange)


def _tell(path: Path, repairs: list[str], place: tuple[int, int], broken: bool, large: int, strange: int) -> None:
    offset, size = place
    if large:
        repairs.append(f"{path.name}: {were(large, 'record')} passed over, larger than {EVENT_CAP >> 20} MiB")
    if strange:
        repairs.append(f"{path.name}: {were(strange, 'record')} left out, which could not be decoded")
    if broken:
        what = f"damaged at byte {offset}: the {plural(size - offset, 'byte')} from there on were not read"
        repairs.append(f"{path.name} is {what}")
    elif offset < size:
        repairs.append(f"{path.name}: the last record is torn and was left out (the run was cut off, or goes on)")


def _claims(folder: Path, names: Sequence[str]) -> Claim | None:
    sessions = frozenset(name for name in names if _MARK in name)
    return Claim(together=sessions) if sessions else None


def _is_folder(folder: Path) -> bool:
    return any(_MARK in path.name for path in folder.iterdir())


#: Folders below which event files stand; Hugging Face's ``Nov23_10-15-00_host``, Lightning's ``version_0``.
_FOLDERS = r"tensorboard|tb|tb_logs|tensorboard_logs?|runs|logs|[A-Z][a-z]{2}\d{2}_\d{2}-\d{2}-\d{2}_.*|version_\d+"

FORMAT: Format = Format(
    name=NAME,
    kind=Kind.TRACKER,
    entries=(
        Entry(
            NAME, "TensorBoard", "an event file, or its folder", note="every scalar, unsampled",
            precision=Precision.SINGLE,
        ),
    ),
    sniff=sniff,
    read=read_records,
    is_folder=_is_folder,
    claims=_claims,
    companions=lambda path: sorted(path.iterdir()) if path.is_dir() else (),
    stem=lambda name: _EVENTS.sub("", name) if _MARK in name else None,
    folder_words=_FOLDERS,
    joined=joined,
)  # fmt: skip
