"""A reward whose scale changes: what is compared before and after is not one quantity."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rlscale.health.channel import Channel
from rlscale.health.detect import Span, change_points, jitter, trailing_median
from rlscale.health.limits import Limits
from rlscale.health.monitor import Finding, Judgement, Monitor, lacks
from rlscale.health.vitals import Vitals

__all__ = ["REWARD_SCALE_CHANGE"]

_ROWS = 16


def _judge(vitals: Vitals, limits: Limits) -> Judgement:
    reward = vitals.reward if vitals.reward is not None else vitals.curve
    if reward.size < _ROWS:
        what = f"{reward.key} has {reward.size} finite value{'' if reward.size == 1 else 's'}"
        return lacks(f"{what}, and {_ROWS} are needed: it is judged from its row {_ROWS} on")
    for place in change_points(reward.value):
        finding = _change(reward, place, limits)
        if finding is not None:
            return Judgement((finding,))
    return Judgement()


def _change(reward: Channel, place: int, limits: Limits) -> Finding | None:
    """Return what a change point is, where the reward leaves its range so far at once; None where it does not."""
    value = reward.value
    before, after = value[:place], value[place:]
    low, high = (float(end) for end in np.percentile(before, [2, 98]))
    spread = max(high - low, 4.0 * jitter(before), 1e-9)
    level, usual = float(np.median(after[: max(4, after.size // 4)])), float(np.median(before))
    beyond = max(level - high, low - level) / spread
    # within [0, 1] a level beyond the range so far is learning
    inside = low >= -0.02 and high <= 1.02 and -0.02 <= level <= 1.02
    if beyond < limits.scale_jump or inside or (np.sign(level) == np.sign(usual) and _slow(value, place)):
        return None
    message = (
        f"{reward.key} leaves its range so far by {beyond:.3g} times its width at once ({usual:.3g} to {level:.3g})"
    )
    return Finding(
        "warn",
        reward,
        Span(place, min(place + 3, value.size - 1), None),
        beyond,
        limits.scale_jump,
        message,
        unit="times",
    )


def _slow(value: NDArray[np.float64], place: int) -> bool:
    """Whether the level was on its way already: learning, and no change of scale."""
    level = trailing_median(value, 5)
    around = level[max(0, place - 6) : place]
    step = abs(float(level[min(place + 4, value.size - 1)] - around[-1])) if around.size else 0.0
    return bool(around.size) and step < 2 * float(np.ptp(around))


REWARD_SCALE_CHANGE = Monitor(
    name="reward_scale_change",
    title="scale",
    needs=("the train reward, else the curve",),
    rule="a change point (penalised likelihood) after which the reward lies beyond its range so far (2nd to "
    "98th percentile) by 3 times its width, outside [0, 1]",
    source="chosen on simulated runs",
    advice="find the change of the reward function or of the data; fit the parts on their own (--from, --until)",
    judge=_judge,
)
