"""How the rows of a run become a log: the trainer's keys, its compute, its configuration."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import Series
from rlscale.sources.clocks import clocks_of, timers
from rlscale.sources.history import History
from rlscale.sources.log import Log
from rlscale.sources.repair import Replaced, series_of
from rlscale.sources.totals import lost_steps, total_of_counter, total_of_steps
from rlscale.sources.trainers.canonical import compiled
from rlscale.sources.trainers.trainer import Count, Measured, Trainer

__all__ = ["Count", "Measured", "Trainer", "by_table", "flat", "log_of", "lost_seconds", "plain", "steps_of"]

Floats = NDArray[np.float64]


def plain(key: str) -> str:
    """Return a key without what trackers do to it: MLflow writes ``@`` as ``_at_``."""
    return key.replace("_at_", "@") if "_at_" in key else key


def flat(config: Mapping[str, Any], depth: int = 8) -> dict[str, Any]:
    """Return a nested configuration with dots between levels; ``/`` (MLflow) and JSON in strings are levels too."""
    found: dict[str, Any] = {}

    def walk(prefix: str, value: Any, left: int) -> None:
        if isinstance(value, str) and value[:1] == "{" and len(value) < 1 << 20 and left:
            with contextlib.suppress(ValueError, RecursionError):
                value = json.loads(value)
        if isinstance(value, Mapping) and left and value:
            for key, inner in value.items():
                walk(f"{prefix}.{key}" if prefix else str(key), inner, left - 1)
        elif prefix:
            found.setdefault(prefix.replace("/", "."), value)

    walk("", config, depth)
    return found


def log_of(trainer: Trainer, history: History) -> Log:
    """Return the log of a run in the trainer's own keys, its compute measured."""
    history = _in_native(trainer, history)
    config = flat(history.config)
    measured = (trainer.measure or by_table)(trainer, history, config)
    series = measured.series if measured.series is not None else history.series
    return Log(
        name=history.name,
        path=history.path,
        format=history.format,
        trainer=trainer.name,
        rows=history.rows,
        series=series,
        validation=trainer.validation(series),
        train=trainer.train(series),
        metrics=trainer.metrics(series),
        axes=measured.axes,
        axis_keys=measured.axis_keys,
        axis_units=measured.axis_units,
        clocks=clocks_of(measured.clocks, measured.wall or history.wall, measured.lost),
        gpus=measured.gpus or history.gpus,
        gpus_said=measured.gpus_said if measured.gpus else "by the tracker" if history.gpus else "",
        absent=measured.absent,
        n_eval=measured.n_eval,
        sd=measured.sd,
        logp_passes=measured.logp_passes,
        sample_length=measured.sample_length,
        model_params=parameters_of(config),
        recipe=history.group,
        recipe_by=("group",) if history.group else (),
        seed=_seed(trainer, config),
        config=history.config,
        settings=trainer.settings_of(config),
        repairs=(*history.repairs, *measured.repairs),
        warnings=(*history.warnings, *measured.warnings),
        metric_repairs=_with_names(trainer, series, measured.metric_repairs),
        axis_warnings=measured.axis_warnings,
    )


def _with_names(
    trainer: Trainer, series: Mapping[str, Series], repairs: Mapping[str, tuple[str, ...]]
) -> Mapping[str, tuple[str, ...]]:
    """Return the repairs by key, with a sentence on validation keys that the trainer itself never logs."""
    if not trainer.marks or trainer.found("validation", series):
        return repairs
    said = {key: f"{trainer.title} itself logs no {key}: it is the validation by its name"
            for key in trainer.validation(series)}  # fmt: skip
    return {**repairs, **{key: (*repairs.get(key, ()), sentence) for key, sentence in said.items()}}


def parameters_of(config: Mapping[str, Any]) -> float | None:
    """Return the parameters of the policy that a flat configuration states; None where it states none."""
    keys = ("model.num_parameters", "num_parameters")
    value = next((config[key] for key in keys if config.get(key) is not None), None)
    known = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf
    return float(value) if known and value is not None else None


def _seed(trainer: Trainer, config: Mapping[str, Any]) -> int | None:
    seed = trainer.settings_of(config).get("seed")
    return seed if isinstance(seed, int) and not isinstance(seed, bool) and 0 <= seed < 10**18 else None


def _in_native(trainer: Trainer, history: History) -> History:
    names = {key: trainer.native(key) for key in history.series}
    if all(key == name for key, name in names.items()):
        return history
    series: dict[str, Series] = {}
    for key, one in history.series.items():
        series.setdefault(names[key], one)
    replaced = tuple(
        Replaced(
            old.step,
            {at: {names.get(key, key): value for key, value in row.items()} for at, row in old.rows.items()},
        )
        for old in history.replaced
    )
    return replace(history, series=series, replaced=replaced)


