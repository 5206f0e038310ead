"""Where the steps of a run's series lie on its compute axis."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import COMPUTE, NON_FINITE, Run, Series
from rlscale.health.channel import Channel

__all__ = ["Place"]

Floats = NDArray[np.float64]


class Place:
    """Makes channels of a run's series.

    Parameters
    ----------
    run : Run
    until : float, optional
        Rows past this compute are not looked at.
    """

    def __init__(self, run: Run, until: float | None) -> None:
        self.run, self.until = run, until
        self.axis = run.series.get(COMPUTE)
        tabled = run.source is None or run.source.is_table
        self.same = self.axis is None and (run.curve.unit == "steps" or tabled)
        #: Whether series can be lined up with the curve.
        self.aligned = self.same or self.axis is not None

    def compute_at(self, steps: Floats) -> Floats:
        """Return compute at steps; NaN where the log holds none."""
        if self.same:
            return steps
        if self.axis is None or not self.axis.step.size:
            return np.full(steps.size, np.nan)
        return np.asarray(np.interp(steps, self.axis.step, self.axis.value))

    def channel(self, name: str, key: str, unit: str, series: Series) -> Channel:
        """Return a series as a channel; rows that readers took out because they were not finite stand in it again."""
        finite = np.isfinite(series.value)
        lost = series.step[~finite]
        apart = self.run.series.get(f"{NON_FINITE}{key}")
        if apart is not None:
            lost = np.union1d(lost, apart.step)
        step, value = series.step[finite], series.value[finite]
        compute, lost_compute = self.compute_at(step), self.compute_at(lost)
        if self.until is not None:
            kept, gone = ~(compute > self.until), ~(lost_compute > self.until)
            step, value, compute, lost, lost_compute = (
                step[kept], value[kept], compute[kept], lost[gone], lost_compute[gone]
            )  # fmt: skip
        return Channel(name, key, unit, step, compute, value, lost, lost_compute)

    def of_curve(self) -> Channel:
        """Return the curve as a channel; its steps are those of its computes."""
        curve = self.run.curve
        axis = self.axis
        step = curve.compute if axis is None else np.asarray(np.interp(curve.compute, axis.value, axis.step))
        placed = self.channel("curve", curve.metric, "reward", Series(step, curve.reward))
        seen = slice(None) if self.until is None else curve.compute <= self.until
        # the curve's own computes, which no look-up in steps has passed through
        return Channel(
            placed.name, placed.key, placed.unit, step[seen], curve.compute[seen], curve.reward[seen], placed.lost_step,
            placed.lost_compute,
        )  # fmt: skip
