"""What one file holds before a metric and a compute axis are chosen: the common shape all readers return."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from rlscale.curves import ADDED, Metric, Series, Source, canonical_unit
from rlscale.errors import InputError
from rlscale.sources.clocks import CLOCKS, Clock
from rlscale.sources.flops import FlopRule
from rlscale.sources.patterns import matches, patterns_of

__all__ = ["SEEN_BY_TRACKER", "Log", "ReadOptions"]

#: How GPUs are known that a tracker counted on the node it ran on; ``--gpus`` goes before them.
SEEN_BY_TRACKER = "by the tracker"


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
    clock : str, optional
        Which seconds count: ``train``, ``train+eval`` or ``elapsed``.
    price : float, optional
        Dollars for one GPU-hour: compute is then in dollars.
    flops : FlopRule
        What turns tokens into FLOPs, for ``unit="flops"``.
    bounds : (float, float) or "open", optional
        Lowest and highest reward possible; where not given, ``sources.bounds`` decides and says so.
    recipe : str, optional
        Regular expression on the run's name; group 1 is the recipe.
    exclude : str or sequence of str
        Patterns (``*``, ``?``) of names of runs that are left out of everything.
    run : str or sequence of str
        Patterns of names of the only runs that are read; all where there are none.
    by : str, optional
        Column of a table that means the recipe.
    wide : bool
        Read each column of a table, beside that of the compute, as a run.
    since, until : float, optional
        Keep only this stretch of compute (a baseline evaluation is kept).
    strict : bool
        Raise on the first file that cannot be read.
    """

    metric: str | None = None
    compute: str | None = None
    unit: str | None = None
    gpus: float | None = None
    clock: str | None = None
    price: float | None = None
    flops: FlopRule = field(default_factory=FlopRule)
    bounds: tuple[float, float] | Literal["open"] | None = None
    recipe: str | None = None
    exclude: str | Sequence[str] = ()
    run: str | Sequence[str] = ()
    by: str | None = None
    wide: bool = False
    since: float | None = None
    until: float | None = None
    strict: bool = False

    def excludes(self, name: str) -> bool:
        """Whether ``exclude`` names a run, or the file that it is."""
        return matches(name, patterns_of(self.exclude))

    def covers(self, name: str) -> bool:
        """Whether a run of this name is read."""
        return not self.excludes(name) and (not self.run or matches(name, patterns_of(self.run)))

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
        if self.clock is not None and self.clock not in CLOCKS:
            raise InputError(f"--clock {self.clock!r} is none; give one of {', '.join(sorted(CLOCKS))}")
        if self.price is not None and not (self.price > 0 and math.isfinite(self.price)):
            raise InputError(f"--price {self.price:g} is no price of a GPU-hour; give a number above 0")
        unit = None if self.unit is None else canonical_unit(self.unit)
        if self.price is not None and unit not in (None, "dollars"):
            raise InputError(f"--price reads compute in dollars, --unit {self.unit} in {unit}; give one of them")
        if self.clock is not None and unit not in (None, "gpu-hours", "dollars"):
            raise InputError(f"--clock is for gpu-hours and dollars, not for --unit {self.unit}; leave one of them out")
        if self.compute is not None and (self.clock is not None or self.price is not None):
            flag = "--clock" if self.clock is not None else "--price"
            raise InputError(
                f"--compute {self.compute!r} names the axis, so {flag} cannot be used; leave one of them out"
            )
        if self.bounds is not None and self.bounds != "open":
            low, high = self.bounds
            if not (math.isfinite(low) and math.isfinite(high) and low < high):
                raise InputError(
                    f"--bounds {low:g} {high:g} are not two finite numbers, lowest first; give --bounds LO HI or open"
                )
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
        The container: the reader's name.
    trainer : str, optional
        The trainer whose keys these are; None for a table and where the keys tell none.
    rows : int
        Rows of the file that belong to this run.
    series : mapping of str to Series
        Every numeric quantity, under the trainer's key, after resume repair (steps strictly increasing). NaN where
        the trainer logged a value that is not finite. In a table ``step`` is the table's own compute.
    validation : tuple of str
        Keys of ``series`` that are primary validation metrics.
    train : tuple of str
        Keys of ``series`` that are train rewards, the fall-back.
    unplaced : mapping of str to Series
        Quantities against the trainer's step of a log that states the compute of its evaluations, and not of steps:
        none of them can be chosen as the reward.
    origin : Source, optional
        Where the run was read from before, where a ledger says.
    axes : mapping of str to Series
        Cumulative compute by unit (``steps``, ``tokens``, ...) against the trainer's step. ``gpu-hours`` stands here
        only where the log holds gpu-hours itself; else see ``seconds``.
    axis_keys : mapping of str to Series
        Cumulative compute by the trainer's own column name, for ``--compute KEY``.
    axis_units : mapping of str to str
        Unit of each of ``axis_keys``, where it is known.
    undeclared : str, optional
        Key of ``axis_keys`` whose unit nobody stated; it is read as ``steps`` with a warning, or as ``--unit``.
    clocks : mapping of str to Clock
        Cumulative seconds by clock (``train``, ``train+eval``, ``elapsed``).
    gpus : float, optional
        GPUs the run used, where the log tells.
    gpus_said : str
        How they are known.
    absent : mapping of str to str
        Why a unit cannot be had from this log, and what to do.
    n_eval : mapping of str to Series
        Graded samples behind each value of a metric.
    sd : mapping of str to Series
        Relative noise of each value of a metric.
    non_finite : mapping of str to Series
        1 at each place where a table holds a value of a metric that is not finite: those rows are not in ``series``.
    extents : mapping of str to (float, float)
        Lowest and highest finite value of a table's whole column, all its runs, by metric key; empty for a log.
    bounds : (float, float), optional
        Lowest and highest reward, where the log says.
    bounds_from : str
        How the log knows them, as in :class:`rlscale.curves.Curve`.
    open_because : str
        Why they were open before, as in :class:`rlscale.curves.OpenBounds`, where a ledger says.
    stated_clock : str
        Which seconds the gpu-hours count that it states, where it says.
    recipe_by, seed_by : tuple of str
        The columns of a table that state the recipe (the seed); the name of a tracker's group for the recipe.
    dataset_by : tuple of str
        The columns that name the dataset, whose values stand in the keys of ``series`` (``accuracy@math``).
    metric_advice : str
        What else than ``--metric`` may help where no reward is recognised.
    recipe, seed, model_params, config, metrics, settings
        As in :class:`rlscale.curves.Run`; None or empty where the log holds none.
    logp_passes : float, optional
        Log-probability passes (old policy, reference) over each batch, where the log tells.
    sample_length : float, optional
        Mean tokens of one sample, prompt and response.
    refused : str
        Why no curve can be made of this run, where others of its file may be used; empty where it can.
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
    unplaced: Mapping[str, Series] = field(default_factory=dict)
    origin: Source | None = None
    axis_keys: Mapping[str, Series] = field(default_factory=dict)
    axis_units: Mapping[str, str] = field(default_factory=dict)
    undeclared: str | None = None
    clocks: Mapping[str, Clock] = field(default_factory=dict)
    gpus: float | None = None
    gpus_said: str = ""
    absent: Mapping[str, str] = field(default_factory=dict)
    n_eval: Mapping[str, Series] = field(default_factory=dict)
    sd: Mapping[str, Series] = field(default_factory=dict)
    non_finite: Mapping[str, Series] = field(default_factory=dict)
    extents: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    bounds: tuple[float, float] | None = None
    bounds_from: str = "option"
    open_because: str = "values"
    stated_clock: str = ""
    recipe: str | None = None
    recipe_by: tuple[str, ...] = ()
    seed: int | None = None
    seed_by: tuple[str, ...] = ()
    dataset_by: tuple[str, ...] = ()
    metric_advice: str = ""
    model_params: float | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    trainer: str | None = None
    logp_passes: float | None = None
    sample_length: float | None = None
    refused: str = ""
    repairs: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    metric_repairs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    axis_warnings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def quantities(self) -> dict[str, Series]:
        """All quantities under their keys, ``series`` and ``unplaced``."""
        return {**self.series, **self.unplaced}

    @property
    def keys(self) -> list[str]:
        """The keys of all quantities, as the trainer logged them."""
        return [key for key in self.quantities if not key.startswith(ADDED)]
