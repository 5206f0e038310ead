"""What the name of a column or key means, in every format: the one table of synonyms.

A name is compared without regard to case, and with spaces, hyphens and humps as ``_``: ``Global Step``, ``globalStep``
and ``global-step`` are ``global_step``; ``pass@1`` is ``pass_at_1``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from rlscale.curves.vocabulary import normal

__all__ = [
    "IDENTITY",
    "SPREADS",
    "axis_rank",
    "axis_unit",
    "is_choice",
    "is_index",
    "is_other_measure",
    "is_reward",
    "is_setting",
    "is_spread",
    "is_time",
    "is_train",
    "known_names",
    "measures",
    "normal",
    "rewards_among",
    "role_of",
    "role_rank",
]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Names by what they mean, best first. Those of ``trial`` name a run only where they tell rows apart: trackers and
#: tuners write one into every row of a run whose folder has the better name.
_ROLES = {
    "run": "run run_name display_name name run_id run_uuid",
    "trial": "trial trial_name trial_id job job_name job_id",
    "recipe": (
        "recipe method method_name algorithm algorithm_name algo condition variant arm config config_name experiment "
        "exp_name experiment_name group run_group model model_name treatment ablation approach"
    ),
    "seed": "seed random_seed rng_seed",
    "dataset": (
        "benchmark benchmark_name dataset dataset_name task task_name split eval_set eval_dataset test_set "
        "env env_id env_name environment"
    ),
    "unit": "unit compute_unit",
    "metric": "metric",
    "model_params": (
        "model_params n_params num_params model_parameters num_parameters n_parameters param_count model_size params "
        "parameters"
    ),
    "n_eval": "n_eval n n_samples n_problems n_items n_questions num_problems num_questions",
    "sd": "sd stderr std_err sem standard_error",
}
_ROLE = {name: role for role, names in _ROLES.items() for name in names.split()}

_PLACE = {name: place for place, name in enumerate(_ROLE)}

#: Roles that tell runs, or metrics, apart.
IDENTITY = frozenset({"run", "trial", "recipe", "seed", "dataset"})

#: Compute columns by unit, best first. A step of an environment is a sample, and so is an episode: one rollout.
_AXES = {
    "gpu-hours": "gpu_hours gpu_hour gpu_h gpuhours",
    "tokens": (
        "tokens token num_tokens total_tokens tokens_seen num_tokens_seen cumulative_tokens generated_tokens "
        "cumulative_generated_tokens total_generated_tokens train_tokens"
    ),
    "samples": (
        "samples sample total_timesteps timesteps_total num_timesteps timesteps timestep env_steps env_step "
        "num_env_steps total_env_steps environment_steps num_env_steps_sampled num_env_steps_sampled_lifetime "
        "total_env_interacts total_frames env_frames frames "
        "episodes episode num_episodes total_episodes episodes_total num_episodes_lifetime"
    ),
    "steps": (
        "step steps global_step global_steps current_steps current_step training_step training_steps train_step "
        "train_steps trainer_step optimizer_step optimizer_steps gradient_steps training_iteration iteration "
        "iterations iter iters update updates n_updates num_updates checkpoint_step checkpoint ckpt revision"
    ),
    "flops": "flops flop",
    "dollars": "dollars dollar",
}
_AXIS = {name: unit for unit, names in _AXES.items() for name in names.split()}
_RANK = {name: place for place, name in enumerate(_AXIS)}

#: Rewards whose whole name says so, beside those that say ``eval`` or ``val``.
_REWARDS = _words(
    """
    reward accuracy acc val_acc val_accuracy test_accuracy test_acc eval_acc eval_accuracy pass_at_1 pass_rate
    solve_rate success_rate success win_rate winrate score exact_match mean_reward reward_mean avg_reward
    average_reward episode_reward_mean episode_return_mean mean_episode_reward mean_episode_return ep_rew_mean
    ep_reward_mean ep_ret_mean average_ep_ret episode_reward episode_return episodic_return return mean_return
    return_mean avg_return average_return mean_score avg_score mean_accuracy accuracy_mean
    """
)

#: Words of which one in a name says that it is measured along a run, and is no reward.
_OTHERS = _words(
    """
    loss kl entropy grad norm gradnorm clip frac fraction ratio length len lengths token tokens ppl perplexity logp
    logps logprob logprobs correct wrong margin advantage advantages fps throughput memory mem count
    """
)
_MEASURED = _OTHERS | _words(
    """
    reward rewards acc accuracy score scores success return returns win pass solve eval val valid validation test
    train value values mean median
    """
)
_TIMES = _words(
    """
    time times timestamp wall walltime runtime seconds sec secs elapsed duration hours minutes date datetime eta
    epoch epochs percentage progress
    """
)
_SETTINGS = _words(
    """
    lr learning_rate beta kl_coef kl_coefficient gamma lambda temperature top_p top_k batch_size train_batch_size
    group_size num_generations generations rollouts n_rollouts rollout_n rollouts_per_prompt samples_per_prompt
    difficulty problems_per_batch epsilon eps clip_eps clip_range
    weight_decay warmup warmup_steps max_length max_tokens max_steps total_steps lora_rank rank alpha dropout params
    prompts_per_step eval_generations clip_low clip_high max_response_length layers width precision loss_type
    n_params num_params size pid port version gpus n_gpus num_gpus num_workers num_healthy_workers
    """
)

#: Ends of the names of settings that begin like a measured quantity.
_CHOSEN = _words(
    "agg aggregation type kind mode fn function weight coef coeff coefficient threshold estimator schedule variant "
    "version setting option"
)

#: Ends of the names of spreads and limits, which stand beside a mean.
SPREADS = _words("std sd sem stderr err var min max lower upper low high ci")

#: Words of which one in a name says that its rewards are those of the samples that are trained on.
_TRAINED = _words("train training rollout rollouts episode episodes episodic ep env")

#: What trainers call the groups of what they log of a train batch.
_OF_TRAINERS = _words("critic actor policy objective reward rewards rl agent collector sampling generation")

#: How the names of benchmarks begin: columns of these are metrics of one run, not runs.
_BENCHMARK = re.compile(
    r"(?:aime|amc|math|gsm|mmlu|human_?eval|mbpp|gpqa|olympiad|minerva|live_?code|lcb|if_?eval|arc_|hellaswag|bbh|swe_|"
    r"alpaca|mt_?bench|arena|countdown|big_?bench|truthful|svamp|theorem|codeforces)"
)

_INDEX = re.compile(r"(?:unnamed:_?\d+|index|idx|row|row_id|id|level_\d+)?")
_PARTS = re.compile(r"[/_.\s\-@]+")
_CUMULATIVE = re.compile(r"cum(?:ulative)?_.*tokens")


def known_names() -> dict[str, tuple[str, ...]]:
    """Return the names by what they mean, as the docs list them."""
    roles = {
        "run": "run", "trial": "run, where there are several", "recipe": "recipe", "seed": "seed",
        "dataset": "dataset", "metric": "name of the reward", "unit": "unit of `compute`",
        "n_eval": "graded samples", "sd": "noise of the reward", "model_params": "size of the model",
    }  # fmt: skip
    found = {meaning: tuple(_ROLES[role].split()) for role, meaning in roles.items()}
    found |= {f"compute in {unit}": tuple(listed.split()) for unit, listed in _AXES.items()}
    return {**found, "reward": tuple(sorted(_REWARDS))}


def role_of(name: str) -> str | None:
    """Return ``run``, ``trial``, ``recipe``, ``seed``, ``dataset``, ``unit``, ``metric``, ``n_eval``, ... or None."""
    return _ROLE.get(normal(name))


def role_rank(name: str) -> int:
    """Return the place of a name among those of its role, the best first."""
    return _PLACE.get(normal(name), len(_PLACE))


def axis_unit(name: str) -> str | None:
    """Return the unit of a name that means compute, by the last part of a path; None where it means none.

    Examples
    --------
    >>> axis_unit("time/total_timesteps"), axis_unit("iter"), axis_unit("loss")
    ('samples', 'steps', None)
    """
    last = normal(name).rpartition("/")[2]
    return _AXIS.get(last) or ("tokens" if _CUMULATIVE.fullmatch(last) else None)


def axis_rank(name: str) -> int:
    """Return the place of a compute name among its synonyms, the best first."""
    return _RANK.get(normal(name).rpartition("/")[2], len(_RANK))


def is_reward(name: str) -> bool:
    """Whether the whole name is one of a reward."""
    return normal(name) in _REWARDS


def rewards_among(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names that mean a reward: whole, else by the last part of a path (``rollout/ep_rew_mean``)."""
    known = tuple(names)
    whole = tuple(name for name in known if is_reward(name))
    return whole or tuple(name for name in known if "/" in name and is_reward(name.rpartition("/")[2]))


