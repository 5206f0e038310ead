"""Logs and options to runs: the choice of metric, of compute axis, of bounds, and of the stretch to keep."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import Curve, Run, Series, Source, assumed
from rlscale.errors import ChoiceError, CurveError, EmptyError, SourceError
from rlscale.sources.axes import chosen_kind
from rlscale.sources.beside import kept_series
from rlscale.sources.bounds import OPEN, Scaled, bounded, provisional, without_outliers
from rlscale.sources.compute import Axis, axis_of
from rlscale.sources.formats import states_compute
from rlscale.sources.grouping import Identity
from rlscale.sources.log import Log, ReadOptions
from rlscale.sources.repair import tidy
from rlscale.sources.text import plural
from rlscale.sources.trainers import TRAINERS
from rlscale.sources.trainers.other import OTHER

__all__ = ["Named", "assemble"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Named:
    """A log under the name, recipe and seed its run will have."""

    log: Log
    name: str
    identity: Identity
    repairs: tuple[str, ...] = ()
    asked: bool = False


def assemble(logs: Sequence[Named], options: ReadOptions) -> tuple[list[Run], list[SourceError]]:
    """Return the runs and, for those that are left out, errors.

    Raises
    ------
    ChoiceError
        Several metrics or no metric where the options name none, or runs without a common compute axis.
    InputError
        An option that cannot be.
    """
    errors: list[SourceError] = []
    picked = _with_metric(logs, options, errors)
    ready = _with_axis(picked, options, errors)
    runs: list[Run] = []
    emptied: dict[str, list[str]] = {}
    for named, metric, axis in ready:
        try:
            run = _run(named, metric, axis, options)
        except CurveError as error:
            why = error.on_command_line
            errors.append(SourceError(named.log.path, f"run {named.name!r}: {why}", [named.name], why))
            continue
        if run is None:
            emptied.setdefault(named.log.path, []).append(named.name)
        else:
            runs.append(run)
    cut = options.since is not None or options.until is not None  # else nothing was evaluated yet
    for path, names in emptied.items():
        where = _where(options)
        said = f"{plural(len(names), 'run')} without a point{where} left out: {_listed(names)}"
        errors.append((SourceError if cut else EmptyError)(path, said, names, f"no point{where}"))
    return _with_bounds(runs, {named.name: named.log for named, _, _ in ready}, options), errors


def _with_bounds(runs: Sequence[Run], logs: Mapping[str, Log], options: ReadOptions) -> list[Run]:
    """Return the runs with the bounds that nobody stated decided together, without outliers where they are open."""
    free = [run for run in runs if run.curve.open is not None]
    scaled = [_scaled(run, logs[run.name]) for run in free]
    asked = options.bounds == OPEN
    curves = assumed([run.curve for run in free]) if asked else bounded(scaled)
    cleaned = [without_outliers(curve) for curve in curves]
    if any(said for _, said in cleaned):  # levels and range are those of what is left
        curves = assumed([curve for curve, _ in cleaned])
    decided = {run.name: (curve, said) for run, curve, (_, said) in zip(free, curves, cleaned, strict=True)}
    return [_in_bounds(run, *decided.get(run.name, (run.curve, ()))) for run in runs]


def _scaled(run: Run, log: Log) -> Scaled:
    metric = run.curve.metric
    path = run.source.path if run.source else ""
    return Scaled(run.name, path, run.curve, _finite(log.series[metric].value), log.extents.get(metric))


def _in_bounds(run: Run, curve: Curve, left_out: tuple[str, ...]) -> Run:
    source = run.source
    if source is not None and left_out:
        source = replace(source, repairs=(*source.repairs, *left_out))
    return run.with_curve(curve, source=source, warnings=(*run.warnings, *_outside(curve)))


def _finite(values: Floats) -> Floats:
    return values[np.isfinite(values)]


def _where(options: ReadOptions) -> str:
    limits = [
        f"{flag} {value:g}"
        for flag, value in (("--from", options.since), ("--until", options.until))
        if value is not None
    ]
    return f" within {' '.join(limits)}" if limits else " with a finite reward"


def _listed(names: Sequence[str], most: int = 3) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _with_metric(logs: Sequence[Named], options: ReadOptions, errors: list[SourceError]) -> list[tuple[Named, str]]:
    if options.metric is not None:
        return _with_given_metric(logs, options.metric, errors)
    picked = [(named, _primary(named, logs)) for named in logs]
    bare = [named for named, metric in picked if metric is None]
    if bare and len(bare) < len(logs) and not any(named.asked for named in bare):
        # a folder may hold files that are no training logs; they must not stop the rest
        errors.extend(_no_reward(bare))
    elif bare:
        keys = list(bare[0].log.series)
        message = f"{bare[0].log.path}: no reward is recognised; give --metric KEY{bare[0].log.metric_advice}"
        raise ChoiceError(message, keys[:40]) if keys else SourceError(bare[0].log.path, "holds no numbers to fit")
    chosen = _evaluated([(named, metric) for named, metric in picked if metric is not None], errors)
    metrics = list(dict.fromkeys(metric for _, metric in chosen))
    if len(metrics) > 1:
        paths = {metric: [named.log.path for named, own in chosen if own == metric] for metric in metrics}
        raise ChoiceError("the runs log different rewards; give --metric KEY", metrics, paths)
    return chosen


def _evaluated(picked: list[tuple[Named, str]], errors: list[SourceError]) -> list[tuple[Named, str]]:
    """Return the runs without those that are not evaluated yet, where others of their trainer are."""
    validated = {(named.log.trainer, metric) for named, metric in picked if metric in named.log.validation}
    trainers = {trainer for trainer, _ in validated if trainer is not None}
    if len({metric for _, metric in validated}) != 1:
        return picked
    young = [named for named, _ in picked if named.log.trainer in trainers and not named.log.validation]
    errors.extend(_not_evaluated(young, next(iter(validated))[1]))
    return [(named, metric) for named, metric in picked if named not in young]


def _not_evaluated(young: Sequence[Named], metric: str) -> list[SourceError]:
    return [
        EmptyError(named.log.path, f"run {named.name!r} has no evaluation yet: {metric!r} is not logged", [named.name])
        for named in young
    ]


def _no_reward(bare: Sequence[Named]) -> list[SourceError]:
    first: dict[str, list[Named]] = {}
    for named in bare:
        first.setdefault(named.log.path, []).append(named)
    return [
        SourceError(
            path,
            f"no reward is recognised; give --metric KEY{several[0].log.metric_advice} "
            f"(keys: {_listed(list(several[0].log.series), 12)})",
            [named.name for named in several],
        )
        for path, several in sorted(first.items())
    ]


def _primary(named: Named, logs: Sequence[Named]) -> str | None:
    """Return the one primary metric of a log, None where it has none.

    Raises
    ------
    ChoiceError
        It has several; the candidates are those of all runs of its file.
    """
    log = named.log
    keys = log.validation or log.train
    if len(keys) > 1:
        beside = [other.log for other in logs if other.log.path == log.path]
        known = list(dict.fromkeys(key for other in beside for key in (other.validation or other.train)))
        what = "metrics" if states_compute(log.format) else "validation metrics" if log.validation else "train rewards"
        raise ChoiceError(f"{log.path} holds {len(known)} {what}; give --metric KEY", known)
    return keys[0] if keys else None


def _with_given_metric(logs: Sequence[Named], metric: str, errors: list[SourceError]) -> list[tuple[Named, str]]:
    """Return the logs that have a metric, and how each calls it.

    Raises
    ------
    ChoiceError
        It may be of several datasets.
    """
    chosen: list[tuple[Named, str]] = []
    without: dict[str, list[Named]] = {}
    for named in logs:
        key = _logged_as(named.log, metric)
        if key is not None:
            chosen.append((named, key))
        else:
            without.setdefault(named.log.path, []).append(named)
    having = {named.log.path for named, _ in chosen}
    for path, missing in without.items():
        if path in having:
            names = [named.name for named in missing]
            said = f"{plural(len(names), 'run')} without metric {metric!r} left out: {_listed(names)}"
            errors.append(SourceError(path, said, names, f"no metric {metric!r}"))
        else:
            names = [named.name for named in missing]
            errors.append(SourceError(path, _no_metric(metric, missing), names))
    return chosen


def _no_metric(metric: str, missing: Sequence[Named]) -> str:
    """Say that runs have no such metric, or have it by steps whose compute nobody knows."""
    if any(metric in named.log.unplaced for named in missing):
        unit = ", ".join(next(iter(named.log.axes)) for named in missing[:1])
        return f"keeps {metric!r} by the trainer's step, whose compute in {unit} it does not hold; read the log itself"
    return f"holds no metric {metric!r}; {_closest(metric, missing)}"


def _logged_as(log: Log, metric: str) -> str | None:
    """Return the key of a metric that is given in the trainer's spelling or in a tracker's; None without one."""
    if metric in log.series:
        return metric
    native = next((trainer.native for trainer in (*TRAINERS, OTHER) if trainer.name == log.trainer), str)
    if native(metric) in log.series:
        return native(metric)
    return _of_dataset(log, metric) if log.dataset_by else None


def _of_dataset(log: Log, metric: str) -> str | None:
    """Return the key ``accuracy@math`` of ``math``, ``benchmark@math`` or ``accuracy``; None without one.

    Raises
    ------
    ChoiceError
        There are several.
    """
    column, _, value = metric.rpartition("@")
    wanted = value if column in ("", *log.dataset_by) else ""
    primary = log.validation or log.train
    fits = [key for key in primary or log.series if wanted and key.rpartition("@")[2] == wanted]
    fits = fits or [key for key in log.series if key.rpartition("@")[0] == metric]
    if len(fits) > 1:
        raise ChoiceError(f"{log.path} holds {len(fits)} metrics {metric!r}; give --metric KEY", fits)
    return fits[0] if fits else None


def _closest(metric: str, logs: Sequence[Named]) -> str:
    keys = list(dict.fromkeys(key for named in logs for key in named.log.series))
    near = difflib.get_close_matches(metric, keys, n=5, cutoff=0.4)
    return f"the closest are {', '.join(near)}" if near else f"its keys are {_listed(keys, 12)}"


def _with_axis(
    picked: Sequence[tuple[Named, str]], options: ReadOptions, errors: list[SourceError]
) -> list[tuple[Named, str, Axis]]:
    kind = chosen_kind([(named.name, named.log) for named, _ in picked], options)
    ready: list[tuple[Named, str, Axis]] = []
    refused: dict[tuple[str, str], list[str]] = {}
    for named, metric in picked:
        try:
            ready.append((named, metric, axis_of(named.log, named.name, kind, options)))
        except SourceError as error:
            refused.setdefault((error.path, error.message), []).append(named.name)
    errors.extend(SourceError(path, message, names) for (path, message), names in refused.items())
    return _told_apart(ready)


def _told_apart(ready: list[tuple[Named, str, Axis]]) -> list[tuple[Named, str, Axis]]:
    """Return the runs with a warning on those whose elapsed time is short of what other runs' holds."""
    by_times = [axis.clock == "elapsed" and named.log.clocks["elapsed"].by_times for named, _, axis in ready]
    if not any(by_times):
        return ready
    told = "its elapsed time is the sum of its timers, while that of other runs holds start-up and idle time too"
    return [
        (named, metric, axis if timed or axis.clock != "elapsed" else replace(axis, warnings=(*axis.warnings, told)))
        for (named, metric, axis), timed in zip(ready, by_times, strict=True)
    ]


