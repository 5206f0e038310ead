"""Paths to files: folders are walked, checkpoints of one run are folded, trackers and missing paths are explained."""

from __future__ import annotations

import difflib
import math
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rlscale.curves.validation_keys import names_a_validation
from rlscale.errors import FormatError, SourceError
from rlscale.sources.files.jsonl import is_document
from rlscale.sources.settings_file import SETTINGS_FILE
from rlscale.sources.tables.frames import Frame
from rlscale.sources.tables.roles import is_csv
from rlscale.sources.text import head_objects, plural, were
from rlscale.sources.trackers.mlflow_files import is_store

#: What is said of a folder that holds no log yet.
NO_LOG = "no log in this folder"
__all__ = ["KNOWN_FORMATS", "NO_LOG", "Found", "Through", "by_name", "directly", "discover", "without_reader"]

KNOWN_FORMATS = (
    "trainer_state.json of TRL, console logs and metrics.jsonl of the other trainers, TensorBoard, W&B, MLflow and "
    "Trackio, and tables in CSV, Parquet and JSON lines (rlscale sources lists them)"
)

_LOG_SUFFIXES = frozenset({".csv", ".tsv", ".parquet", ".jsonl", ".ndjson", ".log", ".out"})
_DATABASES = frozenset({".db", ".sqlite", ".sqlite3"})
_DEBUG = frozenset({"debug.log", "debug-internal.log", "debug-core.log"})  # W&B's own
_TRACKERS = ("wandb", "mlflow", "mlflow+https")
_CHECKPOINT = re.compile(r"checkpoint-(\d+)")
_URI = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://|(ledger|wandb|mlflow|sqlite):")
_BLOCK = 1 << 18
_DOCUMENT_HEAD = 1 << 10
_TRACKIO_PARTS = ("system", "configs", "traces", "alerts", "artifacts", "artifact_versions", "artifact_aliases")
#: A line that a trainer prints at every step, or one with its metrics.
_STEP = re.compile(
    rb"(?<![\w/])step:\d+ - |Global step \d+: \{|(?:perf|eval|rollout|step) \d+: \{'|metrics_tag: \{|Step \d+: *\n\{"
)
#: Rows in a ``.json`` file, and where their step stands.
_ARRAY = re.compile(rb"\s*\[\s*\{")
_STEP_KEY = re.compile(rb'"(?:[\w/]*step|current_steps|[\w/]*iteration|timesteps_total|[\w/]*timesteps)"\s*:\s*[0-9]')
_STATE = "trainer_state.json"
_GLOBAL_STEP = re.compile(rb'"global_step":\s*(\d{1,15})\b')


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
    uri : str
        The address of a tracker, in place of a path; else empty.
    frame : Frame, optional
        A table in memory, in place of a path.
    """

    path: Path
    asked: bool
    given: Path
    repairs: tuple[str, ...] = ()
    uri: str = ""
    frame: Frame | None = None


#: Calls a look into a file, or remembers what it said.
Through = Callable[[Callable[[Path], float], Path], float]


def directly(look: Callable[[Path], float], path: Path) -> float:
    """Return what a look into a file says."""
    return look(path)


def discover(
    paths: Sequence[str | Path | Frame], through: Through = directly
) -> tuple[list[Found], list[SourceError], list[SourceError]]:
    """Return the files below ``paths``, sorted below each, every file once; what cannot be looked into; what is left.

    The last are files in folders that stand beside logs and may hold runs: an error for each kind of tracker file, and
    one for pickles. Files whose name does not tell what they are are looked into ``through``.
    """
    found: dict[Path, Found] = {}
    errors: list[SourceError] = []
    beside: list[SourceError] = []
    for given in paths:
        try:
            for item in _below(given, errors, beside, through):
                found.setdefault(Path(item.uri) if item.uri else item.path.resolve(), item)
        except SourceError as error:
            errors.append(error)
        except (OSError, ValueError) as error:  # a name the system refuses: too long, a NUL, a loop of links
            errors.append(SourceError(str(given), f"cannot be looked up ({error}); check the path"))
    return list(found.values()), errors, beside


def _below(
    given: str | Path | Frame, errors: list[SourceError], beside: list[SourceError], through: Through
) -> Iterator[Found]:
    if isinstance(given, Frame):
        yield Found(Path(given), asked=True, given=Path(given), frame=given)
        return
    text = str(given)
    if not text.strip():
        raise SourceError(repr(text), "the path is empty; give a log or a folder of logs")
    uri = _URI.match(text)
    if uri is not None:
        yield _address(text, uri[1] or uri[2])
        return
    path = Path(given)
    if path.is_dir():
        yield from _walk(path, errors, beside, through)
    elif path.is_file():
        yield Found(path, asked=True, given=path)
    elif path.exists():
        raise SourceError(text, "is neither a file nor a folder; give a log or a folder of logs")
    else:
        raise SourceError(text, f"no such file or folder{_closest(path)}")


def _address(text: str, scheme: str) -> Found:
    """Return the place of a tracker's address.

    Raises
    ------
    SourceError
        No tracker that can be read.
    """
    if "://" in text and scheme.lower() in _TRACKERS:
        return Found(Path(text), asked=True, given=Path(text), uri=text)
    if scheme.lower() == "ledger":
        return Found(Path(text), asked=True, given=Path(text), uri=text)
    how = "write wandb://ENTITY/PROJECT, mlflow://HOST:PORT/EXPERIMENT, ledger:FILE, or the path of a file"
    raise SourceError(text, f"no tracker that rlscale reads is called {scheme!r}; {how}")


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


def _walk(root: Path, errors: list[SourceError], beside: list[SourceError], through: Through) -> Iterator[Found]:
    def refused(error: OSError) -> None:
        errors.append(SourceError(str(error.filename), f"cannot be listed ({error.strerror}); check its rights"))

    logs: list[Path] = []
    others: dict[str, list[Path]] = {}
    inside = root.resolve()
    for folder, folders, names in os.walk(root, onerror=refused):
        here = Path(folder)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        others.setdefault(_LINK, []).extend(here / name for name in folders if _leads_out(here / name, inside))
        if _is_mlflow(here, names):
            logs.append(here)
            folders.clear()
            continue
        names = [name for name in names if (here / name).is_file()]  # no pipe, no device
        offline = [name for name in names if name.endswith(".wandb")]
        if offline:  # what else stands there repeats the run: its console, its summary, W&B's own debug logs
            folders.clear()
        events = [name for name in names if "tfevents" in name and not _leads_out(here / name, inside)]
        exports = _trackio_exports(names)
        for name in sorted(offline or names):
            path = here / name
            if name.startswith(".") or name in _DEBUG or name in exports or name == SETTINGS_FILE:
                continue
            if _leads_out(path, inside):
                others.setdefault(_LINK, []).append(path)
            elif "tfevents" in name:
                if name == min(events):  # the files of one folder are the sessions of one run
                    logs.append(path if len(events) == 1 else here)
            elif _may_be_log(path, through):
                logs.append(path)
            elif (kind := by_name(path)) is not None:
                others.setdefault(kind, []).append(path)
    passed = [_passed(kind, group) for kind, group in others.items() if group]
    if logs:
        beside.extend(passed)
        yield from _fold_checkpoints(sorted(logs, key=Path.is_symlink), root, through)  # a file goes before links to it
    elif passed:
        errors.extend(passed)
    elif not errors or Path(errors[-1].path) != root:
        raise SourceError(str(root), f"{NO_LOG}; rlscale reads {KNOWN_FORMATS}")


_LINK = "links"


def _leads_out(path: Path, root: Path) -> bool:
    """Whether a path is a link to something outside ``root`` (resolved)."""
    return path.is_symlink() and not path.resolve().is_relative_to(root)


def _passed(kind: str, group: Sequence[Path]) -> SourceError:
    if kind != _LINK:
        return without_reader(group[0], len(group) - 1)
    more = f"; {plural(len(group) - 1, 'more link')} like it" if len(group) > 1 else ""
    return SourceError(
        str(group[0]), f"is a link that leads out of the folder and is not followed{more}; give its target"
    )


def _is_mlflow(folder: Path, names: Sequence[str]) -> bool:
    """Whether a folder is MLflow's: the root ``mlruns``, an experiment, or a run."""
    marked = "meta.yaml" in names or folder.name == "mlruns"
    return marked and is_store(folder)


