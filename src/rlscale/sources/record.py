"""One run as a container stores it (event file, offline file, database), before anything is known of its trainer."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlscale.sources.limits import MOST_KEYS

__all__ = ["Column", "Columns", "Record", "RowColumns", "followed"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Column:
    """A logged quantity in the order it was written; steps may repeat and go back.

    Parameters
    ----------
    step : array, shape (n,)
        Step of each value, as the container or the row itself numbers it.
    value : array, shape (n,)
        NaN where a value that is not finite was logged.
    time : array, shape (n,)
        Unix time in seconds; NaN where the container holds none.
    """

    step: Floats
    value: Floats
    time: Floats


@dataclass(frozen=True, eq=False, kw_only=True)
class Record:
    """One run of a container.

    Parameters
    ----------
    name : str
        The run's name in the container; empty where the path of the file is the name.
    path : str
        The file, folder or address, as the user named it.
    format : str
        The container: ``tensorboard``, ``wandb``, ``mlflow``, ``trackio``, ...
    rows : int
        Rows (or points) of the container that belong to this run.
    columns : mapping of str to Column
        Every numeric quantity, under the key as stored.
    config : mapping of str to Any
        The configuration the trainer handed to the tracker, as nested as it is stored; values are JSON values.
    starts : tuple of float
        Unix time at which each session (the first start, then every resume) began, where the container holds it.
    gpus : float, optional
        GPUs of the run, where the container itself (not the trainer's configuration) holds it.
    run_id : str, optional
        What the container calls the run; every session of a resumed run has the same.
    group : str, optional
        What the user grouped runs by in the tracker; the recipe, where it is set.
    seed : int, optional
        As the container itself states it.
    recipe_by, seed_by, dataset_by : tuple of str
        The columns that state them, in a table.
    console : tuple of str
        Lines the run printed, where the container keeps them.
    repairs, warnings : tuple of str
        One sentence each.
    """

    name: str
    path: str
    format: str
    rows: int
    columns: Mapping[str, Column]
    config: Mapping[str, Any] = field(default_factory=dict)
    starts: tuple[float, ...] = ()
    gpus: float | None = None
    run_id: str | None = None
    group: str | None = None
    seed: int | None = None
    recipe_by: tuple[str, ...] = ()
    seed_by: tuple[str, ...] = ()
    dataset_by: tuple[str, ...] = ()
    console: tuple[str, ...] = ()
    repairs: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def followed(first: Record, later: Record, repair: str) -> Record:
    """Return one record of two sessions of a run: the rows of ``later`` after those of ``first``.

    What both state (name, path, GPUs) is taken from ``first``; of the configuration the later value wins.
    """
    keys = dict.fromkeys((*first.columns, *later.columns))
    return replace(
        first,
        name=first.name or later.name,
        rows=first.rows + later.rows,
        columns={key: _chained(first.columns.get(key), later.columns.get(key)) for key in keys},
        config={**first.config, **later.config},
        starts=(*first.starts, *later.starts),
        gpus=first.gpus if first.gpus is not None else later.gpus,
        group=first.group or later.group,
        console=(*first.console, *later.console),
        repairs=tuple(dict.fromkeys((*first.repairs, *later.repairs, repair))),
        warnings=tuple(dict.fromkeys((*first.warnings, *later.warnings))),
    )


def _chained(*columns: Column | None) -> Column:
    there = [column for column in columns if column is not None]
    if len(there) == 1:
        return there[0]
    return Column(
        np.concatenate([column.step for column in there]),
        np.concatenate([column.value for column in there]),
        np.concatenate([column.time for column in there]),
    )


def _finite(grown: array[float]) -> Floats:
    """Return what was collected, without a copy; NaN where it is not finite."""
    values = np.asarray(grown)
    values[~np.isfinite(values)] = np.nan
    return values


#: Appends a step, a value and a time to a column.
Appends = tuple[Callable[[float], None], Callable[[float], None], Callable[[float], None]]


class Columns:
    """Columns as they grow, for containers that number the steps of each key themselves."""

    def __init__(self) -> None:
        self._parts: dict[str, tuple[array[float], array[float], array[float]]] = {}
        self.left_out = 0  # values of keys after the first MOST_KEYS

    def add(self, key: str, step: float, value: float, time: float = float("nan")) -> None:
        """Append one value."""
        part = self._parts.get(key) or self._new(key)
        if part is None:
            self.left_out += 1
            return
        part[0].append(step)
        part[1].append(value)
        part[2].append(time)

    def _new(self, key: str) -> tuple[array[float], array[float], array[float]] | None:
        if len(self._parts) >= MOST_KEYS:
            return None
        return self._parts.setdefault(key, (array("d"), array("d"), array("d")))

    def appends(self, key: str) -> Appends | None:
        """Return what appends to a column that is there, for loops over millions of values; None without one."""
        part = self._parts.get(key)
        return None if part is None else (part[0].append, part[1].append, part[2].append)

    def __len__(self) -> int:
        return sum(len(part[0]) for part in self._parts.values())

    def done(self) -> dict[str, Column]:
        """Return the columns, after which nothing can be added; values and times that are not finite are NaN."""
        return {
            key: Column(np.asarray(step), _finite(value), _finite(time))
            for key, (step, value, time) in self._parts.items()
        }


#: Where the trainer's step stands in a row, best first (open-instruct's ``global_step`` counts episodes, W&B's
#: ``_step`` log calls).
STEP_KEYS = (
    "step",
    "training_step",
    "train/global_step",
    "trainer/global_step",
    "training/global_step",
    "eval/global_step",
    "rollout/step",
    "eval/step",
    "train/step",
    "system/step",
    "system/global_step",
    "stats/completed_steps",
    "progress/step",
    "progress/batch",
    "global_step",
    "iteration",
    "_step",
)

_OTHERS = tuple(key for key in STEP_KEYS if key != "_step")


class RowColumns:
    """Columns as they grow, for containers of rows (W&B, Trackio): the step of a row is a value in it.

    A row without any of :data:`STEP_KEYS` stands at the step of the row before it. Before the first step it is left
    out, unless the container's own numbers agree with the steps wherever both are known: then its own number is the
    step (verl's validation before training). Where no row has a step, the container's own numbers are the steps.
    """

    def __init__(self) -> None:
        self._own, self._step, self._time = array("d"), array("d"), array("d")
        self._parts: dict[str, tuple[array[int], array[float]]] = {}
        self._last = float("nan")
        self._agree = True
        self.left_out = 0  # values of keys after the first MOST_KEYS

    def add(self, values: Mapping[str, float], own: float, time: float = float("nan")) -> None:
        """Append one row: its numbers, the container's number for it, and its Unix time."""
        told = next((values[key] for key in _OTHERS if math.isfinite(values.get(key, math.nan))), None)
        if told is not None:
            self._last, self._agree = told, self._agree and told == own
        row = len(self._own)
        self._own.append(own)
        self._step.append(self._last)
        self._time.append(time)
        for key, value in values.items():
            part = self._parts.get(key)
            if part is None:
                if len(self._parts) >= MOST_KEYS:
                    self.left_out += 1
                    continue
                part = self._parts[key] = (array("Q"), array("d"))
            part[0].append(row)
            part[1].append(value)

    def __len__(self) -> int:
        return len(self._own)

    def done(self) -> dict[str, Column]:
        """Return the columns, after which nothing can be added; values and times that are not finite are NaN."""
        step, time = np.asarray(self._step), _finite(self._time)
        own = np.asarray(self._own)
        steps = np.where(np.isfinite(step), step, own) if self._agree else step
        found = {}
        for key, (rows, values) in self._parts.items():
            place = np.asarray(rows)
            value = _finite(values)
            keep = np.isfinite(steps[place])
            if keep.any():
                found[key] = Column(steps[place][keep], value[keep], time[place][keep])
        return found
