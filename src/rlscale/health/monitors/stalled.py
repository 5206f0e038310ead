"""Stalled: no new step for much longer than usual."""

from __future__ import annotations

import numpy as np

from rlscale.health.detect import Span
from rlscale.health.limits import Limits
from rlscale.health.monitor import Finding, Judgement, Monitor, lacks
from rlscale.health.vitals import Vitals

__all__ = ["STALLED", "stalled_at"]

_LEAST = 4


def _judge(vitals: Vitals, limits: Limits) -> Judgement:
    return lacks("what a file holds does not say that a run hangs: rlscale watch judges it while the run is on")


def stalled_at(vitals: Vitals, limits: Limits, now: float) -> Judgement:
    """Return whether a run that is watched has stalled.

    Parameters
    ----------
    vitals : Vitals
    limits : Limits
    now : float
        Unix time of the look.
    """
    times = vitals.times
    if times is None or times.size < _LEAST:
        return lacks("the log holds no times of its rows: log Unix seconds as _timestamp")
    usual = float(np.median(np.diff(times.value)[np.diff(times.value) > 0])) if np.ptp(times.value) > 0 else 0.0
    since = now - float(times.value.max())
    if usual <= 0.0 or since < limits.stalled * usual:
        return Judgement()
    last = times.size - 1
    message = f"no new step for {since:.0f} s; one usually takes {usual:.3g} s"
    return Judgement(
        (Finding("warn", times, Span(last, last, None), since / usual, limits.stalled, message, unit="times"),)
    )


STALLED = Monitor(
    name="stalled",
    title="stalled",
    needs=("the times of the rows, and the time of the look",),
    rule="time since the last row ≥ 10 times the median time between rows",
    source="a rule",
    advice="look at the job: a hung worker, a full disk, a lost node",
    judge=_judge,
)
