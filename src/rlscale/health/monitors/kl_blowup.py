"""KL blow-up: the policy leaves the reference, or its own last version, by a jump."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rlscale.health.channel import Channel
from rlscale.health.detect import half_level, start_level, trailing_median
from rlscale.health.limits import Limits
from rlscale.health.monitor import Finding, Judgement, Monitor, lacks, needed, stretches
from rlscale.health.vitals import Vitals

__all__ = ["KL_BLOWUP"]

Floats = NDArray[np.float64]

#: Rows before, without the latest, that a KL is compared with.
_BEFORE, _GAP = 20, 3
#: Rows before a comparison.
_LEAST = 5


def _judge(vitals: Vitals, limits: Limits) -> Judgement:
    reference, why = needed(vitals, "kl")
    between, _ = needed(vitals, "kl_new_old")
    if reference is None and between is None:
        return lacks(why)
    findings: tuple[Finding, ...] = ()
    if reference is not None:
        findings += _jumps(reference, vitals, limits, limits.kl_least)
        far = trailing_median(np.abs(reference.value), 3)
        if start_level(np.abs(reference.value)) < limits.kl_far / 5:
            findings += stretches(
                "note", reference, far >= limits.kl_far, far, limits.kl_far, _far, persist=limits.persist
            )
    if between is not None:
        findings += _jumps(between, vitals, limits, limits.kl_old)
        level = trailing_median(np.abs(between.value), 3)
        if start_level(np.abs(between.value)) < limits.kl_old:
            findings += stretches(
                "warn", between, level >= limits.kl_old, level, limits.kl_old, _old, persist=limits.persist
            )
    return Judgement(findings)


def _jumps(channel: Channel, vitals: Vitals, limits: Limits, least: float) -> tuple[Finding, ...]:
    """Return where a KL jumps: times its recent level, or that at half the run; a steady growth is none."""
    value = np.abs(channel.value)
    level = trailing_median(value, 3)
    base = _earlier(value)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(np.isfinite(base), level / np.maximum(base, 0.1 * least / limits.kl_ratio), 0.0)
        at_once = np.where(np.isfinite(base), value / np.maximum(base, 0.1 * least / limits.kl_ratio), 0.0)
    jump = (ratio >= limits.kl_ratio) & (level >= least)
    # on one row only what no unit explains: a spike of a KL per sequence passes 10 nats
    twice = np.minimum(at_once, np.r_[0.0, at_once[:-1]])
    huge = ((twice >= limits.kl_ratio**2) | (at_once >= limits.kl_ratio**4)) & (value >= limits.kl_huge)
    fallen = np.zeros(value.size, dtype=bool)
    if vitals.standing is not None:
        fallen = vitals.standing.at(channel.step, vitals.standing.fallen)
    return stretches(
        "warn", channel, jump, ratio, limits.kl_ratio, _jump, persist=limits.persist, unit="times"
    ) + stretches("stop", channel, huge | (jump & fallen), at_once, limits.kl_ratio, _huge, persist=1, unit="times")


def _earlier(value: Floats) -> Floats:
    """Return the smaller of the median of the rows before and that around half the run; NaN before there are enough."""
    rows = np.arange(value.size)
    recent = trailing_median(value, _BEFORE)[np.maximum(rows - _GAP - 1, 0)]
    levels = np.where(rows >= 2 * _LEAST, np.minimum(recent, half_level(value)), recent)
    return np.where(rows >= _LEAST + _GAP, levels, np.nan)


def _jump(value: float, limit: float) -> str:
    return f"KL is {value:.3g} times what it was (over {limit:g} times): a jump, not a drift"


def _huge(value: float, limit: float) -> str:
    return f"KL is {value:.3g} times what it was (over {limit:g} times): the policy has left its reference"


def _far(value: float, limit: float) -> str:
    return f"KL to the reference is {value:.3g} (over {limit:g}), if it is in nats per token"


def _old(value: float, limit: float) -> str:
    return f"one update moves the policy by {value:.3g} nats per token (over {limit:g})"


KL_BLOWUP = Monitor(
    name="kl_blowup",
    title="KL",
    needs=("kl (to the reference, nats per token)", "kl_new_old (within an update, nats per token)"),
    rule="median of 3 rows ≥ 10 times the median of the 20 rows before, or that at half the run, and ≥ .2 nats"
    " (.1 between updates); stop: ≥ 10 nats and 100 times on 2 rows, or 10,000 times on one, or with a fallen reward; "
    "a note at 1 nat. Ratios hold in any unit",
    source="between updates: verl rollout_corr, |KL| > .1; the ratio is chosen on real and simulated runs",
    advice="lower the learning rate or the updates per batch, clip the gradient; go back before the onset",
    judge=_judge,
)