def _trackio_exports(names: Sequence[str]) -> set[str]:
    """Return the Parquet files that Trackio exports beside ``p.db``, or beside ``p.parquet`` itself."""
    parts = [name.rpartition(".") for name in names]
    projects = {stem for stem, _, ending in parts if ending == "db"}
    tables = {stem for stem, _, ending in parts if ending == "parquet"}
    beside = {f"{stem}_{part}" for stem in projects | tables for part in _TRACKIO_PARTS}
    return {f"{stem}.parquet" for stem in tables if stem in projects or stem in beside}


def _may_be_log(path: Path, through: Through) -> bool:
    suffix = path.suffix.lower()
    named = suffix in _LOG_SUFFIXES or suffix == ".wandb" or suffix in _DATABASES or path.name.endswith(_STATE)
    if suffix == ".json":
        return named or bool(through(_is_json_log, path))
    return named or (suffix in {".txt", ".err"} and bool(through(_is_log_text, path)))


def _fold_checkpoints(logs: Sequence[Path], root: Path, through: Through) -> list[Found]:
    """Keep one ``trainer_state.json`` a run: the one at the top, else that of the highest checkpoint.

    Every checkpoint's state repeats the whole history so far.
    """
    states: dict[Path, list[tuple[float, Path]]] = {}
    for path in logs:
        if path.name == _STATE:
            match = _CHECKPOINT.fullmatch(path.parent.name)
            home = path.parent.parent if match else path.parent
            states.setdefault(home, []).append((float(match[1]) if match else math.inf, path))
    for group in states.values():
        if len(group) > 1 and max(group)[0] == math.inf:
            # a finished run that was resumed has checkpoints beyond the state at its top
            group[:] = [(through(_steps_of, path) if step == math.inf else step, path) for step, path in group]
    best = {max(group)[1]: len(group) - 1 for group in states.values()}
    kept = [Found(path, asked=False, given=root) for path in logs if path.name != _STATE or path in best]
    return [replace(item, repairs=_skipped(item.path, best.get(item.path, 0))) for item in kept]


