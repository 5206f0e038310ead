"""The upper envelope: which number of rollouts per prompt has the best reward at each compute."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rlscale.decisions.rollouts.levels import Levels

__all__ = ["Piece", "envelope", "record_breaking"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Piece:
    """A stretch of compute, in the curves' unit, on which ``n`` rollouts per prompt give the best reward."""

    n: int
    start: float
    end: float


def record_breaking(compute: ArrayLike, reward: ArrayLike, width: float = 0.0) -> NDArray[np.intp]:
    """Return the places of the points that break the record, in order of compute.

    Point ``i`` is kept where ``R_i > max R_j`` over all ``C_j < C_i``, and, with bins of ``width``, where it is the
    first to enter its bin of reward. Without bins the kept points have the same upper envelope as all points; with
    bins it is lower by less than ``width``.

    Parameters
    ----------
    compute, reward : array, shape (p,)
        Points of all runs together, in any order. Of several at one compute only the highest can break a record.
    width : float
        Width of a bin, in reward; 0 for none.

    Notes
    -----
    Source: IsoCompute, arXiv 2603.12151.

    Examples
    --------
    >>> record_breaking([1, 2, 3, 4], [0.1, 0.3, 0.2, 0.4]).tolist()
    [0, 1, 3]
    """
    compute, reward = np.asarray(compute, dtype=np.float64), np.asarray(reward, dtype=np.float64)
    kept: list[int] = []
    record, at = -np.inf, -np.inf
    for place in np.lexsort((-reward, compute)):
        level = np.floor(reward[place] / width) if width > 0.0 else reward[place]
        if level > record and compute[place] > at:
            kept.append(int(place))
            record, at = level, compute[place]
    return np.array(kept, dtype=np.intp)


def envelope(levels: Levels) -> tuple[Piece, ...]:
    """Return the stretches of the envelope of the mean curves, each where its ``n`` was evaluated.

    At each compute it is the ``n`` of the highest mean reward reached so far: a record that nobody breaks stands, but
    not that of an ``n`` whose runs have all left their curve. Neighbouring stretches meet where their mean curves
    cross, or where the leader broke off.
    """
    mean = np.where(levels.seen, levels.mean, -np.inf)
    records = np.where(levels.sound, np.maximum.accumulate(mean, axis=1), -np.inf)
    best: list[int] = []
    for column in records.T:
        place, held = int(np.argmax(column)), best[-1] if best else -1
        if not np.isfinite(column[place]):
            best.append(-1)
        elif held >= 0 and column[held] == column[place]:
            best.append(held)
        else:
            best.append(place)
    pieces: list[Piece] = []
    known = [k for k, place in enumerate(best) if place >= 0]
    start = 0.0
    for k, after in zip(known, [*known[1:], None], strict=True):
        if k == known[0]:
            start = float(levels.compute[k])
        if after is None or best[after] != best[k]:
            last = float(levels.compute[k])
            if after is None:
                end = last if levels.sound[best[k]].all() else float(levels.broke_at[best[k]])
            elif levels.sound[best[k], after]:
                end = _crossing(levels, mean, best[k], best[after], k)
            else:
                end = float(levels.broke_at[best[k]])
            pieces.append(Piece(int(levels.n[best[k]]), start, end))
            start = end
    return tuple(pieces)


def _crossing(levels: Levels, mean: Floats, old: int, new: int, k: int) -> float:
    """Return where two mean curves cross between computes ``k`` and ``k + 1``, straight in log compute."""
    x = np.log(levels.compute[k : k + 2])
    gap = mean[new, k : k + 2] - mean[old, k : k + 2]
    if not np.all(np.isfinite(gap)) or gap[1] <= gap[0]:
        return float(levels.compute[k + 1])
    share = float(np.clip(-gap[0] / (gap[1] - gap[0]), 0.0, 1.0))
    return float(np.exp(x[0] + share * (x[1] - x[0])))
