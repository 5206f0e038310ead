"""Runs with diagnostic series for the trials of health monitors: real ones from a folder, and a word on each label."""

from __future__ import annotations

import csv
import gzip
import math
import os
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rlscale.curves import Curve, Metric, Run, Series

__all__ = ["ANSWERS", "Labelled", "canonical", "real_runs", "run_of"]

#: Units by canonical name, where a log says nothing else.
UNITS = {
    "entropy": "nats per token", "kl": "nats per token", "kl_new_old": "nats per token",
    "clip_fraction": "share of tokens", "truncation": "share of samples", "response_length": "tokens",
    "zero_variance": "share of groups", "staleness": "policy versions", "learning_rate": "", "grad_norm": "",
    "mismatch": "", "train_reward": "reward",
}  # fmt: skip
#: The monitors that name each label.
ANSWERS: Mapping[str, tuple[str, ...]] = {
    "reward_collapse": (),
    "validation_collapse": (),
    "truncation": ("truncation",),
    "reward_hacking": ("reward_hacking",),
    "non_finite": ("non_finite",),
    "dead_groups": ("zero_variance",),
    "entropy_collapse": ("entropy_collapse",),
    "kl_blowup": ("kl_blowup",),
    "length_explosion": ("length_drift",),
}


@dataclass(frozen=True)
class Labelled:
    """A real run, the source it comes from, what it was labelled and where that begins."""

    run: Run
    group: str
    label: str
    also: tuple[str, ...]
    onset: float | None


def canonical(name: str) -> str:
    """Return the project's word for a name of the folder."""
    return {"reward": "train_reward", "kl_old": "kl_new_old"}.get(name, name)


def run_of(
    name: str, series: Mapping[str, tuple[np.ndarray, np.ndarray]], *, units: Mapping[str, str] | None = None
) -> Run:
    """Return a run of series under canonical names; the curve is the validation, else the train reward."""
    units = {**UNITS, **(units or {})}
    whole = {key: Series(step, np.where(np.isfinite(value), value, np.nan)) for key, (step, value) in series.items()}
    metric = "validation" if "validation" in whole and np.isfinite(whole["validation"].value).any() else "train_reward"
    fitted = whole.get(metric, Series(np.array([1.0]), np.array([0.0])))
    finite = np.isfinite(fitted.value)
    if not finite.any():
        fitted, finite = Series(np.array([1.0]), np.array([0.0])), np.array([True])
    low, high = float(fitted.value[finite].min()), float(fitted.value[finite].max())
    closed = low >= -0.02 and high <= 1.02
    bounds = (0.0, 1.0) if closed else (min(low, 0.0) - (high - low) - 1e-9, high + (high - low) + 1e-9)
    curve = Curve(compute=fitted.step[finite], reward=fitted.value[finite], unit="steps", metric=metric, bounds=bounds)
    metrics = {key: Metric(key, units.get(key, ""), one) for key, one in whole.items() if key in units}
    warnings = (
        () if metric == "validation" else (f"no validation metric is logged: the train reward {metric!r} is fitted",)
    )
    rest = {key: one for key, one in whole.items() if key != metric}
    return Run(name=name, recipe=name, curve=curve, series=rest, metrics=metrics, warnings=warnings)


def real_runs(folder: Path | None = None) -> list[Labelled]:
    """Return the labelled runs of ``RLSCALE_HEALTH``; none where it is not set."""
    given = os.environ.get("RLSCALE_HEALTH") if folder is None else str(folder)
    if not given:
        return []
    rows: dict[str, dict[str, list[tuple[float, float]]]] = defaultdict(lambda: defaultdict(list))
    with gzip.open(Path(given) / "series.csv.gz", "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            rows[row["run"]][canonical(row["name"])].append((float(row["step"]), float(row["value"] or "nan")))
    found = []
    with open(Path(given) / "runs.csv", encoding="utf-8") as file:
        for about in csv.DictReader(file):
            series = {}
            for key, pairs in rows[about["run"]].items():
                step, value = np.array(sorted(pairs)).T
                step, place = np.unique(step, return_index=True)
                series[key] = (step, value[place])
            units = {"mismatch": _mismatch(about["units"])}
            onset = float(about["onset_step"]) if about["onset_step"] else math.nan
            found.append(
                Labelled(
                    run_of(about["run"], series, units=units), about["group"], about["label"],
                    tuple(about["also"].split(";")), onset if math.isfinite(onset) else None,
                )
            )  # fmt: skip
    return found


def _mismatch(said: str) -> str:
    if "absolute log-probability" in said:
        return "nats (absolute difference of log-probabilities)"
    return "nats (KL of sampler and trainer)" if "kl_sample_train" in said else ""
