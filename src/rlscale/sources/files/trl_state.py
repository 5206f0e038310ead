"""TRL and Hugging Face Trainer: ``trainer_state.json``.

Rows of ``log_history`` are sparse: train rows hold means over the ``logging_steps`` steps before them, evaluation
rows (``eval_*``) and the final summary share the step of a train row and are merged with it. ``total_flos`` is 0.0 in
every GRPO log and is never used.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from rlscale.errors import SourceError
from rlscale.sources.files.checkpoints import checkpoint, reaches
from rlscale.sources.files.log_history import state_of
from rlscale.sources.format import Checkpoint, Entry, Format, Precision
from rlscale.sources.history import of_rows
from rlscale.sources.limits import MOST_KEYS
from rlscale.sources.log import Log
from rlscale.sources.repair import Row, number
from rlscale.sources.text import decoded_head, were
from rlscale.sources.trainers.base import log_of
from rlscale.sources.trainers.trl import NOT_SERIES, TRL
from rlscale.sources.words import left_out

__all__ = ["FORMAT", "NAME", "read", "sniff"]

NAME = "trl"

_STATE = "trainer_state.json"

_CONFIG = ("logging_steps", "eval_steps", "save_steps", "max_steps", "num_train_epochs", "train_batch_size")


def sniff(path: Path, head: bytes) -> bool:
    """Whether the file is a trainer state, by its name or its first keys."""
    text = decoded_head(head)
    return path.name.endswith(_STATE) or (text.lstrip().startswith("{") and '"log_history"' in text)


def read(path: Path) -> list[Log]:
    """Return the runs of a ``trainer_state.json``, one unless several were appended.

    Raises
    ------
    FormatError
        A JSON document without ``log_history``.
    SourceError
        The document is torn, or ``log_history`` is empty or holds something other than rows.
    """
    silent = "the trainer logged nothing before this file was saved"
    state = state_of(path, "the trainer_state.json that TRL writes", silent)
    history = state["log_history"]
    repairs: list[str] = []
    rows = list(_rows(history, str(path), repairs))
    config = {key: state[key] for key in _CONFIG if key in state}
    found = of_rows(rows, str(path), NAME, repairs=repairs, config=config, restart_on_repeat=False)
    if not found:
        raise SourceError(str(path), "no row of log_history has a step; is this a trainer's state?")
    return [log_of(TRL, one) for one in found]


def _rows(history: list[Any], path: str, repairs: list[str]) -> Iterator[Row]:
    without_step = 0
    keys: set[str] = set()
    words: dict[str, tuple[int, int, str]] = {}
    for position, row in enumerate(history, start=1):
        if not isinstance(row, dict):
            raise SourceError(path, f"entry {position} of log_history is {row!r:.40}, not a row; repair the file")
        step = number(row.get("step", ""))
        if step is None or not np.isfinite(step):
            without_step += 1
            continue
        values = {key: number(value) for key, value in row.items() if key not in NOT_SERIES}
        keys.update(values)
        if len(keys) > MOST_KEYS:
            raise SourceError(path, f"holds more than {MOST_KEYS:,} different keys; is this a trainer's state?")
        for key in [key for key, value in values.items() if value is None and isinstance(row[key], str)]:
            count, first, word = words.get(key, (0, position, row[key]))
            words[key] = (count + 1, first, word)
        yield step, {key: value for key, value in values.items() if value is not None}
    if without_step:
        repairs.append(f"{were(without_step, 'row')} left out: no step")
    for key, (count, position, word) in words.items():
        repairs.append(left_out(key, count, position, word, what="value", place="entry"))


def _checkpoint(path: Path) -> Checkpoint | None:
    """Return what a state repeats: that of every checkpoint holds the whole history so far."""
    return checkpoint(path, path.parent) if path.name == _STATE else None


FORMAT: Format = Format(
    name=NAME,
    entries=(Entry(NAME, "TRL and Unsloth", f"{_STATE}, or the output folder", precision=Precision.FULL),),
    sniff=sniff,
    read=read,
    endings=(_STATE,),
    checkpoint=_checkpoint,
    reaches=reaches,
    file_words="trainer_state",
)
