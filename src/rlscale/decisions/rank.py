"""Which recipe to fund: by the forecast at a common compute, not by how the runs look early.

Every probability is over the posteriors of independent recipes, computed from their distributions and not by sampling.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from rlscale.errors import InputError
from rlscale.inference.fit import Fit
from rlscale.inference.forecast import Interval
from rlscale.inference.least_squares import least_squares
from rlscale.inference.pool import Level, SeedSpread, pooled_level, seed_spread
from rlscale.inference.posterior import Posterior, weighted_quantiles
from rlscale.inference.verdict import Verdict, VerdictName

__all__ = ["Pair", "PublishedCheck", "Ranking", "RecipeRank", "rank"]

Floats = NDArray[np.float64]

#: A recipe leaves the group of the leader when the leader is better with this probability.
SEPARATED = 0.95
#: An early leader that loses at the target with this probability is a trap.
TRAP = 0.8
#: Without a target, rank at this multiple of the largest last compute: the range the model error was measured on.
AHEAD = 4.0
#: Published margin on ``A`` (ScaleRL, arXiv 2510.13786, A.5), as a share of the range.
PUBLISHED_MARGIN = 0.02
#: With more recipes than this, pairs are each against the best only.
ALL_PAIRS = 50


@dataclass(frozen=True)
class RecipeRank:
    """One recipe's place.

    Parameters
    ----------
    recipe : str
    runs : tuple of str
    verdict : Verdict
        Of its middle run, where there are several.
    p_best : float, optional
        Probability of the highest level at the common compute; None where nothing was fitted.
    group : int, optional
        1 for what cannot be told apart from the leader, 2 for the next, ...
    A, B, forecast : Interval, optional
        Pooled ceiling, efficiency exponent, and level at the common compute.
    expected_regret : float, optional
        ``E[max over recipes - this]``, in reward.
    """

    recipe: str
    runs: tuple[str, ...]
    verdict: Verdict
    p_best: float | None
    group: int | None
    A: Interval | None
    B: Interval | None
    forecast: Interval | None
    expected_regret: float | None


@dataclass(frozen=True)
class PublishedCheck:
    """The two published rules, as a cross-check on least-squares fits of the first run of each recipe.

    Parameters
    ----------
    A_a, A_b : float
        Least-squares ceilings.
    tie : bool
        They differ by no more than .02 of the range.
    B_a, B_b : float, optional
        For a tie, ``B`` refitted with both ceilings held at their mean.
    """

    A_a: float
    A_b: float
    tie: bool
    B_a: float | None
    B_b: float | None


@dataclass(frozen=True)
class Pair:
    """Two recipes side by side.

    Parameters
    ----------
    a, b : str
    p_a_better : float
        Probability that ``a`` has the higher level at the common compute.
    crossing : float, optional
        Compute at which the median curves last cross, in the common unit.
    early_leader : str
        The recipe with the higher posterior mean at their smallest common last compute.
    trap : bool
        The early leader loses at the common compute with probability .8 or more.
    published : PublishedCheck, optional
        None where only pairs against the best were asked of very many recipes.
    """

    a: str
    b: str
    p_a_better: float
    crossing: float | None
    early_leader: str
    trap: bool
    published: PublishedCheck | None


@dataclass(frozen=True)
class Ranking:
    """Recipes from best to worst.

    Parameters
    ----------
    at : float
        The common compute; ``inf`` for the asymptote.
    unit : str
    recipes : tuple of RecipeRank
    pairs : tuple of Pair
    seed_sd : SeedSpread
    claim : str
        ``recipes`` where the run-to-run sd is included, ``runs`` where it is not (``seed_sd`` 0).
    notes : tuple of str
    """

    at: float
    unit: str
    recipes: tuple[RecipeRank, ...]
    pairs: tuple[Pair, ...]
    seed_sd: SeedSpread
    claim: str
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Recipe:
    """A recipe's runs, fitted."""

    name: str
    fits: tuple[Fit, ...]
    posteriors: tuple[Posterior, ...]
    verdict: Verdict
    level: Level | None
    ceiling: Level | None


