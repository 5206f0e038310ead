"""Comparisons that only benchmarks need: least squares with an interval, the published grid to the letter, MINOS.

Each takes the bare series ``compute`` and ``reward``, both of shape (n,), and returns plain numbers in the same units.
What ``rlscale backtest`` runs, the published grid's fast form too, is in ``rlscale.trust.baselines``.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import OptimizeWarning, curve_fit
from scipy.special import expit

from benchmarks.common import UncheckedCurve
from rlscale.inference.families import SIGMOID
from rlscale.inference.least_squares import least_squares as point_fit
from rlscale.inference.priors import PRIORS
from rlscale.trust.baselines import PUBLISHED_A, PUBLISHED_C_MID, Sigmoid

Floats = NDArray[np.float64]

#: Half of a normal 80 % interval, in sd.
NORMAL_80 = 1.2815515655446004


@dataclass(frozen=True, kw_only=True)
class FittedSigmoid(Sigmoid):
    """A fitted sigmoid with what its residuals say.

    Parameters
    ----------
    covariance : array, shape (4, 4), optional
        Of ``(R0, A, ln C_mid, ln B)``; None where it is singular.
    noise_sd : float
        ``(RSS / (n - 4))^(1/2)``, in reward.
    """

    covariance: Floats | None
    noise_sd: float

    def spread(self, compute: ArrayLike) -> float | None:
        """Sd of the mean noise-free reward at ``compute``, shape (k,), by the delta method; None where singular."""
        if self.covariance is None or not np.all(np.isfinite(self.covariance)):
            return None
        slope = _jacobian(self._vector(), np.log(np.atleast_1d(compute))).mean(axis=0)
        return float(np.sqrt(max(slope @ self.covariance @ slope, 0.0)))

    def interval(self, compute: float) -> tuple[float, float]:
        """80 % interval of the noise-free reward; the whole line where the covariance is singular."""
        spread = self.spread(compute)
        if spread is None:
            return -np.inf, np.inf
        middle = float(self.reward(compute))
        return middle - NORMAL_80 * spread, middle + NORMAL_80 * spread

    def _vector(self) -> Floats:
        return np.array([self.R0, self.A, np.log(self.C_mid), np.log(self.B)])


def least_squares(compute: Floats, reward: Floats, bounds: tuple[float, float] = (0.0, 1.0)) -> FittedSigmoid:
    """Bounded least squares with ``R0`` free, the package's own, and its covariance ``RSS / (n - 4) (J'J)^-1``."""
    found = point_fit(UncheckedCurve(compute=compute, reward=reward, unit="steps", bounds=bounds))
    vector = np.array([found.R0, found.A, np.log(found.C_mid), np.log(found.B)])
    with np.errstate(divide="ignore"):
        jacobian = _jacobian(vector, np.log(compute))
    information = jacobian.T @ jacobian
    variance = found.rss / max(reward.size - 4, 1)
    singular = np.linalg.cond(information) > 1e14 or reward.size <= 4
    return FittedSigmoid(
        found.R0,
        found.A,
        found.B,
        found.C_mid,
        covariance=None if singular else variance * np.linalg.inv(information),
        noise_sd=float(np.sqrt(variance)),
    )


def published_grid(compute: Floats, reward: Floats, baseline: float) -> Sigmoid:
    """ScaleRL A.5: for every ``(A, C_mid)`` of the grid fit ``B`` by ``curve_fit``; the lowest squared error wins.

    Parameters
    ----------
    compute : array, shape (n,)
        In GPU-hours: the grid knows no other unit.
    reward : array, shape (n,)
        In [0, 1].
    baseline : float
        ``R0``, which the method takes as given.
    """
    above = compute > 0
    x, y = compute[above], reward[above]
    best, lowest = Sigmoid(baseline, PUBLISHED_A[0], 1.0, PUBLISHED_C_MID[0]), np.inf
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", OptimizeWarning)
        for midpoint in PUBLISHED_C_MID:
            for asymptote in PUBLISHED_A:
                curve = _with_free_exponent(baseline, float(asymptote), float(midpoint))
                try:
                    (exponent,), _ = curve_fit(curve, x, y)
                except RuntimeError:  # no convergence in this cell
                    continue
                error = float(np.sum((curve(x, exponent) - y) ** 2))
                if exponent > 0 and error < lowest:
                    best, lowest = Sigmoid(baseline, float(asymptote), float(exponent), float(midpoint)), error
    return best


def minos(compute: Floats, reward: Floats, target: ArrayLike) -> tuple[float, float] | None:
    """80 % profile-likelihood interval of the mean reward at ``target`` by iminuit's MINOS, or None where it has none.

    That reward takes the place of ``A``; ``R0`` is free, the noise sd that of least squares. Rewards in [0, 1];
    ``target`` is a compute or several, shape (k,).
    """
    from iminuit import Minuit

    start = least_squares(compute, reward)
    with np.errstate(divide="ignore"):
        x = np.log(compute / compute[-1])
    ahead = np.log(np.atleast_1d(np.asarray(target, dtype=np.float64)) / compute[-1])
    variance = max(start.noise_sd**2, 1e-12)

    def cost(r0: float, at_target: float, log_c_mid: float, log_b: float) -> float:
        b = np.exp(log_b)
        rise = float(expit(b * (ahead - log_c_mid)).mean())
        gap = r0 + (at_target - r0) / max(rise, 1e-12) * expit(b * (x - log_c_mid)) - reward
        return float(gap @ gap) / variance

    guess = {
        "r0": start.R0,
        "at_target": float(start.reward(np.exp(ahead) * compute[-1]).mean()),
        "log_c_mid": float(np.log(start.C_mid / compute[-1])),
        "log_b": float(np.log(start.B)),
    }
    problem = Minuit(cost, **guess)
    problem.errordef = Minuit.LEAST_SQUARES
    problem.limits = [(0, 1), (0, 1), PRIORS.log_c_mid_limits, tuple(np.log(SIGMOID.b_limits))]
    problem.migrad()
    if not problem.valid:
        return None
    try:
        problem.minos("at_target", cl=0.8)
    except RuntimeError:  # no valid minimum to walk from
        return None
    error, middle = problem.merrors["at_target"], problem.values["at_target"]
    return middle + error.lower, middle + error.upper


def _with_free_exponent(baseline: float, asymptote: float, midpoint: float) -> Callable[[Floats, float], Floats]:
    def curve(compute: Floats, exponent: float) -> Floats:
        return np.asarray(baseline + (asymptote - baseline) / (1.0 + (midpoint / compute) ** exponent))

    return curve


def _jacobian(p: Floats, x: Floats) -> Floats:
    """Slopes of the sigmoid by ``R0, A, ln C_mid, ln B`` at log-computes ``x``, shape (n,): shape (n, 4)."""
    b, finite = np.exp(p[3]), np.maximum(x, -1e3)
    z = b * (finite - p[2])
    s = expit(z)
    slope = (p[1] - p[0]) * s * (1.0 - s)
    return np.column_stack([1.0 - s, s, -slope * b, slope * z])
