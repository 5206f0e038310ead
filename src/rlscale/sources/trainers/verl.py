"""verl: what its keys mean, whichever logger wrote them: metrics, the clock, and the GPUs behind it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import Series
from rlscale.sources.clocks import Clock
from rlscale.sources.history import History
from rlscale.sources.text import plural
from rlscale.sources.totals import lost_steps, total_of_steps
from rlscale.sources.trainers.base import Measured, Trainer, lost_seconds, plain, steps_of
from rlscale.sources.trainers.canonical import Key
from rlscale.sources.trainers.trainer import product

__all__ = ["VERL"]

Floats = NDArray[np.float64]

_TOKENS = "perf/total_num_tokens"

#: Timers that run one after the other inside a step, in every version.
_PARTS = ("gen", "gen_max", "reward", "old_log_prob", "ref", "values", "adv", "update_critic", "update_actor")


def _measure(trainer: Trainer, history: History, config: Mapping[str, Any]) -> Measured:
    """Return compute at step ``s``, 0 at step 0.

    ``tokens = sum perf/total_num_tokens`` (prompt and response of the trained batch), ``seconds = sum (timing_s/step +
    validation + checkpoint)`` where the last two are added only if they run outside ``timing_s/step`` (see
    :func:`_clocks`); ``samples = train_batch_size x rollout.n`` a step, by the configuration.
    """
    series = history.series
    steps = steps_of(series)
    axes = {"steps": Series(steps, steps)}
    trained = steps[steps > 0]
    lost = lost_steps(trained)
    absent: dict[str, str] = {}
    warnings: dict[str, tuple[str, ...]] = {}
    tokens = None if lost else _sum(series, _TOKENS, trained)
    clocks, outside = ({}, ()) if lost else _clocks(series, trained)
    if lost:
        absent = {"tokens": lost, "gpu-hours": lost}
        if trained.size:
            warnings = {"steps": (f"tokens and gpu-hours are unknown: {lost}",)}
    else:
        missing = int(trained[-1] - trained.size) if trained.size else 0
        if missing > 0:
            told = f"{plural(missing, 'step')} not in the log; the compute of each is taken from the next logged step"
            warnings = {"tokens": (told,), "gpu-hours": (told,)}
        absent |= {} if tokens is not None else {"tokens": f"the log holds no {_TOKENS}"}
        absent |= {} if clocks else {"gpu-hours": "the log holds no timing_s/step"}
    if tokens is not None:
        axes["tokens"] = tokens
    batch = _samples_a_step(config)
    if batch:
        axes["samples"] = Series(steps, steps * batch)
    validation = trainer.validation(series)
    gpus, counted = _gpus(series, trainer.gpus_of(config) or history.gpus)
    graded = {key: _graded(series[key], history.graded) for key in validation} if history.graded else {}
    return Measured(
        axes=axes,
        axis_keys={_TOKENS: tokens} if tokens is not None else {},
        axis_units={_TOKENS: "tokens"},
        clocks=clocks,
        lost=lost_seconds(history, ("timing_s/step", "perf/time_per_step"), outside),
        gpus=gpus,
        gpus_said=counted,
        absent=absent,
        n_eval=graded,
        logp_passes=_logp_passes(series),
        sample_length=_sample_length(series),
        warnings=_uneven(series, validation),
        axis_warnings=warnings,
        metric_repairs=dict.fromkeys(graded, ("n_eval is the number of graded samples that verl printed",)),
    )


def _samples_a_step(config: Mapping[str, Any]) -> float | None:
    """Return the samples of one step by the configuration, None where it does not say."""
    batch = "data.gen_batch_size" if config.get("data.gen_batch_size") else "data.train_batch_size"
    return product(config, (batch, "actor_rollout_ref.rollout.n"))


def _logp_passes(series: Mapping[str, Series]) -> float | None:
    """Return the log-probability passes over a batch, by their timers; None where no part of a step is timed."""
    if "timing_s/update_actor" not in series:
        return None
    return float(sum(f"timing_s/{part}" in series for part in ("old_log_prob", "ref")))


def _sample_length(series: Mapping[str, Series]) -> float | None:
    parts = [series.get(f"{part}_length/mean") for part in ("prompt", "response")]
    means = [float(np.nanmean(one.value)) for one in parts if one is not None and np.isfinite(one.value).any()]
    return sum(means) if len(means) == 2 else None


def _uneven(series: Mapping[str, Series], validation: Sequence[str]) -> tuple[str, ...]:
    """Return a warning where prompts that appear twice left a metric over few of them as the primary one.

    verl puts ``mean@N`` of the largest N into val-core; with duplicated prompts that is the mean of the duplicates.
    """
    said = []
    for key in validation:
        stem, _, count = key.partition("/mean@")
        others = [
            other
            for other in series
            if re.fullmatch(re.escape(stem.replace("val-core", "val-aux", 1)) + r"/mean@\d+", other)
            and not other.endswith(f"@{count}")
        ]
        if count and others:
            said.append(
                f"{key} covers only the prompts that are answered {count} times; the others are in "
                f"{' and '.join(others)}: validation prompts are duplicated (--metric chooses)"
            )
    return tuple(said)


def _values(series: Mapping[str, Series], key: str, steps: Floats) -> Floats:
    """Return a logged quantity at ``steps``, shape (n,); NaN where it is not logged."""
    result = np.full(steps.size, np.nan)
    if key in series and steps.size:
        place = np.minimum(np.searchsorted(steps, series[key].step), steps.size - 1)
        here = steps[place] == series[key].step
        result[place[here]] = series[key].value[here]
    return result


def _sum(series: Mapping[str, Series], key: str, steps: Floats) -> Series | None:
    values = _values(series, key, steps)
    logged = np.isfinite(values)
    return total_of_steps(steps[logged], values[logged])[0] if logged.any() else None


def _clocks(series: Mapping[str, Series], trained: Floats) -> tuple[dict[str, Clock], tuple[str, ...]]:
    """Return the clocks of a run, none where no step is timed, and the timers that run outside the step's.

    Validation and checkpoints ran inside ``timing_s/step`` up to verl 0.5, outside from 0.6 on (checkpoints inside
    again later), and the log does not name its version. So the data decide: of the four ways to take them out of
    ``timing_s/step``, the one that leaves the steps with a validation or a checkpoint most like the others (or, with
    the other timers known, nearest to nothing). ``train`` leaves both out.

    Parameters
    ----------
    series : mapping of str to Series
        The run.
    trained : array, shape (n,)
        Its steps above 0.
    """
    whole = _values(series, "timing_s/step", trained)
    timer = "timing_s/step" if np.isfinite(whole).any() else "perf/time_per_step"
    whole = np.where(np.isfinite(whole), whole, _values(series, "perf/time_per_step", trained))
    timed = np.isfinite(whole)
    if not timed.any():
        return {}, ()
    steps, whole = trained[timed], whole[timed]
    timers = ("timing_s/testing", "timing_s/save_checkpoint")
    extras = [np.nan_to_num(_values(series, key, steps)) for key in timers]
    inside = _inside(whole, _rest(series, steps, whole), extras)
    nothing = np.zeros(steps.size)
    added = sum((x for x, is_in in zip(extras, inside, strict=True) if not is_in), nothing)
    taken = sum((x for x, is_in in zip(extras, inside, strict=True) if is_in), nothing)
    said = []
    for what, extra, is_in in zip(("validation", "checkpoints"), extras, inside, strict=True):
        if extra.any():
            said.append(f"{what} {'(inside it)' if is_in else '(added to it)'}")
    base = f"gpu-hours count {timer}"
    alone = f"{base} without validation and checkpoints" if taken.any() else base
    clocks = {
        "train+eval": Clock(
            total_of_steps(steps, whole, added)[0], f"{base} with {' and '.join(said)}" if said else base
        ),
        "train": Clock(total_of_steps(steps, whole, -taken)[0], alone),
    }
    return clocks, tuple(key for key, is_in in zip(timers, inside, strict=True) if not is_in)


def _rest(series: Mapping[str, Series], steps: Floats, whole: Floats) -> Floats | None:
    """Return the part of each step that no other timer accounts for, shape (n,); None where they do not add up."""
    parts = [_values(series, f"timing_s/{part}", steps) for part in _PARTS]
    if not np.isfinite(_values(series, "timing_s/update_actor", steps)).all():
        return None
    if not np.isfinite(_values(series, "timing_s/gen", steps)).all():
        return None
    rest: Floats = whole - np.sum([np.nan_to_num(part) for part in parts], axis=0)
    overlaps = bool(np.median(rest) < -0.05 * np.median(whole))  # asynchronous trainers time things in parallel
    return None if overlaps else rest


def _inside(whole: Floats, rest: Floats | None, extras: Sequence[Floats]) -> tuple[bool, ...]:
    """Return for each extra whether it is part of ``whole``; outside where nothing tells."""
    visible = np.logical_or.reduce([extra > 0 for extra in extras])
    level = whole if rest is None else rest
    if not visible.any() or (visible.all() and rest is None):
        return tuple(False for _ in extras)
    usual = 0.0 if visible.all() else float(np.median(level[~visible]))
    possible = [(False, True) if np.all(extra <= whole) and extra.any() else (False,) for extra in extras]

    def misfit(choice: tuple[bool, ...]) -> float:
        taken = sum((extra for extra, is_in in zip(extras, choice, strict=True) if is_in), np.zeros(whole.size))
        return float(np.mean(np.abs((level - taken - usual)[visible])))

    return min(itertools.product(*possible), key=misfit)


def _gpus(series: Mapping[str, Series], configured: float | None) -> tuple[float | None, str]:
    """Return the GPU count and how it is known: ``total_num_tokens / (throughput x time_per_step)``."""
    tokens = series.get(_TOKENS)
    if tokens is not None:
        rate = _values(series, "perf/throughput", tokens.step)
        time = _values(series, "perf/time_per_step", tokens.step)
        time = np.where(np.isfinite(time), time, _values(series, "timing_s/step", tokens.step))
        usable = np.isfinite(tokens.value) & (rate > 0) & (time > 0)
        if usable.any():
            count = float(np.median(tokens.value[usable] / (rate[usable] * time[usable])))
            if round(count) >= 1 and abs(count - round(count)) <= 0.02 * round(count):
                return float(round(count)), "recovered from throughput"
    if configured:
        return configured, "from the configuration"
    return None, ""


def _graded(metric: Series, graded: Mapping[float, float]) -> Series:
    return Series(metric.step, np.asarray([graded.get(step, np.nan) for step in metric.step.tolist()]))


VERL = Trainer(
    name="verl",
    title="verl",
    snapshot="0.2 to 0.10.0.dev (1dda039b)",
    marks=(
        "val-core/{x...}",
        "val-aux/{x...}",
        "val/test_score/{x...}",
        "critic/score/mean",
        "actor/ppo_kl",
        "actor/pg_clipfrac",
        "timing_s/step",
        "timing_s/gen",
        "perf/total_num_tokens",
        "perf/time_per_step",
        "response_length/clip_ratio",
        "training/global_step",
        "global_seqlen/mean",
    ),
    keys=(
        Key("step", "step", "log", note="also training/global_step"),
        Key("validation", "val-core/{source...}/{acc|reward}/mean@{N}", "log", note="never best@, maj@, std@"),
        Key("validation", "val/test_score/{source...}", "log", versions="up to 0.3"),
        Key("validation", "val/reward_score", "source", versions="EasyR1, a fork"),
        Key("n_eval", "len reward_extra_infos_dict['reward']", "log", note="console only; N in mean@N is a prompt's"),
        Key("train_reward", "critic/score/mean", "log", note="the task score"),
        Key("train_reward", "critic/rewards/mean", "log", note="after the KL penalty"),
        Key("entropy", "actor/entropy", "log"),
        Key("entropy", "actor/entropy_loss", "log", versions="up to 0.3"),
        Key("kl", "actor/kl_loss", "log"),
        Key("kl", "actor/reward_kl_penalty", "source"),
        Key("kl_new_old", "actor/ppo_kl", "log"),
        Key("clip_fraction", "actor/pg_clipfrac", "log"),
        Key("truncation", "response_length/clip_ratio", "log", note="length equal to the limit"),
        Key("response_length", "response_length/mean", "log"),
        Key("mismatch", "training/rollout_probs_diff_mean", "source", unit="probability (absolute difference)"),
        Key("mismatch", "rollout_corr/kl", "source", unit="nats (KL of sampler and trainer)"),
        Key("staleness", "training/off_policy/trajectory_staleness/mean", "source", versions="v1 trainer"),
        Key("tokens", "perf/total_num_tokens", "log", note="per step, prompt and response of the trained batch"),
        Key("step_seconds", "timing_s/step", "log"),
        Key("step_seconds", "perf/time_per_step", "log"),
        Key("gpus", "perf/throughput", "log", note="total_num_tokens / (throughput x time_per_step)"),
        Key("learning_rate", "actor/lr", "log"),
        Key("grad_norm", "actor/grad_norm", "log"),
    ),
    step_timers=("timing_s/step", "perf/time_per_step"),
    eval_timers=("timing_s/testing",),
    gpus=(
        ("trainer.n_gpus_per_node", "trainer.nnodes"),
        ("actor_rollout_ref.rollout.n_gpus_per_node", "actor_rollout_ref.rollout.nnodes"),
    ),
    settings={
        "algorithm": ("algorithm.adv_estimator",),
        "loss_type": ("actor_rollout_ref.actor.policy_loss.loss_mode", "actor_rollout_ref.actor.loss_agg_mode"),
        "model": ("actor_rollout_ref.model.path",),
        "prompts_per_step": ("data.train_batch_size",),
        "generations": ("actor_rollout_ref.rollout.n",),
        "eval_generations": ("actor_rollout_ref.rollout.val_kwargs.n",),
        "epochs": ("actor_rollout_ref.actor.ppo_epochs",),
        "learning_rate": ("actor_rollout_ref.actor.optim.lr",),
        "kl_coefficient": ("actor_rollout_ref.actor.kl_loss_coef",),
        "clip_low": ("actor_rollout_ref.actor.clip_ratio_low", "actor_rollout_ref.actor.clip_ratio"),
        "clip_high": ("actor_rollout_ref.actor.clip_ratio_high", "actor_rollout_ref.actor.clip_ratio"),
        "temperature": ("actor_rollout_ref.rollout.temperature",),
        "max_response_length": ("data.max_response_length",),
        "precision": ("actor_rollout_ref.rollout.dtype",),
        "seed": ("data.seed", "trainer.seed"),
    },
    native=plain,
    measure=_measure,
    files="its console; the file logger's {project}/{experiment}.jsonl; tensorboard_log/{project}/{experiment}",
    traps=(
        "test_freq is -1 by default: without it nothing is validated.",
        "The file logger erases the past of a resumed run: tokens and gpu-hours are then unknown, steps are not.",
        "Duplicated validation prompts put mean@N of the duplicates into val-core; the rest is in val-aux.",
        "critic/score may run from -1 to 1 while acc runs from 0 to 1: give --bounds.",
        "Up to 0.4.1 the console rounds to three decimals.",
    ),
)
