"""verl's ``file`` logger: JSON lines ``{"step": N, "data": {key: value}}``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from rlscale.errors import SourceError
from rlscale.sources.history import of_rows
from rlscale.sources.log import Log
from rlscale.sources.repair import Row, number
from rlscale.sources.text import first_object, json_rows, were
from rlscale.sources.trainers.base import log_of
from rlscale.sources.trainers.verl import VERL

__all__ = ["NAME", "read", "sniff"]

NAME = "verl-file"


def sniff(path: Path, head: bytes) -> bool:
    """Whether the first line is a step with its data."""
    row = first_object(head)
    return row is not None and "step" in row and isinstance(row.get("data"), dict)


def read(path: Path) -> list[Log]:
    """Return the runs of the file; see :mod:`rlscale.sources.trainers.verl` for the compute axes.

    Raises
    ------
    SourceError
        A torn line that is not the last, a line of another shape, or no step.
    """
    repairs: list[str] = []
    rows = list(_rows(path, repairs))
    found = of_rows(rows, str(path), NAME, repairs=repairs)
    if not found:
        raise SourceError(str(path), "holds no step; verl has not logged one yet")
    return [log_of(VERL, one) for one in found]


def _rows(path: Path, repairs: list[str]) -> Iterator[Row]:
    without_step = 0
    for line, row in json_rows(path, repairs):
        step, data = number(row.get("step", "")), row.get("data")
        if not isinstance(data, dict):
            raise SourceError(str(path), f"line {line} holds no data object; is this verl's file logger?")
        if step is None or not np.isfinite(step):
            without_step += 1
            continue
        values = {key: number(value) for key, value in data.items()}
        yield step, {key: value for key, value in values.items() if value is not None}
    if without_step:
        repairs.append(f"{were(without_step, 'row')} left out: no step")
