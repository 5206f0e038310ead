"""MLflow's folder of text files, ``mlruns/<experiment>/<run>/metrics/<key>``: a line ``time value step`` a point."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from pathlib import Path

from rlscale.errors import FormatError, SourceError
from rlscale.sources.limits import MLFLOW_DEPTH, MLFLOW_TEXT_CAP
from rlscale.sources.record import Record
from rlscale.sources.text import lines, plural
from rlscale.sources.trackers.mlflow_run import Run, records, value_of

__all__ = ["is_store", "read_records"]

_META = "meta.yaml"
_NAME_TAG = "mlflow.runName"


def is_store(folder: Path) -> bool:
    """Whether a folder is a run, an experiment or the root of MLflow's text files."""
    try:
        return next(_run_folders(folder), None) is not None
    except OSError:
        return False


def read_records(folder: Path) -> list[Record]:
    """Return the runs below a run's folder, an experiment's, or the root; links in it are not followed.

    Raises
    ------
    FormatError
        The folder is none of these.
    SourceError
        It cannot be read, or holds no run with metrics.
    """
    runs, deleted, found = [], 0, False
    experiments: dict[Path, str] = {}
    try:
        for home in _run_folders(folder):
            found = True
            run = _run(home, experiments)
            if run is None:
                deleted += 1
            else:
                runs.append(run)
    except OSError as error:
        raise SourceError(
            str(error.filename or folder), f"cannot be read ({error.strerror}); check its rights"
        ) from error
    if not found:
        raise FormatError(str(folder), "is not a folder of MLflow; give mlruns, an experiment in it, or a run")
    return records(runs, str(folder), deleted)


def _run_folders(folder: Path) -> Iterator[Path]:
    """Yield the folders of runs: the folder itself, or those one or two levels below it."""
    if _is_run(folder):
        yield folder
        return
    for below in _folders(folder):
        if _is_run(below):
            yield below
        elif (below / _META).is_file():
            yield from (run for run in _folders(below) if _is_run(run))


def _folders(folder: Path) -> list[Path]:
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False) and entry.name[0] != "."]
    return [folder / name for name in sorted(names)]


def _is_run(folder: Path) -> bool:
    return (folder / "metrics").is_dir() and (folder / _META).is_file() and not (folder / "metrics").is_symlink()


def _run(home: Path, experiments: dict[Path, str]) -> Run | None:
    """Return the run of a folder, None if it is deleted."""
    meta = _meta(home / _META)
    if meta.get("lifecycle_stage", "active") != "active":
        return None
    parent = home.parent
    if parent not in experiments:
        experiments[parent] = _meta(parent / _META).get("name") or parent.name
    run = Run(_shown(home.name), meta.get("run_name") or meta.get("name") or "", experiments[parent])
    begun = value_of(meta.get("start_time", ""))
    run.start = math.nan if begun is None else begun / 1000
    run.name = _short_text(home / "tags" / _NAME_TAG).strip() or run.name
    passed: list[str] = []
    for key, file in _files(home / "params", passed):
        run.params[key] = _short_text(file)
    for key, file in _files(home / "metrics", passed):
        if file.stat().st_size:
            try:
                _add_points(run, key, file)
            except SourceError as error:  # the other metrics are as good as before
                run.repairs.append(f"metric {key!r} was read only in part: {error.message}")
    if passed:
        what = "a link, or too deep" if len(passed) == 1 else "links, or too deep"
        run.repairs.append(f"{plural(len(passed), 'name')} in the run's folder not followed: {what} ({passed[0]!r})")
    return run


def _files(folder: Path, passed: list[str]) -> Iterator[tuple[str, Path]]:
    """Yield ``(key, file)`` in a folder; a key with slashes is a path. ``passed`` receives what is not followed."""
    if folder.is_symlink():
        passed.append(folder.name)
        return
    for base, folders, names in os.walk(folder, onerror=_refuse if folder.is_dir() else None):
        folders.sort()
        passed.extend(_shown(name) for name in folders if Path(base, name).is_symlink())
        if len(Path(base).relative_to(folder).parts) >= MLFLOW_DEPTH:
            passed.extend(map(_shown, folders))
            folders.clear()
        for name in sorted(names):
            file = Path(base, name)
            if file.is_symlink():
                passed.append(_shown(name))
            elif file.is_file():
                yield _shown(file.relative_to(folder).as_posix()), file


def _refuse(error: OSError) -> None:
    raise error


def _shown(name: str) -> str:
    """Return a name of the file system as text that can be printed, whatever its bytes are."""
    return os.fsencode(name).decode("utf-8", "replace")


def _add_points(run: Run, key: str, file: Path) -> None:
    """Add the points of a metric; a line that is shorter than the first, or has no end, is torn and is left out."""
    width = 0
    for line in lines(file):
        parts = line.split()
        width = width or len(parts)
        if not parts:
            continue
        if len(parts) != width or width not in (2, 3) or value_of(parts[0]) is None or not line.endswith("\n"):
            run.left_out += 1
            continue
        run.add(key, parts[2] if width == 3 else 0, parts[1], parts[0])  # before MLflow 1.0 there was no step


def _short_text(file: Path) -> str:
    if file.is_symlink() or file.parent.is_symlink() or not file.is_file():
        return ""
    with file.open("rb") as stream:
        return stream.read(MLFLOW_TEXT_CAP).decode("utf-8", "replace")


def _meta(file: Path) -> dict[str, str]:
    """Return the plain ``key: value`` lines of a ``meta.yaml``; an indented line goes on with the value before it."""
    found: dict[str, str] = {}
    last = ""
    for line in _short_text(file).split("\n"):
        key, colon, value = line.partition(":")
        if line.startswith(" ") and last:
            found[last] += " " + line.strip()
        elif colon:
            last = key.strip()
            found[last] = value.strip()
    return {key: _unquoted(value) for key, value in found.items()}


def _unquoted(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] == "'":
        return value[1:-1].replace("''", "'")
    if len(value) > 1 and value[0] == value[-1] == '"':
        try:
            return str(json.loads(value))
        except ValueError:  # YAML knows escapes that JSON does not
            return value[1:-1]
    return "" if value == "null" else value
