"""What a run keeps beside its curve: every logged series, where its steps lie, and what was not finite."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import COMPUTE, NON_FINITE, Series
from rlscale.curves.curve import HUGE
from rlscale.sources.compute import Axis
from rlscale.sources.log import Log

__all__ = ["kept_series"]

Floats = NDArray[np.float64]


def kept_series(log: Log, metric: str, axis: Axis) -> dict[str, Series]:
    """Return the series of a run, under the trainer's keys.

    To them are added the compute of the trainer's steps, where a step is not its own compute, and the rows that were
    taken out of the fitted metric, or of a column of a table, because they were not finite.
    """
    kept = {key: series for key, series in log.quantities.items() if key != metric}
    lost = dict(log.non_finite)
    fitted = log.series[metric]
    gone = ~(np.abs(fitted.value) < HUGE)
    if gone.any() and metric not in lost:
        lost[metric] = Series(fitted.step[gone], np.ones(int(gone.sum())))
    kept.update({f"{NON_FINITE}{key}": series for key, series in lost.items()})
    if not axis.exact:
        placed = _compute(log, axis)
        if placed is not None:
            kept[COMPUTE] = placed
    return kept


def _compute(log: Log, axis: Axis) -> Series | None:
    """Return compute against the trainer's step; None where they are the same, or where none is known."""
    steps = np.unique(np.concatenate([series.step for series in log.series.values()]))
    compute = axis.compute_at(steps)
    known = np.isfinite(compute)
    if not known.any() or np.array_equal(steps[known], compute[known]):
        return None
    return Series(steps[known], compute[known])