def is_train(name: str) -> bool:
    """Whether the name of a reward says that it is of the samples trained on, by a word or a trainer's group.

    Examples
    --------
    >>> is_train("episode_reward"), is_train("critic/score/mean"), is_train("math/accuracy"), is_train("score")
    (True, True, False, False)
    """
    known = normal(name)
    first, slash, _ = known.partition("/")
    return not _TRAINED.isdisjoint(_PARTS.split(known)) or bool(slash and first in _OF_TRAINERS)


def is_time(name: str) -> bool:
    """Whether a name says when: a time, a date, an epoch, a progress."""
    return not _TIMES.isdisjoint(_PARTS.split(normal(name)))


def is_setting(name: str) -> bool:
    """Whether a name is that of a setting, which a run does not measure."""
    return normal(name).rpartition("/")[2] in _SETTINGS


def is_index(name: str) -> bool:
    """Whether a name is that of the number of a row."""
    return _INDEX.fullmatch(normal(name)) is not None


def is_choice(name: str) -> bool:
    """Whether a name ends in what is chosen of a quantity, which is not measured: ``loss_agg``, ``kl_weight``."""
    return _PARTS.split(normal(name))[-1] in _CHOSEN


def is_spread(name: str) -> bool:
    """Whether a name ends in ``std``, ``min``, ``upper`` or the like."""
    return _PARTS.split(normal(name))[-1] in SPREADS


def is_other_measure(name: str) -> bool:
    """Whether a word of a name says that it is measured along a run, and is no reward (``kl``, ``grad_norm``)."""
    return not _OTHERS.isdisjoint(_PARTS.split(normal(name)))


def measures(name: str) -> bool:
    """Whether a name says that it is measured along a run: by a word (``kl``, ``eval/x``), or as a benchmark."""
    return _BENCHMARK.match(normal(name)) is not None or not _MEASURED.isdisjoint(_PARTS.split(normal(name)))
