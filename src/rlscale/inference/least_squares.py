"""The least-squares sigmoid: a point estimate, for cross-checks and comparisons.

No interval, no refusal, every point alike (``sd`` is not used); forecasts and verdicts come from the posterior.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import Curve
from rlscale.inference.families import SIGMOID, Family
from rlscale.inference.posterior import require_points
from rlscale.inference.priors import PRIORS

__all__ = ["PointFit", "least_squares"]

Floats = NDArray[np.float64]

#: Starts of the search: a coarse grid over (m, ln B), the best few of which are polished.
_STARTS = 5
#: Evaluations of each polish; a curve that pins nothing down would otherwise take hundreds to say so.
_STEPS = 100


@dataclass(frozen=True)
class PointFit:
    """The curve of least squared error inside the bounds.

    Parameters
    ----------
    R0, A : float
        In reward.
    B : float
    C_mid : float
        In the curve's unit.
    rss : float
        Residual sum of squares, reward squared.
    at_bound : tuple of str
        Parameters that ended on the edge of what was allowed.
    """

    R0: float
    A: float
    B: float
    C_mid: float
    rss: float
    at_bound: tuple[str, ...]


def least_squares(curve: Curve, *, asymptote: float | None = None, family: Family = SIGMOID) -> PointFit:
    """Fit ``R0, A, B, C_mid`` by bounded least squares from several starts.

    Parameters
    ----------
    curve : Curve
        At least four evaluations at compute above 0.
    asymptote : float, optional
        Hold ``A`` at this value, in reward (the published tie rule: refit at a shared ``A`` and compare ``B``).
    family : Family

    Raises
    ------
    CurveError
        Too few points.
    """
    from scipy.optimize import least_squares as solve  # 70 ms to import, and only cross-checks need it

    require_points(curve)
    problem = _problem(curve, asymptote, family)
    lowest, highest = problem.limits[0, problem.free], problem.limits[1, problem.free]
    found = [
        solve(
            problem.residuals,
            start[problem.free],
            jac=problem.jacobian,
            bounds=(lowest.tolist(), highest.tolist()),
            xtol=1e-12,
            ftol=1e-12,
            gtol=1e-12,
            max_nfev=_STEPS,
        )
        for start in _starts(problem)
    ]
    best = min(found, key=lambda result: float(result.cost))
    full = problem.unpack(best.x)
    edge = problem.free & (np.min(np.abs(full - problem.limits), axis=0) < 1e-7)
    return PointFit(
        R0=float(curve.bounds[0] + curve.span * full[0]),
        A=float(curve.bounds[0] + curve.span * full[1]),
        B=float(np.exp(full[2])),
        C_mid=float(curve.compute_last * np.exp(full[3])),
        rss=float(2.0 * best.cost * curve.span**2),
        at_bound=tuple(name for name, at in zip(("R0", "A", "B", "C_mid"), edge, strict=True) if at),
    )


@dataclass(frozen=True, eq=False)
class _Problem:
    """Residuals on a unit reward range in the parameters ``R0, A, ln B, ln(C_mid / C_last)``.

    ``limits`` has shape (2, 4); ``free``, shape (4,), marks what is fitted; ``held`` is ``A`` where it is not.
    """

    family: Family
    x: Floats
    y: Floats
    limits: Floats
    free: NDArray[np.bool_]
    held: float

    def unpack(self, p: Floats) -> Floats:
        full = np.full(4, self.held)
        full[self.free] = p
        return full

    def residuals(self, p: Floats) -> Floats:
        r0, a, log_b, m = self.unpack(p)
        return np.asarray(r0 + (a - r0) * self.family.rise(self.x - m, np.exp(log_b)) - self.y)

    def jacobian(self, p: Floats) -> Floats:
        r0, a, log_b, m = self.unpack(p)
        x, b = np.maximum(self.x, -1e3) - m, np.exp(log_b)
        s = self.family.rise(x, b)
        by_x, by_b = self.family.slopes(x, b)
        return np.column_stack([1.0 - s, s, (a - r0) * by_b, (r0 - a) * by_x])[:, self.free]


def _problem(curve: Curve, asymptote: float | None, family: Family) -> _Problem:
    low, span = curve.bounds[0], curve.span
    with np.errstate(divide="ignore"):
        x = np.log(curve.compute / curve.compute_last)
    log_b = np.log(np.array(family.b_limits))
    limits = np.array(
        [(0.0, 0.0, log_b[0], PRIORS.log_c_mid_limits[0]), (1.0, 1.0, log_b[1], PRIORS.log_c_mid_limits[1])]
    )
    return _Problem(
        family=family,
        x=x,
        y=(curve.reward - low) / span,
        limits=limits,
        free=np.array([True, asymptote is None, True, True]),
        held=np.nan if asymptote is None else (asymptote - low) / span,
    )


def _starts(problem: _Problem) -> list[Floats]:
    """Best nodes of a coarse grid, ``R0`` and ``A`` by linear least squares clipped into the bounds."""
    y, limits = problem.y, problem.limits
    (b_low, m_low), (b_high, m_high) = limits[:, 2:].tolist()
    m, log_b = (axis.ravel() for axis in np.meshgrid(np.linspace(m_low, m_high, 19), np.linspace(b_low, b_high, 9)))
    s = problem.family.rise(problem.x - m[:, None], np.exp(log_b)[:, None])
    if problem.free[1]:
        # the gain by regression on s, the baseline from the means
        centred = s - s.mean(axis=1, keepdims=True)
        gain = centred @ y / np.maximum(np.sum(centred**2, axis=1), 1e-12)
        r0 = y.mean() - gain * s.mean(axis=1)
        a = r0 + gain
    else:
        a = np.full(m.size, problem.held)
        r0 = np.sum((1.0 - s) * (y - a[:, None] * s), axis=1) / np.maximum(np.sum((1.0 - s) ** 2, axis=1), 1e-12)
    r0, a = np.clip([r0, a], 1e-3, 1.0 - 1e-3)
    error = np.sum((r0[:, None] + (a - r0)[:, None] * s - y) ** 2, axis=1)
    best = np.argsort(error, kind="stable")[:_STARTS]
    points = np.column_stack([r0, a, log_b, m])[best]
    return [np.clip(point, limits[0] + 1e-6, limits[1] - 1e-6) for point in points]
