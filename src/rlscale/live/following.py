"""Logs as a source of the watch loop: what is read of them is chosen once; a stranger among them changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rlscale.sources import Reading, ReadOptions
from rlscale.sources.follow import Follower

__all__ = ["Following"]

#: Units whose seconds are counted by a clock.
_CLOCKED = ("gpu-hours", "dollars")


class Following:
    """Follows logs; the metric and the compute axis stay those of the first runs.

    A log that comes later and lacks them is left out, with an error in the reading: it must not make the choice of all
    others ambiguous while they are watched.

    Parameters
    ----------
    paths : sequence of str or Path
        As for :class:`rlscale.sources.follow.Follower`.
    options : ReadOptions
    once : bool
        As for :class:`rlscale.sources.follow.Follower`.
    """

    def __init__(self, paths: Sequence[str | Path], options: ReadOptions, *, once: bool = False) -> None:
        self._paths, self._options, self._once = tuple(paths), options, once
        self._follower = Follower(self._paths, options, once=once)
        self._settled = False

    def poll(self) -> Reading:
        """Return the runs as they stand.

        Raises
        ------
        ChoiceError
            Several metrics or compute axes could be meant, of the first runs.
        InputError
            An option that cannot be, or no path.
        """
        reading = self._follower.poll()
        if self._settled or not reading.runs:
            return reading
        curve, given = reading.runs[0].curve, self._options
        settled = replace(given, metric=given.metric or curve.metric)
        if given.compute is None and given.price is None:
            clock = given.clock or (curve.clock or None if curve.unit in _CLOCKED else None)
            settled = replace(settled, unit=given.unit or curve.unit, clock=clock)
        self.close()
        follower = Follower(self._paths, settled, once=self._once, image=self._follower.image)
        self._settled, self._follower = True, follower
        return self._follower.poll()

    def close(self) -> None:
        """Close the files that are kept open."""
        self._follower.close()
