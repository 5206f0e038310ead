"""Numbers as people read them: rewards to a thousandth of the range, computes with a suffix, honest probabilities."""

from __future__ import annotations

import math

from rlscale.inference import Interval
from rlscale.numerals import UNKNOWN, count, probability, quantities, quantity

__all__ = [
    "UNKNOWN",
    "count",
    "effect",
    "error",
    "number",
    "probability",
    "quantities",
    "quantity",
    "reward",
    "span",
]


def reward(value: float | None, bounds: tuple[float, float] = (0.0, 1.0)) -> str:
    """Return a reward with as many decimals as a thousandth of the range needs; a dash where unknown."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    decimals = min(max(3 - math.floor(math.log10(bounds[1] - bounds[0]) + 1e-9), 0), 8)
    return f"{value:.{decimals}f}"


def error(value: float | None, bounds: tuple[float, float] = (0.0, 1.0)) -> str:
    """Return an error or a regret, one decimal more than a reward has; a small one is never rounded to none."""
    text = reward(value, (0.0, 0.1 * (bounds[1] - bounds[0])))
    return f"<{text[:-1]}1" if value is not None and value > 0.0 and text != UNKNOWN and float(text) == 0.0 else text


def effect(value: float | None, bounds: tuple[float, float] = (0.0, 1.0)) -> str:
    """Return a difference of rewards with its sign; one that rounds to nothing has none.

    Examples
    --------
    >>> effect(0.0812), effect(-0.02), effect(0.0001)
    ('+0.081', '-0.020', '0.000')
    """
    text = reward(None if value is None else abs(value), bounds)
    if value is None or text == UNKNOWN or float(text) == 0.0:
        return text
    return f"{'+' if value > 0.0 else '-'}{text}"


def span(interval: Interval | None, bounds: tuple[float, float] = (0.0, 1.0)) -> str:
    """Return the 80 % interval of a reward, ``low–high``; a dash where unknown."""
    if interval is None:
        return UNKNOWN
    return f"{reward(interval.q10, bounds)}–{reward(interval.q90, bounds)}"


def number(value: float | None, decimals: int = 2) -> str:
    """Return a plain number with fixed decimals; a dash where unknown."""
    return UNKNOWN if value is None or not math.isfinite(value) else f"{value:.{decimals}f}"
