"""Stable-Baselines3's ``monitor.csv``: after ``#{"t_start": ...}`` one episode a row, its reward, length and time."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from rlscale.curves import Series
from rlscale.errors import EmptyError, SourceError
from rlscale.sources.files.dialect import Keys
from rlscale.sources.format import Entry, Format
from rlscale.sources.history import of_rows
from rlscale.sources.log import Log
from rlscale.sources.repair import Row, number
from rlscale.sources.text import decoded_head, lines
from rlscale.sources.trainers.base import log_of
from rlscale.sources.trainers.stable_baselines3 import MONITOR

__all__ = ["FORMAT", "NAME", "read", "sniff"]

NAME = "sb3-monitor"

_OPENS = re.compile(r'\s*#\s*\{[^\n]*"t_start"[^\n]*\r?\n\s*r,l,t\b')


def sniff(path: Path, head: bytes) -> bool:
    """Whether the file begins with the start of a monitor, and the names of its columns."""
    return _OPENS.match(decoded_head(head)) is not None


def read(path: Path) -> list[Log]:
    """Return the runs of a monitor: the reward of each episode against the steps of the environment so far.

    A second start is a run of its own. A clock that starts again without one is a job that was resumed.

    Raises
    ------
    SourceError
        A row that is not the last has another number of cells, or no reward or length.
    """
    rows: list[Row] = []
    torn = ""
    names: list[str] = []
    keys, start, steps = Keys(str(path)), np.nan, 0.0
    runs, repairs, before, last = [rows], [list[str]()], 0.0, 0.0
    for position, line in enumerate(lines(path), start=1):
        if torn and line.strip():
            raise SourceError(str(path), f"{torn}; repair or remove the line")
        if line.lstrip().startswith("#"):
            start, before, last = _start(line), 0.0, 0.0
            if rows:
                rows, steps = [], 0.0
                runs.append(rows)
                repairs.append([])
            continue
        if not line.strip():
            continue
        cells = [cell.strip() for cell in line.split(",")]
        if not names or cells == names:
            names = cells
            keys.check(names)
            continue
        values = {key: value for key, cell in zip(names, cells, strict=False) if (value := number(cell)) is not None}
        length = values.get("l", np.nan)
        if len(cells) != len(names) or "r" not in values or not length > 0 or not line.endswith("\n"):
            torn = f"line {position} has no whole r, l and t"
            continue
        steps += length
        clock = values.get("t", np.nan)
        if clock < last:
            before += last
            repairs[-1].append(f"line {position}: the clock starts again; the job was resumed")
        if np.isfinite(clock):
            last = clock
            if np.isfinite(start):
                values["timestamp"] = start + before + clock
        rows.append((steps, values))
    if not runs[0]:
        raise EmptyError(str(path), "holds no episode yet")
    if torn:
        repairs[-1].append("the last line is torn and was left out")
    histories = [
        history
        for own, said in zip(runs, repairs, strict=True) if own
        for history in of_rows(own, str(path), NAME, repairs=said, restart_on_repeat=False)
    ]  # fmt: skip
    named = (replace(history, name=f"#{k + 1}" if k else "") for k, history in enumerate(histories))
    return [_with_rows(log_of(MONITOR, history)) for history in named]


def _with_rows(log: Log) -> Log:
    """Return the log with its episodes and the sum of their lengths as axes that ``--compute`` may name."""
    samples = log.axes["samples"]
    row = Series(samples.step, np.arange(1.0, samples.step.size + 1))
    return replace(log, axis_keys={"l": samples, "row": row}, axis_units={"l": "samples", "row": "samples"})


def _start(line: str) -> float:
    """Return the Unix time at which a monitor began."""
    try:
        said = json.loads(line.strip().lstrip("#"))
    except (ValueError, RecursionError):
        return float("nan")
    value = number(said.get("t_start", "")) if isinstance(said, dict) else None
    return value if value is not None else float("nan")


FORMAT: Format = Format(
    name=NAME,
    entries=(
        Entry(
            NAME, "Stable-Baselines3's monitor", "monitor.csv", checked="files written as the source writes them",
            note="one episode a row, against the steps of the environment",
        ),
    ),
    sniff=sniff,
    read=read,
    endings=(".csv",),
)  # fmt: skip
