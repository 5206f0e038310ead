"""Paths to files: folders are walked, checkpoints of one run are folded, trackers and missing paths are explained."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rlscale.errors import FormatError, SourceError
from rlscale.sources.roles import is_csv
from rlscale.sources.text import plural, were

__all__ = ["KNOWN_FORMATS", "Found", "by_name", "discover", "without_reader"]

KNOWN_FORMATS = (
    "CSV, Parquet and JSON-lines tables, TRL's trainer_state.json, verl's console log and file logger, metrics.jsonl"
)

_LOG_SUFFIXES = frozenset({".csv", ".tsv", ".parquet", ".jsonl", ".ndjson", ".log", ".out"})
_CHECKPOINT = re.compile(r"checkpoint-(\d+)")
_URI = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://|(ledger|wandb|mlflow|sqlite):")
_BLOCK = 1 << 18
_VERL_STEP = re.compile(rb"(?<![\w/])step:\d+ - ")
_STATE = "trainer_state.json"


@dataclass(frozen=True)
class Found:
    """A file to read.

    Parameters
    ----------
    path : Path
        The file, as the user named it (below the folder the user named).
    asked : bool
        Whether the user named the file itself, not a folder above it.
    given : Path
        The path of the user that led to it.
    repairs : tuple of str
        What was left out beside it.
    """

    path: Path
    asked: bool
    given: Path
    repairs: tuple[str, ...] = ()


def discover(paths: Sequence[str | Path]) -> tuple[list[Found], list[SourceError], list[SourceError]]:
    """Return the files below ``paths``, sorted below each, every file once; what cannot be looked into; what is left.

    The last are files in folders that stand beside logs and may hold runs: an error for each kind of tracker file, and
    one for pickles.
    """
    found: dict[Path, Found] = {}
    errors: list[SourceError] = []
    beside: list[SourceError] = []
    for given in paths:
        try:
            for item in _below(given, errors, beside):
                found.setdefault(item.path.resolve(), item)
        except SourceError as error:
            errors.append(error)
        except (OSError, ValueError) as error:  # a name the system refuses: too long, a NUL, a loop of links
            errors.append(SourceError(str(given), f"cannot be looked up ({error}); check the path"))
    return list(found.values()), errors, beside


def _below(given: str | Path, errors: list[SourceError], beside: list[SourceError]) -> Iterator[Found]:
    text = str(given)
    if not text.strip():
        raise SourceError(repr(text), "the path is empty; give a log or a folder of logs")
    uri = _URI.match(text)
    if uri is not None:
        tracker = uri[1] or uri[2]
        message = f"trackers are not supported yet ({tracker}); export the runs to CSV or give the trainer's own log"
        raise SourceError(text, message)
    path = Path(given)
    if path.is_dir():
        yield from _walk(path, errors, beside)
    elif path.is_file():
        yield Found(path, asked=True, given=path)
    elif path.exists():
        raise SourceError(text, "is neither a file nor a folder; give a log or a folder of logs")
    else:
        raise SourceError(text, f"no such file or folder{_closest(path)}")


def _closest(path: Path) -> str:
    """Return advice that names the entry closest to a missing path."""
    folder = path.parent
    if not folder.is_dir():
        return f"; the folder {str(folder)!r} is not there either"
    try:
        names = sorted(entry.name for entry in folder.iterdir())
    except OSError:
        return "; check the path"
    near = difflib.get_close_matches(path.name, names, n=1)
    return f"; did you mean {str(folder / near[0])!r}?" if near else "; check the path"


def _walk(root: Path, errors: list[SourceError], beside: list[SourceError]) -> Iterator[Found]:
    def refused(error: OSError) -> None:
        errors.append(SourceError(str(error.filename), f"cannot be listed ({error.strerror}); check its rights"))

    logs: list[Path] = []
    others: dict[str, list[Path]] = {}
    for folder, folders, names in os.walk(root, onerror=refused):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(folder, name)
            if name.startswith(".") or not path.is_file():
                continue
            if path.suffix.lower() in _LOG_SUFFIXES or name.endswith(_STATE) or _is_log_text(path):
                logs.append(path)
            elif (kind := by_name(path)) is not None:
                others.setdefault(kind, []).append(path)
    passed = [without_reader(group[0], len(group) - 1) for group in others.values()]
    if logs:
        beside.extend(passed)
        yield from _fold_checkpoints(logs, root)
    elif passed:
        errors.extend(passed)
    elif not errors or Path(errors[-1].path) != root:
        raise SourceError(str(root), f"no log in this folder; rlscale reads {KNOWN_FORMATS}")


def _fold_checkpoints(logs: Sequence[Path], root: Path) -> list[Found]:
    """Keep one ``trainer_state.json`` a run: the one at the top, else that of the highest checkpoint.

    Every checkpoint's state repeats the whole history so far.
    """
    states: dict[Path, list[tuple[float, Path]]] = {}
    for path in logs:
        if path.name == _STATE:
            match = _CHECKPOINT.fullmatch(path.parent.name)
            home = path.parent.parent if match else path.parent
            states.setdefault(home, []).append((float(match[1]) if match else float("inf"), path))
    best = {max(group)[1]: len(group) - 1 for group in states.values()}
    kept = [Found(path, asked=False, given=root) for path in logs if path.name != _STATE or path in best]
    return [replace(item, repairs=_skipped(item.path, best.get(item.path, 0))) for item in kept]


def _skipped(path: Path, others: int) -> tuple[str, ...]:
    if not others:
        return ()
    which = f"{path.parent.name}/{path.name}" if _CHECKPOINT.fullmatch(path.parent.name) else path.name
    return (f"{were(others, 'checkpoint')} not read: {which} holds the history of the run",)


def _is_log_text(path: Path) -> bool:
    """Whether a text file, whose ending says nothing, holds a verl step or starts with a table's header."""
    if path.suffix.lower() not in {".txt", ".err"}:
        return False
    try:
        with path.open("rb") as file:
            rest = b""
            while block := file.read(_BLOCK):
                if (not rest and is_csv(block)) or _VERL_STEP.search(rest + block):
                    return True
                rest = (rest + block)[-64:]
    except OSError:
        return True  # reading it says why it cannot be read
    return False


