"""What an answer covers: how its runs were pooled, and which of those named it lacks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from rlscale.left_out import LeftOut
from rlscale.sources import Grouping

__all__ = ["coverage_document", "lacking", "pooled"]

#: Reasons, and runs of each, told in the headline.
_REASONS, _NAMES = 3, 3


def coverage_document(grouping: Grouping | None, left_out: Iterable[LeftOut]) -> dict[str, Any]:
    """Return what every document says of its runs together."""
    return {
        "grouping": None if grouping is None else asdict(grouping),
        "left_out": [asdict(one) for one in left_out],
    }


def lacking(left_out: Iterable[LeftOut], kept: int) -> str:
    """Return the sentence that a headline begins with where runs are left out, with a space; empty where none is.

    Parameters
    ----------
    left_out : iterable of LeftOut
    kept : int
        Runs that the answer is of.
    """
    counted = [one for one in left_out if one.counted]
    if not counted:
        return ""
    reasons: dict[str, list[str]] = {}
    for one in counted:
        why = one.why.removeprefix(f"run {one.run!r}: ").partition(";")[0]  # who it is stands before it
        reasons.setdefault(why, []).append(one.run or _end(one.path))
    told = [f"{_listed(names, _NAMES)} ({why})" for why, names in list(reasons.items())[:_REASONS]]
    more = f" and {len(reasons) - _REASONS} more reasons" if len(reasons) > _REASONS else ""
    total = kept + len(counted)
    return f"{len(counted):,} of {total:,} run{'' if total == 1 else 's'} left out: {'; '.join(told)}{more}. "


def _end(path: str) -> str:
    """Return the end of a path, which is enough to know it by; what is left out is told in full below."""
    return "/".join([part for part in path.replace("\\", "/").split("/") if part][-2:])


def _listed(names: Sequence[str], most: int) -> str:
    names = list(dict.fromkeys(names))
    return ", ".join(names[:most]) + (f" and {len(names) - most:,} more" if len(names) > most else "")


def pooled(grouping: Grouping | None) -> str:
    """Return the line that says how runs were pooled; a pattern in it stays beside its option, to be copied."""
    return "" if grouping is None else grouping.note.replace("--recipe ", "--recipe\u00a0")
