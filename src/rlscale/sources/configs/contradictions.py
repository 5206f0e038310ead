"""Keys that contradict each other: what the trainer refuses to start with, and what it silently ignores.

Most are data (:class:`~rlscale.sources.configs.rules.Rule`); those that reckon with batches are functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import gcd

from rlscale.curves import KeyRemark
from rlscale.sources.configs.rules import Above, Absent, Different, Equal, Flat, Not, Rule, Stated, Undivided, number
from rlscale.sources.configs.written import shown

__all__ = ["contradictions"]

_LOW, _HIGH = "vllm_importance_sampling_clip_min", "vllm_importance_sampling_clip_max"
_CORRECTION, _MODE = "vllm_importance_sampling_correction", "vllm_importance_sampling_mode"
_NO_EVALUATION = Equal("eval_strategy", ("no", False), default="no")
_BY_STEP = Equal("logging_strategy", ("steps",), default="steps")

_TRL = (
    Rule("fp16", (Equal("fp16"), Equal("bf16")), "bf16 is on too: TRL takes one of them; drop one", refused=True),
    Rule("fp16_full_eval", (Equal("fp16_full_eval"), Equal("bf16_full_eval")),
         "bf16_full_eval is on too: TRL takes one of them; drop one", refused=True),
    Rule("generation_batch_size", (Stated("generation_batch_size"), Stated("steps_per_generation")),
         "steps_per_generation is set too: TRL takes one of them; drop one", refused=True),
    Rule("generation_batch_size", (Undivided("generation_batch_size", "num_generations", 8),),
         "it must be a multiple of num_generations = {num_generations}", refused=True),
    Rule("auto_find_batch_size", (Equal("auto_find_batch_size"),),
         "the batch of GRPO must hold whole groups; lower per_device_train_batch_size instead", refused=True),
    Rule("log_completions_hub_repo", (Stated("log_completions_hub_repo"), Not(Equal("log_completions"))),
         "log_completions is off; turn it on, or drop this", refused=True),
    Rule(_LOW, (Above(_LOW, _HIGH, equal=True, other_default=3.0),),
         f"it must be below {_HIGH} = {{{_HIGH}}}", refused=True),
    Rule(_MODE, (Not(Equal(_CORRECTION, (False,))), Equal(_MODE, ("token_truncate", "sequence_truncate")),
                 Absent(_HIGH, null=True), Absent(_LOW)),
         f"a *_truncate mode needs {_HIGH} or {_LOW}; set one", refused=True),
    Rule(_MODE, (Equal("loss_type", ("vespo",)), Equal("use_vllm"), Not(Equal(_CORRECTION, (False,))),
                 Not(Equal(_MODE, ("token_truncate", "token_mask"), default="sequence_mask"))),
         "vespo needs token_truncate or token_mask", refused=True, default="sequence_mask"),
    Rule("logging_steps", (_BY_STEP, Equal("logging_steps", (0,))), "logging by steps needs at least 1", refused=True),
    Rule("load_best_model_at_end", (Equal("load_best_model_at_end"), _NO_EVALUATION,
                                    Not(Equal("save_strategy", ("no", "best"), default="steps"))),
         "nothing is evaluated; set eval_strategy as save_strategy is", refused=True),
    Rule("lr_scheduler_type", (Equal("lr_scheduler_type", ("reduce_lr_on_plateau", "greedy")), _NO_EVALUATION),
         "it follows the evaluations, and there are none; set eval_strategy", refused=True),
    Rule("dataloader_prefetch_factor", (Stated("dataloader_prefetch_factor"),
                                        Equal("dataloader_num_workers", (0,), default=0)),
         "dataloader_num_workers is 0; raise it, or drop this", refused=True),
    Rule("epsilon", (Above("epsilon", "epsilon_high"),), "it is above epsilon_high = {epsilon_high}; exchange them"),
    Rule("entropy_coef_min", (Above("entropy_coef_min", "entropy_coef_max", other_default=1.0),),
         "it is above entropy_coef_max = {entropy_coef_max}; exchange them"),
    Rule("loss_type", (Equal("loss_type", ("cispo",)), Absent("epsilon_high"), Absent("epsilon")),
         "epsilon_high is not set, so the ratio is cut at epsilon (.2), far below the 4 to 8 that CISPO was measured "
         "with; set it"),
    Rule("loss_type", (Equal("loss_type", ("luspo",)),
                       Not(Equal("importance_sampling_level", ("sequence",), default="token"))),
         "luspo is meant with importance_sampling_level: sequence; set it"),
    Rule("importance_sampling_level", (Equal("importance_sampling_level", ("sequence",)),
                                       Not(Equal("loss_type", ("grpo", "luspo", "sapo"), default="dapo"))),
         "with loss_type = {loss_type} each completion counts by its length; GSPO is loss_type: grpo with it"),
    Rule("sync_ref_model", (Equal("sync_ref_model"), Equal("beta", (0,), default=0)),
         "beta is 0, so there is no reference model to follow; set beta, or drop it", kind="unused"),
    Rule("delta", (Stated("delta"), Equal("loss_type", ("cispo", "sapo", "vespo"))),
         "loss_type = {loss_type} has no two-sided clip; drop it", kind="unused"),
)  # fmt: skip

_ACTOR, _ROLLOUT = "actor_rollout_ref.actor", "actor_rollout_ref.rollout"
_LOSS_ON = f"{_ACTOR}.use_kl_loss"
_MINI, _MICRO, _BATCH = f"{_ACTOR}.ppo_mini_batch_size", f"{_ACTOR}.ppo_micro_batch_size", "data.train_batch_size"
_GROUPED = Equal(
    "algorithm.adv_estimator", ("grpo", "rloo", "grpo_passk", "gdpo", "opo", "grpo_vectorized", "rloo_vectorized")
)
_VERL = (
    Rule("algorithm.use_kl_in_reward", (Equal(_LOSS_ON), Equal("algorithm.use_kl_in_reward")),
         f"{_LOSS_ON} is on too: the KL term counts twice; keep one"),
    Rule(f"{_ACTOR}.kl_loss_coef", (Stated(f"{_ACTOR}.kl_loss_coef"), Absent(_LOSS_ON)),
         f"{_LOSS_ON} is off where it is not written: there is no KL loss; turn it on, or drop the coefficient",
         kind="unused"),
    Rule("algorithm.kl_ctrl.kl_coef", (Stated("algorithm.kl_ctrl.kl_coef"), Absent("algorithm.use_kl_in_reward")),
         "algorithm.use_kl_in_reward is off where it is not written: it has no effect", kind="unused"),
    *(Rule(f"{_ACTOR}.clip_ratio", (Different(f"{_ACTOR}.clip_ratio", f"{_ACTOR}.{bound}"),),
           "clip_ratio_low and clip_ratio_high count in its place; drop it", kind="unused")
      for bound in ("clip_ratio_low", "clip_ratio_high")),
    Rule(f"{_ACTOR}.clip_ratio_low", (Above(f"{_ACTOR}.clip_ratio_low", f"{_ACTOR}.clip_ratio_high"),),
         f"it is above {_ACTOR}.clip_ratio_high = {{{_ACTOR}.clip_ratio_high}}; exchange them"),
    Rule(f"{_ROLLOUT}.n", (_GROUPED, Equal(f"{_ROLLOUT}.n", (1,), default=1)),
         "{algorithm.adv_estimator} compares several completions of a prompt; with 1 there is nothing to compare; give "
         "2 or more", refused=True, default=1),
    Rule(_MINI, (Above(_MINI, _BATCH),), f"it is larger than {_BATCH} = {{{_BATCH}}}; both count prompts",
         refused=True),
    Rule(_BATCH, (Undivided(_BATCH, _MINI), Above(_BATCH, _MINI)), f"it must be a multiple of {_MINI} = {{{_MINI}}}",
         refused=True),
    Rule(_MICRO, (Stated(_MICRO), Stated(f"{_MICRO}_per_gpu")),
         f"{_MICRO}_per_gpu is set too: verl takes one of them; keep that one", refused=True),
    Rule("data.max_response_length", (Above("data.max_response_length", f"{_ROLLOUT}.max_model_len"),),
         f"it is above {_ROLLOUT}.max_model_len = {{{_ROLLOUT}.max_model_len}}, which holds prompt and completion; "
         "raise that"),
)  # fmt: skip


def _openrlhf_rules(now: bool) -> tuple[Rule, ...]:
    """Return the rules of OpenRLHF in the flags from 0.11 on, or in those before."""
    names = {
        "estimator": ("algo.advantage.estimator", "advantage_estimator"),
        "samples": ("rollout.n_samples_per_prompt", "n_samples_per_prompt"),
        "use_loss": ("algo.kl.use_loss", "use_kl_loss"),
        "kl": ("algo.kl.estimator", "kl_estimator"),
        "filtering": ("algo.dynamic_filtering_enable", "dynamic_filtering"),
        "async": ("train.async_enable", "async_train"),
        "sleep": ("vllm.enable_sleep", "vllm_enable_sleep"),
        "partial": ("train.partial_rollout_enable", "partial_rollout"),
        "clip": ("actor.eps_clip", "eps_clip"),
        "bounds": ("actor.eps_clip_low_high", "eps_clip_low_high"),
        "new_tokens": ("rollout.max_new_tokens", "max_new_tokens"),
        "length": ("data.max_len", "max_len"),
    }
    key = {name: pair[0] if now else pair[1] for name, pair in names.items()}
    single = Equal(key["samples"], (1,), default=1)
    grouped = Equal(key["estimator"], ("rloo", "reinforce_baseline", "group_norm", "dr_grpo"))
    return (
        Rule(key["samples"], (grouped, single), f"{{{key['estimator']}}} needs more than one completion of a prompt; "
             "give 2 or more", refused=True, default=1),
        Rule(key["kl"], (Equal(key["use_loss"]), Equal(key["kl"], ("k1",), default="k1")),
             "as a loss the KL term wants k2 or k3; k1 is for the reward", default="k1"),
        Rule(key["filtering"], (Equal(key["filtering"]), single),
             f"it needs more than one completion of a prompt; raise {key['samples']}", refused=True),
        Rule(key["sleep"], (Equal(key["async"]), Equal(key["sleep"])),
             f"it does not go with {key['async']}; drop one of them", refused=True),
        Rule(key["partial"], (Equal(key["partial"]), Not(Equal(key["async"]))), f"it needs {key['async']}",
             refused=True),
        Rule(key["clip"], (Stated(key["clip"]), Stated(key["bounds"])), f"{key['bounds']} counts in its place; drop it",
             kind="unused"),
        Rule(key["new_tokens"], (Above(key["new_tokens"], key["length"], equal=True, other_default=2048.0),),
             f"{key['length']} = {{{key['length']}}} holds prompt and completion, so nothing is left for the prompt; "
             "raise that"),
    )  # fmt: skip


_ASYNC = "grpo.async_grpo"
_NEMO_RL = (
    Rule("loss_fn.use_importance_sampling_correction",
         (Equal(f"{_ASYNC}.enabled"), Not(Equal("loss_fn.use_importance_sampling_correction"))),
         "asynchronous GRPO requires it; set it to true", refused=True),
    Rule(f"{_ASYNC}.in_flight_weight_updates",
         (Equal(f"{_ASYNC}.in_flight_weight_updates"), Not(Equal(f"{_ASYNC}.enabled"))),
         f"{_ASYNC}.enabled is off: no effect", kind="unused"),
    Rule("loss_fn.ratio_clip_c", (Equal("loss_fn.use_cispo"), Stated("loss_fn.ratio_clip_c")),
         "CISPO has no dual clip; set it to null", kind="unused"),
    Rule("loss_fn.ratio_clip_min", (Above("loss_fn.ratio_clip_min", "loss_fn.ratio_clip_max"),
                                    Not(Equal("loss_fn.use_cispo"))),
         "it is above loss_fn.ratio_clip_max = {loss_fn.ratio_clip_max}; exchange them"),
    Rule("grpo.num_generations_per_prompt", (Equal("grpo.num_generations_per_prompt", (1,)),),
         "advantages compare completions of one prompt; with 1 every advantage is 0; give 2 or more"),
    Rule("policy.generation.max_new_tokens",
         (Above("policy.generation.max_new_tokens", "policy.max_total_sequence_length"),),
         "it is above policy.max_total_sequence_length = {policy.max_total_sequence_length}, which holds prompt and "
         "completion; raise that"),
)  # fmt: skip

_RULES: dict[str, tuple[Rule, ...]] = {
    "trl": _TRL,
    "verl": _VERL,
    "openrlhf": (*_openrlhf_rules(True), *_openrlhf_rules(False)),
    "nemo-rl": _NEMO_RL,
}


def contradictions(trainer: str, flat: Flat, gpus: int | None = None) -> list[KeyRemark]:
    """Return the contradictions of a flat configuration; those that need more than its keys stay unseen.

    Parameters
    ----------
    trainer : str
    flat : mapping of str to Any
        Values that the trainer can start with.
    gpus : int, optional
        GPUs that train: TRL counts its batch by GPU.
    """
    remarks = [remark for rule in _RULES[trainer] if (remark := rule.remark(flat)) is not None]
    if trainer in _BATCHES:
        remarks += _BATCHES[trainer](flat, gpus)
    return list(dict.fromkeys(remarks))


def _trl_batches(flat: Flat, gpus: int | None) -> Iterator[KeyRemark]:
    """Yield what is wrong with batches that TRL counts by GPU: each must hold whole groups of completions."""
    n = number(flat, "num_generations", 8.0)
    each, steps = number(flat, "per_device_train_batch_size", 8.0), number(flat, "gradient_accumulation_steps", 1.0)
    key = "per_device_train_batch_size"
    if n is None or each is None or steps is None:
        return
    total = number(flat, "generation_batch_size")
    if total is None:
        steps = number(flat, "steps_per_generation", steps) or steps
        yield from _whole_groups(flat, key, int(each * steps), int(n), gpus, "completions of a step")
    elif gpus is not None and total % (each * gpus):
        says = f"it must be a multiple of the {each * gpus:g} completions of one pass ({key} x {gpus} GPUs)"
        yield KeyRemark("generation_batch_size", shown(total), "contradiction", says, refused=True)
    if flat.get("eval_strategy", "no") not in ("no", False):
        key, n = "per_device_eval_batch_size", number(flat, "num_generations_eval", n) or n
        yield from _whole_groups(flat, key, int(number(flat, key, 8.0) or 8), int(n), gpus, "completions evaluated")


def _whole_groups(flat: Flat, key: str, each: int, n: int, gpus: int | None, what: str) -> Iterator[KeyRemark]:
    if each * (gpus or 1) % n == 0:
        return
    if gpus is not None:
        says = f"{gpus} GPUs x {each} {what} hold no whole groups of {n} (num_generations); TRL refuses that"
        yield KeyRemark(key, shown(flat.get(key, 8)), "contradiction", f"{says}; change one of them", refused=True)
        return
    times = n // gcd(each, n)
    refused = times & (times - 1) != 0  # machines have 1, 2, 4 or 8 GPUs
    says = f"{each} {what} a GPU hold whole groups of {n} (num_generations) only on a multiple of {times} GPUs"
    yield KeyRemark(key, shown(flat.get(key, 8)), "contradiction" if refused else "depends",
                    f"{says}; say how many train with --gpus", refused)  # fmt: skip


def _trl_unused(flat: Flat) -> Iterator[KeyRemark]:
    """Yield settings of vLLM where it is off."""
    if flat.get("use_vllm", False) is not True:
        for key in flat:
            if key.startswith("vllm_") and flat[key] is not None and key != _CORRECTION:
                says = "use_vllm is off: it has no effect; set use_vllm, or drop it"
                yield KeyRemark(key, shown(flat[key]), "unused", says)


def _verl_batches(flat: Flat, _: int | None) -> Iterator[KeyRemark]:
    prompts, n = number(flat, _BATCH), number(flat, f"{_ROLLOUT}.n", 1.0)
    each, nodes = number(flat, "trainer.n_gpus_per_node"), number(flat, "trainer.nnodes", 1.0)
    if (
        prompts
        and n
        and each
        and nodes
        and (prompts * n) % (each * nodes)
        and "megatron" not in str(flat.get(f"{_ACTOR}.strategy", ""))
    ):
        says = f"{prompts * n:g} completions of a step ({_BATCH} x {_ROLLOUT}.n) must be a multiple of the "
        yield KeyRemark(_BATCH, shown(flat[_BATCH]), "contradiction", f"{says}{each * nodes:g} GPUs", refused=True)


def _openrlhf_batches(flat: Flat, _: int | None) -> Iterator[KeyRemark]:
    for key, batch, n in (
        ("train.batch_size", "rollout.batch_size", "rollout.n_samples_per_prompt"),
        ("train_batch_size", "rollout_batch_size", "n_samples_per_prompt"),
    ):
        prompts, samples, each = number(flat, batch), number(flat, n, 1.0), number(flat, key)
        if prompts and samples and each and each > prompts * samples:
            says = f"it is larger than the {prompts * samples:g} completions of a step ({batch} x {n}); lower it"
            yield KeyRemark(key, shown(flat[key]), "contradiction", says)


def _nemo_rl_batches(flat: Flat, _: int | None) -> Iterator[KeyRemark]:
    prompts, n = number(flat, "grpo.num_prompts_per_step"), number(flat, "grpo.num_generations_per_prompt")
    key = "policy.train_global_batch_size"
    each = number(flat, key)
    if not (prompts and n and each):
        return
    if flat.get("loss_fn.force_on_policy_ratio") is True and each != prompts * n:
        says = f"it needs one update a batch: {key} = {prompts * n:g}, not {each:g}"
        yield KeyRemark("loss_fn.force_on_policy_ratio", "true", "contradiction", says, refused=True)
    elif (prompts * n) % each:
        says = f"it must divide the {prompts * n:g} completions of a step (grpo.num_prompts_per_step x "
        yield KeyRemark(key, shown(flat[key]), "contradiction", f"{says}num_generations_per_prompt)", refused=True)


_BATCHES: dict[str, Callable[[Flat, int | None], Iterator[KeyRemark]]] = {
    "trl": lambda flat, gpus: (remark for part in (_trl_batches(flat, gpus), _trl_unused(flat)) for remark in part),
    "verl": _verl_batches, "openrlhf": _openrlhf_batches, "nemo-rl": _nemo_rl_batches,
}  # fmt: skip
