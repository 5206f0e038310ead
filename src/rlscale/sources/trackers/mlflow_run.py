"""What MLflow knows of a run, whichever way it is stored: database, folder of text files, or server."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from rlscale.errors import EmptyError
from rlscale.sources.limits import MOST_KEYS
from rlscale.sources.record import Column, Columns, Record
from rlscale.sources.text import plural, were

__all__ = ["NAME", "Run", "records", "value_of"]

NAME = "mlflow"

#: Written by MLflow beside the trainer's metrics, with steps of their own.
_SYSTEM = "system/"

#: MLflow's databases hold infinity as this, with its sign.
_LARGEST = sys.float_info.max

_PYTHON = {"None": None, "True": True, "False": False}


@dataclass
class Run:
    """One run as it is read.

    Parameters
    ----------
    run_id : str
        MLflow's own.
    name : str
        As shown; empty where it has none.
    experiment : str
        Name of its experiment, or its id.
    start : float
        Unix time in seconds; NaN where it is not stored.
    params : dict of str to str
        As stored.
    columns : Columns
        Every metric.
    points : int
        Values in ``columns``.
    left_out : int
        Values that could not be read.
    repairs : list of str
        One sentence each.
    """

    run_id: str
    name: str = ""
    experiment: str = ""
    start: float = math.nan
    params: dict[str, str] = field(default_factory=dict)
    columns: Columns = field(default_factory=Columns)
    points: int = 0
    left_out: int = 0
    repairs: list[str] = field(default_factory=list)

    def add(self, key: Any, step: Any, value: Any, milliseconds: Any) -> None:
        """Append one value; what is not of a metric is counted and left out."""
        plain = type(step) is type(milliseconds) is int and type(value) is float and -_LARGEST < value < _LARGEST
        if not plain:  # a database holds millions that are
            step, value, milliseconds = value_of(step), value_of(value), value_of(milliseconds)
        if not isinstance(key, str) or step is None or value is None or not math.isfinite(step):
            self.left_out += 1
            return
        self.columns.add(key, step, value, math.nan if milliseconds is None else milliseconds / 1000)
        self.points += 1


def value_of(stored: Any) -> float | None:
    """Return a number of MLflow: NaN where it is not finite, None where it is none."""
    if isinstance(stored, bool) or not isinstance(stored, int | float | str):
        return None
    try:
        value = float(stored)
    except (ValueError, OverflowError):
        return None
    return value if abs(value) < _LARGEST else math.nan


def records(runs: Iterable[Run], path: str, deleted: int = 0) -> list[Record]:
    """Return the records of the runs that hold metrics.

    Parameters
    ----------
    runs : iterable of Run
        Those that are not deleted.
    path : str
        As the user named it.
    deleted : int
        Runs left out because they were deleted.

    Raises
    ------
    SourceError
        No run holds a metric.
    """
    every = list(runs)
    kept = [run for run in every if run.points]
    if not kept:
        holds = f"holds {plural(len(every), 'run')}, none with metrics" if every else "holds no run"
        also = f" ({were(deleted, 'run')} deleted)" if deleted else ""
        raise EmptyError(path, f"this MLflow store {holds}{also}; check that the trainer logs to it")
    several = len({run.experiment for run in kept}) > 1
    return [_record(run, path, several) for run in kept]


def _record(run: Run, path: str, several: bool) -> Record:
    name = run.name or run.run_id
    columns, numbered = _with_steps(run.columns.done())
    left_out = []
    if run.left_out:
        left_out.append(f"{were(run.left_out, 'value')} left out: not a number at a step")
    if run.columns.left_out:
        left_out.append(f"{were(run.columns.left_out, 'value')} left out: more than {MOST_KEYS} keys")
    return Record(
        name=f"{run.experiment}/{name}" if several else name,
        path=path,
        format=NAME,
        rows=run.points,
        columns=columns,
        config={key: _parsed(text) for key, text in run.params.items()},
        starts=(run.start,) if math.isfinite(run.start) and run.start > 0 else (),
        run_id=run.run_id,
        repairs=(*run.repairs, *left_out, *numbered),
    )


def _parsed(text: str) -> Any:
    """Return a parameter as the value it was: a number, a truth value, None, a list, an object, or the text itself."""
    if text in _PYTHON:
        return _PYTHON[text]
    try:
        value = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return text
    return text if isinstance(value, str) or (isinstance(value, float) and math.isinf(value)) else value


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


def _with_steps(columns: Mapping[str, Column]) -> tuple[dict[str, Column], tuple[str, ...]]:
    """Return the columns numbered by time where no step was logged: MLflow then stores step 0 for all points.

    Values logged at one time get one number, so that keys stay side by side.
    """
    found = dict(columns)
    logged = {key: column for key, column in found.items() if not key.startswith(_SYSTEM)}
    if not any(len(column.step) > 1 for column in logged.values()):
        return found, ()
    times = np.unique(np.concatenate([column.time for column in logged.values()]))
    if any(column.step.any() for column in logged.values()) or len(times) < 2 or not np.isfinite(times).all():
        return found, ()
    for key, column in logged.items():
        found[key] = replace(column, step=(np.searchsorted(times, column.time) + 1).astype(np.float64))
    return found, ("no step was logged: the points are numbered by their times; log with step=",)
