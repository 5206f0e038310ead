"""The answer of a plan: plain values, one class for each question."""

from __future__ import annotations

from dataclasses import dataclass, field

from rlscale.curves.value import Value
from rlscale.decisions.plan.learning_rate import LearningRate
from rlscale.decisions.plan.spends import PretrainingShare
from rlscale.inference.fit import Fit
from rlscale.inference.forecast import Interval
from rlscale.inference.pool import SeedSpread
from rlscale.inference.verdict import Verdict
from rlscale.left_out import LeftOut
from rlscale.results import Result

__all__ = ["Cost", "Crossing", "Doubling", "Plan", "Reach", "RecipePlan", "Split", "SplitPoint"]


@dataclass(frozen=True)
class Reach(Value):
    """Whether a recipe reaches a reward, and at what compute.

    Parameters
    ----------
    reward : float
    p : float
        Probability that the noise-free reward gets there within ``horizon``.
    horizon : float
        What "ever" means: 8 times the recipe's last compute, or the budget where that is more; in the runs' unit.
    p_by_budget : float, optional
        Probability that it gets there by the budget; None without one.
    compute : Interval, optional
        Compute at which it gets there, given that it does; None where ``p`` is under a half.
    reason : str
        Why there is no compute, or what to know of it; empty where there is nothing to say.
    chances : tuple of (float, float)
        Compute, and the probability of having got there by it: the curve behind the numbers, for charts.
    """

    reward: float
    p: float
    horizon: float
    p_by_budget: float | None
    compute: Interval | None
    reason: str
    chances: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Cost(Value):
    """What one unit of reward costs over a doubling: the compute of the doubling over its gain, times a price.

    Quantiles over the gain: ``q10`` is the cost where the gain is at its 90 % quantile. None where the gain is not
    above 0 there: no amount buys it.

    Parameters
    ----------
    unit : str
        ``gpu-hours`` or ``dollars``, for one unit of reward.
    q10, q50, q90 : float, optional
    """

    unit: str
    q10: float | None
    q50: float | None
    q90: float | None


@dataclass(frozen=True)
class Doubling(Value):
    """What a doubling of the compute buys.

    Parameters
    ----------
    start, end : float
        Compute, in the runs' unit; ``end`` is twice ``start``.
    gain : Interval
        Difference of the noise-free rewards, draw by draw; it may be below 0.
    compute : float
        ``end - start``.
    price : float, optional
        Of that compute, in dollars; None without a price.
    cost : Cost, optional
        Of a unit of reward in GPU-hours; None in another unit.
    cost_in_money : Cost, optional
        None without a price.
    """

    start: float
    end: float
    gain: Interval
    compute: float
    price: float | None
    cost: Cost | None
    cost_in_money: Cost | None


@dataclass(frozen=True)
class RecipePlan(Value):
    """What further compute would bring one recipe.

    Parameters
    ----------
    recipe : str
    runs : tuple of str
    verdict : Verdict
    compute_last : float, optional
        What its furthest run has been run to; after a collapse less was fitted. This and all below are None where
        nothing was fitted.
    p_best : float, optional
        Probability of the highest level at the plan's compute.
    reach : Reach, optional
        None without a reward.
    next_doubling : Doubling, optional
        From ``compute_last``.
    later_doublings : tuple of Doubling
        Those that follow, up to 32 times the last compute.
    worth_until : Interval, optional
        Compute beyond which a further doubling gains less than is worth it; at ``compute_last`` the next already does.
    forecast : Interval, optional
        Noise-free reward at the plan's compute.
    notes : tuple of str
        Why something is missing, and where its limits are.
    """

    recipe: str
    runs: tuple[str, ...]
    verdict: Verdict
    compute_last: float | None
    p_best: float | None
    reach: Reach | None
    next_doubling: Doubling | None
    later_doublings: tuple[Doubling, ...]
    worth_until: Interval | None
    forecast: Interval | None
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Crossing(Value):
    """Where one recipe passes another.

    Parameters
    ----------
    a : str
        Who is ahead before.
    b : str
        Who is ahead after.
    compute : Interval, optional
        Where, given that it happens; None where ``p`` is under a half. It may lie in the past.
    p : float
        Probability that ``b`` passes ``a`` by the compute of the plan, and is ahead there.
    """

    a: str
    b: str
    compute: Interval | None
    p: float


@dataclass(frozen=True)
class SplitPoint(Value):
    """One way of splitting what is left of the budget.

    Parameters
    ----------
    explore_each : float
        Further compute of each recipe before one is chosen, in the runs' unit.
    commit : float
        Further compute of the one that is chosen.
    p_right : float
        Probability that the one chosen is the best of them at the compute where it ends.
    reward : float
        Expected noise-free reward of the chosen one at the end.
    """

    explore_each: float
    commit: float
    p_right: float
    reward: float


@dataclass(frozen=True)
class Split(Value):
    """How to split what is left of a budget into exploring several recipes and committing to one.

    ``len(recipes) * explore_each + commit = left``.

    Parameters
    ----------
    recipes : tuple of str
        Those that may still be the best; no others are explored.
    left : float
        Further compute: the budget less the largest last compute.
    explore_each, commit, p_right, reward : float
        Of the point that is advised: the shortest exploring within ``worth`` of the best.
    points : tuple of SplitPoint
        All that were compared, from committing at once to exploring to the end.
    """

    recipes: tuple[str, ...]
    left: float
    explore_each: float
    commit: float
    p_right: float
    reward: float
    points: tuple[SplitPoint, ...]


@dataclass(frozen=True, repr=False)
class Plan(Result, Value):
    """What compute buys, recipe by recipe, best first.

    Parameters
    ----------
    reward, budget, price : float, optional
        As they were given.
    worth : float
        What a doubling, or exploring longer, has to gain, as a share of the range.
    at : float
        The compute of forecasts, P(best) and crossings: the budget, or 4 times the largest last compute.
    unit : str
    recipes : tuple of RecipePlan
    crossings : tuple of Crossing
        Of all pairs; of more than 50 recipes of each with the first.
    split : Split, optional
        Of recipes that show learning. None without a budget, or where ``split_reason`` says why not.
    split_reason : str
    pretraining : PretrainingShare, optional
    lr : LearningRate, optional
    seed_sd : SeedSpread
    claim : str
        ``recipes`` where the run-to-run sd is included, ``runs`` where it is not.
    notes : tuple of str
    fits : tuple of Fit
        What the plan is about, for charts.
    left_out : tuple of LeftOut
        What was named and is not in it.
    """

    reward: float | None
    budget: float | None
    price: float | None
    worth: float
    at: float
    unit: str
    recipes: tuple[RecipePlan, ...]
    crossings: tuple[Crossing, ...]
    split: Split | None
    split_reason: str
    pretraining: PretrainingShare | None
    lr: LearningRate | None
    seed_sd: SeedSpread
    claim: str
    notes: tuple[str, ...]
    fits: tuple[Fit, ...] = field(default=(), compare=False)
    left_out: tuple[LeftOut, ...] = ()

    def __repr__(self) -> str:
        what = f"{len(self.recipes)} recipes" if len(self.recipes) != 1 else f"{self.recipes[0].recipe!r}"
        to = "" if self.reward is None else f" to {self.reward:g}"
        return f"Plan({what}{to}, by {self.at:g} {self.unit})"
