"""Names of runs: from their files, and unique among the runs read together."""

from __future__ import annotations

import os
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Place", "Roots", "clean", "clean_lines", "common_root", "home_of", "named", "unique"]

#: File names that say what a file is, not which run.
_GENERIC = re.compile(
    r"(trainer_state|worker_state_pipeline|metrics|progress|logs?|console|stdout|train|training|output|out|history|curves?|results?)",
    re.IGNORECASE,
)
_TAIL = re.compile(r"\.(trainer_state|metrics|progress|console|stdout)$", re.IGNORECASE)
_CHECKPOINT = re.compile(r"checkpoint-\d+")

#: Folders that say which tracker wrote there, not which run: fixed names, Hugging Face's ``Nov23_10-15-00_host``, W&B's
#: ``offline-run-20251123_101500-abc``, Lightning's ``version_0``.
_TRACKER_FOLDER = re.compile(
    r"(tensorboard|tb|tb_logs|tensorboard_logs?|runs|logs|wandb([-_]offline)?|mlruns|mlflow|trackio|tracking|swanlab|events)"
    r"|[A-Z][a-z]{2}\d{2}_\d{2}-\d{2}-\d{2}_.*|(offline-)?run-\d{8}_\d{6}-.*|version_\d+",
)
_EVENTS = re.compile(r"\.?(events\.out\.)?tfevents.*$")

#: Control characters, halves of characters, ends of lines; and what turns the direction of the text around it.
_STEER = frozenset({"Cc", "Cs", "Zl", "Zp"})
_TURN = frozenset({"LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"})


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


def clean(text: str) -> str:
    r"""Return a name that can be shown: characters that steer a terminal, or are none, as ``\x1b``, ``\n``, ...

    Names in trackers are free text, and those of files hold bytes that are no text.
    """
    if text.isprintable():
        return text
    return "".join(_shown(one) for one in text)


def clean_lines(text: str) -> str:
    r"""Return a text of several lines that can be shown: :func:`clean` of each.

    Examples
    --------
    >>> clean_lines("base\x1b[2J\nlong")
    'base\\x1b[2J\nlong'
    """
    return "\n".join(map(clean, text.split("\n")))


def _shown(one: str) -> str:
    steers = unicodedata.category(one) in _STEER or unicodedata.bidirectional(one) in _TURN
    return one.encode("unicode_escape").decode() if steers else one


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
    stem, events = full.stem, "tfevents" in full.name
    if events:
        stem = _EVENTS.sub("", full.name)
    while _TAIL.search(stem):
        stem = _TAIL.sub("", stem)
    home = full.parent
    if full.is_dir():
        return _climbed(full, root)
    if events and not stem:
        return _climbed(home, root)
    if home.name == "pipeline" and _CHECKPOINT.fullmatch(home.parent.name):  # ROLL's
        home = home.parent
    run_folder = home.parent if _CHECKPOINT.fullmatch(home.name) else home
    return run_folder if _GENERIC.fullmatch(stem) else home / stem


def _climbed(folder: Path, root: Path) -> Path:
    """Return the folder, or the first above it (below ``root``) whose name is not a tracker's."""
    here = folder
    while _TRACKER_FOLDER.fullmatch(here.name) and here != root and here.parent != root:
        here = here.parent
    return folder if _TRACKER_FOLDER.fullmatch(here.name) else here


def home_of(path: Path) -> Path:
    """Return the folder of the run that a log belongs to: above checkpoints and the folders of trackers."""
    here = Path(os.path.abspath(path)).parent
    while (
        _CHECKPOINT.fullmatch(here.name)
        or _CHECKPOINT.fullmatch(here.parent.name)
        or _TRACKER_FOLDER.fullmatch(here.name)
    ):
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
