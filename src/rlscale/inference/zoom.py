"""Where the posterior lives: a grid over ``(ln C_mid, ln B)`` that zooms onto it.

A fixed grid is not enough: coarser than a long run's posterior, it covers 58 % where it should cover 80 % (measured).
Columns are bins of ``m = ln(C_mid / C_last)``; each column has its own interval of ``ln B``, so that the grid follows
the narrow curved ridge along which the two trade off. Every curve and family has its own grid, but the arithmetic runs
over many of them (jobs) at once: on small arrays most of the time goes to calling numpy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rlscale.inference.backend import Jobs, Weighed, backend
from rlscale.inference.nodes import Conditionals, GainLevels, Indices, joined

__all__ = ["AVERAGED_FINE", "FINE", "Cells", "together", "zoomed"]

Floats = NDArray[np.float64]

#: Cells this many nats under the best one are left out of the next stage.
CUT = 9.0
#: Columns x rows of the first grid, of those on which the search goes on, and of the last, which the draws are from.
FIRST, AGAIN, FINE = (20, 14), (16, 12), (24, 16)
#: The last grid of each of several families: their mixture is smoother than one of them.
AVERAGED_FINE = (20, 14)
#: The search goes on until this share of the columns matters (two stages for ordinary runs), at most so often.
FOUND, MAX_STAGES = 0.5, 9


@dataclass(frozen=True, eq=False)
class Cells:
    """The nodes (a cell and a noise) that matter, job by job, in the order of ``m``, ``ln B``, noise.

    Parameters
    ----------
    log_weight : array, shape (d,)
        Log of prior times likelihood, integrated over the cell by the midpoint rule; the constant left out depends on
        the data alone, so that families compare.
    column, row, noise : integer array, shape (d,)
        The place among the job's ``columns``, the cell of that column from below, and the place among ``Noises``.
    nodes : Conditionals
        The conditional posteriors there, shape (d,).
    cut : array of bool, shape (d,)
        Where the bounds cut into the distribution of the gain.
    levels : GainLevels
        The intervals of the gain, of use where they cut.
    mass : array, shape (d,)
        Share of that distribution inside the bounds.
    ceiling : array, shape (d,)
        The log prior density of an open ceiling that stands in ``log_weight``, that at the likeliest one; 0 under
        closed bounds.
    columns : sequence of arrays, shape (4, c)
        Of each job: ``m`` at the middle of each column, its width, where ``ln B`` begins, and the height of a cell.
    ends : sequence of int
        Where the nodes of each job end.
    """

    log_weight: Floats
    column: NDArray[np.int16]
    row: NDArray[np.uint8]
    noise: NDArray[np.uint8]
    nodes: Conditionals
    cut: NDArray[np.bool_]
    levels: GainLevels
    mass: Floats
    ceiling: Floats
    columns: Sequence[Floats]
    ends: Sequence[int]

    def job(self, index: int) -> slice:
        """Return where the nodes of a job stand."""
        return slice(self.ends[index - 1] if index else 0, self.ends[index])


def together(one: Cells, other: Cells) -> Cells:
    """Return the cells of two sets of jobs as those of one."""
    arrays = {
        name: np.concatenate([getattr(one, name), getattr(other, name)])
        for name in ("log_weight", "mass", "ceiling", "column", "row", "noise", "cut")
    }
    return Cells(
        **arrays,
        nodes=joined([one.nodes, other.nodes]),
        levels=joined([one.levels, other.levels]),
        columns=(*one.columns, *other.columns),
        ends=(*one.ends, *(end + one.ends[-1] for end in other.ends)),
    )


@dataclass(frozen=True, eq=False)
class _Places:
    """Columns and their intervals of ``ln B``: ``edges`` of shape (j, c + 1), ``low`` and ``high`` (j, c)."""

    edges: Floats
    low: Floats
    high: Floats

    def take(self, jobs: Indices) -> _Places:
        return _Places(self.edges[jobs], self.low[jobs], self.high[jobs])

    def middles(self, rows: int) -> tuple[Floats, Floats, Floats]:
        """Return ``m`` and ``ln B`` of every cell, column by column, shape (j, c * rows), and log areas, (j, c)."""
        width, reach = np.diff(self.edges, axis=1), self.high - self.low
        share = (np.arange(rows) + 0.5) / rows
        log_b = (self.low[:, :, None] + reach[:, :, None] * share).reshape(len(width), -1)
        area = np.log(width * reach / rows)
        return np.repeat(self.edges[:, :-1] + 0.5 * width, rows, axis=1), log_b, area

    def columns(self, rows: int) -> Sequence[Floats]:
        """Return each job's columns as ``Cells`` keeps them."""
        width = np.diff(self.edges, axis=1)
        middle = self.edges[:, :-1] + 0.5 * width
        return list(np.stack([middle, width, self.low, (self.high - self.low) / rows], axis=1))


