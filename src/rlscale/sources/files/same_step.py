"""Several blocks that a trainer prints for one step: their mean is the row."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from rlscale.sources.repair import Row

__all__ = ["SameStep"]


@dataclass
class SameStep:
    """The blocks of the step that is being printed: the sum and the number of the values of each key.

    Parameters
    ----------
    blocks : int
        Blocks of this step so far.
    most : int
        Most blocks that any step had.
    """

    blocks: int = 0
    most: int = 0
    sums: dict[str, tuple[float, int]] = field(default_factory=dict)

    def begin(self) -> None:
        """Take note that another step begins."""
        self.blocks = 0
        self.sums.clear()

    def add(self, rows: list[Row], step: float, values: dict[str, float]) -> None:
        """Append the row of a block, or put the mean of the blocks so far in the place of the row before it."""
        self.blocks += 1
        self.most = max(self.most, self.blocks)
        for key, value in values.items():
            total, count = self.sums.get(key, (0.0, 0))
            self.sums[key] = (total, count) if math.isnan(value) else (total + value, count + 1)
        row = {key: total / count if count else math.nan for key, (total, count) in self.sums.items()}
        if self.blocks == 1:
            rows.append((step, row))
        else:
            rows[-1] = (step, row)

    def repairs(self) -> list[str]:
        """Return a sentence where steps had several blocks."""
        return [f"steps of up to {self.most} tables: a row is the mean over those of its step"] if self.most > 1 else []
