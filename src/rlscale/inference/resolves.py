"""When an unresolved curve should become resolved: a forecast of what further evaluations would teach.

Each of a few draws of the posterior is taken for the truth in turn. Evaluations to come are laid out at the run's own
spacing, and the variance the answer would then have is that of a Laplace approximation: the Fisher information of
AR(1) data about ``(R0, A, ln C_mid, ln B)`` at that truth, plus the precision of the priors. The compute at which the
80 % interval so found meets the tolerance is that draw's answer; the draws together give the interval. No data are
simulated and no curve is fitted again.

By the identity in ``noise``, written with ``D = sum_(t>1) dv_t dw_t`` in the place of ``L = 2 T - E - D``::

    <v, w>_rho = (1 - rho)^2 T + rho (1 - rho) E + rho D

``T`` and ``D`` only grow with the data, so one running sum over the nodes gives the information at every compute, and
a smooth stretch of many evaluations needs few nodes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import Curve
from rlscale.inference.forecast import Interval, forecast
from rlscale.inference.grounds import FEWEST
from rlscale.inference.posterior import MODEL_ERROR_REACH, Posterior
from rlscale.inference.priors import Priors
from rlscale.inference.walk import passed

__all__ = ["HORIZON", "resolves_at"]

Floats = NDArray[np.float64]

#: Nobody looks further than this many times the last compute.
HORIZON = 100.0
#: Draws taken for the truth, nodes of the computes to come (10 % apart), and most nodes of those that have been.
_DRAWS, _NODES, _PAST = 128, 48, 64
#: The spacing of the evaluations to come is that of so many last ones.
_RECENT = 12
#: Under an average the answer also differs between the families. Where runs resolve, its sd within and between them is
#: about this many times that within, at a compute and for the ceiling, on which the families differ most (medians of
#: 1.2 and of 2.0 to 2.8, ``benchmarks/resolves.py``); the ratio when the forecast is made says little about that then.
_BETWEEN, _BETWEEN_CEILINGS = 1.5, 2.75
#: Where the interval is wider now than the approximation says, it will be for some evaluations more: the excess fades
#: over this log compute. Without it every fifth forecast says "at the next evaluation", and five of six are wrong.
_FADES = float(np.log(2.0))
#: Width of a normal 80 % interval, in sd.
_WIDTH = 2.5631031310892007
#: ``R0`` and ``A`` are uniform over the bounds a priori: the precision of a normal of that variance.
_UNIFORM_PRECISION = 12.0
#: ``ln(C / C_last)`` of the baseline evaluation: finite, and no family has risen there.
_START = -60.0


@dataclass(frozen=True, eq=False)
class _Schedule:
    """Evaluations past and to come, as nodes that stand for several each; log compute from the last evaluation.

    Parameters
    ----------
    past, past_count : array, shape (p,)
        Nodes of the evaluations made, and how many each stands for.
    ahead : array, shape (k,)
        Nodes of the computes to come; the first is the last evaluation made, 0.
    between : array, shape (k - 1,)
        Evaluations between two of these, not a whole number.
    following : float
        The next evaluation.
    """

    past: Floats
    past_count: Floats
    ahead: Floats
    between: Floats
    following: float


def resolves_at(posterior: Posterior, target: float, tolerance: float, *, seen: float = 0.0) -> Interval | None:
    """Forecast the compute at which an unresolved curve should become ``resolved``.

    That is the first evaluation at which the 80 % interval of the noise-free reward asked for, model error included,
    is no wider than ``2 tolerance``, the midpoint is passed and there are evaluations enough.

    Parameters
    ----------
    posterior : Posterior
        Of a curve whose verdict is ``bending`` or ``pre_inflection``. For the other verdicts the question has no
        answer (``resolved``, ``too_few_points``, ``no_learning``, ``collapsed``, ``regime_change``): do not ask.
    target : float
        The compute asked for, in the curve's unit, above 0; ``inf`` for the asymptote.
    tolerance : float
        Half-width of an acceptable answer, as a share of the metric's range.

    seen : float
        Compute of the run's last evaluation, in its unit, where that is beyond the last one fitted.

    Returns
    -------
    Interval or None
        80 % interval and median, in the curve's unit, at or after the next evaluation. None where the median lies
        beyond :data:`HORIZON` times the last compute; a ``q90`` at exactly that compute says "or later".

    Notes
    -----
    A preposterior (expected posterior) quantity, as in H. Raiffa and R. Schlaifer, Applied Statistical Decision
    Theory, 1961. Evaluations are assumed to go on at the spacing of the last ones, in compute or in log compute,
    whichever has been more even. Under an average of families the sd is widened by a constant for what lies between
    them. ``benchmarks/resolves.py`` measures it against simulated runs that do go on; nothing else is calibrated.
    """
    curve = posterior.curve
    if curve.compute_last > np.finfo(np.float64).max / HORIZON:
        return None  # no number can say where
    schedule = _schedule(curve)
    asked = float(np.log(target / curve.compute_last))
    unit = curve.range / curve.span  # the draws have the bounds at 0 and 1
    error_unit = curve.error_range / curve.span
    truths = posterior.thinned(_DRAWS)
    to_go = asked - schedule.ahead
    if posterior.model_error is None:
        model_sd = truths.draws.walk_sd[:, None] * np.sqrt(passed(to_go))
    else:
        model_sd = error_unit * posterior.model_error * np.clip(to_go, 0.0, MODEL_ERROR_REACH)
    between = 1.0
    if len(posterior.families) > 1:
        between = _BETWEEN_CEILINGS if np.isinf(target) else _BETWEEN
    width = _WIDTH * np.sqrt(between**2 * _variance(truths, schedule, asked, posterior.priors) + model_sd**2)
    wider = forecast(posterior, target).interval.width / curve.span / float(np.median(width[:, 0]))
    width *= max(wider, 1.0) ** np.exp(-schedule.ahead / _FADES)
    least = _enough(curve, schedule)
    if seen > curve.compute_last:
        least = max(least, float(np.log(seen / curve.compute_last)) + schedule.following)
    times = np.maximum(_first(width, truths.draws.m, schedule, 2.0 * tolerance * unit), least)
    q10, q50, q90 = np.quantile(times, (0.1, 0.5, 0.9))
    if q50 > np.log(HORIZON):
        return None
    return Interval(*(float(curve.compute_last * min(np.exp(q), HORIZON)) for q in (q10, q50, q90)))


def _enough(curve: Curve, schedule: _Schedule) -> float:
    """Log compute at which there are enough evaluations to act on an answer."""
    counts = np.concatenate([[0.0], np.cumsum(schedule.between)])
    return float(np.interp(FEWEST - curve.n_points, counts, schedule.ahead))


def _gradients(truths: Posterior, ahead: Floats) -> Floats:
    """Gradients of the reward by ``(R0, A, m, ln B)`` at log-computes ``ahead`` of the last, shape (n,): (4, d, n)."""
    draws = truths.draws
    found = np.empty((4, draws.m.size, ahead.size))
    for k, family in enumerate(truths.families):
        own = draws.family(k)
        x, b, gain = ahead - draws.m[own, None], draws.b[own, None], draws.gain[own, None]
        by_x, by_b = family.slopes(x, b)
        share = family.rise(x, b)
        found[0, own], found[1, own], found[2, own], found[3, own] = 1.0 - share, share, -gain * by_x, gain * by_b
    return found


def _schedule(curve: Curve) -> _Schedule:
    """Lay out the evaluations made and, at their spacing, those to come."""
    with np.errstate(divide="ignore"):
        past = np.maximum(np.log(curve.compute / curve.compute_last), _START)
    relative = np.ones(past.size)
    if curve.sd is not None and not np.all(np.isnan(curve.sd)):
        relative = np.nan_to_num(curve.sd / np.nanmedian(curve.sd), nan=1.0)
    precision = 1.0 / relative**2
    if past.size > _PAST:
        # the baseline stays alone; of the rest consecutive ones are averaged
        starts = np.unique(np.append(0, np.linspace(1, past.size, _PAST).astype(np.intp)[:-1]))
        counts = np.diff(np.append(starts, past.size))
        past, precision = np.add.reduceat(past, starts) / counts, np.add.reduceat(precision, starts)
    recent = curve.compute[curve.compute > 0.0][-_RECENT:] / curve.compute_last
    steps, ratios = np.diff(recent), np.diff(np.log(recent))
    ahead = np.linspace(0.0, np.log(HORIZON), _NODES + 1)
    if np.std(steps) / np.mean(steps) <= np.std(ratios) / np.mean(ratios):
        step = float(np.median(steps))
        number, following = np.expm1(ahead) / step, float(np.log1p(step))
    else:
        following = float(np.median(ratios))
        number = ahead / following
    return _Schedule(past, precision, ahead, np.diff(number), following)


def _variance(truths: Posterior, schedule: _Schedule, asked: float, priors: Priors) -> Floats:
    """Variance of the reward at ``asked`` once the data reach each node ahead, shape (d, k), on the unit range."""
    past = _gradients(truths, schedule.past)
    ahead = np.concatenate([past[:, :, -1:], _gradients(truths, schedule.ahead[1:])], axis=2)
    ceiling = np.array([0.0, 1.0, 0.0, 0.0])[:, None]
    answer = ceiling if np.isinf(asked) else _gradients(truths, np.array([asked]))[:, :, 0]
    log_b_sd = np.repeat([each.log_b_sd for each in truths.families], np.diff(truths.draws.ends, prepend=0))
    prior = (_UNIFORM_PRECISION, _UNIFORM_PRECISION, priors.log_c_mid_sd**-2, log_b_sd[:, None] ** -2)
    information = {}
    for i in range(4):
        for j in range(i + 1):
            information[i, j] = _information(truths, schedule, (past[i], past[j]), (ahead[i], ahead[j]))
        information[i, i] += prior[i]
    return _inverse_form(information, answer[:, :, None])


def _information(
    truths: Posterior, schedule: _Schedule, past: tuple[Floats, Floats], ahead: tuple[Floats, Floats]
) -> Floats:
    """Return ``<v, w>_rho`` over the innovation variance, of two gradients ``v, w`` up to each node, shape (d, k).

    ``past`` holds both at the nodes made, shape (d, p), ``ahead`` at those to come, shape (d, k).
    """
    v, w = past
    middle = 0.5 * (schedule.past_count[1:] + schedule.past_count[:-1])
    total = (v * w) @ schedule.past_count
    change = (np.diff(v) * np.diff(w)) @ (1.0 / middle)
    first = v[:, 0] * w[:, 0]
    v, w = ahead
    rho = truths.draws.rho[:, None]
    product = v * w
    growth = (1.0 - rho) ** 2 * (0.5 * (product[:, 1:] + product[:, :-1])) * schedule.between
    growth += rho * np.diff(v) * np.diff(w) / schedule.between
    value = rho * (1.0 - rho) * (first[:, None] + product)
    value += (1.0 - rho) ** 2 * total[:, None] + rho * change[:, None]
    value[:, 1:] += np.cumsum(growth, axis=1)
    return np.asarray(value / truths.draws.innovation[:, None] ** 2)


def _inverse_form(matrix: dict[tuple[int, int], Floats], vector: Floats) -> Floats:
    """Return ``g' M^-1 g`` of positive definite ``M``, given by its lower half, by Cholesky's decomposition."""
    lower: dict[tuple[int, int], Floats] = {}
    solved: list[Floats] = []
    out: Floats = np.zeros(1)
    for i in range(len(vector)):
        for j in range(i + 1):
            rest = matrix[i, j] - sum(lower[i, k] * lower[j, k] for k in range(j))
            # rounding may leave a direction that the data do not see a hair under the prior's precision
            lower[i, j] = np.sqrt(np.maximum(rest, 1e-12)) if i == j else rest / lower[j, j]
        solved.append((vector[i] - sum(lower[i, k] * solved[k] for k in range(i))) / lower[i, i])
        out = np.asarray(out + solved[i] ** 2)
    return out


def _first(width: Floats, m: Floats, schedule: _Schedule, allowed: float) -> Floats:
    """Log compute at which ``width``, shape (d, k), is first ``allowed`` and the midpoint ``m`` passed: shape (d,).

    Twice the log horizon where that is beyond the horizon.
    """
    ahead = schedule.ahead
    done = (width <= allowed) & (m[:, None] <= ahead)
    after = np.maximum(np.argmax(done, axis=1), 1)
    row = np.arange(m.size)
    wide, narrow = np.log(width[row, after - 1]), np.log(width[row, after])
    part = np.clip((wide - np.log(allowed)) / np.maximum(wide - narrow, 1e-12), 0.0, 1.0)
    crossing = ahead[after - 1] + part * (ahead[after] - ahead[after - 1])
    crossing = np.maximum(np.maximum(crossing, m), schedule.following)
    return np.asarray(np.where(done.any(axis=1), crossing, 2.0 * ahead[-1]))
