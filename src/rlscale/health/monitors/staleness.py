"""Staleness: rollouts of an old policy."""

from __future__ import annotations

from rlscale.health.detect import trailing_median
from rlscale.health.limits import Limits
from rlscale.health.monitor import Judgement, Monitor, lacks, needed, stretches
from rlscale.health.vitals import Vitals

__all__ = ["STALENESS"]


def _judge(vitals: Vitals, limits: Limits) -> Judgement:
    channel, why = needed(vitals, "staleness", constant=True)
    if channel is None:
        return lacks(why)
    if "version" not in channel.unit:
        what = f"{channel.key} is in {channel.unit or 'an unknown unit'}, not in policy versions"
        return lacks(f"{what}: log the age of the rollouts in policy versions as 'staleness'")
    level = trailing_median(channel.value, 5)
    much = level >= limits.staleness_warn
    return Judgement(
        stretches(
            "note", channel, (level >= limits.staleness_note) & ~much, level, limits.staleness_note, _old, persist=3
        )
        + stretches("warn", channel, much, level, limits.staleness_warn, _old, persist=3)
    )


def _old(value: float, limit: float) -> str:
    return f"rollouts are {value:.3g} policy versions old (over {limit:g})"


STALENESS = Monitor(
    name="staleness",
    title="staleness",
    needs=("staleness (policy versions)",),
    rule="median of 5 rows ≥ 4 (note), ≥ 8 (warn)",
    source="AReaL (2505.24298): plain PPO 42.0 to 23.3 at 4 versions, decoupled PPO 42.2 at 4, 41.0 at 8; "
    "ScaleRL: 4 and 8 alike",
    advice="bound the lag, or use a decoupled loss with importance weights",
    judge=_judge,
)
