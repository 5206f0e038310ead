"""What compute buys: the compute to reach a reward, the next doubling, crossings, and the split of a budget."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from rlscale.curves import Curve, Run
from rlscale.decisions.plan.answer import Plan, RecipePlan, Split
from rlscale.decisions.plan.crossings import crossings
from rlscale.decisions.plan.doubling import doublings
from rlscale.decisions.plan.learning_rate import learning_rate
from rlscale.decisions.plan.reach import reach
from rlscale.decisions.plan.spends import pretraining_share
from rlscale.decisions.plan.split import split
from rlscale.decisions.rank import AHEAD, rank
from rlscale.decisions.ranking import RecipeRank
from rlscale.decisions.runs import by_recipe, check_seed_sd, on_one_axis
from rlscale.errors import InputError
from rlscale.inference.entry import fits_of
from rlscale.inference.fit import Fit, FitOptions
from rlscale.inference.posterior import Posterior
from rlscale.inference.verdict import VerdictName
from rlscale.keywords import checked_keywords
from rlscale.left_out import lacked

__all__ = ["plan"]

#: What a doubling has to gain to be worth it, as a share of the range.
WORTH = 0.01
#: A recipe that is the best with a smaller probability is not explored further.
CANDIDATE = 0.02

_Posteriors = Mapping[str, Sequence[Posterior]]


@checked_keywords
def plan(
    fits: Iterable[Fit | Run | Curve],
    *,
    reward: float | None = None,
    budget: float | None = None,
    price: float | None = None,
    pretraining: float | None = None,
    worth: float = WORTH,
    lr_anchor: tuple[float, float] | None = None,
    batch: float | None = None,
    seed_sd: float | None = None,
    options: FitOptions | None = None,
) -> Plan:
    """Plan compute: what it takes to reach a reward, and what more of it buys.

    Parameters
    ----------
    fits : iterable of Fit, or of Run or Curve, which are fitted
        With one unit, one metric and its range; runs of one recipe are pooled, as in ``rank``.
    reward : float, optional
        The noise-free reward to reach, inside the bounds of the metric.
    budget : float, optional
        Compute that the furthest run would reach if it got all that is left, in the runs' unit.
    price : float, optional
        Dollars for one unit of compute; not of compute that is in dollars itself.
    pretraining : float, optional
        Compute of pretraining, in the runs' unit.
    worth : float
        What a doubling, or exploring longer, has to gain, as a share of the range.
    lr_anchor : (float, float), optional
        A learning rate and the total batch at which it works; with ``batch``.
    batch : float, optional
        The total batch for which a learning rate is wanted.
    seed_sd : float, optional
        As in ``rank``: run-to-run sd as a share of the range; 0 claims these runs only.
    options : FitOptions, optional
        How runs that are not fitted yet are.

    Raises
    ------
    InputError
        No runs, mixed units, metrics or bounds; a reward outside the bounds; a budget, a price, a compute of
        pretraining or a worth that is not above 0; a price of dollars; half of ``lr_anchor`` and ``batch``.

    Examples
    --------
    >>> import rlscale
    >>> from rlscale.decisions.plan import plan
    >>> answer = plan(rlscale.read("bundled"), reward=0.8)
    >>> reach = answer.recipes[0].reach
    >>> reach.reward, reach.compute is not None
    (0.8, True)
    """
    left_out = lacked(fits)
    fitted = fits_of(fits, "plan", options)
    runs = [fit.run for fit in fitted]
    on_one_axis(runs, "plan", ("unit", "clock", "metric", "frame"))
    check_seed_sd(seed_sd)
    _check_sizes(runs[0].curve.unit, budget=budget, price=price, pretraining=pretraining, worth=worth)
    if reward is not None:
        _check_reward(reward, [run.curve for run in runs])
    rate = learning_rate(lr_anchor, batch)
    per_unit = _price(price, runs[0].curve.unit)
    groups = by_recipe(runs)
    known: _Posteriors = {
        name: [fit.posterior for fit in (fitted[i] for i in places) if fit.posterior is not None]
        for name, places in groups.items()
    }
    last = max((run.curve.compute_last for own in known.values() for run in own), default=runs[0].curve.compute_last)
    at = AHEAD * last if budget is None else budget
    ranking = rank(fitted, target=at, seed_sd=seed_sd)
    tau = ranking.seed_sd.value
    rows = tuple(
        _recipe(
            row, known[row.recipe], runs[0].curve, reward=reward, budget=budget, price=per_unit, worth=worth, tau=tau
        )
        for row in ranking.recipes
    )
    sharing, why = _split(ranking.recipes, known, budget, last, worth * runs[0].curve.range)
    return Plan(
        reward=reward,
        budget=budget,
        price=price,
        worth=worth,
        at=at,
        unit=ranking.unit,
        recipes=rows,
        crossings=crossings([(row.recipe, known[row.recipe]) for row in ranking.recipes if known[row.recipe]], at, tau),
        split=sharing,
        split_reason=why,
        pretraining=None if pretraining is None else pretraining_share(budget or last, pretraining, ranking.unit),
        lr=rate,
        seed_sd=ranking.seed_sd,
        claim=ranking.claim,
        notes=(*ranking.notes, *_notes(runs[0].curve, reward, budget, last)),
        fits=tuple(fitted),
        left_out=left_out,
    )


def _check_sizes(unit: str, **sizes: float | None) -> None:
    """Refuse what is no finite size above 0."""
    nouns = {
        "budget": f"a compute above 0; give one, in {unit}",
        "price": f"a price above 0; give the dollars for one unit of compute, in {unit}",
        "pretraining": f"a compute above 0; give that of pretraining, in {unit}",
        "worth": "a share above 0; give the share of the range that a doubling has to gain",
    }
    for name, value in sizes.items():
        if value is not None and not 0.0 < value < np.inf:
            raise InputError(f"--{name} {value:g} is not {nouns[name]}", parameter=name)


def _price(price: float | None, unit: str) -> float | None:
    """Return the dollars for one unit of compute."""
    if unit != "dollars":
        return price
    if price is not None:
        raise InputError(f"--price {price:g} is for compute in another unit, and this is in dollars; leave it out")
    return 1.0


def _check_reward(reward: float, curves: Sequence[Curve]) -> None:
    """Refuse a reward that no curve can have inside the bounds; open ones refuse none that is finite."""
    if not np.isfinite(reward):
        raise InputError(f"--reward {reward:g} is not a reward; give a finite one", parameter="reward")
    if any(curve.open is not None for curve in curves):
        return
    low, high = min(curve.bounds[0] for curve in curves), max(curve.bounds[1] for curve in curves)
    if reward > high:
        raise InputError(
            f"--reward {reward:g} lies above the highest possible reward, {high:g}: no compute reaches it; "
            "give a lower one, or the bounds of the metric with --bounds LO HI",
            parameter="reward",
        )
    if reward <= low:
        raise InputError(
            f"--reward {reward:g} is not above the lowest possible reward, {low:g}: it takes no compute; "
            "give a higher one, or the bounds of the metric with --bounds LO HI",
            parameter="reward",
        )


def _recipe(
    row: RecipeRank,
    runs: Sequence[Posterior],
    curve: Curve,
    *,
    reward: float | None,
    budget: float | None,
    price: float | None,
    worth: float,
    tau: float,
) -> RecipePlan:
    """Return the plan of one recipe; of one that was not fitted its verdict alone."""
    if not runs:
        return RecipePlan(
            row.recipe, row.runs, row.verdict, None, None, None, None, (), None, None, (row.verdict.reason,)
        )
    last = max(run.curve.compute_last for run in runs)
    buys, until = doublings(runs, worth * curve.range, price=price, unit=curve.unit)
    return RecipePlan(
        recipe=row.recipe,
        runs=row.runs,
        verdict=row.verdict,
        compute_last=last,
        p_best=row.p_best,
        reach=None if reward is None else reach(runs, reward, tau=tau, budget=budget, unit=curve.unit),
        next_doubling=buys[0],
        later_doublings=buys[1:],
        worth_until=until,
        forecast=row.forecast,
        notes=_limits(row, until.q50 <= last, last, curve.unit),
    )


def _limits(row: RecipeRank, worthless: bool, last: float, unit: str) -> tuple[str, ...]:
    notes = []
    if row.verdict.name is VerdictName.NO_LEARNING:
        notes.append("no learning shows: the numbers for more compute rest on the priors")
    if row.verdict.name in (VerdictName.COLLAPSED, VerdictName.REGIME_CHANGE):
        notes.append(f"the run has left the curve that was fitted up to {last:.4g} {unit}; going on may not follow it")
    if worthless:
        notes.append("already the next doubling gains less than is worth it")
    return tuple(notes)


def _split(
    rows: Sequence[RecipeRank], known: _Posteriors, budget: float | None, last: float, worth: float
) -> tuple[Split | None, str]:
    """Return how to split what is left of the budget, or why not."""
    fitted = [row for row in rows if known[row.recipe]]
    if budget is None:
        return None, ""
    if len(fitted) < 2:
        return None, "fewer than two recipes could be fitted: there is nothing to choose"
    if budget <= last:
        return None, f"the budget, {budget:.4g}, is spent: a run has got to {last:.4g} already"
    candidates = [row for row in fitted if (row.p_best or 0.0) >= CANDIDATE] or fitted[:1]
    return split([(row.recipe, known[row.recipe]) for row in candidates], budget - last, worth), ""


def _notes(curve: Curve, reward: float | None, budget: float | None, last: float) -> tuple[str, ...]:
    notes = []
    if reward is not None and curve.bounds == (0.0, 100.0) and reward <= 1.0:
        notes.append(f"rewards are in percent here: {reward:g} is {reward:g} %")
    if budget is not None and budget <= last:
        notes.append(f"the budget, {budget:.4g} {curve.unit}, lies within what has been run")
    return tuple(notes)
