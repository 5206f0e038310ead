"""Canonical settings behind a trainer's keys: those of the logs' table, and more that only a configuration holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rlscale.sources import trainers
from rlscale.sources.trainers.canonical import SETTINGS as LOGGED

__all__ = ["DEFAULTS", "SETTINGS", "settings_of"]

Flat = Mapping[str, Any]
#: A setting's value, and the key it was written under.
Found = dict[str, tuple[Any, str]]

#: Canonical settings of a configuration: those of runs, and these.
SETTINGS = {
    **LOGGED,
    "total_batch": "completions of one sampling step: prompts x rollouts",
    "batch_per_update": "completions of one update of the policy",
    "updates_per_batch": "updates of the policy on one sampling step",
    "importance_level": "importance ratio by token or by sequence",
    "aggregation": "how the loss is averaged: token_mean, sample_mean, prompt_mean, constant",
    "advantage_normalisation": "what advantages are divided by: group_std, batch_std, none",
    "fp32_head": "whether logits are computed in FP32",
    "zero_variance_filter": "whether groups of equal rewards are left out",
    "asynchronous": "whether generation runs beside training",
    "staleness": "steps that a sample may lag behind the policy",
    "in_flight_updates": "whether weights are updated while generation goes on",
    "off_policy_correction": "whether importance ratios correct for the generator's policy",
    "entropy_coefficient": "weight of the entropy bonus",
    "adam_epsilon": "epsilon of the optimiser",
    "weight_decay": "weight decay of the optimiser",
    "warmup_steps": "steps in which the learning rate rises",
    "lr_schedule": "learning rate after the warm-up",
    "data_passes": "passes over the prompts",
    "mask_truncated": "whether truncated completions are left out of the loss",
}

#: Keys of the trainers, best first, beside those of their tables for logs.
_KEYS: dict[str, dict[str, tuple[str, ...]]] = {
    "trl": {
        "total_batch": ("generation_batch_size",),
        "importance_level": ("importance_sampling_level",),
        "fp32_head": ("cast_lm_head_to_fp32",),
        "entropy_coefficient": ("entropy_coef",),
        "adam_epsilon": ("adam_epsilon",),
        "weight_decay": ("weight_decay",),
        "warmup_steps": ("warmup_steps",),
        "lr_schedule": ("lr_scheduler_type",),
        "data_passes": ("num_train_epochs",),
        "mask_truncated": ("mask_truncated_completions",),
    },
    "verl": {
        "loss_type": ("actor_rollout_ref.actor.policy_loss.loss_mode",),
        "zero_variance_filter": ("algorithm.filter_groups.enable",),
        "entropy_coefficient": ("actor_rollout_ref.actor.entropy_coeff",),
        "adam_epsilon": ("actor_rollout_ref.actor.optim.override_optimizer_config.eps",),
        "weight_decay": ("actor_rollout_ref.actor.optim.weight_decay",),
        "warmup_steps": ("actor_rollout_ref.actor.optim.lr_warmup_steps",),
        "lr_schedule": (
            "actor_rollout_ref.actor.optim.lr_scheduler_type",
            "actor_rollout_ref.actor.optim.warmup_style",
        ),
        "data_passes": ("trainer.total_epochs",),
        "in_flight_updates": ("async_training.partial_rollout",),
    },
    "openrlhf": {
        "batch_per_update": ("train.batch_size", "train_batch_size"),
        "zero_variance_filter": ("algo.dynamic_filtering_enable", "dynamic_filtering"),
        "asynchronous": ("train.async_enable", "async_train"),
        "in_flight_updates": ("train.partial_rollout_enable",),
        "entropy_coefficient": ("actor.entropy_coef", "entropy_loss_coef"),
        "adam_epsilon": ("actor.adam.eps",),
        "weight_decay": ("actor.adam.weight_decay", "l2"),
        "lr_schedule": ("actor.lr_scheduler", "lr_scheduler"),
        "data_passes": ("train.num_episodes", "num_episodes"),
        "max_response_length": ("rollout.max_new_tokens", "generate_max_len"),
    },
    "nemo-rl": {
        "batch_per_update": ("policy.train_global_batch_size",),
        "zero_variance_filter": ("grpo.use_dynamic_sampling",),
        "asynchronous": ("grpo.async_grpo.enabled",),
        "in_flight_updates": ("grpo.async_grpo.in_flight_weight_updates",),
        "off_policy_correction": ("loss_fn.use_importance_sampling_correction",),
        "adam_epsilon": ("policy.optimizer.kwargs.eps", "policy.megatron_cfg.optimizer.adam_eps"),
        "weight_decay": ("policy.optimizer.kwargs.weight_decay", "policy.megatron_cfg.optimizer.weight_decay"),
        "data_passes": ("grpo.max_num_epochs",),
        "mask_truncated": ("grpo.overlong_filtering",),
    },
}

#: What a trainer does where nothing is written, of the settings that evidence is about (TRL 1.16.0, verl 0.9.1,
#: OpenRLHF 0.11.2). NeMo-RL writes everything out.
DEFAULTS: dict[str, dict[str, Any]] = {
    "trl": {
        "loss_type": "dapo", "generations": 8, "learning_rate": 1e-6, "kl_coefficient": 0.0, "clip_low": 0.2,
        "clip_high": 0.2, "algorithm": "grpo", "data_passes": 3,
        "temperature": 1.0, "max_response_length": 512, "epochs": 1, "aggregation": "token_mean",
        "advantage_normalisation": "group_std", "fp32_head": False, "entropy_coefficient": 0.0, "adam_epsilon": 1e-8,
        "lr_schedule": "linear", "warmup_steps": 0, "importance_level": "token", "asynchronous": False,
    },
    "verl": {
        "loss_type": "vanilla", "prompts_per_step": 1024, "generations": 1, "learning_rate": 1e-6,
        "kl_coefficient": 0.0, "clip_low": 0.2, "clip_high": 0.2, "temperature": 1.0, "max_response_length": 512,
        "epochs": 1, "aggregation": "token_mean", "advantage_normalisation": "group_std",
        "zero_variance_filter": False, "entropy_coefficient": 0.0, "adam_epsilon": 1e-8, "lr_schedule": "constant",
        "off_policy_correction": False, "asynchronous": False, "data_passes": 30, "algorithm": "gae",
    },
    "openrlhf": {
        "loss_type": "ppo", "prompts_per_step": 1024, "generations": 1, "batch_per_update": 128,
        "learning_rate": 1e-6, "kl_coefficient": 0.01, "clip_low": 0.2, "clip_high": 0.2, "temperature": 1.0,
        "epochs": 1, "aggregation": "token_mean", "zero_variance_filter": False, "adam_epsilon": 1e-8,
        "lr_schedule": "cosine_with_min_lr", "off_policy_correction": False, "asynchronous": False, "data_passes": 1,
        "algorithm": "gae",
    },
    "nemo-rl": {},
}  # fmt: skip


def settings_of(trainer: str, flat: Flat, gpus: int | None = None) -> Found:
    """Return the canonical settings that a flat configuration states, each with its key.

    Parameters
    ----------
    trainer : str
    flat : mapping
    gpus : int, optional
        GPUs that train: TRL counts its batch by GPU.
    """
    table = next(each_trainer for each_trainer in trainers.TRAINERS if each_trainer.name == trainer)
    own = _KEYS[trainer]
    stated: Found = {}
    for name in SETTINGS:
        keys = own.get(name, table.settings.get(name, ()))
        key = next((key for key in keys if flat.get(key) is not None), None)
        if key is not None:
            stated[name] = flat[key], key
    _DERIVED[trainer](flat, stated)
    if trainer == "trl" and gpus is not None:
        _by_gpu(flat, stated, gpus)
    _counted(stated)
    return stated


def _counted(stated: Found) -> None:
    """Add the total batch and the updates of a batch, where their parts are stated."""
    prompts, n = _whole(stated, "prompts_per_step"), _whole(stated, "generations")
    if prompts and n and "total_batch" not in stated:
        stated["total_batch"] = prompts * n, "total_batch"
    total, each = _whole(stated, "total_batch"), _whole(stated, "batch_per_update")
    if total and n and not prompts and total % n == 0:
        stated["prompts_per_step"] = total // n, "prompts_per_step"
    if total and each and "updates_per_batch" not in stated and each <= total:
        times = _whole(stated, "epochs") or 1
        stated["updates_per_batch"] = round(total / each) * times, "updates_per_batch"


def _whole(stated: Mapping[str, tuple[Any, str]], name: str) -> int | None:
    value = stated.get(name, (None, ""))[0]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e12 or value != int(value):
        return None
    return int(value)


def _trl(flat: Flat, stated: Found) -> None:
    loss = str(flat.get("loss_type", ""))
    averages = {"grpo": "sample_mean", "dr_grpo": "constant", "dapo": "token_mean", "bnpo": "token_mean",
                "cispo": "token_mean"}  # fmt: skip
    if loss in averages:
        stated["aggregation"] = averages[loss], "loss_type"
    if "clip_high" not in stated and "clip_low" in stated:
        stated["clip_high"] = stated["clip_low"]  # epsilon counts on both sides
    scaled = flat.get("scale_rewards")
    divides = {"true": "group_std", "group": "group_std", "batch": "batch_std", "false": "none", "none": "none"}
    if scaled is not None and str(scaled).lower() in divides:
        stated["advantage_normalisation"] = divides[str(scaled).lower()], "scale_rewards"
    if flat.get("use_vllm") is True or "vllm_importance_sampling_correction" in flat:
        corrects = flat.get("vllm_importance_sampling_correction", True)
        stated["off_policy_correction"] = corrects, "vllm_importance_sampling_correction"
    steps, parts = flat.get("steps_per_generation"), flat.get("gradient_accumulation_steps", 1)
    if isinstance(steps, int) and isinstance(parts, int) and parts > 0 and steps % parts == 0:
        times = flat.get("num_iterations", 1)
        stated["updates_per_batch"] = steps // parts * (times if isinstance(times, int) else 1), "steps_per_generation"


def _by_gpu(flat: Flat, stated: Found, gpus: int) -> None:
    """Add the batches that TRL counts by GPU."""
    each, parts = flat.get("per_device_train_batch_size", 8), flat.get("gradient_accumulation_steps", 1)
    if not isinstance(each, int) or not isinstance(parts, int):
        return
    stated["batch_per_update"] = each * parts * gpus, "batch_per_update"
    steps = flat.get("steps_per_generation")
    total = each * (steps if isinstance(steps, int) else parts) * gpus
    stated.setdefault("total_batch", (total, "total_batch"))


def _verl(flat: Flat, stated: Found) -> None:
    actor = "actor_rollout_ref.actor"
    loss_on, reward_on = flat.get(f"{actor}.use_kl_loss"), flat.get("algorithm.use_kl_in_reward")
    if loss_on is False and reward_on is not True:
        stated["kl_coefficient"] = 0.0, f"{actor}.use_kl_loss"
    elif loss_on is not True and reward_on is True:
        coefficient = flat.get("algorithm.kl_ctrl.kl_coef", 0.001)
        stated["kl_coefficient"] = coefficient, "algorithm.kl_ctrl.kl_coef"
    elif loss_on is not True:
        stated.pop("kl_coefficient", None)  # a coefficient without the switch has no effect
    elif "kl_coefficient" not in stated:
        stated["kl_coefficient"] = 0.001, f"{actor}.use_kl_loss"
    averages = {"token-mean": "token_mean", "seq-mean-token-mean": "sample_mean", "seq-mean-token-sum": "constant",
                "seq-mean-token-sum-norm": "constant"}  # fmt: skip
    mode = str(flat.get(f"{actor}.loss_agg_mode"))
    if mode in averages:
        stated["aggregation"] = averages[mode], f"{actor}.loss_agg_mode"
    divided = flat.get("algorithm.norm_adv_by_std_in_grpo")
    if isinstance(divided, bool):
        stated["advantage_normalisation"] = "group_std" if divided else "none", "algorithm.norm_adv_by_std_in_grpo"
    mini, n = flat.get(f"{actor}.ppo_mini_batch_size"), flat.get("actor_rollout_ref.rollout.n", 1)
    if isinstance(mini, int) and isinstance(n, int):
        stated["batch_per_update"] = mini * n, f"{actor}.ppo_mini_batch_size"
    if "algorithm.rollout_correction.rollout_is" in flat:
        weights = flat["algorithm.rollout_correction.rollout_is"]
        stated["off_policy_correction"] = weights is not None, "algorithm.rollout_correction.rollout_is"
    stale = flat.get("async_training.staleness_threshold")
    if stale is not None:
        stated["asynchronous"] = True, "async_training.staleness_threshold"
        stated["staleness"] = stale, "async_training.staleness_threshold"


def _openrlhf(flat: Flat, stated: Found) -> None:
    for key in ("actor.eps_clip_low_high", "eps_clip_low_high"):
        bounds = flat.get(key)
        if isinstance(bounds, list) and len(bounds) == 2:
            stated["clip_low"], stated["clip_high"] = (bounds[0], key), (bounds[1], key)
    averages = {"token-mean": "token_mean", "seq-mean-token-mean": "sample_mean"}
    mode = str(flat.get("actor.loss_agg_mode"))
    if mode in averages:
        stated["aggregation"] = averages[mode], "actor.loss_agg_mode"
    estimator = str(stated.get("algorithm", ("", ""))[0])
    plain = flat.get("algo.advantage.no_std_norm") is True or flat.get("no_advantage_std_norm") is True
    if estimator in ("group_norm", "dr_grpo", "reinforce_baseline", "reinforce", "rloo"):
        by = {"group_norm": "group_std", "dr_grpo": "none"}.get(estimator, "batch_std")
        stated["advantage_normalisation"] = "none" if plain else by, stated["algorithm"][1]
    level = flat.get("algo.advantage.is_correction_level")
    if level is not None:
        stated["off_policy_correction"] = str(level) not in ("off", "False"), "algo.advantage.is_correction_level"
    for key in ("algo.advantage.is_correction_enable", "enable_vllm_is_correction"):
        if flat.get(key) is True:
            stated["off_policy_correction"] = True, key
    if stated.get("asynchronous", (False, ""))[0] is True:
        key = next((key for key in ("train.async_queue_size", "async_queue_size") if key in flat), "")
        stated["staleness"] = flat.get(key, 1), key or stated["asynchronous"][1]


def _nemo_rl(flat: Flat, stated: Found) -> None:
    cispo, sequence = flat.get("loss_fn.use_cispo"), flat.get("loss_fn.sequence_level_importance_ratios")
    if cispo is not None or sequence is not None or "loss_fn.ratio_clip_min" in flat:
        key = (
            "loss_fn.sequence_level_importance_ratios"
            if sequence is True and cispo is not True
            else ("loss_fn.use_cispo" if cispo is not None else "loss_type")
        )
        stated["loss_type"] = "cispo" if cispo is True else "gspo" if sequence is True else "ppo", key
    by_token = flat.get("loss_fn.token_level_loss")
    if isinstance(by_token, bool):
        stated["aggregation"] = "token_mean" if by_token else "sample_mean", "loss_fn.token_level_loss"
    divided = flat.get("grpo.normalize_rewards")
    if isinstance(divided, bool):
        stated["advantage_normalisation"] = "group_std" if divided else "none", "grpo.normalize_rewards"
    if stated.get("asynchronous", (False, ""))[0] is True:
        key = "grpo.async_grpo.max_trajectory_age_steps"
        stated["staleness"] = flat.get(key, 1), key


_DERIVED: dict[str, Callable[[Flat, Found], None]] = {
    "trl": _trl, "verl": _verl, "openrlhf": _openrlhf, "nemo-rl": _nemo_rl,
}  # fmt: skip
