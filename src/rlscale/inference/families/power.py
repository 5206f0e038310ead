"""The saturating power law: no inflection in compute. Kept so that published comparisons can be reproduced."""

from __future__ import annotations

import numpy as np

from rlscale.inference.families.base import CompiledRise, Family, Floats

__all__ = ["POWER"]

_LN2 = float(np.log(2.0))
#: ``exp`` of this is past anything that matters.
_FAR = 60.0


def _rise(x: Floats, b: Floats) -> Floats:
    # (2^(1/B) - 1) C / C_mid = exp(y); s = 1 - (1 + exp(y))^-B
    y = np.minimum(x + np.log(np.expm1(_LN2 / b)), _FAR)
    share = -np.expm1(-b * np.log1p(np.exp(y)))
    return np.asarray(np.where(x == np.inf, 1.0, share).astype(share.dtype, copy=False))


def _slopes(x: Floats, b: Floats) -> tuple[Floats, Floats]:
    y = np.minimum(x + np.log(np.expm1(_LN2 / b)), _FAR)
    grown = np.exp(y)
    rest = np.exp(-b * np.log1p(grown))
    by_x = rest * b * grown / (1.0 + grown)
    # d ln(2^(1/B) - 1) / d ln B
    by_b = -_LN2 / b / -np.expm1(-_LN2 / b)
    return np.asarray(by_x), np.asarray(rest * b * np.log1p(grown) + by_x * by_b)


#: ``ln B ~ N(ln .8, .6)``. Alone a power law extrapolates badly from the first half of a run (ScaleRL A.4: A = 1.0 for
#: a plateau near .65); beside others, and with a learned model error, it is the family of runs that creep on.
POWER = Family(
    name="power",
    formula="R(C) = A - (A - R0) (1 + (2^(1/B) - 1) C / C_mid)^(-B)",
    source="ScaleRL, arXiv 2510.13786, A.4 (A - D / C^B far above C_mid)",
    rise=_rise,
    slopes=_slopes,
    log_b_mean=float(np.log(0.8)),
    log_b_sd=0.6,
    b_limits=(0.1, 5.0),
    compiled=CompiledRise(form="power"),
)
