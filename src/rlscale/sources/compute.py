"""Compute of each evaluation of one run: in the unit and on the clock that were chosen."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import UNITS, Series, canonical_unit
from rlscale.errors import CurveError, SourceError
from rlscale.sources.axes import Kind, kinds_of
from rlscale.sources.clocks import CLOCKS
from rlscale.sources.flops import FlopRule
from rlscale.sources.formats import is_table, states_compute
from rlscale.sources.log import SEEN_BY_TRACKER, Log, ReadOptions
from rlscale.sources.totals import value_at

__all__ = ["Axis", "axis_of"]

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
    clock : str
        Which seconds count, for gpu-hours and dollars.
    repairs, warnings : tuple of str
        What to say where this axis is used.
    """

    series: Series
    unit: str
    exact: bool
    clock: str = ""
    repairs: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def compute_at(self, steps: Floats) -> Floats:
        """Return cumulative compute at ``steps``, shape (n,); NaN where a table holds none."""
        axis = self.series
        if not axis.step.size:
            return np.full(steps.size, np.nan)
        if not self.exact:
            return value_at(axis, steps)
        place = np.minimum(np.searchsorted(axis.step, steps), axis.step.size - 1)
        found: Floats = np.where(axis.step[place] == steps, axis.value[place], np.nan)
        return found


def axis_of(log: Log, name: str, kind: Kind | None, options: ReadOptions) -> Axis:
    """Return the compute axis of one run.

    Raises
    ------
    SourceError
        The run has no compute, not this column, or not this unit.
    """
    if (kind is None and options.compute is not None) or (options.compute is not None and options.unit is not None):
        axis = _by_key(log, name, options.compute, options)
    elif kind is None or not kinds_of(log, options):
        raise _without(log, name, kind, options)
    else:
        axis = _by_kind(log, name, kind, options)
    unused = _gpus_unused(log, axis, options)
    return replace(axis, warnings=(*axis.warnings, unused)) if unused else axis


def _without(log: Log, name: str, kind: Kind | None, options: ReadOptions) -> SourceError:
    if options.clock is not None and "gpu-hours" in log.axes:
        return SourceError(log.path, f"run {name!r} states its own gpu-hours, on no clock; leave --clock out")
    if kind is not None and kind[0] in ("gpu-hours", "dollars") and log.clocks:
        return _no_gpus(log, name, options)
    why = f": {next(iter(log.absent.values()))}" if log.absent else ""
    if is_table(log.format):
        return SourceError(log.path, f"run {name!r} has no compute{why}; give --compute COLUMN, or --compute row")
    return SourceError(log.path, f"run {name!r} has no compute{why}; give --compute KEY")


def _gpus_unused(log: Log, axis: Axis, options: ReadOptions) -> str:
    """Return why ``--gpus`` changes nothing; empty where it does, or where the log's own count is told already."""
    if options.gpus is None or axis.clock:
        return ""
    if states_compute(log.format):
        return f"--gpus is not used: a {log.format} states its own compute"
    if not log.clocks:
        return f"--gpus is not used: {log.absent.get('gpu-hours', 'the log holds no seconds')}"
    return f"--gpus is not used: compute is in {axis.unit}"


def _by_kind(log: Log, name: str, kind: Kind, options: ReadOptions) -> Axis:
    unit, clock = kind
    if unit == "dollars" and options.price is not None and (clock or unit not in log.axes):
        hours = _by_kind(log, name, ("gpu-hours", clock), options)
        money = Series(hours.series.step, hours.series.value * options.price)
        said = (*hours.repairs, f"dollars are gpu-hours x {options.price:g} (--price)")
        return replace(hours, series=money, unit="dollars", repairs=said)
    exact = states_compute(log.format)
    warnings = log.axis_warnings.get(unit, ())
    if unit == "gpu-hours" and (clock or (log.clocks and unit not in log.axes)):
        return _gpu_hours(log, name, clock, options)
    if unit in log.axes:
        clock = log.stated_clock if unit in ("gpu-hours", "dollars") else ""
        return Axis(log.axes[unit], unit, exact, clock, (), warnings)
    if unit == "flops" and "tokens" in log.axes:
        return _flops(log, name, options)
    if log.undeclared is not None and (unit == "steps" or options.unit is not None):
        told = () if options.unit is not None else (_no_unit(log.undeclared),)
        return Axis(log.axis_keys[log.undeclared], unit, exact, "", (), told)
    raise _no_unit_of(log, name, unit, options)


def _no_unit_of(log: Log, name: str, unit: str, options: ReadOptions) -> SourceError:
    has = [one for one in UNITS if any(one == held for held, _ in kinds_of(log, options))]
    why = (
        f": {log.absent[unit]}" if unit in log.absent else ": give --price P per GPU-hour" if unit == "dollars" else ""
    )
    return SourceError(log.path, f"run {name!r} has no compute in {unit}{why}; give --unit {' or '.join(has)}")