def _run(named: Named, metric: str, axis: Axis, options: ReadOptions) -> Run | None:
    """Return the run, None where no point is left.

    Raises
    ------
    CurveError
        The points are no curve.
    """
    log = named.log
    series = log.series[metric]
    compute = axis.compute_at(series.step)
    order, repairs = tidy(compute, series.value)
    keep = order[_within(compute[order], options)]
    if not keep.size:
        return None
    reward = series.value[keep]
    bounds, bounds_from = _stated_bounds(log, options)
    curve = Curve(
        compute=compute[keep],
        reward=reward,
        unit=axis.unit,
        clock=axis.clock,
        metric=metric,
        n_eval=_beside(log.n_eval.get(metric), series.step[keep]),
        sd=_beside(log.sd.get(metric), series.step[keep]),
        bounds=bounds,
        bounds_from=bounds_from,
        open=provisional(log, metric, asked=options.bounds == OPEN) if bounds_from == OPEN else None,
    )
    said = (*named.repairs, *log.repairs, *log.metric_repairs.get(metric, ()), *repairs, *axis.repairs)
    return Run(
        name=named.name,
        recipe=named.identity.recipe,
        curve=curve,
        seed=named.identity.seed,
        model_params=log.model_params,
        config=log.config,
        series=kept_series(log, metric, axis),
        metrics=log.metrics,
        settings=log.settings,
        source=_source(log, said),
        warnings=(*log.warnings, *axis.warnings, *_warnings(log, metric)),
    )


