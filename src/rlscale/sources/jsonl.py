"""``metrics.jsonl``: tinker-cookbook's, and any other with one flat object a step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import Series
from rlscale.errors import FormatError
from rlscale.sources.log import Log
from rlscale.sources.metrics import is_validation, train_keys, trainer_like, validation_keys
from rlscale.sources.repair import Row, Segment, number, segments, series_of
from rlscale.sources.roles import STEP_KEYS
from rlscale.sources.text import first_object, json_rows, were
from rlscale.sources.totals import lost_steps, total_of_steps

__all__ = ["NAME", "read", "sniff"]

NAME = "jsonl"
TINKER = "tinker"

Floats = NDArray[np.float64]

#: Cumulative counters by unit, the best of each unit first.
_UNITS = {
    "gpu_hours": "gpu-hours",
    "gpu-hours": "gpu-hours",
    "num_tokens": "tokens",
    "progress/total_tokens": "tokens",
    "total_tokens": "tokens",
    "tokens": "tokens",
    "samples": "samples",
    "episode": "samples",
    "total_episodes": "samples",
    "flops": "flops",
}

_FROM_ZERO = ("steps count from 0: the train batch of row k is placed at step k + 1",)
_BASELINE = ("step 0 is read as the baseline: the rows look like evaluations, not like every train batch",)

_TOKENS = ("env/all/total_ac_tokens", "env/all/total_ob_tokens")
_EPISODES = "env/all/total_episodes"


def sniff(path: Path, head: bytes) -> bool:
    """Whether the first line is a JSON object (the table and verl's file logger are tried before)."""
    return first_object(head) is not None or path.suffix.lower() in {".jsonl", ".ndjson"}


def read(path: Path) -> list[Log]:
    """Return the runs of a ``metrics.jsonl``.

    ``step`` in the series is the number of updates done. Trainers that count from 0 log the train batch of update
    ``k + 1`` in row ``k``: its values are placed at ``k + 1`` (so no train batch passes for a baseline at compute 0),
    and validation in row ``k``, made before that update, stays at ``k``. Rows are train batches where the steps are
    0, 1, 2, ... and something that only trainers log stands beside the reward; others are evaluations, and their
    step 0 is the baseline.

    tinker-cookbook's axes, cumulative over the batches before: ``tokens`` (``total_ac_tokens + total_ob_tokens``) and
    ``samples`` (``total_episodes``); it trains on a remote service, so there are no gpu-hours. Elsewhere ``steps``, and
    any counter named after a unit.

    Raises
    ------
    FormatError
        No row has a step.
    SourceError
        A torn line that is not the last.
    """
    repairs: list[str] = []
    rows = list(_rows(path, repairs))
    if not rows:
        message = f"no row has a step; a metrics.jsonl needs one of the keys {', '.join(STEP_KEYS[:3])}, ..."
        raise FormatError(str(path), message)
    parts = segments(rows)
    return [_log("" if k == 0 else f"#{k + 1}", part, str(path), tuple(repairs)) for k, part in enumerate(parts)]


def _rows(path: Path, repairs: list[str]) -> Iterator[Row]:
    key: str | None = None
    without_step = 0
    for _, row in json_rows(path, repairs):
        values = _flat(row)
        if key is None:
            key = next((name for name in STEP_KEYS if np.isfinite(values.get(name, np.nan))), None)
        step = values.get(key, np.nan) if key is not None else np.nan
        if not np.isfinite(step):
            without_step += 1
            continue
        yield step, {name: value for name, value in values.items() if name != key}
    if without_step and key is not None:
        repairs.append(f"{were(without_step, 'row')} left out: no {key}")


def _flat(row: Mapping[str, Any]) -> dict[str, float]:
    """Return the numbers of a row; those one level down get the key ``outer/inner``."""
    values: dict[str, float] = {}
    for key, value in row.items():
        inner = {f"{key}/{k}": v for k, v in value.items()} if isinstance(value, dict) else {key: value}
        for name, cell in inner.items():
            logged = number(cell)
            if logged is not None:
                values[name] = logged
    return values


def _log(name: str, part: Segment, path: str, repairs: tuple[str, ...]) -> Log:
    keys = list(dict.fromkeys(key for row in part.rows.values() for key in row))
    tinker = any(key.endswith(_EPISODES) for key in keys)
    form = TINKER if tinker else NAME
    validation, train = validation_keys(form, keys), train_keys(form, keys)
    batches = tinker or trainer_like(key for key in keys if key not in train)
    from_zero = tinker or _counts_from_zero(part.rows, train, batches)
    if not (validation or batches):  # a step and a reward alone are evaluations
        validation = tuple(key for key in train if "train" not in key)
    series = _shifted(part.rows) if from_zero else series_of(part.rows)
    steps = np.unique(np.concatenate([one.step for one in series.values()] or [np.asarray(list(part.rows))]))
    totals, absent, warnings = _tinker_totals(series) if tinker else (_counters(series), {}, {})
    said = {key: _FROM_ZERO for key in series if not is_validation(key)} if from_zero else {}
    if not from_zero:
        said = {key: _BASELINE for key in train if key in part.rows.get(0.0, {})}
    return Log(
        name=name,
        path=path,
        format=form,
        rows=part.count,
        series=series,
        validation=validation,
        train=train,
        axes={"steps": Series(steps, steps), **{_UNITS[key]: total for key, total in reversed(totals.items())}},
        axis_keys=totals,
        axis_units=_UNITS,
        absent=absent,
        n_eval=_episodes(series, validation),
        repairs=(*repairs, *part.repairs),
        metric_repairs=said,
        axis_warnings=warnings,
    )


def _counts_from_zero(rows: Mapping[float, Mapping[str, float]], train: tuple[str, ...], batches: bool) -> bool:
    """Whether row 0 holds a train batch: one of rows 0, 1, 2, ... of what a trainer logs, and no evaluation."""
    first = rows.get(0.0, {})
    holds = any(key in first for key in train) if train else any(not is_validation(key) for key in first)
    if not (holds and batches):
        return False
    steps = np.array([step for step, row in rows.items() if not train or any(key in row for key in train)])
    return steps.size < 2 or float(np.median(np.diff(steps))) == 1.0


def _shifted(rows: Mapping[float, Mapping[str, float]]) -> dict[str, Series]:
    """Return the series of rows counted from 0 against updates done: train values one step on."""
    return {
        key: series if is_validation(key) else Series(series.step + 1, series.value)
        for key, series in series_of(rows).items()
    }


Totals = tuple[dict[str, Series], dict[str, str], dict[str, tuple[str, ...]]]


def _tinker_totals(series: Mapping[str, Series]) -> Totals:
    """Return cumulative tokens and episodes, why a unit is absent, and what to warn of."""
    absent = {"gpu-hours": "tinker trains on a remote service and logs no GPUs"}
    batches = series.get(_EPISODES)
    if batches is None:
        return {}, absent, {}
    lost = lost_steps(batches.step)
    if lost:
        warning = f"tokens and samples are unknown: {lost}"
        return {}, {**absent, "tokens": lost, "samples": lost}, {"steps": (warning,)}
    totals = {"total_episodes": total_of_steps(batches.step, np.nan_to_num(batches.value))[0]}
    parts = [series[key] for key in _TOKENS if key in series]
    if len(parts) == 2 and np.array_equal(parts[0].step, parts[1].step):
        both = np.nan_to_num(parts[0].value + parts[1].value)
        totals["total_tokens"] = total_of_steps(parts[0].step, both)[0]
    return totals, absent, {}


def _counters(series: Mapping[str, Series]) -> dict[str, Series]:
    """Return the counters a log holds, by key: numbers that never fall, from 0 up."""
    totals: dict[str, Series] = {}
    for key in _UNITS:
        logged = series.get(key, Series(np.empty(0), np.empty(0)))
        keep = np.isfinite(logged.value)
        value = logged.value[keep]
        if value.size and value[0] >= 0 and np.all(np.diff(value) >= 0):
            totals[key] = Series(logged.step[keep], value)
    return totals


def _episodes(series: Mapping[str, Series], validation: tuple[str, ...]) -> dict[str, Series]:
    """Return the graded samples of tinker's evaluations: ``.../total_episodes`` beside ``.../reward/total``."""
    beside = {key: key.removesuffix("reward/total") + "total_episodes" for key in validation}
    return {key: series[name] for key, name in beside.items() if name != key and name in series}