def steps_of(series: Mapping[str, Series]) -> Floats:
    """Return every step that any quantity was logged at, shape (n,)."""
    return np.unique(np.concatenate([one.step for one in series.values()])) if series else np.empty(0)


def by_table(trainer: Trainer, history: History, config: Mapping[str, Any]) -> Measured:
    """Return a run's compute by the trainer's counters, timers and configuration."""
    series = history.series
    steps = steps_of(series)
    axes, keys, absent, repairs = _axes(trainer, series)
    axes["steps"] = Series(steps, steps)
    batch = trainer.samples_of(config)
    if batch and "samples" not in axes and steps.size:
        axes["samples"] = Series(steps, np.maximum(steps, 0.0) * batch)
    by_wall = trainer.overlaps and history.wall is not None
    timed = {} if by_wall else timers(series, trainer.step_timers, trainer.eval_timers, inside=trainer.eval_inside)
    if not timed and history.wall is None:
        absent["gpu-hours"] = f"the log holds no {' or '.join(trainer.step_timers) or 'seconds'}"
    gpus = trainer.gpus_of(config)
    return Measured(
        axes=axes,
        axis_keys={key: axes[unit] for key, unit in keys.items()},
        axis_units=keys,
        clocks=timed,
        lost=lost_seconds(history, trainer.step_timers),
        gpus=gpus,
        gpus_said="from the configuration" if gpus else "",
        absent=absent,
        repairs=tuple(repairs),
        axis_warnings=_untimed(trainer, series) if timed else {},
    )


def _axes(
    trainer: Trainer, series: Mapping[str, Series]
) -> tuple[dict[str, Series], dict[str, str], dict[str, str], list[str]]:
    """Return cumulative compute by unit, the unit of each key, why a unit is absent, and what was repaired."""
    axes: dict[str, Series] = {}
    keys: dict[str, str] = {}
    absent: dict[str, str] = {}
    repairs: list[str] = []
    for count in trainer.counts:
        logged = [key for key in series if compiled(count.key).fullmatch(key)]
        if len(logged) != 1 or count.unit in axes:
            continue
        one, factor = series[logged[0]], series.get(count.times)
        if count.times:
            if factor is None or not np.array_equal(factor.step, one.step):
                continue
            one = Series(one.step, one.value * factor.value)
        total, why = _counted(one, count.per, logged[0], repairs)
        if total is None:
            absent[count.unit] = why
        else:
            axes[count.unit] = total
            if not count.times:
                keys[logged[0]] = count.unit
            absent.pop(count.unit, None)
    return axes, keys, absent, repairs


def _untimed(trainer: Trainer, series: Mapping[str, Series]) -> dict[str, tuple[str, ...]]:
    """Return a warning where validation ran outside the step's timer and nothing timed it."""
    if trainer.eval_inside or any(key in series for key in trainer.eval_timers):
        return {}
    if not any(np.any(series[key].step > 0) for key in trainer.validation(series)):
        return {}
    told = f"{trainer.title} logs no time of its validations: gpu-hours leave them out (--clock elapsed has them)"
    return {"gpu-hours": (told,)}


def _counted(logged: Series, per: str, key: str, repairs: list[str]) -> tuple[Series | None, str]:
    """Return the running total of a counter, or None and why it has none."""
    keep = np.isfinite(logged.value)
    one = Series(logged.step[keep], logged.value[keep])
    if not one.step.size:
        return None, f"{key} holds no number"
    if bool(np.any(one.value < 0)):
        return None, f"{key} is negative"
    if per == "total":
        total, falls = total_of_counter(one)
        if falls:
            repairs.append(f"{key} fell {falls} times (a resume that lost the counter); its total goes on")
        return total, ""
    trained = one.step > 0
    why = lost_steps(one.step[trained])
    if why:
        return None, why
    return total_of_steps(one.step[trained], one.value[trained])[0], ""


def lost_seconds(history: History, keys: Iterable[str], once: Iterable[str] = ()) -> tuple[tuple[Replaced, float], ...]:
    """Return the seconds that each resume threw away, by the first of the timers that its rows hold.

    A row's time is the mean over the steps since the row before it; those of ``once`` (validation, checkpoints outside
    the step's timer) count as they stand.
    """
    found = []
    for old in history.replaced:
        series = series_of(old.rows)
        key = next((key for key in keys if key in series), None)
        if key is not None:
            lost, kept = series[key], history.series[key].step if key in history.series else np.empty(0)
            before = kept[kept < lost.step[0]]
            gaps = np.diff(lost.step, prepend=before[-1] if before.size else 0.0)
            beside = sum(float(np.nansum(series[other].value)) for other in once if other in series)
            found.append((old, float(np.nansum(lost.value * gaps)) + beside))
    return tuple(found)
