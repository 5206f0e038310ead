"""Several runs of one recipe as one contender."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rlscale.decisions.gate.outlook import CENTRES, EDGES, Outlook, outlook_of
from rlscale.decisions.gate.prospect import smoothed
from rlscale.inference.pool import mean_of, product_of

__all__ = ["near_best", "pooled"]

Floats = NDArray[np.float64]


def pooled(outlooks: Sequence[Outlook], tau: float) -> Outlook:
    """Return the outlook of a recipe's level from those of its runs.

    ``p(mu) ~ prod_i int p_i(f) N(f; mu, tau^2) df``; with ``tau = 0`` the mean of these runs is meant.

    Parameters
    ----------
    outlooks : sequence of Outlook
        At least one.
    tau : float
        Run-to-run sd, as a share of the metric's range.
    """
    if len(outlooks) == 1:
        one = outlooks[0]
        if tau == 0.0:
            return one
        return outlook_of(CENTRES, smoothed(one.mass, tau))
    parts = [(one.draws, np.full(one.draws.size, 1.0 / one.draws.size)) for one in outlooks]
    if tau == 0.0:
        values = mean_of(parts)
        return outlook_of(values, np.full(values.size, 1.0 / values.size))
    grid, cdf = product_of(parts, tau)
    mass = np.diff(np.interp(EDGES, grid, cdf, left=0.0, right=1.0))
    return outlook_of(CENTRES, mass / mass.sum())


def near_best(means: Sequence[float], band: float) -> list[bool]:
    """Say which recipes are forecast within ``band`` of the best: those that further seeds are worth running for."""
    best = max(means)
    return [mean >= best - band for mean in means]
