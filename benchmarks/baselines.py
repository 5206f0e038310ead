"""The methods people use today, written from their descriptions: what the engine is compared with.

Each takes the bare series ``compute`` and ``reward``, both of shape (n,), and returns plain numbers in the same units.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import OptimizeWarning, curve_fit
from scipy.optimize import least_squares as solve
from scipy.special import expit

Floats = NDArray[np.float64]

#: The published grid, ScaleRL A.5: ``A`` and ``C_mid`` in GPU-hours.
PUBLISHED_A = 0.450 + 0.005 * np.arange(71)
PUBLISHED_C_MID = np.linspace(100.0, 40000.0, 100)
#: Search range of least squares: ``ln(C_mid / C_last)`` and ``ln B``.
_LOG_C_MID = (-7.0, 7.0)
_LOG_B = (float(np.log(0.1)), float(np.log(10.0)))
_NORMAL_90 = 1.2815515655446004


@dataclass(frozen=True)
class Sigmoid:
    """A fitted ``R(C) = R0 + (A - R0) / (1 + (C_mid / C)^B)``; a point, with the covariance where the method has one.

    Parameters
    ----------
    R0, A, B, C_mid : float
    covariance : array, shape (4, 4), optional
        Of ``(R0, A, ln C_mid, ln B)``.
    """

    R0: float
    A: float
    B: float
    C_mid: float
    covariance: Floats | None = None

    def reward(self, compute: Floats | float) -> Floats:
        """Reward at ``compute``, any shape."""
        with np.errstate(divide="ignore"):
            z = self.B * (np.log(np.asarray(compute, dtype=np.float64)) - np.log(self.C_mid))
        return np.asarray(self.R0 + (self.A - self.R0) * expit(z))

    def interval(self, compute: float) -> tuple[float, float]:
        """80 % interval of the reward by the delta method; the whole line where the covariance is singular."""
        if self.covariance is None or not np.all(np.isfinite(self.covariance)):
            return -np.inf, np.inf
        slope = _jacobian(self._vector(), np.log(np.array([compute])))[0]
        spread = _NORMAL_90 * float(np.sqrt(max(slope @ self.covariance @ slope, 0.0)))
        middle = float(self.reward(compute))
        return middle - spread, middle + spread

    def _vector(self) -> Floats:
        return np.array([self.R0, self.A, np.log(self.C_mid), np.log(self.B)])


def last_value(compute: Floats, reward: Floats) -> float:
    """Reward of the last evaluation."""
    return float(reward[-1])


def last3_mean(compute: Floats, reward: Floats) -> float:
    """Mean reward of the last three evaluations."""
    return float(np.mean(reward[-3:]))


def least_squares(
    compute: Floats, reward: Floats, bounds: tuple[float, float] = (0.0, 1.0), starts: int = 4
) -> Sigmoid:
    """Bounded least squares with ``R0`` free: ``lo <= R0, A <= hi``, the best of several starts.

    Starts are the best nodes of a coarse grid of ``(ln C_mid, ln B)`` with ``(R0, A)`` by linear regression. The
    covariance is ``RSS / (n - 4) (J'J)^-1``.
    """
    low, high = bounds
    with np.errstate(divide="ignore"):
        x = np.log(compute / compute[-1])
    lower = np.array([low, low, _LOG_C_MID[0], _LOG_B[0]])
    upper = np.array([high, high, _LOG_C_MID[1], _LOG_B[1]])
    margin = 1e-6 * (upper - lower)
    best = None
    for start in _starts(x, reward, starts):
        found = solve(
            lambda p: _curve(p, x) - reward,
            np.clip(start, lower + margin, upper - margin),
            jac=lambda p: _jacobian(p, x),
            bounds=(lower, upper),
            x_scale=np.array([high - low, high - low, 1.0, 1.0]),
        )
        best = found if best is None or found.cost < best.cost else best
    assert best is not None  # the grid always yields a start
    information = best.jac.T @ best.jac
    singular = np.linalg.cond(information) > 1e14 or reward.size <= 4
    covariance = None if singular else 2.0 * best.cost / (reward.size - 4) * np.linalg.inv(information)
    r0, a, log_c_mid, log_b = best.x
    shift = np.log(compute[-1])
    return Sigmoid(float(r0), float(a), float(np.exp(log_b)), float(np.exp(log_c_mid + shift)), covariance)


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


def published_grid_fast(compute: Floats, reward: Floats, baseline: float) -> Sigmoid:
    """Choose the same curve as :func:`published_grid`, some forty times faster.

    ``B`` of every cell by a search instead of ``curve_fit``: at fixed ``(C_mid, B)`` the squared error is a parabola in
    ``A``, so 300 exponents of every cell cost one product; the lowest is refined by the parabola through it and its
    neighbours. ``speed`` counts how often both agree.
    """
    above = compute > 0
    x, gap = np.log(compute[above]), reward[above] - baseline
    log_b = np.linspace(np.log(0.05), np.log(20.0), 300)
    rise = expit(np.exp(log_b)[:, None] * (x - np.log(PUBLISHED_C_MID)[:, None, None]))
    gain = (PUBLISHED_A - baseline)[:, None, None]
    error = gap @ gap - 2.0 * gain * (rise @ gap) + gain**2 * np.sum(rise**2, axis=2)
    lowest = np.clip(np.argmin(error, axis=2), 1, log_b.size - 2)
    before, here, after = (np.take_along_axis(error, lowest[..., None] + k, axis=2)[..., 0] for k in (-1, 0, 1))
    bend = np.maximum(before - 2.0 * here + after, 1e-300)
    shift = np.clip(0.5 * (before - after) / bend, -1.0, 1.0)
    refined = here + 0.5 * shift * (after - before) + 0.5 * shift**2 * bend
    i, j = np.unravel_index(int(np.argmin(refined)), refined.shape)
    exponent = float(np.exp(log_b[lowest[i, j]] + shift[i, j] * (log_b[1] - log_b[0])))
    return Sigmoid(baseline, float(PUBLISHED_A[i]), exponent, float(PUBLISHED_C_MID[j]))


def linearised_grid(compute: Floats, reward: Floats, baseline: float, count: int = 600) -> Sigmoid:
    """For each of ``count`` ceilings up to 1.6 times the best reward, regress ``logit`` of the share on ``ln C``.

    ``ln((R - R0) / (A - R)) = B (ln C - ln C_mid)`` by ordinary least squares on the points strictly between ``R0`` and
    ``A``; the ceiling of the lowest squared error of reward wins.
    """
    usable = (compute > 0) & (reward > baseline + 1e-6)
    fallback = Sigmoid(baseline, float(np.max(reward)), 1.0, float(np.median(compute[compute > 0])))
    if np.count_nonzero(usable) < 3:
        return fallback
    x, y = np.log(compute[usable]), reward[usable]
    ceilings = np.linspace(y.max() + 1e-4, 1.6 * y.max(), count)[:, None]
    odds = np.log((y - baseline) / (ceilings - y))
    centred = x - x.mean()
    slope = odds @ centred / (centred @ centred)
    slope = np.where(np.abs(slope) < 1e-9, 1e-9, slope)
    middle = x.mean() - odds.mean(axis=1) / slope
    fitted = baseline + (ceilings - baseline) * expit(slope[:, None] * (x - middle[:, None]))
    error = np.where(slope > 0, np.sum((fitted - y) ** 2, axis=1), np.inf)
    best = int(np.argmin(error))
    if not np.isfinite(error[best]):
        return fallback
    midpoint = float(np.exp(np.clip(middle[best], -300.0, 300.0)))
    return Sigmoid(baseline, float(ceilings[best, 0]), float(slope[best]), midpoint)


def minos(compute: Floats, reward: Floats, target: float) -> tuple[float, float] | None:
    """80 % profile-likelihood interval of ``R(target)`` by iminuit's MINOS, or None where it finds none.

    The reward at the target takes the place of ``A``; ``R0`` is free, the noise sd that of least squares.
    """
    from iminuit import Minuit

    start = least_squares(compute, reward)
    with np.errstate(divide="ignore"):
        x = np.log(compute / compute[-1])
    ahead = float(np.log(target / compute[-1]))
    residual = reward - start.reward(compute)
    variance = max(float(residual @ residual) / max(reward.size - 4, 1), 1e-12)

    def cost(r0: float, at_target: float, log_c_mid: float, log_b: float) -> float:
        b = np.exp(log_b)
        rise = float(expit(b * (ahead - log_c_mid)))
        gap = r0 + (at_target - r0) / max(rise, 1e-12) * expit(b * (x - log_c_mid)) - reward
        return float(gap @ gap) / variance

    guess = {
        "r0": start.R0,
        "at_target": float(start.reward(target)),
        "log_c_mid": float(np.log(start.C_mid / compute[-1])),
        "log_b": float(np.log(start.B)),
    }
    problem = Minuit(cost, **guess)
    problem.errordef = Minuit.LEAST_SQUARES
    problem.limits = [(0, 1), (0, 1), _LOG_C_MID, _LOG_B]
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


def _curve(p: Floats, x: Floats) -> Floats:
    return np.asarray(p[0] + (p[1] - p[0]) * expit(np.exp(p[3]) * (x - p[2])))


def _jacobian(p: Floats, x: Floats) -> Floats:
    b, finite = np.exp(p[3]), np.maximum(x, -1e3)
    z = b * (finite - p[2])
    s = expit(z)
    slope = (p[1] - p[0]) * s * (1.0 - s)
    return np.column_stack([1.0 - s, s, -slope * b, slope * z])


def _starts(x: Floats, y: Floats, count: int) -> list[Floats]:
    scored: list[tuple[float, Floats]] = []
    for m in np.linspace(-4.0, 4.0, 17):
        for log_b in np.log((0.5, 1.0, 1.7, 3.0, 5.0)):
            s = expit(np.exp(log_b) * (x - m))
            pair, *_ = np.linalg.lstsq(np.column_stack([1.0 - s, s]), y, rcond=None)
            p = np.array([*np.clip(pair, y.min() - 0.5, y.max() + 0.5), m, log_b])
            scored.append((float(np.sum((_curve(p, x) - y) ** 2)), p))
    scored.sort(key=lambda item: item[0])
    return [p for _, p in scored[:count]]
