"""The sub-model of ``E(N)``: what a size without data starts from.

Levels are taken at one reference compute, so that the unit of compute does not matter: ``log L(N, X_ref)`` is a
straight line in ``log N`` whose slope drifts (integrated Brownian motion), plus a little that is each size's own::

    log L(N, X_ref) = a + b log N + s (I(log N) + .1 e),    Var I beyond the last size: distance^3 / 3 and more

``a`` and ``b`` are free, and the amplitude ``s`` is learned from the sizes with data, a priori .12 as if seen on 4 of
them. So the error widens with each size further away. The form was chosen by the log score on the published intercepts
of Tan et al. (arXiv 2509.25300, repository, four fits of seven sizes), one, two and three sizes beyond three to six
others: ahead of white and Brownian errors, and of lines in ``k(N)``. Amplitudes of .08 and .12 scored alike; the wider
one is used, since four fits of the same models are little to learn from.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rlscale.inference.size_law.points import chi_squared
from rlscale.inference.size_law.posterior import NEW_LEVEL, NEW_SLOPE, TREND_SCALE, SizePosterior

__all__ = ["SUBMODEL", "NewSize", "new_size", "trend"]

Floats = NDArray[np.float64]

#: Prior amplitude of the drift, in log L at one e-fold of size, and how many sizes it is worth.
AMPLITUDE, WORTH = 0.12, 4.0
#: Variance of what is each size's own, as a share of the amplitude's.
OWN = 0.01
#: The sub-model in a sentence.
SUBMODEL = (
    "E(N) of a size without data: log L at the reference compute is a straight line in log N whose slope drifts, so "
    "the error widens with the distance from the sizes seen"
)


@dataclass(frozen=True)
class NewSize:
    """Draws of a size without data; arrays of shape (d,).

    Parameters
    ----------
    model_params : float
    k : array
        Exponent, what a size lies off the law included.
    level : array
        ``log L`` at the centre of the posterior.
    E : array
        Intercept, natural logarithm.
    """

    model_params: float
    k: Floats
    level: Floats
    E: Floats


def new_size(posterior: SizePosterior, model_params: float) -> NewSize:
    """Predict exponent and level of a size from the sizes with data.

    Parameters
    ----------
    posterior : SizePosterior
        Of at least two sizes.
    model_params : float
        In the unit of the sizes with data.
    """
    z = posterior.coordinates
    k = posterior.law_exponent(model_params) + posterior.law_error * z[:, NEW_SLOPE]
    ahead = posterior.reference - posterior.lines.centre
    levels = posterior.level - posterior.k * ahead
    mean, scale, squares, degrees = trend(levels, np.log(posterior.model_params), float(np.log(model_params)))
    amplitude = (WORTH * AMPLITUDE**2 + squares) / chi_squared(WORTH + degrees, z[:, TREND_SCALE])
    level = mean + np.sqrt(amplitude) * scale * z[:, NEW_LEVEL] + k * ahead
    return NewSize(model_params, k, level, level + k * posterior.lines.centre)


def trend(levels: Floats, at: Floats, new: float) -> tuple[Floats, float, Floats, int]:
    """Return mean, sd in amplitudes, squares left in amplitudes, and degrees of freedom of a level at ``new``.

    ``levels`` has shape (d, sizes), ``at`` shape (sizes,): universal kriging, whose weights are the same for all draws.
    """
    start = min(float(at.min()), new)
    covariance = _drift(at - start, at - start) + OWN * np.eye(at.size)
    across, own = _drift(at - start, np.array([new - start]))[:, 0], _drift(*[np.array([new - start])] * 2)[0, 0] + OWN
    design = np.stack([np.ones(at.size), at - start], axis=1)
    inverse = np.linalg.inv(covariance)
    gram = np.linalg.inv(design.T @ inverse @ design)
    smooth = gram @ design.T @ inverse
    off = np.array([1.0, new - start]) - design.T @ inverse @ across
    weight = inverse @ across
    line = levels @ smooth.T
    left = levels - line @ design.T
    mean = line @ np.array([1.0, new - start]) + left @ weight
    variance = own - across @ inverse @ across + off @ gram @ off
    squares = np.einsum("di,ij,dj->d", left, inverse, left)
    return mean, float(np.sqrt(variance)), squares, at.size - 2


def _drift(a: Floats, b: Floats) -> Floats:
    """Covariance of integrated Brownian motion at distances from its start, shape (m,) and (n,) to (m, n)."""
    low, high = np.minimum(a[:, None], b[None, :]), np.maximum(a[:, None], b[None, :])
    return np.asarray(low * low * (3.0 * high - low) / 6.0)