def rank(
    fits: Sequence[Fit], *, target: float | None = None, seed_sd: float | None = None, all_pairs: bool = False
) -> Ranking:
    """Rank the recipes of several fitted runs.

    Parameters
    ----------
    fits : sequence of Fit
        Runs with one unit and one metric range; runs of one recipe are pooled.
    target : float, optional
        The common compute, in the runs' unit; ``inf`` ranks by ``A``; default 4 times the largest last compute.
    seed_sd : float, optional
        Run-to-run sd as a share of the range; learned from replicates, or .03, by default; 0 claims runs only.
    all_pairs : bool
        Every pair, however many recipes.

    Raises
    ------
    InputError
        No runs, mixed units or bounds, a target that is not above 0, a negative seed sd.
    """
    _check(fits, target, seed_sd)
    unit = fits[0].run.curve.unit
    names = list(dict.fromkeys(fit.run.recipe for fit in fits))
    grouped = [tuple(fit for fit in fits if fit.run.recipe == name) for name in names]
    posteriors = [tuple(fit.posterior for fit in group if fit.posterior is not None) for group in grouped]
    spread = seed_spread(posteriors, seed_sd)
    last = [run.curve.compute_last for runs in posteriors for run in runs]
    at = target if target is not None else AHEAD * max(last, default=fits[0].run.curve.compute_last)
    recipes = [
        _recipe(name, group, runs, at, spread.value)
        for name, group, runs in zip(names, grouped, posteriors, strict=True)
    ]
    placed = _placed(recipes)
    return Ranking(
        at=at,
        unit=unit,
        recipes=placed,
        pairs=_pairs(recipes, placed, at, all_pairs),
        seed_sd=spread,
        claim="runs" if spread.value == 0.0 else "recipes",
        notes=_notes(placed, at),
    )


def _check(fits: Sequence[Fit], target: float | None, seed_sd: float | None) -> None:
    if not fits:
        raise InputError("nothing to rank: no runs were given")
    for what in ("unit", "bounds"):
        found = {getattr(fit.run.curve, what) for fit in fits}
        if len(found) > 1:
            raise InputError(f"the runs have several {what} ({', '.join(map(str, sorted(found)))}); rank them apart")
    if target is not None and not target > 0:
        raise InputError(f"--target {target:g} is not a compute above 0; give one, or inf for the asymptote")
    if seed_sd is not None and not 0 <= seed_sd < np.inf:
        raise InputError(f"--seed-sd {seed_sd:g} is not a size; give a share of the range, 0 or more")


def _recipe(name: str, fits: tuple[Fit, ...], runs: tuple[Posterior, ...], at: float, tau: float) -> _Recipe:
    return _Recipe(
        name=name,
        fits=fits,
        posteriors=runs,
        verdict=_middle_verdict(fits),
        level=pooled_level(runs, at, tau) if runs else None,
        ceiling=pooled_level(runs, np.inf, tau) if runs else None,
    )


