"""Does a family keep the contract? For whoever writes one: ``assert not faults(MY_FAMILY)``."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np

from rlscale.inference.families.base import Family, Floats

__all__ = ["faults"]

#: Steps of the numerical derivatives, and how far they may be off.
_STEP, _CLOSE = 1e-5, 1e-6


def faults(family: Family) -> list[str]:
    """Return what ``family`` does wrong, one sentence each; empty where it conforms.

    Checked for 25 exponents across its limits and ``x = ln(C / C_mid)`` from -12 to 12 and at both infinities: range,
    monotony, midpoint and limits of the rise, its float type and broadcasting, its slopes against central differences,
    and that the prior of ``ln B`` integrates to the family's own. Warnings count as faults.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = [*_limits(family)] or [*_shape(family), *_types(family), *_slopes(family), *_prior(family)]
    return found + sorted({f"warns: {one.message}" for one in caught})


def _log_exponents(family: Family, count: int) -> Floats:
    low, high = np.log(family.b_limits)
    return np.linspace(float(low), float(high), count)


def _exponents(family: Family) -> Floats:
    return np.asarray(np.exp(_log_exponents(family, 25)))


def _limits(family: Family) -> Iterator[str]:
    low, high = family.b_limits
    if not 0.0 < low < high < np.inf:
        yield f"b_limits {family.b_limits} are not 0 < low < high"
    if not family.log_b_sd > 0.0:
        yield f"log_b_sd {family.log_b_sd} is not above 0"


def _shape(family: Family) -> Iterator[str]:
    b = _exponents(family)[:, None]
    x = np.linspace(-12.0, 12.0, 481)
    share = family.rise(np.broadcast_to(x, (25, 481)).copy(), b)
    if not np.all((share >= 0.0) & (share <= 1.0)):
        yield "the rise leaves [0, 1]"
    if np.any(np.diff(share, axis=1) < -1e-12):
        yield "the rise falls somewhere"
    for at, wanted in ((-np.inf, 0.0), (0.0, 0.5), (np.inf, 1.0)):
        value = family.rise(np.full((25, 1), at), b)
        if not np.allclose(value, wanted, rtol=0.0, atol=1e-12):
            yield f"the rise at x = {at:g} is {float(value.ravel()[0]):g}, not {wanted:g}"


def _types(family: Family) -> Iterator[str]:
    x, b = np.linspace(-6.0, 6.0, 40), _exponents(family)[:, None]
    double = family.rise(x + 0.0 * b, b)
    if double.shape != (25, 40) or double.dtype != np.float64:
        yield f"the rise of shapes (25, 40) and (25, 1) is {double.dtype} of shape {double.shape}"


def _slopes(family: Family) -> Iterator[str]:
    b = np.exp(_log_exponents(family, 27))[1:-1, None]
    x = np.linspace(-6.0, 6.0, 49) + 0.0 * b
    by_x, by_b = family.slopes(x, b)
    for name, slope, up, down in (
        ("x", by_x, family.rise(x + _STEP, b), family.rise(x - _STEP, b)),
        ("ln B", by_b, family.rise(x.copy(), b * np.exp(_STEP)), family.rise(x.copy(), b * np.exp(-_STEP))),
    ):
        worst = float(np.max(np.abs((up - down) / (2.0 * _STEP) - slope)))
        if not worst < _CLOSE:
            yield f"the slope by {name} is off by {worst:.2g}"


def _prior(family: Family) -> Iterator[str]:
    edges = _log_exponents(family, 20001)
    middle = 0.5 * (edges[1:] + edges[:-1])
    mass = float(np.sum(np.exp(family.log_prior_b(middle))) * (edges[1] - edges[0]))
    if not abs(mass - family.prior) < 1e-4:
        yield f"the prior of ln B integrates to {mass:.4f}, not to {family.prior:g}"
