"""Median curves: where the middle of a posterior runs, for charts and for where two recipes cross."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rlscale.inference.evidence import evidence
from rlscale.inference.posterior import Posterior
from rlscale.inference.shapes import shapes_of
from rlscale.inference.walk_before import path_before

__all__ = ["median_curve"]

Floats = NDArray[np.float64]

#: Draws behind a median curve: a few hundred of equal weight pin it; odd, so that the median is one of them.
_FEW = 257


def median_curve(runs: Sequence[Posterior], grid: Floats) -> Floats:
    """Return a recipe's median curve at increasing computes, shape (k,): the mean of its runs' medians, in reward."""
    return np.asarray(np.mean([_median(run.thinned(_FEW), grid) for run in runs], axis=0))


def _median(few: Posterior, grid: Floats) -> Floats:
    if few.ahead is None or few.ahead.aftermath is not None:
        return _middle(few.expected(grid, single=True).T)
    # bounds and units do not move the middle one
    return np.clip(few.curve.bounds[0] + few.curve.span * _middle(_paths(few, grid)), *few.curve.bounds)


def _middle(values: Floats) -> Floats:
    """Return the median of each row, shape (k, d): (k,)."""
    return np.partition(values, _FEW // 2, axis=1)[:, _FEW // 2]


def _paths(run: Posterior, grid: Floats) -> Floats:
    """Rewards of :meth:`Posterior.expected` on the engine's scale, where the model error is learned: shape (k, d).

    Rises in single precision. What the law and the walk take from them is the same for all draws of a shape.
    """
    draws, curve = run.draws, run.curve
    data, shapes = evidence(curve, early=True, walk=True, priors=run.priors), shapes_of(draws)
    ahead, size = np.log(grid) - np.log(curve.compute_last), grid.size
    share = shapes.rises(run.families, np.concatenate([ahead, data.schedule.log_compute]), np.float32)
    value = share[:size].take(shapes.place, axis=1) * draws.gain
    value += draws.baseline + draws.drift
    past = int(np.count_nonzero(ahead < 0.0))
    if not past or data.walk is None or not draws.noises.amplitude.any():
        return value
    terms, weight = data.walk, data.schedule.weight
    seen = share[size:].T if weight is None else share[size:].T * weight
    base, gain = draws.baseline[:, None], draws.gain[:, None]

    def turned(correlation: int) -> Floats:
        rises = seen @ terms.walk.columns[correlation].T
        return np.asarray(base * terms.level[correlation] + gain * rises.take(shapes.place, axis=0))

    value[:past] += path_before(terms, draws, turned, ahead[:past]) - draws.drift
    return value
