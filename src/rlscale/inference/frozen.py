"""A fit frozen before a suspect stretch, and how well it foretells what came after.

A refit swallows a fall: in one step it takes the new level for noise or for the ceiling. The frozen fit has not seen
it. What is tested is that the curve *holds its level*, not that it goes on rising as foretold: a rise that flattens
earlier than the family allows is no fall, and only the level is safe against the wrong family.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from rlscale.curves import Curve
from rlscale.inference.families import SIGMOID
from rlscale.inference.posterior import Posterior, posterior

__all__ = ["WINDOWS", "Departure", "departure"]

Floats = NDArray[np.float64]

#: The latest evaluations that are averaged and compared with the frozen fit; all later ones are too.
WINDOWS = (2, 3, 5, 8)
#: Sd of what the model does not know about a level, as a share of the range: real curves wiggle more than its noise.
WIGGLE = 0.01


@dataclass(frozen=True)
class Departure:
    """How far the latest evaluations lie below the level of a frozen fit.

    Parameters
    ----------
    p : float
        Probability, under the frozen fit, of a mean as low as theirs: the smallest over the windows.
    level : float
        Level of the frozen fit at its last point, posterior mean, in reward.
    drop, second : float
        How far below it their mean lies, and the second lowest of the latest three, in reward.
    """

    p: float
    level: float
    drop: float
    second: float


def departure(curve: Curve, last: int, *, above: bool = False) -> Departure:
    """Compare the end of a curve with the fit of its points up to index ``last``.

    For each draw of the posterior of the first part, and each window of ``k`` latest evaluations, the mean expected is
    ``R(C_last) + e_last mean(rho^l)`` over their distances ``l`` from the last point fitted, where ``e_last`` is that
    point's residual, with variance ``sigma^2 mean_ij(rho^|i-j| - rho^(i+j)) + (.01 range)^2``. Where the draw falls
    with compute it is the mean of ``R`` instead. ``p`` averages the normal tail probabilities over the draws, with
    their weights before and after they have seen how the later points scatter; the smaller counts.

    Parameters
    ----------
    curve : Curve
    last : int
        Index of the last point of the frozen fit; at least 4 evaluations after the start lie up to it, 2 after it.
    above : bool
        Look for evaluations above what the frozen fit foretells instead; the rise foretold counts.

    Raises
    ------
    CurveError
        Too few points up to ``last``.
    """
    frozen = posterior(curve.until(float(curve.compute[last])), families=(SIGMOID,))
    reward = frozen.reward(curve.compute[last:])
    level = reward[:, 0]
    residual = float(curve.reward[last]) - level
    ahead = curve.n_points - 1 - last
    weights = _weights(frozen, curve.reward[last + 1 :])
    expected = reward if above else np.minimum(reward, level[:, None])
    found = []
    for count in {*(k for k in WINDOWS if k < ahead), ahead}:
        mean = float(curve.reward[-count:].mean())
        z = _standardised(frozen, curve, mean - expected[:, -count:].mean(axis=1), residual, ahead, count)
        found.append((float((weights @ ndtr(-z if above else z)).min()), mean))
    p, mean = min(found)
    held = float(frozen.mean(level))
    second = float(np.sort(curve.reward[last + 1 :][-3:])[1])  # one bad evaluation is no departure
    return Departure(p, held, held - mean, held - second)


def _weights(frozen: Posterior, later: Floats) -> Floats:
    """Weights of the draws, and those given how the later points scatter about a level of their own: shape (2, d).

    Whatever their level, their scatter says how correlated the noise is: a fall that correlated noise could explain in
    a few points is none where those points hold still. With ``u_t = y_t - rho y_(t-1)`` and innovations of sd ``s`` the
    likelihood of ``m`` points is ``s^(2-m) exp(-sum (u_t - mean u)^2 / (2 s^2))``, the level integrated out. The plain
    weights stay beside: where the later points scatter more than before, that must not excuse the fall.
    """
    count = later.size - 2
    if count < 1:
        return frozen.weight[None]
    rho, place = np.unique(frozen.draws.rho, return_inverse=True)
    moved = later[1:] - rho[:, None] * later[:-1]
    squares = np.sum((moved - moved.mean(axis=1, keepdims=True)) ** 2, axis=1)[place]
    variance = frozen.sigma**2 * (1.0 - frozen.draws.rho**2)
    log = -0.5 * (count * np.log(variance) + squares / variance)
    seen = frozen.weight * np.exp(log - log.max())
    total = float(seen.sum())
    return np.stack([frozen.weight, seen / total]) if total > 0.0 else frozen.weight[None]


def _standardised(frozen: Posterior, curve: Curve, excess: Floats, residual: Floats, ahead: int, count: int) -> Floats:
    """Standardise by how much the mean of the last ``count`` evaluations exceeds the level of each draw: shape (d,)."""
    lags = np.arange(ahead - count + 1, ahead + 1)
    rho, place = np.unique(frozen.draws.rho, return_inverse=True)
    power = rho[:, None] ** np.arange(2 * ahead + 1)
    memory = power[:, lags].mean(axis=1)[place]
    apart, total = np.abs(lags[:, None] - lags), lags[:, None] + lags
    spread = (power[:, apart] - power[:, total]).mean(axis=(1, 2))[place]
    sd = np.sqrt(frozen.sigma**2 * spread + (WIGGLE * curve.range) ** 2)
    return np.asarray((excess - residual * memory) / sd)
