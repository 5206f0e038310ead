"""What a chart shows, computed apart from drawing it: the fan of a run and the curve of a recipe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import Curve
from rlscale.decisions import RecipeRank
from rlscale.inference import Fit, Forecast, Interval, Posterior
from rlscale.inference.median import median_curve
from rlscale.present.views import CEILING, FitView, RankView, RunView, run_view

__all__ = ["CURVES", "Fan", "RecipeCurve", "drawn_points", "fan", "recipe_curves", "recipe_places", "reward_limits"]

Floats = NDArray[np.float64]
Numbers = tuple[float, ...]

#: Computes along a band, and points of a run drawn at most.
_GRID = 61
_POINTS = 240
#: A chart reaches this multiple of the last compute where no target lies farther out.
_AHEAD = 4.0
#: Recipes in an overlay at most: more lines than this are a smear.
CURVES = 60
#: Farthest a chart reaches, in multiples of the last compute: past it the data would shrink into a corner.
_FARTHEST = 64.0
_LARGEST = float(np.finfo(np.float64).max)


@dataclass(frozen=True, kw_only=True)
class Fan:
    """The chart of one run. Bands carry the model error, as forecasts do.

    Parameters
    ----------
    run : RunView
    compute, reward : tuple of float
        The evaluations drawn (every k-th of very long runs).
    used : tuple of bool
        Whether the fit covers each of them.
    grid : tuple of float
        Computes of the bands, above 0; empty where nothing was fitted.
    q10, q25, q50, q75, q90 : tuple of float
        Quantiles of the noise-free reward on ``grid``.
    first, last, horizon : float
        Least compute above 0, last compute, right end of the axis.
    """

    run: RunView
    compute: Numbers
    reward: Numbers
    used: tuple[bool, ...]
    grid: Numbers = ()
    q10: Numbers = ()
    q25: Numbers = ()
    q50: Numbers = ()
    q75: Numbers = ()
    q90: Numbers = ()
    first: float
    last: float
    horizon: float

    @property
    def targets(self) -> tuple[Forecast, ...]:
        """Forecasts at computes that the axis reaches."""
        return tuple(item for item in self.run.forecasts if self.last < item.compute <= self.horizon * (1 + 1e-9))

    @property
    def asymptote(self) -> Interval | None:
        """The ceiling, where one was fitted."""
        return self.run.quantities[CEILING]


@dataclass(frozen=True, kw_only=True)
class RecipeCurve:
    """One recipe in the overlay: the evaluations of its runs, its median curve, its forecast.

    Parameters
    ----------
    row : RecipeRank
    place : int
        0 for the first.
    compute, reward : tuple of float
        Evaluations of all its runs.
    grid, median : tuple of float
        Mean of its runs' median curves; empty where nothing was fitted.
    last : float
        Largest compute its fits cover; the curve is a forecast beyond.
    """

    row: RecipeRank
    place: int
    compute: Numbers
    reward: Numbers
    grid: Numbers
    median: Numbers
    last: float


def fan(fit: Fit) -> Fan:
    """Return the chart of one fitted run."""
    view, curve = run_view(fit), fit.run.curve
    compute, reward = drawn_points(curve)
    first = view.compute_first or 1.0
    last = max(curve.compute_last, first)
    reach = [item.compute for item in fit.forecasts if np.isfinite(item.compute)]
    horizon = min(max([_AHEAD * last, *reach]), _FARTHEST * last, _LARGEST)
    points = {
        "compute": tuple(compute.tolist()),
        "reward": tuple(reward.tolist()),
        "used": tuple(_used(fit, compute).tolist()),
    }
    if fit.posterior is None:
        return Fan(run=view, **points, first=first, last=last, horizon=horizon)
    grid = _computes(_start(fit.posterior), horizon)
    rewards = fit.posterior.reward(grid, model_error=True)
    bands = fit.posterior.quantiles(rewards, (0.1, 0.25, 0.5, 0.75, 0.9))
    names = ("q10", "q25", "q50", "q75", "q90")
    quantiles = {name: tuple(band.tolist()) for name, band in zip(names, bands, strict=True)}
    return Fan(run=view, **points, grid=tuple(grid.tolist()), **quantiles, first=first, last=last, horizon=horizon)


def drawn_points(curve: Curve) -> tuple[Floats, Floats]:
    """Return computes and rewards of the evaluations that are drawn, shape (k,): every k-th of very long runs."""
    keep = np.unique(np.linspace(0, curve.n_points - 1, min(curve.n_points, _POINTS)).round().astype(int))
    return curve.compute[keep], curve.reward[keep]


def _start(posterior: Posterior) -> float:
    """Return where a curve begins to be drawn: what came before the current regime is not fitted."""
    fitted = posterior.curve.compute
    return float(fitted[fitted > 0.0][0])


def _computes(first: float, last: float) -> Floats:
    with np.errstate(over="ignore"):  # a step towards the largest number there is; both ends are exact
        return np.geomspace(first, last, _GRID)


def _used(fit: Fit, compute: Floats) -> NDArray[np.bool_]:
    if fit.posterior is None:
        return np.zeros(compute.shape, dtype=bool)
    curve = fit.posterior.curve
    if fit.posterior.block > 1:  # averages do not say which evaluations went into them, but for the ends
        return np.asarray((compute >= curve.compute[0]) & (compute <= curve.compute_last))
    return np.isin(compute, curve.compute)


def recipe_places(view: FitView | RankView) -> dict[str, int]:
    """Return the place of each recipe, 0 for the first; empty where nothing is ranked."""
    rows = view.ranking.recipes if isinstance(view, RankView) else ()
    return {row.recipe: place for place, row in enumerate(rows)}


def recipe_curves(view: RankView, fits: Sequence[Fit]) -> tuple[RecipeCurve, ...]:
    """Return the overlay of the recipes, in order of rank; the first 60 of more.

    The curves reach the common compute, or 4 times the longest run where the asymptote ranks.
    """
    ranking, longest = view.ranking, max(run.compute_last for run in view.runs)
    reach = _AHEAD * longest if np.isinf(ranking.at) else min(max(ranking.at, longest), _FARTHEST * longest)
    horizon = min(reach, _LARGEST)
    by_recipe: dict[str, list[int]] = {}
    for place, run in enumerate(view.runs):
        by_recipe.setdefault(run.recipe, []).append(place)
    return tuple(
        _recipe_curve(row, place, [fits[k] for k in by_recipe[row.recipe]], horizon)
        for place, row in enumerate(ranking.recipes[:CURVES])
    )


def _recipe_curve(row: RecipeRank, place: int, fits: Sequence[Fit], horizon: float) -> RecipeCurve:
    compute = np.concatenate([fit.run.curve.compute for fit in fits])
    reward = np.concatenate([fit.run.curve.reward for fit in fits])
    keep = np.unique(np.linspace(0, compute.size - 1, min(compute.size, _POINTS)).round().astype(int))
    posteriors = [fit.posterior for fit in fits if fit.posterior is not None]
    grid: Floats = np.empty(0)
    median: Floats = np.empty(0)
    if posteriors:
        start = min(map(_start, posteriors))
        last = max(float(found.curve.compute_last) for found in posteriors)
        grid = np.union1d(_computes(start, max(horizon, start)), [last])  # solid up to here, dashed beyond
        median = median_curve(posteriors, grid)
    return RecipeCurve(
        row=row,
        place=place,
        compute=tuple(compute[keep].tolist()),
        reward=tuple(reward[keep].tolist()),
        grid=tuple(grid.tolist()),
        median=tuple(median.tolist()),
        last=max(found.curve.compute_last for found in posteriors) if posteriors else 0.0,
    )


def reward_limits(values: Sequence[float], bounds: tuple[float, float]) -> tuple[float, float]:
    """Return the ends of a reward axis: what is shown, a little air, never far outside the bounds."""
    low, high = min(values), max(values)
    span = max(high - low, 0.05 * (bounds[1] - bounds[0]))
    air = 0.06 * span
    return max(low - air, min(bounds[0], low) - 0.02 * span), min(high + air, max(bounds[1], high) + 0.02 * span)
