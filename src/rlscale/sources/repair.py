"""Repairs shared by every reader: rows merged by step, resumes, appended runs, duplicate points."""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import Series
from rlscale.curves.curve import HUGE
from rlscale.sources.keys import is_bookkeeping, is_evaluation
from rlscale.sources.restarts import is_another, numbered, resumed
from rlscale.sources.text import plural, were

__all__ = ["Replaced", "Row", "Segment", "number", "segments", "series_of", "tidy"]

Floats = NDArray[np.float64]
Row = tuple[float, dict[str, float]]


def number(value: Any) -> float | None:
    """Return a logged value as a float: None where it is not a number, NaN where it is not finite.

    Quoted numbers are read; ``null`` is a value that could not be computed, hence NaN.
    """
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        result = float(value)
    except (ValueError, OverflowError):
        return None if isinstance(value, str) else math.nan
    return result if math.isfinite(result) else math.nan


@dataclass(frozen=True, eq=False)
class Replaced:
    """Rows, values by step, that a run logged before it resumed at ``step`` and logged them again."""

    step: float
    rows: Mapping[float, Mapping[str, float]]


@dataclass
class Segment:
    """The rows of one run: values by step, and what was done to them."""

    rows: dict[float, dict[str, float]] = field(default_factory=dict)
    first: float = math.inf
    last: float = -math.inf
    count: int = 0
    repeated: int = 0
    replaced: list[Replaced] = field(default_factory=list)
    repairs: list[str] = field(default_factory=list)
    #: The steps in order, and for each key a step after which no row holds it: a file may jump back at every row.
    _order: list[float] = field(default_factory=list)
    _latest: dict[str, float] = field(default_factory=dict)
    _trains: bool = False

    def add(self, step: float, values: Mapping[str, float]) -> None:
        """Merge one row; a later value of the same key and step wins."""
        self.count += 1
        if self.first == math.inf:
            self.first = step
        self.last = max(self.last, step)
        if step not in self.rows:
            bisect.insort(self._order, step)
        here = self.rows.setdefault(step, {})
        self.repeated += any(_differs(here[key], value) for key, value in values.items() if _measured(key, here))
        here.update(values)
        self._trains = self._trains or any(map(_trained, values))
        self._latest.update({key: max(step, self._latest.get(key, step)) for key in values})

    def goes_back(self, step: float, values: Mapping[str, float]) -> bool:
        """Whether something measured in this row was already logged at a later step.

        A row that holds validation alone, of a run that logs training too, merely arrives late; so does one whose keys
        no later row holds.
        """
        if step >= self.last:
            return False
        if self._trains and step > self.first and not any(map(_trained, values)):
            return False
        later = [key for key in values if self._latest.get(key, step) > step and not is_bookkeeping(key)]
        if later and any(key in self.rows[at] for at in reversed(self._after(step)) for key in later):
            return True
        self._latest.update(dict.fromkeys(later, step))
        return False

    def _after(self, step: float) -> list[float]:
        """Return the steps after ``step``, in order."""
        return self._order[bisect.bisect_right(self._order, step) :]

    def starts_again(self, step: float, values: Mapping[str, float]) -> bool:
        """Whether this row repeats, with other values, the only step logged so far."""
        if not (step == self.first == self.last):
            return False
        here = self.rows[step]
        return any(_differs(here[key], value) for key, value in values.items() if _measured(key, here))

    def resume(self, step: float, values: Mapping[str, float]) -> None:
        """Drop what was logged from ``step`` on: the run went back to a checkpoint before it.

        At ``step`` itself only what the row measures anew is dropped: a trainer may evaluate a checkpoint again.
        """
        here = self.rows.get(step, {})
        again = {key: here[key] for key in values if key in here}
        for key in [key for key in again if _measured(key, here)]:
            del here[key]
        dropped = {at: self.rows.pop(at) for at in self._after(step)}
        del self._order[len(self.rows) :]
        lost = {step: again, **dropped} if again else dropped
        self.replaced.append(Replaced(step, lost))
        at = f"step {step:g} after step {self.last:g}"
        self.repairs.append(resumed(at, "rows", plural(len(lost), "step"), clocked=True))
        self.last = step

    def finish(self) -> None:
        """Order the rows by step and state the repeated ones."""
        if self.repeated:
            self.repairs.append(f"{plural(self.repeated, 'row')} repeated a step with another value; the later one won")
        self.rows = dict(sorted(self.rows.items()))


