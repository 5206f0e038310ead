"""Curve families that were compared and are no part of the package: they do not earn their place out of source.

*Two phases*: a Hill rise followed by a slower one whose share of the gain and delay are integrated over on a small
grid, in the place of the two-slope family, which has one share and one delay. *Slow tail*: a Hill rise that breaks at
its midpoint and goes on with a smaller exponent, a broken power law in ``s / (1 - s)``.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from rlscale.inference.families import SIGMOID, Family
from rlscale.inference.families.base import Floats

__all__ = ["SLOW_TAIL", "TWO_PHASES", "slow_tail", "two_phases"]

#: Shares of the gain that come late, and e-folds of compute between the two midpoints.
SHARES, DELAYS = (0.2, 0.35, 0.5), (2.0, 3.5, 5.0)
#: Exponent of the late rise over that of the early one; of the tail over that of the rise.
RATIO, KAPPA = 0.5, 0.25
_LOG_B = np.linspace(np.log(0.3), np.log(8.0), 1025)
_STEPS = 40


def _no_slopes(x: Floats, b: Floats) -> tuple[Floats, Floats]:
    raise NotImplementedError("no point fit is made by this family")


def _half(share: float, delay: float) -> Floats:
    """Return where half of the gain is reached, from the early midpoint, for each of ``_LOG_B``, by bisection."""
    b = np.exp(_LOG_B)
    low, high = -8.0 / b, 8.0 / b + delay
    for _ in range(_STEPS):
        middle = 0.5 * (low + high)
        reached = (1.0 - share) * expit(b * middle) + share * expit(RATIO * b * (middle - delay))
        low, high = np.where(reached < 0.5, middle, low), np.where(reached < 0.5, high, middle)
    return np.asarray(0.5 * (low + high))


def two_phases(share: float, delay: float, prior: float) -> Family:
    """Return the two-phase family of one share and one delay."""
    half = _half(share, delay)

    def rise(x: Floats, b: Floats) -> Floats:
        kind = np.result_type(x, b).type
        z = b * (x + np.interp(np.log(b), _LOG_B, half).astype(kind))
        early, late = np.tanh(kind(0.5) * z), np.tanh(kind(0.5 * RATIO) * (z - b * kind(delay)))
        return np.asarray(kind(0.5) + kind(0.5 * (1.0 - share)) * early + kind(0.5 * share) * late)

    return Family(
        name=f"two phases {share:g} {delay:g}",
        formula="R(C) = R0 + (A - R0) ((1 - q) / (1 + (C1 / C)^B) + q / (1 + (e^d C1 / C)^(B / 2)))",
        source="the two-slope family with share q and delay d free",
        rise=rise,
        slopes=_no_slopes,
        log_b_mean=float(np.log(1.7)) + 0.8,
        log_b_sd=0.36,
        b_limits=(0.3, 8.0),
        prior=prior,
    )


def slow_tail(prior: float) -> Family:
    """Return the Hill family with a slower tail."""

    def rise(x: Floats, b: Floats) -> Floats:
        z = np.asarray(b * x)
        kind = z.dtype.type
        z = np.where(z > 0.0, kind(KAPPA) * z, z)
        return np.asarray(kind(0.5) + kind(0.5) * np.tanh(kind(0.5) * z))

    return Family(
        name="slow tail",
        formula="R(C) = R0 + (A - R0) / (1 + (C_mid / C)^B), B / 4 in the place of B above C_mid",
        source="a broken power law in s / (1 - s)",
        rise=rise,
        slopes=_no_slopes,
        log_b_mean=SIGMOID.log_b_mean + 0.55,
        log_b_sd=0.48,
        b_limits=(0.3, 8.0),
        prior=prior,
    )


#: The two-phase family integrated over its share and delay, with the probability that the two-slope family has.
TWO_PHASES = tuple(two_phases(share, delay, 0.08 / (len(SHARES) * len(DELAYS))) for share in SHARES for delay in DELAYS)
SLOW_TAIL = slow_tail(0.1)
