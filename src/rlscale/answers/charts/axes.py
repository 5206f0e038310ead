"""The axes that charts share: log compute with a break for compute 0, rewards, shares; with round ticks."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence

from rlscale.answers.charts.spec import Axis
from rlscale.answers.numbers import quantity

__all__ = ["compute_axis", "compute_ticks", "reward_axis", "reward_limits", "reward_ticks", "share_axis"]

Ends = tuple[float, float]


def compute_axis(first: float, last: float, unit: str, *, zero: bool, most: int = 6) -> Axis:
    """Return a log axis from ``first`` to ``last``, both above 0, with compute 0 at its left end if ``zero``."""
    ticks = compute_ticks(first, last, most)
    return Axis(f"compute ({unit}, log)", first, last, (((0.0, "0"), *ticks) if zero else ticks), "log", zero)


def compute_ticks(first: float, last: float, most: int = 7) -> tuple[tuple[float, str], ...]:
    """Return (compute, label) of round computes: 1, 2 and 5 in each decade, or powers of ten where many."""
    inside = (first * (1 - 1e-9), min(last * (1 + 1e-9), sys.float_info.max))
    decades = range(math.floor(math.log10(first)), math.ceil(math.log10(last)) + 1)
    ticks: list[float] = []
    for digits in ((1, 2, 5), (1, 3), (1,)):
        # written out, since 10.0**309 is an error and not infinity
        ticks = [value for k in decades for d in digits if inside[0] <= (value := float(f"{d}e{k}")) <= inside[1]]
        if len(ticks) <= most:
            break
    ticks = ticks[:: max(math.ceil(len(ticks) / most), 1)] or [first]
    return tuple((value, quantity(value)) for value in ticks)


def reward_axis(limits: Ends, label: str, most: int = 6) -> Axis:
    """Return a linear axis of rewards with round ticks."""
    return Axis(label, *limits, reward_ticks(*limits, most))


def reward_ticks(low: float, high: float, most: int = 6) -> tuple[tuple[float, str], ...]:
    """Return (reward, label) at round steps between ``low`` and ``high``."""
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * (1 - 1e-9))
    decimals = max(0, -math.floor(math.log10(step) + 1e-9)) + (1 if f"{step / power:.1f}" == "2.5" else 0)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return tuple((k * step, f"{k * step + 0.0:.{decimals}f}") for k in range(first, last + 1))


def reward_limits(values: Sequence[float], bounds: Ends) -> Ends:
    """Return the ends of a reward axis: what is shown, a little air, never far outside the bounds."""
    low, high = min(values), max(values)
    span = max(high - low, 0.05 * (bounds[1] - bounds[0]))
    air = 0.06 * span
    return max(low - air, min(bounds[0], low) - 0.02 * span), min(high + air, max(bounds[1], high) + 0.02 * span)


def share_axis(label: str, high: float = 1.0) -> Axis:
    """Return an axis of shares, in per cent."""
    return Axis(label, 0.0, high, tuple((k / 4, f"{25 * k} %") for k in range(5)))
