"""The walk before the last evaluation: what the law has missed so far, for charts and levels at an earlier compute.

With ``x`` the turned steps, ``E x = k a(u - law)`` and ``Cov x = diag(k)`` innovation variances, the walk at ``u`` is
``h(u) E x`` moved by the regression of ``h(u) x`` on ``h(u_last) x``, which is known: the drift of the draw.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import Curve
from rlscale.inference.draws import Draws
from rlscale.inference.evidence import evidence
from rlscale.inference.priors import Priors
from rlscale.inference.shapes import Shapes
from rlscale.inference.walk import WalkTerms, log_time, ramps

__all__ = ["mean_before", "walk_before"]

Floats = NDArray[np.float64]

#: A variance of the walk under this is none: nothing is known of it, and nothing left.
_NONE = 1e-300


def walk_before(curve: Curve, draws: Draws, law: Floats, log_ahead: Floats, priors: Priors) -> Floats:
    """Draw the walk before the last evaluation, given all evaluations and where each draw ends.

    What the regression leaves is drawn by the coordinate of the model error.

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
    columns = terms.walk.columns if data.schedule.weight is None else terms.walk.columns * data.schedule.weight
    walk, size = terms.walk, draws.noises.amplitude.size
    ramp = ramps(walk.knots, log_time(log_ahead))
    correlation, amplitude = np.divmod(draws.noise_cell, size)
    path = np.empty((draws.drift.size, log_ahead.size))
    for c in np.unique(correlation).tolist():
        own = np.flatnonzero(correlation == c)
        here, last, by = walk.turn[c] @ ramp, walk.last[c], amplitude[own]
        step = terms.factor[c].take(by, axis=0) * (terms.reward[c] - (law @ columns[c].T)[own])  # (d', r)
        weighted = terms.factor[c] * last  # (a, r)
        variance, together = np.maximum(weighted @ last, _NONE), weighted @ here
        left = np.sqrt(np.maximum(terms.factor[c] @ here**2 - together**2 / variance[:, None], 0.0))
        given = np.zeros((own.size, last.size + 2 * size))
        given[:, : last.size] = step
        row, known = np.arange(own.size), last.size + by.astype(np.intp)
        given[row, known] = np.where(variance[by] > _NONE, (draws.drift[own] - step @ last) / variance[by], 0.0)
        given[row, known + size] = draws.innovation[own] * draws.model[own]
        path[own] = given @ np.concatenate([here, together, left])
    return path.T


def mean_before(terms: WalkTerms, draws: Draws, shapes: Shapes, rises: Floats, log_ahead: Floats) -> Floats:
    """Return the mean of :func:`walk_before` over equally weighted draws.

    All of it is linear in the law and the drift, so that those of one noise are summed first.

    Parameters
    ----------
    terms : WalkTerms
        Of the curve.
    draws : Draws
    shapes : Shapes
        Those of the draws.
    rises : array, shape (s, n)
        ``p s`` of each shape at each evaluation.
    log_ahead : array, shape (k,)
        ``ln(C / C_last)``, below 0.

    Returns
    -------
    array, shape (k,)
        On the engine's scale.
    """
    noises, group = np.unique(draws.noise_cell, return_inverse=True)
    c, a = np.divmod(noises.astype(np.intp), draws.noises.amplitude.size)
    total, count, size = noises.size, draws.gain.size, shapes.m.size
    share, base, drift = (np.bincount(group, each, total) / count for each in (None, draws.baseline, draws.drift))
    gain = np.bincount(group * size + shapes.place, draws.gain, total * size).reshape(total, size) / count
    walk, factor = terms.walk, terms.factor[c, a]  # (g, r)
    turned = base[:, None] * terms.level[c] + (walk.columns[c] @ (gain @ rises)[:, :, None])[:, :, 0]
    step = factor * (share[:, None] * terms.reward[c] - turned)
    last, here = walk.last[c], walk.turn[c] @ ramps(walk.knots, log_time(log_ahead))  # (g, r), (g, r, k)
    variance = np.maximum((factor * last * last).sum(axis=1), _NONE)
    known = np.where(variance > _NONE, (drift - (step * last).sum(axis=1)) / variance, 0.0)
    moved = step + known[:, None] * factor * last
    return np.asarray((moved[:, None, :] @ here).sum(axis=(0, 1)))
