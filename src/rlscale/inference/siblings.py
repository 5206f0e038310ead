"""What runs that are further on say of the level of a run that has yet to get there.

Only what other runs *showed* at the compute in question counts, never what is forecast of them: runs that have not
taken off yet would confirm each other in staying where they are. And only where they agree more closely than the run's
own forecast does with itself, which it does early: there the prior of the level becomes half what it was and half the
kernel density of theirs. ``benchmarks/siblings.py`` measures both rules against their alternatives.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import Curve
from rlscale.inference.posterior import Posterior

__all__ = ["KERNEL", "LEAST", "MOST", "Kernel", "Siblings", "informed", "level_at", "shown", "siblings_of"]

Floats = NDArray[np.float64]

#: Other runs that have to be there, and runs of one kind beyond which none is looked for.
LEAST, MOST = 8, 500
#: A run counts at a compute that it has reached this share of.
REACHED = 0.9
#: Multiples of its last compute that a run without targets is forecast at.
AHEAD = (2.0, 4.0)
#: Width of the 80 % interval of a normal distribution, in sd.
_WIDTH80 = 2.563


@dataclass(frozen=True, kw_only=True)
class Kernel:
    """How much other runs say.

    Parameters
    ----------
    share : float
        Of the prior of the level that is the kernel density of theirs.
    floor : float
        Least bandwidth, as a share of the range; else ``1.06 sd n^-.2``.
    agree : float
        They count where their sd is at most this multiple of that of the run's own forecast.
    """

    share: float = 0.5
    floor: float = 0.03
    agree: float = 0.75


KERNEL = Kernel()


@dataclass(frozen=True, eq=False)
class Siblings:
    """Levels that other runs showed at a compute.

    Parameters
    ----------
    compute : float
        In the curve's unit.
    levels : array, shape (n,)
        In reward.
    """

    compute: float
    levels: Floats

    def density(self, level: Floats, low: float, scale: float, kernel: Kernel) -> Floats:
        """Kernel density of the levels at ``level``, shape (d,), on the unit range that ``low`` and ``scale`` make.

        Parameters
        ----------
        level : array, shape (d,)
            In reward.
        low, scale : float
            Lower bound and range of the metric, in reward.
        kernel : Kernel
        """
        theirs, ours = (self.levels - low) / scale, (level - low) / scale
        width = max(kernel.floor, 1.06 * float(np.std(theirs, ddof=1)) * theirs.size**-0.2)
        total = np.zeros(ours.size)
        for each in theirs:  # one at a time: hundreds of runs times thousands of draws are large
            total += np.exp(-0.5 * ((ours - each) / width) ** 2)
        return np.asarray(total / (theirs.size * width * np.sqrt(2.0 * np.pi)))


def level_at(curve: Curve, compute: float) -> float | None:
    """Return what a run showed at a compute, in reward; None where it has not come so far.

    The mean of the last ``max(3, n // 10)`` of its ``n`` evaluations up to there.
    """
    if curve.compute_last < REACHED * compute:
        return None
    count = int(np.searchsorted(curve.compute, compute, side="right"))
    return float(np.mean(curve.reward[max(0, count - max(3, count // 10)) : count])) if count else None


def siblings_of(curves: Sequence[Curve], targets: Sequence[Sequence[float]]) -> list[Siblings | None]:
    """Return what the other runs of a command showed where each run is forecast.

    Runs count for each other where unit, clock, metric and bounds are the same. The compute is the furthest of a run's
    targets (without any, of 2 and 4 times its last compute) that it has yet to reach and :data:`LEAST` others have.

    Parameters
    ----------
    curves : sequence of Curve
    targets : sequence
        Of each run, in its unit.

    Returns
    -------
    list of Siblings
        Of each run, in order; None where too few others have come so far, of runs under open bounds, and where more
        than :data:`MOST` runs are of one kind.
    """
    groups: dict[Hashable, list[int]] = {}
    for place, curve in enumerate(curves):
        if curve.open is None:
            groups.setdefault((curve.unit, curve.clock, curve.metric, curve.bounds), []).append(place)
    by_run: list[Siblings | None] = [None] * len(curves)
    for group in groups.values():
        if LEAST < len(group) <= MOST:
            for own in group:
                by_run[own] = shown(curves[own], [curves[place] for place in group if place != own], targets[own])
    return by_run


def shown(curve: Curve, others: Sequence[Curve], targets: Sequence[float]) -> Siblings | None:
    """Return what other runs of its kind showed where a run is forecast, as :func:`siblings_of` does."""
    now = curve.compute_last
    for compute in sorted(targets or [multiple * now for multiple in AHEAD], reverse=True):
        if now < compute < np.inf:
            levels = [level for other in others if (level := level_at(other, compute)) is not None]
            if len(levels) >= LEAST:
                return Siblings(float(compute), np.array(levels))
    return None


def informed(posterior: Posterior, siblings: Siblings, kernel: Kernel = KERNEL) -> Posterior | None:
    """Return a posterior under a prior of the level that other runs inform; None where they do not agree enough.

    Each draw's weight is multiplied by ``1 - share + share k(R)``, ``R`` its reward at the siblings' compute, model
    error included, and ``k`` the density of :meth:`Siblings.density`, whose mean over the range is 1. None also after a
    break that the fit does not cover: where the others went is no sign that this run comes back.
    """
    if posterior.ahead is not None and posterior.ahead.aftermath is not None:
        return None
    curve = posterior.curve
    level = posterior.reward([siblings.compute], model_error=True)[:, 0]
    low, high = posterior.quantiles(level, (0.1, 0.9))
    if float(np.std(siblings.levels, ddof=1)) > kernel.agree * (high - low) / _WIDTH80:
        return None
    density = siblings.density(level, curve.bounds[0], curve.range, kernel)
    weight = posterior.weight * (1.0 - kernel.share + kernel.share * density)
    weight /= weight.sum()
    return replace(posterior, draws=replace(posterior.draws, weight=weight, effective=float(1.0 / (weight @ weight))))
