"""Runs with diagnostic series, made for tests: healthy unless a series is given."""

import numpy as np

from rlscale.curves import Curve, Metric, Run, Series
from rlscale.health import check_health

UNITS = {
    "entropy": "nats per token", "kl": "nats per token", "kl_new_old": "nats per token",
    "truncation": "share of samples", "response_length": "tokens", "zero_variance": "share of groups",
    "staleness": "policy versions", "grad_norm": "", "mismatch": "nats (absolute difference of log-probabilities)",
    "train_reward": "reward",
}  # fmt: skip
N = 100


def steps(n=N):
    return np.arange(1.0, n + 1)


def noise(seed=0, n=N, sd=1.0):
    return sd * np.random.default_rng(seed).normal(size=n)


def healthy_series(n=N):
    x = steps(n) / n
    return {
        "train_reward": 0.2 + 0.5 * x / (x + 0.2) + noise(1, n, 0.01),
        "entropy": 0.5 * (1 - 0.5 * x) + noise(2, n, 0.01),
        "kl": 0.05 * x + np.abs(noise(3, n, 0.003)),
        "truncation": np.clip(0.03 + noise(4, n, 0.01), 0.0, 1.0),
        "response_length": 300 + 100 * x + noise(5, n, 10),
        "zero_variance": np.clip(0.3 + noise(6, n, 0.05), 0.0, 1.0),
        "grad_norm": np.exp(noise(7, n, 0.2)),
        "mismatch": np.abs(0.018 + noise(8, n, 0.001)),
        "staleness": np.full(n, 1.0),
        "loss": noise(9, n, 0.02),
    }


def run_with(name="run", *, units=None, validation=None, more=None, unit="steps", **changed):
    """Return a run whose curve is the train reward, or ``validation`` (step, value); None leaves a series out."""
    n = next((np.size(value) for value in changed.values() if value is not None), N)
    series = {key: value for key, value in {**healthy_series(n), **changed}.items() if value is not None}
    at = {key: Series(steps(np.size(value)), np.asarray(value, dtype=float)) for key, value in series.items()}
    if validation is not None:
        at["eval/accuracy"] = Series(*map(np.asarray, validation))
    metric = "eval/accuracy" if validation is not None else "train_reward"
    fitted = at[metric]
    known = np.isfinite(fitted.value)
    bounds = (0.0, 1.0) if fitted.value[known].max() <= 1.0 else (0.0, 2.0 * float(fitted.value[known].max()))
    said = {**UNITS, **(units or {})}
    curve = Curve(compute=fitted.step[known], reward=fitted.value[known], unit=unit, metric=metric, bounds=bounds)
    return Run(
        name=name,
        recipe=name,
        curve=curve,
        series={**{key: one for key, one in at.items() if key != metric}, **(more or {})},
        metrics={key: Metric(key, said[key], at[key]) for key in at if key in said},
    )


def of(run, monitor, **options):
    """Return (severities, why not measurable) of one monitor."""
    found = check_health(run, **options).runs[0]
    missing = {one.monitor: one.why for one in found.not_measurable}
    return [alarm.severity for alarm in found.of(monitor)], missing.get(monitor, "")
