"""The posterior of one curve: what the data say about every curve that could have made them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rlscale.curves import Curve
from rlscale.errors import CurveError
from rlscale.inference.draws import COUNT, Draws, draw
from rlscale.inference.evidence import evidence, thinned
from rlscale.inference.families import SIGMOID, Family
from rlscale.inference.noise import mean_variance
from rlscale.inference.priors import PRIORS, Priors
from rlscale.inference.zoom import zoomed

__all__ = [
    "MIN_POINTS",
    "MODEL_ERROR",
    "MODEL_ERROR_REACH",
    "Posterior",
    "posterior",
    "require_points",
    "weighted_quantiles",
]

Floats = NDArray[np.float64]

#: Fewer distinct computes above 0 than this are not fitted.
MIN_POINTS = 4
#: The default model error and the log-compute ahead at which it stops growing (it was measured up to 4 x ahead).
MODEL_ERROR = 0.02
MODEL_ERROR_REACH = float(np.log(4.0))


@dataclass(frozen=True, eq=False)
class Posterior:
    """Weighted draws of ``R(C) = R0 + (A - R0) s(C)``, its noise and its model error, for one curve.

    Parameters
    ----------
    family : Family
        The shape ``s``.
    curve : Curve
        The points fitted.
    draws : Draws
        The draws, on the engine's scale; the properties below give them in the curve's own units.
    model_error : float
        ``kappa``: forecasts carry a sd of ``kappa * min(ln(C / C_last), ln 4) * range``, none up to ``C_last``.
    block : int
        Evaluations averaged into each point fitted: 1 but for very long curves.
    """

    family: Family
    curve: Curve
    draws: Draws
    model_error: float
    block: int = 1

    @property
    def weight(self) -> Floats:
        """Weights, shape (d,), summing to 1."""
        return self.draws.weight

    @property
    def baseline(self) -> Floats:
        """``R0``, shape (d,), in reward."""
        return self.curve.bounds[0] + self.curve.range * self.draws.baseline

    @property
    def asymptote(self) -> Floats:
        """``A`` without model error, shape (d,), in reward."""
        return self.curve.bounds[0] + self.curve.range * (self.draws.baseline + self.draws.gain)

    @property
    def exponent(self) -> Floats:
        """``B``, shape (d,)."""
        return self.draws.b_within

    @property
    def midpoint(self) -> Floats:
        """``C_mid``, shape (d,), in the curve's unit."""
        return self.curve.compute_last * np.exp(self.draws.m_within)

    @property
    def sigma(self) -> Floats:
        """Marginal sd of the evaluation noise, shape (d,), in reward."""
        return self.curve.range * self.draws.sigma

    def reward(self, compute: ArrayLike, *, model_error: bool = False) -> Floats:
        """Noise-free reward at ``compute``.

        Parameters
        ----------
        compute : array, shape (k,)
            In the curve's unit; ``inf`` is the asymptote, 0 the baseline.
        model_error : bool
            Add the model error (the same draw at every compute), kept within the bounds.

        Returns
        -------
        array, shape (d, k)
        """
        compute = np.atleast_1d(np.asarray(compute, dtype=np.float64))
        ahead = self._ahead(compute)
        rise = self.family.rise(self.draws.b[:, None] * (ahead - self.draws.m[:, None]))
        value: Floats = self.baseline[:, None] + self.curve.range * self.draws.gain[:, None] * rise
        if not model_error:
            return value
        return np.clip(value + self.draws.model[:, None] * self.model_sd(compute), *self.curve.bounds)

    def model_sd(self, compute: Floats) -> Floats:
        """Model-error sd at ``compute``, any shape, in reward."""
        sd: Floats = self.model_error * self.curve.range * np.clip(self._ahead(compute), 0.0, MODEL_ERROR_REACH)
        return sd

    def _ahead(self, compute: Floats) -> Floats:
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(compute) - np.log(self.curve.compute_last))

    def mean_reward(self, compute: ArrayLike) -> Floats:
        """Predictive of the mean of the evaluations still to come at ``compute``, shape (k,): shape (d,).

        Noise-free mean, model error at the last of them, and the noise of a mean of ``k`` autocorrelated evaluations.
        """
        compute = np.atleast_1d(np.asarray(compute, dtype=np.float64))
        model = self.draws.model * self.model_sd(compute[-1:])
        noise = self.draws.noise * self.sigma * np.sqrt(mean_variance(self.draws.rho, compute.size))
        value: Floats = self.reward(compute).mean(axis=1) + model + noise
        return value

    def quantiles(self, values: Floats, levels: ArrayLike) -> Floats:
        """Posterior quantiles of ``values``, shape (d,) or (d, k): shape (levels,) or (levels, k)."""
        return weighted_quantiles(values, self.weight, levels)

    def probability(self, event: NDArray[np.bool_]) -> float:
        """Posterior probability of ``event``, shape (d,)."""
        return min(float(self.weight @ event), 1.0)

    def mean(self, values: Floats) -> Floats:
        """Posterior mean of ``values``, shape (d,) or (d, k)."""
        return np.asarray(self.weight @ values)


def posterior(
    curve: Curve,
    *,
    family: Family = SIGMOID,
    model_error: float = MODEL_ERROR,
    priors: Priors = PRIORS,
    count: int = COUNT,
) -> Posterior:
    """Fit one curve: the posterior of its parameters by deterministic quadrature.

    Parameters
    ----------
    curve : Curve
        At least :data:`MIN_POINTS` evaluations at compute above 0.
    family : Family
        The shape of the rise.
    model_error : float
        ``kappa`` of :class:`Posterior`.
    priors : Priors
        See ``priors``.
    count : int
        Draws, a power of two.

    Raises
    ------
    CurveError
        Too few points.
    """
    require_points(curve)
    curve, block = thinned(curve)
    data = evidence(curve)
    draws = draw(zoomed(data, family, priors), priors, count=count)
    return Posterior(family, curve, draws, model_error, block)


def require_points(curve: Curve) -> None:
    """Raise :class:`CurveError` where ``curve`` has fewer than :data:`MIN_POINTS` evaluations above compute 0."""
    if curve.n_trained < MIN_POINTS:
        raise CurveError(f"{curve.n_trained} evaluations at compute above 0; a fit needs at least {MIN_POINTS}")


def weighted_quantiles(values: Floats, weight: Floats, levels: ArrayLike) -> Floats:
    """Quantiles of weighted draws: the inverse of the CDF that is linear between the draws' mid-weights.

    Parameters
    ----------
    values : array, shape (d,) or (d, k)
    weight : array, shape (d,)
        Non-negative, summing to 1.
    levels : array, shape (q,)
        In [0, 1].

    Returns
    -------
    array, shape (q,) or (q, k)
    """
    levels = np.asarray(levels, dtype=np.float64)
    if values.ndim == 2:
        return np.stack([weighted_quantiles(column, weight, levels) for column in values.T], axis=-1)
    order = np.argsort(values)
    ordered = weight[order]
    return np.asarray(np.interp(levels, np.cumsum(ordered) - 0.5 * ordered, values[order]))
