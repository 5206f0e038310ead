"""Which recipe to fund: by the forecast at a common compute, not by how the runs look early.

Every probability is over the posteriors of independent recipes, computed from their distributions and not by sampling.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from rlscale.curves import Curve, Run
from rlscale.decisions.contender import Contender, Entry, Outcome, middle_verdict
from rlscale.decisions.pairs import commons, compared, everyone, grid
from rlscale.decisions.ranking import Ranking, RecipeRank
from rlscale.decisions.runs import by_recipe, check_seed_sd, on_one_axis
from rlscale.decisions.team import Block, Pooling, Team, Watch
from rlscale.errors import InputError
from rlscale.inference.best import best
from rlscale.inference.entry import fits_of
from rlscale.inference.fit import Fit, FitOptions
from rlscale.inference.pool import SeedSpread, learned_spread
from rlscale.inference.subject import far_off, lean
from rlscale.inference.verdict import Verdict, VerdictName
from rlscale.keywords import checked_keywords
from rlscale.left_out import lacked
from rlscale.numerals import quantity

__all__ = ["Ranking", "RecipeRank", "rank", "rank_best", "rank_runs"]

#: A recipe leaves the group of the leader when the leader is better with this probability.
SEPARATED = 0.95
#: Run-to-run sd, as a share of the range, above which runs of one recipe are hardly seeds of it.
UNLIKE_SEEDS = 0.1
#: Without a target, rank at this multiple of the largest last compute: the range the model error was measured on.
AHEAD = 4.0
#: A note: no order was found.
UNORDERED = "no run shows learning yet: the order below says nothing"
#: Runs fitted in one go by one process.
TOGETHER = 120


@checked_keywords
def rank(
    fits: Iterable[Fit | Run | Curve],
    *,
    target: float | None = None,
    seed_sd: float | None = None,
    all_pairs: bool = False,
    options: FitOptions | None = None,
) -> Ranking:
    """Rank the recipes of several runs.

    Parameters
    ----------
    fits : iterable of Fit, or of Run or Curve, which are fitted
        With one unit, one metric and its range; runs of one recipe are pooled.
    target : float, optional
        The common compute, in the runs' unit; ``inf`` ranks by ``A``; default 4 times the largest last compute.
    seed_sd : float, optional
        Run-to-run sd as a share of the range; learned from replicates, or .03, by default; 0 claims runs only.
    all_pairs : bool
        Every pair, however many recipes.
    options : FitOptions, optional
        How runs that are not fitted yet are.

    Raises
    ------
    InputError
        No runs, mixed units, metrics or bounds, a target that is not above 0, a negative seed sd.

    Examples
    --------
    >>> import rlscale
    >>> rlscale.rank(rlscale.read("bundled")).recipes[0].recipe
    'long10'
    """
    left_out = lacked(fits)
    fitted = fits_of(fits, "rank", options)
    runs = [fit.run for fit in fitted]
    _check(runs, target, seed_sd)
    with Team(fitted[0].options) as team:
        groups = by_recipe(runs)
        entries = {k: team.here.take(k, [fitted[i] for i in group]) for k, group in enumerate(groups.values())}
        return replace(_ranking(team, entries, runs, target, seed_sd, all_pairs), fits=tuple(fitted), left_out=left_out)


def rank_best(fits: Sequence[Fit], *, target: float | None = None, seed_sd: float | None = None) -> Ranking:
    """Rank fits with the pairs of the best recipe alone and without the published cross-check, which takes longest.

    Arguments, errors and numbers as of :func:`rank`.
    """
    runs = [fit.run for fit in fits]
    _check(runs, target, seed_sd)
    with Team(fits[0].options) as team:
        groups = by_recipe(runs)
        entries = {k: team.here.take(k, [fits[i] for i in group]) for k, group in enumerate(groups.values())}
        return _ranking(team, entries, runs, target, seed_sd, None)


def rank_runs(
    runs: Sequence[Run],
    options: FitOptions | None = None,
    *,
    target: float | None = None,
    seed_sd: float | None = None,
    all_pairs: bool = False,
    jobs: int = 1,
    watch: Watch | None = None,
) -> tuple[Ranking, tuple[Outcome, ...]]:
    """Fit runs and rank their recipes without keeping the fits: the numbers of :func:`rank`, for many runs.

    Parameters
    ----------
    runs : sequence of Run
    options : FitOptions, optional
    target, seed_sd, all_pairs
        As for :func:`rank`.
    jobs : int
        Processes; the numbers stay the same.
    watch : callable, optional
        Called with the runs fitted so far and all of them.

    Returns
    -------
    Ranking
    tuple of Outcome
        What was said of each run, in their order.

    Raises
    ------
    InputError
        As for :func:`rank`; a ``jobs`` that cannot be.
    """
    options = options or FitOptions()
    _check(runs, target, seed_sd)
    if jobs < 1:
        raise InputError(f"--jobs {jobs} is not a number of processes; give 1 or more")
    groups = by_recipe(runs)
    subjects = [lean(run, options) for run in runs]
    blocks = _blocks(subjects, groups)
    # no fit is asked for more than its verdict needs: the reward at the target, else the ceiling
    with Team(options, [np.inf if target is None else target], min(jobs, len(blocks))) as team:
        entries = team.fit(blocks, watch)
        ranking = _ranking(team, entries, runs, target, seed_sd, all_pairs)
    outcomes: dict[int, Outcome] = {}
    for k, group in enumerate(groups.values()):
        outcomes.update(zip(group, entries[k].outcomes, strict=True))
    # where curves were fitted, not runs, what reading said of them comes first, as in a fit
    said = [
        outcomes[i] if subjects[i] is run else replace(outcomes[i], warnings=(*run.warnings, *outcomes[i].warnings))
        for i, run in enumerate(runs)
    ]
    return ranking, tuple(said)


def _blocks(subjects: Sequence[Run | Curve], groups: Mapping[str, Sequence[int]]) -> list[Block]:
    """Split the recipes into blocks of some :data:`TOGETHER` runs, whatever the number of processes."""
    blocks: list[dict[int, list[Run | Curve]]] = []
    size = TOGETHER
    for k, group in enumerate(groups.values()):
        if size >= TOGETHER:
            blocks.append({})
            size = 0
        blocks[-1][k] = [subjects[i] for i in group]
        size += len(group)
    return list(blocks)


def _ranking(
    team: Team,
    entries: Mapping[int, Entry],
    runs: Sequence[Run],
    target: float | None,
    seed_sd: float | None,
    all_pairs: bool | None,
) -> Ranking:
    """Rank the recipes that a team has fitted; ``all_pairs`` None: pairs with the best only, however few there are."""
    groups = by_recipe(runs)
    told = [entries[k] for k in range(len(groups))]
    spread = learned_spread((one.scatter for one in told), seed_sd)
    last = [
        runs[i].curve.compute_last
        for group, one in zip(groups.values(), told, strict=True)
        for i, outcome in zip(group, one.outcomes, strict=True)
        if outcome.fitted
    ]
    at = target if target is not None else AHEAD * max(last, default=runs[0].curve.compute_last)
    named = {k: name for k, name in enumerate(groups) if told[k].fitted}
    every = all_pairs is not None and everyone(len(named), all_pairs)
    at_grid = grid(min(told[k].first for k in named), max(told[k].longest for k in named), at) if named else np.ones(1)
    shortest = min((told[k].shortest for k in named), default=0.0)
    found = team.pool(named, Pooling(at, spread.value, at_grid, with_curve=every, shortest=shortest))
    allowed = 2.0 * team.options.tolerance * runs[0].curve.range
    found = {k: _pooled(one, len(told[k].outcomes), allowed, at) for k, one in found.items()}
    # from the best down; of equal ones in the order of the runs
    ordered = sorted((found[k] for k in named), key=lambda one: (not one.verdict.ranks, -one.median))
    against_best = [ordered[0].p_better(one) for one in ordered] if ordered else []
    by_name = dict(zip(groups, told, strict=True))
    names = {name: tuple(runs[i].name for i in group) for name, group in groups.items()}
    placed = (
        *_placed(ordered, against_best, names),
        *(_unfitted(name, names[name], one) for name, one in by_name.items() if not one.fitted),
    )
    early = _early(team, ordered, {name: k for k, name in enumerate(groups)}, every)
    return Ranking(
        at=at,
        unit=runs[0].curve.unit,
        recipes=placed,
        pairs=compared(ordered, against_best, early, at_grid, every) if ordered else (),
        seed_sd=spread,
        claim="runs" if spread.value == 0.0 else "recipes",
        notes=(
            *far_off([max(last, default=runs[0].curve.compute_last)], [at], runs[0].curve.unit),
            *_notes(placed, by_name, names, at),
            *_scattered(spread),
        ),
    )


def _early(
    team: Team, ordered: Sequence[Contender], numbers: Mapping[str, int], every: bool
) -> dict[str, dict[float, float]]:
    """Return the posterior mean of each recipe where it meets another: most are known from pooling them."""
    if not ordered:
        return {}
    early = {one.name: {one.shortest: one.early} for one in ordered}
    wanted = {name: [c for c in computes if c not in early[name]] for name, computes in commons(ordered, every).items()}
    asked = {numbers[name]: computes for name, computes in wanted.items() if computes}
    answers = team.means(asked)
    for name, computes in wanted.items():
        if computes:
            early[name].update(zip(computes, answers[numbers[name]], strict=True))
    return early


def _check(runs: Sequence[Run], target: float | None, seed_sd: float | None) -> None:
    on_one_axis(runs, "rank", ("unit", "clock", "metric", "frame"))
    if target is not None and not target > 0:
        raise InputError(f"--target {target:g} is not a compute above 0; give one, or inf for the asymptote")
    check_seed_sd(seed_sd)


def _placed(
    ordered: Sequence[Contender], against_best: Sequence[float], names: Mapping[str, tuple[str, ...]]
) -> list[RecipeRank]:
    """Give out groups, P(best) and expected regret to the contenders, best first."""
    groups = _groups(ordered, against_best)
    return [
        RecipeRank(
            recipe=one.name,
            runs=names[one.name],
            verdict=one.verdict,
            p_best=p_best,
            group=groups[one.name],
            A=one.ceiling,
            B=one.exponent,
            forecast=one.level.interval,
            expected_regret=regret,
        )
        for one, (p_best, regret) in zip(ordered, best([one.level for one in ordered]), strict=True)
    ]


def _unfitted(name: str, runs: tuple[str, ...], told: Entry) -> RecipeRank:
    return RecipeRank(
        recipe=name,
        runs=runs,
        verdict=middle_verdict([one.verdict for one in told.outcomes]),
        p_best=None,
        group=None,
        A=None,
        B=None,
        forecast=None,
        expected_regret=None,
    )


def _groups(ordered: Sequence[Contender], against_best: Sequence[float]) -> dict[str, int]:
    """Group 1: all that the leader does not beat with probability .95; group 2: the same for who is left; ..."""
    groups: dict[str, int] = {}
    left, number = list(ordered), 0
    better = [p >= SEPARATED for p in against_best]
    while left:
        number += 1
        same = [recipe for recipe, apart in zip(left, better, strict=True) if recipe is left[0] or not apart]
        groups.update({recipe.name: number for recipe in same})
        left = [recipe for recipe in left if recipe.name not in groups]
        better = [left[0].is_better(recipe, SEPARATED) for recipe in left]
    return groups


def _pooled(one: Contender, runs: int, allowed: float, at: float) -> Contender:
    """Return a recipe of several runs, not ``resolved`` where its runs are and differ too much for it to be."""
    around = one.level.interval
    if runs < 2 or one.verdict.name is not VerdictName.RESOLVED or around.width <= allowed:
        return one
    asked = "ceiling" if np.isinf(at) else f"reward at {quantity(at)}"
    why = f"The {asked} of the recipe lies in {around.q10:.4g} to {around.q90:.4g} (80 %), wider than {allowed:.3g}"
    advice = "Use the interval, not the median; more seeds narrow it."
    return replace(one, verdict=Verdict(VerdictName.BENDING, f"{why}: its runs are resolved, and differ.", advice))


def _scattered(spread: SeedSpread) -> tuple[str, ...]:
    """Say so where the runs of recipes differ by more than seeds do."""
    if spread.source != "replicates" or spread.value <= UNLIKE_SEEDS:
        return ()
    return (
        f"runs of one recipe differ by {spread.value:.2g} of the range (sd), more than seeds do (.015 to .05): "
        "are they seeds of one recipe? --recipe says which runs belong together",
    )


def _notes(
    placed: Sequence[RecipeRank], told: Mapping[str, Entry], names: Mapping[str, Sequence[str]], at: float
) -> tuple[str, ...]:
    notes = []
    ranked = [row for row in placed if row.A is not None and row.forecast is not None and row.verdict.ranks]
    if not ranked:
        notes.append(UNORDERED)
    elif not np.isinf(at):
        highest = max(ranked, key=lambda row: row.A.q50 if row.A else -np.inf)
        if highest.recipe != ranked[0].recipe:
            notes.append(
                f"{highest.recipe} has the highest ceiling, {ranked[0].recipe} leads at {quantity(at)}: "
                "slow runs with a high ceiling may never get there (--target inf ranks by ceiling)"
            )
    for recipe, one in told.items():
        said = list(zip(names[recipe], one.outcomes, strict=True))
        fallen = [run for run, of in said if of.fitted and of.verdict.name is VerdictName.COLLAPSED]
        if fallen:
            notes.append(f"{', '.join(fallen)} collapsed: the fit of {recipe} covers the part up to the peak")
        changed = [run for run, of in said if of.fitted and of.verdict.name is VerdictName.REGIME_CHANGE]
        if changed:
            notes.append(f"{', '.join(changed)} changed regime: the forecast of {recipe} is not of the whole curve")
        unfitted = [run for run, of in said if not of.fitted]
        if one.fitted and unfitted:
            notes.append(f"{recipe} is ranked without {', '.join(unfitted)}: too few points to fit")
    return tuple(notes)
