"""Stable-Baselines3: its logger, against the timesteps of the environment, and its monitor of episodes."""

from __future__ import annotations

from rlscale.sources.trainers.canonical import Key
from rlscale.sources.trainers.environment_steps import by_environment
from rlscale.sources.trainers.trainer import Trainer

__all__ = ["MONITOR", "STABLE_BASELINES3"]

STABLE_BASELINES3 = Trainer(
    name="stable-baselines3",
    title="Stable-Baselines3",
    snapshot="02533bac",
    marks=(
        "rollout/ep_rew_mean",
        "rollout/ep_len_mean",
        "rollout/success_rate",
        "rollout/exploration_rate",
        "train/explained_variance",
        "train/policy_gradient_loss",
        "train/approx_kl",
        "train/clip_fraction",
        "train/n_updates",
        "train/actor_loss",
        "train/ent_coef",
        "time/total_timesteps",
        "time/fps",
        "eval/mean_ep_length",
    ),
    keys=(
        Key("step", "time/total_timesteps", "source", note="steps of the environment: samples"),
        Key("validation", "eval/mean_reward", "source"),
        Key("train_reward", "rollout/ep_rew_mean", "source", note="mean over the last 100 episodes"),
        Key("kl_new_old", "train/approx_kl", "source"),
        Key("clip_fraction", "train/clip_fraction", "source"),
        Key("learning_rate", "train/learning_rate", "source"),
    ),
    settings={"learning_rate": ("learning_rate",), "epochs": ("n_epochs",), "seed": ("seed",)},
    measure=by_environment,
    files="progress.csv, progress.json, TensorBoard (logger.configure); monitor.csv; evaluations.npz is not read",
    traps=(
        "rollout/ep_rew_mean is a mean over 100 episodes: its values are smoothed.",
        "monitor.csv holds single episodes of one environment; several environments write one file each.",
        "train/entropy_loss is minus the entropy, and is not read as it.",
    ),
)

#: Rows of ``monitor.csv``: one episode each.
MONITOR = Trainer(
    name="stable-baselines3",
    title="Stable-Baselines3",
    snapshot=STABLE_BASELINES3.snapshot,
    marks=(),
    keys=(Key("train_reward", "r", "source", note="of one episode"),),
    measure=by_environment,
)
