"""CleanRL: single-file loops that log to TensorBoard against the steps of the environment."""

from __future__ import annotations

from rlscale.sources.trainers.canonical import Key
from rlscale.sources.trainers.environment_steps import by_environment
from rlscale.sources.trainers.trainer import Trainer

__all__ = ["CLEANRL"]

CLEANRL = Trainer(
    name="cleanrl",
    title="CleanRL",
    snapshot="1.x",
    marks=(
        "charts/episodic_return",
        "charts/episodic_length",
        "charts/SPS",
        "charts/learning_rate",
        "charts/update",
        "charts/avg_episodic_return",
        "losses/value_loss",
        "losses/policy_loss",
        "losses/old_approx_kl",
        "losses/approx_kl",
        "losses/clipfrac",
        "losses/explained_variance",
        "losses/qf1_loss",
        "losses/td_loss",
        "losses/q_values",
    ),
    keys=(
        Key("step", "global_step", "source", note="steps of the environment: samples"),
        Key("validation", "eval/episodic_return", "source"),
        Key("train_reward", "charts/avg_episodic_return", "source"),
        Key("train_reward", "charts/episodic_return", "source", note="of single episodes"),
        Key("entropy", "losses/entropy", "source"),
        Key("kl_new_old", "losses/approx_kl", "source"),
        Key("clip_fraction", "losses/clipfrac", "source"),
        Key("learning_rate", "charts/learning_rate", "source"),
    ),
    settings={"learning_rate": ("learning_rate",), "epochs": ("update_epochs",), "seed": ("seed",)},
    measure=by_environment,
    files="TensorBoard, runs/{env}__{experiment}__{seed}__{time}; W&B where --track is set",
    traps=(
        "charts/episodic_return are single episodes of the train batch: several of one step, of which the last counts.",
    ),
)
