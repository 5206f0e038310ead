"""From the zoomed grid to weighted low-discrepancy draws of every parameter.

Each draw takes a node (a family, a cell of its grid and a noise correlation) by posterior mass, then the gain,
``sigma`` and the baseline from their conditional distributions there. What of the bounds is left (``R0`` and ``A`` both
inside) is the weight of the draw, a truncated-normal mass of at most 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from rlscale.inference.lattice import gamma_quantiles, normal_quantiles, sobol
from rlscale.inference.nodes import FLOOR, LOST, GainLevels, Nodes, normal_to_t
from rlscale.inference.priors import Priors
from rlscale.inference.zoom import Cells, joined

__all__ = ["COUNT", "Draws", "draw"]

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

_ARRAYS = (
    "m", "b", "m_within", "log_b_within", "rho", "innovation", "baseline", "gain", "model", "noise",
)  # fmt: skip

#: Draws of a family. The Sobol coordinates are: node, m and ln B within the cell, G, R0, sigma, model error, noise of a
#: future evaluation.
COUNT = 2048
#: Share of the draws that is spread evenly over the families, so that one of little weight keeps its quantiles.
EVEN = 0.5


@dataclass(frozen=True, eq=False)
class Draws:
    """Weighted draws on the engine's scale (unit reward range, compute from the last); arrays of shape (d,).

    ``m`` and ``b`` are those of the middle of the cell, where ``baseline`` and ``gain`` were drawn: a curve needs all
    four from one place. ``m_within`` and ``log_b_within`` are spread over the cell, for the distribution of the shape
    itself. ``innovation`` is the sd of the noise's innovations. ``model`` and ``noise`` are standard normal coordinates
    kept for the model error and for the noise of a future evaluation. ``ends``, of shape (families,), says where the
    draws of each family end. ``effective`` is the number of equally weighted draws these are worth, ``1 / sum w^2``; 0
    where the data lie so far outside the bounds that the masses inside are beyond floating point.
    """

    weight: Floats
    m: Floats
    b: Floats
    m_within: Floats
    log_b_within: Floats
    rho: Floats
    innovation: Floats
    baseline: Floats
    gain: Floats
    model: Floats
    noise: Floats
    ends: tuple[int, ...]
    effective: float

    @property
    def b_within(self) -> Floats:
        """``B`` spread over the cell."""
        return np.asarray(np.exp(self.log_b_within))

    @property
    def sigma(self) -> Floats:
        """Marginal sd of the noise, from that of its innovations."""
        return np.asarray(self.innovation / np.sqrt(1.0 - self.rho**2))

    def family(self, index: int) -> slice:
        """Return where the draws of family ``index`` stand."""
        return slice(self.ends[index - 1] if index else 0, self.ends[index])

    def of_family(self, index: int) -> Draws:
        """Return the draws of family ``index`` alone, their weights summing to 1."""
        own = self.family(index)
        total = float(self.weight[own].sum())
        return self._at(own, self.weight[own] / total, (own.stop - own.start,))

    def thinned(self, count: int) -> Draws:
        """Return ``count`` equally weighted draws, evenly along the order of these."""
        cumulative = np.cumsum(self.weight)
        index = np.searchsorted(cumulative, (np.arange(count) + 0.5) / count * cumulative[-1])
        ends = tuple(int(end) for end in np.searchsorted(index, self.ends))
        return self._at(index, np.full(count, 1.0 / count), ends)

    def _at(self, index: Indices | slice, weight: Floats, ends: tuple[int, ...]) -> Draws:
        arrays = {name: getattr(self, name)[index] for name in _ARRAYS}
        effective = float(1.0 / (weight @ weight)) if self.effective else 0.0
        return Draws(weight=weight, ends=ends, effective=effective, **arrays)


def draw(families: Sequence[Cells], priors: Priors, *, count: int = COUNT) -> Draws:
    """Return weighted draws of the posterior of one curve.

    Parameters
    ----------
    families : sequence of Cells
        The grid of each family.
    priors : Priors
    count : int
        Draws, a power of two.
    """
    u = sobol(count)
    cells = joined(families)
    index, importance, ends = _allotted(cells.log_weight, [each.log_weight.size for each in families], count)
    at = cells.nodes.take(index)
    gain = _gains(at, cells.levels.take(index), priors.falling_weight, u[3])
    scale = at.scale + 0.5 * at.gain_precision * (gain - at.gain) ** 2
    innovation = np.sqrt(scale / gamma_quantiles(at.shape + 0.5, count, 5))
    baseline, inside = _baselines(at, innovation, gain, u[4])
    weight = inside * importance
    m, log_b = cells.m[index], cells.log_b[index]
    lost = min(float(inside.max()), cells.best_mass) <= LOST
    return Draws(
        weight=weight / weight.sum(),
        m=m,
        b=np.exp(log_b),
        m_within=m + (u[1] - 0.5) * cells.width[index],
        log_b_within=log_b + (u[2] - 0.5) * cells.height[index],
        rho=cells.rho[index],
        innovation=innovation,
        baseline=baseline,
        gain=gain,
        model=normal_quantiles(count, 6),
        noise=normal_quantiles(count, 7),
        ends=ends,
        effective=0.0 if lost else float(weight.sum() ** 2 / (weight @ weight)),
    )


def _allotted(log_weight: Floats, sizes: Sequence[int], count: int) -> tuple[Indices, Floats, tuple[int, ...]]:
    """Allot ``count`` draws to the nodes of several families in proportion to their mass, to within one draw.

    Returns
    -------
    array, shape (count,)
        The node of each draw, in the order of the nodes: neighbours stay neighbours, so that the Sobol points, which
        come in the order of their first coordinate, are spread evenly over every stretch of nodes.
    array, shape (count,)
        Posterior over allotted mass of the draw's family.
    tuple of int
        Where the draws of each family end.
    """
    mass = np.exp(log_weight - log_weight.max())
    starts = np.concatenate([[0], np.cumsum(sizes)])
    share = np.add.reduceat(mass, starts[:-1])
    share /= share.sum()
    allotted = EVEN / share.size + (1.0 - EVEN) * share
    per_node = np.repeat(allotted / np.maximum(share, FLOOR) / mass.sum(), sizes)
    upto = np.floor(np.cumsum(mass * per_node) * count + 0.5).astype(np.intp)
    upto[-1] = count
    ends = tuple(int(upto[end - 1]) for end in starts[1:])
    importance = np.repeat(share / allotted, np.diff(ends, prepend=0))
    return np.repeat(np.arange(mass.size), np.diff(upto, prepend=0)), importance, ends


def _gains(at: Nodes, levels: GainLevels, step: float, u: Floats) -> Floats:
    """Draw ``G`` from its truncated t, with the relative density ``step`` below zero."""
    falling = step * (levels.at_zero - levels.at_low)
    target = u * (falling + levels.at_high - levels.at_zero)
    first = levels.flip * target < levels.flip * falling
    level = np.where(first, levels.at_low + target / step, levels.at_zero + target - falling)
    t = levels.flip * normal_to_t(ndtri(_inside(level)), 2.0 * at.shape)
    return np.minimum(np.maximum(at.gain + levels.scale * t, levels.low), levels.high)


def _baselines(at: Nodes, innovation: Floats, gain: Floats, u: Floats) -> tuple[Floats, Floats]:
    """Draw ``R0`` given ``G`` so that both ``R0`` and ``A`` stay inside [0, 1]; returns it and the mass inside."""
    mean = at.level - at.share * gain
    sd = innovation / np.sqrt(at.level_precision)
    low, high = np.maximum(0.0, -gain), np.minimum(1.0, 1.0 - gain)
    z_low, z_high = (low - mean) / sd, (high - mean) / sd
    # in the upper tail count down from above, as for the gain
    flip = np.where(z_low > 0.0, -1.0, 1.0) if z_low.max() > 0.0 else np.ones(1)
    at_low, at_high = ndtr(flip * z_low), ndtr(flip * z_high)
    inside = np.maximum(flip * (at_high - at_low), FLOOR)
    value = mean + flip * sd * ndtri(_inside(at_low + u * (at_high - at_low)))
    return np.minimum(np.maximum(value, low), high), inside


def _inside(level: Floats) -> Floats:
    """Keep a probability off 0 and 1, where the normal quantile is infinite."""
    return np.minimum(np.maximum(level, 1e-305), 1.0 - 1e-16)
