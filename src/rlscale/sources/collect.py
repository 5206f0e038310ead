"""Paths to runs: the one call everything above uses."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from rlscale.curves import Run
from rlscale.errors import InputError, SourceError
from rlscale.sources.assemble import Named, assemble
from rlscale.sources.containers import logs_of, sessions_joined
from rlscale.sources.discover import Found, Through, directly, discover
from rlscale.sources.log import Log, ReadOptions
from rlscale.sources.naming import Place, clean, common_root, named, pattern_of, recipe_of, seed_of, unique
from rlscale.sources.readers import read_found
from rlscale.sources.record import Record
from rlscale.sources.same_run import once

__all__ = ["Reading", "Survey", "bundled", "collect", "listed", "named_logs", "read", "survey"]


@dataclass(frozen=True, eq=False)
class Reading:
    """What was read.

    Parameters
    ----------
    runs : tuple of Run
        In order of the paths, then of the files, then of the rows.
    errors : tuple of SourceError
        The files, or runs of files, that were left out.
    """

    runs: tuple[Run, ...]
    errors: tuple[SourceError, ...]


#: The path that stands for the bundled runs.
BUNDLED = "bundled"


def bundled() -> Path:
    """Return the folder of the real runs that come with the package, ``<recipe>/seed<k>/trainer_state.json``."""
    return Path(__file__).parent / "bundled"


def _means_bundled(path: str | Path) -> bool:
    """Whether a path is the word for the bundled runs, and no file of the user's."""
    return str(path) == BUNDLED and not Path(path).exists()


def read(paths: str | Path | Sequence[str | Path], **options: Any) -> list[Run]:
    """Return the runs of files and folders; the first file that cannot be read raises.

    Parameters
    ----------
    paths : str, Path or sequence of them
        Files and folders.
    **options
        Fields of :class:`ReadOptions`.

    Raises
    ------
    InputError
        As :func:`collect`.
    """
    several = [paths] if isinstance(paths, str | Path) else paths
    return list(collect(several, ReadOptions(**{"strict": True, **options})).runs)


def collect(paths: Sequence[str | Path], options: ReadOptions | None = None) -> Reading:
    """Read files and folders into runs that can be compared: one metric, one unit of compute.

    Parameters
    ----------
    paths : sequence of str or Path
        Files and folders; a folder is walked.
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
    """
    options = options or ReadOptions()
    found, errors, beside = _found(paths, options)
    runs: list[Run] = []
    with np.errstate(over="ignore", invalid="ignore"):  # absurd numbers overflow to infinity, which no curve takes
        if found:
            runs, left_out = assemble(found, options)
            errors.extend(left_out)
    _raise_first(errors, options)
    errors.extend(beside)  # no log: nothing that strictness stops at
    if not runs:
        raise _nothing_left(errors, paths)
    return Reading(tuple(runs), tuple(errors))


@dataclass(frozen=True, eq=False)
class Survey:
    """What logs hold, before a metric and a compute axis are chosen.

    Parameters
    ----------
    logs : tuple of Named
        In order of the paths, then of the files.
    errors : tuple of SourceError
        The files that were left out.
    """

    logs: tuple[Named, ...]
    errors: tuple[SourceError, ...]


def survey(paths: Sequence[str | Path], options: ReadOptions | None = None) -> Survey:
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
    found, errors, beside = _found(paths, options or ReadOptions())
    errors.extend(beside)
    if not found:
        raise _nothing_left(errors, paths)
    return Survey(tuple(found), tuple(errors))


def _found(
    paths: Sequence[str | Path], options: ReadOptions
) -> tuple[list[Named], list[SourceError], list[SourceError]]:
    """Return the named logs, the files that could not be read, and what stands beside the logs."""
    files, errors, beside = listed(paths, options)
    _raise_first(errors, options)
    return named_logs(files, errors, options), errors, beside


def listed(
    paths: Sequence[str | Path], options: ReadOptions, through: Through = directly
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
    return discover([bundled() if _means_bundled(path) else path for path in paths], through)


def named_logs(
    files: Sequence[Found],
    errors: list[SourceError],
    options: ReadOptions,
    read: Callable[[Found], list[Log] | list[Record]] | None = None,
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

    Raises
    ------
    SourceError
        ``options.strict`` and a file cannot be read.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        return _named(_logs(files, errors, options, read or partial(read_found, options=options)), options)


def _logs(
    files: Sequence[Found],
    errors: list[SourceError],
    options: ReadOptions,
    read: Callable[[Found], list[Log] | list[Record]],
) -> list[tuple[Found, Place, Log]]:
    """Read every file; what cannot be read goes to ``errors``."""
    root = common_root(list(dict.fromkeys(found.given for found in files if not found.uri)))
    at: dict[str, int] = {}  # a joined record keeps the path of its first session
    logs: list[tuple[int, Log]] = []
    records: list[Record] = []

    def refused(error: SourceError) -> None:
        errors.append(error.with_traceback(None))  # its frames hold files open, and this list
        _raise_first(errors, options)

    for number, found in enumerate(files):
        try:
            held = read(found)
            if not held and found.asked:  # in a folder: hyperparameters that stand beside the run's own event file
                raise SourceError(str(found.path), "holds no metric; nothing was logged yet")
            for one in held:
                if isinstance(one, Log):
                    logs.append((number, one))
                else:
                    records.append(one)
                    at.setdefault(one.path, number)
        except SourceError as error:
            refused(error)
    for record in sessions_joined(records):
        try:
            logs.extend((at[record.path], log) for log in logs_of(record))
        except SourceError as error:
            refused(error)
    logs.sort(key=lambda item: item[0])
    places = {number: named(files[number].path, root) for number in {number for number, _ in logs}}
    placed = [(files[number], places[number], log) for number, log in logs]
    return once(placed)


def _raise_first(errors: Sequence[SourceError], options: ReadOptions) -> None:
    if options.strict and errors:
        raise errors[0]


def _nothing_left(errors: Sequence[SourceError], paths: Sequence[str | Path]) -> SourceError:
    if not errors:
        return SourceError(str(paths[0]), "no run is left; give another file")
    first = errors[0]
    if len(errors) == 1:
        return first
    return type(first)(first.path, f"{first.message} ({len(errors) - 1} more could not be read either)")


def _named(logs: Sequence[tuple[Found, Place, Log]], options: ReadOptions) -> list[Named]:
    """Give every log its name, recipe and seed."""
    pattern = pattern_of(options.recipe) if options.recipe is not None else None
    by_path = [not log.name or _is_part(log.name) for _, _, log in logs]
    plain = [place.name if own else clean(log.name) for (_, place, log), own in zip(logs, by_path, strict=True)]
    names = [name + (log.name if own else "") for name, (_, _, log), own in zip(plain, logs, by_path, strict=True)]
    final = unique(names, [place for _, place, _ in logs], by_path)
    result = []
    for (found, place, log), name, own, (shown, said) in zip(logs, plain, by_path, final, strict=True):
        bare = name if own or log.states_compute else re.sub(r"#\d+$", "", name)
        recipe = clean(recipe_of(bare, place.around, pattern, log.recipe, own))
        seed = log.seed if log.seed is not None else seed_of(bare)
        result.append(Named(log, shown, recipe, seed, (*found.repairs, *([said] if said else [])), found.asked))
    return result


def _is_part(name: str) -> bool:
    """Whether a log is one of several appended into a file (``#2``), named after the file."""
    return re.fullmatch(r"#\d+", name) is not None
