"""How the reward stands at each row: at its top, fallen from it, solved, or never risen."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray

from rlscale.health.channel import Channel
from rlscale.health.detect import expanding_jitter, trailing_median

__all__ = ["Standing", "has_fallen", "standing"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_WIDTH = 5
#: A fall must also pass this many standard deviations of the smoothed reward.
_SURE = 7.0
#: At its top: within this share of the scale, or so many standard deviations.
_NEAR = 0.1
_NOISE = 3.0
#: Risen: by this share of the scale.
_RISEN = 0.2
#: Least scale of a reward within [0, 1]: a share of the bounds.
_SCALE = 0.25
#: Rows before a fall counts.
_ROWS = 6
#: The noise known is renewed every so many rows.
_RENEWED = 8


@dataclass(frozen=True, eq=False)
class Standing:
    """The reward at each of its rows, looking back only; shape (n,) each.

    Parameters
    ----------
    step : array
    fall : array
        What is lost of the best smoothed level so far, as a share of the scale: the largest of the rise so far, a
        quarter of the bounds, and half of the spread.
    fallen, earning, solved, low : array of bool
        It has fallen beyond noise; it stands at its top after a rise, or high; it stands high in its bounds; it stands
        at its bottom and has not risen.
    """

    step: Floats
    fall: Floats
    fallen: Flags
    earning: Flags
    solved: Flags
    low: Flags

    def at(self, steps: Floats, flags: Flags) -> Flags:
        """Return what was last so at ``steps``; false before the first row."""
        place = np.searchsorted(self.step, steps, side="right") - 1
        return np.asarray((place >= 0) & flags[np.maximum(place, 0)])


def standing(reward: Channel, *, fall: float, solved: float, bounds: tuple[float, float] | None) -> Standing:
    """Return how a reward stands.

    Parameters
    ----------
    reward : Channel
        At least one value.
    fall, solved : float
        As in :class:`rlscale.health.Limits`.
    bounds : (float, float), optional
        Of the reward; None where they are open.
    """
    level = trailing_median(reward.value, _WIDTH)
    top, bottom = np.maximum.accumulate(level), np.minimum.accumulate(level)
    noise = expanding_jitter(reward.value) * 1.25 / np.sqrt(_WIDTH)
    start = np.median(level[:_WIDTH])
    span = np.full(level.size, np.nan) if bounds is None else np.full(level.size, bounds[1] - bounds[0])
    least = np.where(np.isfinite(span), _SCALE * span, 0.5 * np.maximum(top - bottom, 4.0 * noise))
    scale = np.maximum.reduce([top - start, least, np.full(level.size, 1e-12)])
    lost = top - level
    place = np.full(level.size, np.nan) if bounds is None else (level - bounds[0]) / (bounds[1] - bounds[0])
    near = lost <= np.maximum(_NEAR * scale, _NOISE * noise)
    high = np.nan_to_num(place, nan=-1.0) >= solved
    bottom_now = np.where(np.isfinite(place), place <= 1.0 - solved, ~(top - start > _RISEN * scale))
    fallen = (lost >= fall * scale) & (lost >= _SURE * noise) & (np.arange(level.size) >= _ROWS - 1)
    return Standing(
        step=reward.step,
        fall=lost / scale,
        fallen=fallen,
        earning=(near & (top - start >= _RISEN * scale)) | (high & ~fallen),
        solved=high,
        low=bottom_now & (top - start <= _RISEN * scale),
    )


def has_fallen(reward: Floats, fall: float) -> bool:
    """Return whether a reward may have been ``fallen`` at any row, whatever its bounds: quicker than :func:`standing`.

    Parameters
    ----------
    reward : array, shape (n,)
    fall : float
        As in :class:`rlscale.health.Limits`.
    """
    if reward.size < _ROWS:
        return False
    level = trailing_median(reward, _WIDTH)
    top, bottom = np.maximum.accumulate(level), np.minimum.accumulate(level)
    lost = top - level
    scale = np.maximum(top - np.median(level[:_WIDTH]), np.minimum(_SCALE, 0.5 * (top - bottom)))
    rows = np.flatnonzero((lost >= fall * np.maximum(scale, 1e-12)) & (np.arange(level.size) >= _ROWS - 1))
    for block in dict.fromkeys((rows // _RENEWED).tolist()):
        own = rows[rows // _RENEWED == block]
        if np.any(lost[own] >= _SURE * _noise_of_level(reward, block * _RENEWED)):
            return True
    return False


def _noise_of_level(value: Floats, place: int) -> float:
    """Return the noise of the smoothed reward from the first differences up to a row."""
    turns = np.abs(np.diff(value))
    known = turns[: max(place, min(_WIDTH - 1, turns.size))]
    return 1.4826 * median(known.tolist()) / np.sqrt(2) * 1.25 / np.sqrt(_WIDTH) if known.size else 0.0
