"""Dead groups: all samples of a prompt earn the same, and nothing is learned from them."""

from __future__ import annotations

import numpy as np

from rlscale.health.detect import trailing_median
from rlscale.health.limits import Limits
from rlscale.health.monitor import Judgement, Monitor, lacks, needed, stretches
from rlscale.health.vitals import Vitals

__all__ = ["ZERO_VARIANCE"]


def _judge(vitals: Vitals, limits: Limits) -> Judgement:
    channel, why = needed(vitals, "zero_variance", constant=True)
    if channel is None:
        return lacks(why)
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
    rule="median of 3 rows ≥ .9 for 16 rows; a note where the reward is high (too easy), a warning where it is "
    "low (too hard)",
    source="chosen on real and simulated runs; a late take-off looks the same before it happens",
    advice="too hard: easier prompts, more samples a prompt, partial credit; too easy: harder prompts, or stop here",
    judge=_judge,
)
