"""The walk before the last evaluation: what the law has missed so far, for charts and levels at an earlier compute."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import Curve
from rlscale.inference.draws import Draws
from rlscale.inference.evidence import evidence
from rlscale.inference.priors import Priors
from rlscale.inference.walk import WalkTerms, log_time, ramps

__all__ = ["path_before", "walk_before"]

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
    columns = terms.walk.columns if data.schedule.weight is None else terms.walk.columns * data.schedule.weight
    return path_before(terms, draws, lambda correlation: law @ columns[correlation].T, log_ahead)


def path_before(terms: WalkTerms, draws: Draws, turned: Callable[[int], Floats], log_ahead: Floats) -> Floats:
    """Draw the walk of :func:`walk_before` by the terms of the law.

    Parameters
    ----------
    terms : WalkTerms
        Of the curve.
    draws : Draws
    turned : callable
        Returns ``a(p law)`` of each draw at a correlation, shape (d, r).
    log_ahead : array, shape (k,)
        ``ln(C / C_last)``, below 0.

    Returns
    -------
    array, shape (k, d)
        On the engine's scale.
    """
    walk, size = terms.walk, draws.noises.amplitude.size
    ramp = ramps(walk.knots, log_time(log_ahead))
    correlation, amplitude = np.divmod(draws.noise_cell, size)
    path = np.empty((draws.drift.size, log_ahead.size))
    for c in np.unique(correlation).tolist():
        own = np.flatnonzero(correlation == c)
        here, last, by = walk.turn[c] @ ramp, walk.last[c], amplitude[own]
        step = terms.factor[c].take(by, axis=0) * (terms.reward[c] - turned(c)[own])  # (d', r)
        weighted = terms.factor[c] * last  # (a, r)
        variance, together = np.maximum(weighted @ last, 1e-300), weighted @ here
        left = np.sqrt(np.maximum(terms.factor[c] @ here**2 - together**2 / variance[:, None], 0.0))
        given = np.zeros((own.size, last.size + 2 * size))
        given[:, : last.size] = step
        row, known = np.arange(own.size), last.size + by.astype(np.intp)
        # no walk: nothing is known, and nothing left
        given[row, known] = np.where(variance[by] > 1e-300, (draws.drift[own] - step @ last) / variance[by], 0.0)
        given[row, known + size] = draws.innovation[own] * draws.model[own]
        path[own] = given @ np.concatenate([here, together, left])
    return path.T
