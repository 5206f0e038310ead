"""The list of rows in a trainer's state, ``{"log_history": [...]}``: TRL's and ROLL's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rlscale.errors import EmptyError, FormatError
from rlscale.sources.text import whole_json

__all__ = ["state_of"]


def state_of(path: Path, written: str, silent: str) -> dict[str, Any]:
    """Return a state whose ``log_history`` is a list of something.

    Parameters
    ----------
    path : Path
    written : str
        What to give in place of another document: ``the trainer_state.json that TRL writes``.
    silent : str
        Why the list may be empty.

    Raises
    ------
    FormatError
        A JSON document without ``log_history``.
    EmptyError
        The list is empty.
    SourceError
        The document is torn.
    """
    state = whole_json(path)
    if not isinstance(state, dict) or not isinstance(state.get("log_history"), list):
        raise FormatError(str(path), f"holds no log_history; give {written}")
    if not state["log_history"]:
        raise EmptyError(str(path), f"log_history is empty; {silent}")
    return state
