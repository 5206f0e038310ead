"""Median curves: where the middle of a posterior runs, for charts and for where two recipes cross."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rlscale.inference.evidence import evidence
from rlscale.inference.posterior import Posterior
from rlscale.inference.shapes import Shapes, shapes_of
from rlscale.inference.walk_before import mean_before

__all__ = ["median_curve"]

Floats = NDArray[np.float64]

#: Draws behind a median curve: a few hundred of equal weight pin it; odd, so that the median is one of them.
_FEW = 257


def median_curve(runs: Sequence[Posterior], grid: Floats) -> Floats:
    """Return a recipe's median curve at increasing computes, shape (k,): the mean of its runs' medians, in reward.

    Where the model error is learned, the part before the last evaluation is the posterior mean, for speed: what was
    evaluated is known to within a few hundredths, all but symmetrically.
    """
    return np.asarray(np.mean([_median(run.thinned(_FEW), grid) for run in runs], axis=0))


def _median(few: Posterior, grid: Floats) -> Floats:
    if few.ahead is None or few.ahead.aftermath is not None:
        return _middle(few.expected(grid).T)
    curve, draws, shapes = few.curve, few.draws, shapes_of(few.draws)
    data = evidence(curve, early=True, walk=True, priors=few.priors)
    ahead, seen = np.log(grid) - np.log(curve.compute_last), data.schedule.log_compute
    past = int(np.count_nonzero(ahead < 0.0))
    rises = shapes.rises(few.families, np.concatenate([ahead, seen]))
    later = rises[past : grid.size].take(shapes.place, axis=1) * draws.gain
    later += draws.baseline + draws.drift
    value = np.concatenate([_law(few, shapes, rises[:past]), _middle(later)])
    if past and data.walk is not None and draws.noises.amplitude.any():
        by_noise = rises[grid.size :].T if data.schedule.weight is None else rises[grid.size :].T * data.schedule.weight
        value[:past] += mean_before(data.walk, draws, shapes, by_noise, ahead[:past])
    # bounds and units do not move the middle one
    return np.clip(curve.bounds[0] + curve.span * value, *curve.bounds)


def _law(few: Posterior, shapes: Shapes, rises: Floats) -> Floats:
    """Return the mean reward of equally weighted draws by the law alone, from the rises of their shapes, (k, s)."""
    gain = np.bincount(shapes.place, few.draws.gain, shapes.m.size)
    return np.asarray((rises @ gain + few.draws.baseline.sum()) / few.draws.gain.size)


def _middle(values: Floats) -> Floats:
    """Return the median of each row, shape (k, d): (k,)."""
    return np.partition(values, _FEW // 2, axis=1)[:, _FEW // 2]
