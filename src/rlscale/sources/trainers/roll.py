"""ROLL: the time of a step is logged with the next one, and a resume logs the history again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from rlscale.curves import Series
from rlscale.sources.clocks import timers
from rlscale.sources.history import History
from rlscale.sources.keys import is_evaluation
from rlscale.sources.repair import Row
from rlscale.sources.totals import total_of_steps
from rlscale.sources.trainers.base import by_table
from rlscale.sources.trainers.canonical import Key
from rlscale.sources.trainers.rows_from_zero import FROM_ZERO, counts_from_zero, one_step_on, shifted
from rlscale.sources.trainers.trainer import Measured, Trainer

__all__ = ["ROLL"]

_TIME = "time/step_total"
_LENGTH = "token/total_length/mean"
_TAG = re.compile(r"@[a-z_]+$")


def _native(key: str) -> str:
    """Return a key without the tag that tells ROLL how to reduce it: ``actor/pg_loss@sum``."""
    return _TAG.sub("", key)


def _once(rows: Iterable[Row]) -> Iterator[Row]:
    """Yield the rows without those that a resume logged again: the same step with the same values."""
    seen: dict[float, dict[str, float]] = {}
    for step, values in rows:
        tidy = {_native(key): value for key, value in values.items()}
        if seen.get(step) != tidy:
            seen[step] = tidy
            yield step, tidy


def _measure(trainer: Trainer, history: History, config: Mapping[str, Any]) -> Measured:
    """Return compute at updates done.

    Rows count from 0: the train batch of row ``k`` is update ``k + 1``, validation in it came before. The RLVR
    pipeline logs the time of update ``k`` in row ``k``, the agentic one that of ``k + 1``.
    """
    own = history.series
    from_zero = counts_from_zero(own, trainer.train(own), batches=True)
    series = shifted(own) if from_zero else dict(own)
    late = _time_is_late(trainer, own)
    if late:
        on = 0.0 if from_zero else -1.0
        series[_TIME] = Series(own[_TIME].step + on, own[_TIME].value)
    wall = one_step_on(history.wall) if from_zero else history.wall
    measured = by_table(trainer, replace(history, series=series, wall=wall), config)
    axes = dict(measured.axes)
    batch = trainer.samples_of(config)
    if batch and _LENGTH in series:
        one = series[_LENGTH]
        keep = np.isfinite(one.value) & (one.step > 0)
        axes["tokens"] = total_of_steps(one.step[keep], one.value[keep] * batch)[0]
    gpus = measured.gpus or _ratio(series)
    said = f"{_TIME} is the time of the step before: it is placed there"
    return replace(
        measured,
        axes=axes,
        clocks=timers(series, (_TIME,)),
        series=series,
        wall=wall,
        gpus=gpus,
        gpus_said="" if not gpus else measured.gpus_said or "recovered from throughput",
        metric_repairs={key: FROM_ZERO for key in series if not is_evaluation(key)} if from_zero else {},
        axis_warnings={"gpu-hours": (said,)} if late else {},
    )


def _time_is_late(trainer: Trainer, series: Mapping[str, Series]) -> bool:
    """Whether the time in a row is that of the row before: in the RLVR pipeline, whose first row then has none."""
    if _TIME not in series or "val/score/mean" in series:
        return False
    if any(key.startswith("val_correct/") for key in series):
        return True
    rows = [series[key].step for key in trainer.train(series)]
    return bool(rows) and series[_TIME].step[0] > rows[0][0]


def _ratio(series: Mapping[str, Series]) -> float | None:
    whole, each = series.get("system/tps"), series.get("system/tps_gpu")
    if whole is None or each is None or not np.array_equal(whole.step, each.step):
        return None
    usable = (whole.value > 0) & (each.value > 0)
    if not usable.any():
        return None
    count = float(np.median(whole.value[usable] / each.value[usable]))
    return float(round(count)) if 1 <= round(count) < 10**7 and abs(count - round(count)) <= 0.02 * count else None


ROLL = Trainer(
    name="roll",
    title="ROLL",
    snapshot="8eb27cc2",
    marks=(
        "val_correct/{x...}",
        "system/tps_gpu",
        "system/global_step",
        "token/response_length/mean",
        "token/total_length/mean",
        "token/total_response_length/clip",
        "actor/ppo_ratio_clipfrac",
        "actor/clipfrac",
        "actor/approxkl",
        "actor/train_infer_ratio_{x}_mean",
        "actor/train_infer_diff_{x}_mean",
        "actor_train/grad_norm",
        "critic/entropy/mean",
        "scheduler/off_policy_ratio",
        "{domain}/critic/score/mean",
    ),
    keys=(
        Key("step", "system/step", "source", note="from 0; also system/global_step"),
        Key("validation", "val_correct/all/mean", "source", note="share of answers with a score of exactly 1"),
        Key("validation", "val/score/mean", "source", note="agentic pipeline"),
        Key("validation", "val_correct/{domain}/mean", "source"),
        Key("train_reward", "critic/score/mean", "source"),
        Key("train_reward", "critic/rewards/mean", "source"),
        Key("train_reward", "{domain}/critic/score/mean", "source"),
        Key("entropy", "critic/entropy/mean", "source"),
        Key("kl", "actor/kl_loss", "source"),
        Key("kl", "critic/kl", "source"),
        Key("kl_new_old", "actor/approxkl", "source"),
        Key("clip_fraction", "actor/ppo_ratio_clipfrac", "source"),
        Key("clip_fraction", "actor/clipfrac", "source"),
        Key("truncation", "token/total_response_length/clip", "source", unit="samples (a count)"),
        Key("response_length", "token/response_length/mean", "source"),
        Key("mismatch", "actor/train_infer_diff_{x}_mean", "source", unit="difference of probabilities"),
        Key("mismatch", "actor/train_infer_ratio_{x}_mean", "source", unit="ratio of probabilities (1 is none)"),
        Key("zero_variance", "scheduler/group_filter_count", "source", unit="groups (a count)"),
        Key("staleness", "scheduler/off_policy_ratio", "source", unit="share of samples"),
        Key("tokens", _LENGTH, "source", note="mean of a sample; x rollout_batch_size x generations"),
        Key("step_seconds", _TIME, "source", note="of the step before, in the RLVR pipeline"),
        Key("gpus", "system/tps", "source", note="over system/tps_gpu"),
        Key("learning_rate", "actor/lr", "source"),
        Key("grad_norm", "actor_train/grad_norm", "source", note="named after the worker"),
    ),
    step_timers=(_TIME,),
    eval_inside=True,
    samples=("rollout_batch_size", "num_return_sequences_in_group"),
    settings={
        "algorithm": ("adv_estimator",),
        "model": ("pretrain",),
        "prompts_per_step": ("rollout_batch_size",),
        "generations": ("num_return_sequences_in_group",),
        "eval_generations": ("validation.generating_args.num_return_sequences",),
        "epochs": ("ppo_epochs",),
        "learning_rate": ("actor_train.training_args.learning_rate",),
        "temperature": ("actor_infer.generating_args.temperature",),
        "max_response_length": ("response_length",),
        "precision": ("actor_train.model_args.dtype",),
        "seed": ("seed",),
    },
    native=_native,
    measure=_measure,
    rows=_once,
    files="track_with: TensorBoard, W&B, Trackio, or stdout (metrics_tag: {...}); worker_state_pipeline.json",
    traps=(
        "time/step_total in row k is the time of step k - 1 in the RLVR pipeline, of step k in the agentic one.",
        "A resume logs the whole history again; the same rows are read once.",
        "val_correct counts scores of exactly 1, not the mean score.",
        "token/total_response_length/clip is a number of samples, not a share.",
        "Domains stand before the key: math_rule/critic/score/mean.",
    ),
)
