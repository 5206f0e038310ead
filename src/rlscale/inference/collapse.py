"""The plain rule for a collapse: the latest evaluations lie far under the best ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rlscale.curves import Curve

__all__ = ["Collapse", "collapse"]

#: A drop smaller than this share of the range, or than this many jitters, is no collapse.
COLLAPSE_SHARE = 0.08
COLLAPSE_JITTERS = 6.0


@dataclass(frozen=True)
class Collapse:
    """A lasting fall: ``peak`` is the index of the last point of the best three, ``drop`` in reward."""

    peak: int
    drop: float
    best: float
    last: float


def collapse(curve: Curve) -> Collapse | None:
    """Find a lasting fall: mean of the last 3 under the best mean of 3 by more than ``max(.08 range, 6 s)``.

    ``s`` is the sd of the first differences over sqrt(2), the jitter of one evaluation. The largest fall is left out of
    it: in a short run the fall itself would otherwise pass for jitter and hide. The median of the last 3 has to lie as
    low too: one bad evaluation, even a very bad one, is no collapse.
    """
    if curve.n_points < 6:
        return None
    means = np.convolve(curve.reward, np.full(3, 1.0 / 3.0), mode="valid")
    best = means.size - 1 - int(np.argmax(means[::-1]))  # the latest of equal ones: the run was up until then
    drop = float(means[best] - means[-1])
    lowest = min(drop, float(means[best] - np.sort(curve.reward[-3:])[1]))
    if lowest <= COLLAPSE_SHARE * curve.range:
        return None  # nearly every curve
    steps = np.diff(curve.reward)
    jitter = float(np.std(np.delete(steps, np.argmin(steps)), ddof=1) / np.sqrt(2.0))
    if lowest <= COLLAPSE_JITTERS * jitter:
        return None
    return Collapse(best + 2, drop, float(means[best]), float(means[-1]))
