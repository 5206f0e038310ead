"""Labels that do not overlap."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["spread"]


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Return positions at least ``gap`` apart, as near to ``wanted`` as their order allows, inside ``low`` to ``high``.

    Parameters
    ----------
    wanted : sequence of float
        In any order; the result is in the same order.
    gap : float
        Least distance, above 0; it shrinks where the positions would not fit.
    low, high : float
        The ends.
    """
    if not wanted:
        return []
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    if len(wanted) > 1:
        gap = min(gap, (high - low) / (len(wanted) - 1))
    # blocks of touching labels: (sum of wanted less offsets, count); merge while they overlap
    blocks: list[tuple[float, int]] = []
    for i in order:
        blocks.append((wanted[i], 1))
        while len(blocks) > 1:
            (a, m), (b, n) = blocks[-2:]
            if b / n - a / m >= gap * 0.5 * (m + n):
                break
            blocks[-2:] = [(a + b, m + n)]
    placed: list[float] = []
    for total, size in blocks:
        centre = total / size
        placed += [centre + gap * (k - 0.5 * (size - 1)) for k in range(size)]
    placed = _inside(placed, gap, low, high)
    result = [0.0] * len(wanted)
    for i, value in zip(order, placed, strict=True):
        result[i] = value
    return result


def _inside(placed: list[float], gap: float, low: float, high: float) -> list[float]:
    """Push increasing positions up from ``low``, then down from ``high``."""
    up: list[float] = []
    for value in placed:
        up.append(max(value, low if not up else up[-1] + gap))
    down: list[float] = []
    for value in reversed(up):
        down.append(min(value, high if not down else down[-1] - gap))
    return down[::-1]
