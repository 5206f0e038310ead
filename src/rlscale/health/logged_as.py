"""Under which key a trainer logs what a monitor misses: said with every series that is not there."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from rlscale.curves import Run

__all__ = ["LOGGED_AS", "OWN_LOOP", "how_to_log"]

#: What each quantity is, and the key of a loop of one's own.
OWN_LOOP: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "truncation": ("the share of samples cut at the length limit", "truncation"),
        "entropy": ("the policy's entropy in nats per token", "entropy"),
        "kl": ("the KL to the reference in nats per token", "kl"),
        "kl_new_old": ("the KL within an update in nats per token", "approx_kl"),
        "mismatch": ("the mean |Δlog p| between sampler and trainer", "mismatch"),
        "staleness": ("the age of the rollouts in policy versions", "staleness"),
        "zero_variance": ("the share of groups whose rewards are all equal", "zero_variance"),
        "grad_norm": ("the norm of the gradient", "grad_norm"),
        "response_length": ("the mean length of a response in tokens", "response_length"),
    }
)
#: The key of each trainer that logs it, by quantity; a trainer's variable parts are written ``...``.
LOGGED_AS: Mapping[str, Mapping[str, str]] = {
    "truncation": {
        "trl": "completions/clipped_ratio",
        "verl": "response_length/clip_ratio",
        "openrlhf": "train/rollout/truncated_rate",
        "nemo-rl": "train/truncation_rate",
        "prime-rl": "train/agg/all/.../is_truncated/mean",
        "slime": "rollout/truncated_ratio",
        "areal": "ppo_actor/no_eos_ratios/avg",
        "open-instruct": "1 - val/stop_rate",
        "pipelinerl": "actor/overlong_mean",
    },
    "entropy": {
        "trl": "entropy",
        "verl": "actor/entropy",
        "openrlhf": "train/entropy_loss",
        "nemo-rl": "train/approx_entropy",
        "prime-rl": "entropy/all/mean",
        "skyrl": "policy/policy_entropy",
        "slime": "rollout/entropy",
        "roll": "critic/entropy/mean",
        "areal": "ppo_actor/update/entropy/avg",
        "open-instruct": "policy/entropy_avg",
        "tinker": "optim/entropy",
        "pipelinerl": "rl/entropy",
        "torchforge": "rl_trainer/step/avg_policy_entropy",
    },
    "kl": {
        "trl": "kl",
        "verl": "actor/kl_loss",
        "openrlhf": "train/kl",
        "nemo-rl": "train/kl_penalty",
        "prime-rl": "ref_kl/...",
        "skyrl": "policy/policy_kl",
        "slime": "train/kl_loss",
        "roll": "actor/kl_loss",
        "areal": "ppo_actor/kl_rewards/avg",
        "open-instruct": "objective/kl_avg",
        "tinker": "kl_policy_base",
        "pipelinerl": "rl/kl",
        "torchforge": "rl_trainer/step/avg_kl_divergence",
    },
    "kl_new_old": {
        "verl": "actor/ppo_kl",
        "openrlhf": "train/ppo_kl",
        "slime": "train/ppo_kl",
        "roll": "actor/approxkl",
        "areal": "ppo_actor/update/approx_kl/avg",
        "pipelinerl": "rl/kl_new_old",
    },
    "mismatch": {
        "trl": "sampling/sampling_logp_difference/mean",
        "verl": "training/rollout_probs_diff_mean",
        "openrlhf": "train/vllm_kl",
        "nemo-rl": "train/gen_kl_error",
        "prime-rl": "mismatch_kl/all/mean",
        "skyrl": "policy/rollout_train_logprobs_abs_diff_mean",
        "slime": "train/train_rollout_logprob_abs_diff",
        "roll": "actor/train_infer_diff_..._mean",
        "areal": "ppo_actor/update/behave_approx_kl/avg",
        "open-instruct": "debug/vllm_vs_local_logprob_diff_mean",
        "tinker": "optim/kl_sample_train_v1",
        "pipelinerl": "rl/ratio_new_old",
    },
    "staleness": {
        "trl": "sample/staleness_mean",
        "verl": "training/off_policy/trajectory_staleness/mean",
        "nemo-rl": "train/avg_trajectory_age",
        "prime-rl": "off_policy/mean",
        "skyrl": "async/staleness_mean",
        "areal": ".../version_stats/sample_staleness_theta_avg",
        "tinker": "training_client/step - sampling_client/step_mean",
        "pipelinerl": "stats/lag",
        "torchforge": "buffer/sample/avg_sampled_policy_age",
    },
    "zero_variance": {
        "trl": "frac_reward_zero_std",
        "openrlhf": "1 - train/dynamic_filtering_pass_rate",
        "nemo-rl": "1 - train/baseline_reward/pct_mixed",
        "prime-rl": "train/agg/...solved_none + train/agg/...solved_all",
        "open-instruct": "1 - real_batch_size_ratio",
        "tinker": "1 - env/all/by_group/frac_mixed",
    },
    "grad_norm": {
        "trl": "grad_norm",
        "verl": "actor/grad_norm",
        "openrlhf": "train/actor_grad_norm",
        "nemo-rl": "train/grad_norm",
        "prime-rl": "optim/grad_norm",
        "skyrl": "policy/grad_norm",
        "slime": "train/grad_norm",
        "roll": "actor_train/grad_norm",
        "areal": "ppo_actor/update/grad_norm",
        "open-instruct": "optim/grad_norm",
        "pipelinerl": "stats/grad_norm",
    },
    "response_length": {
        "trl": "completions/mean_length",
        "verl": "response_length/mean",
        "openrlhf": "train/rollout/response_length_mean",
        "nemo-rl": "train/mean_gen_tokens_per_sample",
        "prime-rl": "train/agg/all/.../num_output_tokens/mean",
        "skyrl": "generate/avg_num_tokens",
        "slime": "rollout/response_len/mean",
        "roll": "token/response_length/mean",
        "areal": "ppo_actor/seq_len/avg - ppo_actor/prompt_len/avg",
        "open-instruct": "val/sequence_lengths",
        "tinker": "env/all/ac_tokens_per_turn",
        "pipelinerl": "actor/output_tokens_mean",
        "torchforge": "generator/generate/avg_tokens_generated",
    },
}


def how_to_log(run: Run, name: str) -> str:
    """Return what to log so that a quantity can be judged.

    Parameters
    ----------
    run : Run
        Its source names the trainer, where that is known.
    name : str
        The canonical quantity.
    """
    what, key = OWN_LOOP[name]
    trainer = "" if run.source is None else run.source.trainer or ""
    native = LOGGED_AS.get(name, {}).get(trainer)
    return f"log {what} ({trainer}: {native})" if native is not None else f"log {what} as {key!r}"
