"""tinker-cookbook: trains on a remote service, logs ``metrics.jsonl``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rlscale.curves import Series
from rlscale.sources.history import History
from rlscale.sources.keys import is_evaluation
from rlscale.sources.totals import lost_steps, total_of_steps
from rlscale.sources.trainers.base import Measured, Trainer, steps_of
from rlscale.sources.trainers.canonical import Key
from rlscale.sources.trainers.rows_from_zero import FROM_ZERO, shifted

__all__ = ["TINKER"]

_TOKENS = ("env/all/total_ac_tokens", "env/all/total_ob_tokens")
_EPISODES = "env/all/total_episodes"


def _measure(trainer: Trainer, history: History, config: Mapping[str, Any]) -> Measured:
    """Return compute, cumulative over the batches before: tokens (action and observation) and samples (episodes).

    ``step`` counts from 0, so the train batch of row ``k`` is update ``k + 1``; validation in row ``k``, made before
    that update, stays at ``k``. There are no GPUs, hence no gpu-hours.
    """
    series = shifted(history.series)
    steps = steps_of(series)
    totals, absent, warnings = _totals(series)
    absent["gpu-hours"] = "tinker trains on a remote service and logs no GPUs"
    validation = trainer.validation(series)
    beside = {key: key.removesuffix("reward/total") + "total_episodes" for key in validation}
    units = {"total_episodes": "samples", "total_tokens": "tokens"}
    return Measured(
        axes={"steps": Series(steps, steps), **{units[key]: total for key, total in totals.items()}},
        axis_keys=totals,
        axis_units=units,
        absent=absent,
        n_eval={key: series[name] for key, name in beside.items() if name != key and name in series},
        series=series,
        metric_repairs={key: FROM_ZERO for key in series if not is_evaluation(key)},
        axis_warnings=warnings,
    )


def _totals(series: Mapping[str, Series]) -> tuple[dict[str, Series], dict[str, str], dict[str, tuple[str, ...]]]:
    """Return cumulative tokens and episodes, why a unit is absent, and what to warn of."""
    batches = series.get(_EPISODES)
    if batches is None:
        return {}, {}, {}
    lost = lost_steps(batches.step)
    if lost:
        return {}, {"tokens": lost, "samples": lost}, {"steps": (f"tokens and samples are unknown: {lost}",)}
    totals = {"total_episodes": total_of_steps(batches.step, np.nan_to_num(batches.value))[0]}
    parts = [series[key] for key in _TOKENS if key in series]
    if len(parts) == 2 and np.array_equal(parts[0].step, parts[1].step):
        both = np.nan_to_num(parts[0].value + parts[1].value)
        totals["total_tokens"] = total_of_steps(parts[0].step, both)[0]
    return totals, {}, {}


TINKER = Trainer(
    name="tinker",
    title="tinker-cookbook",
    snapshot="9dfcc3a2",
    marks=(
        "env/all/reward/total",
        "test/{x...}env/all/reward/total",
        "test/env/all/reward/total",
        "env/all/total_episodes",
        "env/all/total_ac_tokens",
        "env/all/by_group/frac_mixed",
        "progress/done_frac",
        "optim/kl_sample_train_v1",
        "{x...}/total_episodes",
    ),
    keys=(
        Key("step", "step", "log", note="from 0; also progress/batch"),
        Key("validation", "test/env/all/reward/total", "log"),
        Key("validation", "test/{name...}/env/all/reward/total", "source"),
        Key("n_eval", "test/env/all/total_episodes", "log"),
        Key("train_reward", "env/all/reward/total", "log"),
        Key("entropy", "optim/entropy", "log", note="minus the mean log-probability of what was sampled"),
        Key("kl", "kl_policy_base", "docs"),
        Key("response_length", "env/all/ac_tokens_per_turn", "log", note="of one turn"),
        Key("mismatch", "optim/kl_sample_train_v1", "log", unit="nats (mean difference of log-probabilities)"),
        Key("zero_variance", "env/all/by_group/frac_mixed", "log", complement=True),
        Key("staleness", "training_client/step", "source", minus="sampling_client/step_mean", note="asynchronous only"),
        Key("tokens", "env/all/total_ac_tokens", "log", note="per step; env/all/total_ob_tokens beside it"),
        Key("step_seconds", "time/total", "log", note="with queueing at the service"),
        Key("learning_rate", "optim/lr", "log"),
    ),
    settings={
        "algorithm": ("loss_fn",),
        "model": ("model_name",),
        "prompts_per_step": ("dataset_builder.batch_size", "groups_per_batch"),
        "generations": ("dataset_builder.group_size", "group_size"),
        "epochs": ("num_substeps",),
        "learning_rate": ("learning_rate",),
        "kl_coefficient": ("kl_penalty_coef",),
        "temperature": ("temperature",),
        "max_response_length": ("max_tokens",),
        "seed": ("dataset_builder.seed",),
    },
    measure=_measure,
    files="log_path/metrics.jsonl, always written",
    traps=(
        "A remote service: no GPUs, so no gpu-hours; use tokens or samples.",
        "time/total includes the wait in the service's queue.",
        "A restart at the same path appends: a step that goes back is a resume, back to 0 a new run.",
    ),
)
