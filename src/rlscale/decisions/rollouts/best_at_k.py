"""Unbiased estimates of best@k and worst@k from how many of a prompt's samples are right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rlscale.decisions.rollouts.counts import PassCounts
from rlscale.errors import InputError
from rlscale.inference.forecast import Interval

__all__ = ["BestAtK", "best_and_worst", "best_at_k", "worst_at_k"]

Floats = NDArray[np.float64]

#: Half of the central 80 % of a normal, in standard deviations.
_HALF = 1.2815515655446004


@dataclass(frozen=True)
class BestAtK:
    """Means over prompts of best@k and worst@k.

    Parameters
    ----------
    k : int
    best : Interval
        Share of prompts with at least one right answer among ``k``.
    worst : Interval
        Share of prompts with all ``k`` answers right.
    prompts : int
        Prompts with at least ``k`` graded samples: the mean is over these.
    left_out : int
        Prompts with fewer.
    """

    k: int
    best: Interval
    worst: Interval
    prompts: int
    left_out: int


def best_at_k(n: ArrayLike, c: ArrayLike, k: int) -> Floats:
    """Probability that at least one of ``k`` samples is right, ``1 - C(n - c, k) / C(n, k)``.

    The mean over all ways to draw ``k`` of the ``n`` graded samples, so unbiased for ``1 - (1 - p)^k``.

    Parameters
    ----------
    n : array of int, any shape
        Graded samples of each prompt, at least ``k``.
    c : array of int, of a shape that broadcasts with ``n``
        Right ones among them.
    k : int
        At least 1.

    Returns
    -------
    array
        In [0, 1].

    Raises
    ------
    InputError
        Counts that are no whole numbers, ``c`` outside [0, n], ``k`` below 1 or above some ``n``.

    Notes
    -----
    The ratio is the product over ``i < k`` of ``(n - c - i) / (n - i)``: no factorial is formed. Source of the
    estimator: Chen et al., arXiv 2107.03374, eq. 1 (there pass@k); of the name: IsoCompute, arXiv 2603.12151.

    Examples
    --------
    >>> best_at_k([4, 16], [1, 0], 2).tolist()
    [0.5, 0.0]
    """
    graded, right = _counted(n, c, k)
    return np.asarray(1.0 - _all_of(graded, graded - right, k))


def worst_at_k(n: ArrayLike, c: ArrayLike, k: int) -> Floats:
    """Probability that all of ``k`` samples are right, ``C(c, k) / C(n, k)``: unbiased for ``p^k``.

    Parameters, shapes and errors as for :func:`best_at_k`.

    Examples
    --------
    >>> worst_at_k([4, 4], [2, 4], 2).round(4).tolist()
    [0.1667, 1.0]
    """
    graded, right = _counted(n, c, k)
    return _all_of(graded, right, k)


def best_and_worst(counts: PassCounts, k: int = 4) -> BestAtK | None:
    """Return the means of best@k and worst@k over prompts with 80 % intervals; None where no prompt has ``k`` samples.

    The interval is that of a mean over prompts drawn like these, ``mean +- 1.28 sd / sqrt(prompts)``, within [0, 1]; of
    one prompt it is [0, 1].

    Raises
    ------
    InputError
        A ``k`` below 1.
    """
    if k < 1:
        raise InputError(f"k = {k} is not a number of samples; give 1 or more", parameter="k")
    enough = counts.graded >= k
    if not enough.any():
        return None
    graded, right = counts.graded[enough], counts.correct[enough]
    return BestAtK(
        k=k,
        best=_mean(best_at_k(graded, right, k)),
        worst=_mean(worst_at_k(graded, right, k)),
        prompts=int(enough.sum()),
        left_out=int((~enough).sum()),
    )


def _counted(n: ArrayLike, c: ArrayLike, k: int) -> tuple[Floats, Floats]:
    graded, right = np.broadcast_arrays(np.asarray(n, dtype=np.float64), np.asarray(c, dtype=np.float64))
    if k < 1 or k != int(k):
        raise InputError(f"k = {k} is not a number of samples; give 1 or more", parameter="k")
    if not (np.all(graded == np.floor(graded)) and np.all(right == np.floor(right))):
        raise InputError("samples are counted: n and c must be whole numbers", parameter="n")
    if np.any(right < 0) or np.any(right > graded):
        place = int(np.argmax((right < 0) | (right > graded)))
        raise InputError(
            f"c = {right.flat[place]:g} right ones of n = {graded.flat[place]:g} graded cannot be; give 0 <= c <= n",
            parameter="c",
        )
    if np.any(graded < k):
        raise InputError(
            f"n = {graded.min():g} graded samples say nothing of k = {k}; give a k of at most {graded.min():g}",
            parameter="k",
        )
    return graded, right


def _all_of(graded: Floats, kind: Floats, k: int) -> Floats:
    """Return the share of draws of ``k`` samples without replacement that are all of one kind."""
    share = np.ones_like(graded)
    for i in range(int(k)):
        share = share * np.maximum(kind - i, 0.0) / (graded - i)
    return share


def _mean(values: Floats) -> Interval:
    middle = float(values.mean())
    if values.size < 2:
        return Interval(0.0, middle, 1.0)
    half = _HALF * float(values.std(ddof=1)) / float(np.sqrt(values.size))
    return Interval(max(middle - half, 0.0), middle, min(middle + half, 1.0))
