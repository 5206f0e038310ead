"""The compute axis: which unit all runs share, and the compute of each evaluation in it."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import UNITS, Series, canonical_unit
from rlscale.errors import ChoiceError, CurveError, SourceError
from rlscale.sources.log import Log, ReadOptions
from rlscale.sources.totals import value_at

__all__ = ["Axis", "axis_of", "chosen_unit"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Axis:
    """Cumulative compute of one run in one unit.

    Parameters
    ----------
    series : Series
        Cumulative compute against the trainer's step (or a table's own axis).
    unit : str
        Canonical.
    exact : bool
        Whether compute is looked up at equal steps (a table) and not between rows (a log).
    repairs, warnings : tuple of str
        What to say where this axis is used.
    """

    series: Series
    unit: str
    exact: bool
    repairs: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def compute_at(self, steps: Floats) -> Floats:
        """Return cumulative compute at ``steps``, shape (n,); NaN where a table holds none."""
        axis = self.series
        if not self.exact:
            return value_at(axis, steps)
        if not axis.step.size:
            return np.full(steps.size, np.nan)
        place = np.minimum(np.searchsorted(axis.step, steps), axis.step.size - 1)
        found: Floats = np.where(axis.step[place] == steps, axis.value[place], np.nan)
        return found


def chosen_unit(logs: Sequence[tuple[str, Log]], options: ReadOptions) -> str | None:
    """Return the unit all runs are read in, None where ``--compute`` names the column.

    The first of gpu-hours, tokens, samples, steps that every run has; ``flops`` only where nothing else is common.

    Parameters
    ----------
    logs : sequence of (str, Log)
        Run name and log.
    options : ReadOptions
        ``unit`` and ``compute`` settle the choice.

    Raises
    ------
    CurveError
        ``--unit`` is no unit.
    ChoiceError
        No unit is common to all runs.
    """
    if options.unit is not None:
        return canonical_unit(options.unit)
    if options.compute is not None or not logs:
        return None
    holders = {id(log): (name, _units(log, options)) for name, log in logs}
    common = set(UNITS).intersection(*(units for _, units in holders.values() if units))
    unit = next((unit for unit in UNITS if unit in common), None)
    if unit is None and any(units for _, units in holders.values()):
        sets: dict[str, str] = {}
        for name, units in holders.values():
            if units:
                sets.setdefault(" or ".join(u for u in UNITS if u in units), name)
        choices = [f"{name!r} has {units}" for units, name in sets.items()]
        raise ChoiceError("the runs share no unit of compute; read them apart, or give --unit U", choices)
    return unit


def _units(log: Log, options: ReadOptions) -> set[str]:
    units = set(log.axes)
    if log.undeclared is not None:
        units.add("steps")
    if log.seconds is not None and (log.gpus or options.gpus):
        units.add("gpu-hours")
    return units


def axis_of(log: Log, name: str, unit: str | None, options: ReadOptions) -> Axis:
    """Return the compute axis of one run.

    Raises
    ------
    SourceError
        The run has no compute, not this column, or not this unit.
    """
    if options.compute is not None:
        axis = _by_key(log, name, options.compute, options)
    else:
        axis = _by_chosen_unit(log, name, unit, options)
    unused = _gpus_unused(log, axis, options)
    return replace(axis, warnings=(*axis.warnings, unused)) if unused else axis


def _gpus_unused(log: Log, axis: Axis, options: ReadOptions) -> str:
    """Return why ``--gpus`` changes nothing; empty where it does, or where the log's own count is told already."""
    if options.gpus is None or (axis.unit == "gpu-hours" and log.seconds is not None and "gpu-hours" not in log.axes):
        return ""
    if log.format == "table":
        return "--gpus is not used: a table states its own compute"
    if log.seconds is None:
        return f"--gpus is not used: {log.absent.get('gpu-hours', 'the log holds no seconds')}"
    return f"--gpus is not used: compute is in {axis.unit}"


