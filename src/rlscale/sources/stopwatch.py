"""Elapsed time: from the times at which rows were written to seconds behind each step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import Series
from rlscale.sources.text import plural

__all__ = ["Wall", "wall_clock"]

Floats = NDArray[np.float64]

#: Seconds; no step of a language model takes less.
_FASTEST = 0.01


@dataclass(frozen=True, eq=False)
class Wall:
    """Elapsed seconds.

    Parameters
    ----------
    seconds : Series
        Cumulative seconds against the trainer's step.
    says : str
        What is and what is not counted.
    """

    seconds: Series
    says: str


def wall_clock(step: Floats, time: Floats, starts: Sequence[float] = (), again: Sequence[float] = ()) -> Wall | None:
    """Return the seconds that had passed when each step was last logged, of all sessions of a run together.

    A session ends where the next one starts (``starts``), where the step falls, or where steps are logged again after
    an unusual pause (``again``); the time between the last row of one and the start of the next is not counted, and
    nothing a session did is lost: steps that a resume repeats count twice. Where the start of a session is unknown, its
    first row counts as much as the median time between steps. A baseline evaluation, at step 0, is at 0.

    Parameters
    ----------
    step, time : array, shape (n,)
        Step and Unix time of each row, in order of time.
    starts : sequence of float
        Unix times at which sessions began.
    again : sequence of float
        Unix times at which a quantity was logged at a step it had been logged at, or an earlier one.

    Returns
    -------
    Wall or None
        None where the rows were written faster than anything is trained (:data:`_FASTEST`): they were copied from
        another log, or written late.
    """
    if time.size < 2 or not time[-1] - time[0] > _FASTEST * (np.unique(step).size - 1):
        return None
    typical = _typical(time[np.append(np.diff(step) != 0, True)])
    began = [one for one in starts if one <= time[-1]]
    edges = _sessions(step, time, began, again, typical)
    elapsed = np.empty_like(time)
    spent, idle = 0.0, 0.0
    for first, stop in zip(edges, [*edges[1:], time.size], strict=True):
        here = time[first:stop]
        origin = here[0] - (typical if step[first] > 0 else 0.0)
        known = [one for one in began if (first == 0 or one > time[first - 1]) and one <= here[0]]
        if known:
            origin = known[0]
        if first > 0:
            origin = max(origin, time[first - 1])
            idle += origin - time[first - 1]
        elapsed[first:stop] = spent + (here - origin)
        spent = float(elapsed[stop - 1])
    says = "gpu-hours count the time that passed while the run was up"
    if len(edges) > 1:
        says += f", in {plural(len(edges), 'session')}; {idle / 3600:.3g} h between them are not counted"
    return Wall(_against_step(step, elapsed), says)


def _typical(time: Floats) -> float:
    gaps = np.diff(time)
    gaps = gaps[gaps > 0]
    return float(np.quantile(gaps, 0.5, method="lower")) if gaps.size else 0.0  # of two, one may be a pause


#: Steps logged again after a pause this much longer than usual are another session's.
_PAUSE = 3.0


def _sessions(step: Floats, time: Floats, starts: Sequence[float], again: Sequence[float], typical: float) -> list[int]:
    """Return the index of the first row of each session."""
    edges = {int(np.searchsorted(time, one, side="left")) for one in starts}
    for one in again:
        k = int(np.searchsorted(time, one, side="left"))
        if k > 0 and time[k] - time[k - 1] > _PAUSE * typical:
            edges.add(k)
    if not starts and not len(again):
        edges.update(_falls(step, time, typical))
    return sorted({0, *(k for k in edges if 0 < k < time.size)})


def _falls(step: Floats, time: Floats, typical: float) -> list[int]:
    """Return the rows at which the step goes back and stays back, or comes back to where it was after a pause."""
    changes = np.flatnonzero(np.diff(step, prepend=np.nan) != 0)  # one row for rows of one step in a row
    at = step[changes]
    highest = np.maximum.accumulate(at)
    # one row back and then on is an evaluation that came late, not a resume
    paused = time[changes[1:-1]] - time[changes[1:-1] - 1] > _PAUSE * typical
    fell = (at[1:-1] < highest[:-2]) & ((at[2:] < highest[:-2]) | (paused & (at[2:] == highest[:-2])))
    fell &= np.diff(at)[:-1] < 0
    return [int(k) for k in changes[1:-1][fell]]


def _against_step(step: Floats, elapsed: Floats) -> Series:
    """Return the last elapsed time of each step, made to rise: a row that comes late does not cost its step more."""
    order = np.lexsort((elapsed, step))
    last = np.append(np.diff(step[order]) > 0, True)
    steps, seconds = step[order][last], elapsed[order][last]
    seconds = np.minimum.accumulate(seconds[::-1])[::-1]
    return Series(steps, np.where(steps > 0, seconds, 0.0))
