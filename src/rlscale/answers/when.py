"""Moments as people and programs read them."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["ago", "moment"]


def moment(at: float) -> str:
    """Return a Unix time as ISO 8601 in UTC, to the second."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def ago(at: float, now: float) -> str:
    """Return how long ago a time was: ``12 s``, ``3 min``, ``2 h``, ``5 d``; ``now`` for what a clock puts ahead."""
    seconds = now - at
    if seconds < 1.0:
        return "now"
    for size, unit in ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
