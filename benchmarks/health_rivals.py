"""What monitors are compared with: fixed thresholds, as packages describe theirs, and the fall of the reward alone."""

from __future__ import annotations

import numpy as np

from rlscale.curves import Run
from rlscale.health.limits import Limits
from rlscale.health.vitals import vitals_of

__all__ = ["fell", "fixed"]

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
