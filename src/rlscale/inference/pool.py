"""Several seeds of one recipe as one thing: what they share, and how far runs of one recipe scatter.

Runs of a recipe share its level ``mu`` at a compute up to the run-to-run sd ``tau``: ``f_i ~ N(mu, tau^2)``. Claims
about runs need no ``tau``; claims about recipes without it are badly over-confident (stated 94 %, true 74 %, measured).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from rlscale.inference.correction import half_width
from rlscale.inference.draws import STAY
from rlscale.inference.forecast import Interval, Moments, moments
from rlscale.inference.lattice import normal_quantiles, sobol
from rlscale.inference.posterior import Posterior
from rlscale.inference.quantiles import weighted_quantiles

__all__ = [
    "SEED_SD",
    "Level",
    "Scatter",
    "SeedSpread",
    "learned_spread",
    "mean_of",
    "pooled_level",
    "pooled_levels",
    "product_of",
    "products_of",
    "replicate_scatter",
    "scatter",
    "seed_spread",
]

Floats = NDArray[np.float64]

#: Default run-to-run sd, as a share of the range: .015 is the published large-scale value, .03 to .05 was seen on
#: small projects.
SEED_SD = 0.03
#: Weight of that default against replicates, in degrees of freedom.
SEED_SD_WEIGHT = 2.0
_DRAWS = 2048
_GRID = 1024
#: Coordinates that the levels of several runs take in turn, after the first two.
_COORDINATES = 6


@dataclass(frozen=True, eq=False)
class Level:
    """Distribution of a recipe's reward at one compute: weighted draws in increasing order, arrays of shape (d,)."""

    values: Floats
    weight: Floats

    def cdf(self, at: Floats) -> Floats:
        """Probability below ``at``, any shape; ties count half."""
        below = _even_below() if self.weight is _even() else _below(self.weight)
        left = np.searchsorted(self.values, at, side="left")
        if not np.any(self.values.take(left, mode="clip") == at):
            return np.asarray(below[left])
        right = np.searchsorted(self.values, at, side="right")
        return np.asarray(0.5 * (below[left] + below[right]))

    def __reduce__(self) -> tuple[Any, ...]:
        """Send the weights of equally likely draws by name: all such levels share them."""
        return _received, (self.values, None if self.weight is _even() else self.weight)

    @property
    def mean(self) -> float:
        """Posterior mean."""
        return float(self.weight @ self.values)

    @cached_property
    def interval(self) -> Interval:
        """The 80 % interval and the median, as of ``forecast.interval``: the values are in order already."""
        found = np.interp((0.1, 0.5, 0.9), np.cumsum(self.weight) - 0.5 * self.weight, self.values)
        return Interval(*found.tolist())


def _received(values: Floats, weight: Floats | None) -> Level:
    return Level(values, _even() if weight is None else weight)


@dataclass(frozen=True)
class SeedSpread:
    """The run-to-run sd in use.

    Parameters
    ----------
    value : float
        ``tau``, as a share of the range.
    source : str
        ``given``, ``default`` or ``replicates``.
    replicates : int
        Degrees of freedom behind it: runs less recipes, over the recipes with several runs; 0 unless learned.
    """

    value: float
    source: str
    replicates: int


@dataclass(frozen=True)
class Scatter:
    """What the runs of one recipe say about the run-to-run sd.

    Parameters
    ----------
    squares : float
        ``sum_i (f_i - f_r)^2 - (n_r - 1) v_r`` of :func:`seed_spread`.
    freedom : int
        ``n_r - 1``.
    """

    squares: float
    freedom: int


def replicate_scatter(runs: Sequence[Posterior]) -> Scatter | None:
    """Return how far the runs of one recipe scatter; None where there are not several."""
    if len(runs) < 2:
        return None
    common = min(run.curve.compute_last for run in runs)
    return scatter([moments(run, run.expected([common])[:, 0]) for run in runs], runs[0].curve.range)


def scatter(levels: Sequence[Moments], width: float) -> Scatter:
    """Return how far the levels of several runs at one compute scatter; ``width`` is the range of the metric."""
    means = np.array([level.mean for level in levels])
    spread = float(np.sum((means - means.mean()) ** 2))
    squares = spread - (len(levels) - 1) * float(np.mean([level.variance for level in levels]))
    return Scatter(squares / width**2, len(levels) - 1)


