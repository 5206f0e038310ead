"""ROLL's stdout tracker: ``metrics_tag: {"step": N, "metrics": {...}}`` as JSON behind a logger's prefix."""

from __future__ import annotations

import json

import numpy as np

from rlscale.sources.files.dialect import Dialect
from rlscale.sources.limits import LONGEST_KEY
from rlscale.sources.repair import number
from rlscale.sources.trainers.roll import ROLL

__all__ = ["RollStdout"]

MARK = 'metrics_tag: {"step"'


class RollStdout(Dialect):
    """The lines of ROLL's stdout tracker."""

    name = "roll-stdout"
    trainer = ROLL

    def feed(self, position: int, line: str) -> None:
        """Take the next line."""
        if self.torn is not None:
            self.refuse_torn(line)
        place = line.find(MARK)
        if place < 0:
            return
        try:
            row, _ = json.JSONDecoder().raw_decode(line, place + len("metrics_tag: "))
        except (ValueError, RecursionError):
            self.tear(position, float(len(self.rows)), "its JSON has no end")
            return
        step = number(row.get("step")) if isinstance(row, dict) else None
        metrics = row.get("metrics") if isinstance(row, dict) else None
        if step is None or not np.isfinite(step) or not isinstance(metrics, dict):
            return
        values = {key: number(value) for key, value in metrics.items() if len(key) <= LONGEST_KEY}
        self.add(step, {key: value for key, value in values.items() if value is not None})
