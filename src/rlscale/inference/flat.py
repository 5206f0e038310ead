"""The evidence and the draws of a run that does not learn: ``R(C) = R0``, in the terms of ``zoom``."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln

from rlscale.inference.evidence import Evidence
from rlscale.inference.families import FLAT
from rlscale.inference.nodes import GainLevels, Nodes
from rlscale.inference.noise import RHO_GRID, at_correlations
from rlscale.inference.priors import Priors
from rlscale.inference.zoom import Cells

__all__ = ["flat_cells"]


def flat_cells(data: Evidence, priors: Priors) -> Cells:
    """Return one node for each noise correlation.

    With ``a, b`` those of ``nodes`` at no gain and ``M`` the precision of ``R0``, the evidence over that of a node with
    a gain is ``Gamma(a + 1/2) / Gamma(a) b1^-(a + 1/2) M^(-1/2)`` times ``Z sd_m``: the normalising constants of the
    priors of ``(R0, A)`` and ``ln C_mid``, which ``zoom`` leaves out. The factors of ``2 pi`` cancel.
    """
    level, cross, reward = data.fixed @ at_correlations(RHO_GRID)
    centre = cross / level
    stationary = 1.0 - RHO_GRID**2
    shape = priors.sigma_shape + 0.5 * (data.count - 2)
    residual = np.maximum(reward - cross * centre, 0.0)
    scale = priors.sigma_shape * priors.sigma_scale**2 * stationary + 0.5 * residual
    rising = 0.5 * (1.0 + priors.falling_weight)  # mass of the unit square where A < R0 counts for less
    constant = gammaln(shape + 0.5) - gammaln(shape) + np.log(rising * priors.log_c_mid_sd * FLAT.prior)
    log_weight = (0.5 + priors.sigma_shape) * np.log(stationary) - 0.5 * np.log(level) + constant
    log_weight -= (shape + 0.5) * np.log(scale)
    zero, one = np.zeros(RHO_GRID.size), np.ones(RHO_GRID.size)
    return Cells(
        log_weight=log_weight,
        m=np.full(RHO_GRID.size, priors.log_c_mid_limits[1]),  # no midpoint: as far as any
        log_b=zero,
        width=zero,
        height=zero,
        rho=RHO_GRID.copy(),
        nodes=Nodes(log_weight, shape, scale, zero, zero, zero, centre, level),
        levels=GainLevels(zero, zero, 0.5 * one, 0.5 * one, 0.5 * one, zero, one),
        best_mass=1.0,
    )
