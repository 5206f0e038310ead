"""Views: results as frozen plain numbers.

Tables, sentences and JSON read these and nothing else. Charts also take the fits behind them: bands and median curves
are computed where they are drawn, and the checklist of a page runs a least-squares cross-fit.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import repeat
from typing import TYPE_CHECKING, Any

import numpy as np

from rlscale.answers.coverage import lacking
from rlscale.answers.numbers import count, probability, quantity, reward, span
from rlscale.answers.settings import BadFile, Settings, bad_files
from rlscale.answers.view import View
from rlscale.curves import Run, Source
from rlscale.curves.assumed import bounds_sentence
from rlscale.health import Alarm, Condition
from rlscale.inference import Fit, Forecast, Interval, OverTime, Verdict, VerdictName
from rlscale.sources import Reading

if TYPE_CHECKING:
    from rlscale.decisions import Ranking, RecipeRank
    from rlscale.trust import Calibration

__all__ = [
    "CEILING",
    "QUANTITIES",
    "Bearing",
    "Bounds",
    "FitView",
    "RankView",
    "RunLine",
    "RunView",
    "fit_view",
    "headline",
    "listed",
    "rank_view",
    "run_line",
    "run_view",
    "runs_by_recipe",
]

#: The quantities of a run, in the order they are shown and written.
QUANTITIES = ("R0", "A", "B", "C_mid", "rho", "sigma")
#: The ceiling that is shown and judged: of all families together, where several are averaged.
CEILING = "A_average"
Bounds = tuple[float, float]
#: What the headline adds to the name of a recipe that the leader does not beat.
_ASIDES = {
    VerdictName.NO_LEARNING: " (no learning yet)",
    VerdictName.COLLAPSED: " (collapsed)",
    VerdictName.REGIME_CHANGE: " (changed regime)",
}
_FELL = "it collapsed: its fit covers the part up to the peak"


@dataclass(frozen=True, kw_only=True)
class RunLine:
    """One run in a line: who it is, what it scored, its verdict.

    Parameters
    ----------
    run, recipe : str
    unit, metric : str
    clock : str
        Which seconds ``unit`` counts; empty where none are.
    bounds : (float, float)
    bounds_from : str
        How they are known, as in :class:`rlscale.curves.Curve`.
    shown : (float, float), optional
        What rewards are written and drawn in, where that is not the bounds.
    bounds_said : str
        What is assumed of them, as a sentence; empty where they are stated.
    n_points : int
    compute_first, compute_last : float
        First and last compute above 0, in ``unit``.
    reward_last : float
    verdict : Verdict
    warnings : tuple of str
    source : Source, optional
    has_baseline : bool
        Whether its first evaluation is at compute 0.
    """

    run: str
    recipe: str
    unit: str
    metric: str
    bounds: Bounds
    n_points: int
    compute_first: float
    compute_last: float
    reward_last: float
    verdict: Verdict
    warnings: tuple[str, ...]
    source: Source | None
    has_baseline: bool = True
    clock: str = ""
    bounds_from: str = "option"
    bounds_said: str = ""
    shown: Bounds | None = None

    @property
    def shown_in(self) -> Bounds:
        """What rewards are written and drawn in."""
        return self.shown or self.bounds

    @property
    def axis(self) -> str:
        """The unit, with its clock where it has one: ``gpu-hours (train+eval)``."""
        return f"{self.unit} ({self.clock})" if self.clock else self.unit

    @property
    def repairs(self) -> tuple[str, ...]:
        """Repairs made while reading."""
        return () if self.source is None else self.source.repairs


@dataclass(frozen=True)
class Bearing:
    """What monitors have to do with a fit.

    Parameters
    ----------
    alarms : tuple of Alarm
        As of the last evaluation, in the order of their onset.
    masked : int
        Evaluations that alarms keep out of the fit.
    condition : Condition, optional
        What forecasts hold under, where the log measures it.
    """

    alarms: tuple[Alarm, ...]
    masked: int
    condition: Condition | None


@dataclass(frozen=True, kw_only=True)
class RunView(RunLine):
    """One run and all that it supports.

    Parameters
    ----------
    seed : int, optional
    model_params : float, optional
    n_eval : float, optional
        Graded samples behind the last point that knows them.
    level_sd : float, optional
    family : str
    quantities : mapping of str to Interval or None
        Under the names of :data:`QUANTITIES`, and :data:`CEILING`.
    resolves_at : Interval, optional
        Compute at which an unresolved question should be resolved, in ``unit``.
    weights : mapping of str to float
        Probability of each family averaged; empty for a family alone.
    p_past_midpoint : float, optional
    forecasts : tuple of Forecast
    asymptote : Forecast, optional
    fitted_last : float, optional
        Last compute the fit covers; None where nothing was fitted.
    over_time : OverTime, optional
        What it was believed to reach as it grew, where that was asked for.
    siblings : int, optional
        Other runs whose levels inform its own; None where none do.
    health : Bearing, optional
        None where monitors were not to bear on the fit, or the log holds none of their series.
    """

    seed: int | None
    model_params: float | None
    n_eval: float | None
    level_sd: float | None
    family: str
    quantities: Mapping[str, Interval | None]
    resolves_at: Interval | None
    weights: Mapping[str, float]
    p_past_midpoint: float | None
    forecasts: tuple[Forecast, ...]
    asymptote: Forecast | None
    fitted_last: float | None
    over_time: OverTime | None = None
    siblings: int | None = None
    health: Bearing | None = None


@dataclass(frozen=True, kw_only=True)
class FitView(View):
    """The answer of ``fit``; ``calibration``: by which its forecasts are corrected."""

    runs: tuple[RunView, ...]
    calibration: Calibration | None = None


@dataclass(frozen=True, kw_only=True)
class RankView(View):
    """The answer of ``rank``: the ranking and the runs behind it; ``calibration``: as in :class:`FitView`."""

    ranking: Ranking
    runs: tuple[RunLine, ...]
    calibration: Calibration | None = None
    stored_in: Bounds | None = None

    @cached_property
    def shown_in(self) -> Bounds:
        """What rewards are written and drawn in, for all runs; ``stored_in`` where some are at hand only."""
        if self.stored_in is not None:
            return self.stored_in
        return min(run.shown_in[0] for run in self.runs), max(run.shown_in[1] for run in self.runs)

    @property
    def at(self) -> str:
        """The common compute in words: ``7.36M tokens`` or ``the asymptote``."""
        return quantity(self.ranking.at, self.ranking.unit)


def run_line(run: Run, verdict: Verdict, warnings: tuple[str, ...]) -> RunLine:
    """Return one run and what fitting said of it."""
    return RunLine(**_line(run), verdict=verdict, warnings=warnings)


def run_view(fit: Fit, over_time: OverTime | None = None) -> RunView:
    """Return the view of one fitted run, and of how it grew where that was asked for."""
    run, curve = fit.run, fit.run.curve
    known = [] if curve.n_eval is None else curve.n_eval[~np.isnan(curve.n_eval)].tolist()
    return RunView(
        **_line(run),
        seed=run.seed,
        model_params=run.model_params,
        n_eval=known[-1] if known else None,
        level_sd=fit.level_sd,
        family=fit.options.family,
        verdict=fit.verdict,
        quantities={name: fit.quantity(name) for name in (*QUANTITIES, CEILING)},
        resolves_at=fit.resolves_at,
        weights=dict(fit.weights),
        p_past_midpoint=fit.p_past_midpoint,
        forecasts=fit.forecasts,
        asymptote=fit.asymptote,
        fitted_last=None if fit.posterior is None else fit.posterior.curve.compute_last,
        warnings=fit.warnings,
        over_time=over_time,
        siblings=fit.siblings,
        health=None if fit.health is None else Bearing(fit.health.alarms, len(fit.masked), fit.condition),
    )


def _line(run: Run) -> dict[str, Any]:
    """Return what is known of a run before it is fitted."""
    curve = run.curve
    trained = curve.compute[curve.compute > 0]
    return {
        "run": run.name,
        "recipe": run.recipe,
        "unit": curve.unit,
        "clock": curve.clock,
        "metric": curve.metric,
        "bounds": curve.bounds,
        "bounds_from": curve.bounds_from,
        "shown": curve.shown_in,
        "bounds_said": bounds_sentence(curve),
        "n_points": curve.n_points,
        "compute_first": float(trained[0]) if trained.size else 0.0,
        "compute_last": curve.compute_last,
        "reward_last": curve.reward_last,
        "source": run.source,
        "has_baseline": curve.has_baseline,
    }


def runs_by_recipe(runs: Iterable[RunLine]) -> dict[str, list[RunLine]]:
    """Return the runs of each recipe, in their order."""
    found: dict[str, list[RunLine]] = {}
    for run in runs:
        found.setdefault(run.recipe, []).append(run)
    return found


def fit_view(
    fits: Sequence[Fit],
    errors: Sequence[BadFile] = (),
    settings: Settings | None = None,
    *,
    reading: Reading | None = None,
    over_time: Sequence[OverTime] = (),
    calibration: Calibration | None = None,
) -> FitView:
    """Return the view of several fitted runs, in their order, and of how each grew where that was asked for.

    What was read with them comes from ``reading``.
    """
    return FitView(
        runs=tuple(map(run_view, fits, over_time or repeat(None))),
        errors=tuple(errors) if reading is None else bad_files(reading.errors),
        settings=settings or Settings(),
        grouping=None if reading is None else reading.grouping,
        left_out=() if reading is None else reading.left_out,
        calibration=calibration,
    )


def rank_view(
    ranking: Ranking, fits: Iterable[Fit], errors: Sequence[BadFile] = (), settings: Settings | None = None
) -> RankView:
    """Return the view of a ranking and of the fits behind it."""
    lines = [run_line(fit.run, fit.verdict, fit.warnings) for fit in fits]
    return RankView(
        ranking=ranking,
        runs=tuple(lines),
        errors=tuple(errors),
        settings=settings or Settings(),
        left_out=ranking.left_out,
    )


def headline(view: FitView | RankView) -> str:
    """Return the answer in a sentence: who leads, how sure, what cannot be told apart; first, what it lacks."""
    said = _rank_headline(view) if isinstance(view, RankView) else _fit_headline(view)
    return f"{lacking(view.left_out, len(view.runs))}{said}"


def _rank_headline(view: RankView) -> str:
    rows = [row for row in view.ranking.recipes if row.forecast is not None]
    if not rows or not rows[0].verdict.ranks:
        return "No recipe shows learning yet: there is nothing to rank."
    leader = rows[0]
    rivals = [row for row in rows[1:] if row.group == leader.group]
    sure = f"at {view.at}, best with probability {probability(leader.p_best)}"
    fell = leader.verdict.name is VerdictName.COLLAPSED
    if rivals:
        # what shows no learning ranks last, wherever its forecast lies
        place = "is ahead" if all(_median(leader) >= _median(row) for row in rivals) else "ranks first"
        told = listed([f"{row.recipe}{_aside(row.verdict)}" for row in rivals])
        said = f"{leader.recipe} {place} {sure}, but cannot be told apart from {told}: no claim reaches 95 %"
        return f"{said}; and {_FELL}." if fell else f"{said}."
    lead = f"leads {sure}" if len(rows) > 1 else "is the only recipe that can be ranked"
    outlook = f"reward {reward(_median(leader), view.shown_in)}, 80 % interval {span(leader.forecast, view.shown_in)}"
    return f"{leader.recipe} {lead}, but {_FELL} ({outlook})." if fell else f"{leader.recipe} {lead}: {outlook}."


def _aside(verdict: Verdict) -> str:
    return " (near its upper bound from the start)" if verdict.saturated else _ASIDES.get(verdict.name, "")


def _median(row: RecipeRank) -> float:
    return -math.inf if row.forecast is None else row.forecast.q50


def listed(names: Sequence[str], limit: int = 3) -> str:
    """Return ``a, b and c``; of more names than ``limit`` the last are counted."""
    if len(names) > limit:
        return f"{', '.join(names[: limit - 1])} and {len(names) - limit + 1} more"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _fit_headline(view: FitView) -> str:
    resolved = [run for run in view.runs if run.verdict.name == "resolved"]
    total = count(len(view.runs), "run")
    if len(view.runs) == 1:
        return f"{view.runs[0].run}: {view.runs[0].verdict.why}"
    if not resolved:
        return f"None of the {total} pins its answer down yet."
    some = "Every one" if len(resolved) == len(view.runs) else f"{len(resolved):,}"
    return f"{some} of the {total} can be acted on (resolved)."
