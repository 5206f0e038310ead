"""RLlib: results of Tune, flat in ``progress.csv`` and TensorBoard, nested in ``result.json``."""

from __future__ import annotations

from rlscale.sources.trainers.canonical import Key
from rlscale.sources.trainers.trainer import Count, Trainer

__all__ = ["RLLIB"]

_TUNE = "ray/tune/"


def _native(key: str) -> str:
    """Return a key without what Tune writes before it in TensorBoard."""
    return key.removeprefix(_TUNE)


RLLIB = Trainer(
    name="rllib",
    title="RLlib",
    snapshot="2.x",
    marks=(
        "env_runners/{x...}",
        "evaluation/env_runners/{x...}",
        "evaluation/episode_reward_mean",
        "episode_reward_mean",
        "episodes_this_iter",
        "num_env_steps_sampled_lifetime",
        "num_env_steps_trained",
        "timesteps_total",
        "time_this_iter_s",
        "time_since_restore",
        "iterations_since_restore",
        "num_healthy_workers",
        "info/learner/{x...}",
        "learners/{x...}",
        "sampler_results/{x...}",
    ),
    keys=(
        Key("step", "training_iteration", "source"),
        Key("validation", "evaluation/env_runners/episode_return_mean", "source"),
        Key("validation", "evaluation/env_runners/episode_reward_mean", "source", versions="2.10 on, old API stack"),
        Key("validation", "evaluation/episode_reward_mean", "source", versions="before 2.10"),
        Key("train_reward", "env_runners/episode_return_mean", "source"),
        Key("train_reward", "env_runners/episode_reward_mean", "source", versions="2.10 on, old API stack"),
        Key("train_reward", "episode_reward_mean", "source", versions="before 2.10"),
        Key("entropy", "learners/default_policy/entropy", "docs"),
        Key("entropy", "info/learner/default_policy/learner_stats/entropy", "docs", versions="old API stack"),
        Key("kl_new_old", "learners/default_policy/mean_kl_loss", "docs"),
        Key("kl_new_old", "info/learner/default_policy/learner_stats/kl", "docs", versions="old API stack"),
        Key("step_seconds", "time_this_iter_s", "source"),
        Key("grad_norm", "info/learner/default_policy/learner_stats/grad_gnorm", "docs"),
    ),
    counts=(
        Count("samples", "num_env_steps_sampled_lifetime", "total"),
        Count("samples", "env_runners/num_env_steps_sampled_lifetime", "total"),
        Count("samples", "timesteps_total", "total"),
        Count("samples", "num_env_steps_sampled", "total"),
    ),
    step_timers=("time_this_iter_s",),
    eval_inside=True,
    settings={"learning_rate": ("lr",), "seed": ("seed",)},
    native=_native,
    files="result.json, progress.csv and TensorBoard, in each trial's folder",
    traps=(
        "episode_reward_mean is of the train batch; evaluation/ stands before what an evaluation measured.",
        "The three files of a trial hold the same rows: give one of them, or the folder.",
    ),
)