def _source(log: Log, repairs: tuple[str, ...]) -> Source:
    """Return where a run was read from: the log itself, not the ledger that it was kept in meanwhile."""
    if log.origin is None:
        return Source(log.path, log.format, log.rows, repairs, log.trainer)
    return replace(log.origin, repairs=tuple(dict.fromkeys((*log.origin.repairs, *repairs))))


def _stated_bounds(log: Log, options: ReadOptions) -> tuple[tuple[float, float], str]:
    """Return the bounds that the options or the log state and how; open until those of all runs are decided."""
    if options.bounds is not None and options.bounds != OPEN:
        return options.bounds, "option"
    if log.bounds is not None and options.bounds is None:
        return log.bounds, log.bounds_from
    return (0.0, 1.0), OPEN


def _within(compute: Floats, options: ReadOptions) -> NDArray[np.bool_]:
    keep: NDArray[np.bool_] = np.ones(compute.size, dtype=bool)
    if options.since is not None:
        keep &= (compute >= options.since) | (compute == 0.0)
    if options.until is not None:
        keep &= compute <= options.until
    return keep


def _beside(series: Series | None, steps: Floats) -> Floats | None:
    """Return a quantity known for some evaluations at ``steps``, NaN elsewhere; None where it is known for none."""
    if series is None or not series.step.size:
        return None
    place = np.minimum(np.searchsorted(series.step, steps), series.step.size - 1)
    values = np.where(series.step[place] == steps, series.value[place], np.nan)
    values[~np.isfinite(values)] = np.nan
    return None if np.isnan(values).all() else values


def _warnings(log: Log, metric: str) -> list[str]:
    said = []
    if metric in log.train and not log.validation:
        said.append(f"no validation metric is logged: the train reward {metric!r} is fitted")
    trained = [key for key in log.train if np.isfinite(log.series[key].value).sum() > 1]
    evaluated = log.series[metric].step[np.isfinite(log.series[metric].value)]
    later = evaluated[evaluated > 0]
    if metric in log.validation and trained and (not later.size or evaluated.size == 1):
        when = f"once, at step {later[0]:g}" if later.size else "before training only"
        said.append(f"validated {when}; the train reward goes on: give --metric {' or '.join(trained)}")
    return said


def _outside(curve: Curve) -> tuple[str, ...]:
    """Say how many rewards lie outside closed bounds."""
    if not curve.n_outside:
        return ()
    low, high = curve.bounds
    away = max(low - float(curve.reward.min()), float(curve.reward.max()) - high)
    return (
        f"{plural(curve.n_outside, 'reward')} outside the bounds [{low:g}, {high:g}], by up to {away:.3g}, kept: "
        "the bounds are those of the mean reward",
    )
