"""TRL (and Unsloth, which patches it): GRPO and its kin under the Hugging Face Trainer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import Series
from rlscale.sources.clocks import Clock
from rlscale.sources.history import History
from rlscale.sources.keys import is_evaluation
from rlscale.sources.text import plural
from rlscale.sources.totals import total_of_counter, total_of_steps, value_at
from rlscale.sources.trainers.base import Measured, Trainer, lost_seconds, steps_of
from rlscale.sources.trainers.canonical import Key

__all__ = ["NOT_SERIES", "TRL", "averaged"]

Floats = NDArray[np.float64]

#: Keys of a row that are no quantities.
NOT_SERIES = frozenset({"step", "total_flos"})
#: Not means over the steps since the row before: counters and schedules, as they stand at the step.
_AT_THE_STEP = frozenset({"num_tokens", "epoch", "learning_rate", "total_flos", "train_runtime", "train_loss"})


def averaged(key: str) -> bool:
    """Whether a train row holds the mean of a key over the steps since the row before."""
    return not is_evaluation(key) and key not in _AT_THE_STEP


def _native(key: str) -> str:
    """``train/x`` and ``eval/x`` of W&B, TensorBoard and Trackio are ``x`` and ``eval_x``; MLflow keeps the names."""
    if key.startswith("eval/"):
        return f"eval_{key[5:]}"
    return key.removeprefix("train/")


def _measure(trainer: Trainer, history: History, config: Mapping[str, Any]) -> Measured:
    """Return cumulative compute at an evaluation at step ``s`` (0 at step 0).

    - ``steps``: ``s``;
    - ``tokens``: ``num_tokens`` (prompt and completion, all ranks, train only), which goes on where a resume reset it;
    - seconds: ``sum_i step_time_i (s_i - s_(i-1)) + sum eval_runtime`` over the rows up to ``s``, since ``step_time``
      is the mean over the steps since the row before; loading and checkpoints are not in it.
    """
    series = history.series
    steps = steps_of(series)
    axes = {"steps": Series(steps, steps)}
    repairs: list[str] = []
    tokens = _tokens(series, repairs)
    if tokens is not None:
        axes["tokens"] = tokens
    clocks, estimated = _clocks(series)
    absent = {"samples": "TRL logs no count of samples"}
    if tokens is None:
        absent["tokens"] = "the log holds no num_tokens (TRL logs it from 0.16 on)"
    if not clocks:
        absent["gpu-hours"] = "the log holds no step_time (TRL logs it from 0.29 on)"
    validation = trainer.validation(series)
    graded, inferred = _graded(series, validation, config)
    moved, noise, said = _centred(series, trainer)
    return Measured(
        axes=axes,
        clocks=clocks,
        lost=lost_seconds(history, ("step_time",), ("eval_runtime",)),
        axis_keys={"num_tokens": tokens} if tokens is not None else {},
        axis_units={"num_tokens": "tokens"},
        absent=absent,
        n_eval=graded,
        logp_passes=_logp_passes(config),
        sd=noise,
        series=moved,
        repairs=tuple(repairs),
        axis_warnings={"gpu-hours": estimated} if estimated else {},
        metric_repairs={**said, **inferred},
    )


def _logp_passes(config: Mapping[str, Any]) -> float | None:
    """Return the log-probability passes over a batch: the reference's, and the old policy's where it is needed."""
    beta, reuse = config.get("beta"), config.get("num_iterations")
    each, whole = config.get("steps_per_generation"), config.get("gradient_accumulation_steps")
    if not (isinstance(beta, int | float) and isinstance(reuse, int | float)):
        return None
    off = reuse > 1 or (isinstance(each, int) and isinstance(whole, int) and each > whole)
    return float(beta != 0) + float(off)


def _tokens(series: Mapping[str, Series], repairs: list[str]) -> Series | None:
    """Return the cumulative token counter, at train rows and at evaluations that repeat it.

    A train row without it generated nothing (several updates share one generation), so the counter stands still.
    """
    counter = series.get("num_tokens")
    if counter is None or not np.isfinite(counter.value).any():
        return None
    known: dict[float, float] = {}
    for key in ("eval_num_tokens", "num_tokens"):
        if key in series:
            known.update((s, v) for s, v in zip(series[key].step, series[key].value, strict=True) if np.isfinite(v))
    trained = series.get("grad_norm", series.get("loss", counter)).step
    steps = np.union1d(trained[trained >= counter.step[0]], np.asarray(list(known)))
    held = np.asarray(sorted(known))
    values = np.asarray([known[step] for step in held])
    total, falls = total_of_counter(Series(steps, values[np.searchsorted(held, steps, side="right") - 1]))
    if falls:
        repairs.append(f"num_tokens fell {plural(falls, 'time')} (a resume that lost the counter); its total goes on")
    return total


def _clocks(series: Mapping[str, Series]) -> tuple[dict[str, Clock], tuple[str, ...]]:
    """Return the seconds of training, with and without evaluation, and a warning where steps were not logged."""
    timed = series.get("step_time")
    if timed is None:
        return {}, ()
    keep = np.isfinite(timed.value) & (timed.step > 0)
    if not keep.any():
        return {}, ()
    train, _ = total_of_steps(timed.step[keep], timed.value[keep])
    evaluated = series.get("eval_runtime", Series(np.empty(0), np.empty(0)))
    counts = np.isfinite(evaluated.value) & (evaluated.step > 0)
    steps = np.union1d(train.step, evaluated.step[counts])
    spent = np.concatenate([[0.0], np.cumsum(evaluated.value[counts])])
    alone = value_at(train, steps)
    total = alone + spent[np.searchsorted(evaluated.step[counts], steps, side="right")]
    clocks = {
        "train+eval": Clock(
            Series(steps, total),
            "gpu-hours count step_time of every step and eval_runtime, not loading and checkpoints",
        ),
        "train": Clock(Series(steps, alone), "gpu-hours count step_time of every step, nothing else"),
    }
    first, gaps = float(timed.step[keep][0]), np.diff(timed.step[keep])
    if gaps.size and first > 2 * float(np.max(gaps)):
        return clocks, (
            f"the log starts at step {first:g}: the time of the steps before it is taken from its first row",
        )
    return clocks, ()


def _graded(
    series: Mapping[str, Series], validation: tuple[str, ...], config: Mapping[str, Any]
) -> tuple[dict[str, Series], dict[str, tuple[str, ...]]]:
    """Return the graded samples behind each validation value, and how they were inferred.

    Prompts are ``eval_runtime x eval_samples_per_second``, rounded; each is answered ``num_generations_eval`` (else
    ``num_generations``) times, where the configuration is logged.
    """
    told = [config.get(key) for key in ("num_generations_eval", "num_generations")]
    times = next((one for one in told if isinstance(one, int) and not isinstance(one, bool) and one > 0), None)
    graded: dict[str, Series] = {}
    said: dict[str, tuple[str, ...]] = {}
    for key in validation:
        prompts = _prompts(series, key)
        if prompts is None:
            continue
        graded[key] = Series(prompts.step, prompts.value * (times or 1))
        how = f"each answered {times} times" if times else "how often each was answered is not logged"
        said[key] = (f"n_eval is inferred: eval_runtime x eval_samples_per_second prompts, {how}",)
    return graded, said


def _prompts(series: Mapping[str, Series], key: str) -> Series | None:
    stem = key.removesuffix("reward")
    runtime, rate = series.get(f"{stem}runtime"), series.get(f"{stem}samples_per_second")
    if runtime is None or rate is None or not np.array_equal(runtime.step, rate.step):
        return None
    prompts = np.rint(runtime.value * rate.value)
    if not bool(np.any(prompts > 0)):
        return None
    return Series(runtime.step, np.where(prompts > 0, prompts, np.nan))


Said = dict[str, tuple[str, ...]]


def _centred(series: Mapping[str, Series], trainer: Trainer) -> tuple[dict[str, Series], dict[str, Series], Said]:
    """Return the series with train rows, means over ``logging_steps``, in the middle of the steps they average.

    Beside them the relative noise of each train reward, ``1 / sqrt(steps averaged)``, where rows average different
    numbers of them (the first and the last may), and what was done.
    """
    rows = series.get("loss", series.get("grad_norm"))
    if rows is None:
        return dict(series), {}, {}
    ends = rows.step[rows.step > 0]
    starts = np.concatenate([[0.0], ends[:-1]])
    width = ends - starts
    if ends.size < 2 or float(np.median(width)) <= 1:
        return dict(series), {}, {}
    starts[0] = max(starts[0], ends[0] - float(np.median(width)))  # a log that starts late
    width = ends - starts
    train = trainer.train(series)
    noise: dict[str, Series] = {}
    moved = dict(series)
    for key, one in series.items():
        if not averaged(key) or not np.isin(one.step, ends).all():
            continue
        place = np.searchsorted(ends, one.step)
        moved[key] = Series((starts[place] + 1 + ends[place]) / 2, one.value)
        if key in train and np.ptp(width[place]) > 0:
            noise[key] = Series(moved[key].step, 1 / np.sqrt(width[place]))
    said: tuple[str, ...] = (
        f"train rows are means over {np.median(width):g} steps: each is placed in the middle of its steps",
    )
    return moved, noise, dict.fromkeys(train, said)


TRL = Trainer(
    name="trl",
    title="TRL",
    snapshot="0.14 to 1.16",
    marks=(
        "frac_reward_zero_std",
        "completions/mean_length",
        "completions/clipped_ratio",
        "completion_length",
        "rewards/{fn}/mean",
        "rewards/{fn}",
        "num_tokens",
        "step_time",
        "eval_rewards/{fn}/mean",
        "clip_ratio/region_mean",
        "sampling/{x...}",
        "sample/staleness_mean",
        "train_samples_per_second",
        "eval_samples_per_second",
    ),
    keys=(
        Key("step", "step", "log", note="W&B: train/global_step, not _step"),
        Key("validation", "eval_reward", "run"),
        Key("validation", "eval_{dataset}_reward", "source", note="several evaluation sets"),
        Key("n_eval", "eval_samples_per_second", "run", note="x eval_runtime = prompts; x num_generations_eval"),
        Key("train_reward", "reward", "log"),
        Key("entropy", "entropy", "run", versions="from 0.22"),
        Key("kl", "kl", "log", note="absent where beta is 0, the default since 0.19"),
        Key("clip_fraction", "clip_ratio/region_mean", "run", versions="from 0.19"),
        Key("clip_fraction", "clip_ratio", "source", versions="0.16, and with liger up to 1.10"),
        Key("clip_fraction", "cispo_clip_ratio", "source", versions="from 0.29, loss_type cispo"),
        Key("truncation", "completions/clipped_ratio", "run", versions="from 0.19", note="no end of sequence"),
        Key("response_length", "completions/mean_length", "run", versions="from 0.19"),
        Key("response_length", "completion_length", "log", versions="up to 0.16, and Unsloth"),
        Key(
            "mismatch",
            "sampling/sampling_logp_difference/mean",
            "source",
            unit="nats (absolute difference of log-probabilities)",
            versions="from 0.25",
            note="vLLM with the importance-sampling correction only",
        ),
        Key("zero_variance", "frac_reward_zero_std", "run", versions="from 0.19"),
        Key("staleness", "sample/staleness_mean", "source", versions="from 1.16", note="AsyncGRPO only"),
        Key("tokens", "num_tokens", "run", versions="from 0.16", note="cumulative, prompt and completion"),
        Key("step_seconds", "step_time", "run", versions="from 0.29", note="without evaluation, checkpoints, loading"),
        Key("learning_rate", "learning_rate", "log"),
        Key("grad_norm", "grad_norm", "log"),
    ),
    step_timers=("step_time",),
    eval_timers=("eval_runtime",),
    settings={
        "algorithm": ("trainer_name",),
        "loss_type": ("loss_type",),
        "model": ("model_name_or_path", "_name_or_path", "model.name_or_path"),
        "generations": ("num_generations",),
        "eval_generations": ("num_generations_eval",),
        "epochs": ("num_iterations",),
        "learning_rate": ("learning_rate",),
        "kl_coefficient": ("beta",),
        "clip_low": ("epsilon",),
        "clip_high": ("epsilon_high",),
        "temperature": ("temperature",),
        "max_response_length": ("max_completion_length",),
        "precision": ("dtype", "torch_dtype"),
        "seed": ("seed",),
        "layers": ("num_hidden_layers",),
        "width": ("hidden_size",),
    },
    native=_native,
    measure=_measure,
    files="output_dir/checkpoint-N/trainer_state.json, output_dir/trainer_state.json after trainer.save_state()",
    traps=(
        "Between saves nothing is on disk but stdout, which is rounded and without steps: log to a tracker to follow.",
        "Rows are means over logging_steps (10 by default).",
        "report_to is 'none' by default in transformers 5.",
        "trainer_state.json holds neither timestamps nor GPUs: give --gpus N for gpu-hours.",
        "total_flos is 0 in every GRPO run and is never used.",
    ),
)
