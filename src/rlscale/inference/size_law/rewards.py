"""Draws of the mean reward of a size, with data or without, by the power law or the S-shaped form."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rlscale.inference.size_law.posterior import SizePosterior
from rlscale.inference.size_law.s_shaped import SShaped
from rlscale.inference.size_law.trend import new_size

__all__ = ["reward_draws"]


def reward_draws(
    posterior: SizePosterior, model_params: float, compute: ArrayLike, shaped: SShaped | None = None
) -> NDArray[np.float64]:
    """Return draws of the mean reward of a size at computes, shape (c,): shape (d, c).

    Parameters
    ----------
    posterior : SizePosterior
    model_params : float
        With data or without.
    compute : array, shape (c,)
    shaped : SShaped, optional
        Its form in place of the power law.
    """
    at = np.atleast_1d(np.asarray(compute, dtype=np.float64))
    seen = model_params in posterior.model_params
    if shaped is not None:
        place = posterior.place(model_params) if seen else -1
        share = shaped.share(place, np.log(at)) if seen else shaped.new_share(model_params, np.log(at))
        return np.asarray(posterior.r_max * (1.0 - share))
    if seen:
        return posterior.size_reward(model_params, at)
    new = new_size(posterior, model_params)
    return posterior.reward(new.k, new.level, at)
