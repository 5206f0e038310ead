"""The evidence and the draws of a run that does not learn: ``R(C) = R0``, in the terms of ``zoom``."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln

from rlscale.inference.families import Family
from rlscale.inference.nodes import Conditionals, GainLevels
from rlscale.inference.products import Curves
from rlscale.inference.zoom import Cells

__all__ = ["flat_cells"]


def flat_cells(curves: Curves, flat: Family) -> Cells:
    """Return one node for each noise, for each curve.

    With ``a, b`` those of ``nodes`` at no gain and ``M`` the precision of ``R0``, the evidence over that of a node with
    a gain is ``Gamma(a + 1/2) / Gamma(a) b1^-(a + 1/2) M^(-1/2)`` times ``Z sd_m``: the normalising constants of the
    priors of ``(R0, A)`` and ``ln C_mid``, which ``zoom`` leaves out. The factors of ``2 pi`` cancel.
    """
    rest, data, priors = curves.fixed, curves.data, curves.priors
    level, cross, reward = (each[:, :, 0].T for each in (rest.level, rest.cross, rest.reward))
    centre, shape = cross / level, curves.shape
    scale = curves.floor[:, :, 0].T + 0.5 * np.maximum(reward - cross * centre, 0.0)
    rising = np.array([[0.5 if each.ceiling is None else each.ceiling.rising] for each in data])
    rising = rising + (1.0 - rising) * priors.falling_weight  # mass of (R0, A), which counts for less where A < R0
    constant = gammaln(shape + 0.5) - gammaln(shape) + np.log(rising * priors.log_c_mid_sd * flat.prior)
    log_weight = (constant + curves.constant[:, :, 0].T - (shape + 0.5) * np.log(scale)).ravel()
    many, each = scale.shape
    zero = np.zeros(scale.size)
    drift = [zero, *(each[:, :, 0].T.ravel() for each in rest.drift)] if rest.drift.size else [np.empty(0)] * 4
    return Cells(
        log_weight=log_weight,
        column=np.zeros(scale.size, dtype=np.int16),
        row=np.zeros(scale.size, dtype=np.uint8),
        noise=np.tile(np.arange(each, dtype=np.uint8), many),
        nodes=Conditionals(
            np.repeat(shape, each), scale.ravel(), zero, zero, zero, zero, centre.ravel(), level.ravel(), *drift
        ),
        cut=np.zeros(scale.size, dtype=bool),
        levels=GainLevels(*np.zeros((6, scale.size))),
        mass=np.ones(scale.size),
        ceiling=np.zeros(scale.size),
        columns=[np.array([[priors.log_c_mid_limits[1]], [0.0], [0.0], [0.0]])] * many,  # no midpoint: as far as any
        ends=range(each, scale.size + 1, each),
    )
