"""What one file holds before a metric and a compute axis are chosen: the common shape all readers return."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rlscale.curves import Series, canonical_unit
from rlscale.errors import InputError

__all__ = ["Log", "ReadOptions"]


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """The reading options every command shares; ``None`` means: decide from the log.

    Parameters
    ----------
    metric : str, optional
        Key of the reward.
    compute : str, optional
        Key (column) of the compute axis.
    unit : str, optional
        Unit of the compute axis.
    gpus : float, optional
        GPUs the run used, where the log does not hold it; turns seconds into gpu-hours.
    bounds : (float, float), optional
        Lowest and highest reward possible; ``(0, 1)`` where not given.
    recipe : str, optional
        Regular expression on the run's name; group 1 is the recipe.
    since, until : float, optional
        Keep only this stretch of compute (a baseline evaluation is kept).
    strict : bool
        Raise on the first file that cannot be read.
    """

    metric: str | None = None
    compute: str | None = None
    unit: str | None = None
    gpus: float | None = None
    bounds: tuple[float, float] | None = None
    recipe: str | None = None
    since: float | None = None
    until: float | None = None
    strict: bool = False

    def check(self) -> None:
        """Refuse values that no run could be read with.

        Raises
        ------
        InputError
            An unknown unit, bounds or a stretch that hold nothing, a GPU count that is none.
        """
        if self.unit is not None:
            canonical_unit(self.unit)
        if self.gpus is not None and not (self.gpus > 0 and math.isfinite(self.gpus)):
            raise InputError(f"--gpus {self.gpus:g} is not a number of GPUs; give how many the run used")
        if self.bounds is not None:
            low, high = self.bounds
            if not (math.isfinite(low) and math.isfinite(high) and low < high):
                raise InputError(f"--bounds {low:g} {high:g} are not lowest < highest; give --bounds LO HI")
        since, until = self.since, self.until
        if any(limit is not None and math.isnan(limit) for limit in (since, until)):
            raise InputError("--from and --until need numbers, got nan; give a compute")
        if since is not None and until is not None and since > until:
            raise InputError(f"--from {since:g} lies after --until {until:g}; give an earlier --from")


@dataclass(frozen=True, eq=False, kw_only=True)
class Log:
    """One run as logged.

    Parameters
    ----------
    name : str
        Name of the run within its file (a table's run column, or ``#2`` for the second of several runs appended into
        one file); empty where the file's own path is the name.
    path : str
        The file.
    format : str
        The reader's name.
    rows : int
        Rows of the file that belong to this run.
    series : mapping of str to Series
        Every numeric quantity, under the trainer's key, after resume repair (steps strictly increasing). NaN where
        the trainer logged a value that is not finite. In a table ``step`` is the table's own compute.
    validation : tuple of str
        Keys of ``series`` that are primary validation metrics.
    train : tuple of str
        Keys of ``series`` that are train rewards, the fall-back.
    axes : mapping of str to Series
        Cumulative compute by unit (``steps``, ``tokens``, ...) against the trainer's step. ``gpu-hours`` stands here
        only where the log holds gpu-hours itself; else see ``seconds``.
    axis_keys : mapping of str to Series
        Cumulative compute by the trainer's own column name, for ``--compute KEY``.
    axis_units : mapping of str to str
        Unit of each of ``axis_keys``, where it is known.
    undeclared : str, optional
        Key of ``axis_keys`` whose unit nobody stated; it is read as ``steps`` with a warning, or as ``--unit``.
    seconds : Series, optional
        Cumulative wall-clock seconds against the trainer's step.
    clock : str
        One sentence: what ``seconds`` counts.
    gpus : float, optional
        GPUs the run used, where the log tells.
    absent : mapping of str to str
        Why a unit cannot be had from this log, and what to do.
    n_eval : mapping of str to Series
        Graded samples behind each value of a metric.
    sd : mapping of str to Series
        Relative noise of each value of a metric.
    recipe, seed, model_params, config
        As in :class:`rlscale.curves.Run`; None or empty where the log holds none.
    repairs, warnings : tuple of str
        One sentence each.
    metric_repairs, axis_warnings : mapping of str to tuple of str
        Sentences that matter only if this metric (this unit) is the one used.
    """

    name: str
    path: str
    format: str
    rows: int
    series: Mapping[str, Series]
    validation: tuple[str, ...]
    train: tuple[str, ...]
    axes: Mapping[str, Series]
    axis_keys: Mapping[str, Series] = field(default_factory=dict)
    axis_units: Mapping[str, str] = field(default_factory=dict)
    undeclared: str | None = None
    seconds: Series | None = None
    clock: str = ""
    gpus: float | None = None
    absent: Mapping[str, str] = field(default_factory=dict)
    n_eval: Mapping[str, Series] = field(default_factory=dict)
    sd: Mapping[str, Series] = field(default_factory=dict)
    recipe: str | None = None
    seed: int | None = None
    model_params: float | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    repairs: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    metric_repairs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    axis_warnings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
