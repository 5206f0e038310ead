"""The formats that are read, in the order in which they are tried, and what all of them together say."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from rlscale.sources.files import (
    console,
    json_array,
    jsonl,
    keyed_json,
    roll_state,
    sb3_monitor,
    trl_state,
    verl_file,
)
from rlscale.sources.format import Checkpoint, Claim, Entry, Format, Kind, Precision, Rounding
from rlscale.sources.tables import table_file, tracker_export
from rlscale.sources.trackers import ledger_address, mlflow_store, tensorboard, trackio, wandb_file

__all__ = [
    "FORMATS",
    "checkpoint_of",
    "claimed",
    "companions_of",
    "entries",
    "is_named",
    "is_rounded",
    "is_table",
    "kind_of",
    "looks_at",
    "of_file",
    "of_folder",
    "of_scheme",
    "rank_of",
    "rounding_of",
    "states_compute",
    "stem_of",
]

FORMATS: tuple[Format, ...] = (
    wandb_file.FORMAT,
    tensorboard.FORMAT,
    mlflow_store.FORMAT,
    trackio.FORMAT,
    roll_state.FORMAT,
    trl_state.FORMAT,
    verl_file.FORMAT,
    sb3_monitor.FORMAT,
    keyed_json.FORMAT,
    tracker_export.FORMAT,
    table_file.FORMAT,
    jsonl.FORMAT,
    json_array.FORMAT,
    console.FORMAT,
    ledger_address.FORMAT,
)


@dataclass(frozen=True, eq=False)
class _Index:
    """What formats say, by question: folders of many files are walked at every look."""

    endings: tuple[str, ...]
    looks: list[tuple[tuple[str, ...], Callable[[Path], bool]]]
    claims: list[Callable[[Path, Sequence[str]], Claim | None]]
    companions: list[tuple[tuple[str, ...], Callable[[Path], Sequence[Path] | None]]]
    checkpoints: list[tuple[Format, Callable[[Path], Checkpoint | None]]]
    names: dict[str, tuple[Kind, Precision, int]]
    roundings: dict[str, Rounding]


@lru_cache(maxsize=4)
def _index(known: tuple[Format, ...]) -> _Index:
    names: dict[str, tuple[Kind, Precision, int]] = {}
    for place, one in enumerate(known):
        for entry in (*one.entries, Entry(one.name, "", "")):
            names.setdefault(entry.name, (one.kind, entry.precision, place))
    return _Index(
        endings=tuple(dict.fromkeys(end for one in known for end in one.endings)),
        looks=[(one.unsure, one.looks_like) for one in known if one.looks_like is not None],
        claims=[one.claims for one in known if one.claims is not None],
        companions=[(one.endings, one.companions) for one in known if one.companions is not None and one.endings],
        checkpoints=[(one, one.checkpoint) for one in known if one.checkpoint is not None],
        names=names,
        roundings={name: rounding for one in known for name, rounding in one.roundings.items()},
    )


def of_file(path: Path, head: bytes) -> Format | None:
    """Return the format of a file by its name and its first ``HEAD_BYTES`` bytes; None where there is none."""
    return next((one for one in FORMATS if one.sniff(path, head)), None)


def of_folder(path: Path) -> Format | None:
    """Return the format of which a folder is a log.

    Raises
    ------
    OSError
        It cannot be listed.
    """
    return next((one for one in FORMATS if one.is_folder is not None and one.is_folder(path)), None)


def of_scheme(scheme: str) -> Format | None:
    """Return the format whose addresses begin with a scheme."""
    known = ((one, one.address.schemes) for one in FORMATS if one.address is not None)
    return next((one for one, schemes in known if scheme.lower() in schemes), None)


def is_named(path: Path) -> bool:
    """Whether a file is a log by its name alone."""
    return path.name.lower().endswith(_index(FORMATS).endings)


def looks_at(name: str) -> Iterator[Callable[[Path], bool]]:
    """Yield the looks that say of a file whose name does not tell whether it is a log."""
    lower = name.lower()
    return (look for unsure, look in _index(FORMATS).looks if lower.endswith(unsure))


def claimed(folder: Path, names: Sequence[str]) -> Claim:
    """Return what all formats take of a folder, by the names of the files there."""
    whole = Claim()
    for claims in _index(FORMATS).claims:
        claim = claims(folder, names)
        whole = whole if claim is None else whole | claim
    return whole


def companions_of(path: Path) -> Sequence[Path] | None:
    """Return what else is read with a file or folder; None where it is read at every look.

    Raises
    ------
    OSError
        The folder cannot be listed.
    """
    if os.path.isdir(path):
        form = of_folder(path)
        return None if form is None or form.companions is None else form.companions(path)
    name = path.name.lower()
    found = (companions(path) or () for ends, companions in _index(FORMATS).companions if name.endswith(ends))
    return list(dict.fromkeys(beside for group in found for beside in group))


def checkpoint_of(path: Path) -> tuple[Format, Checkpoint] | None:
    """Return what part of a run's history a file repeats, and its format; None where it does not."""
    for form, checkpoint in _index(FORMATS).checkpoints:
        place = checkpoint(path)
        if place is not None:
            return form, place
    return None


def stem_of(name: str) -> str | None:
    """Return the part of a file's name that may name the run, where a format says so."""
    stems = (one.stem(name) for one in FORMATS if one.stem is not None)
    return next((stem for stem in stems if stem is not None), None)


def entries() -> list[Entry]:
    """Return the lines of the docs: trainers' own files, then trackers, exports, tables, ledgers."""
    return [entry for one in sorted(FORMATS, key=lambda one: one.kind) for entry in one.entries]


def kind_of(name: str) -> Kind:
    """Return who keeps a log, by its ``format``; that of a trainer's own rows may be any name."""
    known = _index(FORMATS).names.get(name)
    return Kind.TRAINER if known is None else known[0]


def is_table(name: str) -> bool:
    """Whether logs of a format are tables."""
    return kind_of(name) is Kind.TABLE


def states_compute(name: str) -> bool:
    """Whether logs of a format state the compute of each evaluation, and not that of steps."""
    return kind_of(name) in (Kind.TABLE, Kind.LEDGER)


def rank_of(name: str) -> tuple[int, int]:
    """Return what goes before what among logs of one run that go equally far: the lowest is read."""
    _, precision, place = _index(FORMATS).names.get(name, (Kind.TRAINER, Precision.UNKNOWN, 0))
    return precision, place if precision < Precision.UNKNOWN else 0


def rounding_of(name: str) -> Rounding:
    """Return by how much values of a log may differ from those that were measured."""
    return _index(FORMATS).roundings.get(name, Rounding())


def is_rounded(name: str) -> bool:
    """Whether a log holds rounded values."""
    return name in _index(FORMATS).roundings