def _by_chosen_unit(log: Log, name: str, unit: str | None, options: ReadOptions) -> Axis:
    if unit is None or not _units(log, options):
        why = f": {next(iter(log.absent.values()))}" if log.absent else ""
        raise SourceError(log.path, f"run {name!r} has no compute{why}; give --compute KEY")
    return _by_unit(log, name, unit, options)


def _by_unit(log: Log, name: str, unit: str, options: ReadOptions) -> Axis:
    exact = log.format == "table"
    warnings = log.axis_warnings.get(unit, ())
    if unit in log.axes:
        return Axis(log.axes[unit], unit, exact, (), warnings)
    if unit == "gpu-hours" and log.seconds is not None:
        return _gpu_hours(log, name, options)
    if log.undeclared is not None and (unit == "steps" or options.unit is not None):
        told = () if options.unit is not None else (_no_unit(log.undeclared),)
        return Axis(log.axis_keys[log.undeclared], unit, exact, (), told)
    has = [u for u in UNITS if u in _units(log, options)]
    why = f": {log.absent[unit]}" if unit in log.absent else ""
    raise SourceError(log.path, f"run {name!r} has no compute in {unit}{why}; give --unit {' or '.join(has)}")


def _no_unit(column: str) -> str:
    return f"no unit is stated: {column!r} is taken as steps (--unit U says what it is)"


def _gpu_hours(log: Log, name: str, options: ReadOptions) -> Axis:
    assert log.seconds is not None
    gpus = log.gpus or options.gpus
    if not gpus:
        raise SourceError(log.path, f"run {name!r} holds seconds and no GPU count; give --gpus N for gpu-hours")
    clock = log.clock if log.gpus else f"{log.clock}, on {gpus:g} GPUs (--gpus)"
    warnings = log.axis_warnings.get("gpu-hours", ())
    if log.gpus and options.gpus and log.gpus != options.gpus:
        warnings = (*warnings, f"the log shows {log.gpus:g} GPUs; --gpus {options.gpus:g} was not used")
    hours = Series(log.seconds.step, log.seconds.value * gpus / 3600)
    return Axis(hours, "gpu-hours", exact=False, repairs=(clock,), warnings=warnings)


def _by_key(log: Log, name: str, key: str, options: ReadOptions) -> Axis:
    exact = log.format == "table"
    if key in log.axis_keys or key in log.series:
        series = log.axis_keys[key] if key in log.axis_keys else log.series[key]
        if not exact:
            series = _counting_up(log, name, key, series)
        elif not series.value.size:
            raise SourceError(log.path, f"run {name!r} holds no number in {key!r}; give another --compute KEY")
        unit, warnings = _unit_of(log, key, options)
        return Axis(series, unit, exact, (), warnings)
    try:
        return _by_unit(log, name, canonical_unit(key), options)  # --compute tokens, said of the axis
    except CurveError:
        pass
    keys = list(dict.fromkeys([*log.axis_keys, *log.series]))
    near = difflib.get_close_matches(key, keys, n=5, cutoff=0.4)
    advice = f"the closest are {', '.join(near)}" if near else "give --compute KEY with one of its columns"
    raise SourceError(log.path, f"holds no compute column {key!r}; {advice}")


def _counting_up(log: Log, name: str, key: str, series: Series) -> Series:
    keep = np.isfinite(series.value)
    step, value = series.step[keep], series.value[keep]
    falls = np.flatnonzero(np.diff(value) < 0)
    if falls.size or not value.size:
        at = f" (it falls at step {step[falls[0] + 1]:g})" if falls.size else ""
        raise SourceError(log.path, f"run {name!r}: {key!r} does not count up{at}; give a cumulative --compute KEY")
    return Series(step, value)


def _unit_of(log: Log, key: str, options: ReadOptions) -> tuple[str, tuple[str, ...]]:
    if options.unit is not None:
        return canonical_unit(options.unit), ()
    known = log.axis_units.get(key)
    if known is not None:
        return known, ()
    try:
        return canonical_unit(key), ()
    except CurveError:
        return "steps", (_no_unit(key),)