def _steps_of(state: Path) -> float:
    """Return the steps a ``trainer_state.json`` covers, and a half: it goes before a checkpoint of that step."""
    try:
        with state.open("rb") as file:
            found = _GLOBAL_STEP.search(file.read(_BLOCK))
    except OSError:
        return math.inf
    return float(found[1]) + 0.5 if found else math.inf


def _skipped(path: Path, others: int) -> tuple[str, ...]:
    if not others:
        return ()
    which = f"{path.parent.name}/{path.name}" if _CHECKPOINT.fullmatch(path.parent.name) else path.name
    return (f"{were(others, 'checkpoint')} not read: {which} holds the history of the run",)


def _is_log_text(path: Path) -> bool:
    """Whether a text file, whose ending says nothing, holds a trainer's step or starts with a table's header."""
    try:
        with path.open("rb") as file:
            rest = b""
            while block := file.read(_BLOCK):
                if (not rest and is_csv(block)) or _STEP.search(rest + block):
                    return True
                rest = (rest + block)[-64:]
    except OSError:
        return True  # reading it says why it cannot be read
    return False


def _is_json_log(path: Path) -> bool:
    """Whether a ``.json`` file holds rows: an array, a document of them, or lines; most such files are settings."""
    try:
        with path.open("rb") as file:
            head = file.read(_BLOCK)
    except OSError:
        return True
    if is_document(head[:_DOCUMENT_HEAD]):
        return True
    if _ARRAY.match(head) is not None:
        return _STEP_KEY.search(head) is not None
    first, _, rest = head.lstrip().partition(b"\n")
    return first.startswith(b"{") and rest.startswith(b"{") and _STEP_KEY.search(first) is not None


def holds_steps(path: Path) -> bool:
    """Whether a file that no reader knows may be the log of a run all the same; configurations and the like are not."""
    if path.suffix.lower() == ".json":
        return path.name.endswith(_STATE)
    return not path.is_file() or _is_log_text(path) or _holds_rewards(path)


def _holds_rewards(path: Path) -> bool:
    """Whether the first rows of JSON lines hold a reward: a log whose steps are missing."""
    try:
        with path.open("rb") as file:
            rows = head_objects(file.read(_BLOCK))
    except OSError:
        return False
    return any(names_a_validation(key) or "reward" in key.lower() for row in rows[:20] for key in row)


def by_name(path: Path) -> str | None:
    """Return what a file that is never read is, by its name; None where its content decides."""
    return "pickles" if path.suffix.lower() in {".pkl", ".pickle"} else None


def without_reader(path: Path, more: int = 0) -> FormatError:
    """Return the error of a file no reader knows: what it is where that is plain, and what to give instead.

    ``more`` files of its kind stand in the same folder.
    """
    also = f"; {plural(more, 'more file')} of this kind in the folder" if more else ""
    if path.suffix.lower() in {".pkl", ".pickle", ".pt", ".pth", ".bin"}:
        return FormatError(str(path), f"pickles are never loaded; rlscale reads {KNOWN_FORMATS}{also}")
    return FormatError(str(path), f"no reader knows this file; rlscale reads {KNOWN_FORMATS}")
