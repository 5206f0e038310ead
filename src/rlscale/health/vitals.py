"""A run's series lined up under its curve: what monitors look at."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import COMPUTE, NON_FINITE, Run, Series
from rlscale.health.channel import Channel, as_share, woven
from rlscale.health.limits import Limits
from rlscale.health.standing import Standing, standing

__all__ = ["Vitals", "vitals_of"]

Floats = NDArray[np.float64]

#: Canonical metrics that are shares.
_SHARES = ("truncation", "zero_variance", "clip_fraction")
_METRICS = (
    "entropy", "kl", "kl_new_old", "clip_fraction", "truncation", "response_length", "mismatch", "zero_variance",
    "staleness", "learning_rate", "grad_norm",
)  # fmt: skip
#: Series that have no canonical name: what a key must look like, and the unit.
_BY_KEY: Mapping[str, tuple[re.Pattern[str], str]] = MappingProxyType(
    {
        "loss": (re.compile(r"(train/|actor/|policy/)?(loss|pg_loss|policy_loss|total_loss)"), ""),
        "weight_mean": (
            re.compile(r"(.*/)?(rollout_is_mean|importance_sampling_ratio/mean|behave_imp_weight/avg)"),
            "ratio",
        ),
        "weight_sd": (re.compile(r"(.*/)?rollout_is_std"), "ratio"),
        "ess": (re.compile(r"(.*/)?(rollout_is_eff_sample_size|ess)"), "share"),
        "chi2": (re.compile(r"(.*/)?chi2_token"), ""),
        "veto": (re.compile(r"(.*/)?rollout_is_veto_fraction"), "share"),
        "mismatch_kl": (re.compile(r"(.*/)?rollout_corr/kl"), "nats"),
    }
)  # fmt: skip
_REWARD = re.compile(
    r"(train[/_])?(reward|rewards|mean_reward|reward_mean)(/mean)?|critic/rewards/mean|train_reward_mean"
)
_PART = re.compile(r"(train[/_])?rewards?[/_](?P<name>.+?)(/mean)?")
_NO_PART = re.compile(r"(^|[/_])(std|sem|min|max|mean|var|kl|margins?|total|advantages?)$|/std$")
#: Said of a run whose series cannot be lined up with its curve.
_UNPLACED = "the log does not hold the compute of its steps: alarms are placed by step alone"
_TIMES = ("_timestamp", "timestamp", "time", "wall_time")


@dataclass(frozen=True, eq=False, kw_only=True)
class Vitals:
    """What is known of one run.

    Parameters
    ----------
    run : Run
    channels : mapping of str to Channel
        Under canonical names, in canonical units.
    lacking : mapping of str to str
        Why a quantity cannot be used.
    reward, validation : Channel, optional
        What is trained, and what is held out; None where the log does not hold it.
    curve : Channel
        The curve itself, whatever it is of.
    parts : tuple of Channel
        Rewards that are logged beside the sum.
    standing : Standing
        Of the train reward, of the curve where none is logged.
    epochs : float, optional
        Passes over the data so far, where the log says.
    times : Channel, optional
        Unix seconds against step.
    step_last : float
    remarks : tuple of str
    """

    run: Run
    channels: Mapping[str, Channel]
    lacking: Mapping[str, str]
    reward: Channel | None
    validation: Channel | None
    curve: Channel
    parts: tuple[Channel, ...]
    standing: Standing | None
    epochs: float | None
    times: Channel | None
    step_last: float
    remarks: tuple[str, ...]


def vitals_of(run: Run, limits: Limits, *, until: float | None = None) -> Vitals:
    """Return a run's series, each in one unit and against compute; what cannot be used is named with its reason.

    Parameters
    ----------
    run : Run
    limits : Limits
    until : float, optional
        Rows past this compute are not looked at.
    """
    place = _Place(run, until)
    channels: dict[str, Channel] = {}
    lacking: dict[str, str] = {}
    remarks: list[str] = []
    for name, channel in _raw(run, place).items():
        usable, remark = as_share(channel) if name in _SHARES else (channel, "")
        if usable is None:
            lacking[name] = remark
            continue
        if remark:
            remarks.append(f"{remark}: it is read as a share")
        if woven(usable.value):
            lacking[name] = f"{usable.key} alternates between two levels: two runs may write into one log"
            continue
        channels[name] = usable
    train = _train(run, place)
    curve = place.of_curve()
    of_train = train is not None and train.key == run.curve.metric
    of_train = of_train or any("train reward" in each and "is fitted" in each for each in run.warnings)
    reward = curve if of_train and train is None else train
    judged = reward if reward is not None and reward.size else curve if place.aligned else None
    closed = run.curve.bounds if run.curve.open is None else None
    if judged is not None and judged is not curve and not _within(judged, closed):
        closed = (0.0, 1.0) if _within(judged, (0.0, 1.0)) else None
    times = next((place.channel(key, key, "seconds", run.series[key]) for key in _TIMES if key in run.series), None)
    key = next((key for key in ("epoch", "train/epoch") if key in run.series), None)
    passes = None if key is None else place.channel("epoch", key, "passes", run.series[key])
    steps = [each.step[-1] for each in (curve, *channels.values(), *([reward] if reward else [])) if each.step.size]
    return Vitals(
        run=run,
        channels=MappingProxyType(channels),
        lacking=MappingProxyType(lacking),
        reward=reward,
        validation=None if of_train or not place.aligned else curve,
        curve=curve,
        parts=_parts(run, place, reward),
        standing=None
        if judged is None or not judged.size
        else standing(judged, fall=limits.fall, solved=limits.groups_solved, bounds=closed),
        epochs=float(passes.value.max()) if passes is not None and passes.size else None,
        times=times,
        step_last=float(max(steps, default=0.0)),
        remarks=(*remarks, *(() if place.aligned else (_UNPLACED,))),
    )


class _Place:
    """Where the steps of a run's series lie on its compute axis."""

    def __init__(self, run: Run, until: float | None) -> None:
        self.run, self.until = run, until
        self.axis = run.series.get(COMPUTE)
        tabled = run.source is None or run.source.is_table
        self.same = self.axis is None and (run.curve.unit == "steps" or tabled)
        #: Whether series can be lined up with the curve.
        self.aligned = self.same or self.axis is not None

    def compute_at(self, steps: Floats) -> Floats:
        """Return compute at steps; NaN where the log holds none."""
        if self.same:
            return steps
        if self.axis is None or not self.axis.step.size:
            return np.full(steps.size, np.nan)
        return np.asarray(np.interp(steps, self.axis.step, self.axis.value))

    def channel(self, name: str, key: str, unit: str, series: Series) -> Channel:
        """Return a series as a channel; rows that readers took out because they were not finite stand in it again."""
        finite = np.isfinite(series.value)
        lost = series.step[~finite]
        apart = self.run.series.get(f"{NON_FINITE}{key}")
        if apart is not None:
            lost = np.union1d(lost, apart.step)
        step, value = series.step[finite], series.value[finite]
        compute, lost_compute = self.compute_at(step), self.compute_at(lost)
        if self.until is not None:
            kept, gone = ~(compute > self.until), ~(lost_compute > self.until)
            step, value, compute, lost, lost_compute = (
                step[kept], value[kept], compute[kept], lost[gone], lost_compute[gone]
            )  # fmt: skip
        return Channel(name, key, unit, step, compute, value, lost, lost_compute)

    def of_curve(self) -> Channel:
        """Return the curve as a channel; its steps are those of its computes."""
        curve = self.run.curve
        axis = self.axis
        step = curve.compute if axis is None else np.asarray(np.interp(curve.compute, axis.value, axis.step))
        placed = self.channel("curve", curve.metric, "reward", Series(step, curve.reward))
        seen = slice(None) if self.until is None else curve.compute <= self.until
        # the curve's own computes, which no look-up in steps has passed through
        return Channel(
            placed.name, placed.key, placed.unit, step[seen], curve.compute[seen], curve.reward[seen], placed.lost_step,
            placed.lost_compute,
        )  # fmt: skip


