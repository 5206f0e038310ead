"""A run's series lined up under its curve: what monitors look at."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import Run
from rlscale.health.channel import MOST, Channel, as_share, woven
from rlscale.health.limits import Limits
from rlscale.health.place import Place
from rlscale.health.rewards import rewards_of, within
from rlscale.health.scale import SHARES, Scale, scales_of
from rlscale.health.standing import Standing, standing

__all__ = ["Vitals", "vitals_of"]

Flags = NDArray[np.bool_]

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
#: A log of losses needs so many that are not 0 before a 0 says that nothing was computed.
_MOVED = 3
#: Said of a run whose series cannot be lined up with its curve.
_UNPLACED = "the log does not hold the compute of its steps: alarms are placed by step alone"
_EPOCHS = ("epoch", "train/epoch", "training/epoch")
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
    passes : Channel, optional
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
    passes: Channel | None
    times: Channel | None
    step_last: float
    remarks: tuple[str, ...]


def vitals_of(
    run: Run, limits: Limits, *, until: float | None = None, scales: Mapping[tuple[str, str], Scale] | None = None
) -> Vitals:
    """Return a run's series, each in one unit and against compute; what cannot be used is named with its reason.

    Parameters
    ----------
    run : Run
    limits : Limits
    until : float, optional
        Rows past this compute are not looked at.
    scales : mapping, optional
        How shares are written (:func:`rlscale.health.scale.scales_of`), decided from this run and others; from this
        run alone by default.
    """
    place = Place(run, until)
    channels, lacking, remarks = _usable(run, place, scales_of([run]) if scales is None else scales)
    rewards = rewards_of(run, place)
    reward, curve = rewards.train, rewards.curve
    judged = reward if reward is not None and reward.size else rewards.validation
    times = next((place.channel(key, key, "seconds", run.series[key]) for key in _TIMES if key in run.series), None)
    key = next((key for key in _EPOCHS if key in run.series), None)
    passes = None if key is None else place.channel("epoch", key, "passes", run.series[key])
    steps = [each.step[-1] for each in (curve, *channels.values(), *([reward] if reward else [])) if each.step.size]
    return Vitals(
        run=run,
        channels=MappingProxyType(channels),
        lacking=MappingProxyType(lacking),
        reward=reward,
        validation=rewards.validation,
        curve=curve,
        parts=rewards.parts,
        standing=None
        if judged is None or not judged.size
        else standing(judged, fall=limits.fall, solved=limits.groups_solved, bounds=_closed(run, judged)),
        passes=passes,
        times=times,
        step_last=float(max(steps, default=0.0)),
        remarks=(*remarks, *rewards.remarks, *_left_out(run), *(() if place.aligned else (_UNPLACED,))),
    )


def _closed(run: Run, judged: Channel) -> tuple[float, float] | None:
    """Return the bounds of the reward that is judged; None where they are open."""
    bounds = run.curve.bounds if run.curve.open is None else None
    if bounds is not None and judged.key == run.curve.metric:
        return (0.0, 1.0) if bounds == (0.0, 100.0) else bounds
    if within(judged, bounds):
        return bounds
    return (0.0, 1.0) if within(judged, (0.0, 1.0)) else None


def _usable(
    run: Run, place: Place, scales: Mapping[tuple[str, str], Scale]
) -> tuple[dict[str, Channel], dict[str, str], list[str]]:
    """Return the quantities that can be judged, why others cannot, and what was done to those that can."""
    channels: dict[str, Channel] = {}
    lacking: dict[str, str] = {}
    remarks: list[str] = []
    path = "" if run.source is None else run.source.path
    for name, channel in _raw(run, place).items():
        share = name in (*SHARES, "ess", "veto")
        usable, remark = as_share(channel, scales.get((path, channel.key))) if share else (channel, "")
        if usable is None:
            lacking[name] = remark
            continue
        if remark:
            remarks.append(remark)
        beyond = np.flatnonzero(np.abs(usable.value) >= MOST)
        if beyond.size:
            remarks.append(
                f"{usable.key} reaches {MOST:g}, first at step {usable.step[beyond[0]]:g}: it is judged as that"
            )
        if woven(usable.value):
            what = f"{usable.key} alternates between two levels: two runs may write into one log"
            lacking[name] = f"{what}; give each run a log of its own"
            continue
        channels[name] = usable
    entropy, loss = channels.get("entropy"), channels.get("loss")
    if entropy is not None and loss is not None:
        idle = _without_update(entropy, loss, channels.get("grad_norm"))
        if idle.any():
            channels["entropy"] = entropy.where(~idle)
            rows = f"{int(idle.sum())} row{'' if idle.sum() == 1 else 's'}"
            remarks.append(f"{entropy.key} is 0 on {rows} without an update (loss 0, no gradient): left out")
    return channels, lacking, remarks


def _without_update(entropy: Channel, loss: Channel, gradient: Channel | None) -> Flags:
    """Return the rows of the entropy that hold a 0 because nothing was computed: no group had a gradient."""
    still = loss.step[loss.value == 0.0]
    if gradient is not None:
        still = np.setdiff1d(still, gradient.step[gradient.value != 0.0])
    moved = int((loss.value != 0.0).sum())
    if gradient is None or moved < _MOVED:  # a loss that is printed as 0 throughout says nothing
        return np.zeros(entropy.size, dtype=bool)
    return np.asarray((entropy.value == 0.0) & np.isin(entropy.step, still))


def _left_out(run: Run) -> list[str]:
    """Return what readers left out of the log."""
    repairs = () if run.source is None else run.source.repairs
    return [said for said in (*repairs, *run.warnings) if "left out" in said or "is not used" in said]


def _raw(run: Run, place: Place) -> dict[str, Channel]:
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
