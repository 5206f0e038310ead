"""The joint risk of pausing several runs, from the distributions of their rewards; nothing is sampled.

``R(P) = P(max_(i in P) f_i > max_(j not in P) f_j + eps) = sum_x [F_P(x) - F_P(x-)] prod_(j not in P) F_j(x - eps)``
with ``F_P = prod_(i in P) F_i``, on the grid of ``outlook``; the rewards are independent given the data.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rlscale.decisions.gate.outlook import STEP

__all__ = ["Risk"]

Floats = NDArray[np.float64]
_LEAST = 1e-300


class Risk:
    """Risks of sets of contenders.

    Parameters
    ----------
    cdf : array, shape (k, g + 1)
        Of each contender's reward, at the edges of the grid.
    epsilon : float
        What a better reward has to be better by, as a share of the metric's range.
    """

    def __init__(self, cdf: Floats, epsilon: float) -> None:
        self._log = np.log(np.maximum(cdf, _LEAST))
        middle = 0.5 * (cdf[:, 1:] + cdf[:, :-1])
        self._shifted = np.log(np.maximum(_moved(middle, epsilon / STEP), _LEAST))
        self._everyone = self._shifted.sum(axis=0)

    def joint(self, paused: Sequence[int]) -> float:
        """Probability that the best of ``paused`` beats the best of all others by more than epsilon; 0 for none."""
        if not paused:
            return 0.0
        own = list(paused)
        below = np.exp(self._log[own].sum(axis=0))
        others = np.exp(self._everyone - self._shifted[own].sum(axis=0))
        return float(min(np.diff(below) @ others, 1.0))

    def growing(self, order: Sequence[int]) -> Floats:
        """Return the joint risks of the first 1, 2, ... of ``order``, shape (m,)."""
        own = list(order)
        below = np.exp(np.cumsum(self._log[own], axis=0))
        others = np.exp(self._everyone - np.cumsum(self._shifted[own], axis=0))
        return np.asarray(np.minimum(np.sum(np.diff(below, axis=1) * others, axis=1), 1.0))

    def alone(self) -> Floats:
        """Return ``h_i``, the probability that each beats the best of all others by more than epsilon: shape (k,)."""
        own = np.diff(np.exp(self._log), axis=1)
        others = np.exp(self._everyone - self._shifted)
        return np.asarray(np.minimum(np.sum(own * others, axis=1), 1.0))


def _moved(values: Floats, cells: float) -> Floats:
    """Return CDFs at ``x - cells``, shape (k, g), linear between the cells; 0 below the grid."""
    whole = int(np.floor(cells))
    part = cells - whole

    def by(count: int) -> Floats:
        found = np.zeros_like(values)
        if count < values.shape[1]:
            found[:, count:] = values[:, : values.shape[1] - count]
        return found

    return by(whole) if part < 1e-9 else (1.0 - part) * by(whole) + part * by(whole + 1)
