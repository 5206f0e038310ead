"""NeMo-RL: every tracker is off by default, validation runs inside the step's timer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from rlscale.sources.history import History
from rlscale.sources.trainers.base import by_table, plain
from rlscale.sources.trainers.canonical import Key
from rlscale.sources.trainers.trainer import Count, Measured, Trainer

__all__ = ["NEMO_RL"]

_REWARD = "validation/accuracy"
_TOKENS, _EACH = "performance/tokens_per_sec", "performance/tokens_per_sec_per_gpu"


def _measure(trainer: Trainer, history: History, config: Mapping[str, Any]) -> Measured:
    """Return compute by the table, the GPUs by the two throughputs, and what ``validation/accuracy`` is.

    It is the mean reward of the validation: a reward outside 0 to 1 needs ``--bounds``.
    """
    measured = by_table(trainer, history, config)
    series, gpus = history.series, measured.gpus
    if gpus is None and _TOKENS in series and _EACH in series:
        gpus = _ratio(history)
        measured = replace(measured, gpus=gpus, gpus_said="recovered from throughput" if gpus else "")
    if _REWARD not in series:
        return measured
    value = series[_REWARD].value[np.isfinite(series[_REWARD].value)]
    warnings = measured.warnings
    if value.size and (value.min() < 0 or value.max() > 1):
        told = f"{_REWARD} is a mean reward, not an accuracy: it runs from {value.min():.3g} to {value.max():.3g} here"
        warnings = (*warnings, f"{told}; give --bounds LO HI, the lowest and highest reward")
    said = {_REWARD: (f"{_REWARD} is the mean reward of the validation, not an accuracy",)}
    return replace(measured, warnings=warnings, metric_repairs=said)


def _ratio(history: History) -> float | None:
    whole, each = history.series[_TOKENS], history.series[_EACH]
    if not np.array_equal(whole.step, each.step):
        return None
    usable = (whole.value > 0) & (each.value > 0)
    if not usable.any():
        return None
    count = float(np.median(whole.value[usable] / each.value[usable]))
    near = 1 <= round(count) < 10**7 and abs(count - round(count)) <= 0.02 * count
    return float(round(count)) if near else None


NEMO_RL = Trainer(
    name="nemo-rl",
    title="NeMo-RL",
    snapshot="0.6.0 (7ea279ab)",
    marks=(
        "validation/pass_k",
        "timing/train/{x...}",
        "timing/validation/{x...}",
        "performance/tokens_per_sec_per_gpu",
        "performance/train_fp_utilization",
        "train/global_valid_toks",
        "train/token_mult_prob_error",
        "train/gen_kl_error",
        "train/probs_ratio",
        "train/kl_penalty",
        "train/approx_entropy",
        "train/mean_gen_tokens_per_sample",
        "train/natural_termination_rate",
        "train/avg_trajectory_age",
        "train/baseline_reward/pct_{x}",
    ),
    keys=(
        Key("step", "step", "source", note="the tracker's own, from 1"),
        Key("validation", _REWARD, "source", note="the mean reward, whatever its name"),
        Key("n_eval", "grpo.max_val_samples", "source", note="in the configuration"),
        Key("train_reward", "train/reward", "source", note="with dynamic sampling of all groups, also those left out"),
        Key("entropy", "train/approx_entropy", "source"),
        Key("kl", "train/kl_penalty", "source"),
        Key("truncation", "train/truncation_rate", "source"),
        Key("response_length", "train/mean_gen_tokens_per_sample", "source"),
        Key("mismatch", "train/gen_kl_error", "source", unit="nats (KL of sampler and trainer)"),
        Key(
            "mismatch",
            "train/token_mult_prob_error",
            "source",
            unit="ratio of probabilities (1 is none)",
            note="NeMo-RL warns above 1.05",
        ),
        Key("mismatch", "train/js_divergence_error", "source", unit="nats (Jensen-Shannon)"),
        Key("mismatch", "train/sampling_importance_ratio", "source", unit="ratio of probabilities (1 is none)"),
        Key("zero_variance", "train/baseline_reward/pct_mixed", "source", complement=True, note="advantage path"),
        Key("staleness", "train/avg_trajectory_age", "source", note="asynchronous training only"),
        Key("tokens", "train/total_num_tokens", "source", note="per step"),
        Key("step_seconds", "timing/train/total_step_time", "source", note="with validation inside it"),
        Key("gpus", _TOKENS, "source", note=f"over {_EACH}; cluster.num_nodes x gpus_per_node"),
        Key("learning_rate", "train/lr", "source"),
        Key("grad_norm", "train/grad_norm", "source"),
    ),
    counts=(Count("tokens", "train/total_num_tokens", "step"),),
    step_timers=("timing/train/total_step_time",),
    eval_timers=("timing/validation/total_validation_time",),
    eval_inside=True,
    gpus=(("cluster.num_nodes", "cluster.gpus_per_node"),),
    samples=("grpo.num_prompts_per_step", "grpo.num_generations_per_prompt"),
    settings={
        "model": ("policy.model_name",),
        "prompts_per_step": ("grpo.num_prompts_per_step",),
        "generations": ("grpo.num_generations_per_prompt",),
        "eval_generations": ("grpo.val_num_generations_per_prompt",),
        "learning_rate": ("policy.optimizer.kwargs.lr", "policy.megatron_cfg.optimizer.lr"),
        "kl_coefficient": ("loss_fn.reference_policy_kl_penalty",),
        "clip_low": ("loss_fn.ratio_clip_min",),
        "clip_high": ("loss_fn.ratio_clip_max",),
        "temperature": ("policy.generation.temperature",),
        "max_response_length": ("policy.generation.max_new_tokens",),
        "precision": ("policy.precision",),
        "seed": ("grpo.seed",),
    },
    native=plain,
    measure=_measure,
    files="logs/exp_NNN/{wandb,tensorboard}, MLflow; each must be switched on (logger.tensorboard_enabled)",
    traps=(
        "No tracker is on by default: what is printed is rounded and is not read.",
        "validation/accuracy is the mean reward and may leave 0 to 1: give --bounds.",
        "pass_k counts rewards above 0.",
        "Validation runs inside timing/train/total_step_time, the first one (before training) outside.",
        "train_data_step{N}.jsonl and val_data_step{N}.jsonl hold samples, not metrics.",
    ),
)
