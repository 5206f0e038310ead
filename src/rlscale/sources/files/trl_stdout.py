"""What TRL prints: recognised to be refused, since ``trainer_state.json`` holds the same rows in full precision."""

from __future__ import annotations

import re
from pathlib import Path

from rlscale.errors import FormatError

__all__ = ["better_file", "is_row"]

_ROW = re.compile(r"\{'(?:loss|eval_loss|train_runtime|reward|eval_reward)': '?[-+0-9.na]")


def is_row(line: str) -> bool:
    """Whether a line is a row that the Hugging Face trainer printed."""
    return _ROW.search(line) is not None


def better_file(path: Path) -> FormatError:
    """Return the error that names the file to read instead."""
    return FormatError(
        str(path),
        "what TRL prints: rounded to 4 digits and without steps; give the trainer_state.json beside it "
        "(output_dir/checkpoint-N/, or trainer.save_state())",
    )
