"""A fixed number of rollouts over prompts: where a group is likely to hold both right and wrong answers.

A group whose answers are all right or all wrong has advantages of zero: it teaches nothing. With ``p`` the pass rate of
a prompt, a group of ``n`` is mixed with probability ``E[1 - p^n - (1 - p)^n]``, which is concave in ``n`` from 2 on; so
the allocation that makes most groups mixed gives each next rollout to the prompt where it adds most.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rlscale.decisions.rollouts.counts import PassCounts
from rlscale.decisions.rollouts.pass_rates import PassRates, PromptPrior, learned_priors, pass_rates
from rlscale.errors import InputError
from rlscale.inference.forecast import Interval

__all__ = ["MOST", "WORTH", "PromptAllocation", "PromptShare", "allocate"]

Floats = NDArray[np.float64]

#: Largest group of one prompt unless one is given.
MOST = 64
#: A prompt whose largest group would be mixed with a smaller probability than this gets nothing.
WORTH = 0.05
#: Half of the central 80 % of a normal, in standard deviations.
_HALF = 1.2815515655446004


@dataclass(frozen=True)
class PromptShare:
    """What one prompt gets.

    Parameters
    ----------
    prompt : str
    correct, graded : int
        As given.
    pass_rate : Interval
        80 % interval; 0 or 1 where it is likely never or always solved.
    p_learnable : float
        Probability that it can go either way.
    rollouts : int
        Size of its group; 0 where nothing is likely to be learned.
    p_mixed : float
        Probability that this group holds both right and wrong answers.
    """

    prompt: str
    correct: int
    graded: int
    pass_rate: Interval
    p_learnable: float
    rollouts: int
    p_mixed: float


@dataclass(frozen=True)
class PromptAllocation:
    """A budget of rollouts over prompts.

    Parameters
    ----------
    budget, used : int
        Rollouts; less is used only where every prompt has the largest group or gets nothing.
    prompts : tuple of PromptShare
        In the order given.
    prior : PromptPrior
        The most likely one, learned from all prompts.
    mixed : Interval
        Number of mixed groups, 80 % around its expectation: chance, and doubt about pass rates and prior. Of 500
        prompts it held in 83 % of draws, and in 75 % where pass rates have a shape that the prior cannot take
        (``benchmarks/rollouts.py``).
    mixed_share : Interval
        The same as a share of the groups that get rollouts.
    even : float
        Expected number of mixed groups if the budget were spread evenly over all prompts, in groups of at least 2.
    left_out : int
        Prompts that get nothing since nothing is likely to be learned there.
    most : int
        Largest group allowed.
    notes : tuple of str
    """

    budget: int
    used: int
    prompts: tuple[PromptShare, ...]
    prior: PromptPrior
    mixed: Interval
    mixed_share: Interval
    even: float
    left_out: int
    most: int
    notes: tuple[str, ...]


def allocate(counts: PassCounts, budget: int, *, most: int = MOST, worth: float = WORTH) -> PromptAllocation:
    """Spread ``budget`` rollouts over prompts so that the expected number of mixed groups is largest.

    ``max sum_i E[1 - p_i^n_i - (1 - p_i)^n_i]`` over ``n_i`` in {0, 2, 3, ..., most} with ``sum n_i <= budget``. A
    prompt that can go either way has ``p_i ~ Beta(a + c_i, b + g_i - c_i)``; others are never or always solved. ``a``,
    ``b`` and the shares of these by the marginal likelihood of all counts.

    Parameters
    ----------
    counts : PassCounts
        ``c_i`` right of ``g_i`` graded, shape (p,).
    budget : int
        Rollouts, at least 2.
    most : int
        Largest group of one prompt, at least 2.
    worth : float
        A prompt gets nothing where even its largest group would be mixed with a probability below this.

    Raises
    ------
    InputError
        A budget or a largest group below 2, or a ``worth`` outside [0, 1).

    Notes
    -----
    The first two rollouts of a prompt and its third add the same on average, ``E[p (1 - p)]``, so that taking the best
    next rollout first is optimal up to one rollout in all. That a group of equal rewards has no gradient: GRPO,
    arXiv 2402.03300.

    Examples
    --------
    >>> import numpy as np
    >>> table = PassCounts(("even", "rare", "solved"), np.array([8, 1, 64]), np.array([16, 16, 64]))
    >>> [share.rollouts for share in allocate(table, 24, most=16).prompts]
    [8, 16, 0]
    """
    _check(budget, most, worth)
    priors = learned_priors(counts)
    kinds, kind = np.unique(np.stack([counts.correct, counts.graded]), axis=1, return_inverse=True)
    kind = kind.reshape(-1)
    rates = pass_rates(priors[0], *kinds)
    learns = rates.p_mixed(np.full(kinds.shape[1], float(most))) >= worth
    sizes = _sizes(rates, np.bincount(kind, minlength=kinds.shape[1]), learns, budget, most)
    each = _spread(sizes, rates.take(kind), kind, learns[kind], budget, most)
    totals = [float(pass_rates(prior, *kinds).take(kind).p_mixed(each).sum()) for prior in priors]
    return _answer(counts, budget, most, priors, totals, rates.take(kind), each, learns[kind])


def _check(budget: int, most: int, worth: float) -> None:
    if budget != int(budget) or budget < 2:
        raise InputError(
            f"--budget {budget:g} is no number of rollouts for groups of at least 2; give a whole number from 2 on"
        )
    if most < 2:
        raise InputError(f"--most {most} is no size of a group; give 2 or more")
    if not 0.0 <= worth < 1.0:
        raise InputError(f"worth = {worth:g} is no probability below 1", parameter="worth")


def _largest(rates: PassRates, level: float, most: int) -> Floats:
    """Return the largest group whose last rollout still adds ``level``, by bisection; 0 where two do not."""
    low, high = np.full(rates.a.size, 2.0), np.full(rates.a.size, float(most))
    while np.any(low < high):
        middle = np.ceil(0.5 * (low + high))
        enough = rates.gain(middle) >= level
        low, high = np.where(enough, middle, low), np.where(enough, high, middle - 1.0)
    return np.where(rates.gain(np.full(rates.a.size, 2.0)) >= level, low, 0.0)


def _sizes(rates: PassRates, times: NDArray[np.intp], learns: NDArray[np.bool_], budget: int, most: int) -> Floats:
    """Return the group of each kind of prompt so that the budget just holds."""
    low, high = 0.0, 1.0  # what the last rollout adds lies between; at 1 nobody gets any
    sizes = np.where(learns, float(most), 0.0)
    if times @ sizes <= budget:
        return sizes
    for _ in range(60):
        level = 0.5 * (low + high)
        sizes = np.where(learns, _largest(rates, level, most), 0.0)
        low, high = (low, level) if times @ sizes <= budget else (level, high)
    return np.where(learns, _largest(rates, high, most), 0.0)


def _spread(
    sizes: Floats, rates: PassRates, kind: NDArray[np.intp], learns: NDArray[np.bool_], budget: int, most: int
) -> Floats:
    """Return the group of each prompt; what is left goes where the next rollouts add most."""
    each = sizes[kind]
    left, before = budget - int(each.sum()), -1
    while left not in (0, before):  # a prompt gets its first two, then its third: kinds may tie more than once
        before = left
        able = learns & (each < most)
        step = np.where(each == 0.0, 2, 1)
        for place in np.argsort(-rates.gain(each + step), kind="stable"):
            if able[place] and step[place] <= left:
                each[place] += step[place]
                left -= int(step[place])
            if left == 0:
                break
    return each


def _answer(
    counts: PassCounts,
    budget: int,
    most: int,
    priors: Sequence[PromptPrior],
    totals: Sequence[float],
    rates: PassRates,
    each: Floats,
    learns: NDArray[np.bool_],
) -> PromptAllocation:
    mixed = rates.p_mixed(each)
    columns = (counts.correct, counts.graded, *map(rates.quantile, (0.1, 0.5, 0.9)), rates.either, each, mixed)
    shares = tuple(
        PromptShare(name, int(c), int(g), Interval(low, middle, high), either, int(n), p)
        for name, (c, g, low, middle, high, either, n, p) in zip(
            counts.prompt, np.stack(columns, axis=1).tolist(), strict=True
        )
    )
    groups = int(np.count_nonzero(each))
    # chance: a coin for each group, doubt about its pass rate in it; what is believed of all prompts moves all coins
    expected, weight = float(mixed.sum()), np.array([prior.weight for prior in priors])
    between = float(weight @ (np.array(totals) - weight @ np.array(totals)) ** 2)
    half = _HALF * float(np.sqrt(np.sum(mixed * (1.0 - mixed)) + between))
    total = Interval(max(expected - half, 0.0), expected, min(expected + half, float(groups)))
    share = Interval(*((value / groups if groups else 0.0) for value in (total.q10, total.q50, total.q90)))
    used = int(each.sum())
    return PromptAllocation(
        budget=int(budget),
        used=used,
        prompts=shares,
        prior=priors[0],
        mixed=total,
        mixed_share=share,
        even=_even(rates, int(budget), most),
        left_out=int(np.count_nonzero(~learns)),
        most=most,
        notes=_notes(
            int(budget), used, int(np.count_nonzero(~learns)), int(np.count_nonzero(learns & (each == 0))), most
        ),
    )


def _even(rates: PassRates, budget: int, most: int) -> float:
    """Return the expected number of mixed groups of an even spread; where it does not reach all, over any of them."""
    prompts = rates.a.size
    size = budget // prompts
    if size < 2:
        return float(rates.p_mixed(np.full(prompts, 2.0)).mean() * (budget // 2))
    size = min(size, most)
    more = (budget / prompts - size) if size < most else 0.0
    now, after = (float(rates.p_mixed(np.full(prompts, float(each))).sum()) for each in (size, size + 1))
    return now + more * (after - now)


def _notes(budget: int, used: int, hopeless: int, unserved: int, most: int) -> tuple[str, ...]:
    notes = []
    if hopeless:
        notes.append(
            f"{_prompts(hopeless)} without rollouts: even a group of {most} would hardly hold right and wrong answers"
        )
    if unserved:
        notes.append(
            f"{_prompts(unserved)} without rollouts: others learn more from them; a larger budget reaches them"
        )
    if used < budget:
        notes.append(
            f"{budget - used} of {budget} rollouts are left over: all that can learn have groups of {most}, or fewer "
            "than 2 were left"
        )
    notes.append("pass rates move as the policy learns: count again before the next round")
    return tuple(notes)


def _prompts(count: int) -> str:
    return "1 prompt" if count == 1 else f"{count:,} prompts"
