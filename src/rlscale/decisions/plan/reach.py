"""Whether a recipe reaches a reward, and at what compute.

The probability of having got there by a compute is the highest probability, up to that compute, of standing there:
``F(C) = max over C' <= C of P(R(C') >= R)`` with the pooled levels of ``rank``. So it agrees with the forecast at every
compute. It is the first passage of quantile curves, not of a wandering path: model error is a Brownian motion in log
compute, whose own first passage comes somewhat earlier. ``benchmarks/plan.py`` measures both against known truths.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rlscale.decisions.plan.answer import Reach
from rlscale.inference.forecast import Interval
from rlscale.inference.pool import pooled_levels
from rlscale.inference.posterior import Posterior
from rlscale.numerals import probability, quantity

__all__ = ["reach"]

Floats = NDArray[np.float64]

#: What "ever" means, in last computes. Later the slow tails of a posterior add chances that do not come true: of 8, 16,
#: 32 and 100 this was the best calibrated, against what is reached at any compute too, on simulated recipes other than
#: those of ``benchmarks/plan.py``. A budget beyond it is looked at, too.
HORIZON = 8.0
#: Computes looked at: up to the last evaluation, where a few decades are covered, and beyond it up to the horizon. With
#: 12 of the past the intervals of rewards reached there came out up to half as wide again as with 48.
_PAST, _AHEAD = 48, 24


def reach(
    runs: Sequence[Posterior],
    reward: float,
    *,
    tau: float,
    budget: float | None = None,
    last: float | None = None,
    unit: str = "",
) -> Reach:
    """Return whether a recipe reaches ``reward``, and at what compute.

    Parameters
    ----------
    runs : sequence of Posterior
        Of its runs, at least one.
    reward : float
    tau : float
        Run-to-run sd, as a share of the range; 0 makes it a claim about these runs.
    budget : float, optional
        Compute by which the chance is wanted, too.
    last : float, optional
        What the recipe has been run to, where that is more than was fitted of it.
    unit : str
        Of compute, for the reason.
    """
    first = min(float(run.curve.compute[run.curve.compute > 0.0][0]) for run in runs)
    last = last or max(run.curve.compute_last for run in runs)
    horizon = max(HORIZON * last, budget or 0.0)
    computes = np.unique(
        np.concatenate(
            [np.geomspace(first, last, _PAST), np.geomspace(last, horizon, _AHEAD), [] if budget is None else [budget]]
        )
    )
    levels = pooled_levels(runs, computes.tolist(), tau)
    standing = np.array([1.0 - float(level.cdf(np.array(reward))) for level in levels])
    chances = np.clip(np.maximum.accumulate(standing), 0.0, 1.0)
    p = float(chances[-1])
    by_budget = None if budget is None else float(np.interp(np.log(budget), np.log(computes), chances))
    compute = _when(computes, chances) if p >= 0.5 else None
    return Reach(
        reward=reward,
        p=p,
        horizon=horizon,
        p_by_budget=by_budget,
        compute=compute,
        reason=_reason(compute, p, first, last, horizon, unit),
        chances=tuple(zip(computes.tolist(), chances.tolist(), strict=True)),
    )


def _when(computes: Floats, chances: Floats) -> Interval:
    """Return the compute of the first passage given that there is one, linear in log compute between the nodes."""
    place = np.interp(np.array([0.1, 0.5, 0.9]) * chances[-1], chances, np.arange(computes.size))
    node = np.minimum(place.astype(np.intp), computes.size - 2)
    # a node itself comes out as it is, so that the first evaluation is known to be it
    return Interval(*(computes[node] * (computes[node + 1] / computes[node]) ** (place - node)).tolist())


def _reason(compute: Interval | None, p: float, first: float, last: float, horizon: float, unit: str) -> str:
    if compute is None:
        far = f"{horizon / last:.3g} times the last compute"
        return (
            f"not reached within {quantity(horizon, unit)} ({far}): its chance is {probability(p)}, no compute is given"
        )
    if compute.q50 <= first:
        return "it stands there from the first evaluation on"
    if compute.q50 <= last * (1.0 + 1e-9):
        return "it probably has been reached already"
    return ""
