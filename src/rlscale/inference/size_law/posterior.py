"""The joint posterior of the law across sizes: evenly spread draws of ``K_max``, ``N0``, and each size's line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

from rlscale.curves.value import Value
from rlscale.inference.forecast import Interval, interval
from rlscale.inference.noise import RHO_GRID, mean_variance
from rlscale.inference.size_law.cells import Cells, cells, scattered
from rlscale.inference.size_law.points import chi_squared, normals, uniforms
from rlscale.inference.size_law.trace import Lines, Trace, lines_of

__all__ = ["SizePosterior", "size_posterior", "summary"]

Floats = NDArray[np.float64]

#: ``log N0`` is evenly likely from this factor below the smallest size to as much above the largest.
REACH = 30.0
#: Steps of the grid over ``log N0``, and how often it is laid anew where the mass is.
STEPS, ZOOMS, PEAK_ZOOMS = 32, 3, 6
#: Mass that a finer grid may leave out on either side.
LEFT_OUT = 1e-4
#: Coordinates of a draw; then two for each size, its slope and its level.
CELL, WITHIN, NOISE, K, NEW_SLOPE, TREND_SCALE, NEW_LEVEL, RUN_LEVEL, RUN_SLOPE, AHEAD, FIRST = range(11)


@dataclass(frozen=True, eq=False)
class SizePosterior(Value):
    """Draws of the law, equally weighted; arrays of shape (d,), or (d, sizes).

    Parameters
    ----------
    model_params : tuple of float
        The sizes with data, ascending.
    members : tuple of tuple of int
        Places of the runs of each size among ``lines``.
    lines : Lines
        Sums of the runs; ``lines.centre`` is the ``log X`` where levels are taken.
    reference : float
        ``log X`` where the trend of the levels over sizes is taken: the mean of the runs' last ones.
    r_max : float
        Largest reward possible.
    K_max, N0 : array
        Constants of the law; ``N0`` in the unit of ``model_params``.
    sigma, rho : array
        Noise of one evaluation, as a share of ``r_max``, and the correlation of neighbours.
    level_spread, slope_spread : array
        Run-to-run sd of ``log L`` at the centre and of the slope.
    law_error : array
        Sd of a size's slope around the law.
    k : array, shape (d, sizes)
        Exponent of each size with data.
    level : array, shape (d, sizes)
        ``log L`` of each size at the centre.
    rho_place : integer array
    innovation : array
        Variance of the noise's innovations that spreads were taken as ratios to.
    """

    model_params: tuple[float, ...]
    members: tuple[tuple[int, ...], ...]
    lines: Lines
    reference: float
    r_max: float
    K_max: Floats
    N0: Floats
    sigma: Floats
    rho: Floats
    level_spread: Floats
    slope_spread: Floats
    law_error: Floats
    k: Floats
    level: Floats
    rho_place: NDArray[np.intp]
    innovation: Floats

    @property
    def coordinates(self) -> Floats:
        """Standard normal coordinates of the draws, shape (d, dims)."""
        return normals(_dims(len(self.model_params)))

    @property
    def E(self) -> Floats:
        """Intercept of each size with data, natural logarithm, shape (d, sizes): ``log L`` at ``X = 1``."""
        return self.level + self.k * self.lines.centre

    def place(self, model_params: float) -> int:
        """Return the place of a size with data."""
        return self.model_params.index(model_params)

    def law_exponent(self, model_params: float) -> Floats:
        """Return ``k(N)`` of the law, without what a size may lie off it, shape (d,)."""
        return self.K_max / (1.0 + self.N0 / model_params)

    def reward(self, k: Floats, level: Floats, compute: ArrayLike) -> Floats:
        """Return the reward of lines, shape (d,), at computes, shape (c,): shape (d, c)."""
        ahead = np.log(np.atleast_1d(np.asarray(compute, dtype=np.float64))) - self.lines.centre
        return np.asarray(self.r_max * (1.0 - np.exp(level[:, None] - k[:, None] * ahead)))

    def size_reward(self, model_params: float, compute: ArrayLike) -> Floats:
        """Return the mean reward of a size with data at computes, shape (c,): shape (d, c)."""
        place = self.place(model_params)
        return self.reward(self.k[:, place], self.level[:, place], compute)

    def run_lines(self, runs: Sequence[int]) -> tuple[Floats, Floats]:
        """Return exponent and level of the mean of some runs of one size, given their own data: two of shape (d,).

        With ``D`` the spread between runs and ``G`` a run's information: its line lies at
        ``theta + D (D + G^-1)^-1 (estimate - theta)`` with covariance ``D - D (D + G^-1)^-1 D``.
        """
        place = next(i for i, own in enumerate(self.members) if runs[0] in own)
        theta = np.stack([self.level[:, place], -self.k[:, place]], axis=-1)
        spread = np.stack([self.level_spread**2, self.slope_spread**2], axis=-1) / self.innovation[:, None]
        mean, cover = np.zeros_like(theta), np.zeros((theta.shape[0], 2, 2))
        for run in runs:
            given, _ = scattered(
                self.lines.information[run, self.rho_place], self.level_spread, self.slope_spread, self.innovation
            )
            off = self.lines.estimate[run, self.rho_place] - theta
            mean += theta + spread * np.einsum("dij,dj->di", given, off)
            cover += spread[:, :, None] * (np.eye(2) - given * spread[:, None, :])
        mean, cover = mean / len(runs), cover / len(runs) ** 2 * self._variance[:, None, None]
        z = self.coordinates[:, [RUN_LEVEL, RUN_SLOPE]]
        first = np.sqrt(np.maximum(cover[:, 0, 0], 0.0))
        across = np.divide(cover[:, 0, 1], first, out=np.zeros_like(first), where=first > 0.0)
        level = mean[:, 0] + first * z[:, 0]
        slope = mean[:, 1] + across * z[:, 0] + np.sqrt(np.maximum(cover[:, 1, 1] - across**2, 0.0)) * z[:, 1]
        return -slope, level

    def new_run(self, k: Floats, level: Floats) -> tuple[Floats, Floats]:
        """Return exponent and level of one more run of a size, of that size's, each shape (d,)."""
        z = self.coordinates
        return k + self.slope_spread * z[:, RUN_SLOPE], level + self.level_spread * z[:, RUN_LEVEL]

    def mean_noise(self, count: int) -> Floats:
        """Return the noise of the mean of ``count`` evaluations to come, as a share of ``r_max``, shape (d,)."""
        return np.asarray(self.coordinates[:, AHEAD] * self.sigma * np.sqrt(mean_variance(self.rho, count)))

    @property
    def _variance(self) -> Floats:
        """Innovation variance of each draw, shape (d,)."""
        return self.sigma**2 * (1.0 - self.rho**2)


