"""From the zoomed grid to weighted low-discrepancy draws of every parameter, by importance sampling.

The grid is only the proposal. Each point's likelihood is evaluated exactly where the point lies, and the bounds and the
preference for rising curves enter through exact truncated-normal masses, so the draws target the posterior itself and
not its discretisation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from rlscale.inference.evidence import Evidence
from rlscale.inference.families import Family
from rlscale.inference.lattice import gamma_quantiles, lattice
from rlscale.inference.nodes import Nodes, nodes
from rlscale.inference.noise import RHO_GRID
from rlscale.inference.priors import Priors
from rlscale.inference.zoom import Grid, log_prior

__all__ = ["SHAPES", "Draws", "draw"]

Floats = NDArray[np.float64]

#: Distinct shapes (each costs a likelihood) and draws of the rest at each shape.
SHAPES = 1024
REPEATS = 2
#: Coordinates of the lattice: m, ln B, rho, sigma, G, R0, model error, noise of a future evaluation.
DIMS = 8


@dataclass(frozen=True, eq=False)
class Draws:
    """Weighted draws on the engine's scale (unit reward range, compute from the last); arrays of shape (d,).

    ``model`` and ``noise`` are standard normal coordinates kept for the model error and for the noise of a future
    evaluation; ``log_evidence`` is the log marginal likelihood of the family, up to a constant of the curve.
    """

    weight: Floats
    m: Floats
    b: Floats
    rho: Floats
    sigma: Floats
    baseline: Floats
    gain: Floats
    model: Floats
    noise: Floats
    log_evidence: float


def draw(data: Evidence, family: Family, priors: Priors, grid: Grid) -> Draws:
    """Return ``SHAPES * REPEATS`` weighted draws of the posterior of one curve."""
    u = lattice(SHAPES * REPEATS, DIMS)
    m, log_b, column, row, log_proposal = _shapes(grid, u[0], u[1])
    b = np.exp(log_b)
    rho, log_rho = _correlations(grid, column, row, u[2])
    found = _conditionals(data, family, priors, m, b, rho)
    innovation = np.sqrt(found.scale / gamma_quantiles(found.shape, u.shape[1], DIMS, 3))
    gain, mass = _gains(found, innovation, priors, u[4])
    baseline, inside = _baselines(found, innovation, gain, u[5])
    log_weight = (
        found.log_weight
        + np.log(mass)
        + np.log(inside)
        + log_prior(family, priors, m, log_b)
        - log_proposal
        - log_rho
    )
    peak = log_weight.max()
    weight = np.exp(log_weight - peak)
    total = float(weight.sum())
    return Draws(
        weight=weight / total,
        m=m,
        b=b,
        rho=rho,
        sigma=innovation / np.sqrt(1.0 - rho**2),
        baseline=baseline,
        gain=gain,
        model=ndtri(u[6]),
        noise=ndtri(u[7]),
        log_evidence=float(peak + np.log(total / weight.size)),
    )


def _shapes(grid: Grid, u: Floats, v: Floats) -> tuple[Floats, Floats, NDArray[np.intp], NDArray[np.intp], Floats]:
    """Invert the piecewise-linear CDF of the grid at ``(u, v)``: positions, cells and log density of the proposal."""
    cells = np.exp(grid.log_weight - grid.log_weight.max()).sum(axis=2)
    # a sliver of mass everywhere: a cell that the midpoint rule calls empty may hold some near an edge
    cells = cells / cells.sum() + 1e-5 / cells.size
    by_column = cells.sum(axis=1)
    column, inside = _invert(np.cumsum(by_column), u)
    within = np.cumsum(cells, axis=1)[column]
    row, up = _invert_rows(within, v)
    width = np.diff(grid.edges)[column]
    height = (grid.high - grid.low)[column] / cells.shape[1]
    m = grid.edges[column] + inside * width
    log_b = grid.low[column] + (row + up) * height
    density = cells[column, row] / (cells.sum() * width * height)
    return m, log_b, column, row, np.log(density)


def _invert(cumulative: Floats, u: Floats) -> tuple[NDArray[np.intp], Floats]:
    target = u * cumulative[-1]
    index = np.minimum(np.searchsorted(cumulative, target, side="right"), cumulative.size - 1)
    before = np.where(index > 0, cumulative[index - 1], 0.0)
    return index, np.clip((target - before) / (cumulative[index] - before), 0.0, 1.0)


def _invert_rows(cumulative: Floats, u: Floats) -> tuple[NDArray[np.intp], Floats]:
    """Like :func:`_invert` with a CDF of its own for each point, shape (d, cells)."""
    target = u * cumulative[:, -1]
    index = np.minimum((cumulative <= target[:, None]).sum(axis=1), cumulative.shape[1] - 1)
    points = np.arange(u.size)
    before = np.where(index > 0, cumulative[points, index - 1], 0.0)
    return index, np.clip((target - before) / (cumulative[points, index] - before), 0.0, 1.0)


def _correlations(
    grid: Grid, column: NDArray[np.intp], row: NDArray[np.intp], u: Floats
) -> tuple[Floats, Floats]:
    """Pick a correlation at each point by its weight in the point's cell; returns it and its log probability."""
    logs = grid.log_weight[column, row]
    share = np.exp(logs - logs.max(axis=1, keepdims=True))
    share = share / share.sum(axis=1, keepdims=True) * 0.999 + 0.001 / RHO_GRID.size
    index, _ = _invert_rows(np.cumsum(share, axis=1), u)
    return RHO_GRID[index], np.log(share[np.arange(u.size), index])


def _conditionals(data: Evidence, family: Family, priors: Priors, m: Floats, b: Floats, rho: Floats) -> Nodes:
    rises = family.rise(b[:, None] * (data.log_compute - m[:, None]))
    return nodes(data, data.forms(rises), rho, priors)


def _gains(found: Nodes, innovation: Floats, priors: Priors, u: Floats) -> tuple[Floats, Floats]:
    """Draw ``G`` from its truncated normal, falling curves down-weighted; returns it and the mass."""
    mass, (at_low, at_zero, at_high) = found.gain_mass(innovation, priors)
    falling = priors.falling_weight * (at_zero - at_low)
    target = u * (falling + at_high - at_zero)
    level = np.where(target < falling, at_low + target / priors.falling_weight, at_zero + target - falling)
    gain = found.gain + ndtri(np.clip(level, 1e-16, 1 - 1e-16)) * innovation / np.sqrt(found.gain_precision)
    low, high = found.gain_limits(innovation)
    return np.clip(gain, low, high), mass


def _baselines(found: Nodes, innovation: Floats, gain: Floats, u: Floats) -> tuple[Floats, Floats]:
    """Draw ``R0`` given ``G`` so that both ``R0`` and ``A`` stay inside [0, 1]; returns it and the mass inside."""
    mean = found.level - found.share * gain
    sd = innovation / np.sqrt(found.level_precision)
    low, high = np.maximum(0.0, -gain), np.minimum(1.0, 1.0 - gain)
    at_low, at_high = ndtr((low - mean) / sd), ndtr((high - mean) / sd)
    inside = np.maximum(at_high - at_low, 1e-300)
    level = np.clip(at_low + u * (at_high - at_low), 1e-16, 1 - 1e-16)
    return np.clip(mean + sd * ndtri(level), low, high), inside
