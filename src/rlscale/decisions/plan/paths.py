"""Futures of a recipe: what its reward would be at several computes, draw by draw, so that differences make sense.

The distribution of a recipe's reward at one compute is that of ``pool``, as ``rank`` has it. A gain, a crossing or a
choice after more training compares rewards at several computes; these need whole paths.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from rlscale.inference.posterior import Posterior

__all__ = ["Paths", "recipe_paths", "shuffled"]

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Paths:
    """Equally likely paths of the mean of a recipe's runs.

    Parameters
    ----------
    computes : array, shape (k,)
        Increasing, above 0, in the runs' unit.
    rewards : array, shape (k, d)
        Noise-free reward, model error to come included.
    steady : array, shape (k, d)
        The same without the model error to come.
    """

    computes: Floats
    rewards: Floats
    steady: Floats

    def at(self, computes: ArrayLike, *, steady: bool = False) -> Floats:
        """Return rewards at other computes, linear in log compute between the nodes: shape (c, d) for (c,)."""
        nodes = np.log(self.computes)
        place = np.interp(np.log(np.atleast_1d(computes)), nodes, np.arange(nodes.size))
        left = np.minimum(place.astype(np.intp), nodes.size - 2)
        share = (place - left)[:, None]
        values = self.steady if steady else self.rewards
        return np.asarray((1.0 - share) * values[left] + share * values[left + 1])


def recipe_paths(runs: Sequence[Posterior], computes: ArrayLike, count: int) -> Paths:
    """Return paths of a recipe.

    Parameters
    ----------
    runs : sequence of Posterior
        At least one. Of one run the paths are draws of its forecasts; those of several are means over independent
        draws of their curves, to which the model error to come is added once, as in ``pool.pooled_levels``: the runs
        share their misfit. The run-to-run sd is not in them: what a run gains has little of it.
    computes : array, shape (k,)
        Increasing, in the runs' unit.
    count : int
        Paths.
    """
    computes = np.asarray(computes, dtype=np.float64)
    few = [run.thinned(count) for run in runs]
    later = computes > max(run.curve.compute_last for run in runs)
    if len(few) == 1:
        run = few[0]
        steady = run.expected(computes).T
        if run.ahead is not None and run.ahead.persistence:
            steady[later] = np.where(run.ahead.stays(run.draws), run.ahead.still(run.draws), steady[later])
        return Paths(computes, run.reward(computes, model_error=True).T, steady)
    orders = [shuffled(count, number) for number in range(len(few) + 2)]
    mean = np.mean(
        [run.moved(run.expected(computes).T, computes)[:, order] for run, order in zip(few, orders, strict=False)],
        axis=0,
    )
    # the runs of a recipe share their misfit, and stay where they are together or not at all
    model_sd = np.max([run.model_sd(computes) for run in runs], axis=0)
    error = model_sd[:, None] * ndtri((orders[-2] + 0.5) / count)
    persistent = [run for run in few if run.ahead is not None]
    if persistent:
        probability = np.mean([run.ahead.persistence for run in persistent if run.ahead is not None])
        still = np.mean([run.ahead.still(run.draws) for run in persistent if run.ahead is not None], axis=0)
        stays = (orders[-1] + 0.5) / count < probability
        mean[later] = np.where(stays, still, mean[later])
        error[later] = np.where(stays, 0.0, error[later])
    low, high = min(run.curve.bounds[0] for run in runs), max(run.curve.bounds[1] for run in runs)
    return Paths(computes, np.clip(mean + error, low, high), mean)


@lru_cache(maxsize=256)
def shuffled(count: int, number: int) -> Indices:
    """Return one of many fixed orders of ``range(count)``, shape (count,): any few of them fill their cube evenly.

    The ranks of ``frac(i sqrt(p))`` with the prime ``p`` of this number: a Kronecker sequence.
    """
    value = np.mod(np.arange(1, count + 1) * np.sqrt(_prime(number)), 1.0)
    order = np.argsort(np.argsort(value, kind="stable"), kind="stable")
    order.flags.writeable = False
    return order


@lru_cache(maxsize=256)
def _prime(number: int) -> int:
    """Return a prime, the first for 0."""
    candidate = 2
    while True:
        if all(candidate % divisor for divisor in range(2, int(candidate**0.5) + 1)):
            if not number:
                return candidate
            number -= 1
        candidate += 1
