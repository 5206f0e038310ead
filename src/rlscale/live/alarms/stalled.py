"""Whether runs have stalled, by when their rows arrive: no trainer's clock is asked, and none need be logged."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from itertools import pairwise
from statistics import median

from rlscale.curves import Run
from rlscale.health import Limits, monitor
from rlscale.live.alarms.signal import Signal

__all__ = ["Arrivals"]

#: Intervals that are looked back on: at least, and at most; the usual one is the median of the last few.
_LEAST, _MOST, _FEW = 3, 100, 20
#: Times the longest of them that a silence must last as well: evaluations and checkpoints are pauses that come again.
_LONGEST = 2.0


class _Clocked:
    """When the rows of one run arrived."""

    def __init__(self, now: float, known: Iterable[float]) -> None:
        times = [*known]
        gaps = [later - sooner for sooner, later in pairwise(times) if later > sooner]
        self.gaps: deque[float] = deque(gaps, maxlen=_MOST)
        self.last = now
        self.mark: object = None


class Arrivals:
    """When rows of runs arrived.

    Parameters
    ----------
    clock : callable
        Returns seconds that only go forward.
    pause : float
        Seconds between two looks: nothing that is usual is shorter.
    limits : Limits, optional
    """

    def __init__(self, clock: Callable[[], float], pause: float, limits: Limits | None = None) -> None:
        self._clock, self._pause = clock, pause
        self._factor = (limits or Limits()).stalled
        self._runs: dict[str, _Clocked] = {}

    def note(self, run: str, mark: object, known: Callable[[], Iterable[float]] = tuple) -> None:
        """Note how far the log of a run has come.

        Parameters
        ----------
        run : str
        mark : object
            Another one than before where something has arrived.
        known : callable
            Returns when rows of this run arrived before it was followed here.
        """
        now = self._clock()
        if run not in self._runs:
            self._runs[run] = _Clocked(now, known())
        each = self._runs[run]
        if each.mark is not None and mark != each.mark:
            each.gaps.append(now - each.last)
            each.last = now
        each.mark = mark

    def signals(self, runs: Iterable[Run]) -> list[Signal]:
        """Return which of some runs have stalled.

        Nothing has arrived for 10 times the usual interval (:attr:`rlscale.health.Limits.stalled`), and for twice the
        longest pause before.
        """
        now, found = self._clock(), []
        for run in runs:
            each = self._runs.get(run.name)
            if each is None or len(each.gaps) < _LEAST:
                continue
            usual = max(median([*each.gaps][-_FEW:]), self._pause)
            waited = now - each.last
            if waited < max(self._factor * usual, _LONGEST * max(each.gaps)):
                continue
            stalled = monitor("stalled")
            found.append(
                Signal(
                    kind=stalled.name, run=run.name, recipe=run.recipe, severity="warn", since=run.curve.compute_last,
                    value=waited / usual, threshold=self._factor, source=stalled.source, unit=run.curve.unit,
                    message=f"No new row for {waited:,.0f} s; one usually takes {usual:,.3g} s. To do: "
                    f"{stalled.advice}.",
                )
            )  # fmt: skip
        return found
