"""Forecasters that ``rlscale.trust`` does not run itself, on its cases: our other families, and rivals with intervals.

Each takes a case (a curve cut early and the computes of the evaluations to come) and returns a distribution of their
mean reward, or a point where it finds no interval. How intervals of the rivals are read as distributions:

- least squares: normal, the delta-method variance of the mean reward plus ``s^2 / m`` for the noise of ``m``
  evaluations with ``s^2 = RSS / (n - 4)``;
- MINOS: two half normals with the two sides of the 80 % profile interval over 1.2816, the same noise added to each;
- both cut to the bounds; where the covariance is singular, or MINOS finds no end, a point that covers nothing.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from benchmarks.baselines import NORMAL_80, least_squares, minos
from rlscale.curves import Run
from rlscale.inference import FitOptions, fit
from rlscale.inference.quantiles import weighted_quantiles
from rlscale.trust.backtest import Task, predictive
from rlscale.trust.outcome import Case
from rlscale.trust.scores import crps

__all__ = ["Forecaster", "Score", "clocked", "has_numpyro", "ours", "score", "score_of_case", "two_sided"]

Floats = NDArray[np.float64]
#: Draws and their weights; the median is the forecast.
Drawn = tuple[Floats, Floats]
Forecaster = Callable[[Task], Drawn | float]

#: Standard normal draws: the mid-quantiles of 1,000 equal shares.
_NORMAL = ndtri((np.arange(1000) + 0.5) / 1000)


@dataclass(frozen=True)
class Score:
    """One forecast: absolute error of its median and CRPS, in reward; whether its intervals hold the truth.

    ``in80`` and ``in50`` are None for a method without intervals.
    """

    error: float
    crps: float
    in80: bool | None
    in50: bool | None


def ours(options: FitOptions) -> Forecaster:
    """Return our forecaster with other options, as ``rlscale.trust.backtest`` forecasts."""

    def forecast(task: Task) -> Drawn | float:
        found = fit(Run(name=task.run, recipe=task.recipe, curve=task.seen), float(task.ahead[-1]), options).posterior
        if found is None:
            return float("nan")
        return predictive(found, task.ahead)[0], found.weight

    return forecast


def with_covariance(task: Task) -> Drawn | float:
    """Least squares and its covariance."""
    seen, low, span = task.seen, task.seen.bounds[0], task.seen.range
    fitted = least_squares(seen.compute, (seen.reward - low) / span)
    spread = fitted.spread(task.ahead)
    middle = float(fitted.reward(task.ahead).mean())
    if spread is None:
        return low + span * middle
    sd = np.hypot(spread, fitted.noise_sd / np.sqrt(task.ahead.size))
    return two_sided(low + span * middle, span * sd, span * sd, seen.bounds)


def profiled(task: Task) -> Drawn | float:
    """Least squares and the profile interval of iminuit's MINOS."""
    seen, low, span = task.seen, task.seen.bounds[0], task.seen.range
    reward = (seen.reward - low) / span
    fitted = least_squares(seen.compute, reward)
    middle = float(fitted.reward(task.ahead).mean())
    found = minos(seen.compute, reward, task.ahead)
    if found is None or not np.all(np.isfinite(found)):
        return low + span * middle
    noise = fitted.noise_sd / np.sqrt(task.ahead.size)
    below, above = (np.hypot(max(side, 0.0) / NORMAL_80, noise) for side in (middle - found[0], found[1] - middle))
    return two_sided(low + span * middle, span * below, span * above, seen.bounds)


def two_sided(middle: float, below: float, above: float, bounds: tuple[float, float]) -> Drawn:
    """Return draws of two half normals of sd ``below`` and ``above`` that meet at the median, cut to the bounds."""
    values = middle + np.where(_NORMAL < 0.0, below, above) * _NORMAL
    return np.clip(values, *bounds), np.full(values.size, 1.0 / values.size)


def chains() -> Forecaster:
    """Return NUTS on the sigmoid with our priors, likelihood and model error (``benchmarks.nuts``)."""
    from benchmarks import nuts

    kernel = nuts.sampler()

    def forecast(task: Task) -> Drawn | float:
        return nuts.predictive(kernel, task.seen, task.ahead)

    return forecast


def has_numpyro() -> bool:
    """Whether NUTS can be run here."""
    return importlib.util.find_spec("numpyro") is not None


def score(found: Drawn | float, truth: float) -> Score:
    """Score one forecast; a point that should have had an interval covers nothing."""
    if isinstance(found, float):
        return Score(abs(found - truth), abs(found - truth), False, False)
    values, weight = found
    q10, q25, q50, q75, q90 = weighted_quantiles(values, weight, (0.1, 0.25, 0.5, 0.75, 0.9))
    inside = bool(q10 <= truth <= q90), bool(q25 <= truth <= q75)
    return Score(abs(float(q50) - truth), crps(values, weight, truth), *inside)


def score_of_case(case: Case, method: str | None = None) -> Score:
    """Score of what ``rlscale.trust`` forecast: ours, or a method that gives a point."""
    if method is None:
        return Score(case.error(), case.crps, case.covers(0.8), case.covers(0.5))
    return Score(case.error(method), case.error(method), None, None)


def clocked(forecaster: Forecaster, task: Task) -> tuple[Drawn | float, float]:
    """Forecast, and return the wall time it took, in ms, too."""
    start = time.perf_counter()
    found = forecaster(task)
    return found, 1e3 * (time.perf_counter() - start)
