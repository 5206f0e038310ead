"""Fits that a live gate made before: what a curve said once it says again, so it is fitted once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, TypeVar

from rlscale.curves import Run
from rlscale.curves.prefix import first
from rlscale.decisions.contender import healthy
from rlscale.decisions.gate.outlook import Outlook, in_frame, outlook
from rlscale.decisions.gate.standing import RECENT
from rlscale.health import Alarm
from rlscale.inference.fit import Fit, FitOptions, fit
from rlscale.inference.pool import Scatter, replicate_scatter
from rlscale.inference.verdict import Verdict, VerdictName

__all__ = ["Known", "Made", "made_of"]

#: Fits kept, some 8 KiB each, those asked for last: enough for the looks back of hundreds of runs.
KEPT = 8192
_Key = tuple[int, bytes]
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Made:
    """What the gate takes from one fit.

    Parameters
    ----------
    seen : int
        Evaluations that were fitted.
    outlook : Outlook, optional
        Of the reward at the budget; None where nothing could be fitted.
    fallen : float, optional
        Mean of the last 3 evaluations, as a share of the range, where the run has collapsed or a monitor says ``stop``.
    verdict : Verdict
    alarm : Alarm, optional
        The first at ``stop`` that lasts.
    """

    seen: int
    outlook: Outlook | None
    fallen: float | None
    verdict: Verdict
    alarm: Alarm | None = None


def made_of(found: Fit, budget: float) -> Made:
    """Return what the gate takes from a fit, with the reward at compute ``budget``."""
    curve = found.run.curve
    fallen = None
    if found.verdict.name is VerdictName.COLLAPSED or found.alarm is not None:
        fallen = float(in_frame(curve.reward[-RECENT:], curve).mean())
    return Made(curve.n_points, outlook(found, budget), fallen, found.verdict, found.alarm)


class Known:
    """The fits of one budget and one set of options.

    Each curve is fitted by itself, so that its numbers are the same, bit for bit, whatever else was asked and when.

    Parameters
    ----------
    budget : float
        Compute, in the runs' unit.
    options : FitOptions
    """

    def __init__(self, budget: float, options: FitOptions) -> None:
        self.budget, self.options = budget, options
        self._made: OrderedDict[tuple[str, _Key], Made] = OrderedDict()
        self._latest: dict[str, tuple[_Key, Fit]] = {}
        self._of_run: dict[str, tuple[tuple[_Key, tuple[float, ...]], Any]] = {}
        self._scatter: dict[tuple[str, ...], tuple[tuple[_Key, ...], Scatter | None]] = {}

    def made(self, run: Run, count: int) -> Made:
        """Return what the first ``count`` evaluations of a run say, at least 1."""
        key = (run.name, _key(run, count))
        if key not in self._made:
            whole = count == run.curve.n_points
            found = self.fit(run) if whole else fit(first(run, count), [self.budget], self.options)
            self._made[key] = made_of(found, self.budget)
            while len(self._made) > KEPT:
                self._made.popitem(last=False)
        self._made.move_to_end(key)
        return self._made[key]

    def unless_changed(self, run: Run, asked: tuple[float, ...], make: Callable[[], T]) -> T:
        """Return what ``make`` makes of a run, or made when the same was ``asked`` of the same evaluations before."""
        key = (_key(run, run.curve.n_points), asked)
        before = self._of_run.get(run.name)
        if before is None or before[0] != key:
            before = self._of_run[run.name] = (key, make())
        found: T = before[1]
        return found

    def fit(self, run: Run) -> Fit:
        """Return the fit of all evaluations of a run."""
        key = _key(run, run.curve.n_points)
        before = self._latest.get(run.name)
        if before is None or before[0] != key:
            before = self._latest[run.name] = (key, fit(run, [self.budget], self.options))
        return before[1]

    def scatter(self, runs: Sequence[Run]) -> Scatter | None:
        """Return how far the runs of one recipe scatter; None where that cannot be told."""
        names = tuple(run.name for run in runs)
        keys = tuple(_key(run, run.curve.n_points) for run in runs)
        before = self._scatter.get(names)
        if before is None or before[0] != keys:
            before = self._scatter[names] = (keys, replicate_scatter(healthy([self.fit(run) for run in runs])))
        return before[1]


def _key(run: Run, count: int) -> _Key:
    curve = run.curve
    columns = (curve.compute, curve.reward, curve.sd, curve.n_eval)
    held = b"".join(b"-" if one is None else one[:count].tobytes() for one in columns)
    bounds = repr((curve.bounds, curve.open)).encode()
    return count, blake2b(held + bounds, digest_size=16).digest()