def zoomed(jobs: Jobs, *, fine: tuple[int, int] = FINE) -> Cells:
    """Return the cells that hold all but about ``exp(-CUT)`` of each job's posterior.

    Parameters
    ----------
    jobs : Jobs
    fine : (int, int)
        Columns and rows of the last grid.
    """
    columns, rows = FIRST
    densities = backend().over(jobs)
    limits = np.log([jobs.family(k).b_limits for k in range(len(jobs))])
    places = _Places(
        np.tile(np.linspace(*jobs.curves.priors.log_c_mid_limits, columns + 1), (len(jobs), 1)),
        *np.repeat(limits.T[:, :, None], columns, axis=2),
    )
    looking = np.arange(len(jobs))
    best = np.empty(len(jobs))
    found: list[tuple[Indices, _Places]] = []
    for stage in range(MAX_STAGES):
        m, log_b, area = places.middles(rows)
        density, best[looking] = densities.search(looking, m, log_b, first=stage == 0)
        cells = density.reshape(len(looking), columns, rows) + area[:, :, None]
        cells -= cells.max(axis=(1, 2), keepdims=True)
        done = np.count_nonzero((cells > -CUT).any(axis=2), axis=1) >= FOUND * columns
        if stage == MAX_STAGES - 1:
            done[:] = True
        at = np.flatnonzero(done)
        if at.size:
            found.append((looking[at], _next(places.take(at), cells[at], limits[looking[at]], fine[0])))
        at = np.flatnonzero(~done)
        if not at.size:
            break
        places = _next(places.take(at), cells[at], limits[looking[at]], AGAIN[0])
        looking = looking[at]
        columns, rows = AGAIN
    order = np.argsort(np.concatenate([which for which, _ in found]))
    final = _Places(*(np.concatenate([getattr(p, n) for _, p in found])[order] for n in ("edges", "low", "high")))
    m, log_b, area = final.middles(fine[1])
    return _cells(jobs, densities.weigh(m, log_b, best), area, final.columns(fine[1]), fine[1])


def _cells(jobs: Jobs, weighed: Weighed, area: Floats, columns: Sequence[Floats], rows: int) -> Cells:
    """Return the nodes of columns of log areas ``area``, shape (j, c), cut into ``rows``."""
    column, row = np.divmod(weighed.shape, rows)
    ceiling = _ceilings(jobs, weighed.nodes, weighed.ends)
    return Cells(
        log_weight=weighed.log_weight + area.take(column) + ceiling,
        column=(column % area.shape[1]).astype(np.int16),
        row=row.astype(np.uint8),
        noise=weighed.noise.astype(np.uint8),
        nodes=weighed.nodes,
        cut=weighed.cut,
        levels=weighed.levels,
        mass=weighed.mass,
        ceiling=ceiling,
        columns=columns,
        ends=weighed.ends,
    )


