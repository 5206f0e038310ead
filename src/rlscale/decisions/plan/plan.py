"""What compute buys: the compute to reach a reward, the next doubling, crossings, and the split of a budget."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from rlscale.curves import Curve, Run
from rlscale.decisions.arguments import check_numbers, check_pair
from rlscale.decisions.plan.answer import Plan, RecipePlan, Split
from rlscale.decisions.plan.crossings import crossings
from rlscale.decisions.plan.doubling import doublings
from rlscale.decisions.plan.learning_rate import learning_rate
from rlscale.decisions.plan.reach import reach
from rlscale.decisions.plan.spends import pretraining_share
from rlscale.decisions.plan.split import split
from rlscale.decisions.rank import AHEAD, UNORDERED, rank
from rlscale.decisions.ranking import Ranking, RecipeRank
from rlscale.decisions.runs import by_recipe, check_seed_sd, on_one_axis
from rlscale.errors import InputError
from rlscale.inference.entry import fits_of
from rlscale.inference.fit import Fit, FitOptions
from rlscale.inference.grounds import FEWEST
from rlscale.inference.posterior import Posterior
from rlscale.inference.subject import FAR
from rlscale.inference.verdict import VerdictName
from rlscale.keywords import checked_keywords
from rlscale.left_out import LeftOut, lacked
from rlscale.numerals import quantity

__all__ = ["plan"]

#: What a doubling has to gain to be worth it, as a share of the range.
WORTH = 0.01
#: A recipe that is the best with a smaller probability is not explored further.
CANDIDATE = 0.02
#: Parts of notes by which they are known: too few evaluations, a budget beyond what forecasts were measured on.
FEW, FAR_BUDGET = "no answer is acted on before", "the budget is"
#: Verdicts of runs that have left their curve, in words.
BROKEN = {VerdictName.COLLAPSED: "it has collapsed", VerdictName.REGIME_CHANGE: "it has changed regime"}

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
        What is no number; no runs, mixed units, metrics or bounds; a reward outside the bounds; a budget, a price, a
        compute of pretraining or a worth that is not above 0; a price of dollars; half of ``lr_anchor`` and ``batch``.

    Examples
    --------
    >>> import rlscale
    >>> from rlscale.decisions.plan import plan
    >>> answer = plan(rlscale.read("bundled"), reward=0.8)
    >>> reach = answer.recipes[0].reach
    >>> reach.reward, reach.compute is not None
    (0.8, True)
    """
    check_numbers(
        reward=reward, budget=budget, price=price, pretraining=pretraining, worth=worth, batch=batch, seed_sd=seed_sd
    )
    check_pair("lr_anchor", lr_anchor)
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
    lasts = _lasts(fitted, groups)
    last = max(lasts.values(), default=runs[0].curve.compute_last)
    at = AHEAD * last if budget is None else budget
    ranking = rank(fitted, target=at, seed_sd=seed_sd)
    tau = ranking.seed_sd.value
    rows = tuple(
        _recipe(
            row,
            known[row.recipe],
            runs[0].curve,
            last=lasts.get(row.recipe, 0.0),
            reward=reward,
            budget=budget,
            price=per_unit,
            worth=worth,
            tau=tau,
        )
        for row in ranking.recipes
    )
    sharing, why = _split(ranking.recipes, known, budget, lasts, worth * runs[0].curve.range)
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
        notes=_notes(ranking, known, runs[0].curve, reward, budget, last),
        fits=tuple(fitted),
        left_out=(*left_out, *_unfitted(fitted)),
    )


def _lasts(fitted: Sequence[Fit], groups: Mapping[str, Sequence[int]]) -> dict[str, float]:
    """Return what each recipe that was fitted has been run to; of a collapsed run less was fitted."""
    known = {name: [fitted[i] for i in places if fitted[i].posterior is not None] for name, places in groups.items()}
    return {name: max(fit.run.curve.compute_last for fit in own) for name, own in known.items() if own}


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
    last: float,
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
    buys, until = doublings(runs, worth * curve.range, last=last, price=price, unit=curve.unit)
    return RecipePlan(
        recipe=row.recipe,
        runs=row.runs,
        verdict=row.verdict,
        compute_last=last,
        p_best=row.p_best,
        reach=None if reward is None else reach(runs, reward, tau=tau, budget=budget, last=last, unit=curve.unit),
        next_doubling=buys[0],
        later_doublings=buys[1:],
        worth_until=until,
        forecast=row.forecast,
        notes=_limits(row, runs, until.q50 <= last),
    )


def _limits(row: RecipeRank, runs: Sequence[Posterior], worthless: bool) -> tuple[str, ...]:
    notes = []
    if row.verdict.name in BROKEN:
        notes.append(f"{BROKEN[row.verdict.name]}. {row.verdict.reason.rstrip('.')}")
    most = max(run.curve.n_points for run in runs)
    if most < FEWEST:
        notes.append(f"only {most} evaluations: {FEW} {FEWEST}")
    if row.verdict.name is VerdictName.NO_LEARNING:
        notes.append("no learning shows: the numbers for more compute rest on the priors")
    if worthless:
        notes.append("already the next doubling probably gains less than is worth it")
    return tuple(notes)


def _unfitted(fitted: Sequence[Fit]) -> Iterator[LeftOut]:
    """Return the runs that are in no number of the plan."""
    for fit in fitted:
        if fit.posterior is None:
            path = "" if fit.run.source is None else fit.run.source.path
            yield LeftOut(fit.run.name, path, fit.verdict.why, False)


def _split(
    rows: Sequence[RecipeRank], known: _Posteriors, budget: float | None, lasts: Mapping[str, float], worth: float
) -> tuple[Split | None, str]:
    """Return how to split what is left of the budget, or why not."""
    fitted = [row for row in rows if known[row.recipe]]
    if budget is None:
        return None, ""
    if len(fitted) < 2:
        return None, "fewer than two recipes could be fitted: there is nothing to choose"
    last = max(lasts.values())
    if budget <= last:
        return None, f"the budget, {quantity(budget)}, is spent: a run has got to {quantity(last)} already"
    ranked = [row for row in fitted if row.verdict.ranks]
    if not ranked:
        return None, "no run shows learning yet, so nothing says which to choose"
    candidates = [row for row in ranked if (row.p_best or 0.0) >= CANDIDATE] or ranked[:1]
    return split([(row.recipe, known[row.recipe]) for row in candidates], budget - last, worth, lasts), ""


def _notes(
    ranking: Ranking,
    known: _Posteriors,
    curve: Curve,
    reward: float | None,
    budget: float | None,
    last: float,
) -> tuple[str, ...]:
    """Return the notes of the ranking, its target being the budget, and those of a plan."""
    alone = sum(bool(own) for own in known.values()) < 2
    notes = [note for note in ranking.notes if not note.startswith("the target ") and not (alone and note == UNORDERED)]
    if reward is not None and curve.bounds == (0.0, 100.0) and reward <= 1.0:
        notes.append(f"rewards are in percent here: {reward:g} is {reward:g} %")
    if budget is not None and budget <= last:
        notes.append(f"the budget, {quantity(budget, curve.unit)}, lies within what has been run")
    if budget is not None and budget > FAR * last:
        notes.append(
            f"{FAR_BUDGET} {quantity(budget / last)} times the last compute: forecasts were measured up to {FAR:g} "
            "times; read it as a guess, or give a nearer one"
        )
    return tuple(notes)
