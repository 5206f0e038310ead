"""slime: three step axes, of which the rollout's counts the updates that are compared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from rlscale.curves import Series
from rlscale.sources.history import History
from rlscale.sources.keys import is_evaluation
from rlscale.sources.repair import Row
from rlscale.sources.trainers.base import by_table
from rlscale.sources.trainers.canonical import Key
from rlscale.sources.trainers.rows_from_zero import one_step_on
from rlscale.sources.trainers.trainer import Measured, Trainer, product

__all__ = ["SLIME"]

_STEP = "train/step"
_SAID = "rollouts count from 0: what was logged of rollout k is placed at k + 1, the validation before it at 0"


def _on_rollouts(rows: Iterable[Row]) -> Iterator[Row]:
    """Yield the rows with those of the optimizer's steps at the rollout they belong to, as means over its steps.

    ``train/step`` counts the optimizer's steps of all rollouts; its rows follow the rollout they train on.
    """
    rollout, held = 0.0, list[dict[str, float]]()
    for step, values in rows:
        if _STEP in values:
            held.append(values)
            continue
        if held and step != rollout:
            yield rollout, _mean(held)
            held = []
        rollout = step
        yield step, values
    if held:
        yield rollout, _mean(held)


def _mean(rows: list[dict[str, float]]) -> dict[str, float]:
    keys = {key: None for row in rows for key in row if key != _STEP}
    return {key: float(np.mean([row[key] for row in rows if key in row])) for key in keys}


def _measure(trainer: Trainer, history: History, config: Mapping[str, Any]) -> Measured:
    """Return compute at updates done, and every series on that axis.

    What a tracker holds at ``train/step`` is averaged over the optimizer's steps of a rollout. The first validation, at
    rollout 0, came before any update unless ``skip_eval_before_train`` is set; the others came after their rollout.
    """
    series = dict(history.series)
    if _STEP in series:
        width = _steps_of_a_rollout(series, config)
        series = {
            key: _binned(one, width) if key.startswith("train/") else one for key, one in series.items() if key != _STEP
        }
    first_is_late = config.get("skip_eval_before_train") is True
    from_zero = any(one.step.size and one.step[0] == 0 for one in series.values())
    if from_zero:
        series = {key: _after_rollout(key, one, first_is_late) for key, one in series.items()}
    wall = one_step_on(history.wall) if from_zero else history.wall
    measured = by_table(trainer, replace(history, series=series, wall=wall), config)
    rewards = (*trainer.validation(series), *trainer.train(series))
    said = dict.fromkeys(rewards, (_SAID,)) if from_zero else {}
    return replace(measured, series=series, wall=wall, metric_repairs=said)


def _after_rollout(key: str, one: Series, first_is_late: bool) -> Series:
    stays = is_evaluation(key) and not first_is_late
    return Series(np.where((one.step == 0) & stays, 0.0, one.step + 1), one.value)


def _steps_of_a_rollout(series: Mapping[str, Series], config: Mapping[str, Any]) -> float:
    """Return how many optimizer steps train on one rollout: by the configuration, else by the highest steps."""
    samples = product(config, ("rollout_batch_size", "n_samples_per_prompt"))
    batch = product(config, ("global_batch_size",))
    if samples and batch and config.get("wandb_always_use_train_step") is not True:
        return max(1.0, float(np.floor(samples / batch)))
    rollouts = [one.step[-1] for key, one in series.items() if key.startswith("rollout/") and one.step.size]
    trained = series[_STEP].step
    if not rollouts or not trained.size:
        return 1.0
    return max(1.0, float(np.rint((trained[-1] + 1) / (max(rollouts) + 1))))


def _binned(one: Series, width: float) -> Series:
    rollout = np.floor(one.step / width)
    steps, place = np.unique(rollout, return_inverse=True)
    finite = np.isfinite(one.value)
    count = np.bincount(place, weights=finite, minlength=steps.size)
    total = np.bincount(place, weights=np.where(finite, one.value, 0.0), minlength=steps.size)
    return Series(steps, np.divide(total, count, out=np.full(steps.size, np.nan), where=count > 0))


SLIME = Trainer(
    name="slime",
    title="slime",
    snapshot="624b824a",
    marks=(
        "rollout/raw_reward",
        "rollout/response_len/mean",
        "rollout/truncated_ratio",
        "rollout/zero_std/count_{r}",
        "rollout/dynamic_filter/drop_{reason}",
        "perf/rollout_time",
        "perf/train_wait_time",
        "perf/actor_train_tflops",
        "perf/actor_train_tok_per_s",
        "perf/tokens_per_gpu_per_sec",
        "train/pg_clipfrac",
        "train/lr-pg_{i}",
        "train/train_rollout_logprob_abs_diff",
        "train/tis_clipfrac",
        "train/ois",
    ),
    keys=(
        Key("step", "rollout/step", "source", note="from 0; train/step and eval/step beside it"),
        Key(
            "validation",
            "eval/{dataset}",
            "source",
            without=("eval/step", "eval/{dataset}-pass@{k}", "eval/{dataset}-truncated_ratio"),
        ),
        Key("n_eval", "n_samples_per_eval_prompt", "source", note="answers to one prompt; configuration"),
        Key("train_reward", "rollout/raw_reward", "source", note="of the task"),
        Key("train_reward", "rollout/rewards", "source", note="after normalisation"),
        Key("entropy", "rollout/entropy", "source"),
        Key("entropy", "train/entropy_loss", "source"),
        Key("kl", "train/kl_loss", "source"),
        Key("kl_new_old", "train/ppo_kl", "source"),
        Key("clip_fraction", "train/pg_clipfrac", "source"),
        Key("truncation", "rollout/truncated_ratio", "source"),
        Key("truncation", "rollout/truncated", "source", note="where the rollout data are logged"),
        Key("response_length", "rollout/response_len/mean", "source"),
        Key("response_length", "rollout/response_lengths", "source", note="where the rollout data are logged"),
        Key(
            "mismatch",
            "train/train_rollout_logprob_abs_diff",
            "source",
            unit="nats (absolute difference of log-probabilities)",
        ),
        Key("mismatch", "train/tis", "source", unit="ratio of probabilities (1 is none)"),
        Key("mismatch", "train/ois", "source", unit="ratio of probabilities (1 is none)"),
        Key("zero_variance", "rollout/zero_std/count_{r}", "source", unit="groups (a count for each reward)"),
        Key("step_seconds", "perf/step_time", "source", note="wait and training, one after the other"),
        Key("learning_rate", "train/lr-pg_0", "source"),
        Key("grad_norm", "train/grad_norm", "source"),
    ),
    step_timers=("perf/step_time",),
    eval_inside=True,
    gpus=(("actor_num_nodes", "actor_num_gpus_per_node"), ("rollout_num_gpus", "not colocate")),
    samples=("rollout_batch_size", "n_samples_per_prompt"),
    settings={
        "algorithm": ("advantage_estimator",),
        "model": ("hf_checkpoint",),
        "prompts_per_step": ("rollout_batch_size",),
        "generations": ("n_samples_per_prompt",),
        "eval_generations": ("n_samples_per_eval_prompt",),
        "learning_rate": ("lr",),
        "kl_coefficient": ("kl_loss_coef",),
        "clip_low": ("eps_clip",),
        "clip_high": ("eps_clip_high", "eps_clip"),
        "temperature": ("rollout_temperature",),
        "max_response_length": ("rollout_max_response_len",),
        "seed": ("seed",),
    },
    measure=_measure,
    rows=_on_rollouts,
    files="its console (perf N: {...}, eval N: {...}); W&B or TensorBoard where they are switched on",
    traps=(
        "rollout/step, train/step and eval/step are three axes; everything is placed on the rollouts done.",
        "A validation before training and one after rollout 0 both stand at 0: the later one is read, as the first.",
        "rollout/rewards are normalised, rollout/raw_reward is the reward of the task.",
        "perf/step_time runs through the rollout and the validation.",
    ),
)
