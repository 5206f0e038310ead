"""verl's ``file`` logger: JSON lines ``{"step": N, "data": {key: value}}``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from rlscale.errors import EmptyError, SourceError
from rlscale.sources.files.json_fold import JsonFold
from rlscale.sources.format import Entry, Format, Precision
from rlscale.sources.history import of_rows
from rlscale.sources.log import Log
from rlscale.sources.repair import number as as_number
from rlscale.sources.text import first_object, were
from rlscale.sources.trainers.base import log_of
from rlscale.sources.trainers.verl import VERL

__all__ = ["FORMAT", "NAME", "VerlFold", "sniff"]

NAME = "verl-file"


def sniff(path: Path, head: bytes) -> bool:
    """Whether the first line is a step with its data."""
    row = first_object(head)
    return row is not None and "step" in row and isinstance(row.get("data"), dict)


class VerlFold(JsonFold):
    """The rows of verl's file so far; see :mod:`rlscale.sources.trainers.verl` for the compute axes."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self._without_step = 0

    def take(self, number: int, row: dict[str, Any]) -> None:
        """Take a row.

        Raises
        ------
        SourceError
            It holds no data.
        """
        step, data = as_number(row.get("step", "")), row.get("data")
        if not isinstance(data, dict):
            raise SourceError(self.path, f"line {number} holds no data object; is this verl's file logger?")
        if step is None or not np.isfinite(step):
            self._without_step += 1
            return
        self.rows.append((step, self.numbers(number, data)))

    def done(self) -> list[Log]:
        """Return the runs of the rows."""
        repairs = self.repairs()
        if self._without_step:
            repairs.append(f"{were(self._without_step, 'row')} left out: no step")
        found = of_rows(self.rows, self.path, NAME, repairs=repairs)
        if not found:
            raise EmptyError(self.path, "holds no step; verl has not logged one yet")
        return [log_of(VERL, one) for one in found]


FORMAT: Format = Format(
    name=NAME,
    entries=(Entry(NAME, "verl's file logger", "{project}/{experiment}.jsonl", precision=Precision.FULL),),
    sniff=sniff,
    fold=VerlFold,
    endings=(".jsonl",),
)
