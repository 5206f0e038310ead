"""The priors, written down once, with their reasons. All are free of the run's scale.

Rewards are on a unit range here: 0 is the lower bound of the metric, 1 the upper.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["PRIORS", "Priors"]


@dataclass(frozen=True, kw_only=True)
class Priors:
    """What is believed before a curve is seen (the family adds its own prior of ``B``).

    Parameters
    ----------
    log_c_mid_sd : float
        ``ln C_mid ~ N(ln C_last, sd)``: nobody stops a run orders of magnitude away from its midpoint. The largest
        single gain in accuracy measured.
    log_c_mid_limits : (float, float)
        The cut of that prior, in e-folds from the last compute.
    falling_weight : float
        ``(R0, A)`` is uniform inside the bounds, with this relative density where ``A < R0``: rewards rarely fall.
    sigma_shape, sigma_scale : float
        ``sigma^2 ~ InvGamma(shape, shape * scale^2)``, the marginal variance of the evaluation noise.
    """

    log_c_mid_sd: float = 1.5
    log_c_mid_limits: tuple[float, float] = (-5.0, 4.0)
    falling_weight: float = 0.05
    sigma_shape: float = 1.0
    sigma_scale: float = 0.015


PRIORS = Priors()
