"""One run as a straight line in ``(log X, log L)``: a response, its weights, and the sums that a fit needs.

Noise is even in reward, not in ``log L``: an error ``e`` of the reward share moves ``log L`` by ``-e/L``. So the law is
made linear around the run's own weighted line ``eta``: the response ``z = eta + (L - exp(eta)) / exp(eta)`` with an sd
in proportion to ``exp(-eta)``. A noisy point at ``L <= 0`` needs no logarithm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import Curve
from rlscale.curves.value import Value
from rlscale.inference.noise import RHO_GRID, at_correlations, columns

__all__ = ["Lines", "Trace", "lines_of", "trace"]

Floats = NDArray[np.float64]

#: The line of a run is kept where ``L`` is a number to take the logarithm of.
_LOWEST, _HIGHEST = np.log(0.003), np.log(4.0)
_ITERATIONS = 8
#: Smallest noise assumed, as a share of ``R_max``: curves without noise have an answer too.
LEAST_NOISE = 1e-5


@dataclass(frozen=True, eq=False)
class Trace(Value):
    """A run made linear; arrays of shape (n,).

    Parameters
    ----------
    log_compute : array
        ``log X`` of each evaluation above compute 0.
    share : array
        ``L`` as it was measured.
    response : array
        The linear response, in ``log L``.
    weight : array
        One over its sd, in units of the noise of the reward as a share of ``R_max``.
    """

    log_compute: Floats
    share: Floats
    response: Floats
    weight: Floats


def trace(curve: Curve, r_max: float) -> Trace:
    """Return a run as a line in ``(log X, log L)``, ``L = 1 - R/r_max``; evaluations at compute 0 have no logarithm."""
    above = curve.compute > 0.0
    x = np.log(curve.compute[above])
    short = 1.0 - curve.reward[above] / r_max
    precise = _relative_precision(curve, above)
    eta = _line(x, np.log(np.clip(short, 0.05, None)), precise)
    for _ in range(_ITERATIONS):
        level = np.exp(eta)
        eta = _line(x, eta + (short - level) / level, precise * level)
    level = np.exp(eta)
    return Trace(x, short, eta + (short - level) / level, precise * level)


def _relative_precision(curve: Curve, above: NDArray[np.bool_]) -> Floats:
    """Return one over the relative sd of each point, 1 where unknown."""
    if curve.sd is None:
        return np.ones(int(above.sum()))
    sd = curve.sd[above]
    middle = np.nanmedian(sd) if not np.isnan(sd).all() else 1.0
    return np.asarray(np.where(np.isnan(sd), 1.0, middle / sd))


def _line(x: Floats, y: Floats, weight: Floats) -> Floats:
    """Return the weighted least-squares line at its own points, within what has a logarithm."""
    w = weight * weight
    middle = w @ x / w.sum()
    rise = w @ ((x - middle) * y) / max(w @ (x - middle) ** 2, 1e-300)
    line: Floats = np.clip(w @ y / w.sum() + rise * (x - middle), _LOWEST, _HIGHEST)
    return line


@dataclass(frozen=True, eq=False)
class Lines(Value):
    """Weighted sums of runs for every noise correlation; the columns are the level at ``centre`` and the slope.

    Parameters
    ----------
    centre : float
        ``log X`` where levels are taken.
    information : array, shape (runs, r, 2, 2)
        Inverse covariance of (level, slope), in units of the innovation variance.
    estimate : array, shape (runs, r, 2)
        Least-squares level and slope.
    residual : array, shape (runs, r)
        Sum of squares left, in reward as a share of ``R_max``.
    count : array, shape (runs,)
        Evaluations.
    """

    centre: float
    information: Floats
    estimate: Floats
    residual: Floats
    count: Floats

    @property
    def noise(self) -> Floats:
        """Innovation variance from the lines of the runs, shape (r,)."""
        degrees = max(float(self.count.sum()) - 2.0 * self.count.size, 1.0)
        return np.asarray(self.residual.sum(axis=0) / degrees)


def lines_of(traces: Sequence[Trace], centre: float) -> Lines:
    """Return the sums of several runs, levels taken at ``log X = centre``."""
    each = [_sums(run, centre) for run in traces]
    information, estimate, residual = (np.stack(part) for part in zip(*each, strict=True))
    count = np.array([run.response.size for run in traces], dtype=np.float64)
    return Lines(centre, information, estimate, residual, count)


def _sums(run: Trace, centre: float) -> tuple[Floats, Floats, Floats]:
    series = np.stack([run.weight, run.weight * (run.log_compute - centre), run.weight * run.response])
    turned = at_correlations(RHO_GRID)
    inner = np.empty((RHO_GRID.size, 3, 3))
    for i in range(3):
        inner[:, i, :] = turned @ (columns(series[i]) @ series.T)
    information, cross, square = inner[:, :2, :2], inner[:, :2, 2], inner[:, 2, 2]
    estimate = np.asarray(np.linalg.solve(information, cross[..., None])[..., 0], dtype=np.float64)
    # a floor under the noise: of curves without any, what is left is rounding
    floor = run.response.size * LEAST_NOISE**2
    residual = np.maximum(square - np.sum(cross * estimate, axis=-1), 0.0) + floor
    return information, estimate, np.asarray(residual, dtype=np.float64)