def _no_unit(column: str) -> str:
    return f"no unit is stated: {column!r} is taken as steps (--unit U says what it is)"


def _no_gpus(log: Log, name: str, options: ReadOptions) -> SourceError:
    if not log.clocks:
        return _no_unit_of(log, name, "gpu-hours", options)
    if options.clock is not None and options.clock not in log.clocks:
        has = " or ".join(clock for clock in CLOCKS if clock in log.clocks)
        return SourceError(log.path, f"run {name!r} has {has}, not {options.clock!r}; give another --clock")
    return SourceError(log.path, f"run {name!r} holds seconds and no GPU count; give --gpus N for gpu-hours")


def _gpu_hours(log: Log, name: str, clock: str, options: ReadOptions) -> Axis:
    seen = log.gpus_said == SEEN_BY_TRACKER  # on one node; the user knows better
    gpus = options.gpus or log.gpus if seen else log.gpus or options.gpus
    if not gpus or clock not in log.clocks:
        raise _no_gpus(log, name, options)
    counted = log.clocks[clock]
    how = "--gpus" if gpus != log.gpus else log.gpus_said
    says = f"{counted.says}, on {gpus:g} GPU{'' if gpus == 1 else 's'}{f' ({how})' if how else ''}"
    warnings = log.axis_warnings.get("gpu-hours", ())
    if log.gpus and options.gpus and log.gpus != options.gpus:
        what = "was used (the tracker saw one node)" if seen else "was not used"
        warnings = (*warnings, f"the log shows {log.gpus:g} GPUs; --gpus {options.gpus:g} {what}")
    hours = Series(counted.seconds.step, counted.seconds.value * gpus / 3600)
    return Axis(hours, "gpu-hours", exact=False, clock=clock, repairs=(says,), warnings=warnings)


def _flops(log: Log, name: str, options: ReadOptions) -> Axis:
    rule = _completed(options.flops, log)
    if rule.params is None:
        message = f"run {name!r} has no compute in flops: give --params N, the active parameters of the policy"
        raise SourceError(log.path, message)
    tokens = log.axes["tokens"]
    axis = Series(tokens.step, tokens.value * rule.per_token())
    warnings = log.axis_warnings.get("tokens", ())
    return Axis(axis, "flops", states_compute(log.format), "", (rule.sentence(),), warnings)


def _completed(rule: FlopRule, log: Log) -> FlopRule:
    """Return the rule with what the log tells where the user does not."""

    def told(own: float | None, value: object) -> float | None:
        if own is not None or isinstance(value, bool) or not isinstance(value, int | float):
            return own
        return float(value) if 0 < value < np.inf else None

    return replace(
        rule,
        params=told(rule.params, log.model_params),
        epochs=told(rule.epochs, log.settings.get("epochs")),
        layers=told(rule.layers, log.settings.get("layers")),
        width=told(rule.width, log.settings.get("width")),
        length=told(rule.length, log.sample_length),
        logp_passes=log.logp_passes if rule.logp_passes is None else rule.logp_passes,
    )


def _by_key(log: Log, name: str, key: str, options: ReadOptions) -> Axis:
    exact = states_compute(log.format)
    if key in log.axis_keys or key in log.series:
        series = log.axis_keys[key] if key in log.axis_keys else log.series[key]
        if not exact:
            series = _counting_up(log, name, key, series)
        elif not series.value.size:
            raise SourceError(log.path, f"run {name!r} holds no number in {key!r}; give another --compute KEY")
        unit, warnings = _unit_of(log, key, options)
        return Axis(series, unit, exact, "", (), warnings)
    try:
        unit = canonical_unit(key)  # --compute tokens, said of the axis
    except CurveError:
        pass
    else:
        held = [kind for kind in kinds_of(log, options) if kind[0] == unit]
        return _by_kind(
            log, name, min(held, key=lambda kind: ("", *CLOCKS).index(kind[1])) if held else (unit, ""), options
        )
    keys = list(dict.fromkeys([*log.axis_keys, *log.series]))
    near = difflib.get_close_matches(key, keys, n=5, cutoff=0.4)
    advice = f"the closest are {', '.join(near)}" if near else "give --compute KEY with one of its columns"
    raise SourceError(log.path, f"holds no compute column {key!r}; {advice}")


def _counting_up(log: Log, name: str, key: str, series: Series) -> Series:
    keep = np.isfinite(series.value)
    step, value = series.step[keep], series.value[keep]
    falls = np.flatnonzero(np.diff(value) < 0)
    still = value.size > 1 and value[0] == value[-1]
    if falls.size or still or not value.size:
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
