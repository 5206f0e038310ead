"""The walk before the last evaluation: what the law has missed so far, for charts and levels at an earlier compute."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import Curve
from rlscale.inference.draws import Draws
from rlscale.inference.evidence import evidence
from rlscale.inference.priors import Priors
from rlscale.inference.walk import log_time, ramps

__all__ = ["walk_before"]

Floats = NDArray[np.float64]


def walk_before(curve: Curve, draws: Draws, law: Floats, log_ahead: Floats, priors: Priors) -> Floats:
    """Draw the walk before the last evaluation, given all evaluations and where each draw ends.

    With ``x`` the turned steps, ``E x = k a(u - law)`` and ``Cov x = diag(k)`` innovation variances, the walk at ``u``
    is ``h(u) E x`` moved by the regression of ``h(u) x`` on ``h(u_last) x``, which is known: the drift of the draw.
    What that regression leaves is drawn by the coordinate of the model error.

    Parameters
    ----------
    curve : Curve
    draws : Draws
    law : array, shape (d, n)
        Reward by the law of each draw at each evaluation, on the engine's scale.
    log_ahead : array, shape (k,)
        ``ln(C / C_last)``, below 0.
    priors : Priors
        Those that the draws were made with.

    Returns
    -------
    array, shape (k, d)
        On the engine's scale.
    """
    data = evidence(curve, early=True, walk=True, priors=priors)
    terms = data.walk
    assert terms is not None
    walk = terms.walk
    weight = 1.0 if data.schedule.weight is None else data.schedule.weight
    residual = data.columns[0] - weight * law
    ramp = walk.turn @ ramps(walk.knots, log_time(log_ahead))  # (c, r, k)
    correlation, amplitude = np.divmod(draws.noise_cell, draws.noises.amplitude.size)
    path = np.zeros((log_ahead.size, draws.drift.size))
    for c in np.unique(correlation).tolist():
        own = correlation == c
        factor = terms.factor[c, amplitude[own]]  # (d', r)
        step = factor * (residual[own] @ walk.columns[c].T)
        last = factor * walk.last[c]
        variance = last @ walk.last[c]
        missing = draws.drift[own] - step @ walk.last[c]
        slope = np.divide(missing, variance, out=np.zeros(variance.size), where=variance > 0.0)
        together = last @ ramp[c]
        known = together**2 / np.maximum(variance, 1e-300)[:, None]  # no walk: nothing is known, and nothing left
        left = np.sqrt(np.maximum(factor @ ramp[c] ** 2 - known, 0.0))
        spread = draws.innovation[own] * draws.model[own]
        path[:, own] = ((step @ ramp[c]) + slope[:, None] * together + left * spread[:, None]).T
    return path
