"""AReaL: generation and training overlap, and its rows come after the update they count."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from rlscale.curves import Series
from rlscale.sources.clocks import Clock, timers
from rlscale.sources.history import History
from rlscale.sources.trainers.base import by_table
from rlscale.sources.trainers.canonical import Key
from rlscale.sources.trainers.rows_from_zero import one_step_on
from rlscale.sources.trainers.trainer import Measured, Trainer

__all__ = ["AREAL"]

_EVAL = "timeperf/eval"
_PARTS = "the sum of timeperf/*"
_SAID = "steps count from 0 and rows come after their update: row k is placed at step k + 1"
_POOL = re.compile(r"(?:\w+[:.])?((?:[dptc]\d+)+)")


def _native(key: str) -> str:
    """Return the key of the code for the one of the documentation (``ppo/actor/``)."""
    return f"ppo_actor/{key[10:]}" if key.startswith("ppo/actor/") else key


def _measure(trainer: Trainer, history: History, config: Mapping[str, Any]) -> Measured:
    """Return compute at updates done: the time that passed where it is known, else the sum of ``timeperf/*``."""
    from_zero = any(one.step.size and one.step[0] == 0 for one in history.series.values())
    on = 1.0 if from_zero else 0.0
    series = {key: Series(one.step + on, one.value) for key, one in history.series.items()}
    wall = one_step_on(history.wall) if from_zero else history.wall
    measured = by_table(trainer, replace(history, series=series, wall=wall), config)
    clocks = {} if wall is not None else _clocks(series)
    absent = dict(measured.absent)
    if clocks:
        absent.pop("gpu-hours", None)
    gpus = _allocated(config) or measured.gpus
    said = dict.fromkeys((*trainer.validation(series), *trainer.train(series)), (_SAID,)) if from_zero else {}
    return replace(
        measured,
        series=series,
        wall=wall,
        clocks=clocks,
        absent=absent,
        gpus=gpus,
        gpus_said="from the configuration" if gpus else "",
        metric_repairs=said,
    )


def _clocks(series: Mapping[str, Series]) -> dict[str, Clock]:
    """Return the clocks by the parts of a step, validation apart."""
    parts = [one for key, one in series.items() if re.fullmatch(r"timeperf/[^/]+", key) and key != _EVAL]
    if not parts:
        return {}
    steps = np.unique(np.concatenate([one.step for one in parts]))
    total = np.zeros(steps.size)
    for one in parts:
        total[np.searchsorted(steps, one.step)] += np.nan_to_num(one.value)
    return timers({**series, _PARTS: Series(steps, total)}, (_PARTS,), (_EVAL,))


def _allocated(config: Mapping[str, Any]) -> float | None:
    """Return the GPUs of an allocation such as ``sglang:d4p1t1+d4p1t1``; None where it is written another way."""
    mode = config.get("allocation_mode")
    if not isinstance(mode, str) or len(mode) > 200:
        return None
    total = 0.0
    for pool in mode.split("+"):
        match = _POOL.fullmatch(pool.strip())
        if match is None:
            return None
        total += float(np.prod([float(size) for size in re.findall(r"\d+", match[1])]))
    return total if 0 < total < 1e7 else None


AREAL = Trainer(
    name="areal",
    title="AReaL",
    snapshot="4aef98d8",
    marks=(
        "eval-rollout/reward",
        "rollout/rejected",
        "{ppo|grpo}_actor/task_reward/avg",
        "{ppo|grpo}_actor/update/{x...}",
        "{ppo|grpo}_actor/no_eos_ratios/avg",
        "{ppo|grpo}_actor/seq_len/avg",
        "{ppo|grpo}_actor/kl_rewards/avg",
        "timeperf/train_step",
        "timeperf/rollout",
        "timeperf/update_weights",
        "timeperf/recompute_logp",
        "{x...}/version_stats/{x...}",
    ),
    keys=(
        Key("step", "step", "source", note="the tracker's own, from 0; several rows of a step take several"),
        Key("validation", "eval-rollout/reward", "source"),
        Key("train_reward", "rollout/reward", "source", note="of all that was generated"),
        Key("train_reward", "{ppo|grpo}_actor/task_reward/avg", "source", note="of what was trained on"),
        Key("entropy", "{ppo|grpo}_actor/update/entropy/avg", "source"),
        Key("kl", "{ppo|grpo}_actor/kl_rewards/avg", "source"),
        Key("kl_new_old", "{ppo|grpo}_actor/update/approx_kl/avg", "source"),
        Key("clip_fraction", "{ppo|grpo}_actor/update/clip_ratio/avg", "source"),
        Key("truncation", "{ppo|grpo}_actor/no_eos_ratios/avg", "source"),
        Key("response_length", "ppo_actor/seq_len/avg", "source", minus="ppo_actor/prompt_len/avg"),
        Key("response_length", "grpo_actor/seq_len/avg", "source", minus="grpo_actor/prompt_len/avg"),
        Key(
            "mismatch",
            "{ppo|grpo}_actor/update/behave_approx_kl/avg",
            "source",
            unit="nats (KL of sampler and trainer)",
        ),
        Key(
            "mismatch",
            "{ppo|grpo}_actor/update/behave_imp_weight/avg",
            "source",
            unit="ratio of probabilities (1 is none)",
        ),
        Key("zero_variance", "rollout/rejected", "source", unit="samples (a count)"),
        Key("staleness", "{x...}/version_stats/sample_staleness_theta_avg", "source"),
        Key("staleness", "{x...}/version_stats/sample_staleness_proximal_avg", "source"),
        Key("tokens", "{ppo|grpo}_actor/{x...}/n_tokens", "source", note="of a minibatch"),
        Key("step_seconds", "timeperf/train_step", "source", note="one part; a step is the sum of timeperf/*"),
        Key("learning_rate", "{ppo|grpo}_actor/update/lr", "source"),
        Key("grad_norm", "{ppo|grpo}_actor/update/grad_norm", "source"),
    ),
    overlaps=True,
    eval_inside=True,
    gpus=(("cluster.n_nodes", "cluster.n_gpus_per_node"),),
    samples=("train_dataset.batch_size", "gconfig.n_samples"),
    settings={
        "model": ("actor.path",),
        "prompts_per_step": ("train_dataset.batch_size",),
        "generations": ("gconfig.n_samples",),
        "learning_rate": ("actor.optimizer.lr",),
        "kl_coefficient": ("actor.kl_ctl",),
        "clip_low": ("actor.eps_clip",),
        "clip_high": ("actor.eps_clip_higher", "actor.eps_clip"),
        "temperature": ("gconfig.temperature",),
        "max_response_length": ("gconfig.max_new_tokens",),
        "precision": ("actor.dtype",),
        "seed": ("seed",),
    },
    native=_native,
    measure=_measure,
    files="main.log, whose tables have five digits; W&B, TensorBoard, Trackio where they are switched on",
    traps=(
        "main.log counts the trainer's steps: of several minibatch tables of a step the mean is read.",
        "The tracker's step is at least the trainer's: several minibatch rows of a step take one each.",
        "Generation and training overlap: the time that passed counts; the sum of timeperf/* only without it.",
        "The number of validation samples (eval-rollout/reward__count) is left out before logging.",
        "The documentation writes ppo/actor/, the code ppo_actor/ and before that grpo_actor/: all are read.",
    ),
)
