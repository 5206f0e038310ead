"""Entropy collapse: the policy stops exploring while there is still something to learn."""

from __future__ import annotations

import numpy as np

from rlscale.health.detect import start_level, trailing_median, trailing_trend
from rlscale.health.limits import Limits
from rlscale.health.logged_as import how_to_log
from rlscale.health.monitor import Judgement, Monitor, lacks, needed, stretches
from rlscale.health.vitals import Vitals

__all__ = ["ENTROPY_COLLAPSE"]

_TREND = 12
#: A trend is followed once so little of the entropy is left.
_FOLLOWED = 0.3
#: Of the threshold: under it only a reward that stands high excuses.
_DEEP = 0.3


def _judge(vitals: Vitals, limits: Limits) -> Judgement:
    channel, why = needed(vitals, "entropy")
    if channel is None:
        return lacks(why)
    start = start_level(channel.value)
    if start <= 0.0:
        what = f"{channel.key} begins at {start:g}, so there is no entropy to lose"
        return lacks(f"{what}: {how_to_log(vitals.run, 'entropy')}")
    share = np.maximum(trailing_median(channel.value, 3), 0.0) / start
    low = share <= limits.entropy_low
    depth = np.log(np.maximum(share, 1e-12))
    rows = np.arange(share.size, dtype=np.float64)
    slope, _, high = trailing_trend(rows, depth, _TREND)
    with np.errstate(divide="ignore", invalid="ignore"):
        arrival = (depth - np.log(limits.entropy_low)) / -slope
    near = (share <= _FOLLOWED) & (high < 0.0) & (arrival <= limits.entropy_ahead * rows)
    earning = fallen = solved = np.zeros(share.size, dtype=bool)
    if vitals.standing is not None:
        earning = vitals.standing.at(channel.step, vitals.standing.earning)
        fallen = vitals.standing.at(channel.step, vitals.standing.fallen)
        solved = vitals.standing.at(channel.step, vitals.standing.solved)
    # so little is a solved task, or none that can be explored further, however well it stands now
    earning = earning & (solved | (share > _DEEP * limits.entropy_low))
    calm = share > 2 * limits.entropy_low
    return Judgement(
        stretches(
            "note",
            channel,
            low & earning,
            share,
            limits.entropy_low,
            _earning,
            persist=limits.persist,
            calm=calm,
            unit="share of the start",
        )
        + stretches(
            "warn",
            channel,
            (low | near) & ~earning,
            share,
            limits.entropy_low,
            _low,
            persist=limits.persist,
            calm=calm,
            unit="share of the start",
        )
        + stretches(
            "stop",
            channel,
            low & fallen,
            share,
            limits.entropy_low,
            _fallen,
            persist=limits.persist,
            calm=calm,
            unit="share of the start",
        )
    )


def _earning(value: float, limit: float) -> str:
    return f"entropy is at {100 * value:.3g} % of its start; the reward is at its top, so this may be a solved task"


def _low(value: float, limit: float) -> str:
    if value > limit:
        return (
            f"entropy is at {100 * value:.3g} % of its start and soon at {100 * limit:.0f} %; the reward does not rise"
        )
    return f"entropy is at {100 * value:.3g} % of its start (under {100 * limit:.0f} %); the reward does not rise"


def _fallen(value: float, limit: float) -> str:
    return f"entropy is at {100 * value:.3g} % of its start, and the reward has fallen"


ENTROPY_COLLAPSE = Monitor(
    name="entropy_collapse",
    title="entropy low",
    needs=("entropy (nats per token)",),
    rule="median of 3 rows ≤ .10 of the median of the first 5, or the Theil-Sen trend of its logarithm over 12"
    " rows gets there within a tenth of the rows so far; warn unless the reward rises or is high (then a "
    "note; below .03 only where it is high); stop with a fallen reward",
    source="chosen on real and simulated runs; ScaleRL A.12 and Cui et al. (2505.22617) disagree on what a level means",
    advice="raise clip_high or the entropy bonus, lower the learning rate; go back to a checkpoint before the onset",
    judge=_judge,
)