def _raw(run: Run, place: _Place) -> dict[str, Channel]:
    """Return the quantities monitors know, under canonical names, in the log's own unit."""
    channels = {
        name: place.channel(name, metric.key, metric.unit, metric.series)
        for name in _METRICS
        if (metric := run.metrics.get(name)) is not None
    }
    for name, (pattern, unit) in _BY_KEY.items():
        key = next((key for key in run.series if pattern.fullmatch(key)), None)
        if key is not None:
            channels[name] = place.channel(name, key, unit, run.series[key])
    return {name: channel for name, channel in channels.items() if channel.size or channel.lost_step.size}


def _train(run: Run, place: _Place) -> Channel | None:
    """Return the train reward, where the log holds one."""
    metric = run.metrics.get("train_reward")
    if metric is not None:
        return place.channel("reward", metric.key, "reward", metric.series)
    if _REWARD.fullmatch(run.curve.metric):
        return place.of_curve()
    key = next((key for key in run.series if _REWARD.fullmatch(key)), None)
    return None if key is None else place.channel("reward", key, "reward", run.series[key])


def _parts(run: Run, place: _Place, reward: Channel | None) -> tuple[Channel, ...]:
    own = "" if reward is None else reward.key
    parts = []
    for key, series in run.series.items():
        match = _PART.fullmatch(key)
        if match is None or key == own or _NO_PART.search(match["name"]) or key.startswith(NON_FINITE):
            continue
        channel = place.channel(match["name"], key, "reward", series)
        if channel.size:
            parts.append(channel)
    return tuple(parts)


def _within(channel: Channel, bounds: tuple[float, float] | None) -> bool:
    return (
        bounds is not None
        and bool(channel.size)
        and (bounds[0] - 0.02 <= float(channel.value.min()) and float(channel.value.max()) <= bounds[1] + 0.02)
    )
