"""From what a curve says to what the gate believes: collapse, drift and discrepancy widen or replace an outlook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from rlscale.decisions.gate.outlook import CENTRES, EDGES, STEP, Outlook
from rlscale.decisions.gate.policy import Policy

__all__ = ["Prospect", "cdf_of", "collapsed", "discrepancy_sd", "drift", "left", "prospect", "smoothed", "widened"]

Floats = NDArray[np.float64]

#: A forecast's own claim counts for at least this share of its variance, and for this sd, when drift is judged.
_CLAIM, _SLACK = 0.25, 0.004
#: Kernels reach so many sds; one narrower than this share of a cell changes nothing.
_REACH, _NOTHING = 5.0, 1e-3


@dataclass(frozen=True, eq=False)
class Prospect:
    """Distribution of a contender's reward at the budget that decisions rest on, in shares of the range.

    Parameters
    ----------
    cdf : array, shape (g + 1,)
        At the edges of the grid.
    mean, sd : float
    drift : float
        Factor by which drift widened it; 1 for none.
    discrepancy : float
        Sd that was added for what the posterior does not know.
    collapsed : bool
        Whether it is that of a collapsed run.
    """

    cdf: Floats
    mean: float
    sd: float
    drift: float
    discrepancy: float
    collapsed: bool

    def quantile(self, level: float) -> float:
        """Return a quantile."""
        return float(np.interp(level, self.cdf, EDGES))


def prospect(history: Sequence[Outlook], share: float, policy: Policy, fallen_to: float | None = None) -> Prospect:
    """Return what the gate believes of a contender.

    Parameters
    ----------
    history : sequence of Outlook
        Of its latest looks, the last one now; at least one unless it collapsed.
    share : float
        Compute spent, as a share of the budget.
    policy : Policy
    fallen_to : float, optional
        Mean of the last 3 evaluations of a collapsed run, in shares of the range.
    """
    if fallen_to is not None:
        return collapsed(fallen_to, policy)
    now = history[-1]
    factor = drift(history[-1 - policy.drift_looks : -1], now, policy.drift_largest)
    extra = discrepancy_sd(share, policy)
    mass = smoothed(now.mass if factor == 1.0 else widened(now.mass, factor), extra)
    return _prospect(mass, factor, extra, False)


def collapsed(level: float, policy: Policy) -> Prospect:
    """Collapse override: ``N(level, collapse_sd^2)`` in place of the forecast, which is of the part up to the peak."""
    sd = max(policy.collapse_sd, STEP)
    cdf = np.asarray(ndtr((EDGES - level) / sd))
    mass = np.diff(cdf)
    return _prospect(mass / mass.sum(), 1.0, 0.0, True)


def drift(earlier: Sequence[Outlook], now: Outlook, largest: float) -> float:
    """Drift inflation: by how much the forecasts moved against what they claimed, from 1 to ``largest``.

    ``c^2 = mean_j (m_now - m_j)^2 / (max(v_j - v_now, v_j / 4) + .004^2)`` over the earlier looks ``j``, with mean
    ``m`` and variance ``v``. A calibrated forecast moves by as much as its variance shrinks.
    """
    if not earlier:
        return 1.0
    moved = [
        (now.mean - one.mean) ** 2 / (max(one.sd**2 - now.sd**2, _CLAIM * one.sd**2) + _SLACK**2) for one in earlier
    ]
    return float(np.clip(np.sqrt(np.mean(moved)), 1.0, largest))


def discrepancy_sd(share: float, policy: Policy) -> float:
    """Discrepancy: ``delta min(1, 2 (1 - t))`` at share ``t`` of the budget, less what all runs have in common."""
    return float(policy.discrepancy * left(share) * np.sqrt(1.0 - policy.correlation))


def left(share: float) -> float:
    """How much can still come otherwise than forecast: all until half of the compute, then less, nothing at its end."""
    return min(1.0, 2.0 * max(1.0 - share, 0.0))


def widened(mass: Floats, factor: float) -> Floats:
    """Return a distribution stretched about its median, shape (g,)."""
    cdf = cdf_of(mass)
    middle = float(np.interp(0.5, cdf, EDGES))
    stretched = np.interp(middle + (EDGES - middle) / factor, EDGES, cdf, left=0.0, right=1.0)
    stretched[0], stretched[-1] = 0.0, 1.0  # what leaves the grid stays in its last cells
    return np.asarray(np.diff(stretched))


def smoothed(mass: Floats, sd: float) -> Floats:
    """Return a distribution with ``N(0, sd^2)`` added, shape (g,)."""
    if sd < _NOTHING * STEP:
        return mass
    reach = int(np.ceil(_REACH * sd / STEP))
    kernel = np.diff(ndtr((np.arange(-reach, reach + 2) - 0.5) * STEP / sd))
    full = np.convolve(mass, kernel / kernel.sum())
    kept = full[reach:-reach].copy()
    kept[0] += full[:reach].sum()
    kept[-1] += full[-reach:].sum()
    return np.asarray(kept)


def cdf_of(mass: Floats) -> Floats:
    """Return the CDF of a distribution at the edges of the grid, shape (g + 1,)."""
    cdf = np.concatenate([[0.0], np.cumsum(mass)])
    return np.asarray(np.minimum(cdf / cdf[-1], 1.0))


def _within(mass: Floats) -> Floats:
    """Return a distribution with what lies outside the metric's bounds moved onto them, shape (g,)."""
    inside = np.flatnonzero((CENTRES > 0.0) & (CENTRES < 1.0))
    low, high = int(inside[0]), int(inside[-1])
    kept = np.zeros_like(mass)
    kept[low : high + 1] = mass[low : high + 1]
    kept[low] += mass[:low].sum()
    kept[high] += mass[high + 1 :].sum()
    return kept


def _prospect(mass: Floats, factor: float, extra: float, fell: bool) -> Prospect:
    mass = _within(mass)
    mean = float(mass @ CENTRES)
    sd = float(np.sqrt(np.maximum(mass @ (CENTRES - mean) ** 2, 0.0)))
    return Prospect(cdf_of(mass), mean, sd, factor, extra, fell)
