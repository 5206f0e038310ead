"""The published recipe in a trainer's words, each line with its reason, and what the trainer cannot express."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from difflib import get_close_matches
from textwrap import wrap

from rlscale.decisions.knobs.recipe import BATCH, ConfigLine, EmittedConfig, Missing, Plan, planned
from rlscale.errors import InputError
from rlscale.keywords import checked_keywords

__all__ = ["emit_config"]

_SCALERL, _ISO = "ScaleRL, arXiv 2510.13786", "IsoCompute Playbook, arXiv 2603.12151"
_LENGTH = "12k of thinking, 2k of answer; 32k ends higher, later"
_BY_DIFFICULTY = "no KL and no entropy term: right on hard and mixed prompts; easy ones want both"
_TITLES = {"trl": ("TRL", "1.16.0"), "verl": ("verl", "0.9.1"), "openrlhf": ("OpenRLHF", "0.11.2")}
_NO_MEAN = "it averages over tokens or completions; the effect was seen from a weak baseline only"
_NO_DROP = "no such filter: drop prompts whose pass rate reaches .9 in the data that you give it"
_NO_STOP = "it cannot interrupt thinking; watch how many completions are truncated (10 to 15 % destabilised runs)"


def _line(key: str, value: object, reason: str, source: str = _SCALERL) -> ConfigLine:
    text = str(value).lower() if isinstance(value, bool) else _number(value) if isinstance(value, float) else str(value)
    return ConfigLine(key, text, reason, source)


def _number(value: float) -> str:
    """Return a number that YAML 1.1 takes for one: with a point, ``5.0e-07``."""
    text = f"{value:.4g}"
    mantissa, e, exponent = text.partition("e")
    return f"{mantissa if '.' in mantissa else f'{mantissa}.0'}{e}{exponent}"


def _trl(plan: Plan) -> Iterator[ConfigLine | Missing]:
    at = f"{_SCALERL}, sec. 3.2 and 4"
    yield _line("loss_type", "cispo", "higher A than DAPO from a weak baseline, faster with all else in place", at)
    yield _line("epsilon_high", 5.0, "upper bound of the ratio: 4, 5 and 8 were alike", f"{_SCALERL}, A.17")
    yield _line("num_generations", 16, "published; second-order at a fixed batch", f"{_SCALERL}, Table 1")
    share = f"{plan.gpus} GPU{'' if plan.gpus == 1 else 's'} x {plan.per_gpu} x {plan.accumulated} = {plan.batch}"
    yield _line("per_device_train_batch_size", plan.per_gpu, f"{share}; change it with the next line to fit memory")
    yield _line("gradient_accumulation_steps", plan.accumulated, f"{plan.why_batch}; one update a batch", at)
    yield _line("learning_rate", plan.rate, plan.why_rate, f"{_SCALERL}, A.3; {_ISO}")
    yield _line("lr_scheduler_type", "constant_with_warmup", "published", f"{_SCALERL}, A.3")
    yield _line("warmup_steps", 100, "published", f"{_SCALERL}, A.3")
    yield _line("adam_epsilon", 1e-15, "published; not compared", f"{_SCALERL}, A.3")
    yield _line("weight_decay", 0.01, "published; not compared", f"{_SCALERL}, A.3")
    yield _line("cast_lm_head_to_fp32", True, "A .52 to .61 from a weak baseline, equal in the full recipe", at)
    yield _line("scale_rewards", "batch", "all normalisations were similar; the recipe's own (general knowledge)", at)
    yield _line(
        "max_completion_length", 14336, "12k of thinking, 2k of answer; 32k ends higher, later", f"{_SCALERL}, A.3"
    )
    yield _line("beta", 0.0, _BY_DIFFICULTY, _ISO)
    yield Missing("aggregation of the loss", "mean over prompts", f"TRL has no such mean for CISPO: {_NO_MEAN}")
    yield Missing("prompts without variance", "left out", "TRL has no such filter; watch frac_reward_zero_std")
    yield Missing("solved prompts", "dropped from .9 on", f"TRL has {_NO_DROP}")
    yield Missing("pipeline", "PipelineRL, 8 steps", "GRPOConfig is synchronous; trl.experimental.async_grpo has a "
                  "configuration of its own (max_staleness)")  # fmt: skip
    yield Missing("length control", "interruptions at 10k to 12k tokens", f"in TRL {_NO_STOP}")


def _verl(plan: Plan) -> Iterator[ConfigLine | Missing]:
    actor, at = "actor_rollout_ref.actor", f"{_SCALERL}, sec. 3.2 and 4"
    optimiser = f"{actor}.optim"
    yield _line("algorithm.adv_estimator", "grpo", "advantages by group of completions", at)
    loss = "higher A than DAPO from a weak baseline, faster with all else in place"
    yield _line(f"{actor}.policy_loss.loss_mode", "cispo", loss, at)
    yield _line(
        f"{actor}.clip_ratio_high",
        4.0,
        "verl cuts the ratio at 1 + this: 5; 4, 5 and 8 were alike",
        f"{_SCALERL}, A.17",
    )
    yield _line(f"{actor}.clip_ratio_low", 1.0, "1 - this is 0: CISPO has no lower bound", f"{_SCALERL}, A.17")
    yield _line("data.train_batch_size", plan.prompts, plan.why_batch, f"{_SCALERL}, Table 1")
    yield _line("actor_rollout_ref.rollout.n", 16, "published; second-order at a fixed batch", f"{_SCALERL}, Table 1")
    yield _line(f"{actor}.ppo_mini_batch_size", plan.prompts, "one update a batch (verl counts prompts)", at)
    yield _line(f"{optimiser}.lr", plan.rate, plan.why_rate, f"{_SCALERL}, A.3; {_ISO}")
    yield _line(f"{optimiser}.lr_scheduler_type", "constant", "published", f"{_SCALERL}, A.3")
    yield _line(f"{optimiser}.lr_warmup_steps", 100, "published", f"{_SCALERL}, A.3")
    yield _line(f"{optimiser}.weight_decay", 0.01, "published; not compared", f"{_SCALERL}, A.3")
    yield _line(f"++{optimiser}.override_optimizer_config.eps", 1e-15, "published; not compared", f"{_SCALERL}, A.3")
    yield _line("data.max_prompt_length", 2048, "published", f"{_SCALERL}, A.3")
    yield _line(
        "data.max_response_length", 14336, "12k of thinking, 2k of answer; 32k ends higher, later", f"{_SCALERL}, A.3"
    )
    yield _line("algorithm.filter_groups.enable", True, "groups of equal rewards left out; verl draws others in their "
                "place; IsoCompute has it off", f"{_SCALERL}, Fig. 6a; {_ISO}")  # fmt: skip
    yield _line(f"{actor}.use_kl_loss", False, _BY_DIFFICULTY, _ISO)
    yield _line("algorithm.use_kl_in_reward", False, "the same", _ISO)
    yield _line(f"{actor}.entropy_coeff", 0, "the same", _ISO)
    yield _line("actor_rollout_ref.rollout.calculate_log_probs", True, "the next line needs them", "verl documentation")
    yield _line("algorithm.rollout_correction.rollout_is", "token", "verl computes old log-probabilities anew, so the "
                "ratio of CISPO does not see the generator; this does", "verl documentation, rollout_corr")  # fmt: skip
    yield Missing("logits in FP32", "on", "verl has no key for it; the model would have to be patched")
    yield Missing("aggregation of the loss", "mean over prompts", f"no loss_agg_mode of verl is one: {_NO_MEAN}")
    yield Missing("normalisation of advantages", "by batch", "verl divides by the group's spread; all were similar")
    yield Missing("solved prompts", "dropped from .9 on", f"verl has {_NO_DROP}")
    yield Missing("pipeline", "PipelineRL, 8 steps", "verl.experimental.fully_async_policy is another program "
                  "(async_training.staleness_threshold, a share of a batch)")  # fmt: skip
    yield Missing("length control", "interruptions at 10k to 12k tokens", f"in verl {_NO_STOP}")


def _openrlhf(plan: Plan) -> Iterator[ConfigLine | Missing]:
    at = f"{_SCALERL}, sec. 3.2 and 4"
    yield _line("actor.policy_loss_type", "gspo", "in place of CISPO, which is missing: close, slightly below late", at)
    yield _line("actor.eps_clip_low_high", "1e-3 1e-3", "GSPO wants the order of 1e-3, not 1e-4", f"{_SCALERL}, A.17")
    yield _line("algo.advantage.estimator", "reinforce_baseline", "baseline by group, normalised by batch", at)
    yield _line("rollout.batch_size", plan.prompts, plan.why_batch, f"{_SCALERL}, Table 1")
    yield _line("rollout.n_samples_per_prompt", 16, "published; second-order at a fixed batch", f"{_SCALERL}, Table 1")
    yield _line("train.batch_size", plan.batch, "one update a batch (completions)", at)
    yield _line("train.max_epochs", 1, "one update a batch", at)
    yield _line("actor.adam.lr", plan.rate, plan.why_rate, f"{_SCALERL}, A.3; {_ISO}")
    yield _line("actor.lr_scheduler", "constant_with_warmup", "published", f"{_SCALERL}, A.3")
    yield _line("actor.adam.eps", 1e-15, "published; not compared", f"{_SCALERL}, A.3")
    yield _line("actor.adam.weight_decay", 0.01, "published; not compared", f"{_SCALERL}, A.3")
    yield _line(
        "rollout.max_new_tokens", 14336, "12k of thinking, 2k of answer; 32k ends higher, later", f"{_SCALERL}, A.3"
    )
    yield _line("data.max_len", 16384, "prompt (2k) and completion together", f"{_SCALERL}, A.3")
    yield _line("algo.dynamic_filtering_enable", "", "groups of equal rewards left out; OpenRLHF draws others in their "
                "place; IsoCompute has it off", f"{_SCALERL}, Fig. 6a; {_ISO}")  # fmt: skip
    yield _line("algo.kl.init_coef", 0.0, _BY_DIFFICULTY, _ISO)
    yield _line("train.async_enable", "", "generation beside training: faster per GPU-hour", f"{_SCALERL}, sec. 3.1")
    yield _line("train.async_queue_size", 8, "about 8 steps of lag; 4 and 8 were equally good", f"{_SCALERL}, A.11")
    yield _line("train.partial_rollout_enable", "", "weights change while generation goes on", f"{_SCALERL}, sec. 3.1")
    yield _line("algo.advantage.is_correction_level", "token", "samples lag behind, so they must be corrected for",
                "AReaL, arXiv 2505.24298")  # fmt: skip
    yield Missing("policy loss", "CISPO", "OpenRLHF has ppo and gspo; GSPO diverged in the middle of a run and did not "
                  "recover on Scout")  # fmt: skip
    yield Missing("logits in FP32", "on", "OpenRLHF has no flag for it")
    yield Missing("aggregation of the loss", "mean over prompts", f"actor.loss_agg_mode has no such mean: {_NO_MEAN}")
    yield Missing("warm-up", "100 steps", "OpenRLHF takes a share of all steps (actor.lr_warmup_ratio, .03 by default)")
    yield Missing("solved prompts", "dropped from .9 on", f"OpenRLHF has {_NO_DROP}")
    yield Missing("length control", "interruptions at 10k to 12k tokens", f"in OpenRLHF {_NO_STOP}")


_TRAINERS: dict[str, Callable[[Plan], Iterator[ConfigLine | Missing]]] = {
    "trl": _trl, "verl": _verl, "openrlhf": _openrlhf,
}  # fmt: skip


@checked_keywords
def emit_config(recipe: str = "scalerl", *, trainer: str, batch: int = BATCH, gpus: int = 1) -> EmittedConfig:
    """Return the published recipe as a configuration of a trainer, each line with its reason.

    Parameters
    ----------
    recipe : str
        ``scalerl``, the only one.
    trainer : str
        ``trl`` (1.16.0, YAML), ``verl`` (0.9.1) or ``openrlhf`` (0.11.2; a script each).
    batch : int
        Completions of a step, a multiple of 16; 768 as published. The learning rate follows by the root rule.
    gpus : int
        GPUs that train: TRL counts its batch by GPU.

    Returns
    -------
    EmittedConfig
        Its ``text`` is the file; ``missing`` is what the trainer cannot express.

    Raises
    ------
    InputError
        A recipe or a trainer that there is not, or numbers that do not divide.

    Examples
    --------
    >>> emitted = emit_config("scalerl", trainer="trl", batch=768, gpus=8)
    >>> [line.value for line in emitted.lines if line.key == "learning_rate"]
    ['5.0e-07']
    >>> emitted.missing[0].setting
    'aggregation of the loss'
    """
    if recipe.lower() != "scalerl":
        raise InputError(f"--emit {recipe}: this recipe is not known; the published one is scalerl")
    name = trainer.lower().replace("-", "_")
    if name not in _TRAINERS:
        near = get_close_matches(name, _TRAINERS, n=1)
        advice = f"did you mean {near[0]}?" if near else f"give --for {', '.join(_TRAINERS)}"
        raise InputError(f"--for {trainer}: no configuration is written for it; {advice}", parameter="trainer")
    parts = list(_TRAINERS[name](planned(batch, gpus)))
    lines = tuple(part for part in parts if isinstance(part, ConfigLine))
    missing = tuple(part for part in parts if isinstance(part, Missing))
    title, version = _TITLES[name]
    text = _yaml(lines, missing, title, version) if name == "trl" else _script(name, lines, missing, title, version)
    return EmittedConfig(
        recipe="scalerl", trainer=name, title=title, version=version, batch=batch, gpus=gpus, lines=lines,
        missing=missing, text=text,
    )  # fmt: skip


def _comment(text: str, indent: str = "", hanging: str = "") -> list[str]:
    """Return a comment of lines that fit a screen."""
    return wrap(
        text, 100, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# {hanging}", break_on_hyphens=False
    )


def _head(title: str, version: str, missing: tuple[Missing, ...]) -> list[str]:
    head = _comment(f"ScaleRL's recipe (arXiv 2510.13786) for {title} {version}, as far as it can be expressed.")
    lacks = [line for part in missing for line in _comment(f"- {part.setting} ({part.value}): {part.why}", "", "  ")]
    return [*head, "# Missing:", *lacks, ""]


def _yaml(lines: tuple[ConfigLine, ...], missing: tuple[Missing, ...], title: str, version: str) -> str:
    body = _head(title, version, missing)
    for line in lines:
        body += [*_comment(f"{line.reason} [{line.source}]"), f"{line.key}: {line.value}"]
    return "\n".join(body) + "\n"


def _script(name: str, lines: tuple[ConfigLine, ...], missing: tuple[Missing, ...], title: str, version: str) -> str:
    """Return a shell script: an array takes comments between its words."""
    program = {"verl": "verl.trainer.main_ppo", "openrlhf": "openrlhf.cli.train_ppo_ray"}[name]
    body = ["#!/usr/bin/env bash", *_head(title, version, missing), "ARGS=("]
    for line in lines:
        word = f"{line.key}={line.value}" if name == "verl" else f"--{line.key} {line.value}".rstrip()
        body += [*_comment(f"{line.reason} [{line.source}]", "  "), f"  {word}"]
    return "\n".join([*body, ")", f'python3 -m {program} "${{ARGS[@]}}" "$@"']) + "\n"
