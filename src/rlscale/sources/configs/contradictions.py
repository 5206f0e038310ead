"""Keys that contradict each other: what the trainer refuses to start with, and what it silently ignores."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from rlscale.curves import KeyRemark
from rlscale.sources.configs.written import shown

__all__ = ["contradictions"]

Flat = Mapping[str, Any]


def contradictions(trainer: str, flat: Flat) -> list[KeyRemark]:
    """Return the contradictions of a flat configuration; those that need more than its keys stay unseen."""
    return list(_OF[trainer](flat))


def _refused(flat: Flat, key: str, says: str) -> KeyRemark:
    return KeyRemark(key, shown(flat.get(key)), "contradiction", says, refused=True)


def _unused(flat: Flat, key: str, says: str) -> KeyRemark:
    return KeyRemark(key, shown(flat.get(key)), "unused", says)


def _number(flat: Flat, key: str) -> float | None:
    value = flat.get(key)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _above(flat: Flat, low: str, high: str) -> KeyRemark | None:
    """Return a remark where a lower bound lies above its upper one."""
    a, b = _number(flat, low), _number(flat, high)
    if a is None or b is None or a <= b:
        return None
    return KeyRemark(low, shown(flat[low]), "contradiction", f"it is above {high} = {shown(flat[high])}; exchange them")


def _undivided(flat: Flat, whole: str, part: str) -> KeyRemark | None:
    """Return a remark where one number must divide another and does not."""
    a, b = _number(flat, whole), _number(flat, part)
    if a is None or not b or a % b == 0:
        return None
    return _refused(flat, whole, f"it must be a multiple of {part} = {shown(flat[part])}")


def _trl(flat: Flat) -> Iterator[KeyRemark]:
    if flat.get("generation_batch_size") is not None and flat.get("steps_per_generation") is not None:
        yield _refused(
            flat, "generation_batch_size", "steps_per_generation is set too: TRL takes one of them; drop one"
        )
    n = _number(flat, "num_generations")
    if n is not None and n < 2:
        yield _refused(flat, "num_generations", "advantages need at least 2 completions of a prompt; give 2 or more")
    yield from filter(None, (_undivided(flat, "generation_batch_size", "num_generations"),))
    if flat.get("auto_find_batch_size") is True:
        yield _refused(flat, "auto_find_batch_size", "the batch of GRPO must hold whole groups; lower "
                       "per_device_train_batch_size instead")  # fmt: skip
    for low, high in (
        ("epsilon", "epsilon_high"),
        ("entropy_coef_min", "entropy_coef_max"),
        ("vllm_importance_sampling_clip_min", "vllm_importance_sampling_clip_max"),
    ):
        yield from filter(None, (_above(flat, low, high),))
    if flat.get("beta", 0) in (0, 0.0) and flat.get("sync_ref_model") is True:
        yield _unused(
            flat, "sync_ref_model", "beta is 0, so there is no reference model to follow; set beta, or drop it"
        )
    if flat.get("use_vllm", False) is not True:
        for key in flat:
            if key.startswith("vllm_") and key != "vllm_importance_sampling_correction":
                yield _unused(flat, key, "use_vllm is off: it has no effect; set use_vllm, or drop it")
    if flat.get("loss_type") == "luspo" and flat.get("importance_sampling_level") != "sequence":
        yield _refused(flat, "loss_type", "luspo needs importance_sampling_level: sequence")
    if str(flat.get("loss_type")) == "cispo" and _number(flat, "epsilon_high") is None:
        yield KeyRemark("loss_type", "cispo", "contradiction", "epsilon_high is not set, so the ratio is cut at "
                        "epsilon (.2), far below the 4 to 8 that CISPO was measured with; set it")  # fmt: skip


def _verl(flat: Flat) -> Iterator[KeyRemark]:
    actor = "actor_rollout_ref.actor"
    loss, reward = flat.get(f"{actor}.use_kl_loss"), flat.get("algorithm.use_kl_in_reward")
    if loss is True and reward is True:
        yield KeyRemark("algorithm.use_kl_in_reward", "true", "contradiction", f"{actor}.use_kl_loss is on too: the KL "
                        "term counts twice; keep one")  # fmt: skip
    if f"{actor}.kl_loss_coef" in flat and loss is not True:
        yield _unused(flat, f"{actor}.kl_loss_coef", f"{actor}.use_kl_loss is off: there is no KL loss; turn it on, or "
                      "drop the coefficient")  # fmt: skip
    if "algorithm.kl_ctrl.kl_coef" in flat and reward is not True:
        yield _unused(flat, "algorithm.kl_ctrl.kl_coef", "algorithm.use_kl_in_reward is off: it has no effect")
    low, high = f"{actor}.clip_ratio_low", f"{actor}.clip_ratio_high"
    if f"{actor}.clip_ratio" in flat and (low in flat or high in flat):
        yield _unused(flat, f"{actor}.clip_ratio", "clip_ratio_low and clip_ratio_high count in its place; drop it")
    estimator, n = str(flat.get("algorithm.adv_estimator", "")), _number(flat, "actor_rollout_ref.rollout.n")
    if estimator in ("grpo", "rloo", "grpo_passk") and n is not None and n < 2:
        yield _refused(flat, "actor_rollout_ref.rollout.n", f"{estimator} needs several completions of a prompt; with "
                       f"{n:g} every advantage is 0 or undefined")  # fmt: skip
    mini, batch = f"{actor}.ppo_mini_batch_size", "data.train_batch_size"
    a, b = _number(flat, mini), _number(flat, batch)
    if a is not None and b is not None and a > b:
        yield _refused(flat, mini, f"it is larger than {batch} = {shown(flat[batch])}; both count prompts")
    else:
        yield from filter(None, (_undivided(flat, batch, mini),))


def _openrlhf(flat: Flat) -> Iterator[KeyRemark]:
    def key_of(*keys: str) -> str:
        return next((key for key in keys if key in flat), keys[0])

    estimator = key_of("algo.advantage.estimator", "advantage_estimator")
    samples = key_of("rollout.n_samples_per_prompt", "n_samples_per_prompt")
    needs = ("rloo", "reinforce_baseline", "group_norm", "dr_grpo")
    if str(flat.get(estimator)) in needs and flat.get(samples, 1) == 1:
        yield KeyRemark(samples, shown(flat.get(samples, 1)), "contradiction", f"{flat[estimator]} needs more than one "
                        "completion of a prompt; give 2 or more", refused=True)  # fmt: skip
    loss, kind = key_of("algo.kl.use_loss", "use_kl_loss"), key_of("algo.kl.estimator", "kl_estimator")
    if flat.get(loss) is True and flat.get(kind, "k1") == "k1":
        yield KeyRemark(kind, shown(flat.get(kind, "k1")), "contradiction", "as a loss the KL term wants k2 or k3; k1 "
                        "is for the reward")  # fmt: skip
    filtering = key_of("algo.dynamic_filtering_enable", "dynamic_filtering")
    if flat.get(filtering) is True and flat.get(samples, 1) == 1:
        yield _refused(flat, filtering, f"it needs more than one completion of a prompt; raise {samples}")
    asynchronous, sleep = key_of("train.async_enable", "async_train"), key_of("vllm.enable_sleep", "vllm_enable_sleep")
    if flat.get(asynchronous) is True and flat.get(sleep) is True:
        yield _refused(flat, sleep, f"it does not go with {asynchronous}; drop one of them")
    if flat.get("train.partial_rollout_enable") is True and flat.get(asynchronous) is not True:
        yield _refused(flat, "train.partial_rollout_enable", f"it needs {asynchronous}")
    for key in ("actor.eps_clip_low_high", "eps_clip_low_high"):
        single = key.removesuffix("_low_high")
        if key in flat and single in flat:
            yield _unused(flat, single, f"{key} counts in its place; drop it")


def _nemo_rl(flat: Flat) -> Iterator[KeyRemark]:
    if flat.get("grpo.async_grpo.enabled") is True:
        if flat.get("loss_fn.use_importance_sampling_correction") is not True:
            yield KeyRemark("loss_fn.use_importance_sampling_correction",
                            shown(flat.get("loss_fn.use_importance_sampling_correction")), "contradiction",
                            "asynchronous GRPO requires it; set it to true", refused=True)  # fmt: skip
    elif flat.get("grpo.async_grpo.in_flight_weight_updates") is True:
        yield _unused(flat, "grpo.async_grpo.in_flight_weight_updates", "grpo.async_grpo.enabled is off: no effect")
    if flat.get("loss_fn.use_cispo") is True and flat.get("loss_fn.ratio_clip_c") is not None:
        yield _unused(flat, "loss_fn.ratio_clip_c", "CISPO has no dual clip; set it to null")
    prompts, n = _number(flat, "grpo.num_prompts_per_step"), _number(flat, "grpo.num_generations_per_prompt")
    each = _number(flat, "policy.train_global_batch_size")
    if prompts and n and each:
        if flat.get("loss_fn.force_on_policy_ratio") is True and each != prompts * n:
            yield _refused(flat, "loss_fn.force_on_policy_ratio", f"it needs one update a batch: "
                           f"policy.train_global_batch_size = {prompts * n:g}, not {each:g}")  # fmt: skip
        elif (prompts * n) % each:
            yield _refused(flat, "policy.train_global_batch_size", f"it must divide the {prompts * n:g} completions of "
                           "a step (grpo.num_prompts_per_step x num_generations_per_prompt)")  # fmt: skip


_OF: dict[str, Callable[[Flat], Iterator[KeyRemark]]] = {
    "trl": _trl, "verl": _verl, "openrlhf": _openrlhf, "nemo-rl": _nemo_rl,
}  # fmt: skip
