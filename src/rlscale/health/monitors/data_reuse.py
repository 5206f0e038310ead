"""Data reuse: the train set is learned by heart."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rlscale.health.detect import trailing_median
from rlscale.health.limits import Limits
from rlscale.health.monitor import ROWS, Judgement, Monitor, lacks, stretches
from rlscale.health.vitals import Vitals

__all__ = ["DATA_REUSE"]

#: Passes below which nothing can have been learned by heart.
_FIRST_PASS = 1.5
#: Growth of the gap that counts, as a share of the bounds of both.
_GAP = 0.06


def _judge(vitals: Vitals, limits: Limits) -> Judgement:
    reward, truth = vitals.reward, vitals.validation
    if reward is None or truth is None or min(reward.size, truth.size) < ROWS:
        return lacks("it takes a train reward and a validation of 8 values each")
    if vitals.epochs is None:
        return lacks("the log does not say how often the data were used (no epoch)")
    shares = all(each.value.min() >= -0.02 and each.value.max() <= 1.02 for each in (reward, truth))
    if not shares:
        return lacks("train reward and validation are not on one scale")
    if vitals.epochs < _FIRST_PASS:
        return Judgement()
    train = reward.at(truth.step, trailing_median(reward.value, 5))
    held_out = trailing_median(truth.value, 3)
    gap = train - held_out
    best = np.maximum.accumulate(held_out)
    usable = np.isfinite(gap)
    first = float(np.median(gap[usable][:3])) if usable.any() else 0.0
    grown = usable & (gap - first >= _GAP) & (held_out <= best - 0.5 * _GAP)
    severity = "warn" if vitals.epochs < limits.reuse_epochs else "stop"
    return Judgement(stretches(severity, truth, grown, gap - first, _GAP, _say(vitals.epochs), persist=limits.persist))


def _say(epochs: float) -> Callable[[float, float], str]:
    return lambda value, limit: (
        f"training is ahead of validation by {value:.3g} more than at first, and validation sags, after "
        f"{epochs:.3g} passes over the data"
    )


DATA_REUSE = Monitor(
    name="data_reuse",
    title="reuse",
    needs=("the train reward, a validation on the same scale, and epoch (passes over the data)",),
    rule="train less validation (medians) has grown by .06 of the bounds while validation is .03 below its "
    "best, after 1.5 passes; stop from 25 passes on",
    source="Tan et al. (2509.25300) 3.4: harmless up to 25 passes, overfit at 100",
    advice="more prompts, or stop at the best validation",
    judge=_judge,
)
