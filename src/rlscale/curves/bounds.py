"""Bounds of a reward: stated, known by its name, assumed, or open."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from rlscale.curves.value import Value
from rlscale.errors import CurveError

__all__ = ["BOUNDS_FROM", "MAD", "REASONS", "OpenBounds", "extent", "frame_of", "jitter", "levels", "scatter"]

Floats = NDArray[np.float64]

#: How bounds are known: ``--bounds``; a share by the name of the metric; all values lie in [0, 1]; a share in percent;
#: not at all.
BOUNDS_FROM = ("option", "metric", "values", "percent", "open")
#: Why bounds are open.
REASONS = ("asked", "rewards", "share", "values")
#: Scales above the highest level at which the prior of an open ceiling is cut; jitters that a scale is at least.
REACH, JITTERS = 10.0, 40.0
#: Rises that the frame of decisions reaches below and above all levels.
BELOW, ABOVE = 0.25, 1.5
#: Sd of a normal distribution in units of its median absolute deviation.
MAD = 1.4826


@dataclass(frozen=True, kw_only=True)
class OpenBounds(Value):
    """What is known of a reward whose bounds nobody states.

    With ``m`` and ``M`` the lowest and highest median of 3 consecutive values of a run (for ``m`` its start, where it
    lies far below, :func:`extent`), ``j`` the jitter of its
    evaluations and ``s = max(M - m, range, 40 j)``, the ceiling has a flat prior density on ``[m - s, M]`` that falls
    above ``M`` as a half-Cauchy of scale ``s``, cut at ``M + 10 s``. A rise that hardly leaves the noise says little of
    how far it may go: without the term in ``j`` the 80 % intervals of such runs hold 7 to 60 %
    (``benchmarks/open_bounds``).

    Parameters
    ----------
    lowest, highest : float
        ``m`` and ``M``, in reward.
    range : float
        The unit of tolerance, model error and noise, the same for all runs of a command: the median of ``M - m`` over
        the runs where it is above 0, in reward; 0 where it is so for none: then nothing is fitted.
    jitter : float
        ``j``: robust sd of one evaluation by its neighbours, in reward.
    frame : (float, float)
        What decisions between the runs of a command are made in, the same for all of them: from under the lowest level
        of any to above the highest, in reward. By default that of this run alone.
    because : str
        Why they are open, one of :data:`REASONS`: ``asked`` (``--bounds open``), ``rewards`` (several reward functions
        are logged beside their sum), ``share`` (a share by its name that lies outside [0, 1] and [0, 100]), ``values``
        (values leave [0, 1]).

    Raises
    ------
    CurveError
        A value that is not finite, ``lowest > highest``, or a negative range.

    Examples
    --------
    >>> OpenBounds(lowest=0.0, highest=2.0, range=1.0).limits
    (-2.0, 22.0)
    """

    lowest: float
    highest: float
    range: float
    jitter: float = 0.0
    frame: tuple[float, float] = (0.0, 0.0)
    because: str = "values"

    def __post_init__(self) -> None:
        if not (math.isfinite(self.lowest) and math.isfinite(self.highest) and self.lowest <= self.highest):
            raise CurveError(f"levels {self.lowest:g} {self.highest:g} are not lowest <= highest; mend the rewards")
        if not 0.0 <= self.range < math.inf:
            raise CurveError(f"a range of {self.range:g} is none; give the spread of the rewards, 0 or more")
        if not self.frame[0] < self.frame[1]:
            object.__setattr__(self, "frame", frame_of([self]))

    @property
    def rise(self) -> float:
        """``max(M - m, range)``, in reward; 1 where nothing varies."""
        return max(self.highest - self.lowest, self.range) or 1.0

    @property
    def scale(self) -> float:
        """``s``, in reward."""
        return max(self.rise, JITTERS * self.jitter)

    @property
    def limits(self) -> tuple[float, float]:
        """``m - s`` and ``M + 10 s``, in reward."""
        return self.lowest - self.scale, self.highest + REACH * self.scale


def frame_of(several: Sequence[OpenBounds]) -> tuple[float, float]:
    """Return the frame of runs that are compared: a quarter of the largest rise below all, one and a half above."""
    rise = max(each.rise for each in several)
    return min(each.lowest for each in several) - BELOW * rise, max(each.highest for each in several) + ABOVE * rise


def levels(reward: Floats) -> tuple[float, float]:
    """Return the lowest and highest median of 3 consecutive values, ``m`` and ``M``: single outliers do not count.

    Parameters
    ----------
    reward : array, shape (n,)
        Rewards in order of compute; of fewer than 3 the extremes themselves.

    Examples
    --------
    >>> levels(np.array([0.0, 0.2, 9.0, 0.3, 0.4]))
    (0.2, 0.4)
    """
    if reward.size < 3:
        return float(reward.min()), float(reward.max())
    medians = np.median(sliding_window_view(reward, 3), axis=1)
    return float(medians.min()), float(medians.max())


def extent(reward: Floats) -> tuple[float, float]:
    """Return ``m`` and ``M`` as bounds take them: :func:`levels`, and a start that lies far below them.

    A rise that is over within two evaluations leaves no median of 3 behind: the first evaluation, where it lies below
    all medians by more than they lie apart, is the lowest level then. Bounds above it would shut the start out, and
    what is fitted inside them is confidently wrong.

    Parameters
    ----------
    reward : array, shape (n,)
        Rewards in order of compute.

    Examples
    --------
    >>> extent(np.array([-3.0, 4.0, 5.0, 5.1, 5.0]))
    (-3.0, 5.0)
    """
    low, high = levels(reward)
    start = float(reward[0])
    return (start if start < low - (high - low) else low), high


def jitter(reward: Floats) -> float:
    """Return the robust sd of one evaluation: that of the first differences, by their median deviation, over sqrt(2).

    Parameters
    ----------
    reward : array, shape (n,)
        Rewards in order of compute; fewer than 3 say nothing, 0.
    """
    return 0.0 if reward.size < 3 else scatter(np.diff(reward))


def scatter(steps: Floats) -> float:
    """Return the robust sd of the values whose differences are ``steps``, shape (n,), whatever their trend."""
    return float(MAD * np.median(np.abs(steps - np.median(steps))) / np.sqrt(2.0))
