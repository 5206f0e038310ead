"""The least-squares sigmoid: a point estimate, for cross-checks and comparisons.

No interval and no refusal; forecasts and verdicts come from the posterior.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import Curve
from rlscale.errors import CurveError
from rlscale.inference.families import SIGMOID, Family
from rlscale.inference.posterior import MIN_POINTS
from rlscale.inference.priors import PRIORS

__all__ = ["PointFit", "least_squares"]

Floats = NDArray[np.float64]

#: Starts of the search: a coarse grid over (m, ln B), the best few of which are polished.
_STARTS = 5


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

    if int(np.count_nonzero(curve.compute > 0)) < MIN_POINTS:
        raise CurveError(f"a least-squares fit needs {MIN_POINTS} evaluations above compute 0, got {curve.n_points}")
    low, span = curve.bounds[0], curve.range
    y = (curve.reward - low) / span
    with np.errstate(divide="ignore"):
        x = np.log(curve.compute / curve.compute_last)
    held = None if asymptote is None else (asymptote - low) / span
    limits = np.array(
        [(0.0, 1.0), (0.0, 1.0), np.log(family.b_limits), PRIORS.log_c_mid_limits], dtype=np.float64
    ).T
    free = np.array([True, held is None, True, True])

    def unpack(p: Floats) -> Floats:
        full = np.empty(4)
        full[free] = p
        if held is not None:
            full[1] = held
        return full

    def residuals(p: Floats) -> Floats:
        r0, a, log_b, m = unpack(p)
        return np.asarray(r0 + (a - r0) * family.rise(np.exp(log_b) * (x - m)) - y)

    def jacobian(p: Floats) -> Floats:
        r0, a, log_b, m = unpack(p)
        b = np.exp(log_b)
        finite = np.where(np.isfinite(x), x, -1e3)
        z = b * (finite - m)
        s, slope = family.rise(z), (a - r0) * family.slope(z)
        return np.column_stack([1.0 - s, s, slope * z, -slope * b])[:, free]

    best = None
    for start in _starts(family, x, y, limits, held):
        found = solve(
            residuals, start[free], jac=jacobian, bounds=limits[:, free], xtol=1e-14, ftol=1e-14, gtol=1e-14
        )
        if best is None or found.cost < best.cost:
            best = found
    assert best is not None  # the grid always yields a start
    full = unpack(best.x)
    edge = (np.abs(full - limits[0]) < 1e-7) | (np.abs(full - limits[1]) < 1e-7)
    names = ("R0", "A", "B", "C_mid")
    return PointFit(
        R0=float(low + span * full[0]),
        A=float(low + span * full[1]),
        B=float(np.exp(full[2])),
        C_mid=float(curve.compute_last * np.exp(full[3])),
        rss=float(2.0 * best.cost * span**2),
        at_bound=tuple(n for n, e, f in zip(names, edge, free, strict=True) if e and f),
    )


def _starts(family: Family, x: Floats, y: Floats, limits: Floats, held: float | None) -> list[Floats]:
    """Best nodes of a coarse grid, ``R0`` and ``A`` by linear least squares clipped into the bounds."""
    scored = []
    for m in np.linspace(limits[0, 3], limits[1, 3], 19):
        for log_b in np.linspace(limits[0, 2], limits[1, 2], 9):
            s = family.rise(np.exp(log_b) * (x - m))
            if held is None:
                r0, a = np.linalg.lstsq(np.column_stack([1.0 - s, s]), y, rcond=None)[0]
            else:
                r0, a = float((1 - s) @ (y - held * s) / max((1 - s) @ (1 - s), 1e-12)), held
            r0, a = np.clip([r0, a], 1e-3, 1.0 - 1e-3)
            scored.append((float(np.sum((r0 + (a - r0) * s - y) ** 2)), (r0, a, log_b, m)))
    scored.sort(key=lambda item: item[0])
    return [
        np.clip(np.array(point), limits[0] + 1e-6, limits[1] - 1e-6) for _, point in scored[:_STARTS]
    ]
