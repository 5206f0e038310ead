"""What may happen other than that a curve goes on as it has: it stays where it is, or it has left its law already.

Both are mixtures over the draws of a forecast. *Persistence*: with some probability the reward stays where the last
evaluation left it, the less so the more the run is still climbing. *After a break* that the fit does not cover (a
collapse; a change of regime with too few evaluations since): the run falls further, or comes back to the forecast of
what was fitted by a share ``q`` of the way, ``q ~ Beta``, all the way or not at all being likelier than half.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, ndtr

from rlscale.curves import Curve
from rlscale.inference.draws import Draws
from rlscale.inference.priors import AheadPrior
from rlscale.inference.walk import recent_jitter

__all__ = ["FLOORED", "PERSISTENCE", "Aftermath", "Ahead", "climb", "persistence"]

Floats = NDArray[np.float64]

#: The name of persistence among the families.
PERSISTENCE = "persistence"
#: Public runs that collapsed to their lower bound, and those of them that ended there (``benchmarks/falls.py``).
FLOORED = (6, 3)
#: A jitter under this share of the range is no measure of noise.
LEAST_JITTER = 0.004
#: Sd of the level after a break, as a share of the range.
AFTER_SD = 0.02


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


def climb(curve: Curve) -> float:
    """How far the mean of the last quarter lies above that of the quarter before it, in its standard errors.

    The standard error is that of independent evaluations with the :func:`~rlscale.inference.walk.recent_jitter`.
    """
    reward = curve.reward
    count = max(2, curve.n_points // 4)
    later, before = reward[-count:].mean(), reward[-2 * count : -count].mean()
    error = max(recent_jitter(curve), LEAST_JITTER) * curve.error_range * np.sqrt(2.0 / count)
    return float((later - before) / error)


def persistence(curve: Curve, prior: AheadPrior) -> float:
    """Probability that the reward stays where it is, ``w Phi(climbing - z)`` with ``z`` that of :func:`climb`."""
    return float(prior.stay * ndtr(prior.climbing - climb(curve)))


@dataclass(frozen=True, kw_only=True)
class Ahead:
    """What else may happen to one run, as mixtures over its draws.

    Parameters
    ----------
    persistence : float
        Probability that the reward stays where it is.
    level, level_sd : float
        Where it is, and how sure that is, in reward.
    aftermath : Aftermath, optional
        Where the run stands after a break.
    prior : AheadPrior
    bounds : (float, float)
    unit : float
        Range of the model error, in reward.
    """

    persistence: float
    level: float
    level_sd: float
    aftermath: Aftermath | None
    prior: AheadPrior
    bounds: tuple[float, float]
    unit: float

    @classmethod
    def of(cls, curve: Curve, prior: AheadPrior) -> Ahead:
        """Return what else may happen after the last evaluation of a curve."""
        return cls(
            persistence=persistence(curve, prior),
            level=curve.reward_last,
            level_sd=prior.stay_sd * max(recent_jitter(curve), prior.stay_least) * curve.error_range,
            aftermath=None,
            prior=prior,
            bounds=curve.bounds,
            unit=curve.error_range,
        )

    def nothing(self) -> Ahead:
        """Return that nothing else happens."""
        return replace(self, persistence=0.0, aftermath=None)

    def stays(self, draws: Draws) -> NDArray[np.bool_]:
        """Which draws are those of a reward that stays, shape (d,)."""
        return np.asarray(draws.stay < self.persistence)

    def still(self, draws: Draws) -> Floats:
        """Draws of a reward that stays, ``N(level, level_sd)`` inside the bounds, moved by a break: shape (d,)."""
        return np.asarray(self.broken(self._levels(draws)[None], draws)[0])

    def mixed(self, value: Floats, draws: Draws) -> Floats:
        """Let rewards of a law that goes on, shape (k, d), stay or come back as likely as that is."""
        if self.persistence:
            value = np.where(self.stays(draws), self._levels(draws), value)
        return self.broken(value, draws)

    def _levels(self, draws: Draws) -> Floats:
        return np.clip(self.level + self.level_sd * draws.noise, *self.bounds)

    def broken(self, value: Floats, draws: Draws) -> Floats:
        """Move rewards of what was fitted, shape (k, d), to where the run may be after a break.

        ``now + q (value - now)``, or ``now - v^2 (now - low)`` where it falls further, with an error of .02 of the
        range, inside the bounds; as they are without a break.
        """
        if self.aftermath is None:
            return value
        now, prior, floor = self.aftermath.now, self.prior, self.aftermath.on_floor
        further = 0.0 if floor else prior.further
        up, down = draws.back - further, further - draws.back
        share = betaincinv(*(prior.back_from_floor if floor else prior.back), np.maximum(up, 0.0) / (1.0 - further))
        fall = np.where(down > 0.0, (down / further) ** 2 if further else 0.0, 0.0)
        moved = now + share * (value - now) - fall * (now - self.bounds[0])
        return np.clip(moved + AFTER_SD * self.unit * draws.noise, *self.bounds)
