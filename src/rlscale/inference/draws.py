"""From the zoomed grid to weighted low-discrepancy draws of every parameter.

Each draw takes a cell of the grid and a noise correlation by their posterior mass, then the gain, ``sigma`` and the
baseline from their conditional distributions there. What of the bounds is left (``R0`` and ``A`` both inside) is the
weight of the draw, a truncated-normal mass of at most 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from rlscale.inference.lattice import gamma_quantiles, normal_quantiles, sobol
from rlscale.inference.nodes import FLOOR, LOST, GainLevels, Nodes, normal_to_t
from rlscale.inference.noise import RHO_GRID
from rlscale.inference.priors import Priors
from rlscale.inference.zoom import Grid

__all__ = ["COUNT", "Draws", "draw"]

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

#: Draws a curve. The Sobol coordinates are: m, ln B, rho, G, R0, sigma, model error, noise of a future evaluation.
COUNT = 4096


@dataclass(frozen=True, eq=False)
class Draws:
    """Weighted draws on the engine's scale (unit reward range, compute from the last); arrays of shape (d,).

    ``m`` and ``b`` are those of the middle of the cell, where ``baseline`` and ``gain`` were drawn: a curve needs all
    four from one place. ``m_within`` and ``log_b_within`` are spread over the cell, for the distribution of the shape
    itself. ``innovation`` is the sd of the noise's innovations.
    ``model`` and ``noise`` are standard normal coordinates kept for the model error and for the noise of a future
    evaluation. ``effective`` is the number of equally weighted draws these are worth, ``1 / sum w^2``; 0 where the data
    lie so far outside the bounds that the masses inside are beyond floating point.
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
    effective: float

    @property
    def b_within(self) -> Floats:
        """``B`` spread over the cell."""
        return np.asarray(np.exp(self.log_b_within))

    @property
    def sigma(self) -> Floats:
        """Marginal sd of the noise, from that of its innovations."""
        return np.asarray(self.innovation / np.sqrt(1.0 - self.rho**2))


def draw(grid: Grid, priors: Priors, *, count: int = COUNT) -> Draws:
    """Return ``count`` weighted draws (a power of two) of the posterior of one curve."""
    u = sobol(count)
    peak = grid.log_weight.max()
    mass = np.exp(grid.log_weight - peak)
    cells = mass.sum(axis=2)
    column, right = _invert(np.cumsum(cells.sum(axis=1)), u[0])
    row, up = _invert_rows(np.cumsum(cells, axis=1), column, u[1])
    flat = column * cells.shape[1] + row
    rho = _pick(np.cumsum(mass, axis=2).reshape(-1, RHO_GRID.size), flat, u[2])
    node = flat * RHO_GRID.size + rho
    at = grid.nodes.take(node)
    gain = _gains(at, grid.levels.take(node), priors.falling_weight, u[3])
    scale = at.scale + 0.5 * at.gain_precision * (gain - at.gain) ** 2
    innovation = np.sqrt(scale / gamma_quantiles(at.shape + 0.5, count, 5))
    baseline, weight = _baselines(at, innovation, gain, u[4])
    lost = min(float(weight.max()), grid.best_mass) <= LOST
    width, height = np.diff(grid.edges)[column], grid.height[column]
    low = grid.edges[column]
    bottom = grid.low[column] + row * height
    return Draws(
        weight=weight / weight.sum(),
        m=low + 0.5 * width,
        b=np.exp(bottom + 0.5 * height),
        m_within=low + right * width,
        log_b_within=bottom + up * height,
        rho=RHO_GRID[rho],
        innovation=innovation,
        baseline=baseline,
        gain=gain,
        model=normal_quantiles(count, 6),
        noise=normal_quantiles(count, 7),
        effective=0.0 if lost else float(weight.sum() ** 2 / (weight @ weight)),
    )


def _invert(cumulative: Floats, u: Floats) -> tuple[Indices, Floats]:
    """Invert a stepwise distribution at ``u``: the cell and the place within it, in [0, 1]."""
    target = u * cumulative[-1]
    index = np.minimum(np.searchsorted(cumulative, target, side="right"), cumulative.size - 1)
    before = np.where(index > 0, cumulative[index - 1], 0.0)
    return index, np.clip((target - before) / (cumulative[index] - before), 0.0, 1.0)


def _invert_rows(cumulative: Floats, which: Indices, u: Floats) -> tuple[Indices, Floats]:
    """Like :func:`_invert` with one distribution a row, shape (rows, cells), picked by ``which``, shape (d,)."""
    last = cumulative[:, -1]
    # one sorted sequence for all rows: row k runs from k to k + 1
    shares = cumulative / np.where(last > 0.0, last, 1.0)[:, None]
    size = cumulative.shape[1]
    stacked = (shares + np.arange(last.size)[:, None]).ravel()
    index = np.searchsorted(stacked, which + u, side="right") - which * size
    index = np.clip(index, 0, size - 1)
    here = shares[which, index]
    before = np.where(index > 0, shares[which, index - 1], 0.0)
    return index, np.clip((u - before) / np.maximum(here - before, 1e-300), 0.0, 1.0)


def _pick(cumulative: Floats, which: Indices, u: Floats) -> Indices:
    """Like :func:`_invert_rows` for a few cells, the place within them not wanted."""
    target = u * cumulative[which, -1]
    index = np.zeros(u.size, dtype=np.intp)
    for below in cumulative.T[:-1]:
        index += below[which] <= target
    return index


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
