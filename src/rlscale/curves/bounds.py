"""Bounds of a reward: stated, known by its name, assumed, or open."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rlscale.errors import CurveError

__all__ = ["BOUNDS_FROM", "REACH", "OpenBounds"]

#: How bounds are known: ``--bounds``; a share by the name of the metric; all values lie in [0, 1]; a share in percent;
#: not at all.
BOUNDS_FROM = ("option", "metric", "values", "percent", "open")
#: Scales above the highest level at which the prior of an open ceiling is cut.
REACH = 10.0


@dataclass(frozen=True, kw_only=True)
class OpenBounds:
    """What is known of a reward whose bounds nobody states.

    With ``m`` and ``M`` the lowest and highest median of 3 consecutive values of a run and
    ``s = max(M - m, range)``, the ceiling has a flat prior density on ``[m - s, M]`` that falls above ``M`` as a
    half-Cauchy of scale ``s``, cut at ``M + 10 s``.

    Parameters
    ----------
    lowest, highest : float
        ``m`` and ``M``, in reward.
    range : float
        The unit of tolerance, model error and noise, the same for all runs of a command: the median of ``M - m`` over
        the runs where it is above 0, in reward; 0 where it is so for none: then nothing is fitted.

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

    def __post_init__(self) -> None:
        if not (math.isfinite(self.lowest) and math.isfinite(self.highest) and self.lowest <= self.highest):
            raise CurveError(f"levels {self.lowest:g} {self.highest:g} are not lowest <= highest; mend the rewards")
        if not 0.0 <= self.range < math.inf:
            raise CurveError(f"a range of {self.range:g} is none; give the spread of the rewards, 0 or more")

    @property
    def scale(self) -> float:
        """``s``, in reward; 1 where nothing varies."""
        return max(self.highest - self.lowest, self.range) or 1.0

    @property
    def limits(self) -> tuple[float, float]:
        """``m - s`` and ``M + 10 s``, in reward."""
        return self.lowest - self.scale, self.highest + REACH * self.scale
