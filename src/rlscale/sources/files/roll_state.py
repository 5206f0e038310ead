"""ROLL's own state, ``worker_state_pipeline.json``: every row that it logged, as it logs them again when it resumes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from rlscale.errors import SourceError
from rlscale.sources.files.checkpoints import checkpoint, reaches
from rlscale.sources.files.dialect import Keys
from rlscale.sources.files.json_fold import numbers_of
from rlscale.sources.files.log_history import state_of
from rlscale.sources.format import Checkpoint, Entry, Format
from rlscale.sources.history import of_rows
from rlscale.sources.log import Log
from rlscale.sources.repair import Row
from rlscale.sources.text import decoded_head
from rlscale.sources.trainers.base import log_of
from rlscale.sources.trainers.roll import ROLL

__all__ = ["FILE", "FORMAT", "NAME", "read", "sniff"]

NAME = "roll-state"
FILE = "worker_state_pipeline.json"

_STEPS = ("system/step", "system/global_step", "step", "global_step")


def sniff(path: Path, head: bytes) -> bool:
    """Whether the file is such a state, by its name or by the keys of its rows."""
    if path.name == FILE:
        return True
    text = decoded_head(head)
    return text.lstrip().startswith("{") and '"log_history"' in text and '"system/' in text


def read(path: Path) -> list[Log]:
    """Return the runs of a state, one unless several were logged into it.

    Raises
    ------
    FormatError
        A JSON document without ``log_history``.
    SourceError
        The document is torn, or ``log_history`` is empty or holds something other than rows.
    """
    state = state_of(path, f"the {FILE} that ROLL writes", "nothing was logged before this file was saved")
    rows = list(ROLL.rows(_rows(state["log_history"], str(path))) if ROLL.rows else ())
    return [log_of(ROLL, one) for one in of_rows(rows, str(path), NAME, restart_on_repeat=False)]


def _rows(history: list[Any], path: str) -> Iterator[Row]:
    """Yield the rows; one that names no step stands where it does in the list."""
    keys = Keys(path)
    for position, row in enumerate(history):
        if not isinstance(row, dict):
            raise SourceError(path, f"entry {position + 1} of log_history is {row!r:.40}, not a row; repair the file")
        values = numbers_of(row)
        keys.check(values.keys())
        step = next((values[key] for key in _STEPS if np.isfinite(values.get(key, np.nan))), float(position))
        yield step, values


def _checkpoint(path: Path) -> Checkpoint | None:
    """Return what a state repeats; it stands in ``checkpoint-N/pipeline``."""
    return checkpoint(path, path.parent.parent) if path.name == FILE else None


FORMAT: Format = Format(
    name=NAME,
    entries=(
        Entry(NAME, "ROLL's state", f"{FILE}, or the output folder", checked="files written as the source writes them"),
    ),
    sniff=sniff,
    read=read,
    endings=(FILE,),
    checkpoint=_checkpoint,
    reaches=reaches,
    file_words="worker_state_pipeline",
)  # fmt: skip
