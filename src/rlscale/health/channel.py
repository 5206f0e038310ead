"""A logged quantity as monitors see it: in one unit, against step and compute, with what was not finite."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rlscale.curves.value import Value
from rlscale.health.scale import Scale, scale_of

__all__ = ["MOST", "Channel", "as_share", "capped", "woven"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: Larger values are judged as this: their squares and ratios have to be numbers.
MOST = 1e100
#: A share may pass its bounds by rounding; so small a share of the values may be no share at all.
_SLACK, _GLITCHES = 1e-6, 0.05
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

    def where(self, kept: Flags) -> Channel:
        """Return the channel with some of its rows, (n,) flags."""
        step, compute, value = (each[kept] for each in (self.step, self.compute, self.value))
        return Channel(self.name, self.key, self.unit, step, compute, value, self.lost_step, self.lost_compute)

    def at(self, steps: Floats, values: Floats) -> Floats:
        """Return what ``values``, one for each row of this channel, last were at ``steps``; NaN before the first."""
        place = np.searchsorted(self.step, steps, side="right") - 1
        return np.where(place >= 0, values[np.maximum(place, 0)], np.nan)


def capped(value: Floats) -> Floats:
    """Return values within :data:`MOST`; what is not finite stays so.

    Examples
    --------
    >>> import numpy as np
    >>> capped(np.array([0.5, 1e300])).tolist()
    [0.5, 1e+100]
    """
    return np.asarray(np.where(np.isfinite(value), np.clip(value, -MOST, MOST), value))


def as_share(channel: Channel, scale: Scale | None = None) -> tuple[Channel | None, str]:
    """Return a share in [0, 1], of percents too, and what was done or why it is none.

    Parameters
    ----------
    channel : Channel
    scale : Scale, optional
        That of all runs that log it in one place; of these values alone by default.

    Returns
    -------
    share : Channel, optional
        Without the few values that are no share; None where too many are none.
    remark : str

    Examples
    --------
    >>> import numpy as np
    >>> rows, none = np.arange(4.0), np.empty(0)
    >>> percent = Channel("truncation", "clipped", "share of samples", rows, rows, rows + 2.0, none, none)
    >>> share, remark = as_share(percent)
    >>> share.value.tolist(), remark
    ([0.02, 0.03, 0.04, 0.05], 'clipped is in per cent: it is read as a share')
    """
    value = channel.value
    if not value.size:
        return channel, ""
    if "share" not in channel.unit:
        return None, f"{channel.key} is in {channel.unit or 'an unknown unit'}, not a share; log it as a share"
    scale = scale_of(channel.key, [value]) if scale is None else scale
    if scale.kind == "unclear":
        return None, f"{scale.why}: log it as a share in [0, 1]"
    outside = (value < -_SLACK) | (value > scale.top * (1 + _SLACK))
    if int(outside.sum()) > max(1, int(_GLITCHES * value.size)):
        return None, f"{channel.key} holds {value.min():g} to {value.max():g}: no share and no percentage"
    remarks = [f"{channel.key} is in per cent: it is read as a share"] if scale.kind == "percent" else []
    if outside.any():
        count, first = int(outside.sum()), int(np.argmax(outside))
        which = f"{value[first]:g} at step {channel.step[first]:g}"
        what = f"1 value of {channel.key} is" if count == 1 else f"{count} values of {channel.key} are"
        remarks.append(f"{what} no share and left out ({'' if count == 1 else 'first '}{which})")
    share = channel.where(~outside)
    share = share.with_value(share.value / scale.top, channel.unit)
    return share, "; ".join(remarks)


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
