"""Running totals: cumulative compute from what a trainer logs each step or counts itself."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import Series

__all__ = ["lost_steps", "total_of_counter", "total_of_steps", "value_at"]

Floats = NDArray[np.float64]

#: Compute of steps a log does not hold is taken from the rows after them up to this share of all steps.
_MOST_MISSING = 0.1


def total_of_counter(series: Series) -> tuple[Series, int]:
    """Return a cumulative counter without its falls, and how often it fell.

    A trainer that does not save its counter starts again at 0 when it resumes; the total goes on from the last value.
    """
    keep = np.isfinite(series.value)
    step, value = series.step[keep], series.value[keep]
    falls = np.flatnonzero(np.diff(value) < 0)
    offset = np.zeros_like(value)
    offset[falls + 1] = value[falls]
    return Series(step, value + np.cumsum(offset)), int(falls.size)


def total_of_steps(steps: Floats, per_step: Floats, extra: Floats | None = None) -> tuple[Series, int]:
    """Return the running total of a quantity logged once a step, and the number of steps the log does not hold.

    ``sum_i (x_i (s_i - s_(i-1)) + e_i)`` with ``s_0 = 0``: a step that was not logged counts as the next logged one.

    Parameters
    ----------
    steps : array, shape (n,)
        Strictly increasing, above 0.
    per_step : array, shape (n,)
        ``x``, the quantity of one step (a row's mean over the steps since the row before).
    extra : array, shape (n,), optional
        ``e``, what a row adds once.
    """
    gaps = np.diff(steps, prepend=0.0)
    each = per_step * gaps if extra is None else per_step * gaps + extra
    return Series(steps, np.cumsum(each)), int(np.sum(np.maximum(gaps - 1, 0)))


def value_at(axis: Series, steps: Floats) -> Floats:
    """Return cumulative compute at ``steps``, shape (n,): linear between rows, through (0, 0), at the last rate after.

    NaN where the axis is empty.

    Parameters
    ----------
    axis : Series
        Cumulative compute; steps strictly increasing.
    steps : array, shape (n,)
        Trainer steps.
    """
    known, total = axis.step, axis.value
    if not known.size:
        return np.full(steps.size, np.nan)
    if known[0] > 0:
        known, total = np.concatenate([[0.0], known]), np.concatenate([[0.0], total])
    inside = np.interp(steps, known, total)
    if known.size < 2:
        return inside
    rate = (total[-1] - total[-2]) / (known[-1] - known[-2])
    beyond: Floats = np.where(steps > known[-1], total[-1] + rate * (steps - known[-1]), inside)
    return beyond


def lost_steps(steps: Floats) -> str:
    """Return why per-step compute cannot be summed over ``steps``, shape (n,), above 0; empty where it can.

    A log may lack a few of its steps; one that lacks many (a resume that erased the file) hides how much compute came
    before, and a curve against the rest would have the wrong origin.
    """
    if not steps.size:
        return "the log holds no train step"
    missing = float(steps[-1]) - steps.size
    if missing <= max(_MOST_MISSING * float(steps[-1]), 1):
        return ""
    return f"{missing:g} of the {steps[-1]:g} steps are not in the log, which starts at step {steps[0]:g}"