def _ceilings(jobs: Jobs, nodes: Conditionals, ends: Sequence[int]) -> Floats:
    """Return the log prior density of open ceilings at the likeliest one of each node, shape (d,)."""
    density = np.zeros(nodes.gain.size)
    if all(data.ceiling is None for data in jobs.curves.data):
        return density
    likeliest = nodes.likeliest_ceiling()
    for k, (start, end) in enumerate(zip([0, *ends[:-1]], ends, strict=True)):
        ceiling = jobs.data(k).ceiling
        if ceiling is not None:
            density[start:end] = ceiling.log_density(likeliest[start:end])
    return density


def _next(places: _Places, cells: Floats, limits: Floats, fresh_columns: int) -> _Places:
    """Return the columns of the next stage: what matters, one cell wider on every side.

    ``cells`` is the log mass of the cells, shape (j, columns, rows), under that of the best; ``limits``, shape (j, 2),
    those of ``ln B``.
    """
    keep = cells > -CUT
    jobs, columns, rows = keep.shape
    used = np.asarray(keep.any(axis=2))
    edges = _spread(places.edges, cells, used, fresh_columns)
    step = (places.high - places.low) / rows
    top = places.low + step * (rows + 1 - np.argmax(keep[:, :, ::-1], axis=2))
    bottom = places.low + step * (np.argmax(keep, axis=2) - 1)
    # between two old columns take the wider reach of both: the ridge may run anywhere between them
    fresh = 0.5 * (edges[:, 1:] + edges[:, :-1])
    centres = 0.5 * (places.edges[:, 1:] + places.edges[:, :-1])
    passed = np.count_nonzero(centres[:, None, :] < fresh[:, :, None], axis=2)
    before, after = np.full((jobs, columns + 1), -1), np.full((jobs, columns + 1), columns)
    np.maximum.accumulate(np.where(used, np.arange(columns), -1), axis=1, out=before[:, 1:])
    np.minimum.accumulate(np.where(used, np.arange(columns), columns)[:, ::-1], axis=1, out=after[:, -2::-1])
    left, right = np.take_along_axis(before, passed, axis=1), np.take_along_axis(after, passed, axis=1)
    left, right = np.where(left < 0, right, left), np.where(right == columns, left, right)
    low = np.minimum(np.take_along_axis(bottom, left, axis=1), np.take_along_axis(bottom, right, axis=1))
    high = np.maximum(np.take_along_axis(top, left, axis=1), np.take_along_axis(top, right, axis=1))
    return _Places(edges, np.maximum(low, limits[:, :1]), np.minimum(high, limits[:, 1:]))


def _spread(edges: Floats, cells: Floats, used: NDArray[np.bool_], count: int) -> Floats:
    """Cut the span of the ``used`` columns, one wider on both sides, into ``count`` columns, denser where the mass is.

    Half of the columns follow the square root of the density, half are spread evenly: a long flat tail must neither
    take the columns that a narrow peak needs nor be lost.
    """
    width = np.diff(edges, axis=1)
    density = np.sqrt(np.exp(cells).sum(axis=2) * width)
    jobs, columns = used.shape
    first = np.maximum(np.argmax(used, axis=1) - 1, 0)[:, None]
    last = np.minimum(columns - np.argmax(used[:, ::-1], axis=1), columns - 1)[:, None]
    place = np.arange(columns)
    inside = (place >= first) & (place <= last)
    mine, even = np.where(inside, density, 0.0), np.where(inside, width, 0.0)
    share = mine / mine.sum(axis=1, keepdims=True) + even / even.sum(axis=1, keepdims=True)
    reached = np.zeros((jobs, columns + 1))
    np.cumsum(share, axis=1, out=reached[:, 1:])
    wanted = np.arange(count + 1) * (reached[:, -1:] / count)
    column = np.minimum(np.count_nonzero(reached[:, None, :] <= wanted[:, :, None], axis=2) - 1, last)
    start, step = np.take_along_axis(reached, column, axis=1), np.take_along_axis(share, column, axis=1)
    part = np.minimum((wanted - start) / step, 1.0)
    return np.asarray(np.take_along_axis(edges, column, axis=1) + part * np.take_along_axis(width, column, axis=1))
