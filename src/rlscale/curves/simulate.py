"""Simulated curves whose truth is known: for trials, tests and benchmarks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rlscale.curves.curve import Curve
from rlscale.curves.run import Run
from rlscale.errors import InputError

__all__ = ["Truth", "simulate", "simulated_runs"]

Floats = NDArray[np.float64]

#: The recipes of :func:`simulated_runs`: ceilings and midpoints (in units of the last compute) of the slow ones run
#: between these; the early leader is the lowest and the fastest of all.
_CEILINGS = (0.55, 0.85)
_MIDPOINTS = (0.7, 1.0)
_LEADER_MIDPOINT = 0.15
_EXPONENTS = (1.4, 1.9)
_BASELINE = 0.1
#: Spread of the seeds of one recipe: sd of ``A``, and of ``ln C_mid``.
_SEED_SD = 0.01
_SEED_LOG_SD = 0.05


@dataclass(frozen=True)
class Truth:
    """A sigmoid in compute and its evaluation noise: ``R(C) = R0 + (A - R0) / (1 + (C_mid / C)^B)``.

    Parameters
    ----------
    R0, A : float
        Baseline and asymptote, in reward; finite.
    B : float
        Efficiency exponent, above 0.
    C_mid : float
        Midpoint compute, above 0, in the unit of the computes it is evaluated at.
    sigma : float
        Marginal standard deviation of the noise of one evaluation, in reward, ``>= 0``.
    rho : float
        Correlation of the noise of neighbouring evaluations, in [0, 1).

    Raises
    ------
    InputError
        A value outside what is stated above.

    Notes
    -----
    Source of the law: ScaleRL, arXiv 2510.13786, eq. 1.
    """

    R0: float
    A: float
    B: float
    C_mid: float
    sigma: float = 0.01
    rho: float = 0.0

    def __post_init__(self) -> None:
        if not (np.isfinite(self.R0) and np.isfinite(self.A)):
            raise InputError(f"R0 {self.R0:g} and A {self.A:g} must be finite rewards")
        for name in ("B", "C_mid"):
            value = getattr(self, name)
            if not 0.0 < value < np.inf:
                raise InputError(f"{name} {value:g} is not above 0; give a finite {name} above 0")
        if not 0.0 <= self.sigma < np.inf:
            raise InputError(f"sigma {self.sigma:g} is not a noise; give 0 or more")
        if not 0.0 <= self.rho < 1.0:
            raise InputError(f"rho {self.rho:g} is not in [0, 1); neighbouring noise cannot be more than equal")

    def reward(self, compute: ArrayLike) -> Floats:
        """Noise-free reward at ``compute``, any shape to the same shape; 0 gives ``R0`` and ``inf`` gives ``A``."""
        compute = np.asarray(compute, dtype=np.float64)
        with np.errstate(divide="ignore", over="ignore"):
            value = self.R0 + (self.A - self.R0) / (1.0 + (self.C_mid / compute) ** self.B)
        return np.asarray(value)

    def noise(self, count: int, rng: np.random.Generator) -> Floats:
        """Return ``count`` values of stationary AR(1) noise, shape (count,), in reward.

        ``e_1 = sigma z_1`` and ``e_t = rho e_(t-1) + sigma sqrt(1 - rho^2) z_t`` with standard normal ``z``.
        """
        shocks = self.sigma * rng.standard_normal(count)
        shocks[1:] *= np.sqrt(1.0 - self.rho**2)
        for t in range(1, count):
            shocks[t] += self.rho * shocks[t - 1]
        return np.asarray(shocks)


def simulate(
    truth: Truth,
    compute: ArrayLike,
    *,
    rng: np.random.Generator,
    unit: str = "steps",
    bounds: tuple[float, float] = (0.0, 1.0),
    n_eval: ArrayLike | None = None,
) -> Curve:
    """Return a noisy curve of a known truth.

    Parameters
    ----------
    truth : Truth
    compute : array, shape (n,)
        Computes of the evaluations, in ``unit``, increasing; 0 is the baseline evaluation.
    rng : numpy.random.Generator
        The only source of randomness: the same state gives the same curve.
    unit : str
        Unit of ``compute`` and of ``truth.C_mid``.
    bounds : (float, float)
        Bounds of the metric. Rewards are not clipped into them.
    n_eval : float or array, shape (n,), optional
        Graded samples behind each point. It is only recorded: the noise is ``truth.sigma``.

    Raises
    ------
    CurveError
        Computes that are no curve, or noise that took a reward more than a tenth of the range outside the bounds.

    Examples
    --------
    >>> import numpy as np
    >>> import rlscale
    >>> truth = rlscale.Truth(R0=0.1, A=0.7, B=1.5, C_mid=100.0, sigma=0.01)
    >>> rlscale.simulate(truth, [0, 50, 100, 200], rng=np.random.default_rng(1)).n_points
    4
    """
    compute = np.atleast_1d(np.asarray(compute, dtype=np.float64))
    reward = truth.reward(compute) + truth.noise(compute.size, rng)
    counts = None if n_eval is None else np.broadcast_to(np.asarray(n_eval, dtype=np.float64), compute.shape)
    return Curve(compute=compute, reward=reward, unit=unit, n_eval=counts, bounds=bounds)


def simulated_runs(
    count_recipes: int = 3,
    seeds: int = 2,
    points: int = 40,
    seed: int = 0,
    *,
    sigma: float = 0.012,
    rho: float = 0.3,
    interval: float = 10.0,
    unit: str = "steps",
) -> list[tuple[Run, Truth]]:
    """Return runs of recipes with distinct ceilings, the early leader being a trap.

    Recipe ``early-leader`` is fast and has the lowest ceiling, .55; ``slow-1``, ``slow-2``, ... are still near their
    midpoint at the end of the run and rise higher, the last to .85. At the last compute the early leader is ahead of
    all; at four times that compute it is about .2 behind the best.

    Parameters
    ----------
    count_recipes : int
        Recipes, at least 1 (one alone is the early leader).
    seeds : int
        Runs of each recipe, at least 1; their ceilings differ by a sd of .01, their midpoints by 5 %.
    points : int
        Evaluations of a run after the one at compute 0, at least 1.
    seed : int
        Seed of the random numbers, ``>= 0``.
    sigma : float
        Marginal sd of the evaluation noise, in reward.
    rho : float
        Its correlation between neighbours.
    interval : float
        Compute between evaluations, in ``unit``.
    unit : str
        Unit of compute.

    Returns
    -------
    list of (Run, Truth)
        ``count_recipes * seeds`` runs with metric bounds (0, 1), recipe by recipe.

    Raises
    ------
    InputError
        A count below 1, a negative seed, an interval that is not above 0, or noise outside what :class:`Truth` takes.
    CurveError
        An unknown unit, or noise so large that a reward left the bounds.
    """
    for name, value in (("count_recipes", count_recipes), ("seeds", seeds), ("points", points)):
        if value < 1:
            raise InputError(f"{name} {value} is below 1; give at least 1")
    if seed < 0:
        raise InputError(f"seed {seed} is negative; give 0 or more")
    if not 0.0 < interval < np.inf:
        raise InputError(f"interval {interval:g} is not above 0; give the compute between two evaluations")
    rng = np.random.default_rng(seed)
    compute = interval * np.arange(points + 1)
    out = []
    for index in range(count_recipes):
        name = "early-leader" if index == 0 else f"slow-{index}"
        base = _recipe(index, count_recipes, float(compute[-1]), sigma, rho)
        for number in range(1, seeds + 1):
            truth = Truth(
                R0=base.R0,
                A=float(base.A + _SEED_SD * rng.standard_normal()),
                B=base.B,
                C_mid=float(base.C_mid * np.exp(_SEED_LOG_SD * rng.standard_normal())),
                sigma=sigma,
                rho=rho,
            )
            curve = simulate(truth, compute, rng=rng, unit=unit)
            out.append((Run(name=f"{name}-s{number}", recipe=name, curve=curve, seed=number), truth))
    return out


def _recipe(index: int, count: int, last: float, sigma: float, rho: float) -> Truth:
    """Truth of recipe ``index`` of ``count``, before the spread of its seeds; ``last`` is the last compute."""
    share = index / max(count - 1, 1)
    low, high = _CEILINGS
    if index == 0:
        return Truth(_BASELINE, low, _EXPONENTS[1], _LEADER_MIDPOINT * last, sigma, rho)
    middle = _MIDPOINTS[0] + share * (_MIDPOINTS[1] - _MIDPOINTS[0])
    return Truth(_BASELINE, low + share * (high - low), _EXPONENTS[0] + 0.2 * share, middle * last, sigma, rho)