def summary(values: Floats) -> Interval:
    """Return the 80 % interval of equally weighted draws, shape (d,)."""
    return interval(values, np.full(values.size, 1.0 / values.size))


def size_posterior(
    traces: Sequence[Trace], members: Sequence[Sequence[int]], model_params: Sequence[float], r_max: float
) -> SizePosterior:
    """Return the joint posterior of the law for runs grouped by size.

    Parameters
    ----------
    traces : sequence of Trace
    members : sequence of sequence of int
        Places of the runs of each size, at least one a size.
    model_params : sequence of float
        Parameters of each size, ascending; at least two.
    r_max : float

    Notes
    -----
    Priors: ``log N0`` even within a factor 30 around the sizes, ``K_max`` half-normal, levels free, ``p(sigma)`` in
    proportion to ``1/sigma``, spreads on the grid of ``cells``. Given ``N0`` and a cell all else is conjugate.
    """
    means = [float(np.average(run.log_compute, weights=run.weight**2)) for run in traces]
    lines = lines_of(traces, float(np.mean(means)))
    grid = cells(lines, members)
    sizes = np.array(model_params)
    low, high = np.log(sizes[0] / REACH), np.log(sizes[-1] * REACH)
    edges = np.linspace(low, high, STEPS + 1)
    # where slopes do not scatter the peak may be too narrow for a grid over all: it is looked for on its own
    peak, exact = edges, grid.exact_law()
    for _ in range(ZOOMS):
        edges = _zoomed(edges, _mass(grid, edges, sizes).sum(axis=1))
    for _ in range(PEAK_ZOOMS):
        peak = _zoomed(peak, _mass(exact, peak, sizes).sum(axis=1))
    edges = np.union1d(edges, peak)
    return _drawn(grid, lines, edges, _mass(grid, edges, sizes), sizes, members, traces, r_max)


