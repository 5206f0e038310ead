"""What TRL prints: recognised to be refused, since ``trainer_state.json`` holds the same rows in full precision."""

from __future__ import annotations

import re
from pathlib import Path

from rlscale.errors import FormatError
from rlscale.sources.log import Log
from rlscale.sources.text import decoded_head

__all__ = ["NAME", "better_file", "is_row", "read", "sniff"]

NAME = "trl-stdout"

_ROW = re.compile(r"\{'(?:loss|eval_loss|train_runtime|reward|eval_reward)': '?[-+0-9.na]")


def is_row(line: str) -> bool:
    """Whether a line is a row that the Hugging Face trainer printed."""
    return _ROW.search(line) is not None


def sniff(path: Path, head: bytes) -> bool:
    """Whether the first lines hold such a row (and no verl step)."""
    text = decoded_head(head)
    return is_row(text) and re.search(r"(?<![\w/])step:\d+ - ", text) is None


def better_file(path: Path) -> FormatError:
    """Return the error that names the file to read instead."""
    return FormatError(
        str(path),
        "what TRL prints: rounded to 4 digits and without steps; give the trainer_state.json beside it "
        "(output_dir/checkpoint-N/, or trainer.save_state())",
    )


def read(path: Path) -> list[Log]:
    """Raise the error that names the better file.

    Raises
    ------
    FormatError
        Always.
    """
    raise better_file(path)
