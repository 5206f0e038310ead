"""How many seeds, or how much compute, would show an effect of a given size."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from rlscale.decisions.ablation.answer import Needs

__all__ = ["Shape", "needs_of", "power_of"]

#: The power asked for, and the most seeds looked at.
_POWER, _MOST = 0.8, 1000
#: Seeds that make up for compute, at most, as a multiple of those that known ceilings would need.
_WORTH = 3.0
#: Compute beyond this multiple of the last is out of reach: forecasts were measured up to there.
_FAR = 32.0


def _variance(tau: float, fit: float, seeds: float) -> float:
    """Variance of the difference of two recipes' ceilings."""
    return float(2.0 * (tau**2 / seeds + fit**2 / np.sqrt(seeds)))


def power_of(effect: float, tau: float, fit: float, seeds: int, alpha: float) -> float:
    """Return the probability that an effect is claimed, the sds being known: a bound, as a normal test has it.

    Parameters
    ----------
    effect : float
        True difference of two ceilings.
    tau, fit : float
        Run-to-run sd, and the sd that a fit leaves a ceiling, in the same unit.
    seeds : int
        Runs of each recipe.
    alpha : float
        Two-sided level of this comparison.
    """
    from scipy.special import ndtr

    z = effect / np.sqrt(_variance(tau, fit, seeds))
    critical = -ndtri(0.5 * alpha)
    return float(ndtr(z - critical) + ndtr(-z - critical))


class Shape:
    """How fast the ceiling of a run becomes known: the share of the gain still to come falls as the sigmoid's."""

    def __init__(self, last: float, midpoint: float, exponent: float) -> None:
        self.last, self.midpoint, self.exponent = last, midpoint, exponent

    def left(self, compute: float) -> float:
        """Return the share of the gain that is still to come."""
        return float(1.0 / (1.0 + (compute / self.midpoint) ** self.exponent))

    def compute_at(self, share: float) -> float:
        """Return the compute at which that share of what is to come now is left."""
        left = min(self.left(self.last) * share, 0.999999)
        return float(max(self.midpoint * (1.0 / left - 1.0) ** (1.0 / self.exponent), self.last))


def needs_of(effect: float, tau: float, fit: float, alpha: float, shape: Shape) -> Needs:
    """Return the seeds of each recipe that show an effect with 80 % power, and the compute where that is too short.

    Parameters
    ----------
    effect : float
        Of the ceiling, in reward.
    tau : float
        Run-to-run sd, in reward.
    fit : float
        Sd that the fit of one run leaves its ceiling, in reward.
    alpha : float
        Two-sided level of one comparison.
    shape : Shape
        Of the run whose ceiling is least known.

    Returns
    -------
    Needs
        Without seeds where neither 1,000 of them nor 32 times the compute would do.
    """
    allowed = (effect / (float(-ndtri(0.5 * alpha)) + float(ndtri(_POWER)))) ** 2
    known = int(max(np.ceil(2.0 * tau**2 / (0.75 * allowed)), 1))
    seeds = np.arange(1, _MOST + 1)
    enough = 2.0 * (tau**2 / seeds + fit**2 / np.sqrt(seeds)) <= allowed
    least = int(seeds[np.argmax(enough)]) if enough.any() else None
    if least is not None and least <= max(_WORTH * known, 3):
        return Needs(least, None)
    if known > _MOST:
        return Needs(None, None)
    wanted = np.sqrt(0.125 * allowed * np.sqrt(known))
    compute = shape.compute_at(min(float(wanted) / max(fit, 1e-12), 1.0))
    return Needs(None, None) if compute > _FAR * shape.last else Needs(known, compute)
