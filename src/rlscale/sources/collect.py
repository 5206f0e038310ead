"""Paths to runs: the one call everything above uses."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rlscale.curves import Run
from rlscale.errors import InputError, SourceError
from rlscale.sources.assemble import Named, assemble
from rlscale.sources.discover import Found, discover
from rlscale.sources.log import Log, ReadOptions
from rlscale.sources.naming import Place, common_root, named, pattern_of, recipe_of, seed_of, unique
from rlscale.sources.readers import read_file

__all__ = ["Reading", "bundled", "collect", "read"]


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


def bundled() -> Path:
    """Return the folder of the real runs that come with the package, ``<recipe>/seed<k>/trainer_state.json``."""
    return Path(__file__).parent / "bundled"


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
    options.check()
    if not paths:
        raise InputError("no path is given; give a log, or a folder of logs")
    files, errors, beside = discover(paths)
    _raise_first(errors, options)
    runs: list[Run] = []
    with np.errstate(over="ignore", invalid="ignore"):  # absurd numbers overflow to infinity, which no curve takes
        logs = _logs(files, errors, options)
        if logs:
            runs, left_out = assemble(_named(logs, options), options)
            errors.extend(left_out)
    _raise_first(errors, options)
    errors.extend(beside)  # no log: nothing that strictness stops at
    if not runs:
        raise _nothing_left(errors, paths)
    return Reading(tuple(runs), tuple(errors))


def _logs(files: Sequence[Found], errors: list[SourceError], options: ReadOptions) -> list[tuple[Found, Place, Log]]:
    """Read every file; what cannot be read goes to ``errors``."""
    root = common_root(list(dict.fromkeys(found.given for found in files)))
    logs: list[tuple[Found, Place, Log]] = []
    for found in files:
        try:
            place = named(found.path, root)
            logs.extend((found, place, log) for log in read_file(found.path))
        except SourceError as error:
            errors.append(error)
            _raise_first(errors, options)
    return logs


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
    plain = [place.name if own else log.name for (_, place, log), own in zip(logs, by_path, strict=True)]
    names = [name + (log.name if own else "") for name, (_, _, log), own in zip(plain, logs, by_path, strict=True)]
    final = unique(names, [place for _, place, _ in logs], by_path)
    result = []
    for (found, place, log), name, own, (shown, said) in zip(logs, plain, by_path, final, strict=True):
        recipe = recipe_of(name, place.around, pattern, log.recipe, own)
        seed = log.seed if log.seed is not None else seed_of(name)
        result.append(Named(log, shown, recipe, seed, (*found.repairs, *([said] if said else [])), found.asked))
    return result


def _is_part(name: str) -> bool:
    """Whether a log is one of several appended into a file (``#2``), named after the file."""
    return re.fullmatch(r"#\d+", name) is not None
