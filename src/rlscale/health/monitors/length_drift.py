"""Length drift: responses grow to the limit, or shrink to nothing."""

from __future__ import annotations

import numpy as np

from rlscale.health.detect import half_level, start_level, trailing_median
from rlscale.health.limits import Limits
from rlscale.health.logged_as import how_to_log
from rlscale.health.monitor import Judgement, Monitor, lacks, needed, stretches
from rlscale.health.vitals import Vitals

__all__ = ["LENGTH_DRIFT"]


def _judge(vitals: Vitals, limits: Limits) -> Judgement:
    channel, why = needed(vitals, "response_length")
    if channel is None:
        return lacks(why)
    start = start_level(channel.value)
    if start <= 0.0:
        return lacks(f"{channel.key} begins at {start:g}: {how_to_log(vitals.run, 'response_length')}")
    ratio = trailing_median(channel.value, 3) / start
    level = ratio * start
    half = half_level(channel.value)
    fast = level >= limits.length_fast * np.maximum(half, 1e-9)
    grown = (level >= limits.length_grow * np.minimum(start, half)) & fast
    shrunk = level <= limits.length_shrink * np.maximum(start, half)
    earning = fallen = np.zeros(ratio.size, dtype=bool)
    if vitals.standing is not None:
        earning = vitals.standing.at(channel.step, vitals.standing.earning)
        fallen = vitals.standing.at(channel.step, vitals.standing.fallen)
    recent = trailing_median(channel.value, 11)[np.maximum(np.arange(level.size) - 10, 0)]
    jump = grown & (level >= limits.length_fast * recent)
    moved = grown | shrunk
    gone = ratio <= limits.length_gone
    lost = ((ratio <= limits.length_stop) | grown) & fallen
    calm = (ratio <= 0.9 * limits.length_grow) & (ratio >= 1.1 * limits.length_shrink)
    longer = level >= np.maximum(start, half)
    times = np.where(longer, level / np.maximum(np.minimum(start, half), 1e-9), level / np.maximum(start, half))
    limit, rows = np.where(longer, limits.length_grow, limits.length_shrink), limits.persist
    mild = moved & earning & ~gone & ~jump
    bad = (moved & ~earning) | gone | jump
    return Judgement(
        stretches("note", channel, mild, times, limit, _earning, persist=rows, calm=calm, unit="times")
        + stretches("warn", channel, bad, times, limit, _moved, persist=rows, calm=calm, unit="times")
        + stretches("stop", channel, lost, times, limit, _lost, persist=1, calm=calm, unit="times")
    )


def _earning(value: float, limit: float) -> str:
    return f"responses are {value:.3g} times as long as before; the reward is at its top"


def _moved(value: float, limit: float) -> str:
    return f"responses are {value:.3g} times as long as before"


def _lost(value: float, limit: float) -> str:
    return f"responses are {value:.3g} times as long as before, and the reward has fallen"


LENGTH_DRIFT = Monitor(
    name="length_drift",
    title="length",
    needs=("response_length (tokens)",),
    rule="median of 3 rows ≥ 2 times that at half the run, or ≤ .25 times it or the median of the first 5; "
    "warn unless the reward rises or is high (then a note, but a warning at ≤ .1, or where it doubles "
    "within 20 rows); stop: ≥ 2 or ≤ .25 times with a fallen reward",
    source="chosen on real and simulated runs",
    advice="read samples; check the loss's length normalisation, the end-of-sequence token, the length penalty",
    judge=_judge,
)
