"""Names of runs: from their files, and unique among the runs read together."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from rlscale.sources import formats
from rlscale.sources.format import Format
from rlscale.sources.printable import clean

__all__ = ["Place", "Roots", "common_root", "home_of", "named", "unique"]

#: File names that say what a file is, not which run, and those of them that may follow a run's name; folders of
#: trackers in general.
_FILES = "metrics|progress|logs?|console|stdout|train|training|output|out|history|curves?|results?"
_ENDS = "metrics|progress|console|stdout"
_FOLDERS = "tracking|swanlab|events"
_CHECKPOINT = re.compile(r"checkpoint-\d+")


@dataclass(frozen=True)
class Place:
    """Where a file stands: its identity below the root, and the folder around that.

    Parameters
    ----------
    name : str
        The run's name if the file is one run.
    file : str
        The file's path below the root, unique.
    around : str
        Name of the folder around whatever gave the name.
    """

    name: str
    file: str
    around: str


@dataclass(frozen=True)
class _Words:
    """Patterns of names that say what a file or folder is, not which run: general ones and those of all formats."""

    file: re.Pattern[str]
    end: re.Pattern[str]
    folder: re.Pattern[str]


@lru_cache(maxsize=4)
def _words(known: tuple[Format, ...]) -> _Words:
    files = [one.file_words for one in known if one.file_words]
    folders = [one.folder_words for one in known if one.folder_words]
    return _Words(
        re.compile("|".join([_FILES, *files]), re.IGNORECASE),
        re.compile(rf"\.({'|'.join([_ENDS, *files])})$", re.IGNORECASE),
        re.compile("|".join([_FOLDERS, *folders])),
    )


def common_root(paths: Sequence[Path]) -> Path:
    """Return the folder that names are relative to: the one folder given, else the one common to all paths."""
    folders = [path if path.is_dir() else path.parent for path in (one.resolve() for one in paths)]
    try:
        return Path(os.path.commonpath(folders))
    except ValueError:  # no paths, or several drives
        return Path.cwd()


class Roots:
    """The folders that names are relative to: one for all files, except that what came from stores has its own.

    Parameters
    ----------
    paths : sequence of Path
        What was named, as files.
    image : Path, optional
        The image of stores. Beside other files names of what is in it begin with the scheme and the bucket, so that
        they do not depend on where it lies; alone they are those of a folder.
    """

    def __init__(self, paths: Sequence[Path], image: Path | None = None) -> None:
        within = [path for path in paths if image is not None and path.is_relative_to(image)]
        others = [path for path in paths if path not in within]
        self._image = image if within else None
        self._within = image if image is not None and others else common_root(within)
        self._others = common_root(others)

    def of(self, path: Path) -> Path:
        """Return the folder that the name of a file is relative to."""
        return self._within if self._image is not None and path.is_relative_to(self._image) else self._others


def named(path: Path, root: Path) -> Place:
    """Return the place of a file: its path below ``root`` without endings and names every run's files have.

    ``root/base/seed0/checkpoint-500/trainer_state.json`` is ``base/seed0``, ``root/base/a.metrics.jsonl`` is
    ``base/a``.
    """
    full = Path(os.path.abspath(path))
    if not full.is_relative_to(root):
        full = full.resolve()
    identity = _identity(full, root)
    below = identity.is_relative_to(root) and identity != root
    name = identity.relative_to(root).as_posix() if below else identity.name
    file = full.relative_to(root).as_posix() if full.is_relative_to(root) else full.as_posix()
    return Place(clean(name or "run"), clean(file), clean(identity.parent.name))


def _identity(full: Path, root: Path) -> Path:
    """Return the path that names a run: the file without endings, or the folder of a file whose name says nothing."""
    words = _words(formats.FORMATS)
    stem = formats.stem_of(full.name)
    known = stem is not None
    stem = full.stem if stem is None else stem
    while words.end.search(stem):
        stem = words.end.sub("", stem)
    home = full.parent
    if full.is_dir():
        return _climbed(full, root)
    if known and not stem:
        return _climbed(home, root)
    place = formats.checkpoint_of(full)
    run_folder = place[1].home if place is not None else home.parent if _CHECKPOINT.fullmatch(home.name) else home
    return run_folder if words.file.fullmatch(stem) else home / stem


def _climbed(folder: Path, root: Path) -> Path:
    """Return the folder, or the first above it (below ``root``) whose name is not a tracker's."""
    here, tracker = folder, _words(formats.FORMATS).folder
    while tracker.fullmatch(here.name) and here != root and here.parent != root:
        here = here.parent
    return folder if tracker.fullmatch(here.name) else here


def home_of(path: Path) -> Path:
    """Return the folder of the run that a log belongs to: above checkpoints and the folders of trackers."""
    here, tracker = Path(os.path.abspath(path)).parent, _words(formats.FORMATS).folder
    while any(_CHECKPOINT.fullmatch(one.name) for one in (here, here.parent)) or tracker.fullmatch(here.name):
        here = here.parent
    return here


def unique(names: Sequence[str], places: Sequence[Place], by_path: Sequence[bool]) -> list[tuple[str, str | None]]:
    """Return (name, sentence) of each run; a name that several files hold gets the file's path before it.

    Parameters
    ----------
    names : sequence of str
        The name of each run.
    places : sequence of Place
        The file of each.
    by_path : sequence of bool
        Whether the name is the file's own (then the file's full path takes its place).
    """
    counts = Counter(names)
    longer = []
    for name, place, own in zip(names, places, by_path, strict=True):
        part = name[len(place.name) :] if own else ""
        stem = place.file.rpartition(".")[0] or place.file
        longer.append(name if counts[name] == 1 else place.file + part if own else f"{stem}/{name}")
    again = Counter(longer)
    result: list[tuple[str, str | None]] = []
    for name, new, place, own in zip(names, longer, places, by_path, strict=True):
        final = f"{place.file}/{name}" if again[new] > 1 and not own else new
        said = f"{counts[name]} files hold a run {name!r}; this one is named after its file" if final != name else None
        result.append((final, said))
    return result
