"""``rlscale show``: metrics, units, configuration and repairs of each run of a log."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from rich.console import Console
from rich.text import Text

from rlscale.answers.coverage import coverage_document, lacking, pooled
from rlscale.answers.numbers import count, quantity
from rlscale.curves import Metric, Series
from rlscale.render.layout import plain_table, print_list, print_wrapped
from rlscale.sources import Log, Named, Survey

__all__ = ["print_survey", "survey_document"]

#: Runs shown in full; more are counted, and JSON has them all.
_SHOWN = 20
#: Other keys shown of a run.
_KEYS = 12


def survey_document(found: Survey) -> dict[str, Any]:
    """Return the JSON document of ``show``."""
    return {
        "schema": 1,
        "runs": [_run(named) for named in found.logs],
        **coverage_document(found.grouping, found.left_out),
        "errors": [{"path": error.path, "message": error.message} for error in found.errors],
    }


def _run(named: Named) -> dict[str, Any]:
    log = named.log
    return {
        "run": named.name,
        "recipe": named.identity.recipe,
        "recipe_from": named.identity.how,
        "seed": named.identity.seed,
        "seed_from": named.identity.seed_how or None,
        "trainer": log.trainer,
        "format": log.format,
        "path": log.path,
        "rows": log.rows,
        "validation": [_reward(log, key) for key in log.validation],
        "train": [_reward(log, key) for key in log.train],
        "metrics": {name: _metric(metric) for name, metric in log.metrics.items()},
        "compute": {unit: _finite(_last(axis)) for unit, axis in log.axes.items()},
        "clocks": {
            name: {"seconds": _finite(_last(clock.seconds)), "counts": clock.says} for name, clock in log.clocks.items()
        },
        "gpus": log.gpus,
        "gpus_from": log.gpus_said or None,
        "absent": dict(log.absent),
        "settings": {name: _plain(value) for name, value in log.settings.items()},
        "config": _plain(dict(log.config)),
        "keys": log.keys,
        "warnings": [*log.warnings],
        "source": _source(named),
    }


def _source(named: Named) -> dict[str, Any]:
    """Return where the run was read from, which a ledger knows of the log that it was kept from."""
    log, repairs = named.log, (*named.repairs, *named.log.repairs)
    if log.origin is None:
        return {"path": log.path, "format": log.format, "rows": log.rows, "repairs": [*repairs]}
    origin = log.origin
    return {"path": origin.path, "format": origin.format, "rows": origin.rows, "repairs": [*origin.repairs, *repairs]}


def _reward(log: Log, key: str) -> dict[str, Any]:
    series = log.series[key]
    graded = log.n_eval.get(key)
    samples = graded.value[np.isfinite(graded.value)] if graded is not None else np.empty(0)
    return {
        "key": key,
        "points": int(np.isfinite(series.value).sum()),
        "first": _finite(_first(series)),
        "last": _finite(_last(series)),
        "n_eval": float(np.median(samples)) if samples.size else None,
        "repairs": [*log.metric_repairs.get(key, ())],
    }


def _metric(metric: Metric) -> dict[str, Any]:
    return {
        "key": metric.key,
        "unit": metric.unit,
        "points": int(np.isfinite(metric.series.value).sum()),
        "first": _finite(_first(metric.series)),
        "last": _finite(_last(metric.series)),
    }


def _first(series: Series) -> float:
    known = series.value[np.isfinite(series.value)]
    return float(known[0]) if known.size else math.nan


def _last(series: Series) -> float:
    known = series.value[np.isfinite(series.value)]
    return float(known[-1]) if known.size else math.nan


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _plain(value: Any, depth: int = 12) -> Any:
    """Return a configuration's value as JSON has it; what JSON has not becomes null or text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner, depth - 1) for key, inner in value.items()} if depth else "..."
    if isinstance(value, list | tuple):
        return [_plain(inner, depth - 1) for inner in value] if depth else "..."
    if isinstance(value, float):
        return _finite(value)
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def print_survey(found: Survey, console: Console) -> None:
    """Print how runs would be pooled, then each: its rewards, canonical metrics, compute, settings, repairs."""
    print_wrapped(console, f"{lacking(found.left_out, len(found.logs))}{pooled(found.grouping)}")
    console.print()
    for named in found.logs[:_SHOWN]:
        _print_run(named, console)
    if len(found.logs) > _SHOWN:
        print_wrapped(console, f"{count(len(found.logs) - _SHOWN, 'more run')}; --json shows all")


def _print_run(named: Named, console: Console) -> None:
    log = named.log
    print_wrapped(console, named.name, style="bold")
    who = f"{log.trainer}, " if log.trainer and log.trainer != log.format else ""
    print_wrapped(console, f"{who}{log.format}, {count(log.rows, 'row')}; {log.path}")
    print_wrapped(console, named.identity.words)
    console.print()
    rows = [("validation", _reward(log, key), "reward") for key in log.validation]
    rows += [("train reward", _reward(log, key), "reward") for key in log.train]
    rows += [
        (name.replace("_", " "), _metric(metric), metric.unit)
        for name, metric in log.metrics.items()
        if name != "train_reward"
    ]
    table = plain_table()
    for heading, justify in (("metric", "left"), ("key", "left"), ("unit", "left"), ("points", "right"),
                             ("first", "right"), ("last", "right")):  # fmt: skip
        table.add_column(heading, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for name, row, unit in rows:
        cells = (name, row["key"], unit, str(row["points"]), _shown(row["first"]), _shown(row["last"]))
        table.add_row(*(Text(cell) for cell in cells))
    if rows:
        console.print(table)
        console.print()
    print_list(console, "Compute", _compute(log))
    print_list(console, "Settings", _settings(log))
    shown = {row["key"] for _, row, _ in rows}
    others = [key for key in log.keys if key not in shown]
    if others:
        more = f" and {len(others) - _KEYS} more (--json)" if len(others) > _KEYS else ""
        print_list(console, "Other keys", [", ".join(others[:_KEYS]) + more])
    said = [*named.repairs, *log.repairs, *(one for key in log.validation for one in log.metric_repairs.get(key, ()))]
    print_list(console, "Repairs", said)
    print_list(console, "Warnings", log.warnings)


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"


def _compute(log: Log) -> list[str]:
    said = [f"{quantity(_last(axis))} {unit}" for unit, axis in log.axes.items() if axis.value.size]
    gpus = "" if log.gpus is None else f" on {log.gpus:g} GPU{'' if log.gpus == 1 else 's'} ({log.gpus_said})"
    for name, clock in log.clocks.items():
        hours = _last(clock.seconds) / 3600
        said.append(f"{quantity(hours)} h by the clock {name}{gpus}: {clock.says}")
    if log.clocks and log.gpus is None:
        said.append("the log does not say how many GPUs: --gpus N gives gpu-hours")
    said.extend(f"no {unit}: {why}" for unit, why in log.absent.items() if unit not in log.axes)
    return said


def _settings(log: Log) -> Sequence[str]:
    if not log.settings:
        return ()
    return [", ".join(f"{name.replace('_', ' ')} {value}" for name, value in log.settings.items())]