def _mass(grid: Cells, edges: Floats, sizes: Floats) -> Floats:
    """Return the mass of each step of ``log N0`` and cell, shape (g, c), summing to 1."""
    middle = 0.5 * (edges[1:] + edges[:-1])
    log = grid.log_evidence(1.0 / (1.0 + np.exp(middle[:, None]) / sizes)) + np.log(np.diff(edges))[:, None]
    log -= log.max()
    mass = np.exp(log, out=log)
    return np.asarray(mass / mass.sum())


def _zoomed(edges: Floats, mass: Floats) -> Floats:
    """Return edges as many as before over the steps with mass, and one more on either side."""
    reached = np.cumsum(mass)
    first = max(int(np.searchsorted(reached, LEFT_OUT)) - 1, 0)
    last = min(int(np.searchsorted(reached, 1.0 - LEFT_OUT)) + 2, mass.size)
    return np.linspace(edges[first], edges[last], edges.size)


def _dims(sizes: int) -> int:
    return FIRST + 2 * sizes


def _drawn(
    grid: Cells, lines: Lines, edges: Floats, mass: Floats, sizes: Floats, members: Sequence[Sequence[int]],
    traces: Sequence[Trace], r_max: float,
) -> SizePosterior:  # fmt: skip
    """Draw a cell, then the noise, ``K_max``, each slope and each level from their conditional distributions."""
    z, u = normals(_dims(sizes.size)), uniforms(_dims(sizes.size))
    chosen = np.searchsorted(np.cumsum(mass.ravel()), u[:, CELL]).clip(max=mass.size - 1)
    step, c = np.divmod(chosen, mass.shape[1])
    N0 = np.exp(edges[step] + u[:, WITHIN] * np.diff(edges)[step])
    saturation = 1.0 / (1.0 + N0[:, None] / sizes)
    weight, own, information = grid.pooled_information.T[c], grid.slope.T[c], grid.slope_information.T[c]
    precision = np.sum(weight * saturation**2, axis=1) + grid.prior_information[c]
    middle = np.sum(weight * saturation * own, axis=1) / precision
    rest = np.maximum(grid.rest[c] + np.sum(weight * own**2, axis=1) - middle**2 * precision, 1e-300)
    variance = rest / chi_squared(grid.degrees, z[:, NOISE])
    K_max = _above_zero(middle, np.sqrt(variance / precision), u[:, K])
    places = FIRST + np.arange(sizes.size)
    free = grid.law_error[c, None] ** 2 / grid.noise[c, None]
    share = information * free / (1.0 + information * free)
    law = K_max[:, None] * saturation
    sd = np.sqrt(variance[:, None] * free / (1.0 + information * free))
    k = law + share * (own - law) + sd * z[:, places]
    level = grid.level.T[c] + grid.level_slope.T[c] * k
    level = level + np.sqrt(variance[:, None] / grid.level_information.T[c]) * z[:, places + sizes.size]
    ratio = np.sqrt(variance / grid.noise[c])
    place = grid.rho_place[c]
    return SizePosterior(
        model_params=tuple(float(size) for size in sizes), members=tuple(tuple(own) for own in members), lines=lines,
        reference=float(np.mean([run.log_compute[-1] for run in traces])), r_max=r_max, K_max=K_max, N0=N0,
        sigma=np.sqrt(variance / (1.0 - RHO_GRID[place] ** 2)), rho=RHO_GRID[place],
        level_spread=ratio * grid.level_spread[c], slope_spread=ratio * grid.slope_spread[c],
        law_error=ratio * grid.law_error[c], k=k, level=level, rho_place=place, innovation=variance,
    )  # fmt: skip


def _above_zero(mean: Floats, sd: Floats, u: Floats) -> Floats:
    """Return quantiles of normals cut at 0, at ``u``, all of shape (d,)."""
    below = ndtr(-mean / sd)
    values = mean + sd * ndtri(np.clip(below + u * (1.0 - below), 0.0, 1.0 - 1e-16))
    return np.asarray(np.maximum(values, 1e-12))
