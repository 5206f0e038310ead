"""What an answer on knobs is of: the result, and what reading said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from rlscale.answers.numbers import count
from rlscale.answers.settings import BadFile, Settings

__all__ = ["KnobsView", "graded", "listed", "moved"]

R = TypeVar("R")


@dataclass(frozen=True)
class KnobsView(Generic[R]):
    """A result, how it was asked for, and the files that could not be used."""

    result: R
    settings: Settings = field(default_factory=Settings)
    errors: tuple[BadFile, ...] = ()


def moved(moves: Sequence[str]) -> str:
    """Return what a knob moves, in words.

    Examples
    --------
    >>> moved(("ceiling", "speed")), moved(())
    ('ceiling, speed', 'not resolved')
    """
    return ", ".join(moves) or "not resolved"


def graded(grade: str) -> str:
    """Return how a figure is known, in words; empty where it was read in the paper itself.

    Examples
    --------
    >>> graded("V"), graded("S, 3"), graded("D")
    ('', 'secondhand, 3 readers agree', 'derived')
    """
    kind, _, readers = grade.partition(", ")
    words = {
        "V": "", "V abstract": "abstract only", "V-code": "from the code", "S": "secondhand", "D": "derived",
        "M": "not checked", "draft": "a draft",
    }.get(kind, kind)  # fmt: skip
    return f"{words}, {readers} readers agree" if readers else words


def listed(counts: dict[str, int]) -> str:
    """Return counts in words: ``1 error, 2 warnings``; empty where all are 0."""
    plural = {"error": "error", "warning": "warning", "note": "note"}
    return ", ".join(count(n, plural[name]) for name, n in counts.items() if n and name in plural)
