"""torchforge: W&B or the console, no validation."""

from __future__ import annotations

from rlscale.sources.trainers.canonical import Key
from rlscale.sources.trainers.trainer import Count, Trainer

__all__ = ["TORCHFORGE"]

TORCHFORGE = Trainer(
    name="torchforge",
    title="torchforge",
    snapshot="6e77f0b3 (2025-11)",
    marks=(
        "reward/evaluate_response/{x...}",
        "generator/generate/{x...}",
        "rl_trainer/learning_rate",
        "rl_trainer/step/{x...}",
        "buffer/sample/{x...}",
        "buffer/add/count_episodes_added",
        "episode/avg_response_tokens",
        "grpo_loss/kl_divergence_mean",
        "main/continuous_rollouts/{x...}",
        "generator_perf/{x...}",
    ),
    keys=(
        Key("step", "step", "source", note="the tracker's own"),
        Key("train_reward", "reward/evaluate_response/avg_total_reward", "source"),
        Key("entropy", "rl_trainer/step/avg_policy_entropy", "source"),
        Key("kl", "rl_trainer/step/avg_kl_divergence", "source"),
        Key("kl", "grpo_loss/kl_divergence_mean", "log", versions="from 2025-11"),
        Key("response_length", "episode/avg_response_tokens", "log", versions="from 2025-11"),
        Key("response_length", "generator/generate/avg_tokens_generated", "source"),
        Key("staleness", "buffer/sample/avg_sampled_policy_age", "source"),
        Key("tokens", "generator/generate/sum_tokens_generated", "source", note="generated in one step"),
        Key("step_seconds", "main_perf/continuous_training/total_duration_avg_s", "log"),
        Key("learning_rate", "rl_trainer/learning_rate", "source"),
    ),
    counts=(
        Count("tokens", "generator/generate/sum_tokens_generated", "step"),
        Count("tokens", "episode/avg_response_tokens", "step", times="buffer/add/count_episodes_added"),
        Count("samples", "buffer/add/count_episodes_added", "step"),
    ),
    step_timers=("main_perf/continuous_training/total_duration_avg_s",),
    overlaps=True,
    files="W&B or the console (metric_logging)",
    traps=(
        "It logs no validation: the train reward is fitted.",
        "It logs neither a clip fraction nor the mismatch of sampler and trainer.",
    ),
)
