"""What every view has: files left aside, how the answer was asked for, how runs were pooled, what it lacks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rlscale.answers.settings import BadFile, Settings, bad_files
from rlscale.left_out import LeftOut
from rlscale.sources import Grouping, Reading

__all__ = ["View", "read_with"]


@dataclass(frozen=True, kw_only=True)
class View:
    """The fields that the view of every command shares.

    Parameters
    ----------
    errors : tuple of BadFile
        Files that could not be used.
    settings : Settings
        How the answer was asked for.
    grouping : Grouping, optional
        How runs were pooled into recipes.
    left_out : tuple of LeftOut
        What was named and is not in the answer.
    """

    errors: tuple[BadFile, ...] = ()
    settings: Settings = field(default_factory=Settings)
    grouping: Grouping | None = None
    left_out: tuple[LeftOut, ...] = ()


def read_with(reading: Reading | None, settings: Settings | None) -> dict[str, Any]:
    """Return the fields of a :class:`View` that come from reading and asking; of Python calls there is no reading."""
    return {
        "errors": () if reading is None else bad_files(reading.errors),
        "settings": settings or Settings(),
        "grouping": None if reading is None else reading.grouping,
    }
