"""TRL and Hugging Face Trainer: ``trainer_state.json``.

Rows of ``log_history`` are sparse: train rows hold means over the ``logging_steps`` steps before them, evaluation
rows (``eval_*``) and the final summary share the step of a train row and are merged with it. ``total_flos`` is 0.0 in
every GRPO log and is never used.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rlscale.curves import Series
from rlscale.errors import FormatError, SourceError
from rlscale.sources.log import Log
from rlscale.sources.metrics import train_keys, validation_keys
from rlscale.sources.repair import Row, number, segments, series_of
from rlscale.sources.text import decoded_head, plural, were, whole_json
from rlscale.sources.totals import total_of_counter, total_of_steps, value_at

__all__ = ["NAME", "read", "sniff"]

NAME = "trl"

_NOT_SERIES = frozenset({"step", "total_flos"})

_CONFIG = ("logging_steps", "eval_steps", "save_steps", "max_steps", "num_train_epochs", "train_batch_size")


def sniff(path: Path, head: bytes) -> bool:
    """Whether the file is a trainer state, by its name or its first keys."""
    text = decoded_head(head)
    return path.name.endswith("trainer_state.json") or (text.lstrip().startswith("{") and '"log_history"' in text)


def read(path: Path) -> list[Log]:
    """Return the runs of a ``trainer_state.json``, one unless several were appended.

    Compute axes, cumulative at an evaluation at step ``s`` (0 at step 0):

    - ``steps``: ``s``;
    - ``tokens``: ``num_tokens`` (prompt and completion, all ranks, train only), which goes on where a resume reset it;
    - seconds, for gpu-hours: ``sum_i step_time_i (s_i - s_(i-1)) + sum eval_runtime`` over the rows up to ``s``, since
      ``step_time`` is the mean over the steps since the row before; loading and checkpoints are not in it.

    Raises
    ------
    FormatError
        A JSON document without ``log_history``.
    SourceError
        The document is torn, or ``log_history`` is empty or holds something other than rows.
    """
    state = whole_json(path)
    if not isinstance(state, dict) or not isinstance(state.get("log_history"), list):
        raise FormatError(str(path), "holds no log_history; give the trainer_state.json that TRL writes")
    history = state["log_history"]
    if not history:
        raise SourceError(str(path), "log_history is empty; the trainer logged nothing before this file was saved")
    repairs: list[str] = []
    parts = segments(_rows(history, str(path), repairs), restart_on_repeat=False)
    if not parts[0].rows:
        raise SourceError(str(path), "no row of log_history has a step; is this a trainer's state?")
    config = {key: state[key] for key in _CONFIG if key in state}
    return [
        _log(str(path), "" if k == 0 else f"#{k + 1}", part.rows, part.count, config, (*repairs, *part.repairs))
        for k, part in enumerate(parts)
    ]


def _rows(history: list[Any], path: str, repairs: list[str]) -> Iterator[Row]:
    without_step = 0
    for position, row in enumerate(history, start=1):
        if not isinstance(row, dict):
            raise SourceError(path, f"entry {position} of log_history is {row!r:.40}, not a row; repair the file")
        step = number(row.get("step", ""))
        if step is None or not np.isfinite(step):
            without_step += 1
            continue
        values = {key: number(value) for key, value in row.items() if key not in _NOT_SERIES}
        yield step, {key: value for key, value in values.items() if value is not None}
    if without_step:
        repairs.append(f"{were(without_step, 'row')} left out: no step")


def _log(
    path: str,
    name: str,
    rows: Mapping[float, Mapping[str, float]],
    count: int,
    config: Mapping[str, Any],
    repairs: tuple[str, ...],
) -> Log:
    series = series_of(rows)
    steps = np.asarray(list(rows))
    axes = {"steps": Series(steps, steps)}
    said = list(repairs)
    tokens = _tokens(series, said)
    if tokens is not None:
        axes["tokens"] = tokens
    seconds, estimated = _seconds(series)
    validation = validation_keys(NAME, series)
    return Log(
        name=name,
        path=path,
        format=NAME,
        rows=count,
        series=series,
        validation=validation,
        train=train_keys(NAME, series),
        axes=axes,
        axis_keys={"num_tokens": axes["tokens"]} if tokens is not None else {},
        axis_units={"num_tokens": "tokens"},
        seconds=seconds,
        clock="gpu-hours count step_time of every step and eval_runtime, not loading and checkpoints",
        absent=_absent(tokens, seconds),
        n_eval={key: prompts for key in validation if (prompts := _prompts(series, key)) is not None},
        config=config,
        repairs=tuple(said),
        axis_warnings={"gpu-hours": estimated} if estimated else {},
    )


def _absent(tokens: Series | None, seconds: Series | None) -> dict[str, str]:
    absent = {}
    if tokens is None:
        absent["tokens"] = "the log holds no num_tokens (TRL logs it from 0.16 on)"
    if seconds is None:
        absent["gpu-hours"] = "the log holds no step_time (TRL logs it from 0.29 on)"
    return absent


def _tokens(series: Mapping[str, Series], repairs: list[str]) -> Series | None:
    """Return the cumulative token counter, at train rows and at evaluations that repeat it.

    A train row without it generated nothing (several updates share one generation), so the counter stands still.
    """
    counter = series.get("num_tokens")
    if counter is None or not np.isfinite(counter.value).any():
        return None
    known: dict[float, float] = {}
    for key in ("eval_num_tokens", "num_tokens"):
        if key in series:
            known.update((s, v) for s, v in zip(series[key].step, series[key].value, strict=True) if np.isfinite(v))
    trained = series.get("grad_norm", series.get("loss", counter)).step
    steps = np.union1d(trained[trained >= counter.step[0]], np.asarray(list(known)))
    held = np.asarray(sorted(known))
    values = np.asarray([known[step] for step in held])
    total, falls = total_of_counter(Series(steps, values[np.searchsorted(held, steps, side="right") - 1]))
    if falls:
        repairs.append(f"num_tokens fell {plural(falls, 'time')} (a resume that lost the counter); its total goes on")
    return total


def _seconds(series: Mapping[str, Series]) -> tuple[Series | None, tuple[str, ...]]:
    """Return cumulative seconds of training and evaluation, and a warning where steps were not logged."""
    timed = series.get("step_time")
    if timed is None or not np.isfinite(timed.value).any():
        return None, ()
    keep = np.isfinite(timed.value)
    train, _ = total_of_steps(timed.step[keep], timed.value[keep])
    evaluated = series.get("eval_runtime", Series(np.empty(0), np.empty(0)))
    counts = np.isfinite(evaluated.value) & (evaluated.step > 0)
    steps = np.union1d(train.step, evaluated.step[counts])
    spent = np.concatenate([[0.0], np.cumsum(evaluated.value[counts])])
    total = value_at(train, steps) + spent[np.searchsorted(evaluated.step[counts], steps, side="right")]
    first, gaps = float(timed.step[keep][0]), np.diff(timed.step[keep])
    if gaps.size and first > 2 * float(np.max(gaps)):
        return Series(steps, total), (
            f"the log starts at step {first:g}: the time of the steps before it is taken from its first row",
        )
    return Series(steps, total), ()


def _prompts(series: Mapping[str, Series], key: str) -> Series | None:
    """Return the prompts behind each value of a metric: ``eval_runtime x eval_samples_per_second``, rounded."""
    stem = key.removesuffix("reward")
    runtime, rate = series.get(f"{stem}runtime"), series.get(f"{stem}samples_per_second")
    if runtime is None or rate is None or not np.array_equal(runtime.step, rate.step):
        return None
    prompts = np.rint(runtime.value * rate.value)
    return Series(runtime.step, np.where(prompts > 0, prompts, np.nan))