def _trained(key: str) -> bool:
    return not (is_evaluation(key) or is_bookkeeping(key))


def _measured(key: str, row: Mapping[str, float]) -> bool:
    return key in row and not is_bookkeeping(key)


def _differs(one: float, other: float) -> bool:
    return one != other and not (math.isnan(one) and math.isnan(other))


def segments(rows: Iterable[Row], *, restart_on_repeat: bool = True) -> list[Segment]:
    """Split the rows of a file into runs, in the order of the file.

    A step that goes back above the first step is a resume: the rows from there on are replaced. Back to the first
    step or below is a new run. Rows of one step are merged.

    Parameters
    ----------
    rows : iterable of (step, values)
        In the order of the file.
    restart_on_repeat : bool
        Whether a first step logged twice, with other values, is a new run (a trainer that died in its first step).

    Returns
    -------
    list of Segment
        One for each run, rows in order of step.
    """
    found = [Segment()]
    for step, values in rows:
        segment = found[-1]
        if segment.goes_back(step, values):
            if is_another(step, segment.first):
                found.append(Segment())
            else:
                segment.resume(step, values)
        elif restart_on_repeat and segment.count and segment.starts_again(step, values):
            found.append(Segment())
        found[-1].add(step, values)
    for index, segment in enumerate(found):
        segment.finish()
        if len(found) > 1:
            segment.repairs.insert(0, numbered("the file", len(found), index + 1))
    return found


def series_of(rows: Mapping[float, Mapping[str, float]]) -> dict[str, Series]:
    """Return one series for each key, over the steps that logged it."""
    grown: dict[str, tuple[list[float], list[float]]] = {}
    for step, row in rows.items():
        for key, value in row.items():
            pair = grown.get(key)
            if pair is None:
                pair = grown[key] = ([], [])
            pair[0].append(step)
            pair[1].append(value)
    return {key: Series(np.asarray(steps), np.asarray(values)) for key, (steps, values) in grown.items()}


def tidy(compute: Floats, reward: Floats, where: str = "compute") -> tuple[NDArray[np.intp], tuple[str, ...]]:
    """Choose the rows of a curve: finite, in order of compute, one for each compute.

    Parameters
    ----------
    compute, reward : array, shape (n,)
        In the order of the file.
    where : str
        The word for the axis in the sentences.

    Returns
    -------
    order : array of int, shape (m,)
        The rows kept, in order of compute; of conflicting rows the later one.
    repairs : tuple of str
        What was done, one sentence each.
    """
    if (np.abs(reward) < HUGE).all() and np.isfinite(compute).all() and (compute[1:] > compute[:-1]).all():
        return np.arange(compute.size), ()  # nearly every curve
    repairs = []
    keep = np.flatnonzero(np.abs(reward) < HUGE)
    if keep.size < reward.size:
        beyond = f", or beyond {HUGE:g}" if np.isfinite(np.delete(reward, keep)).any() else ""
        repairs.append(f"{were(reward.size - keep.size, 'row')} left out: the reward is not finite{beyond}")
    placed = keep[np.isfinite(compute[keep])]
    if placed.size < keep.size:
        repairs.append(f"{were(keep.size - placed.size, 'row')} left out: the {where} is not finite")
    axis = compute[placed]
    if axis.size < 2 or bool(np.all(np.diff(axis) > 0)):
        return placed, tuple(repairs)
    strays = int(np.count_nonzero(axis < np.maximum.accumulate(axis)))
    if strays:
        repairs.append(f"{were(strays, 'row')} out of order; the rows were sorted by {where}")
    order = placed[np.argsort(axis, kind="stable")]
    same = np.diff(compute[order]) == 0
    if same.any():
        equal = int(np.count_nonzero(same & (np.diff(reward[order]) == 0)))
        other = int(np.count_nonzero(same)) - equal
        if equal:
            repairs.append(f"{were(equal, 'duplicate row')} dropped")
        if other:
            repairs.append(f"{were(other, 'row')} replaced by a later row with the same {where}")
        order = order[np.append(~same, True)]
    return order, tuple(repairs)
