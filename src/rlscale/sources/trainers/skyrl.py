"""SkyRL: verl's manner of logging with keys of its own; its console holds four decimals."""

from __future__ import annotations

from rlscale.sources.trainers.canonical import Key
from rlscale.sources.trainers.trainer import Count, Trainer

__all__ = ["SKYRL"]

SKYRL = Trainer(
    name="skyrl",
    title="SkyRL",
    snapshot="a9564572",
    marks=(
        "reward/avg_raw_reward",
        "eval/all/avg_score",
        "eval/{source}/avg_score",
        "trainer/global_step",
        "policy/policy_lr",
        "policy/policy_entropy",
        "policy/policy_kl",
        "policy/loss_metrics/clip_ratio",
        "policy/rollout_train_logprobs_abs_diff_mean",
        "generate/avg_num_tokens",
        "generate/batch_num_seq",
        "timing/train_critic_and_policy",
        "timing/sync_weights",
        "async/staleness_mean",
        "loss/avg_kl",
    ),
    keys=(
        Key("step", "trainer/global_step", "source"),
        Key("validation", "eval/all/avg_score", "source"),
        Key("validation", "eval/{source}/avg_score", "source"),
        Key("n_eval", "generator.eval_n_samples_per_prompt", "source", note="samples of one prompt; configuration"),
        Key("train_reward", "reward/avg_raw_reward", "source"),
        Key("entropy", "policy/policy_entropy", "source"),
        Key("kl", "policy/policy_kl", "source"),
        Key("kl", "loss/avg_kl", "source"),
        Key("clip_fraction", "policy/loss_metrics/clip_ratio", "source"),
        Key("response_length", "generate/avg_num_tokens", "source"),
        Key(
            "mismatch",
            "policy/rollout_train_logprobs_abs_diff_mean",
            "source",
            unit="nats (absolute difference of log-probabilities)",
        ),
        Key("zero_variance", "reward/num_zero_variance_filtered", "source", unit="groups (a count)"),
        Key("staleness", "async/staleness_mean", "source", note="asynchronous training only"),
        Key("tokens", "generate/batch_num_seq", "source", note="x generate/avg_num_tokens: responses of one step"),
        Key("step_seconds", "timing/step", "source", note="validation runs after it: timing/eval"),
        Key("learning_rate", "policy/policy_lr", "source"),
        Key("grad_norm", "policy/grad_norm", "source"),
    ),
    counts=(
        Count("samples", "generate/batch_num_seq", "step"),
        Count("tokens", "generate/batch_num_seq", "step", times="generate/avg_num_tokens"),
    ),
    step_timers=("timing/step",),
    eval_timers=("timing/eval",),
    gpus=(
        ("trainer.placement.policy_num_nodes", "trainer.placement.policy_num_gpus_per_node"),
        (
            "generator.num_inference_engines",
            "generator.inference_engine_tensor_parallel_size",
            "not trainer.placement.colocate_all",
        ),
    ),
    samples=("trainer.train_batch_size", "generator.n_samples_per_prompt"),
    settings={
        "algorithm": ("trainer.algorithm.advantage_estimator",),
        "loss_type": ("trainer.algorithm.policy_loss_type", "trainer.algorithm.ppo_loss_type"),
        "model": ("trainer.policy.model.path",),
        "prompts_per_step": ("trainer.train_batch_size",),
        "generations": ("generator.n_samples_per_prompt",),
        "eval_generations": ("generator.eval_n_samples_per_prompt",),
        "epochs": ("trainer.update_epochs_per_batch",),
        "learning_rate": ("trainer.policy.optimizer_config.lr",),
        "kl_coefficient": ("trainer.algorithm.kl_loss_coef",),
        "clip_low": ("trainer.algorithm.eps_clip_low",),
        "clip_high": ("trainer.algorithm.eps_clip_high",),
        "temperature": ("generator.sampling_params.temperature",),
        "max_response_length": ("generator.sampling_params.max_generate_length",),
        "precision": ("generator.model_dtype",),
        "seed": ("trainer.seed",),
    },
    files="W&B by default; its console (Step N: and a dictionary); TENSORBOARD_DIR, else ./tensorboard_log",
    traps=(
        "The console holds four decimals of each number: a learning rate prints as 0.0000.",
        "./tensorboard_log is one folder for all runs of a directory: give each run its own TENSORBOARD_DIR.",
        "timing/eval runs after timing/step and is added to it.",
        "pass_at_{n} is the share of prompts with one good answer among n, not the mean score.",
    ),
)
