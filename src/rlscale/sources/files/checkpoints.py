"""Files that repeat the whole history of a run in each of its checkpoints."""

from __future__ import annotations

import math
import re
from pathlib import Path

from rlscale.sources.format import Checkpoint
from rlscale.sources.text import HEAD_BYTES

__all__ = ["checkpoint", "reaches"]

_FOLDER = re.compile(r"checkpoint-(\d+)")
_GLOBAL_STEP = re.compile(rb'"global_step":\s*(\d{1,15})\b')


def checkpoint(path: Path, folder: Path) -> Checkpoint:
    """Return what a file repeats, where ``folder`` is that of a checkpoint if it stands in one."""
    match = _FOLDER.fullmatch(folder.name)
    if match is None:
        return Checkpoint(path.parent, math.inf, path.name)
    return Checkpoint(folder.parent, float(match[1]), path.relative_to(folder.parent).as_posix())


def reaches(state: Path) -> float:
    """Return the steps a file covers, and a half: it goes before a checkpoint of that step."""
    try:
        with state.open("rb") as file:
            found = _GLOBAL_STEP.search(file.read(HEAD_BYTES))
    except OSError:
        return math.inf
    return float(found[1]) + 0.5 if found else math.inf
