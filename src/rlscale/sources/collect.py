"""Paths to runs: the one call everything above uses."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from rlscale.curves import Run
from rlscale.errors import EmptyError, FormatError, InputError, SourceError
from rlscale.keywords import known_keywords
from rlscale.left_out import LeftOut, Listing
from rlscale.sources.assemble import Named, assemble
from rlscale.sources.containers import logs_of, sessions_joined
from rlscale.sources.copies import counted_once
from rlscale.sources.described import described
from rlscale.sources.discover import Found, Through, directly, discover, holds_steps
from rlscale.sources.format import Stored
from rlscale.sources.formats import states_compute
from rlscale.sources.grouping import Grouping, Member, grouping_of, identities
from rlscale.sources.log import Log, ReadOptions
from rlscale.sources.naming import Place, Roots, named, unique
from rlscale.sources.patterns import check_patterns, patterns_of
from rlscale.sources.printable import clean
from rlscale.sources.printed import is_lost
from rlscale.sources.published import as_logged
from rlscale.sources.readers import read_found
from rlscale.sources.reading import Reading, left_out_of, reading_of
from rlscale.sources.record import Record
from rlscale.sources.same_run import once
from rlscale.sources.sessions import sessions_told
from rlscale.sources.stores import Image
from rlscale.sources.tables.frames import Frame, with_frames

__all__ = ["Survey", "bundled", "collect", "listed", "named_logs", "read", "survey"]

_log = logging.getLogger(__name__)


#: A path, an address, or a table of pandas, polars or Arrow.
Readable = str | Path | Any
_ONLY_PUBLISHED = "holds only what watch --publish wrote there; give the logs of the runs themselves"
#: The path that stands for the bundled runs.
BUNDLED = "bundled"


def bundled() -> Path:
    """Return the folder of the real runs that come with the package, ``<recipe>/seed<k>/trainer_state.json``."""
    return Path(__file__).parent / "bundled"


def _means_bundled(path: str | Path | Frame) -> bool:
    """Whether a path is the word for the bundled runs, and no file of the user's."""
    return str(path) == BUNDLED and not Path(path).exists()


def read(paths: Readable | Sequence[Readable], **options: Any) -> Listing[Run]:
    """Return the runs of logs; its ``left_out`` names those that could not be read, and every result carries it on.

    Parameters
    ----------
    paths : path, address or table, or a sequence of them
        Files, folders, those in object stores (``s3://...``), trackers (``wandb://...``, ``mlflow://...``,
        ``ledger:...``), and tables of pandas, polars or Arrow, whose columns are recognised by their names as those of
        a file are.
    **options
        Fields of :class:`ReadOptions`; with ``strict=True`` the first file that cannot be read raises.

    Raises
    ------
    InputError
        As :func:`collect`; an option that there is not, with the closest one.

    Examples
    --------
    >>> import rlscale
    >>> [run.name for run in rlscale.read("bundled", run="base/*")]
    ['base/seed0', 'base/seed1']
    """
    known_keywords("read", options, [field.name for field in fields(ReadOptions)])
    reading = collect(with_frames(paths), ReadOptions(**options))
    for lost in reading.left_out:
        if lost.counted:
            _log.warning("left out %s: %s", lost.path, lost.why)
    return Listing(reading.runs, reading.left_out)


def collect(paths: Readable | Sequence[Readable], options: ReadOptions | None = None) -> Reading:
    """Read files and folders into runs that can be compared: one metric, one unit of compute.

    Parameters
    ----------
    paths : path, address or table, or a sequence of them
        As for :func:`read`; a folder is walked.
    options : ReadOptions
        Metric, compute axis, bounds, recipe, stretch.

    Returns
    -------
    Reading
        The runs, and an error for each file that was left out.

    Raises
    ------
    ChoiceError
        Several metrics or compute axes could be meant.
    SourceError
        No run is left, or ``options.strict`` and a file cannot be read.
    InputError
        An option that cannot be, or no path.

    Examples
    --------
    >>> import rlscale
    >>> rlscale.collect("bundled").grouping.recipes
    3
    """
    options, paths = options or ReadOptions(), with_frames(paths)
    found, errors, beside = _found(paths, options)
    runs: list[Run] = []
    with np.errstate(over="ignore", invalid="ignore"):  # absurd numbers overflow to infinity, which no curve takes
        if found:
            runs, refused = assemble(found, options)
            errors.extend(refused)
    _raise_first(errors, options)
    if not runs:
        raise _nothing_left([*errors, *beside], paths)
    for error in (*errors, *beside):
        error.counted = error.counted or _is_all_of_a_path(error, paths, found)
    kept, copies = counted_once(sessions_told(runs))
    return reading_of(kept, found, errors, beside, copies)


