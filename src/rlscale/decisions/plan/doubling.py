"""What the next doubling of compute buys, what it costs, and when a further one is not worth it any more."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rlscale.decisions.plan.answer import Cost, Doubling
from rlscale.decisions.plan.paths import recipe_paths
from rlscale.inference.forecast import Interval, interval
from rlscale.inference.posterior import Posterior

__all__ = ["doublings"]

Floats = NDArray[np.float64]

#: Nobody looks further than this many times the last compute, as in ``resolves``.
HORIZON = 100.0
#: Nodes of a doubling, and doublings looked at: the last one starts beyond the horizon.
_NODES, _DOUBLINGS = 4, 8
#: Doublings reported: up to 32 times the last compute, as far as forecasts were measured.
_SHOWN = 5
_PATHS = 1024


def doublings(
    runs: Sequence[Posterior],
    worth: float,
    *,
    last: float | None = None,
    price: float | None = None,
    unit: str = "",
) -> tuple[tuple[Doubling, ...], Interval]:
    """Return what the next doublings of a recipe's furthest run gain, and until when a further one is worth it.

    ``gain = R(2 C) - R(C)``, draw by draw, model error included.

    Parameters
    ----------
    runs : sequence of Posterior
        Of its runs, at least one.
    worth : float
        What a doubling has to gain, in reward.
    last : float, optional
        What the recipe has been run to, where that is more than was fitted: gains are from there on, and from where
        a run stands now that a break has left below its curve.
    price : float, optional
        Of one unit of compute, in dollars.
    unit : str
        Of compute.

    Returns
    -------
    tuple of Doubling
        From the last compute, from twice that, ...
    Interval
        The last compute from which a doubling still gains ``worth``: the last compute of the recipe where none does,
        100 times that where it is there or beyond.
    """
    last = last or max(run.curve.compute_last for run in runs)
    nodes = last * 2.0 ** (np.arange(_NODES * _DOUBLINGS + 1) / _NODES)
    rewards = _from_now(runs, recipe_paths(runs, nodes, _PATHS).rewards)
    gains = rewards[_NODES:] - rewards[:-_NODES]
    even = np.full(_PATHS, 1.0 / _PATHS)
    buys = tuple(
        _doubling(float(nodes[start]), interval(gains[start], even), price, unit)
        for start in range(0, _NODES * _SHOWN, _NODES)
    )
    until = np.minimum(last * 2.0 ** (_worth_until(gains, worth) / _NODES), HORIZON * last)
    return buys, interval(until, even)


def _from_now(runs: Sequence[Posterior], rewards: Floats) -> Floats:
    """Return paths, shape (k, d), that start where runs stand now: after a break that is known, not forecast."""
    after = [run.ahead.aftermath for run in runs if run.ahead is not None and run.ahead.aftermath is not None]
    if len(after) == len(runs):
        rewards[0] = np.mean([each.now for each in after])
    return rewards


def _doubling(start: float, gain: Interval, price: float | None, unit: str) -> Doubling:
    return Doubling(
        start=start,
        end=2.0 * start,
        gain=gain,
        compute=start,
        price=None if price is None else price * start,
        cost=_cost("gpu-hours", start, gain) if unit == "gpu-hours" else None,
        cost_in_money=None if price is None else _cost("dollars", price * start, gain),
    )


def _cost(unit: str, spent: float, gain: Interval) -> Cost:
    """Return what a unit of reward costs; the more is gained the less, so the quantiles change places."""
    low, middle, high = (spent / each if each > 0.0 else None for each in (gain.q90, gain.q50, gain.q10))
    return Cost(unit, low, middle, high)


def _worth_until(gains: Floats, worth: float) -> Floats:
    """Return the place along the nodes, shape (d,), after which no gain of ``gains``, (k, d), is ``worth`` any more."""
    enough = gains >= worth
    count = len(gains)
    place = count - 1 - np.argmax(enough[::-1], axis=0)
    place = np.where(enough.any(axis=0), place, 0)
    column = np.arange(gains.shape[1])
    here, following = gains[place, column], gains[np.minimum(place + 1, count - 1), column]
    share = np.clip((here - worth) / np.maximum(here - following, 1e-300), 0.0, 1.0)
    return np.asarray(np.where(place < count - 1, place + share, count - 1.0))
