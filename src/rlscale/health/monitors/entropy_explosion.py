"""Entropy explosion: the policy dissolves into noise."""

from __future__ import annotations

import numpy as np

from rlscale.health.detect import trailing_median
from rlscale.health.limits import Limits
from rlscale.health.monitor import Judgement, Monitor, lacks, needed, stretches
from rlscale.health.vitals import Vitals

__all__ = ["ENTROPY_EXPLOSION"]

_WIDTH = 5
#: Nats per token that no policy begins with.
_PER_TOKEN = 4.0


def _judge(vitals: Vitals, limits: Limits) -> Judgement:
    channel, why = needed(vitals, "entropy")
    if channel is None:
        return lacks(why)
    level = trailing_median(channel.value, 3)
    base = np.minimum.accumulate(trailing_median(channel.value, _WIDTH))
    base[:_WIDTH] = np.median(channel.value[:_WIDTH])
    rise = level - base
    ratio = level / np.maximum(base, 1e-3)
    high = (ratio >= limits.entropy_high) & (rise >= limits.entropy_rise)
    earning = fallen = np.zeros(level.size, dtype=bool)
    if vitals.standing is not None:
        earning = vitals.standing.at(channel.step, vitals.standing.earning)
        fallen = vitals.standing.at(channel.step, vitals.standing.fallen)
    calm = ratio < 0.7 * limits.entropy_high
    # no policy begins at so many nats per token: it is an entropy per sequence, and its level means nothing
    noise = (ratio >= limits.entropy_high) & (rise >= limits.entropy_far) & bool(base[0] <= _PER_TOKEN)
    return Judgement(
        stretches(
            "note",
            channel,
            high & earning,
            ratio,
            limits.entropy_high,
            _earning,
            persist=limits.persist,
            calm=calm,
            unit="times",
        )
        + stretches(
            "warn",
            channel,
            high & ~earning,
            ratio,
            limits.entropy_high,
            _high,
            persist=limits.persist,
            calm=calm,
            unit="times",
        )
        + stretches(
            "stop",
            channel,
            (high & fallen) | noise,
            ratio,
            limits.entropy_high,
            _noise,
            persist=1,
            clear=4,
            calm=calm,
            unit="times",
        )
    )


def _earning(value: float, limit: float) -> str:
    return f"entropy is {value:.3g} times its lowest level; the reward is at its top"


def _high(value: float, limit: float) -> str:
    return f"entropy is {value:.3g} times its lowest level (over {limit:g}), and the reward does not rise"


def _noise(value: float, limit: float) -> str:
    return f"entropy is {value:.3g} times its lowest level (over {limit:g}): the policy dissolves into noise"


ENTROPY_EXPLOSION = Monitor(
    name="entropy_explosion",
    title="entropy high",
    needs=("entropy (nats per token)",),
    rule="median of 3 rows ≥ 3 times the lowest median of 5 so far and .3 nats above it; warn unless the "
    "reward rises or is high (then a note); stop with a fallen reward, or 2 nats above",
    source="chosen on real and simulated runs; IsoCompute (2603.12151): hard data explode, easy data collapse",
    advice="lower the learning rate or the entropy bonus, check the sampler's precision; go back before the onset",
    judge=_judge,
)
