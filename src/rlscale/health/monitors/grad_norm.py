"""Gradient norm: far beyond what this run is used to."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

import numpy as np
from numpy.typing import NDArray

from rlscale.health.detect import trailing_median
from rlscale.health.limits import Limits
from rlscale.health.monitor import Judgement, Monitor, lacks, needed, stretches
from rlscale.health.vitals import Vitals

__all__ = ["GRAD_NORM"]

Floats = NDArray[np.float64]

_BEFORE, _LEAST = 20, 5


def _judge(vitals: Vitals, limits: Limits) -> Judgement:
    channel, why = needed(vitals, "grad_norm")
    if channel is None:
        return lacks(why)
    value = channel.value
    base = _usual(value, limits.grad_warn)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(base > 0, trailing_median(value, 3) / base, 0.0)
    high, calm = ratio >= limits.grad_warn, ratio < limits.grad_warn / 3
    fallen = np.zeros(value.size, dtype=bool)
    if vitals.standing is not None:
        fallen = vitals.standing.at(channel.step, vitals.standing.fallen)
    return Judgement(
        stretches("warn", channel, high, ratio, limits.grad_warn, _high, persist=1, clear=4, calm=calm, unit="times")
        + stretches(
            "stop",
            channel,
            (ratio >= limits.grad_stop) | (high & fallen),
            ratio,
            np.where(ratio >= limits.grad_stop, limits.grad_stop, limits.grad_warn),
            _far(limits.grad_stop),
            persist=1,
            clear=4,
            calm=calm,
            unit="times",
        )
    )


def _usual(value: Floats, limit: float) -> Floats:
    """Return the median of the last 20 norms that were usual themselves, at each row; NaN before there are 5.

    A norm of 0 (no group had a gradient) and one beyond ``limit`` times the usual do not count, so that what lasts does
    not become usual.
    """
    levels = np.full(value.size, np.nan)
    known: list[float] = []
    for place, norm in enumerate(value.tolist()):
        usual = median(known[-_BEFORE:]) if len(known) >= _LEAST else np.nan
        levels[place] = usual
        if norm > 0 and not norm > limit * usual:
            known.append(norm)
    return levels


def _high(value: float, limit: float) -> str:
    return f"the gradient norm is {value:.3g} times its usual level (over {limit:g})"


def _far(stop: float) -> Callable[[float, float], str]:
    def say(value: float, limit: float) -> str:
        why = "updates destroy the policy" if value >= stop else "the reward has fallen with it"
        return f"the gradient norm is {value:.3g} times its usual level (over {limit:g}), and {why}"

    return say


GRAD_NORM = Monitor(
    name="grad_norm",
    title="grad norm",
    needs=("grad_norm (any unit)",),
    rule="median of 3 rows ≥ 10 times the median of the last 20 usual rows; stop: ≥ 100 times, or 10 times "
    "with a fallen reward",
    source="chosen on real and simulated runs; one spike of a single row is none",
    advice="clip the gradient, lower the learning rate; find the batch that did it",
    judge=_judge,
)
