"""Mismatch: the sampler and the trainer give the same tokens different probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rlscale.health.channel import Channel
from rlscale.health.detect import start_level, trailing_median
from rlscale.health.limits import Limits
from rlscale.health.logged_as import how_to_log
from rlscale.health.monitor import ROWS, Finding, Judgement, Monitor, lacks, stretches
from rlscale.health.vitals import Vitals

__all__ = ["TRAIN_INFERENCE_MISMATCH"]

#: First rows that later ones are compared with.
_FIRST = 10
#: A level that many times over its threshold from the first rows on is in another unit: only its changes are judged.
_OTHER_UNIT = 5.0


@dataclass(frozen=True)
class _Measure:
    """A measure of mismatch: its threshold, in its unit, and on which side of it is bad."""

    words: str
    limit: float
    below: bool = False


def _judge(vitals: Vitals, limits: Limits) -> Judgement:
    known = {name: vitals.channels[name] for name in _NAMES if name in vitals.channels}
    usable = {name: channel for name, channel in known.items() if channel.size >= ROWS and not channel.constant}
    if not usable:
        first = next(iter(known.values()), None)
        how = how_to_log(vitals.run, "mismatch")
        why = vitals.lacking.get("mismatch", f"no measure of the sampler against the trainer is logged: {how}")
        few = "" if first is None else f"{first.key} has {first.size} finite values, or one value throughout: {how}"
        return lacks(few or why)
    findings: tuple[Finding, ...] = ()
    for name, channel in usable.items():
        for measure in _measures(name, channel, limits):
            findings += _absolute(channel, measure, limits)
        if name in ("mismatch", "mismatch_kl") and "ratio" not in channel.unit and "effective" not in channel.unit:
            findings += _relative(channel, vitals, limits)
    return Judgement(findings)


def _measures(name: str, channel: Channel, limits: Limits) -> tuple[_Measure, ...]:
    """Return what a series is held to; nothing where its unit is not known."""
    unit = channel.unit.lower()
    weights = (
        _Measure("the mean importance weight", limits.weight_high),
        _Measure("the mean importance weight", limits.weight_low, below=True),
    )
    if name == "weight_sd":
        return (_Measure("the sd of the importance weights", limits.weight_sd),)
    if name == "weight_mean" or "ratio" in unit:
        return weights
    if name == "ess" or "effective" in unit:
        return (_Measure("the effective sample size, as a share,", limits.ess, below=True),)
    if name == "chi2":
        return (_Measure("chi-square of the token weights", limits.chi2),)
    if name == "veto":
        return (_Measure("the share of vetoed samples", limits.veto),)
    if name == "mismatch_kl" or "kl" in unit or "jensen" in unit:
        return (_Measure("KL of sampler and trainer, in nats,", limits.mismatch_kl),)
    if "log-prob" in unit:
        return (_Measure("the difference of log-probabilities, in nats,", limits.mismatch_logp),)
    if "probabilit" in unit:
        return (_Measure("the difference of probabilities", limits.mismatch_p),)
    return ()


def _absolute(channel: Channel, measure: _Measure, limits: Limits) -> tuple[Finding, ...]:
    level = trailing_median(np.abs(channel.value), 3)
    start = start_level(np.abs(channel.value))
    if measure.below:
        if start < measure.limit / _OTHER_UNIT:
            return ()
        over = level <= measure.limit
    else:
        if start > measure.limit * _OTHER_UNIT:
            return ()
        over = level >= measure.limit
    side = "under" if measure.below else "over"
    return stretches(
        "warn", channel, over, level, measure.limit,
        lambda value, limit: f"{measure.words} is {value:.3g} ({side} {limit:g})", persist=limits.persist,
    )  # fmt: skip


def _relative(channel: Channel, vitals: Vitals, limits: Limits) -> tuple[Finding, ...]:
    level = trailing_median(np.abs(channel.value), 3)
    start = start_level(np.abs(channel.value), _FIRST)
    ratio = level / max(start, 1e-9)
    grown = (ratio >= limits.mismatch_ratio) & (np.arange(level.size) >= _FIRST) & (start > 0)
    calm = ratio < 0.7 * limits.mismatch_ratio
    fallen = np.zeros(level.size, dtype=bool)
    if vitals.standing is not None:
        fallen = vitals.standing.at(channel.step, vitals.standing.fallen)
    return stretches(
        "warn", channel, grown, ratio, limits.mismatch_ratio, _grown, persist=limits.persist, calm=calm, unit="times"
    ) + stretches(
        "stop",
        channel,
        grown & fallen,
        ratio,
        limits.mismatch_ratio,
        _fallen,
        persist=1,
        clear=4,
        calm=calm,
        unit="times",
    )


def _grown(value: float, limit: float) -> str:
    return f"sampler and trainer differ {value:.3g} times as much as at the start (over {limit:g})"


def _fallen(value: float, limit: float) -> str:
    return f"sampler and trainer differ {value:.3g} times as much as at the start, and the reward has fallen"


_NAMES = ("mismatch", "mismatch_kl", "weight_mean", "weight_sd", "ess", "chi2", "veto")

TRAIN_INFERENCE_MISMATCH = Monitor(
    name="train_inference_mismatch",
    title="mismatch",
    needs=("mismatch (in the trainer's unit)", "importance weights, ESS, chi-square, veto share"),
    rule="median of 3 rows past the threshold of its unit: mean |Δlog p| .05, mean |Δp| .01, KL .1, mean "
    "weight under .5 or over 2, ESS .3, χ² 1, sd of weights 1, veto .1; or ≥ 4 times the first 10 rows; "
    "stop: that with a fallen reward",
    source="verl rollout_corr.md and FAQ; |Δlog p| .016 to .022 is usual with bf16",
    advice="use one precision on both sides (or an FP32 head), truncated importance sampling; check kernels and "
    "templates",
    judge=_judge,
)
