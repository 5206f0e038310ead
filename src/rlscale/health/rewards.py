"""The rewards of a run: what is trained, what is held out, the parts of a sum; all in one scale where that is known."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from rlscale.curves import NON_FINITE, Run
from rlscale.curves.validation_keys import EVALUATED, names_a_validation
from rlscale.health.channel import Channel, woven
from rlscale.health.place import Place
from rlscale.health.scale import scale_of

__all__ = ["Rewards", "rewards_of", "within"]

_REWARD = re.compile(
    r"(train[/_])?(reward|rewards|mean_reward|reward_mean)(/mean)?|critic/rewards/mean|train_reward_mean"
)
_PART = re.compile(r"(train[/_])?rewards?[/_](?P<name>.+?)(/mean)?")
_NO_PART = re.compile(r"(^|[/_])(std|sem|min|max|mean|var|kl|margins?|total|advantages?)$|/std$")
#: What the keys of a train batch begin with.
_TRAINED = re.compile(r"(train|training|critic|rollout|actor|env)[/_\-.]")
#: Keys of a quantity that is a share, in per cent where its values are.
_SHARE = re.compile(r"(^|[/_\-.@])(acc|accuracy|pass|success|solved?|correct|win|rate)([/_\-.@]|$)")
#: What no sum of rewards of a few points reaches: beside a curve in per cent, a train reward over it is in per cent.
_POINTS = 10.0
_PERCENT = (0.0, 100.0)
#: Two shares of one run are alike within these factors.
_ALIKE = (0.5, 2.0)
#: What keys begin with that hold statistics of the train batch, whatever they are called.
_NO_VALIDATION = {"open-instruct": "val/"}


@dataclass(frozen=True, eq=False)
class Rewards:
    """The rewards of a run; None where the log does not hold one.

    Parameters
    ----------
    train : Channel, optional
        What is trained.
    validation : Channel, optional
        What is held out: the curve, else a series whose name says so.
    curve : Channel
        The curve itself, whatever it is of, as logged.
    parts : tuple of Channel
        Rewards that are logged beside the sum.
    remarks : tuple of str
    """

    train: Channel | None
    validation: Channel | None
    curve: Channel
    parts: tuple[Channel, ...]
    remarks: tuple[str, ...]


def rewards_of(run: Run, place: Place) -> Rewards:
    """Return the rewards of a run."""
    remarks: list[str] = []
    curve = place.of_curve()
    train = _train(run, place)
    of_train = train is not None and train.key == run.curve.metric
    of_train = of_train or any("train reward" in each and "is fitted" in each for each in run.warnings)
    of_train = of_train or (bool(_TRAINED.match(run.curve.metric)) and not names_a_validation(run.curve.metric))
    reward = curve if of_train and train is None else train
    held_out = _validation(run, place, "" if reward is None else reward.key) if of_train else curve
    if not of_train and not place.aligned:
        held_out = None
    validation = _usable(held_out, run, remarks)
    train = _usable(reward, run, remarks, beside=validation)
    parts = tuple(part for part in _parts(run, place, reward) if not woven(part.value))
    return Rewards(train, validation, curve, parts, tuple(remarks))


def _usable(channel: Channel | None, run: Run, remarks: list[str], *, beside: Channel | None = None) -> Channel | None:
    """Return a reward as a share where it is one in per cent; None where two runs are woven into it."""
    if channel is None or not channel.size:
        return channel
    if woven(channel.value):
        remarks.append(f"{channel.key} alternates between two levels: two runs may write into one log; it is not used")
        return None
    in_percent = _in_percent(channel, run) or (beside is not None and _hundredfold(channel, beside))
    if in_percent and channel.key != run.curve.metric:
        remarks.append(f"{channel.key} is in per cent: it is read as a share")
    return channel.with_value(channel.value / _PERCENT[1], channel.unit) if in_percent else channel


def _in_percent(channel: Channel, run: Run) -> bool:
    low, high = float(channel.value.min()), float(channel.value.max())
    if low < 0.0 or high > _PERCENT[1]:
        return False
    if channel.key == run.curve.metric:
        return run.curve.open is None and run.curve.bounds == _PERCENT
    if _SHARE.search(channel.key.lower()):
        return scale_of(channel.key, [channel.value]).kind == "percent"
    return run.curve.open is None and run.curve.bounds == _PERCENT and high > _POINTS


def _hundredfold(reward: Channel, share: Channel) -> bool:
    """Whether a reward within [0, 100] stands at about a hundred times what a validation within [0, 1] does."""
    low, high = float(reward.value.min()), float(reward.value.max())
    if low < 0.0 or not _POINTS < high <= _PERCENT[1] or not within(share, (0.0, 1.0)):
        return False
    middle = float(np.median(reward.step))  # in both halves: a scale that changes is another fault
    for half in (np.less_equal, np.greater):
        paid, held_out = (each.value[half(each.step, middle)] for each in (reward, share))
        if not paid.size or not held_out.size or float(np.median(held_out)) <= 0.0:
            return False
        times = float(np.median(paid) / np.median(held_out)) / _PERCENT[1]
        if not _ALIKE[0] <= times <= _ALIKE[1]:
            return False
    return True


def _train(run: Run, place: Place) -> Channel | None:
    """Return the train reward, where the log holds one."""
    metric = run.metrics.get("train_reward")
    if metric is not None:
        return place.channel("reward", metric.key, "reward", metric.series)
    if _REWARD.fullmatch(run.curve.metric):
        return place.of_curve()
    key = next((key for key in run.series if _REWARD.fullmatch(key)), None)
    return None if key is None else place.channel("reward", key, "reward", run.series[key])


def _validation(run: Run, place: Place, own: str) -> Channel | None:
    """Return the validation that stands beside a curve of the train reward: the one with most values."""
    trainer = "" if run.source is None else run.source.trainer or ""
    excluded = _NO_VALIDATION.get(trainer)
    keys = [
        key for key in run.series
        if (names_a_validation(key) or key.lower() in EVALUATED) and not key.startswith(NON_FINITE) and key != own
        and not (excluded and key.startswith(excluded))
    ]  # fmt: skip
    channels = [place.channel("validation", key, "reward", run.series[key]) for key in keys]
    return max((each for each in channels if each.size), key=lambda each: each.size, default=None)


def _parts(run: Run, place: Place, reward: Channel | None) -> tuple[Channel, ...]:
    own = "" if reward is None else reward.key
    parts = []
    for key in (run.curve.metric, *run.series):
        match = _PART.fullmatch(key)
        if match is None or key == own or _NO_PART.search(match["name"]) or key.startswith(NON_FINITE):
            continue
        series = run.series.get(key)
        channel = place.of_curve() if series is None else place.channel(match["name"], key, "reward", series)
        if channel.size:
            parts.append(channel)
    return tuple(parts)


def within(channel: Channel, bounds: tuple[float, float] | None) -> bool:
    """Whether a reward stays in its bounds, but for a little."""
    return (
        bounds is not None
        and bool(channel.size)
        and (bounds[0] - 0.02 <= float(np.min(channel.value)) and float(np.max(channel.value)) <= bounds[1] + 0.02)
    )
