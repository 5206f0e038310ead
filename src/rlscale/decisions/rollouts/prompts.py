"""A fixed number of rollouts over prompts: where a group is likely to hold both right and wrong answers.

A group whose answers are all right or all wrong has advantages of zero: it teaches nothing. With ``p ~ Beta(a, b)`` the
pass rate of a prompt, a group of ``n`` is mixed with probability ``E[1 - p^n - (1 - p)^n]``, which is concave in ``n``
from 2 on; so the allocation that makes most groups mixed gives each next rollout to the prompt where it adds most.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainccinv, betaincinv, betaln

from rlscale.decisions.rollouts.counts import PassCounts
from rlscale.errors import InputError
from rlscale.inference.forecast import Interval

__all__ = ["MOST", "WORTH", "PromptAllocation", "PromptShare", "allocate"]

Floats = NDArray[np.float64]

#: Largest group of one prompt unless one is given.
MOST = 64
#: A prompt whose largest group would be mixed with a smaller probability than this gets nothing.
WORTH = 0.05
#: Grid of the prior over prompts: mean pass rate, and how many samples it weighs, between half of one and 64.
_MEANS = np.linspace(0.01, 0.99, 50)
_WEIGHTS = np.geomspace(0.5, 64.0, 29)
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
        80 % interval of its Beta posterior.
    rollouts : int
        Size of its group; 0 where nothing is likely to be learned.
    p_mixed : float
        Probability that this group holds both right and wrong answers.
    """

    prompt: str
    correct: int
    graded: int
    pass_rate: Interval
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
    prior : (float, float)
        ``a`` and ``b`` of the Beta prior, learned from all prompts.
    mixed : Interval
        Expected number of mixed groups, 80 %: chance within the groups and doubt about the pass rates.
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
    prior: tuple[float, float]
    mixed: Interval
    mixed_share: Interval
    even: float
    left_out: int
    most: int
    notes: tuple[str, ...]


