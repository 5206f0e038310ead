"""The axes that every chart shares: a log compute axis that breaks for compute 0, and round ticks."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass

from rlscale.present.numbers import quantity

__all__ = ["ComputeAxis", "reward_ticks"]

#: Share of the width given to compute 0 and the break, where there is a baseline.
_BREAK = 0.07


@dataclass(frozen=True)
class ComputeAxis:
    """A log axis from ``first`` to ``last``, both above 0, with compute 0 at its left edge if ``zero``."""

    first: float
    last: float
    zero: bool

    @property
    def start(self) -> float:
        """Position at which the log part starts, in [0, 1]."""
        return _BREAK if self.zero else 0.0

    def position(self, compute: float) -> float:
        """Return where a compute stands, 0 (left) to 1 (right); 0 for compute 0."""
        if compute <= 0:
            return 0.0
        if self.last <= self.first:
            return 0.5 * (1.0 + self.start)
        # differences of logs: the ratio of two finite computes may be infinite
        share = (math.log(compute) - math.log(self.first)) / (math.log(self.last) - math.log(self.first))
        return self.start + (1.0 - self.start) * share

    def ticks(self, most: int = 7) -> tuple[tuple[float, str], ...]:
        """Return (compute, label) of round computes: 1, 2 and 5 in each decade, or powers of ten where many."""
        inside = (self.first * (1 - 1e-9), min(self.last * (1 + 1e-9), sys.float_info.max))
        decades = range(math.floor(math.log10(self.first)), math.ceil(math.log10(self.last)) + 1)
        found: list[float] = []
        for digits in ((1, 2, 5), (1, 3), (1,)):
            # written out, since 10.0**309 is an error and not infinity
            found = [value for k in decades for d in digits if inside[0] <= (value := float(f"{d}e{k}")) <= inside[1]]
            if len(found) <= most:
                break
        found = found[:: max(math.ceil(len(found) / most), 1)] or [self.first]
        zero = [(0.0, "0")] if self.zero else []
        return (*zero, *((value, quantity(value)) for value in found))


def reward_ticks(low: float, high: float, most: int = 6) -> tuple[tuple[float, str], ...]:
    """Return (reward, label) at round steps between ``low`` and ``high``."""
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * (1 - 1e-9))
    decimals = max(0, -math.floor(math.log10(step) + 1e-9)) + (1 if f"{step / power:.1f}" == "2.5" else 0)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return tuple((k * step, f"{k * step + 0.0:.{decimals}f}") for k in range(first, last + 1))
