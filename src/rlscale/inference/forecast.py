"""Forecasts: the distribution of the noise-free reward at a compute, model error included."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rlscale.inference.grounds import Grounds, capped, grounds
from rlscale.inference.posterior import Posterior
from rlscale.inference.quantiles import weighted_quantiles
from rlscale.inference.smoothed import smoothing

__all__ = [
    "LEVELS",
    "TOLERANCE",
    "Forecast",
    "Interval",
    "Moments",
    "forecast",
    "forecasts",
    "interval",
    "moments",
    "summarised",
]

Floats = NDArray[np.float64]

#: The quantile levels every forecast reports.
LEVELS = (0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95)
_NAMES = ("q05", "q10", "q25", "q50", "q75", "q90", "q95")
#: Default tolerance of an answer, as a share of the metric's range.
TOLERANCE = 0.05


@dataclass(frozen=True)
class Interval:
    """The 10 %, 50 % and 90 % quantiles of a quantity: an 80 % interval and its median."""

    q10: float
    q50: float
    q90: float

    @property
    def width(self) -> float:
        """Width of the 80 % interval."""
        return self.q90 - self.q10


@dataclass(frozen=True)
class Moments:
    """Mean and variance of a quantity."""

    mean: float
    variance: float


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """Distribution of the noise-free reward at one compute.

    Parameters
    ----------
    compute : float
        In the curve's unit; ``inf`` for the asymptote.
    q05, q10, q25, q50, q75, q90, q95, mean : float
        In reward.
    resolved : bool
        The 80 % interval is no wider than twice the tolerance, the midpoint is probably passed, a gain shows, and the
        values do not look smoothed.
    p_at_least : float, optional
        Probability that the reward is at least the level asked for.
    """

    compute: float
    q05: float
    q10: float
    q25: float
    q50: float
    q75: float
    q90: float
    q95: float
    mean: float
    resolved: bool
    p_at_least: float | None = None

    @property
    def interval(self) -> Interval:
        """The 80 % interval."""
        return Interval(self.q10, self.q50, self.q90)


def forecast(
    posterior: Posterior, compute: float, *, tolerance: float = TOLERANCE, at_least: float | None = None
) -> Forecast:
    """Forecast the noise-free reward at ``compute``.

    Parameters
    ----------
    posterior : Posterior
    compute : float
        In the curve's unit, above 0; ``inf`` for the asymptote.
    tolerance : float
        Half-width of an acceptable answer, as a share of the metric's range.
    at_least : float, optional
        A reward whose probability of being reached is wanted.

    Examples
    --------
    >>> import rlscale
    >>> curve = rlscale.Curve(compute=[0, 10, 20, 40, 80, 160], reward=[0.1, 0.16, 0.3, 0.47, 0.6, 0.66])
    >>> at_double = rlscale.forecast(rlscale.posterior(curve), 320.0)
    >>> at_double.q10 < at_double.q50 < at_double.q90
    True
    """
    return forecasts(posterior, (compute,), tolerance=tolerance, at_least=at_least)[0]


def forecasts(
    posterior: Posterior, computes: Sequence[float], *, tolerance: float = TOLERANCE, at_least: float | None = None
) -> tuple[Forecast, ...]:
    """Forecast at several computes, as :func:`forecast` does at one: faster together."""
    # what the curve shows is the reward now: one call for all is faster
    rewards = posterior.reward((*computes, posterior.curve.compute_last), model_error=True)
    shown = grounds(posterior, rewards[:, -1], smoothing(posterior.curve))
    return summarised(posterior, computes, rewards[:, :-1], shown, tolerance=tolerance, at_least=at_least)


def summarised(
    posterior: Posterior,
    computes: Sequence[float],
    values: Floats,
    shown: Grounds,
    *,
    tolerance: float,
    at_least: float | None,
) -> tuple[Forecast, ...]:
    """Return the forecasts of :func:`forecasts` from draws of the reward, model error included, shape (d, k)."""
    quantiles = posterior.quantiles(values, LEVELS).T.tolist()
    widest = 2.0 * tolerance * posterior.curve.range
    return tuple(
        Forecast(
            compute=float(compute),
            **dict(zip(_NAMES, quantiles[k], strict=True)),
            mean=float(posterior.mean(values[:, k])),
            resolved=shown.allow_resolved
            and quantiles[k][5] - quantiles[k][1] <= widest
            and not capped(posterior.curve, quantiles[k][5], shown.level),
            p_at_least=None if at_least is None else posterior.probability(values[:, k] >= at_least),
        )
        for k, compute in enumerate(computes)
    )


def moments(posterior: Posterior, values: Floats) -> Moments:
    """Return mean and variance of draws ``values``, shape (d,)."""
    mean = float(posterior.mean(values))
    return Moments(mean, float(posterior.mean((values - mean) ** 2)))


def interval(values: Floats, weight: Floats) -> Interval:
    """Return the 80 % interval of weighted ``values``; arrays of shape (d,)."""
    low, middle, high = weighted_quantiles(values, weight, (0.1, 0.5, 0.9))
    return Interval(float(low), float(middle), float(high))
