"""The best number of rollouts per prompt, between those tried: a smooth surface of reward over ``ln n``.

Each number of rollouts is a recipe whose level is known with an error, and levels of neighbours are alike. With a
Gaussian process over ``ln n`` at each compute the levels inform one another, and the optimum may lie between two.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rlscale.decisions.rollouts.levels import Levels
from rlscale.decisions.rollouts.spread import normal

__all__ = ["ALIKE", "LENGTH", "optima"]

Floats = NDArray[np.float64]

#: Length scale of the surface in ``ln n``: numbers of rollouts a factor of 4.5 apart have levels that correlate by .6.
#: This and :data:`ALIKE` were chosen on simulated families drawn with other random numbers than those of the benchmark.
LENGTH = 1.5
#: Rewards that differ by less than this share of the range are alike: the smallest number of rollouts counts that comes
#: this near to the best. On a plateau, where more rollouts extend no frontier, the best is one of chance.
ALIKE = 0.002
#: Smallest prior sd of the levels over ``n``, as a share of the range.
_LEAST = 0.02
#: Steps of ``ln n`` between the smallest and the largest tried, and smooth shapes that a draw is made of: each has its
#: coordinate of ``spread``, the first ones.
_STEPS, _SHAPES = 81, 10
#: Prior sd of the mean level over all ``n``, in prior sds of the surface.
_FREE = 30.0
#: Added to the variance of each level, as a share of that of the surface, so that equal curves do no harm.
_JITTER = 1e-6


def optima(levels: Levels) -> Floats:
    """Return draws of ``ln n*`` at each compute, shape (d, c).

    At each compute ``f(ln n) ~ GP`` with levels ``y_n = f(ln n) + e_n``, the errors those of the draws; a draw of ``f``
    given the levels is ``g + K (K + V)^-1 (y + e - g)`` for a draw ``g`` of the process and ``e`` of the errors
    (Matheron's rule). ``n*`` is where the highest ``f`` so far was reached: a record stands until it is broken.
    """
    x = np.log(levels.n)
    fine = np.linspace(x[0], x[-1], _STEPS)
    prior = _prior_draws(np.concatenate([fine, x]), levels.reward.shape[1])
    best = np.full(levels.reward.shape[1], -np.inf)
    where = np.full(levels.reward.shape[1], x[0])
    log_n = np.empty((levels.reward.shape[1], levels.compute.size))
    for k in range(levels.compute.size):
        f = _surface(levels.reward[:, :, k], x, fine, prior, levels.width)
        height = f.max(axis=1)
        place = np.argmax(f >= (height - ALIKE * levels.width)[:, None], axis=1)
        broken = height > best
        best[broken], where[broken] = height[broken], fine[place[broken]]
        log_n[:, k] = where
    return log_n


def _surface(reward: Floats, x: Floats, fine: Floats, prior: Floats, width: float) -> Floats:
    """Return draws of ``f`` on the fine grid, shape (d, g), from levels of shape (m, d)."""
    middle = float(reward.mean())
    means, errors = reward.mean(axis=1), reward.var(axis=1)
    amplitude = max(float(means.std()), _LEAST * width)
    near = _kernel(x, x) + _FREE**2
    near[np.diag_indices_from(near)] += errors / amplitude**2 + _JITTER
    gain = np.linalg.solve(near, _kernel(x, fine) + _FREE**2)
    drawn = amplitude * prior
    return np.asarray(middle + drawn[:, :_STEPS] + (reward.T - middle - drawn[:, _STEPS:]) @ gain)


def _kernel(x: Floats, y: Floats) -> Floats:
    return np.asarray(np.exp(-0.5 * ((x[:, None] - y) / LENGTH) ** 2))


def _prior_draws(x: Floats, count: int) -> Floats:
    """Return draws of the process without its mean at ``x``, shape (count, x): its smoothest shapes, weighted."""
    value, vector = np.linalg.eigh(_kernel(x, x))
    keep = np.argsort(value)[::-1][:_SHAPES]
    shapes = vector[:, keep] * np.sqrt(np.maximum(value[keep], 0.0))
    return np.asarray(np.stack([normal(count, k) for k in range(shapes.shape[1])], axis=1) @ shapes.T)