def _is_all_of_a_path(error: SourceError, paths: Sequence[str | Path | Frame], logs: Sequence[Named]) -> bool:
    """Whether a path that was named led to no log at all but this: then it is no mere neighbour of logs."""
    if isinstance(error, EmptyError):
        return False
    under = [Path(path) for path in paths if Path(error.path).is_relative_to(path)]
    return any(not any(Path(named.log.path).is_relative_to(path) for named in logs) for path in under)


@dataclass(frozen=True, eq=False)
class Survey:
    """What logs hold, before a metric and a compute axis are chosen.

    Parameters
    ----------
    logs : tuple of Named
        In order of the paths, then of the files.
    errors : tuple of SourceError
        The files that could not be used.
    left_out : tuple of LeftOut
        The same, as in :class:`Reading`.
    grouping : Grouping
        How the runs would be pooled into recipes.
    """

    logs: tuple[Named, ...]
    errors: tuple[SourceError, ...]
    left_out: tuple[LeftOut, ...]
    grouping: Grouping


def survey(paths: Readable | Sequence[Readable], options: ReadOptions | None = None) -> Survey:
    """Read files and folders without choosing anything.

    Parameters
    ----------
    paths, options
        As for :func:`collect`.

    Raises
    ------
    SourceError
        No run is found, or ``options.strict`` and a file cannot be read.
    InputError
        An option that cannot be, or no path.
    """
    paths = with_frames(paths)
    found, errors, beside = _found(paths, options or ReadOptions())
    if not found:
        raise _nothing_left([*errors, *beside], paths)
    left_out = tuple(left_out_of(errors, beside))
    return Survey(tuple(found), (*errors, *beside), left_out, grouping_of([named.identity for named in found]))


def _found(
    paths: Sequence[str | Path | Frame], options: ReadOptions
) -> tuple[list[Named], list[SourceError], list[SourceError]]:
    """Return the named logs, the files that could not be read, and what stands beside the logs."""
    options.check()
    with Image() as image:
        local, failed = image.fetched(paths)
        files, errors, beside = listed(local, options) if local or not paths else ([], [], [])
        errors = [*failed, *errors]
        _raise_first(errors, options)
        seen: list[str] = []
        logs = named_logs(files, errors, options, seen=seen, image=image.root)
        _check_patterns(seen, options)
        logs = described(logs, folders_of(local), beside)
        return image.logs(logs), image.errors(errors), image.errors(beside)


def _check_patterns(names: Sequence[str], options: ReadOptions) -> None:
    """Refuse a pattern of ``--exclude`` or ``--run`` that matches no run, or both where they leave none."""
    check_patterns(names, {"--exclude": patterns_of(options.exclude), "--run": patterns_of(options.run)})
    if names and not any(map(options.covers, names)):
        if not patterns_of(options.run):
            raise InputError("--exclude leaves no run; exclude less")
        raise InputError("--exclude and --run leave no run; widen them")


def listed(
    paths: Sequence[str | Path | Frame], options: ReadOptions, through: Through = directly
) -> tuple[list[Found], list[SourceError], list[SourceError]]:
    """Return the files to read, what cannot be looked into, and what stands beside the logs.

    Parameters
    ----------
    paths, options
        As for :func:`collect`.
    through : callable
        As for :func:`rlscale.sources.discover.discover`.

    Raises
    ------
    InputError
        An option that cannot be, or no path.
    """
    options.check()
    if not paths:
        raise InputError("no path is given; give a log, or a folder of logs")
    return discover(folders_of(paths), through)


def folders_of(paths: Sequence[str | Path | Frame]) -> tuple[str | Path | Frame, ...]:
    """Return paths with the folder of the bundled runs in place of their name."""
    return tuple(bundled() if _means_bundled(path) else path for path in paths)


def named_logs(
    files: Sequence[Found],
    errors: list[SourceError],
    options: ReadOptions,
    read: Callable[[Found], Sequence[Stored]] | None = None,
    seen: list[str] | None = None,
    image: Path | None = None,
) -> list[Named]:
    """Return the logs of files, each with its name, recipe and seed; what cannot be read goes to ``errors``.

    Parameters
    ----------
    files : sequence of Found
        In the order of the runs.
    errors : list of SourceError
        Receives the errors.
    options : ReadOptions
        Recipe and strictness.
    read : callable, optional
        Returns what a file holds, or raises a ``SourceError``; :func:`rlscale.sources.readers.read_found` by default.
    seen : list of str, optional
        Receives the names of all runs, also of those that the options leave out.
    image : Path, optional
        The folder that holds what came from stores.

    Raises
    ------
    SourceError
        ``options.strict`` and a file cannot be read.
    """
    seen = [] if seen is None else seen
    with np.errstate(over="ignore", invalid="ignore"):
        reader = read or partial(read_found, options=options)
        logs = _named(_logs(files, errors, options, reader, seen, image), options, seen)
    errors.extend(SourceError(one.log.path, one.log.refused, [one.name]) for one in logs if one.log.refused)
    _raise_first(errors, options)
    return [one for one in logs if not one.log.refused]


