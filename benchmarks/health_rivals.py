"""What monitors are compared with: fixed thresholds, as packages describe theirs, and the fall of the reward alone."""

from __future__ import annotations

import importlib.util

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import Run
from rlscale.health.detect import jitter, long_run_sd, trailing_median
from rlscale.health.limits import Limits
from rlscale.health.vitals import vitals_of

__all__ = ["fell", "fixed"]

Floats = NDArray[np.float64]

#: Levels that small monitor packages and trainers' documents name, on single rows: metric, side, level.
FIXED = (
    ("truncation", "over", 0.10),
    ("entropy", "under", 0.10),
    ("entropy", "over", 5.0),
    ("kl", "over", 0.5),
    ("kl_new_old", "over", 0.1),
    ("mismatch", "over", 0.05),
    ("staleness", "over", 8.0),
    ("zero_variance", "over", 0.9),
    ("grad_norm", "over", 10.0),
)


def fixed(run: Run) -> float | None:
    """Return the first step at which a fixed level is passed, or a value is not finite; None where none is."""
    first = []
    for name, side, level in FIXED:
        metric = run.metrics.get(name)
        if metric is None:
            continue
        value = metric.series.value
        lost = ~np.isfinite(value)
        with np.errstate(invalid="ignore"):
            bad = (value > level if side == "over" else value < level) | lost
        if bad.any():
            first.append(float(metric.series.step[np.argmax(bad)]))
    return min(first, default=None)


def fell(run: Run) -> float | None:
    """Return the first step at which the train reward, else the curve, has fallen beyond noise; None where never."""
    known = vitals_of(run, Limits()).standing
    if known is None or not known.fallen.any():
        return None
    return float(known.step[np.argmax(known.fallen)])


def ruptures_points(value: Floats) -> tuple[int, ...] | None:
    """Return the change points that ``ruptures`` finds at the same penalty; None where it is not installed."""
    if importlib.util.find_spec("ruptures") is None:
        return None
    import ruptures

    signal = (value / max(long_run_sd(value), 1e-12)).reshape(-1, 1)
    found = ruptures.Pelt(model="l2", min_size=4, jump=1).fit(signal).predict(pen=3.0 * np.log(value.size))
    return tuple(found[:-1])


def _cusum(value: Floats, *, level: float, sd: float, slack: float = 0.5) -> tuple[Floats, Floats]:
    """Return Page's cumulative sums of what lies above, and below, a level.

    ``S_i = max(0, S_(i-1) + (x_i - level)/sd - slack)``, and the same of the negative; a change of ``2 slack`` standard
    deviations is found fastest (Page 1954).

    Parameters
    ----------
    value : array, shape (n,)
    level, sd : float
        Of the series in its healthy state.
    slack : float
        Deviation per row that is let pass, in ``sd``.

    Returns
    -------
    up, down : array, shape (n,)
        In ``sd``; compare with 5 to 8.
    """
    apart = (value - level) / max(sd, 1e-12)
    up, down = np.zeros(value.size), np.zeros(value.size)
    high = low = 0.0
    for place, each in enumerate(apart.tolist()):
        high, low = max(0.0, high + each - slack), max(0.0, low - each - slack)
        up[place], down[place] = high, low
    return up, down


def cusum_reuse(run: Run, *, limit: float = 6.0) -> float | None:
    """Return the first step at which a CUSUM of the validation below its best has passed a limit, with a wider gap."""
    vitals = vitals_of(run, Limits())
    if vitals.reward is None or vitals.validation is None:
        return None
    truth = vitals.validation
    level = np.maximum.accumulate(trailing_median(truth.value, 5))
    sd = max(jitter(truth.value), 0.004)
    _, down = _cusum(truth.value - np.r_[level[0], level[:-1]], level=0.0, sd=sd, slack=1.0)
    gap = vitals.reward.at(truth.step, trailing_median(vitals.reward.value, 5)) - trailing_median(truth.value, 3)
    sure = (down >= limit) & (gap - np.nanmedian(gap[:3]) >= 0.02) & (np.arange(truth.size) >= 6)
    return float(truth.step[np.argmax(sure)]) if sure.any() else None
