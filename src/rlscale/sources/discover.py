"""Paths to files: folders are walked, checkpoints of one run are folded, trackers and missing paths are explained."""

from __future__ import annotations

import difflib
import math
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rlscale.curves.validation_keys import names_a_validation
from rlscale.errors import FormatError, SourceError
from rlscale.sources import formats
from rlscale.sources.format import Checkpoint, Format
from rlscale.sources.settings_file import SETTINGS_FILE
from rlscale.sources.tables.frames import Frame
from rlscale.sources.text import HEAD_BYTES, head_objects, plural, were

__all__ = ["KNOWN_FORMATS", "Found", "Through", "by_name", "directly", "discover", "may_be_log", "without_reader"]

KNOWN_FORMATS = (
    "trainer_state.json of TRL, console logs and metrics.jsonl of the other trainers, TensorBoard, W&B, MLflow and "
    "Trackio, and tables in CSV, Parquet and JSON lines (rlscale sources lists them)"
)

#: An address; what stands before a lone colon must be known.
_URI = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://|([a-z]+):")
_WORDS = ("sqlite",)


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
    if uri is not None and (uri[1] or uri[2] in _WORDS or formats.of_scheme(uri[2]) is not None):
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
    known = formats.of_scheme(scheme)
    if known is not None and known.address is not None and ("://" in text or known.address.bare):
        return Found(Path(text), asked=True, given=Path(text), uri=text)
    written = ", ".join(one.address.written for one in formats.FORMATS if one.address is not None)
    how = f"write {written}, s3://BUCKET/FOLDER, or the path of a file"
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
        names = sorted(name for name in names if (here / name).is_file())  # no pipe, no device
        claim = formats.claimed(here, names)
        if claim.folder or claim.only:
            folders.clear()
        if claim.folder:
            logs.append(here)
            continue
        together = [name for name in names if name in claim.together and not _leads_out(here / name, inside)]
        for name in sorted(claim.only) or names:
            path = here / name
            if name.startswith(".") or name in claim.beside or name == SETTINGS_FILE:
                continue
            if _leads_out(path, inside):
                others.setdefault(_LINK, []).append(path)
            elif name in claim.together:
                if name == together[0]:
                    logs.append(path if len(together) == 1 else here)
            elif may_be_log(path, through):
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
        raise SourceError(str(root), f"no log in this folder; rlscale reads {KNOWN_FORMATS}")


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


def may_be_log(path: Path, through: Through) -> bool:
    """Whether a file in a folder may be a log, by its name or by what a look into it says."""
    return formats.is_named(path) or any(through(look, path) for look in formats.looks_at(path.name))


def _fold_checkpoints(logs: Sequence[Path], root: Path, through: Through) -> list[Found]:
    """Keep one file of those that repeat the history of a run: the one at the top, else the highest checkpoint."""
    runs: dict[tuple[Format, Path], list[tuple[float, Path]]] = {}
    places: dict[Path, Checkpoint] = {}
    for path in logs:
        known = formats.checkpoint_of(path)
        if known is not None:
            places[path] = known[1]
            runs.setdefault((known[0], known[1].home), []).append((known[1].step, path))
    for (one, _), group in runs.items():
        if len(group) > 1 and max(group)[0] == math.inf and one.reaches is not None:
            # a finished run that was resumed has checkpoints beyond the file at its top
            group[:] = [(through(one.reaches, path) if step == math.inf else step, path) for step, path in group]
    best = {max(group)[1]: len(group) - 1 for group in runs.values()}
    return [
        Found(path, asked=False, given=root, repairs=_skipped(places.get(path), best.get(path, 0)))
        for path in logs
        if path not in places or path in best
    ]


def _skipped(place: Checkpoint | None, others: int) -> tuple[str, ...]:
    if place is None or not others:
        return ()
    return (f"{were(others, 'checkpoint')} not read: {place.shown} holds the history of the run",)


def holds_steps(path: Path) -> bool:
    """Whether a file that no reader knows may be the log of a run all the same; configurations and the like are not."""
    if path.suffix.lower() == ".json":
        return formats.is_named(path)
    return not path.is_file() or any(look(path) for look in formats.looks_at(".txt")) or _holds_rewards(path)


def _holds_rewards(path: Path) -> bool:
    """Whether the first rows of JSON lines hold a reward: a log whose steps are missing."""
    try:
        with path.open("rb") as file:
            rows = head_objects(file.read(HEAD_BYTES))
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
