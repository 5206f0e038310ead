"""No learning at all: part of the average, so that a run that has not moved is not forecast to rise."""

from __future__ import annotations

import numpy as np

from rlscale.inference.families.base import Family, Floats

__all__ = ["FLAT"]


def _rise(x: Floats, b: Floats) -> Floats:
    return np.zeros(np.broadcast_shapes(x.shape, b.shape), dtype=x.dtype)


def _slopes(x: Floats, b: Floats) -> tuple[Floats, Floats]:
    zero = np.zeros(np.broadcast_shapes(x.shape, b.shape))
    return zero, zero


#: Not a family on its own: it has no gain, so no exponent and no midpoint, and its ``B`` is a placeholder. Without it a
#: run that never leaves .01 is forecast at .05 by the end, from a quarter of it.
FLAT = Family(
    name="flat",
    formula="R(C) = R0",
    source="no learning",
    rise=_rise,
    slopes=_slopes,
    log_b_mean=0.0,
    log_b_sd=1.0,
    b_limits=(0.9, 1.1),
    prior=0.15,
    rises=False,
)
