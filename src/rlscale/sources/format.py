"""A format: everything that reading, following and the docs need to know of one way in which logs are kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import partial
from pathlib import Path
from typing import Protocol

from rlscale.sources.files.fold import Fold, read_lines
from rlscale.sources.log import Log, ReadOptions
from rlscale.sources.record import Record

__all__ = ["Address", "Checkpoint", "Claim", "Entry", "Format", "Kind", "Precision", "Rounding", "Stored", "Tails"]

#: What a file holds of one run: a log, where its trainer is known and the file is all there is of it; a record, where
#: other sessions of the run may stand in other files.
Stored = Log | Record


class Kind(IntEnum):
    """Who keeps the log; in the order of the docs."""

    TRAINER = 0  #: The trainer's own file.
    TRACKER = 1  #: A tracker, whose rows have times.
    EXPORT = 2  #: A table that a tracker exported; its rows have times too.
    TABLE = 3  #: A table, which states the compute of its evaluations.
    LEDGER = 4  #: A ledger, which does so too.


class Precision(IntEnum):
    """How exactly values are kept; of two logs of one run that go equally far the lower is read."""

    FULL = 0  #: As the trainer computed them.
    PRINTED = 1  #: As the trainer printed them.
    TRACKED = 2  #: As the trainer handed them on.
    SINGLE = 3  #: In 32 bits.
    UNKNOWN = 4  #: Several ways; such logs do not go before others.


@dataclass(frozen=True)
class Rounding:
    """The most by which a value that is kept differs from the one that was measured: either of the two."""

    absolute: float = 0.0
    relative: float = 1e-6  #: TensorBoard keeps single precision.


@dataclass(frozen=True)
class Entry:
    """A line of ``rlscale sources`` and of the docs page "Your own logs".

    Parameters
    ----------
    name : str
        As in ``source.format``.
    title : str
        What it is called.
    give : str
        What to give as PATH.
    extra : str
        The optional dependencies it needs, as in ``pip install 'rlscale[EXTRA]'``; empty for none.
    checked : str
        On what the reader was tried.
    note : str
        What a user must know.
    precision : Precision
        How exactly logs of this name are kept.
    """

    name: str
    title: str
    give: str
    extra: str = ""
    checked: str = "real files"
    note: str = ""
    precision: Precision = Precision.UNKNOWN


class Tails(Protocol):
    """What is kept of an address that is read again and again."""

    def look(self) -> Sequence[Stored]:
        """Return what is there now: the very sequence of the last call where nothing is new."""

    def close(self) -> None:
        """Close what is kept open; :meth:`look` opens it again."""


@dataclass(frozen=True)
class Address:
    """Addresses that are read in place of a path.

    Parameters
    ----------
    schemes : tuple of str
        In lower case.
    written : str
        How they are written, for messages.
    read : callable
        Returns what is there.
    tail : callable, optional
        Reads an address again and again, of what is there only what is new; without it all is read at every look.
    bare : bool
        Whether the scheme needs no slashes behind its colon.
    """

    schemes: tuple[str, ...]
    written: str
    read: Callable[[str], Sequence[Stored]]
    tail: Callable[[str], Tails] | None = None
    bare: bool = False


@dataclass(frozen=True)
class Claim:
    """What formats take of a folder.

    Parameters
    ----------
    folder : bool
        The folder is one log, with all that is below it.
    only : frozenset of str
        Files beside which nothing is looked at, here and below: it repeats their runs.
    together : frozenset of str
        Files that are the sessions of one run; the folder is read where there are several.
    beside : frozenset of str
        Files that belong to a log and are none of their own.
    """

    folder: bool = False
    only: frozenset[str] = frozenset()
    together: frozenset[str] = frozenset()
    beside: frozenset[str] = frozenset()

    def __or__(self, other: Claim) -> Claim:
        return Claim(
            self.folder or other.folder,
            self.only | other.only,
            self.together | other.together,
            self.beside | other.beside,
        )


@dataclass(frozen=True)
class Checkpoint:
    """A file that repeats the whole history of a run so far: one of its checkpoints, or what stands above them.

    Parameters
    ----------
    home : Path
        The folder of the run.
    step : float
        The step in the name of the checkpoint's folder; infinite above the checkpoints.
    shown : str
        How messages call it.
    """

    home: Path
    step: float
    shown: str


def _never(path: Path, head: bytes) -> bool:
    return False


@dataclass(frozen=True, eq=False, kw_only=True)
class Format:
    """One way in which logs are kept.

    Parameters
    ----------
    name : str
        As in ``source.format``.
    kind : Kind
    entries : tuple of Entry
        Its lines in the docs, under its own name and those of its dialects; none where it is explained elsewhere.
    sniff : callable
        Whether a file is of this format, by its name and its first bytes.
    read : callable, optional
        Returns what a file (or a folder, see ``is_folder``) holds; takes the options too if ``heeds_options``. Without
        it a file is read through the fold.
    heeds_options : bool
        Whether the reading options matter: columns and keys may be anything.
    fold : callable, optional
        Returns an empty fold for a path, and the options if ``heeds_options``. A file that grows is then read on from
        where it ended, line by line; without one it is read whole where it has changed.
    address : Address, optional
        Addresses that are read in place of a path.
    endings : tuple of str
        Ends of the names of files that are logs wherever they stand, in lower case.
    unsure : tuple of str
        Ends of the names of files of which ``looks_like`` says so.
    looks_like : callable, optional
        Whether such a file is a log, by what it holds.
    is_folder : callable, optional
        Whether a folder is a log of this format.
    claims : callable, optional
        What it takes of a folder, by the names of the files there; None for nothing.
    companions : callable, optional
        What else is read with a file or folder, and read anew when it changes; None: it is read at every look.
    checkpoint : callable, optional
        What part of a run's history a file repeats; None for a file that does not.
    reaches : callable, optional
        The last step of such a file, where its name does not tell.
    stem : callable, optional
        The part of a file's name that may name the run; None for files of other formats.
    file_words, folder_words : str
        Patterns of names of files and folders that say what they are, not which run.
    joined : callable, optional
        Joins records that are sessions of one run.
    roundings : mapping of str to Rounding
        How far values are rounded, by the name of the dialect.
    """

    name: str
    kind: Kind = Kind.TRAINER
    entries: tuple[Entry, ...] = ()
    sniff: Callable[[Path, bytes], bool] = _never
    read: Callable[..., Sequence[Stored]] | None = None
    heeds_options: bool = False
    fold: Callable[..., Fold] | None = None
    address: Address | None = None
    endings: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()
    looks_like: Callable[[Path], bool] | None = None
    is_folder: Callable[[Path], bool] | None = None
    claims: Callable[[Path, Sequence[str]], Claim | None] | None = None
    companions: Callable[[Path], Sequence[Path] | None] | None = None
    checkpoint: Callable[[Path], Checkpoint | None] | None = None
    reaches: Callable[[Path], float] | None = None
    stem: Callable[[str], str | None] | None = None
    file_words: str = ""
    folder_words: str = ""
    joined: Callable[[list[Record]], list[Record]] | None = None
    roundings: Mapping[str, Rounding] = field(default_factory=dict)

    def stored(self, path: Path, options: ReadOptions | None = None) -> Sequence[Stored]:
        """Return what a file or folder holds."""
        if self.read is None:
            return read_lines(path, partial(self.new_fold, options=options))
        return self.read(path, options) if self.heeds_options else self.read(path)

    def new_fold(self, path: str | Path, options: ReadOptions | None = None) -> Fold:
        """Return an empty fold of a file."""
        assert self.fold is not None
        return self.fold(str(path), options) if self.heeds_options else self.fold(str(path))
