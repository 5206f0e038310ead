"""The evidence and the draws of a run that does not learn: ``R(C) = R0``, in the terms of ``zoom``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import gammaln

from rlscale.inference.evidence import Evidence
from rlscale.inference.families import Family
from rlscale.inference.nodes import Conditionals, GainLevels
from rlscale.inference.priors import Priors
from rlscale.inference.products import fixed
from rlscale.inference.zoom import Cells

__all__ = ["flat_cells"]


def flat_cells(data: Sequence[Evidence], flat: Family, priors: Priors) -> Cells:
    """Return one node for each noise, for each curve.

    With ``a, b`` those of ``nodes`` at no gain and ``M`` the precision of ``R0``, the evidence over that of a node with
    a gain is ``Gamma(a + 1/2) / Gamma(a) b1^-(a + 1/2) M^(-1/2)`` times ``Z sd_m``: the normalising constants of the
    priors of ``(R0, A)`` and ``ln C_mid``, which ``zoom`` leaves out. The factors of ``2 pi`` cancel.
    """
    rest = fixed(data)
    level, cross, reward, prior = (each[:, :, 0].T for each in (rest.level, rest.cross, rest.reward, rest.constant))
    centre = cross / level
    stationary = 1.0 - rest.correlation**2
    shape = priors.sigma_shape + 0.5 * (np.array([[each.count] for each in data]) - 2.0)
    sigma = np.array([[each.noise_scale] for each in data])
    scale = priors.sigma_shape * sigma**2 * stationary + 0.5 * np.maximum(reward - cross * centre, 0.0)
    rising = np.array([[0.5 if each.ceiling is None else each.ceiling.rising] for each in data])
    rising = rising + (1.0 - rising) * priors.falling_weight  # mass of (R0, A), which counts for less where A < R0
    constant = gammaln(shape + 0.5) - gammaln(shape) + np.log(rising * priors.log_c_mid_sd * flat.prior)
    constant = constant + prior + (0.5 + priors.sigma_shape) * np.log(stationary) - 0.5 * np.log(level)
    log_weight = (constant - (shape + 0.5) * np.log(scale)).ravel()
    curves, each = scale.shape
    zero = np.zeros(scale.size)
    drift = [zero, *(each[:, :, 0].T.ravel() for each in rest.drift)] if rest.drift.size else [np.empty(0)] * 4
    none = GainLevels(*np.empty((6, 0)))
    return Cells(
        log_weight=log_weight,
        column=np.zeros(scale.size, dtype=np.int16),
        row=np.zeros(scale.size, dtype=np.uint8),
        noise=np.tile(np.arange(each, dtype=np.uint8), curves),
        nodes=Conditionals(
            np.repeat(shape, each), scale.ravel(), zero, zero, zero, zero, centre.ravel(), level.ravel(), *drift
        ),
        cut=np.full(scale.size, -1),
        levels=none,
        mass=np.ones(scale.size),
        ceiling=np.zeros(scale.size),
        columns=[np.array([[priors.log_c_mid_limits[1]], [0.0], [0.0], [0.0]])] * curves,  # no midpoint: as far as any
        ends=range(each, scale.size + 1, each),
    )
