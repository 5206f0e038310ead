"""PipelineRL: the trainer and the actor are two W&B runs of one experiment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rlscale.sources.history import History
from rlscale.sources.trainers.base import by_table
from rlscale.sources.trainers.canonical import Key
from rlscale.sources.trainers.trainer import Count, Measured, Trainer

__all__ = ["PIPELINERL"]

_STEP = "stats/completed_steps"


def _measure(trainer: Trainer, history: History, config: Mapping[str, Any]) -> Measured:
    """Return compute by the table; the actor's run has no steps of the trainer, and that is said."""
    measured = by_table(trainer, history, config)
    alone = not any(key.startswith(("rl/", "stats/", "throughput/")) for key in history.series)
    if not alone:
        return measured
    told = f"this is the actor's run, which logs no {_STEP}: its steps are log calls; prefer --unit gpu-hours"
    return replace(measured, axis_warnings={"steps": (told,)})


PIPELINERL = Trainer(
    name="pipelinerl",
    title="PipelineRL",
    snapshot="58d39345",
    marks=(
        _STEP,
        "stats/lag",
        "stats/max_actor_version",
        "rl/reward",
        "rl/kl_new_old",
        "rl/ess",
        "rl/ratio_new_old",
        "rl/clamp_log_ratio_new_old_indicator",
        "actor/reward_mean",
        "actor/success_mean",
        "actor/test_reward_mean",
        "actor/test_success_mean",
        "actor/overlong_mean",
        "throughput/sec_per_step",
        "preprocessor/filtered_out_samples",
    ),
    keys=(
        Key("step", _STEP, "source", note="the trainer's run; the actor's has none"),
        Key("validation", "actor/test_reward_mean", "source"),
        Key("validation", "actor/test_success_mean", "source"),
        Key("train_reward", "actor/reward_mean", "source"),
        Key("train_reward", "rl/reward", "source"),
        Key("entropy", "rl/entropy", "source"),
        Key("kl", "rl/kl", "source"),
        Key("kl_new_old", "rl/kl_new_old", "source"),
        Key("clip_fraction", "rl/clamp_log_ratio_new_old_indicator", "source"),
        Key("truncation", "actor/overlong_mean", "source"),
        Key("response_length", "actor/output_tokens_mean", "docs"),
        Key("mismatch", "rl/ratio_new_old", "source", unit="ratio of probabilities (1 is none)"),
        Key("mismatch", "rl/ess", "source", unit="effective sample size, share of samples"),
        Key("zero_variance", "preprocessor/filtered_out_samples", "source", unit="samples (a count)"),
        Key("staleness", "stats/lag", "source"),
        Key("tokens", "stats/tokens", "source", note="cumulative, trained"),
        Key("step_seconds", "throughput/sec_per_step", "source"),
        Key("learning_rate", "stats/lr", "source"),
        Key("grad_norm", "stats/grad_norm", "source"),
    ),
    counts=(Count("tokens", "stats/tokens", "total"),),
    step_timers=("throughput/sec_per_step",),
    overlaps=True,
    settings={
        "loss_type": ("finetune.rl.policy_loss",),
        "model": ("model_path",),
        "generations": ("attempts", "finetune.attempts"),
        "learning_rate": ("finetune.learning_rate",),
        "kl_coefficient": ("finetune.rl.kl_coef",),
        "clip_low": ("finetune.rl.epsilon_low",),
        "clip_high": ("finetune.rl.epsilon_high",),
        "temperature": ("llm.parameters.temperature",),
        "max_response_length": ("llm.parameters.max_tokens",),
        "seed": ("seed", "finetune.seed"),
    },
    measure=_measure,
    files="W&B; the trainer's run and the actor's are separate",
    traps=(
        "The trainer's run holds the compute, the actor's the validation, without the trainer's step.",
        "Generation and training overlap: the time that passed counts, on the GPUs of both.",
        "The GPUs of the world are shares of what the machine has: give --gpus N.",
    ),
)
