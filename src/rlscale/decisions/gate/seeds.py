"""Several runs of one recipe as one contender."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rlscale.decisions.gate.outlook import CENTRES, EDGES, Outlook, outlook_of
from rlscale.decisions.gate.prospect import smoothed
from rlscale.inference.pool import mean_of, product_of
from rlscale.inference.verdict import VerdictName

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
    order = list(VerdictName)
    verdict = sorted((one.verdict for one in outlooks), key=order.index)[(len(outlooks) - 1) // 2]
    if len(outlooks) == 1:
        one = outlooks[0]
        if tau == 0.0:
            return one
        mass = smoothed(one.mass, tau)
        return _of(mass, verdict)
    parts = [(one.draws, np.full(one.draws.size, 1.0 / one.draws.size)) for one in outlooks]
    if tau == 0.0:
        values = mean_of(parts)
        return outlook_of(values, np.full(values.size, 1.0 / values.size), verdict)
    grid, cdf = product_of(parts, tau)
    mass = np.diff(np.interp(EDGES, grid, cdf, left=0.0, right=1.0))
    return _of(mass / mass.sum(), verdict)


def _of(mass: Floats, verdict: VerdictName) -> Outlook:
    return outlook_of(CENTRES, mass, verdict)


def near_best(means: Sequence[float], band: float) -> list[bool]:
    """Say which recipes are forecast within ``band`` of the best: those that further seeds are worth running for."""
    best = max(means)
    return [mean >= best - band for mean in means]
