"""Data reuse: the train set is learned by heart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rlscale.health.detect import jitter, trailing_median
from rlscale.health.limits import Limits
from rlscale.health.monitor import ROWS, Finding, Judgement, Monitor, lacks, stretches
from rlscale.health.pairs import between
from rlscale.health.vitals import Vitals

__all__ = ["DATA_REUSE", "pulled_ahead"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: Passes below which nothing can have been learned by heart.
_FIRST_PASS = 1.5
#: Evaluations on both sides of a change that are compared; at least so many after it, and before it.
_BEFORE, _AFTER, _LEAST_AFTER, _LEAST_BEFORE = 6, 8, 2, 3
#: Standard deviations of its noise that the change must pass, and the least noise of a gap between two shares.
_SURE, _NOISE = 3.5, 0.012
#: Share of the rise of what is trained that the validation shows where it learns what is trained.
_TRANSFER = 0.4


def _judge(vitals: Vitals, limits: Limits) -> Judgement:
    reward, truth, passes = vitals.reward, vitals.validation, vitals.passes
    if reward is None or truth is None or min(reward.size, truth.size) < ROWS:
        return lacks("it takes 8 values each of a train reward and of a validation: log reward and eval/accuracy")
    if passes is None or not passes.size:
        return lacks("the log does not say how often the data were used: log the passes over them as 'epoch'")
    if any(each.value.min() < -0.02 or each.value.max() > 1.02 for each in (reward, truth)):
        return lacks("train reward and validation are not on one scale: log both as shares in [0, 1]")
    train = between(reward, truth)
    held_out = truth.where(np.isin(truth.step, train.step))
    ahead, flags, calm = pulled_ahead(train.value, held_out.value, limits.reuse_gap)
    times = passes.at(held_out.step, np.maximum.accumulate(passes.value))
    flags &= np.nan_to_num(times) >= _FIRST_PASS
    heart = flags & (times >= limits.reuse_epochs)
    findings: tuple[Finding, ...] = ()
    for severity, which in (("warn", flags & ~heart), ("stop", heart)):
        findings += stretches(
            severity, held_out, which, ahead, limits.reuse_gap, _ahead, persist=1, clear=3, calm=calm
        )  # fmt: skip
    return Judgement(findings)


def pulled_ahead(train: Floats, held_out: Floats, least: float) -> tuple[Floats, Flags, Flags]:
    """Return by how much training has pulled ahead of validation at a change, where that counts, and where it is over.

    At each evaluation every split of those so far into up to 6 before a change and 2 to 8 after it is looked at. With
    the means of both sides, training has pulled ahead by ``D = (rise of training) - (rise of validation)``; that counts
    where ``D`` is at least ``least`` and 3.5 standard deviations of the gap's noise, and the validation has gained
    less than .4 of what training has: a gap that grows while both rise is no learning by heart.

    Parameters
    ----------
    train, held_out : array, shape (n,)
        Shares at the same evaluations.
    least : float

    Returns
    -------
    ahead : array, shape (n,)
        The largest ``D`` that counts, 0 where none does.
    flags, calm : array of bool, shape (n,)
    """
    gap = train - held_out
    ahead = np.zeros(gap.size)
    sums = [np.r_[0.0, np.cumsum(each)] for each in (train, held_out)]
    for end in range(_LEAST_BEFORE + _LEAST_AFTER, gap.size + 1):
        split = np.arange(max(_LEAST_BEFORE, end - _AFTER), end - _LEAST_AFTER + 1)
        begin = np.maximum(split - _BEFORE, 0)
        rise, gain = ((s[end] - s[split]) / (end - split) - (s[split] - s[begin]) / (split - begin) for s in sums)
        noise = max(jitter(gap[:end]), _NOISE) * np.sqrt(1.0 / (end - split) + 1.0 / (split - begin))
        grown = rise - gain
        counts = (grown >= np.maximum(least, _SURE * noise)) & (gain <= _TRANSFER * rise)
        ahead[end - 1] = float(np.max(grown[counts], initial=0.0))
    level = trailing_median(gap, 3)
    lowest = np.minimum.accumulate(trailing_median(gap, 5))
    return ahead, ahead > 0.0, level - lowest < 0.5 * least


def _ahead(value: float, limit: float) -> str:
    return f"training has pulled ahead of validation by {value:.3g}, and validation has not followed"


DATA_REUSE = Monitor(
    name="data_reuse",
    title="reuse",
    needs=("the train reward, a validation on the same scale, and epoch (passes over the data)",),
    rule="of the up to 6 evaluations before a change and the 2 to 8 after it, train less validation has grown by "
    ".1 of the bounds and 3.5 sd of its noise, and validation has gained less than .4 of what training has, after "
    "1.5 passes; stop from 25 passes on",
    source="Tan et al. (2509.25300) 3.4: harmless up to 25 passes, overfit at 100; the rest on simulated runs",
    advice="more prompts, or stop at the best validation",
    judge=_judge,
)
