"""P(best) and expected regret of independent levels: what ranking, planning and the like say of who is ahead."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rlscale.inference.pool import Level

__all__ = ["best"]

Floats = NDArray[np.float64]


def best(levels: Sequence[Level]) -> list[tuple[float, float]]:
    """Return P(best) and expected regret of each of several independent levels.

    ``P(i best) = int dF_i prod_(j != i) F_j`` and ``E[max] - E[i]``, from the distributions and not by sampling.

    Parameters
    ----------
    levels : sequence of Level

    Returns
    -------
    list of (float, float)
        The probabilities sum to 1; regret in reward, at least 0.
    """
    if len(levels) < 2:
        return [(1.0, 0.0) for _ in levels]
    starts = sorted(level.values[0] for level in levels)
    low, high = starts[0], max(level.values[-1] for level in levels)
    margin = 1e-9 * (high - low) + 1e-300
    edges = np.linspace(low - margin, high + margin, 4001)
    # below the third highest start three levels have no mass: no level is the best there, to floating point
    edges = edges[max(int(np.searchsorted(edges, starts[-3:][0])) - 1, 0) :]
    total = np.zeros(edges.size)
    for level in levels:  # one at a time: thousands of these do not fit into memory
        reached = level.cdf(edges[: _reach(level, edges)])
        total[: reached.size] += _log(reached)
    product = np.exp(total)
    highest = float(edges[-1] - np.sum(np.diff(edges) * 0.5 * (product[1:] + product[:-1])))
    shares = []
    for level in levels:
        own = level.cdf(edges[: _reach(level, edges)])
        others = np.exp(total[: own.size] - _log(own))
        shares.append(float(np.sum(np.diff(own) * 0.5 * (others[1:] + others[:-1]))))
    scale = sum(shares)
    return [(share / scale, max(highest - level.mean, 0.0)) for share, level in zip(shares, levels, strict=True)]


def _reach(level: Level, edges: Floats) -> int:
    """Return how many of the edges lie up to the first that is above all of a level."""
    return int(np.searchsorted(edges, level.values[-1], side="right")) + 1


def _log(cdf: Floats) -> Floats:
    return np.asarray(np.log(np.maximum(cdf, 1e-300)))
