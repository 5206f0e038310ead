"""Where the curves of two recipes cross, with an interval: who is ahead before, and who after."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from rlscale.decisions.pairs import everyone
from rlscale.decisions.plan.answer import Crossing
from rlscale.decisions.plan.paths import recipe_paths, shuffled
from rlscale.inference.forecast import interval
from rlscale.inference.posterior import Posterior

__all__ = ["crossings"]

Floats = NDArray[np.float64]

#: A recipe is ahead where it leads by this share of the range: before that, equal curves would cross all the time.
LEAD = 0.01
#: Computes at which curves are compared, and paths of each.
_NODES, _PATHS = 48, 256


@dataclass(frozen=True, eq=False)
class _Curves:
    """Paths of one recipe at the common computes, shape (k, d), its run-to-run offset included."""

    name: str
    rewards: Floats


def crossings(recipes: Sequence[tuple[str, Sequence[Posterior]]], until: float, tau: float) -> tuple[Crossing, ...]:
    """Return where recipes pass each other, from the first evaluation of all up to compute ``until``.

    A crossing is the last change of who is ahead, by at least .01 of the range before and after. Recipes are
    independent; claims are about recipes where ``tau`` is above 0.

    Parameters
    ----------
    recipes : sequence of (str, sequence of Posterior)
        The fitted runs of each, best recipe first.
    until : float
        Compute, in the runs' unit; at least the largest last one is looked at.
    tau : float
        Run-to-run sd, as a share of the range.
    """
    if len(recipes) < 2:
        return ()
    curves = [run.curve for _, runs in recipes for run in runs]
    # where all have begun: before its first evaluation nothing is known of a run
    first = max(min(float(run.curve.compute[run.curve.compute > 0.0][0]) for run in runs) for _, runs in recipes)
    last = max(until, *(curve.compute_last for curve in curves))
    computes = np.geomspace(min(first, 0.999 * last), last, _NODES)
    every = everyone(len(recipes), False)
    spread = tau * curves[0].range
    paths = _paths(recipes, computes, spread)
    known = list(paths) if every else [next(paths)]
    pairs = combinations(known, 2) if every else ((known[0], other) for other in paths)
    return tuple(_crossing(a, b, computes, LEAD * curves[0].range) for a, b in pairs)


def _paths(recipes: Sequence[tuple[str, Sequence[Posterior]]], computes: Floats, spread: float) -> Iterator[_Curves]:
    for number, (name, runs) in enumerate(recipes):
        offset = spread / len(runs) ** 0.5 * ndtri((shuffled(_PATHS, 2 * number + 1) + 0.5) / _PATHS)
        rewards = recipe_paths(runs, computes, _PATHS).rewards[:, shuffled(_PATHS, 2 * number)]
        yield _Curves(name, rewards + offset)


def _crossing(a: _Curves, b: _Curves, computes: Floats, lead: float) -> Crossing:
    """Return where one of two recipes passes the other, whichever is the likelier to do so."""
    ahead = b.rewards - a.rewards
    passes, where = _last_change(ahead, np.log(computes), lead)
    upwards, downwards = passes & (ahead[-1] > 0.0), passes & (ahead[-1] <= 0.0)
    if downwards.sum() > upwards.sum():
        a, b, upwards = b, a, downwards
    p = float(upwards.mean())
    weight = np.full(int(upwards.sum()), 1.0 / max(int(upwards.sum()), 1))
    compute = interval(np.exp(where[upwards]), weight) if p >= 0.5 else None
    return Crossing(a.name, b.name, compute, p)


def _last_change(ahead: Floats, log_compute: Floats, lead: float) -> tuple[NDArray[np.bool_], Floats]:
    """Return which paths of a lead, shape (k, d), change its sign by ``lead`` before and after, and where they last do.

    Returns
    -------
    boolean array, shape (d,)
    array, shape (d,)
        Log compute; without meaning where there is no change.
    """
    count, column = len(ahead), np.arange(ahead.shape[1])
    node = np.arange(count)[:, None]
    clear = np.abs(ahead) >= lead
    latest = np.maximum.accumulate(np.where(clear, node, -1), axis=0)  # the last node with a clear leader
    state = np.where(latest >= 0, np.sign(ahead[np.maximum(latest, 0), column]), 0.0)
    changed = np.zeros_like(clear)
    changed[1:] = state[1:] * state[:-1] < 0.0
    passes = np.asarray(changed.any(axis=0))
    after = count - 1 - np.argmax(changed[::-1], axis=0)
    final = state[-1]
    before = (ahead * final <= 0.0) & (node < after)
    left = np.minimum(count - 1 - np.argmax(before[::-1], axis=0), count - 2)
    here, following = ahead[left, column], ahead[left + 1, column]
    share = np.clip(here / np.where(here == following, 1.0, here - following), 0.0, 1.0)
    return passes, np.asarray(log_compute[left] + share * (log_compute[left + 1] - log_compute[left]))
