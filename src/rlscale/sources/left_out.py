"""What an answer does not cover, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rlscale.errors import SourceError

__all__ = ["LeftOut", "left_out_of"]


@dataclass(frozen=True)
class LeftOut:
    """A run, or a file, that was named and is not in an answer.

    Parameters
    ----------
    run : str, optional
        None where it is a whole file.
    path : str
    why : str
    counted : bool
        Whether the answer covers fewer runs for it than were named: not for a file without an evaluation yet, one
        that is no log, or a run that a rule of the analysis skips.
    """

    run: str | None
    path: str
    why: str
    counted: bool


def left_out_of(errors: Iterable[SourceError], beside: Iterable[SourceError] = ()) -> Iterator[LeftOut]:
    """Yield what errors left out; ``beside`` stands beside logs and is none."""
    for error in errors:
        for run in error.runs or (None,):
            yield LeftOut(run, error.path, error.why, error.counted)
    for error in beside:
        yield LeftOut(None, error.path, error.message, False)
