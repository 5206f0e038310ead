"""Pass rates of prompts from counts: a Beta prior learned from all of them, beside prompts never and always solved."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, betaln

from rlscale.decisions.rollouts.counts import PassCounts

__all__ = ["PassRates", "PromptPrior", "learned_priors", "pass_rates"]

Floats = NDArray[np.float64]

#: Grid of the prior over prompts: mean pass rate, and how many samples it weighs, between half of one and 64.
_MEANS = np.linspace(0.01, 0.99, 50)
_WEIGHTS = np.geomspace(0.5, 64.0, 29)
#: Prompts that count as learnable beforehand, so that a few one-sided counts do not make all of them hopeless.
_BEFORE = 2.0
#: Rounds of expectation and maximisation of the shares: they change by less than a thousandth after this.
_ROUNDS = 60
#: Priors less likely than this share of the best are left out.
_LEAST = 1e-4


@dataclass(frozen=True)
class PromptPrior:
    """What is believed of a prompt before it is graded: ``never δ(0) + always δ(1) + rest · Beta(a, b)``.

    Parameters
    ----------
    a, b : float
        Of the prompts that can go either way.
    never, always : float
        Shares of prompts that are never and always solved.
    weight : float
        Probability of this prior among all considered, from the marginal likelihood of all counts.
    """

    a: float
    b: float
    never: float
    always: float
    weight: float = 1.0


@dataclass(frozen=True, eq=False)
class PassRates:
    """Posterior pass rates, arrays of shape (p,): ``either`` times ``Beta(a, b)``, beside 0 and 1.

    Parameters
    ----------
    a, b : array
    never, always, either : array
        Probabilities that a prompt is never solved, always, or can go either way; they add up to 1.
    """

    a: Floats
    b: Floats
    never: Floats
    always: Floats
    either: Floats

    def p_mixed(self, n: Floats) -> Floats:
        """Return ``E[1 - p^n - (1 - p)^n]`` of groups of ``n``, shape (p,); 0 for groups below 2."""
        base = betaln(self.a, self.b)
        mixed = 1.0 - np.exp(betaln(self.a + n, self.b) - base) - np.exp(betaln(self.a, self.b + n) - base)
        return np.where(n < 2, 0.0, self.either * np.clip(mixed, 0.0, 1.0))

    def gain(self, n: Floats) -> Floats:
        """Return what the ``n``-th rollout adds, ``E[p^(n-1) (1-p) + (1-p)^(n-1) p]``; for ``n`` below 3 that of 3."""
        n = np.maximum(n, 3.0)
        base = betaln(self.a, self.b)
        up = np.exp(betaln(self.a + n - 1.0, self.b + 1.0) - base)
        down = np.exp(betaln(self.a + 1.0, self.b + n - 1.0) - base)
        return np.asarray(self.either * (up + down))

    def quantile(self, level: float) -> Floats:
        """Return a quantile of each pass rate, shape (p,)."""
        inside = np.clip((level - self.never) / np.maximum(self.either, 1e-12), 0.0, 1.0)
        value = betaincinv(self.a, self.b, inside)
        return np.where(level <= self.never, 0.0, np.where(level > 1.0 - self.always, 1.0, value))

    def take(self, places: NDArray[np.intp]) -> PassRates:
        """Return those of ``places``, shape (q,)."""
        return PassRates(*(values.take(places) for values in vars(self).values()))


def learned_priors(counts: PassCounts) -> tuple[PromptPrior, ...]:
    """Return the likely priors, the best first, with probabilities that add up to 1.

    For each ``a, b`` of a grid the shares ``never`` and ``always`` by expectation and maximisation, then the marginal
    likelihood of all counts. Where nothing was graded, a uniform prior.

    Examples
    --------
    >>> import numpy as np
    >>> table = PassCounts(tuple(map(str, range(90))), np.repeat([0, 8, 9], 30), np.full(90, 16))
    >>> round(learned_priors(table)[0].never, 2)
    0.33
    """
    known = counts.graded > 0
    if not known.any():
        return (PromptPrior(1.0, 1.0, 0.0, 0.0),)
    kinds, times = np.unique(np.stack([counts.correct[known], counts.graded[known]]), axis=1, return_counts=True)
    right, wrong = kinds[0], kinds[1] - kinds[0]
    a, b = (_MEANS[:, None] * _WEIGHTS).ravel(), ((1.0 - _MEANS[:, None]) * _WEIGHTS).ravel()
    by_beta = _likelihood(a[:, None], b[:, None], right, wrong)  # (grid, kinds)
    never = always = np.full((a.size, 1), 0.1)
    total = float(times.sum()) + _BEFORE
    for _ in range(_ROUNDS):
        likely = never * (right == 0) + always * (wrong == 0) + (1.0 - never - always) * by_beta
        never, always = (
            ((share * kind / likely) @ times / total)[:, None]
            for share, kind in ((never, right == 0), (always, wrong == 0))
        )
    likely = never * (right == 0) + always * (wrong == 0) + (1.0 - never - always) * by_beta
    fit = np.log(likely) @ times + _BEFORE * np.log(1.0 - never - always)[:, 0]
    weight = np.exp(fit - fit.max())
    order = [place for place in np.argsort(-weight, kind="stable") if weight[place] >= _LEAST]
    sure = float(weight[order].sum())
    return tuple(
        PromptPrior(float(a[k]), float(b[k]), float(never[k, 0]), float(always[k, 0]), float(weight[k]) / sure)
        for k in order
    )


def pass_rates(prior: PromptPrior, right: Floats, graded: Floats) -> PassRates:
    """Return the posterior pass rates of prompts with ``right`` of ``graded`` samples, both of shape (p,)."""
    a, b = prior.a + right, prior.b + graded - right
    beta = _likelihood(np.array(prior.a), np.array(prior.b), right, graded - right)
    rest = (1.0 - prior.never - prior.always) * beta
    never, always = prior.never * (right == 0), prior.always * (right == graded)
    total = never + always + rest
    return PassRates(a, b, never / total, always / total, rest / total)


def _likelihood(a: Floats, b: Floats, right: Floats, wrong: Floats) -> Floats:
    """Return the beta-binomial probability of counts; not 0, however large they are."""
    ways = -betaln(right + 1.0, wrong + 1.0) - np.log(right + wrong + 1.0)
    return np.asarray(np.maximum(np.exp(betaln(a + right, b + wrong) - betaln(a, b) + ways), 1e-300))
