"""prime-rl: trainer and orchestrator append to one ``metrics.jsonl`` and run side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from rlscale.sources.history import History
from rlscale.sources.keys import is_evaluation
from rlscale.sources.repair import Row
from rlscale.sources.trainers.base import by_table
from rlscale.sources.trainers.canonical import Key
from rlscale.sources.trainers.rows_from_zero import FROM_ZERO, counts_from_zero, one_step_on, shifted
from rlscale.sources.trainers.trainer import Count, Measured, Trainer, product

__all__ = ["PRIME_RL"]

_TRAINER = ("optim/", "perf/", "loss/", "mismatch_kl/", "entropy/")
_ORCHESTRATOR = ("progress/", "train/", "off_policy/", "reward/")

#: Keys that both log, with another meaning.
_SHARED = ("time/",)


def _writer(values: Mapping[str, float]) -> str:
    """Return which process wrote a row, by what stands in it: ``trainer``, ``orchestrator``, ``eval`` or nothing."""
    for name, prefixes in (("trainer", _TRAINER), ("orchestrator", _ORCHESTRATOR), ("eval", ("eval/",))):
        if any(key.startswith(prefixes) for key in values):
            return name
    return ""


def _apart(rows: Iterable[Row]) -> Iterator[Row]:
    """Yield the rows with the keys that both processes log named after the process (``trainer:time/step``).

    The processes are a few steps apart, and an evaluation comes when it is done. So ``time`` is where a row stands, not
    what was measured (``timestamp``), and an evaluation has none: what is late is not a resume. A process that goes
    back itself has resumed.
    """
    for step, values in rows:
        writer = _writer(values)
        kept = {}
        for key, value in values.items():
            if key == "time":
                if writer != "eval":
                    kept["timestamp"] = value
            elif writer in ("trainer", "orchestrator") and key.startswith(_SHARED):
                kept[f"{writer}:{key}"] = value
            else:
                kept[key] = value
        yield step, kept


def _measure(trainer: Trainer, history: History, config: Mapping[str, Any]) -> Measured:
    """Return compute at updates done: totals of tokens and samples, and the time that passed.

    Trainer and orchestrator overlap, so their timers add up to no time. GPUs are those of both, by the configuration.
    """
    from_zero = counts_from_zero(history.series, trainer.train(history.series), batches=True)
    series = shifted(history.series) if from_zero else history.series
    wall = one_step_on(history.wall) if from_zero else history.wall
    measured = by_table(trainer, replace(history, series=series, wall=wall), config)
    gpus = measured.gpus or _nodes(config)
    absent = dict(measured.absent)
    if wall is None:
        absent["gpu-hours"] = "the rows hold no time, and prime-rl's timers overlap"
    return replace(
        measured,
        series=series,
        wall=wall,
        gpus=gpus,
        gpus_said="from the configuration" if gpus else "",
        absent=absent,
        metric_repairs={key: FROM_ZERO for key in series if not is_evaluation(key)} if from_zero else {},
    )


def _nodes(config: Mapping[str, Any]) -> float | None:
    """Return the GPUs of a deployment over several nodes."""
    train = product(config, ("deployment.num_train_nodes", "deployment.gpus_per_node"))
    infer = product(config, ("deployment.num_infer_nodes", "deployment.gpus_per_node"))
    if train is None or infer is None:
        return None
    return train + infer * (product(config, ("deployment.num_infer_replicas",)) or 1.0)


PRIME_RL = Trainer(
    name="prime-rl",
    title="prime-rl",
    snapshot="0.8.0 (559b4477)",
    marks=(
        "train/{agg...}/{all|effective}/{agent}/reward/mean",
        "eval/{env...}/{all|effective}/{agent}/avg@{k}",
        "eval/{env...}/policy_version",
        "mismatch_kl/all/mean",
        "kl_ent_ratio/mean",
        "entropy/all/mean",
        "off_policy/mean",
        "off_policy/dropped",
        "perf/throughput_per_gpu",
        "progress/output_tokens",
        "progress/decode_tokens",
        "progress/total_problems",
        "{x...}time/wait_for_batch",
        "{x...}time/wait_for_policy",
        "time/wait_for_batch",
        "time/broadcast_weights",
        "solve_none/all",
        "reward/all/mean",
    ),
    keys=(
        Key("step", "step", "source", note="from 0; validation at the version of the policy"),
        Key("validation", "eval/{env...}/all/{agent}/avg@{k}", "source"),
        Key("validation", "eval/{env...}/effective/{agent}/avg@{k}", "source"),
        Key("validation", "eval/{env...}/avg@{k}", "source", versions="before 0.8"),
        Key(
            "validation",
            "eval/{env...}/reward/mean",
            "source",
            note="where no avg@k is printed",
            without=("eval/{env...}/{all|effective}/{x...}",),
        ),
        Key("validation", "val_reward/mean", "source", versions="before 0.5"),
        Key("n_eval", "k of avg@{k}", "source", note="answers to one prompt"),
        Key("train_reward", "train/agg/all/{agent}/reward/mean", "source"),
        Key("train_reward", "train/agg/effective/{agent}/reward/mean", "source"),
        Key("train_reward", "reward/all/mean", "source", versions="before 0.8"),
        Key("entropy", "entropy/all/mean", "source"),
        Key("kl", "ref_kl/{x...}", "source"),
        Key("clip_fraction", "is_masked/all/mean", "docs", note="tokens masked out"),
        Key("truncation", "train/agg/all/{agent}/is_truncated/mean", "source"),
        Key("truncation", "is_truncated/all/mean", "source", versions="before 0.8"),
        Key("response_length", "train/agg/all/{agent}/num_output_tokens/mean", "source"),
        Key("response_length", "decode_len/all/mean", "source", versions="before 0.8"),
        Key("mismatch", "mismatch_kl/all/mean", "source", unit="nats (KL of sampler and trainer, k3)"),
        Key(
            "zero_variance",
            "train/agg/{x...}solved_none",
            "source",
            plus=("solved_none", "solved_all"),
            without=("train/agg/effective/{x...}",),
            note="rewards of 0 and 1 only",
        ),
        Key("zero_variance", "solve_none/all", "source", plus=("solve_none", "solve_all"), versions="before 0.8"),
        Key("staleness", "off_policy/mean", "source"),
        Key("tokens", "progress/total_tokens", "source", note="cumulative; progress/tokens per step"),
        Key("step_seconds", "trainer:time/step", "source", note="time/step of the trainer's rows"),
        Key("step_seconds", "time/step", "source"),
        Key("gpus", "deployment.num_train_gpus", "source", note="+ deployment.num_infer_gpus, configuration"),
        Key("learning_rate", "optim/lr", "source"),
        Key("grad_norm", "optim/grad_norm", "source"),
    ),
    counts=(
        Count("tokens", "progress/total_tokens", "total"),
        Count("tokens", "progress/tokens", "step"),
        Count("samples", "progress/total_samples", "total"),
        Count("samples", "progress/samples", "step"),
    ),
    overlaps=True,
    gpus=(("deployment.num_train_gpus",), ("deployment.num_infer_gpus",)),
    settings={
        "model": ("model.name", "trainer.model.name"),
        "generations": ("orchestrator.group_size", "group_size"),
    },
    measure=_measure,
    rows=_apart,
    files="{output_dir}/{run name}/metrics.jsonl (default); the orchestrator's log; W&B where it is switched on",
    traps=(
        "Trainer and orchestrator append to one file; time/step and time/save_ckpt mean something else in each, and "
        "are read as trainer:time/step and orchestrator:time/step.",
        "They run side by side: gpu-hours are the time that passed (the time column) on the GPUs of both.",
        "perf/throughput over perf/throughput_per_gpu gives the GPUs of the trainer only: give --gpus N for all.",
        "The orchestrator's log has four decimals: metrics.jsonl goes before it, where it is written.",
        "A validation is logged at the version of its policy and may come later in the file.",
        "avg@k is the mean reward of k answers, pass@k the best of them.",
    ),
)
