"""What the evaluations still to come will read: the reward, the model error, and their own noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from rlscale.inference.noise import mean_variance
from rlscale.inference.posterior import Posterior

__all__ = ["mean_of_evaluations", "recent_noise"]

Floats = NDArray[np.float64]

#: Residuals that the noise of the whole run is worth against its recent ones.
NOISE_WEIGHT = 3.0


def mean_of_evaluations(posterior: Posterior, compute: ArrayLike) -> Floats:
    """Predictive of the mean of the evaluations still to come at ``compute``, shape (k,): shape (d,).

    Noise-free mean, model error at the last of them, and the noise of a mean of ``k`` successive evaluations given the
    deviation ``e`` of the last one seen: with ``w`` the mean of ``rho^j`` over the ``j`` evaluations that each lies
    ahead, its mean is ``w e`` and its variance ``sigma^2 (v - w^2)``, ``v`` that of ``noise.mean_variance``; under a
    given model error times :func:`recent_noise`. Where the reward stays, or has broken off, nothing of ``e`` is left.
    Evaluations stay within the metric's bounds, or as far outside as some were.
    """
    compute = np.atleast_1d(np.asarray(compute, dtype=np.float64))
    seen, draws, ahead = posterior.curve, posterior.draws, posterior.ahead
    steps = np.maximum((compute - seen.compute_last) / np.median(np.diff(seen.compute)[-5:]), 0.0)
    linked = np.mean(draws.rho[:, None] ** steps, axis=1)
    deviation = seen.reward[-1] - posterior.expected([seen.compute_last])[:, 0]
    value = posterior.reward(compute).mean(axis=1)
    variance = mean_variance(draws.rho, compute.size)
    if ahead is None:
        variance = np.maximum(variance - linked**2, 0.0) * recent_noise(posterior)
        value = (
            value + draws.model * posterior.model_sd(compute[-1:]) + draws.noise * posterior.sigma * np.sqrt(variance)
        )
    else:
        value = value + posterior.walk(compute[-1:])[:, 0]
        linked = np.where(ahead.stays(draws) | (ahead.aftermath is not None), 0.0, linked)
        # the coordinate of the noise says what else may happen; the place within a cell is of no use here
        normal = ndtri(draws.up)
        variance = np.maximum(variance - linked**2, 0.0)
        value = ahead.mixed(np.clip(value, *seen.bounds)[None], draws)[0] + normal * posterior.sigma * np.sqrt(variance)
    low, high = min(seen.bounds[0], seen.reward.min()), max(seen.bounds[1], seen.reward.max())
    value = np.clip(value + linked * deviation, low, high)
    return np.asarray(posterior.moved(value[None], compute[-1:], (low, high))[0])


def recent_noise(posterior: Posterior) -> float:
    """Return the noise variance of recent evaluations over that of all, shrunk to 1.

    The first part of a run scatters more: the law is least exact where the reward moves fast. The later half of the
    residuals stands against ``sigma^2``, the latter worth :data:`NOISE_WEIGHT` of them; kept within a factor of 4.
    """
    few, curve = posterior.thinned(257), posterior.curve
    residual = curve.reward - few.reward(curve.compute).mean(axis=0)
    recent = residual[-max(4, -(-residual.size // 2)) :]
    expected = float(posterior.mean(posterior.sigma**2))
    ratio = (NOISE_WEIGHT + float(recent @ recent) / expected) / (NOISE_WEIGHT + recent.size)
    return float(np.clip(ratio, 0.25, 4.0))
