"""A fast rise followed by a slow one: most of the gain comes early, the rest over many times the compute."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from rlscale.inference.families.base import CompiledRise, Family, Floats

__all__ = ["TWO_SLOPE"]

#: Share of the gain that comes slowly; e-folds of compute from the fast midpoint to the slow one; slow exponent over
#: fast one. Forecasts of real runs are as good for .3 to .4, 2.5 to 4 and .35 to .5; a larger gap hides the slow part.
_SHARE, _GAP, _RATIO = 0.35, 3.0, 0.5
_B_LIMITS = (0.3, 8.0)


def _value(x: Floats, b: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the fast and the slow rise and the slope by ``x``, with ``x`` from the fast midpoint."""
    fast, slow = expit(b * x), expit(_RATIO * b * (x - _GAP))
    slope = b * ((1.0 - _SHARE) * fast * (1.0 - fast) + _SHARE * _RATIO * slow * (1.0 - slow))
    return fast, slow, slope


def _towards_half(start: Floats, b: Floats, steps: int) -> Floats:
    """Improve the place ``x`` where half of the gain is reached, by Newton steps."""
    x = start
    for _ in range(steps):
        fast, slow, slope = _value(x, b)
        x = x - ((1.0 - _SHARE) * fast + _SHARE * slow - 0.5) / slope
    return x


def _table(size: int) -> Floats:
    """Return the place of the half at ``size`` exponents, evenly spaced in ``ln B``."""
    b = np.exp(np.linspace(np.log(_B_LIMITS[0]), np.log(_B_LIMITS[1]), size))
    return _towards_half(np.log(0.5 / (0.5 - _SHARE)) / b, b, 12)


_HALF = _table(2049)
_STEP = float(np.log(_B_LIMITS[1] / _B_LIMITS[0])) / (_HALF.size - 1)


def _half(b: Floats) -> Floats:
    """E-folds from the fast midpoint to ``C_mid``, half of the whole gain."""
    place = (np.log(b) - np.log(_B_LIMITS[0])) / _STEP
    index = np.clip(place.astype(np.intp), 0, _HALF.size - 2)
    low = _HALF[index]
    return _towards_half(low + (place - index) * (_HALF[index + 1] - low), b, 1)


def _rise(x: Floats, b: Floats) -> Floats:
    # expit by tanh: see the sigmoid
    z = b * (x + _half(b))
    fast = np.tanh(0.5 * z)
    z -= b * _GAP
    z *= 0.5 * _RATIO
    slow = np.tanh(z, out=z)
    fast *= 0.5 * (1.0 - _SHARE)
    slow *= 0.5 * _SHARE
    fast += slow
    fast += 0.5
    return np.asarray(fast)


def _slopes(x: Floats, b: Floats) -> tuple[Floats, Floats]:
    half = _half(b)
    by_x, by_b = _partial(x + half, b)
    at_half = _partial(half, b)
    # the place of the half moves with ln B so that the rise there stays 1/2
    return by_x, by_b - by_x * at_half[1] / at_half[0]


def _partial(x: Floats, b: Floats) -> tuple[Floats, Floats]:
    fast, slow, slope = _value(x, b)
    by_b = b * ((1.0 - _SHARE) * fast * (1.0 - fast) * x + _SHARE * _RATIO * slow * (1.0 - slow) * (x - _GAP))
    return slope, by_b


#: ``ln B ~ N(ln 1.7, .6)`` as for the sigmoid: ``B`` is the exponent of the fast rise.
TWO_SLOPE = Family(
    name="two-slope",
    formula="R(C) = R0 + (A - R0) (.65 / (1 + (C1 / C)^B) + .35 / (1 + (20 C1 / C)^(B / 2))), C_mid at half of it",
    source="rlscale, for the late slow gains of public runs; compare the three phases of arXiv 2507.18014",
    rise=_rise,
    slopes=_slopes,
    log_b_mean=float(np.log(1.7)),
    log_b_sd=0.6,
    b_limits=_B_LIMITS,
    compiled=CompiledRise(form="two_slope", constants=(_SHARE, _GAP, _RATIO)),
)