def seed_spread(recipes: Sequence[Sequence[Posterior]], given: float | None = None) -> SeedSpread:
    """Return the run-to-run sd: as given, else from replicates shrunk to the default.

    ``tau^2 = (w tau0^2 + max(0, S)) / (w + sum_r (n_r - 1))`` with ``S = sum_r [sum_i (f_i - f_r)^2 - (n_r - 1) v_r]``,
    ``f_i`` the posterior mean of run ``i`` at the smallest last compute of its recipe, ``v_r`` the mean posterior
    variance of those, ``tau0`` the default and ``w`` its weight. It is measured there and used at every compute.

    Parameters
    ----------
    recipes : sequence of sequences of Posterior
        The fitted runs of each recipe.
    given : float, optional
        ``tau`` as a share of the range.
    """
    return learned_spread([] if given is not None else map(replicate_scatter, recipes), given)


def learned_spread(scatters: Iterable[Scatter | None], given: float | None = None) -> SeedSpread:
    """Return the run-to-run sd of :func:`seed_spread` from the scatter of each recipe, None where it tells nothing."""
    if given is not None:
        return SeedSpread(given, "given", 0)
    squares, freedom = 0.0, 0
    for one in scatters:
        if one is not None:
            squares += one.squares
            freedom += one.freedom
    if not freedom:
        return SeedSpread(SEED_SD, "default", 0)
    learned = (SEED_SD_WEIGHT * SEED_SD**2 + max(squares, 0.0)) / (SEED_SD_WEIGHT + freedom)
    return SeedSpread(float(np.sqrt(learned)), "replicates", freedom)


def pooled_level(runs: Sequence[Posterior], compute: float, tau: float) -> Level:
    """Return the distribution of a recipe's level at ``compute``.

    ``p(mu) ~ prod_i int p_i(f) N(f; mu, tau^2) df`` over the noise-free posteriors ``p_i`` of its runs; the model error
    to come is added once, since the runs of a recipe share their misfit. Where it is learned the density is raised to
    the power ``n^-1/2`` for ``n`` runs: what the shape of one says of what is ahead, that of the next repeats in part.

    Parameters
    ----------
    runs : sequence of Posterior
        At least one.
    compute : float
        In the curves' unit; ``inf`` for the asymptote.
    tau : float
        Run-to-run sd as a share of the range; 0 makes it a claim about these runs, whose mean level is meant then.
    """
    return pooled_levels(runs, (compute,), tau)[0]


def pooled_levels(runs: Sequence[Posterior], computes: Sequence[float], tau: float) -> tuple[Level, ...]:
    """Return :func:`pooled_level` at several computes: faster together."""
    if len(runs) == 1 and runs[0].model_error is None:
        return _alone(runs[0], computes, tau)
    rewards = [run.expected(computes).T for run in runs]
    tau = tau * runs[0].curve.range
    # the runs of a recipe share their misfit
    model = np.max([run.model_sd(np.array(computes)) for run in runs], axis=0).tolist()
    if len(runs) == 1:
        noise = [runs[0].draws.model * np.hypot(tau, sd) for sd in model]
        return tuple(
            _level(_kept(runs, reward + added, runs[0].weight, compute), runs[0].weight)
            for reward, added, compute in zip(rewards[0], noise, computes, strict=True)
        )
    share, stay = len(runs) ** -0.5 if runs[0].ahead is not None else 1.0, _persistence(runs)
    if stay:  # the level of runs that stay where they are is the same at every compute
        still = [run.ahead.still(run.draws) for run in runs if run.ahead is not None]
        rewards = [np.concatenate([reward, own[None]]) for reward, own in zip(rewards, still, strict=True)]
    joint, last = _joint(rewards, [run.weight for run in runs], tau, share), max(run.curve.compute_last for run in runs)
    levels = []
    for values, compute, sd in zip(joint, computes, model, strict=False):
        values = values + sd * normal_quantiles(_DRAWS, 1)
        if stay and compute > last:
            values = np.where(sobol(_DRAWS)[STAY] < stay, joint[-1], values)
        levels.append(Level(np.sort(_kept(runs, values, _even(), compute)), _even()))
    return tuple(levels)


