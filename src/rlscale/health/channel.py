"""A logged quantity as monitors see it: in one unit, against step and compute, with what was not finite."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rlscale.curves.value import Value

__all__ = ["Channel", "as_share", "woven"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: Values in per cent stay below this; a share never passes 1.
_PERCENT = 100.0
#: Fewer values than this do not show two runs woven into one.
_WEAVE = 20
#: Two runs woven: so many of the differences change their sign (white noise: 2/3), ...
_ZIGZAG = 0.95
#: ... and rows of even and odd place lie apart by so many times their own jitter.
_APART = 5.0


@dataclass(frozen=True, eq=False)
class Channel(Value):
    """One quantity of a run.

    Parameters
    ----------
    name : str
        Canonical: ``entropy``, ``kl``, ...
    key : str
        The log's own key.
    unit : str
    step, compute, value : array, shape (n,)
        Finite values only, steps increasing; compute NaN where the log does not hold it.
    lost_step, lost_compute : array, shape (m,)
        Rows where the log holds a value that is not finite.
    """

    name: str
    key: str
    unit: str
    step: Floats
    compute: Floats
    value: Floats
    lost_step: Floats
    lost_compute: Floats

    @property
    def size(self) -> int:
        """How many finite values there are."""
        return int(self.value.size)

    @cached_property
    def constant(self) -> bool:
        """Whether all values are equal: trainers log a constant for what they do not measure."""
        return bool(self.size) and bool(np.all(self.value == self.value[0]))

    def with_value(self, value: Floats, unit: str) -> Channel:
        """Return the channel with other values, in another unit."""
        return Channel(self.name, self.key, unit, self.step, self.compute, value, self.lost_step, self.lost_compute)

    def at(self, steps: Floats, values: Floats) -> Floats:
        """Return what ``values``, one for each row of this channel, last were at ``steps``; NaN before the first."""
        place = np.searchsorted(self.step, steps, side="right") - 1
        return np.where(place >= 0, values[np.maximum(place, 0)], np.nan)


def as_share(channel: Channel) -> tuple[Channel | None, str]:
    """Return a share in [0, 1], of percents too, and what was done or why it is none.

    Percent or share is decided from all values, and by the key: a share never passes 1.

    Examples
    --------
    >>> import numpy as np
    >>> rows, value, none = np.arange(3.0), np.array([2.0, 3.0, 4.0]), np.empty(0)
    >>> percent = Channel("truncation", "clipped_pct", "share of samples", rows, rows, value, none, none)
    >>> share, remark = as_share(percent)
    >>> share.value.tolist(), remark
    ([0.02, 0.03, 0.04], 'clipped_pct is in per cent')
    """
    value = channel.value
    if not value.size:
        return None, f"{channel.key} holds no finite value"
    if "share" not in channel.unit:
        return None, f"{channel.key} is in {channel.unit or 'an unknown unit'}, not a share"
    slack = 1e-6
    named = any(word in channel.key.lower() for word in ("percent", "pct", "%"))
    if value.min() < -slack or value.max() > _PERCENT + slack:
        return None, f"{channel.key} holds {value.min():g} to {value.max():g}: no share and no percentage"
    if named or value.max() > 1.0 + slack:
        return channel.with_value(value / _PERCENT, channel.unit), f"{channel.key} is in per cent"
    return channel, ""


def woven(value: Floats) -> bool:
    """Whether rows alternate between two levels, as where two runs write into one log.

    Examples
    --------
    >>> import numpy as np
    >>> woven(np.tile([0.2, 0.9], 20) + 0.001 * np.sin(np.arange(40)))
    True
    >>> woven(np.sin(np.arange(40)))
    False
    """
    if value.size < _WEAVE:
        return False
    turns = np.diff(value)
    flips = float(np.mean(turns[1:] * turns[:-1] < 0))
    even, odd = value[::2], value[1::2]
    jitter = max(float(np.median(np.abs(np.diff(part)))) for part in (even, odd))
    apart = abs(float(np.median(even) - np.median(odd)))
    return flips >= _ZIGZAG and apart > _APART * jitter and apart > 0