def by_name(path: Path) -> str | None:
    """Return what a file that is never read is, by its name; None where its content decides."""
    if path.suffix.lower() in {".pkl", ".pickle"}:
        return "pickles"
    return None if path.suffix.lower() in _LOG_SUFFIXES else _tracker_of(path)


def _tracker_of(path: Path) -> str | None:
    name = path.name.lower()
    if name.endswith(".wandb"):
        return "a W&B offline file"
    if "tfevents" in name:
        return "a TensorBoard event file"
    if path.suffix.lower() in {".db", ".sqlite", ".sqlite3"}:
        return "a tracker's database"
    return None


def without_reader(path: Path, more: int = 0) -> FormatError:
    """Return the error of a file no reader knows: what it is where that is plain, and what to give instead.

    ``more`` files of its kind stand in the same folder.
    """
    also = f"; {plural(more, 'more file')} of this kind in the folder" if more else ""
    kind = _tracker_of(path)
    if kind is not None:
        return FormatError(
            str(path),
            f"{kind}, which rlscale cannot read yet; export its runs to CSV or give the trainer's own log "
            f"(rlscale reads {KNOWN_FORMATS}){also}",
        )
    if path.suffix.lower() in {".pkl", ".pickle", ".pt", ".pth", ".bin"}:
        return FormatError(str(path), f"pickles are never loaded; rlscale reads {KNOWN_FORMATS}{also}")
    return FormatError(str(path), f"no reader knows this file; rlscale reads {KNOWN_FORMATS}")
