"""OpenRLHF: ``train/`` and ``eval/`` in its trackers, the same names without them in its own log."""

from __future__ import annotations

from rlscale.sources.trainers.canonical import Key
from rlscale.sources.trainers.trainer import Count, Trainer

__all__ = ["OPENRLHF", "as_tracked"]


def as_tracked(key: str) -> str:
    """Return the name under which the trackers hold a key that OpenRLHF prints: ``reward`` is ``train/reward``."""
    if key.startswith(("train/", "eval/")):
        return key
    return f"eval/{key}" if key.startswith("eval_") else f"train/{key}"


OPENRLHF = Trainer(
    name="openrlhf",
    title="OpenRLHF",
    snapshot="0.11.0 (3c3be623)",
    marks=(
        "train/policy_loss",
        "train/actor_lr",
        "train/actor_grad_norm",
        "train/rollout/reward_mean",
        "train/rollout/num_samples",
        "train/timing/step_total",
        "train/timing/make_experience",
        "train/group_reward_std",
        "train/ppo_clip_ratio",
        "train/vllm_kl",
        "train/logprobs_diff",
        "train/dynamic_filtering_pass_rate",
        "eval/eval_num_samples",
        "eval/eval_{dataset...}_pass{n}",
    ),
    keys=(
        Key("step", "train/global_step", "source", note="validation: eval/global_step, never eval/epoch"),
        Key("validation", "eval/eval_{dataset...}_pass1", "source", note="the double prefix is OpenRLHF's"),
        Key("n_eval", "eval/eval_num_samples", "source", note="prompts x samples"),
        Key("train_reward", "train/rollout/reward_mean", "source", note="before dynamic batches"),
        Key("train_reward", "train/reward", "source"),
        Key("entropy", "train/entropy_loss", "source", note="only where an entropy coefficient is set"),
        Key("kl", "train/kl", "source"),
        Key("kl", "train/logprobs_diff", "source"),
        Key("kl_new_old", "train/ppo_kl", "source"),
        Key("clip_fraction", "train/ppo_clip_ratio", "source"),
        Key("truncation", "train/rollout/truncated_rate", "source"),
        Key("response_length", "train/rollout/response_length_mean", "source"),
        Key("response_length", "train/response_length", "source"),
        Key("mismatch", "train/vllm_kl", "source", unit="nats (KL of sampler and trainer)"),
        Key(
            "zero_variance",
            "train/dynamic_filtering_pass_rate",
            "source",
            complement=True,
            note="groups that the dynamic filter left out; train/group_reward_std beside it",
        ),
        Key("tokens", "train/total_length", "source", note="mean of a sample; x train/rollout/num_samples"),
        Key("step_seconds", "train/timing/step_total", "source", note="without validation"),
        Key("learning_rate", "train/actor_lr", "source"),
        Key("grad_norm", "train/actor_grad_norm", "source"),
    ),
    counts=(
        Count("samples", "train/rollout/num_samples", "step"),
        Count("tokens", "train/rollout/num_samples", "step", times="train/total_length"),
    ),
    step_timers=("train/timing/step_total",),
    gpus=(
        ("actor.num_nodes", "actor.num_gpus_per_node"),
        ("vllm.num_engines", "vllm.tensor_parallel_size", "not train.colocate_all"),
        ("ref.num_nodes", "ref.num_gpus_per_node", "not train.colocate_all", "not train.colocate_actor_ref"),
        ("actor_num_nodes", "actor_num_gpus_per_node"),
        ("vllm_num_engines", "vllm_tensor_parallel_size", "not colocate_all_models"),
        ("ref_num_nodes", "ref_num_gpus_per_node", "not colocate_all_models", "not colocate_actor_ref"),
    ),
    settings={
        "algorithm": ("algo.advantage.estimator", "advantage_estimator"),
        "loss_type": ("actor.policy_loss_type", "policy_loss_type"),
        "model": ("actor.model_name_or_path", "pretrain"),
        "prompts_per_step": ("rollout.batch_size", "rollout_batch_size"),
        "generations": ("rollout.n_samples_per_prompt", "n_samples_per_prompt"),
        "eval_generations": ("eval_n_samples_per_prompt",),
        "epochs": ("train.max_epochs", "max_epochs"),
        "learning_rate": ("actor.adam.lr", "actor_learning_rate"),
        "kl_coefficient": ("algo.kl.init_coef", "init_kl_coef"),
        "clip_low": ("eps_clip",),
        "clip_high": ("eps_clip",),
        "temperature": ("rollout.temperature", "temperature"),
        "max_response_length": ("rollout.max_new_tokens", "generate_max_len"),
        "precision": ("ds.param_dtype",),
        "seed": ("train.seed", "seed"),
    },
    files="its console (Global step N: {...}); W&B with a key, TensorBoard in {tensorboard_dir}/{run_name}",
    traps=(
        "Without a tracker the log exists on the console only.",
        "W&B draws eval/* against eval/epoch, which is never logged; the step is eval/global_step.",
        "pass{n} is the mean of the best of n, not the mean reward; pass1 is.",
        "Validations are not timed: gpu-hours hold them only by --clock elapsed.",
        "train/timing/step_total is the time that passed less validation where training is asynchronous, else a sum "
        "of its parts.",
    ),
)
