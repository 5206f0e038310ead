"""All recipes in one panel: evaluations, median curves, and their forecasts at the right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rlscale.answers.charts.axes import compute_axis, reward_axis, reward_limits
from rlscale.answers.charts.runs import (
    AHEAD,
    FARTHEST,
    LARGEST,
    PANELS,
    computes,
    fan,
    fan_panel,
    left_out_keys,
    near,
    short,
    start_of,
)
from rlscale.answers.charts.spec import Chart, End, Line, Mark, Panel, Part, Points
from rlscale.answers.numbers import count, probability, reward
from rlscale.answers.palette import SERIES
from rlscale.answers.views import FitView, RankView
from rlscale.inference import Fit
from rlscale.inference.median import median_curve

if TYPE_CHECKING:
    from rlscale.decisions import RecipeRank

__all__ = ["CURVES", "RecipeCurve", "colour_of", "rank_chart", "recipe_curves", "recipe_places", "recipes_panel"]

Floats = NDArray[np.float64]
Numbers = tuple[float, ...]

#: Recipes in an overlay at most: more lines than this are a smear.
CURVES = 60
#: Recipes drawn in colour; the rest are grey.
COLOURED = len(SERIES)
#: Evaluations of a recipe drawn at most.
_POINTS = 240


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


def recipe_places(view: FitView | RankView) -> dict[str, int]:
    """Return the place of each recipe, 0 for the first; empty where nothing is ranked."""
    rows = view.ranking.recipes if isinstance(view, RankView) else ()
    return {row.recipe: place for place, row in enumerate(rows)}


def recipe_curves(
    view: RankView, fits: Sequence[Fit], rows: Sequence[RecipeRank] | None = None
) -> tuple[RecipeCurve, ...]:
    """Return the overlay of the recipes, or of the ``rows`` among them, in order of rank; the first 60 of more.

    The curves reach the common compute, or 4 times the longest run where the asymptote ranks.
    """
    ranking, longest = view.ranking, max(run.compute_last for run in view.runs)
    reach = AHEAD * longest if np.isinf(ranking.at) else min(max(ranking.at, longest), FARTHEST * longest)
    horizon = min(reach, LARGEST)
    places = recipe_places(view)
    by_recipe: dict[str, list[int]] = {}
    for place, run in enumerate(view.runs):
        by_recipe.setdefault(run.recipe, []).append(place)
    return tuple(
        _recipe_curve(row, places[row.recipe], [fits[k] for k in by_recipe[row.recipe]], horizon)
        for row in (ranking.recipes if rows is None else rows)[:CURVES]
        if row.recipe in by_recipe
    )


def _recipe_curve(row: RecipeRank, place: int, fits: Sequence[Fit], horizon: float) -> RecipeCurve:
    compute = np.concatenate([fit.run.curve.compute for fit in fits])
    reward = np.concatenate([fit.run.curve.reward for fit in fits])
    keep = np.unique(np.linspace(0, compute.size - 1, min(compute.size, _POINTS)).round().astype(int))
    posteriors = [fit.posterior for fit in fits if fit.posterior is not None]
    grid: Floats = np.empty(0)
    median: Floats = np.empty(0)
    if posteriors:
        start = min(map(start_of, posteriors))
        last = max(float(found.curve.compute_last) for found in posteriors)
        grid = np.union1d(computes(start, max(horizon, start)), [last])  # solid up to here, dashed beyond
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


def colour_of(place: int) -> str:
    """Return the colour role of the recipe at a place."""
    return f"s{place}" if place < COLOURED else "faint"


def recipes_panel(view: RankView, curves: Sequence[RecipeCurve], *, narrow: bool = False) -> Panel | None:
    """Return the overlay of recipes; None where nothing was fitted.

    Parameters
    ----------
    view : RankView
    curves : sequence of RecipeCurve
        In order of rank.
    narrow : bool
        For small screens: short names, no probabilities.
    """
    drawn = [curve for curve in curves if curve.grid]
    if not drawn:
        return None
    named = [curve for curve in drawn if curve.place < COLOURED and curve.row.forecast is not None]
    shown = [v for curve in curves for v in (*curve.reward, *curve.median)]
    shown += [v for curve in drawn if curve.row.forecast for v in (curve.row.forecast.q10, curve.row.forecast.q90)]
    limits = reward_limits(shown, view.shown_in)
    first, last = min(curve.grid[0] for curve in drawn), max(curve.grid[-1] for curve in drawn)
    hidden = len(drawn) - len(named)
    return Panel(
        description="Reward against compute of all recipes, with their median curves",
        x=compute_axis(
            first, last, view.ranking.unit, zero=any(0 in c.compute for c in curves), most=4 if narrow else 8
        ),
        y=reward_axis(limits, view.runs[0].metric, 5),
        marks=tuple(mark for curve in reversed(drawn) for mark in _marks(curve, first)),
        title=f"Recipes at {view.at}",
        ends=tuple(end for curve in named if (end := _end(curve, view, narrow)) is not None),
        corner=f"{count(hidden, 'more recipe')} in grey" if hidden else "",
    )


def _marks(curve: RecipeCurve, first: float) -> list[Mark]:
    colour, faint = colour_of(curve.place), curve.place >= COLOURED
    marks: list[Mark] = []
    if not faint:
        seen = [(c, r) for c, r in zip(curve.compute, curve.reward, strict=True) if c == 0.0 or c >= first]
        marks.append(Points(*_columns(seen), colour, 1.8, strength=0.3))
    points = list(zip(curve.grid, curve.median, strict=True))
    for dash, part in (
        ("", [point for point in points if point[0] <= curve.last]),
        ("dashed", [point for point in points if point[0] >= curve.last]),
    ):
        if part:
            marks.append(Line(*_columns(part), colour, 1.0 if faint else 2.0, dash, name=curve.row.recipe))
    return marks


def _columns(points: Sequence[tuple[float, float]]) -> tuple[Numbers, Numbers]:
    return tuple(x for x, _ in points), tuple(y for _, y in points)


def _end(curve: RecipeCurve, view: RankView, narrow: bool) -> End | None:
    forecast = curve.row.forecast
    if forecast is None:
        return None
    text = short(curve.row.recipe, 9 if narrow else 30)
    if not narrow:
        text += f"  {reward(forecast.q50, view.shown_in)} · P(best) {probability(curve.row.p_best)}"
    return End(forecast.q50, text, colour_of(curve.place), (forecast.q10, forecast.q90))


def rank_chart(view: RankView, fits: Sequence[Fit]) -> Chart:
    """Return the overlay of a ranking, above the fan charts of its runs where they are a dozen at most."""
    panel = recipes_panel(view, recipe_curves(view, fits))
    if len(fits) > PANELS and panel is not None:
        return Chart((Part((panel,), 1, (10.5, 6.2)),))
    places = recipe_places(view)
    ordered = sorted(fits, key=lambda fit: places[fit.run.recipe])[:PANELS]
    charts = [fan(fit) for fit in ordered]
    limits = near(charts)
    panels = tuple(fan_panel(chart, limits, colour_of(places[chart.run.recipe])) for chart in charts)
    columns = 2 if len(panels) <= 4 else 3
    overlay = () if panel is None else (Part((panel,), 1, (4.4 * columns, 4.8)),)
    return Chart((*overlay, Part(panels, columns, (4.4, 3.1))), keys=left_out_keys(charts))
