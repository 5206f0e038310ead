"""Truncation: samples that are cut at the length limit."""

from __future__ import annotations

import numpy as np

from rlscale.health.detect import expanding_jitter, start_level, trailing_median
from rlscale.health.limits import Limits
from rlscale.health.monitor import Judgement, Monitor, lacks, needed, stretches
from rlscale.health.vitals import Vitals

__all__ = ["TRUNCATION"]

#: Rows in which a run that begins truncated must begin to learn to stop, ...
_LEARN = 24
#: ... which shows by less than this share of where it began.
_STAYS = 0.85
#: Standard deviations of its noise that a truncation must have risen by from its lowest, where it began high.
_SURE = 5.0


def _judge(vitals: Vitals, limits: Limits) -> Judgement:
    channel, why = needed(vitals, "truncation", constant=True)
    if channel is None:
        return lacks(why)
    level = trailing_median(channel.value, 3)
    rise = level - np.minimum.accumulate(level)
    start = start_level(channel.value)
    begins = start >= limits.truncation_warn
    rose = rise >= (2.0 if begins else 1.0) * limits.truncation_warn
    slow = trailing_median(channel.value, 5)
    noise = expanding_jitter(channel.value) * 1.25 / np.sqrt(5)
    again = slow - np.minimum.accumulate(slow) >= np.maximum(2.0 * limits.truncation_warn, _SURE * noise)
    stays = (trailing_median(channel.value, _LEARN // 2) >= _STAYS * start) & (np.arange(level.size) >= _LEARN)
    over = (slow >= limits.truncation_warn) & ((again | stays) if begins else np.ones(level.size, dtype=bool))
    worse = (level >= limits.truncation_stop) & (rise >= limits.truncation_rise)
    much = level >= limits.truncation_rise
    earning = np.zeros(level.size, dtype=bool)
    if vitals.standing is not None:
        earning = vitals.standing.at(channel.step, vitals.standing.earning) & ~much
        worse |= (level >= limits.truncation_half) & rose & vitals.standing.at(channel.step, vitals.standing.fallen)
    calm, limit = level < 0.5 * limits.truncation_warn, limits.truncation_warn
    first = (slow >= limits.truncation_warn) & ~over if begins else np.zeros(level.size, dtype=bool)
    return Judgement(
        stretches("note", channel, first, slow, limit, _begins, persist=limits.persist, calm=calm)
        + stretches("note", channel, over & earning, slow, limit, _share, persist=limits.persist, calm=calm)
        + stretches("warn", channel, over & ~earning, slow, limit, _share, persist=limits.persist, calm=calm)
        + stretches("stop", channel, worse, level, limits.truncation_half, _cut, persist=limits.persist, calm=~much)
    )


def _share(value: float, limit: float) -> str:
    return f"{100 * value:.0f} % of samples are cut at the length limit (over {100 * limit:.0f} %)"


def _begins(value: float, limit: float) -> str:
    return f"{_share(value, limit)}, as in its first rows: it may learn to stop"


def _cut(value: float, limit: float) -> str:
    return f"{100 * value:.0f} % of samples are cut at the length limit, after far fewer before"


TRUNCATION = Monitor(
    name="truncation",
    title="truncation",
    needs=("truncation (share of samples)",),
    rule="median of 5 rows ≥ .10; where a run begins so, a note, and more once it has risen by .20 and 5 sd of its "
    "noise, or after 24 rows is still at .85 of its start (median of 12); a note while the reward rises or is high and "
    "it is under .30; stop: median of 3 ≥ .80 and risen by .30, or ≥ .50 with a fallen reward",
    source="ScaleRL (2510.13786) A.15: 10 to 15 % destabilised runs, healthy ones stay under 5 %",
    advice="raise the length limit, or punish or mask overlong samples; look at what they say before going on",
    judge=_judge,
)
