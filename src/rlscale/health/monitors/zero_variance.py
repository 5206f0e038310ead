"""Dead groups: all samples of a prompt earn the same, and nothing is learned from them."""

from __future__ import annotations

import numpy as np

from rlscale.health.channel import Channel
from rlscale.health.detect import trailing_median
from rlscale.health.limits import Limits
from rlscale.health.monitor import ROWS, Judgement, Monitor, lacks, needed, stretches
from rlscale.health.vitals import Vitals

__all__ = ["ZERO_VARIANCE"]


def _judge(vitals: Vitals, limits: Limits) -> Judgement:
    channel, why = needed(vitals, "zero_variance", constant=True)
    if channel is not None:
        return _found(channel, vitals, limits)
    alike = None if "zero_variance" in vitals.channels else _alike_by_reward(vitals.reward)
    implied = Judgement() if alike is None else _found(alike, vitals, limits)
    return implied if implied.findings else lacks(why)


def _alike_by_reward(reward: Channel | None) -> Channel | None:
    """Return 1 where a mean reward at an end of [0, 1] says that all samples earn the same, else 0: a lower bound."""
    if reward is None or reward.size < ROWS or reward.value.min() < 0.0 or reward.value.max() > 1.0:
        return None
    alike = np.isin(reward.value, (0.0, 1.0)).astype(np.float64)
    share = reward.with_value(alike, "share of groups")
    return share if alike.any() else None


def _found(channel: Channel, vitals: Vitals, limits: Limits) -> Judgement:
    level = trailing_median(channel.value, 3)
    dead = level >= limits.groups_dead
    solved = low = np.zeros(level.size, dtype=bool)
    if vitals.standing is not None:
        solved = vitals.standing.at(channel.step, vitals.standing.solved | vitals.standing.earning)
        low = vitals.standing.at(channel.step, vitals.standing.low)
    persist = limits.groups_persist
    return Judgement(
        stretches("note", channel, dead & solved, level, limits.groups_dead, _easy, persist=persist)
        + stretches("warn", channel, dead & ~solved & low, level, limits.groups_dead, _hard, persist=persist)
        + stretches("warn", channel, dead & ~solved & ~low, level, limits.groups_dead, _alike, persist=persist)
    )


def _easy(value: float, limit: float) -> str:
    return f"{100 * value:.0f} % of groups earn all the same, and the reward is high: the prompts are too easy"


def _hard(value: float, limit: float) -> str:
    return f"{100 * value:.0f} % of groups earn all the same, and the reward is low: the prompts are too hard"


def _alike(value: float, limit: float) -> str:
    return f"{100 * value:.0f} % of groups earn all the same: there is almost no gradient"


ZERO_VARIANCE = Monitor(
    name="zero_variance",
    title="dead groups",
    needs=("zero_variance (share of groups)",),
    rule="median of 3 rows ≥ .9 for 16 rows; a note where the reward is high (too easy), a warning where it is low "
    "(too hard); where none is logged, a mean train reward of exactly 0 or 1 says that all groups are dead",
    source="chosen on real and simulated runs; a late take-off looks the same before it happens",
    advice="too hard: easier prompts, more samples a prompt, partial credit; too easy: harder prompts, or stop here",
    judge=_judge,
)
