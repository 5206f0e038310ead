"""The ScaleRL sigmoid, a Hill curve in compute."""

from __future__ import annotations

import numpy as np

from rlscale.inference.families.base import CompiledRise, Family, Floats, of_z

__all__ = ["SIGMOID"]


def _rise(z: Floats) -> Floats:
    # 1 / (1 + exp(-z)) by tanh: no overflow; in place, the arrays are large
    z *= 0.5
    np.tanh(z, out=z)
    z *= 0.5
    z += 0.5
    return z


def _slope(z: Floats) -> Floats:
    share = _rise(z.copy())
    return share * (1.0 - share)


_RISE, _SLOPES = of_z(_rise, _slope)

#: ``ln B ~ N(ln 1.7, .6)``: 23 published ScaleRL-type fits have median 1.85 (quartiles 1.7 to 2.1), small public
#: runs about 1.34; the wide sd lets either win.
SIGMOID = Family(
    name="sigmoid",
    formula="R(C) = R0 + (A - R0) / (1 + (C_mid / C)^B)",
    source="ScaleRL, arXiv 2510.13786, eq. 1",
    rise=_RISE,
    slopes=_SLOPES,
    log_b_mean=float(np.log(1.7)),
    log_b_sd=0.6,
    b_limits=(0.3, 8.0),
    compiled=CompiledRise(form="logistic"),
)
