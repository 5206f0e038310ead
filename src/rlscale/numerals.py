"""Numbers in sentences, written one way: computes with a suffix, honest probabilities, counts with a noun."""

from __future__ import annotations

import math

__all__ = ["UNKNOWN", "count", "probability", "quantities", "quantity"]

#: Suffixes of computes; past the last one the power of ten is written out (FLOPs).
_SUFFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_LARGEST = 1e15
UNKNOWN = "–"


def quantity(value: float | None, unit: str = "", digits: int = 3) -> str:
    """Return a compute with an SI suffix, ``12.3k``, and its unit where given; ``asymptote`` for infinity."""
    if value is None or math.isnan(value):
        return UNKNOWN
    if math.isinf(value):
        return "the asymptote"
    return f"{_compact(value, digits)} {unit}".rstrip()


def quantities(low: float, high: float, joined: str = "–") -> str:
    """Return two computes in one way of writing: ``9.58e14 to 2.23e19``, not ``958T to 2.23e19``."""
    if min(abs(low), abs(high)) < _LARGEST <= float(f"{max(abs(low), abs(high)):.3g}") and low:
        return joined.join(_power(value, 3) for value in (low, high))
    return joined.join(quantity(value) for value in (low, high))


def _power(value: float, digits: int) -> str:
    mantissa, power = f"{value:.{digits - 1}e}".split("e")
    return f"{_trimmed(mantissa)}e{int(power)}"


def _compact(value: float, digits: int) -> str:
    if float(f"{abs(value):.{digits}g}") >= _LARGEST or 0 < abs(value) < 1e-3:
        return _power(value, digits)
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
