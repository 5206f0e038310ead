"""What an answer does not cover, and why; and lists that know what they lack."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

__all__ = ["LeftOut", "Listing", "lacked"]

T = TypeVar("T")


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


class Listing(list[T]):
    """A list of runs or fits that knows what it lacks.

    Parameters
    ----------
    items : iterable
    left_out : iterable of LeftOut

    Examples
    --------
    >>> import rlscale
    >>> runs = rlscale.read("bundled")
    >>> len(runs), runs.left_out
    (6, ())
    """

    def __init__(self, items: Iterable[T] = (), left_out: Iterable[LeftOut] = ()) -> None:
        super().__init__(items)
        self.left_out = tuple(left_out)


def lacked(given: Any) -> tuple[LeftOut, ...]:
    """Return what runs, fits or a reading lack, where they know it."""
    return tuple(getattr(given, "left_out", ()))