def _alone(run: Posterior, computes: Sequence[float], tau: float) -> tuple[Level, ...]:
    """Return the levels of a recipe with a single run whose model error is learned: its forecasts, ``tau`` added."""
    values = run.reward(computes, model_error=True)
    normal = ndtri(run.draws.across)  # the place within a cell is of no use for rewards
    values = np.clip(values + (tau * run.curve.range * normal)[:, None], *run.curve.bounds)
    return tuple(_level(value, run.weight) for value in values.T)


def _persistence(runs: Sequence[Posterior]) -> float:
    """Return the probability that the reward stays where it is: the runs of a recipe stay together or not at all."""
    others = [run.ahead.persistence for run in runs if run.ahead is not None]
    return float(np.mean(others)) if others else 0.0


def _kept(runs: Sequence[Posterior], values: Floats, weight: Floats, compute: float) -> Floats:
    """Keep draws of a level, shape (d,), within the bounds, and correct them; open bounds are those of each run."""
    low, high = min(run.curve.bounds[0] for run in runs), max(run.curve.bounds[1] for run in runs)
    return _corrected(runs, np.minimum(np.maximum(values, low), high), weight, compute, (low, high))


def _corrected(
    runs: Sequence[Posterior], values: Floats, weight: Floats, compute: float, bounds: tuple[float, float]
) -> Floats:
    """Correct draws of a level, shape (d,): runs that all err alike move their level as far as they move each."""
    correction, last = runs[0].correction, max(run.curve.compute_last for run in runs)
    if correction is None or compute <= last:
        return values
    plain = [run.corrected(None) for run in runs]
    half = np.mean([half_width(run.reward([compute], model_error=True)[:, 0], run.weight) for run in plain])
    ahead = np.log([compute / last])
    return np.asarray(correction.applied(values[None], weight, ahead, bounds, float(half))[0])


def _joint(values: Sequence[Floats], weights: Sequence[Floats], tau: float, power: float) -> Floats:
    """Draws of levels that several runs share up to ``tau``, of their mean where that is 0.

    Parameters
    ----------
    values : sequence of arrays, shape (q, d)
        Draws of ``q`` levels of each run.
    weights : sequence of arrays, shape (d,)
        Of the draws of each run.
    tau, power : float
        As for :func:`products_of`.

    Returns
    -------
    array, shape (q, _DRAWS)
    """
    if tau == 0.0:
        each = [
            [(value[k], weight) for value, weight in zip(values, weights, strict=True)] for k in range(len(values[0]))
        ]
        return np.stack([mean_of(parts) for parts in each])
    grid, cdf = products_of(values, weights, tau, power)
    return np.stack([np.interp(sobol(_DRAWS)[0], *pair) for pair in zip(cdf, grid, strict=True)])


@lru_cache(maxsize=1)
def _even() -> Floats:
    """Return the weights of equally likely draws, shape (_DRAWS,), shared by all levels of several runs."""
    weight = np.full(_DRAWS, 1.0 / _DRAWS)
    weight.flags.writeable = False
    return weight


@lru_cache(maxsize=1)
def _even_below() -> Floats:
    return _below(_even())


def _below(weight: Floats) -> Floats:
    """Return the weight of the draws before each and of all, shape (d + 1,)."""
    return np.concatenate([[0.0], np.cumsum(weight)])


def _level(values: Floats, weight: Floats) -> Level:
    order = np.argsort(values)
    ordered = values.take(order)
    if np.any(ordered[1:] == ordered[:-1]):  # ties keep their order; a stable sort takes four times as long
        order = np.argsort(values, kind="stable")
    return Level(ordered, weight.take(order))


