"""Numbers as people read them: rewards to a thousandth of the range, computes with a suffix, honest probabilities."""

from __future__ import annotations

import math

from rlscale.inference import Interval

__all__ = ["count", "effect", "error", "number", "probability", "quantity", "reward", "span"]

#: Suffixes of computes; past the last one the power of ten is written out (FLOPs).
_SUFFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
UNKNOWN = "–"


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


def quantity(value: float | None, unit: str = "", digits: int = 3) -> str:
    """Return a compute with an SI suffix, ``12.3k``, and its unit where given; ``asymptote`` for infinity."""
    if value is None or math.isnan(value):
        return UNKNOWN
    if math.isinf(value):
        return "the asymptote"
    return f"{_compact(value, digits)} {unit}".rstrip()


def _compact(value: float, digits: int) -> str:
    if abs(value) >= 1e15 or 0 < abs(value) < 1e-3:
        mantissa, power = f"{value:.{digits - 1}e}".split("e")
        return f"{_trimmed(mantissa)}e{int(power)}"
    for scale, suffix in _SUFFIXES:
        # rounding may carry into the next suffix: 999,999 is 1M, not 1000k
        if float(f"{abs(value):.{digits}g}") >= scale:
            return _trimmed(_significant(value / scale, digits)) + suffix
    return _trimmed(_significant(value, digits))


def _significant(value: float, digits: int) -> str:
    rounded = float(f"{value:.{digits}g}")
    whole = len(str(int(abs(rounded)))) if abs(rounded) >= 1 else 0
    decimals = digits - whole if whole else digits - 1 - math.floor(math.log10(abs(rounded))) if rounded else 0
    return f"{rounded:.{max(decimals, 0)}f}"


def _trimmed(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def number(value: float | None, decimals: int = 2) -> str:
    """Return a plain number with fixed decimals; a dash where unknown."""
    return UNKNOWN if value is None or not math.isfinite(value) else f"{value:.{decimals}f}"


def probability(value: float | None) -> str:
    """Return a probability in per cent; near certainty is never rounded up to certainty."""
    if value is None:
        return UNKNOWN
    if value > 0.995:
        return ">99 %"
    if value < 0.005:
        return "<1 %"
    return f"{100 * value:.0f} %"


def count(amount: int, noun: str) -> str:
    """Return ``1 run``, ``2 runs``, ``1,200 runs``."""
    return f"{amount:,} {noun}{'' if amount == 1 else 's'}"
