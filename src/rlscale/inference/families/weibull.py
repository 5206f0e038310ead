"""The stretched exponential: takes off like a power of compute, saturates faster than a sigmoid."""

from __future__ import annotations

import numpy as np

from rlscale.inference.families.base import CompiledRise, Family, Floats, of_z

__all__ = ["WEIBULL"]

_LN2 = float(np.log(2.0))
#: ``exp`` of this is past anything that matters.
_FAR = 30.0


def _rise(z: Floats) -> Floats:
    np.minimum(z, _FAR, out=z)
    np.exp(z, out=z)
    z *= -_LN2
    np.expm1(z, out=z)
    np.negative(z, out=z)
    return z


def _slope(z: Floats) -> Floats:
    power = np.asarray(_LN2 * np.exp(np.minimum(z, _FAR)))
    return power * np.exp(-power)


_RISE, _SLOPES = of_z(_rise, _slope)

#: ``ln B ~ N(ln 1.1, .5)``: around a single exponential (B = 1), the saturation that Nimmaturi et al. report.
WEIBULL = Family(
    name="weibull",
    formula="R(C) = A - (A - R0) 2^(-(C / C_mid)^B)",
    source="stretched exponential (W. Weibull, J. Appl. Mech. 18, 1951); B = 1 for GRPO in arXiv 2507.18014",
    rise=_RISE,
    slopes=_SLOPES,
    log_b_mean=float(np.log(1.1)),
    log_b_sd=0.5,
    b_limits=(0.15, 5.0),
    compiled=CompiledRise(form="stretched"),
)