def mean_of(parts: Sequence[tuple[Floats, Floats]]) -> Floats:
    """Draws of the mean of independent levels, shape (_DRAWS,)."""
    points = sobol(_DRAWS)
    total = np.zeros(_DRAWS)
    for i, (values, weight) in enumerate(parts):
        # coordinate 1 is the model error's; past the last coordinate, rotate
        u = np.mod(points[2 + i % _COORDINATES] + 0.6180339887 * (i // _COORDINATES), 1.0)
        total += weighted_quantiles(values, weight, u)
    return total / len(parts)


def product_of(parts: Sequence[tuple[Floats, Floats]], tau: float, power: float = 1.0) -> tuple[Floats, Floats]:
    """Grid and CDF of the product of densities to a power, smoothed by ``tau`` (at least by a hair of their spread)."""
    grid, cdf = products_of([values[None] for values, _ in parts], [weight for _, weight in parts], tau, power)
    return grid[0], cdf[0]


def products_of(values: Sequence[Floats], weights: Sequence[Floats], tau: float, power: float) -> tuple[Floats, Floats]:
    """Return :func:`product_of` for several levels at once: faster together.

    Parameters
    ----------
    values : sequence of arrays, shape (q, d)
        Draws of ``q`` levels of each run.
    weights : sequence of arrays, shape (d,)
        Of the draws of each run.
    tau : float
        Run-to-run sd, in reward.
    power : float

    Returns
    -------
    array, shape (q, g)
        In reward.
    array, shape (q, g)
    """
    means = np.stack([each @ weight for each, weight in zip(values, weights, strict=True)])  # (r, q)
    squares = [(each - mean[:, None]) ** 2 @ weight for each, mean, weight in zip(values, means, weights, strict=True)]
    spreads = np.sqrt(np.stack(squares))
    widths = np.hypot(tau, 0.05 * spreads + 1e-6)
    full = np.hypot(widths, spreads)
    reach = 6.0 * full.max(axis=0)
    low, high = means.min(axis=0) - reach, means.max(axis=0) + reach
    step = (high - low) / _GRID
    grid = low[:, None] + step[:, None] * (np.arange(_GRID) + 0.5)
    mass = np.stack([_histogram(each, weight, low, step) for each, weight in zip(values, weights, strict=True)])
    smooth = _smoothed(mass, np.maximum(widths / step, 0.7))
    log_density = np.log(np.maximum(smooth, 1e-300))
    # far from the run a floor would make all levels equal: go on as a normal
    for k, q in zip(*np.nonzero((smooth <= 1e-12).any(axis=2)), strict=True):
        tail = -0.5 * ((grid[q] - means[k, q]) / full[k, q]) ** 2 - np.log(full[k, q] / step[q])
        log_density[k, q] = np.where(smooth[k, q] > 1e-12, log_density[k, q], np.minimum(tail, -27.6))
    joint = power * log_density.sum(axis=0)
    density = np.exp(joint - joint.max(axis=1, keepdims=True))
    cumulative = np.cumsum(density, axis=1) - 0.5 * density
    return grid, cumulative / density.sum(axis=1, keepdims=True)


def _histogram(values: Floats, weight: Floats, low: Floats, step: Floats) -> Floats:
    """Return the mass of draws, shape (q, d), in each of :data:`_GRID` cells from ``low``, shape (q,), on."""
    many, size = len(values), _GRID + 2
    place = (values - low[:, None]) / step[:, None] + 1.0
    np.minimum(np.maximum(place, 0.0, out=place), _GRID + 1.0, out=place)  # the first and last are outside
    cell = place.astype(np.intp) + size * np.arange(many)[:, None]
    mass = np.bincount(cell.ravel(), np.tile(weight, many), size * many).reshape(many, size)
    return np.asarray(mass[:, 1:-1], dtype=np.float64)


def _smoothed(mass: Floats, width: Floats) -> Floats:
    """Return masses, shape (r, q, _GRID), smoothed by normals of sds of so many cells, (r, q), their peak at 1."""
    kernel = np.exp(-0.5 * (_apart() / width[..., None]) ** 2)
    smoothed: Floats = np.fft.irfft(np.fft.rfft(mass, 2 * _GRID) * np.fft.rfft(kernel))
    return smoothed[..., :_GRID]


@lru_cache(maxsize=1)
def _apart() -> Floats:
    """Return how many cells each of a circle of twice :data:`_GRID` is from the first."""
    apart = np.arange(2.0 * _GRID)
    return np.asarray(np.minimum(apart, 2.0 * _GRID - apart))