def _logs(
    files: Sequence[Found],
    errors: list[SourceError],
    options: ReadOptions,
    read: Callable[[Found], Sequence[Stored]],
    seen: list[str],
    image: Path | None,
) -> list[tuple[Found, Place, Log]]:
    """Read every file but those excluded by name; what cannot be read goes to ``errors``."""
    named_paths = dict.fromkeys(found.given for found in files if not found.uri and found.frame is None)
    roots = Roots(list(named_paths), image)
    if options.exclude:
        files = _not_excluded(files, roots, options, seen)
    at: dict[str, int] = {}  # a joined record keeps the path of its first session
    logs: list[tuple[int, Log]] = []
    records: list[Record] = []
    passed: list[tuple[Path, SourceError]] = []

    def refused(error: SourceError) -> None:
        errors.append(error.with_traceback(None))  # its frames hold files open, and this list
        _raise_first(errors, options)

    for number, found in enumerate(files):
        try:
            stored = read(found)
            held = as_logged(stored)
            if not held and found.asked:  # in a folder: hyperparameters that stand beside the run's own event file
                raise EmptyError(
                    str(found.path), _ONLY_PUBLISHED if stored else "holds no metric; nothing was logged yet"
                )
            for one in held:
                if isinstance(one, Log):
                    logs.append((number, one))
                else:
                    records.append(one)
                    at.setdefault(one.path, number)
        except SourceError as error:
            if isinstance(error, FormatError) and not found.asked and not holds_steps(found.path):
                error.counted = False  # a file of another kind that stands in the folder
                passed.append((found.path, error))
            refused(error)
    for record in sessions_joined(records):
        try:
            logs.extend((at[record.path], log) for log in logs_of(record))
        except SourceError as error:
            refused(error)
    for path, refusal in passed:
        refusal.counted = is_lost(path, [log for _, log in logs])
    logs.sort(key=lambda item: item[0])
    places = {
        number: named(files[number].path, roots.of(files[number].path)) for number in {number for number, _ in logs}
    }
    placed = [(files[number], places[number], log) for number, log in logs]
    return once(placed)


def _not_excluded(files: Sequence[Found], roots: Roots, options: ReadOptions, seen: list[str]) -> list[Found]:
    """Return the files that are not excluded by their own name; the names of the others go to ``seen``."""
    kept = []
    for found in files:
        place = named(found.path, roots.of(found.path))
        name = next((one for one in (place.name, place.file) if options.excludes(one)), None)
        if name is None:
            kept.append(found)
        else:
            seen.append(name)
    return kept


def _raise_first(errors: Sequence[SourceError], options: ReadOptions) -> None:
    if options.strict and errors:
        raise errors[0]


def _nothing_left(errors: Sequence[SourceError], paths: Sequence[str | Path | Frame]) -> SourceError:
    if not errors:
        return SourceError(str(paths[0]), "no run is left; give another file")
    first = min(errors, key=lambda error: not error.counted)  # what is merely empty explains least
    others = len({error.path for error in errors} - {first.path})  # several runs of a file are one
    if not others:
        return first
    return type(first)(first.path, f"{first.message} (and {others} more that cannot be used)")


def _named(logs: Sequence[tuple[Found, Place, Log]], options: ReadOptions, seen: list[str]) -> list[Named]:
    """Give every log its name, recipe and seed, but those that the options leave out; all names go to ``seen``."""
    by_path = [not log.name or _is_part(log.name) for _, _, log in logs]
    plain = [place.name if own else clean(log.name) for (_, place, log), own in zip(logs, by_path, strict=True)]
    names = [name + (log.name if own else "") for name, (_, _, log), own in zip(plain, logs, by_path, strict=True)]
    final = unique(names, [place for _, place, _ in logs], by_path)
    seen.extend(run for run, _ in final)
    members, rest = [], []
    for (found, place, log), own, (run, said) in zip(logs, by_path, final, strict=True):
        if not options.covers(run):
            continue
        name, bare = run, "" if own else clean(log.name)
        if not states_compute(log.format):  # else a number after the name is a part of it
            name, bare = (re.sub(r"#\d+$", "", text) for text in (name, bare))
        members.append(Member(name, run, bare, place, log))
        rest.append(((*found.repairs, *([said] if said else [])), found.asked))
    known = identities(members, options.recipe)
    return [
        Named(member.log, member.run, identity, repairs, asked)
        for member, identity, (repairs, asked) in zip(members, known, rest, strict=True)
    ]


def _is_part(name: str) -> bool:
    """Whether a log is one of several appended into a file (``#2``), named after the file."""
    return re.fullmatch(r"#\d+", name) is not None