def _middle_verdict(fits: Sequence[Fit]) -> Verdict:
    """Return the (lower) middle verdict: at least half of the runs support as much."""
    order = list(VerdictName)
    ordered = sorted((fit.verdict for fit in fits), key=lambda verdict: order.index(verdict.name))
    return ordered[(len(ordered) - 1) // 2]


def _placed(recipes: Sequence[_Recipe]) -> tuple[RecipeRank, ...]:
    """Order the recipes, give out groups, and compute P(best) and the expected regret."""
    fitted = [recipe for recipe in recipes if recipe.level is not None]
    best = _best([recipe.level for recipe in fitted if recipe.level is not None])
    numbers = {recipe.name: pair for recipe, pair in zip(fitted, best, strict=True)}
    fitted.sort(key=lambda r: (not r.verdict.ranks, -_median(r)))
    groups = _groups(fitted)
    unfitted = [recipe for recipe in recipes if recipe.level is None]
    rows = []
    for recipe in [*fitted, *unfitted]:
        p_best, regret = numbers.get(recipe.name, (None, None))
        rows.append(
            RecipeRank(
                recipe=recipe.name,
                runs=tuple(fit.run.name for fit in recipe.fits),
                verdict=recipe.verdict,
                p_best=p_best,
                group=groups.get(recipe.name),
                A=None if recipe.ceiling is None else recipe.ceiling.interval,
                B=_exponent(recipe.posteriors),
                forecast=None if recipe.level is None else recipe.level.interval,
                expected_regret=regret,
            )
        )
    return tuple(rows)


def _median(recipe: _Recipe) -> float:
    assert recipe.level is not None
    return recipe.level.interval.q50


def _best(levels: Sequence[Level]) -> list[tuple[float, float]]:
    """P(best) and expected regret of independent levels: ``int dF_i prod_(j != i) F_j`` and ``E[max] - E[i]``."""
    if not levels:
        return []
    low = min(level.values[0] for level in levels)
    high = max(level.values[-1] for level in levels)
    edges = np.linspace(low - 1e-9, high + 1e-9, 4001)
    cdf = np.stack([level.cdf(edges) for level in levels])
    log_cdf = np.log(np.maximum(cdf, 1e-300))
    total = log_cdf.sum(axis=0)
    highest = float(edges[-1] - np.trapezoid(np.exp(total), edges))
    shares = []
    for own, log_own in zip(cdf, log_cdf, strict=True):
        others = np.exp(total - log_own)
        shares.append(float(np.sum(np.diff(own) * 0.5 * (others[1:] + others[:-1]))))
    scale = sum(shares)
    return [(share / scale, max(highest - level.mean, 0.0)) for share, level in zip(shares, levels, strict=True)]


def _groups(ordered: Sequence[_Recipe]) -> dict[str, int]:
    """Group 1: all that the leader does not beat with probability .95; group 2: the same for who is left; ..."""
    groups: dict[str, int] = {}
    left, number = list(ordered), 0
    while left:
        number += 1
        leader = left[0]
        same = [r for r in left if r is leader or _p_better(leader, r) < SEPARATED]
        groups.update({recipe.name: number for recipe in same})
        left = [recipe for recipe in left if recipe.name not in groups]
    return groups


def _p_better(a: _Recipe, b: _Recipe) -> float:
    assert a.level is not None
    assert b.level is not None
    return float(np.clip(a.level.weight @ b.level.cdf(a.level.values), 0.0, 1.0))


def _exponent(runs: Sequence[Posterior]) -> Interval | None:
    if not runs:
        return None
    values = np.concatenate([run.exponent for run in runs])
    weight = np.concatenate([run.weight for run in runs]) / len(runs)
    low, middle, high = weighted_quantiles(values, weight, (0.1, 0.5, 0.9))
    return Interval(float(low), float(middle), float(high))


def _pairs(recipes: Sequence[_Recipe], placed: Sequence[RecipeRank], at: float, all_pairs: bool) -> tuple[Pair, ...]:
    by_name = {recipe.name: recipe for recipe in recipes}
    ordered = [by_name[row.recipe] for row in placed if by_name[row.recipe].level is not None]
    if all_pairs or len(ordered) <= ALL_PAIRS:
        wanted = list(combinations(ordered, 2))
    else:
        wanted = [(ordered[0], other) for other in ordered[1:]]
    first = min((_first_compute(r) for r in ordered), default=1.0)
    last = max((run.curve.compute_last for r in ordered for run in r.posteriors), default=1.0)
    horizon = 16.0 * AHEAD * last if np.isinf(at) else max(at, last)
    grid = np.geomspace(first, horizon, 96)
    medians = {recipe.name: _median_curve(recipe, grid) for recipe in ordered}
    points: dict[str, float] = {}
    if all_pairs or len(ordered) <= ALL_PAIRS:
        points = {recipe.name: least_squares(recipe.posteriors[0].curve).A for recipe in ordered}
    return tuple(_pair(a, b, grid, medians, points) for a, b in wanted)


def _first_compute(recipe: _Recipe) -> float:
    return min(float(run.curve.compute[run.curve.compute > 0][0]) for run in recipe.posteriors)


def _median_curve(recipe: _Recipe, grid: Floats) -> Floats:
    """Median curve of a recipe on ``grid``, shape (k,): the mean of its runs' medians."""
    curves = []
    for run in recipe.posteriors:
        cumulative = np.cumsum(run.weight)
        # a few hundred equally weighted draws pin a median curve, at a tenth of the cost of all of them
        picked = np.searchsorted(cumulative, (np.arange(257) + 0.5) / 257 * cumulative[-1])
        d = run.draws
        z = d.b[picked, None] * (np.log(grid / run.curve.compute_last) - d.m[picked, None])
        rewards = d.baseline[picked, None] + d.gain[picked, None] * run.family.rise(z)
        curves.append(run.curve.bounds[0] + run.curve.range * np.median(rewards, axis=0))
    return np.asarray(np.mean(curves, axis=0))


def _pair(a: _Recipe, b: _Recipe, grid: Floats, medians: dict[str, Floats], points: dict[str, float]) -> Pair:
    p_a_better = _p_better(a, b)
    common = min(run.curve.compute_last for recipe in (a, b) for run in recipe.posteriors)
    early_a, early_b = _early(a, common), _early(b, common)
    leader_is_a = early_a >= early_b
    p_leader = p_a_better if leader_is_a else 1.0 - p_a_better
    return Pair(
        a=a.name,
        b=b.name,
        p_a_better=p_a_better,
        crossing=_crossing(grid, medians[a.name] - medians[b.name]),
        early_leader=a.name if leader_is_a else b.name,
        trap=1.0 - p_leader >= TRAP,
        published=_published(a, b, points) if points else None,
    )


def _early(recipe: _Recipe, compute: float) -> float:
    return float(np.mean([run.mean(run.reward([compute])[:, 0]) for run in recipe.posteriors]))


def _crossing(grid: Floats, difference: Floats) -> float | None:
    """Last sign change of ``difference`` along ``grid``, linear in log compute."""
    signs = np.sign(difference)
    changes = np.flatnonzero(signs[1:] * signs[:-1] < 0)
    if not changes.size:
        return None
    i = changes[-1]
    share = difference[i] / (difference[i] - difference[i + 1])
    return float(grid[i] * (grid[i + 1] / grid[i]) ** share)


def _published(a: _Recipe, b: _Recipe, points: dict[str, float]) -> PublishedCheck:
    curve_a, curve_b = a.posteriors[0].curve, b.posteriors[0].curve
    ceiling_a, ceiling_b = points[a.name], points[b.name]
    tie = abs(ceiling_a - ceiling_b) <= PUBLISHED_MARGIN * curve_a.range
    if not tie:
        return PublishedCheck(ceiling_a, ceiling_b, False, None, None)
    shared = 0.5 * (ceiling_a + ceiling_b)
    refit_a, refit_b = (least_squares(curve, asymptote=shared) for curve in (curve_a, curve_b))
    return PublishedCheck(ceiling_a, ceiling_b, True, refit_a.B, refit_b.B)


def _notes(placed: Sequence[RecipeRank], at: float) -> tuple[str, ...]:
    notes = []
    ranked = [row for row in placed if row.A is not None and row.forecast is not None and row.verdict.ranks]
    if not ranked:
        notes.append("no run shows learning yet: the order below says nothing")
    elif not np.isinf(at):
        highest = max(ranked, key=lambda row: row.A.q50 if row.A else -np.inf)
        if highest.recipe != ranked[0].recipe:
            notes.append(
                f"{highest.recipe} has the highest ceiling, {ranked[0].recipe} leads at {at:.4g}: "
                "slow runs with a high ceiling may never get there (--target inf ranks by ceiling)"
            )
    return tuple(notes)