def allocate(counts: PassCounts, budget: int, *, most: int = MOST, worth: float = WORTH) -> PromptAllocation:
    """Spread ``budget`` rollouts over prompts so that the expected number of mixed groups is largest.

    ``max sum_i E[1 - p_i^n_i - (1 - p_i)^n_i]`` over ``n_i`` in {0, 2, 3, ..., most} with ``sum n_i <= budget`` and
    ``p_i ~ Beta(a + c_i, b + g_i - c_i)``; ``a, b`` by the marginal likelihood of all prompts' counts.

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
    prior = _learned_prior(counts)
    kinds, kind = np.unique(np.stack([counts.correct, counts.graded]), axis=1, return_inverse=True)
    a, b = prior[0] + kinds[0], prior[1] + kinds[1] - kinds[0]
    kind = kind.reshape(-1)
    open_to_learn = _p_mixed(a, b, np.full(a.size, float(most))) >= worth
    sizes = _sizes(a, b, np.bincount(kind, minlength=a.size), open_to_learn, budget, most)
    each = _spread(sizes, kind, a, b, open_to_learn, budget, most)
    return _answer(counts, budget, most, prior, (a[kind], b[kind]), each, open_to_learn[kind])


def _check(budget: int, most: int, worth: float) -> None:
    if budget != int(budget) or budget < 2:
        raise InputError(
            f"--budget {budget:g} is no number of rollouts for groups of at least 2; give a whole number from 2 on"
        )
    if most < 2:
        raise InputError(f"most = {most} is no size of a group; give 2 or more", parameter="most")
    if not 0.0 <= worth < 1.0:
        raise InputError(f"worth = {worth:g} is no probability below 1", parameter="worth")


def _learned_prior(counts: PassCounts) -> tuple[float, float]:
    """Return the Beta prior of highest marginal likelihood on a grid; a uniform one where nothing was graded."""
    known = counts.graded > 0
    if not known.any():
        return 1.0, 1.0
    kinds, times = np.unique(np.stack([counts.correct[known], counts.graded[known]]), axis=1, return_counts=True)
    a, b = (_MEANS[:, None] * _WEIGHTS).ravel(), ((1.0 - _MEANS[:, None]) * _WEIGHTS).ravel()
    right, wrong = kinds[0], kinds[1] - kinds[0]
    fit = np.array([times @ (betaln(x + right, y + wrong) - betaln(x, y)) for x, y in zip(a, b, strict=True)])
    best = int(np.argmax(fit))
    return float(a[best]), float(b[best])


def _p_mixed(a: Floats, b: Floats, n: Floats) -> Floats:
    """Return ``E[1 - p^n - (1 - p)^n]`` for ``p ~ Beta(a, b)``; 0 for groups below 2."""
    base = betaln(a, b)
    mixed = 1.0 - np.exp(betaln(a + n, b) - base) - np.exp(betaln(a, b + n) - base)
    return np.where(n < 2, 0.0, np.clip(mixed, 0.0, 1.0))


def _gain(a: Floats, b: Floats, n: Floats) -> Floats:
    """Return what the ``n``-th rollout adds, ``E[p^(n-1) (1-p) + (1-p)^(n-1) p]``; of the first two, half of both."""
    n = np.maximum(n, 3.0)
    base = betaln(a, b)
    return np.asarray(np.exp(betaln(a + n - 1.0, b + 1.0) - base) + np.exp(betaln(a + 1.0, b + n - 1.0) - base))


def _largest(a: Floats, b: Floats, level: float, most: int) -> Floats:
    """Return the largest group whose last rollout still adds ``level``, by bisection; 0 where two do not."""
    low, high = np.full(a.size, 2.0), np.full(a.size, float(most))
    while np.any(low < high):
        middle = np.ceil(0.5 * (low + high))
        enough = _gain(a, b, middle) >= level
        low, high = np.where(enough, middle, low), np.where(enough, high, middle - 1.0)
    return np.where(_gain(a, b, np.full(a.size, 2.0)) >= level, low, 0.0)


def _sizes(
    a: Floats, b: Floats, times: NDArray[np.intp], learns: NDArray[np.bool_], budget: int, most: int
) -> tuple[Floats, float]:
    """Return the group of each kind of prompt, and what its next rollout must add, so that the budget just holds."""
    low, high = 0.0, 1.0  # what the last rollout adds lies between; at 1 nobody gets any
    sizes = np.where(learns, float(most), 0.0)
    if times @ sizes <= budget:
        return sizes, 0.0
    for _ in range(60):
        level = 0.5 * (low + high)
        sizes = np.where(learns, _largest(a, b, level, most), 0.0)
        low, high = (low, level) if times @ sizes <= budget else (level, high)
    return np.where(learns, _largest(a, b, high, most), 0.0), low


def _spread(
    sizes: tuple[Floats, float],
    kind: NDArray[np.intp],
    a: Floats,
    b: Floats,
    learns: NDArray[np.bool_],
    budget: int,
    most: int,
) -> Floats:
    """Return the group of each prompt; what is left goes where the next rollouts add most."""
    each = sizes[0][kind]
    left = budget - int(each.sum())
    able = learns[kind] & (each < most)
    step = np.where(each == 0.0, 2, 1)
    order = np.argsort(-_gain(a[kind], b[kind], each + step), kind="stable")
    for place in order:
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
    prior: tuple[float, float],
    posterior: tuple[Floats, Floats],
    each: Floats,
    learns: NDArray[np.bool_],
) -> PromptAllocation:
    a, b = posterior
    mixed = _p_mixed(a, b, each)
    low, middle, high = betaincinv(a, b, 0.1), betaincinv(a, b, 0.5), betainccinv(a, b, 0.1)
    shares = tuple(
        PromptShare(name, int(c), int(g), Interval(float(lo), float(mid), float(hi)), int(n), float(p))
        for name, c, g, lo, mid, hi, n, p in zip(
            counts.prompt, counts.correct, counts.graded, low, middle, high, each, mixed, strict=True
        )
    )
    groups = int(np.count_nonzero(each))
    # whether each group is mixed is one coin of probability E[...]: doubt about its pass rate is in it
    expected, half = float(mixed.sum()), _HALF * float(np.sqrt(np.sum(mixed * (1.0 - mixed))))
    total = Interval(max(expected - half, 0.0), expected, min(expected + half, float(groups)))
    share = Interval(*((value / groups if groups else 0.0) for value in (total.q10, total.q50, total.q90)))
    used = int(each.sum())
    return PromptAllocation(
        budget=int(budget),
        used=used,
        prompts=shares,
        prior=prior,
        mixed=total,
        mixed_share=share,
        even=_even(a, b, int(budget), most),
        left_out=int(np.count_nonzero(~learns)),
        most=most,
        notes=_notes(
            int(budget), used, int(np.count_nonzero(~learns)), int(np.count_nonzero(learns & (each == 0))), most
        ),
    )


def _even(a: Floats, b: Floats, budget: int, most: int) -> float:
    """Return the expected number of mixed groups of an even spread; where it does not reach all, over any of them."""
    size = budget // a.size
    if size >= 2:
        size = min(size, most)
        more = min(budget - size * a.size, a.size) if size < most else 0
        now, next_one = _p_mixed(a, b, np.full(a.size, float(size))), _p_mixed(a, b, np.full(a.size, size + 1.0))
        return float(now.sum() + more / a.size * (next_one - now).sum())
    return float(_p_mixed(a, b, np.full(a.size, 2.0)).mean() * (budget // 2))


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
