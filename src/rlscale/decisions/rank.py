"""Which recipe to fund: by the forecast at a common compute, not by how the runs look early.

Every probability is over the posteriors of independent recipes, computed from their distributions and not by sampling.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rlscale.decisions.contender import Contender, contender, middle_verdict
from rlscale.decisions.pairs import Pair, compared
from rlscale.errors import InputError
from rlscale.inference.fit import Fit
from rlscale.inference.forecast import Interval, interval
from rlscale.inference.pool import Level, SeedSpread, seed_spread
from rlscale.inference.posterior import Posterior
from rlscale.inference.verdict import Verdict, VerdictName

__all__ = ["Ranking", "RecipeRank", "rank"]

Floats = NDArray[np.float64]

#: A recipe leaves the group of the leader when the leader is better with this probability.
SEPARATED = 0.95
#: Without a target, rank at this multiple of the largest last compute: the range the model error was measured on.
AHEAD = 4.0


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
    by_recipe: dict[str, list[Fit]] = {}
    for fit in fits:
        by_recipe.setdefault(fit.run.recipe, []).append(fit)
    spread = seed_spread([_healthy(group) for group in by_recipe.values()], seed_sd)
    last = [fit.run.curve.compute_last for fit in fits if fit.posterior]
    at = target if target is not None else AHEAD * max(last, default=fits[0].run.curve.compute_last)
    found = {name: contender(name, tuple(group), at, spread.value) for name, group in by_recipe.items()}
    ordered = sorted(filter(None, found.values()), key=lambda one: (not one.verdict.ranks, -one.median))
    placed = (*_placed(ordered), *(_unfitted(name, by_recipe[name]) for name in found if found[name] is None))
    return Ranking(
        at=at,
        unit=unit,
        recipes=placed,
        pairs=compared(ordered, at, all_pairs),
        seed_sd=spread,
        claim="runs" if spread.value == 0.0 else "recipes",
        notes=_notes(placed, by_recipe, at),
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


def _placed(ordered: Sequence[Contender]) -> list[RecipeRank]:
    """Give out groups, P(best) and expected regret to the contenders, best first."""
    groups = _groups(ordered)
    return [
        RecipeRank(
            recipe=one.name,
            runs=tuple(fit.run.name for fit in one.fits),
            verdict=one.verdict,
            p_best=p_best,
            group=groups[one.name],
            A=one.ceiling.interval,
            B=_exponent(one.posteriors),
            forecast=one.level.interval,
            expected_regret=regret,
        )
        for one, (p_best, regret) in zip(ordered, _best([one.level for one in ordered]), strict=True)
    ]


def _unfitted(name: str, fits: Sequence[Fit]) -> RecipeRank:
    return RecipeRank(
        recipe=name,
        runs=tuple(fit.run.name for fit in fits),
        verdict=middle_verdict(fits),
        p_best=None,
        group=None,
        A=None,
        B=None,
        forecast=None,
        expected_regret=None,
    )


def _best(levels: Sequence[Level]) -> list[tuple[float, float]]:
    """P(best) and expected regret of independent levels: ``int dF_i prod_(j != i) F_j`` and ``E[max] - E[i]``."""
    if len(levels) < 2:
        return [(1.0, 0.0) for _ in levels]
    low = min(level.values[0] for level in levels)
    high = max(level.values[-1] for level in levels)
    margin = 1e-9 * (high - low) + 1e-300
    edges = np.linspace(low - margin, high + margin, 4001)
    cdf = np.stack([level.cdf(edges) for level in levels])
    log_cdf = np.log(np.maximum(cdf, 1e-300))
    total = log_cdf.sum(axis=0)
    product = np.exp(total)
    highest = float(edges[-1] - np.sum(np.diff(edges) * 0.5 * (product[1:] + product[:-1])))
    shares = []
    for own, log_own in zip(cdf, log_cdf, strict=True):
        others = np.exp(total - log_own)
        shares.append(float(np.sum(np.diff(own) * 0.5 * (others[1:] + others[:-1]))))
    scale = sum(shares)
    return [(share / scale, max(highest - level.mean, 0.0)) for share, level in zip(shares, levels, strict=True)]


def _groups(ordered: Sequence[Contender]) -> dict[str, int]:
    """Group 1: all that the leader does not beat with probability .95; group 2: the same for who is left; ..."""
    groups: dict[str, int] = {}
    left, number = list(ordered), 0
    while left:
        number += 1
        leader = left[0]
        same = [r for r in left if r is leader or leader.p_better(r) < SEPARATED]
        groups.update({recipe.name: number for recipe in same})
        left = [recipe for recipe in left if recipe.name not in groups]
    return groups


def _exponent(runs: Sequence[Posterior]) -> Interval:
    runs = [run.component(run.leading) for run in runs]  # exponents of different families are no one quantity
    values = np.concatenate([run.exponent for run in runs])
    weight = np.concatenate([run.weight for run in runs]) / len(runs)
    return interval(values, weight)


def _healthy(fits: Sequence[Fit]) -> list[Posterior]:
    """Posteriors of the runs that learn and hold: a failed seed is no measure of how far good seeds scatter."""
    failed = (VerdictName.NO_LEARNING, VerdictName.COLLAPSED, VerdictName.REGIME_CHANGE)
    return [fit.posterior for fit in fits if fit.posterior is not None and fit.verdict.name not in failed]


def _notes(placed: Sequence[RecipeRank], by_recipe: Mapping[str, Sequence[Fit]], at: float) -> tuple[str, ...]:
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
    for recipe, fits in by_recipe.items():
        fallen = [fit.run.name for fit in fits if fit.posterior and fit.verdict.name is VerdictName.COLLAPSED]
        if fallen:
            notes.append(f"{', '.join(fallen)} collapsed: the forecast of {recipe} is of the part up to the peak")
        changed = [fit.run.name for fit in fits if fit.posterior and fit.verdict.name is VerdictName.REGIME_CHANGE]
        if changed:
            notes.append(f"{', '.join(changed)} changed regime: the forecast of {recipe} is not of the whole curve")
        unfitted = [fit.run.name for fit in fits if fit.posterior is None]
        if unfitted and len(unfitted) < len(fits):
            notes.append(f"{recipe} is ranked without {', '.join(unfitted)}: too few points to fit")
    return tuple(notes)
