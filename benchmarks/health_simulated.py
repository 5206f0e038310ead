"""Simulated runs with diagnostic series: healthy ones with the traps that real ones have, and each kind of sickness."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.health_runs import run_of
from rlscale.curves import Run, Series

__all__ = ["ITEMS", "KINDS", "LOSING", "Case", "by_heart", "healthy", "healthy_series", "sick"]

Floats = NDArray[np.float64]
Columns = dict[str, tuple[Floats, Floats]]

#: Kinds of sickness, each named after the monitor that is to find it.
KINDS = (
    "truncation", "entropy_collapse", "entropy_explosion", "kl_blowup", "train_inference_mismatch", "staleness",
    "zero_variance", "grad_norm", "non_finite", "length_drift", "reward_hacking", "data_reuse", "reward_scale_change",
    "validation_silence",
)  # fmt: skip
#: Those that cost the run its reward.
LOSING = (
    "truncation", "entropy_collapse", "entropy_explosion", "kl_blowup", "train_inference_mismatch", "grad_norm",
    "non_finite", "length_drift",
)  # fmt: skip


#: Samples behind one evaluation.
ITEMS = 500


@dataclass(frozen=True)
class Case:
    """A simulated run.

    Parameters
    ----------
    run : Run
    onset : float, optional
        Step at which the sickness begins; None for a healthy run.
    half : float, optional
        Step at which half of the reward that is lost is lost; None where none is.
    every : int
        Steps between evaluations.
    """

    run: Run
    onset: float | None
    half: float | None
    every: int


def _ar(rng: np.random.Generator, n: int, sd: float, rho: float) -> Floats:
    noise = rng.normal(0.0, sd * np.sqrt(1 - rho**2), n)
    out = np.empty(n)
    last = rng.normal(0.0, sd)
    for k in range(n):
        last = rho * last + noise[k]
        out[k] = last
    return out


def healthy_series(rng: np.random.Generator, n: int) -> dict[str, Floats]:
    """Return the series of a healthy run, shape (n,) each, at steps 1 to n."""
    x = np.arange(1, n + 1) / n
    start, top = rng.uniform(0.05, 0.5), 0.0
    top = rng.uniform(start + 0.1, 0.95)
    midpoint, exponent = rng.uniform(0.1, 0.8), rng.uniform(1.0, 4.0)
    if rng.random() < 0.08:  # a late take-off
        start, midpoint, exponent = rng.uniform(0.0, 0.03), rng.uniform(0.4, 0.7), 8.0
    mean = start + (top - start) / (1 + (midpoint / x) ** exponent)
    samples = rng.choice([32, 64, 128, 256, 512])
    noise = np.sqrt(mean * (1 - mean) / samples)
    reward = np.clip(mean + _ar(rng, n, 1.0, rng.uniform(0.0, 0.5)) * noise, 0, 1)
    # entropy falls, stays or rises; a share of runs spends nearly all of it while it earns
    level = np.exp(rng.normal(np.log(0.4), 0.6))
    change = rng.choice([rng.uniform(0.05, 0.3), rng.uniform(0.3, 1.2), rng.uniform(1.2, 4.0)], p=[0.2, 0.65, 0.15])
    change = min(change, 1.0 + 1.0 / level)  # of real healthy runs none rises by more than .6 nats
    entropy = level * change**x * np.exp(_ar(rng, n, rng.uniform(0.03, 0.15), 0.5))
    kl = np.exp(rng.normal(np.log(0.05), 1.0)) * x ** rng.uniform(0.5, 1.5) * np.exp(_ar(rng, n, 0.2, 0.5)) + 1e-4
    spikes = rng.random(n) < 0.004
    kl = np.where(spikes, kl * rng.uniform(3, 40, n), kl)
    grad = np.exp(rng.normal(0, 1.5)) * np.exp(_ar(rng, n, rng.uniform(0.1, 0.5), 0.3)) * (1 - 0.5 * x)
    grad = np.where(rng.random(n) < 0.006, grad * rng.uniform(5, 200, n), grad)
    length = rng.uniform(80, 2000) * rng.uniform(0.6, 2.5) ** x * np.exp(_ar(rng, n, rng.uniform(0.03, 0.12), 0.5))
    if rng.random() < 0.15:  # begins truncated and learns to stop
        cut = rng.uniform(0.2, 0.95) * np.exp(-x * rng.uniform(4, 12))
    else:
        cut = np.full(n, rng.uniform(0.0, 0.06)) * np.exp(_ar(rng, n, 0.3, 0.5))
    truncation = rng.binomial(samples, np.clip(cut, 0, 1)) / samples
    solved = mean**8 + (1 - mean) ** 8
    groups = int(samples // 8)
    zero = rng.binomial(groups, np.clip(solved, 0, 1)) / groups
    mismatch = rng.uniform(0.004, 0.022) * np.exp(_ar(rng, n, 0.1, 0.5)) * rng.uniform(0.8, 1.6) ** x
    loss = rng.normal(0.0, 0.02, n)
    staleness = np.full(n, float(rng.integers(0, 4))) + rng.uniform(0, 0.5, n)
    return {
        "train_reward": reward, "entropy": entropy, "kl": kl, "grad_norm": grad, "response_length": length,
        "truncation": truncation, "zero_variance": zero, "mismatch": mismatch, "loss": loss, "staleness": staleness,
        "kl_new_old": np.abs(rng.normal(2e-3, 1e-3, n)), "_mean": mean, "_samples": np.full(n, float(samples)),
    }  # fmt: skip


def _case(
    rng: np.random.Generator, name: str, series: dict[str, Floats], every: int, onset: float | None, half: float | None,
    *, silent_from: int | None = None, epochs: float | None = None,
) -> Case:  # fmt: skip
    n = series["train_reward"].size
    step = np.arange(1.0, n + 1)
    mean = series.pop("_mean")
    series.pop("_samples")
    truth = series.pop("_truth", mean)
    at = np.arange(0, n + 1, every)
    at = at[at < silent_from] if silent_from is not None else at
    values = np.concatenate([truth[:1], truth])[at]
    held_out = np.clip(
        values - 0.02 + rng.normal(0, 1, at.size) * np.sqrt(np.clip(values * (1 - values), 0.01, None) / ITEMS), 0, 1
    )
    columns: Columns = {key: (step, value) for key, value in series.items()}
    columns["validation"] = (at.astype(np.float64), held_out)
    run = run_of(name, columns, units={"mismatch": "nats (absolute difference of log-probabilities)"})
    if epochs is not None:
        more = {**run.series, "epoch": Series(step, epochs * step / n)}
        run = Run(name=run.name, recipe=run.recipe, curve=run.curve, series=more, metrics=run.metrics)
    return Case(run, onset, half, every)


def healthy(rng: np.random.Generator, name: str) -> Case:
    """Return a healthy run: 60 to 300 rows, an evaluation every 5 to 10 of them."""
    n, every = int(rng.integers(60, 300)), int(rng.integers(5, 11))
    series = healthy_series(rng, n)
    if rng.random() < 0.03:
        series["kl"][rng.integers(0, n, 2)] = np.nan
    if rng.random() < 0.25:  # validation learns less than what is trained: their gap grows, and nothing is wrong
        mean = series["_mean"]
        series["_truth"] = mean[0] + rng.uniform(0.5, 1.0) * (mean - mean[0])
    return _case(rng, name, series, every, None, None, epochs=rng.uniform(0.3, 10))


def _losing(rng: np.random.Generator, series: dict[str, Floats], onset: int) -> float:
    """Take the reward down after an onset, mild to severe, soon or late; return the step of half of the loss."""
    n = series["train_reward"].size
    lag, length = int(rng.integers(2, 16)), int(rng.integers(6, 50))
    depth = rng.uniform(0.3, 1.0)
    fall = np.clip((np.arange(n) - onset - lag) / length, 0, 1) * depth
    for key in ("train_reward", "_mean"):
        series[key] = series[key] * (1 - fall)
    return float(onset + lag + length / 2 + 1)


def by_heart(rng: np.random.Generator, after: Floats) -> Floats:
    """Return what validation loses where the train set is learned by heart, given the rows since the onset."""
    return np.clip(after / rng.uniform(30, 100), 0, 1) * rng.uniform(0.1, 0.3)


def sick(rng: np.random.Generator, kind: str, name: str) -> Case:
    """Return a run with one kind of sickness, from mild to severe, that begins between .3 and .6 of it."""
    n, every = int(rng.integers(120, 300)), int(rng.integers(5, 11))
    series = healthy_series(rng, n)
    while kind in LOSING and series["_mean"][int(0.3 * n)] < 0.15:  # there must be a reward to lose
        series = healthy_series(rng, n)
    onset = int(rng.uniform(0.3, 0.6) * n)
    after = np.clip(np.arange(n) - onset, 0, None)
    half = _losing(rng, series, onset) if kind in LOSING else None
    silent = epochs = None
    speed = after / rng.uniform(3, 20)  # rows until the sickness is fully there
    grown = np.clip(speed, 0, 1)
    samples = int(series["_samples"][0])
    if kind == "truncation":
        share = grown * rng.uniform(0.15, 1.0)
        series["truncation"] = rng.binomial(samples, np.clip(series["truncation"] + share, 0, 1)) / samples
    elif kind == "entropy_collapse":
        series["entropy"] = series["entropy"] * rng.uniform(1e-4, 0.05) ** grown
    elif kind == "entropy_explosion":
        series["entropy"] = series["entropy"] + grown * rng.uniform(1.0, 8.0)
    elif kind == "kl_blowup":
        series["kl"] = series["kl"] * rng.uniform(20, 1e4) ** grown + 0.3 * grown
    elif kind == "train_inference_mismatch":
        series["mismatch"] = series["mismatch"] * rng.uniform(4, 30) ** grown
    elif kind == "staleness":
        series["staleness"] = series["staleness"] + grown * rng.uniform(9, 40)
    elif kind == "zero_variance":
        dead = after > 0
        series["zero_variance"] = np.where(dead, np.clip(rng.uniform(0.93, 1.0, n), 0, 1), series["zero_variance"])
        low = rng.uniform(0.0, 0.05)
        for key in ("train_reward", "_mean"):
            series[key] = np.minimum(series[key], low)
    elif kind == "grad_norm":
        series["grad_norm"] = series["grad_norm"] * np.exp(grown * rng.uniform(np.log(15), np.log(1e5)))
    elif kind == "non_finite":
        series[str(rng.choice(["loss", "grad_norm", "entropy"]))][onset:] = rng.choice([np.nan, np.inf])
    elif kind == "length_drift":
        factor = rng.choice([rng.uniform(2.5, 10), rng.uniform(0.01, 0.2)])
        series["response_length"] = series["response_length"] * factor**grown
    elif kind == "reward_hacking":
        series["_truth"] = np.minimum(series["_mean"], series["_mean"][onset]) * (1 - rng.uniform(0, 0.3) * grown)
        rise = np.clip(after / rng.uniform(20, 60), 0, 1) * rng.uniform(0.3, 0.8)
        series["_truth"] = np.full(n, series["_truth"][0]) + 0.1 * (series["_truth"] - series["_truth"][0])
        start = series["train_reward"][0]
        series["train_reward"] = np.clip(start + rise + 0.1 * (series["train_reward"] - start), 0, 1)
    elif kind == "data_reuse":
        epochs = float(rng.uniform(8, 60))
        series["_truth"] = series["_mean"] - by_heart(rng, after)
        series["train_reward"] = np.clip(series["train_reward"] + 0.1 * grown, 0, 1)
    elif kind == "reward_scale_change":
        factor = rng.choice([rng.uniform(5, 100), -rng.uniform(2, 10)])
        offset = rng.uniform(1, 5) * np.sign(factor)
        series["train_reward"] = np.where(after > 0, series["train_reward"] * factor + offset, series["train_reward"])
    elif kind == "validation_silence":
        silent = onset
    return _case(rng, name, series, every, float(onset + 1), half, silent_from=silent, epochs=epochs)
