"""Gompertz in log-compute: takes off abruptly, then gains slowly for a long time."""

from __future__ import annotations

import numpy as np

from rlscale.inference.families.base import CompiledRise, Family, Floats, of_z

__all__ = ["GOMPERTZ"]

_LN2 = float(np.log(2.0))
#: ``exp`` of this is past anything that matters.
_FAR = 30.0


def _rise(z: Floats) -> Floats:
    np.negative(z, out=z)
    np.minimum(z, _FAR, out=z)
    np.exp(z, out=z)
    z *= -_LN2
    np.exp(z, out=z)
    return z


def _slope(z: Floats) -> Floats:
    power = np.asarray(_LN2 * np.exp(np.minimum(-z, _FAR)))
    return power * np.exp(-power)


_RISE, _SLOPES = of_z(_rise, _slope)

#: ``ln B ~ N(ln 1.1, .6)``: its approach to the ceiling is a power law of exponent ``B``, slower than the sigmoid's.
GOMPERTZ = Family(
    name="gompertz",
    formula="R(C) = R0 + (A - R0) 2^(-(C_mid / C)^B)",
    source="B. Gompertz, Phil. Trans. R. Soc. 115, 1825, in log-compute",
    rise=_RISE,
    slopes=_SLOPES,
    log_b_mean=float(np.log(1.1)),
    log_b_sd=0.6,
    b_limits=(0.25, 5.0),
    compiled=CompiledRise(form="gompertz"),
)
