"""What may happen other than that a curve goes on as it has: it stays where it is, or it has left its law already.

Both are mixtures over the draws of a forecast. *Persistence*: with some probability the reward stays where the last
evaluation left it, the less so the more the run is still climbing. *After a break* that the fit does not cover (a
collapse; a change of regime with too few evaluations since): the run comes back to the forecast of what was fitted by a
share ``q`` of the way, ``q ~ Beta``, all the way or not at all being likelier than half.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, ndtr

from rlscale.curves import Curve
from rlscale.inference.priors import AheadPrior

__all__ = ["FLOORED", "Aftermath", "climb", "persistence", "recent_jitter", "returned", "stayed"]

Floats = NDArray[np.float64]

#: Public runs that fell to their lower bound, and those of them that ended there (``benchmarks/falls.py``).
FLOORED = (6, 3)
#: A jitter under this share of the range is no measure of noise.
LEAST_JITTER = 0.004


@dataclass(frozen=True, kw_only=True)
class Aftermath:
    """Where a run stands after a break that its fit does not cover.

    Parameters
    ----------
    now : float
        Level of its latest evaluations, in reward.
    on_floor : bool
        The last two lie at the lower bound: where no sample is ever right there is nothing to learn from.
    """

    now: float
    on_floor: bool


def recent_jitter(curve: Curve) -> float:
    """Rms first difference of the later half of the rewards over sqrt(2), as a share of the range; 0 without any."""
    steps = np.diff(curve.reward[curve.n_points // 2 :])
    return float(np.sqrt(np.mean(steps**2) / 2.0)) / curve.error_range if steps.size else 0.0


def climb(curve: Curve) -> float:
    """How far the mean of the last quarter lies above that of the quarter before it, in its standard errors.

    The standard error is that of independent evaluations whose sd is the rms first difference over sqrt(2).
    """
    reward = curve.reward
    count = max(2, curve.n_points // 4)
    later, before = reward[-count:].mean(), reward[-2 * count : -count].mean()
    jitter = np.sqrt(np.mean(np.diff(reward) ** 2) / 2.0)
    error = max(float(jitter), LEAST_JITTER * curve.error_range) * np.sqrt(2.0 / count)
    return float((later - before) / error)


def persistence(curve: Curve, prior: AheadPrior) -> float:
    """Probability that the reward stays where it is, ``w Phi(climbing - z)`` with ``z`` that of :func:`climb`."""
    return float(prior.stay * ndtr(prior.climbing - climb(curve)))


def stayed(curve: Curve, prior: AheadPrior, normal: Floats) -> Floats:
    """Draws of a reward that stays: ``N(last value, sd)`` inside the bounds, shape (d,).

    Parameters
    ----------
    curve : Curve
    prior : AheadPrior
    normal : array, shape (d,)
        Standard normal coordinates.
    """
    sd = prior.stay_sd * max(recent_jitter(curve), prior.stay_least) * curve.error_range
    return np.asarray(np.clip(curve.reward[-1] + sd * normal, *curve.bounds))


def returned(value: Floats, aftermath: Aftermath, prior: AheadPrior, level: Floats) -> Floats:
    """Move forecasts of what was fitted to where the run may be: ``now + q (value - now)``.

    Parameters
    ----------
    value : array, shape (k, d)
        Draws of the reward if there had been no break.
    aftermath : Aftermath
    prior : AheadPrior
    level : array, shape (d,)
        Uniform coordinates of ``q``.
    """
    share = betaincinv(*(prior.back_from_floor if aftermath.on_floor else prior.back), level)
    return np.asarray(aftermath.now + share * (value - aftermath.now))
