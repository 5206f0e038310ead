"""``--from auto``: whether the early part of a run foretells the late part worse than leaving it out does.

What a run does first (learning the answer's format, a warm-up) need not lie on the curve it follows later. An option
and not a default: over many real runs it neither gained nor lost (measured), and most curves need all their points.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import Curve
from rlscale.inference.families import SIGMOID
from rlscale.inference.posterior import MIN_POINTS, posterior

__all__ = ["onset"]

Floats = NDArray[np.float64]

#: Shares of the evaluations after the start that may be left out.
SHARES = (0.1, 0.2, 0.3)
#: Nats by which leaving points out has to foretell better: 1, and ln 4 for the choice among four.
PENALTY = 1.0 + float(np.log(4.0))
#: Evaluations after the start under which nothing can be said.
ENOUGH = 20


def onset(curve: Curve) -> float | None:
    """Return the compute from which the curve should be fitted, in its unit; None for all of it.

    The first half of the evaluations, less its first 0, 10, 20 or 30 % of all, foretells the second half with log score
    ``S_k = ln sum_d w_d prod_t N(y_t | y_(t-1), draw d)`` (the noise AR(1), the model error included, the points scored
    the same for every ``k``). The best ``k > 0`` is taken where ``S_k - S_0 > 1 + ln 4``. A baseline evaluation at
    compute 0 is kept throughout, as ``--from`` does.
    """
    trained = np.flatnonzero(curve.compute > 0.0)
    if trained.size < ENOUGH:
        return None
    seen = trained.size // 2
    firsts = [round(share * trained.size) for share in SHARES]
    scores = {k: _log_score(curve, trained[k], trained[seen]) for k in (0, *firsts) if seen - k >= MIN_POINTS}
    best = max(scores, key=lambda k: scores[k])
    if scores[best] - scores[0] <= PENALTY:
        return None
    return float(curve.compute[trained[best]])


def _log_score(curve: Curve, first: int, until: int) -> float:
    """Log predictive density of the rewards from index ``until`` on, given those from ``first`` to before it."""
    compute = curve.compute
    fitted = posterior(curve.until(float(compute[until - 1])).since(float(compute[first])), families=(SIGMOID,))
    expected = fitted.reward(compute[until - 1 :], model_error=True)
    residual = curve.reward[until - 1 :] - expected
    rho = fitted.draws.rho[:, None]
    sd = fitted.sigma * np.sqrt(1.0 - fitted.draws.rho**2)
    shocks = (residual[:, 1:] - rho * residual[:, :-1]) / sd[:, None]
    log_density = -0.5 * np.sum(shocks * shocks, axis=1) - shocks.shape[1] * np.log(sd)
    peak = float(log_density.max())
    return peak + float(np.log(fitted.weight @ np.exp(log_density - peak)))
