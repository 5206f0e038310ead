"""Whether any monitor can say ``stop`` of a run at all: what a fit asks first, and most runs are out of the question.

Necessary conditions of the rules of the monitors, on raw rows, in a tenth of the time that all monitors take. A run
that passes is judged in full. That no ``stop`` is lost is a test, on simulated runs of every kind of sickness.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import NON_FINITE, Run, Series
from rlscale.health.channel import capped
from rlscale.health.detect import trailing_median
from rlscale.health.limits import Limits
from rlscale.health.monitor import Monitor
from rlscale.health.monitors import MONITORS
from rlscale.health.standing import has_fallen

__all__ = ["may_stop", "stopping"]

Floats = NDArray[np.float64]

_HACKS = re.compile(r"hack|exploit|cheat")
_REWARDS = re.compile(r"(^|[/_])(reward|rewards|mean_reward|reward_mean)(/mean|_mean)?$")
_PASSES = ("epoch", "train/epoch")
_LOSSES = re.compile(r"(^|/)\w*loss$")
#: Monitors that say ``stop``; the last only where a share of hacks is judged.
_STOPPING = frozenset(
    {
        "truncation", "entropy_collapse", "entropy_explosion", "kl_blowup", "train_inference_mismatch", "grad_norm",
        "non_finite", "length_drift", "data_reuse", "reward_hacking",
    }
)  # fmt: skip
_HACKING = "reward_hacking"
#: Rows of a median, and what is left of them that may lie under it.
_MEDIAN, _OTHERS = 3, 1
#: The least of the usual gradient norms is the third smallest: they are medians of five at least.
_USUAL = 2


def may_stop(run: Run, limits: Limits) -> bool:
    """Return whether a monitor may say ``stop`` of a run.

    Parameters
    ----------
    run : Run
    limits : Limits

    Examples
    --------
    >>> import rlscale
    >>> any(may_stop(run, Limits()) for run in rlscale.read("bundled"))
    False
    """
    if not run.series and not run.metrics:
        return False
    return _beyond_a_level(run, limits) or _lost(run) or any(has_fallen(each, limits.fall) for each in _rewards(run))


def _beyond_a_level(run: Run, limits: Limits) -> bool:
    """Whether a series passes a level at which its monitor says ``stop`` whatever the reward does."""
    values = {name: _finite(metric.series.value) for name, metric in run.metrics.items() if name in _LEVELS}
    values = {name: value for name, value in values.items() if value.size}
    truncated, entropy, norm = (values.get(name) for name in ("truncation", "entropy", "grad_norm"))
    if truncated is not None and _soars(truncated, limits):
        return True
    if entropy is not None and entropy.max() - entropy.min() >= limits.entropy_far:
        return True
    if any(np.abs(values[name]).max() >= limits.kl_huge for name in ("kl", "kl_new_old") if name in values):
        return True
    if norm is not None and _leaps(norm, limits.grad_stop):
        return True
    passes = next((run.series[key].value for key in _PASSES if key in run.series), np.empty(0))
    if passes.size and np.nanmax(passes, initial=0.0) >= limits.reuse_epochs:
        return True
    return _judges_hacks(run)


def stopping(run: Run) -> tuple[Monitor, ...]:
    """Return the monitors that may say ``stop`` of a run."""
    hacks = _judges_hacks(run)
    return tuple(each for each in MONITORS if each.name in _STOPPING and (hacks or each.name != _HACKING))


def _judges_hacks(run: Run) -> bool:
    return any(_HACKS.search(key.lower()) for key in run.series)


_LEVELS = frozenset({"truncation", "entropy", "grad_norm", "kl", "kl_new_old"})


def _soars(truncated: Floats, limits: Limits) -> bool:
    """Whether a median of three rows may reach the level of a stop, so far above the lowest row."""
    if truncated.size < _MEDIAN:
        return False
    second = float(np.partition(truncated, -1 - _OTHERS)[-1 - _OTHERS])
    return second >= limits.truncation_stop and second - float(truncated.min()) >= limits.truncation_rise


def _leaps(norm: Floats, times: float) -> bool:
    """Whether a median of three rows lies so many times above the third smallest norm that is above 0."""
    positive = norm[norm > 0]
    if positive.size <= _MEDIAN + _USUAL:
        return False
    ordered = np.partition(positive, (_USUAL, positive.size - 1 - _OTHERS))
    least = times * float(ordered[_USUAL])
    if ordered[-1 - _OTHERS] < least:
        return False
    return bool(trailing_median(norm, _MEDIAN).max() >= least)


def _lost(run: Run) -> bool:
    """Whether rows of a series are not finite."""
    if any(key.startswith(NON_FINITE) for key in run.series):
        return True
    watched = [metric.series for metric in run.metrics.values()]
    watched += [series for key, series in run.series.items() if _LOSSES.search(key)]
    return any(not np.isfinite(series.value).all() for series in watched)


def _rewards(run: Run) -> list[Floats]:
    """Return all that may be taken for the reward: the curve, and what is trained."""
    several: list[Series] = [series for key, series in run.series.items() if _REWARDS.search(key)]
    train = run.metrics.get("train_reward")
    several += [] if train is None else [train.series]
    distinct = {id(series.value): series.value for series in several}
    return [run.curve.reward, *(_finite(value) for value in distinct.values())]


def _finite(value: Floats) -> Floats:
    return capped(value[np.isfinite(value)])
