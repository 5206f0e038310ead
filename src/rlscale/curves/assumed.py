"""What is assumed of rewards whose bounds nobody states: [0, 1] where all values lie in it, else open bounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rlscale.curves.bounds import OpenBounds, extent, frame_of, jitter, levels
from rlscale.curves.curve import Curve

__all__ = ["ASSUMED", "STRAY", "assumed", "bounds_sentence", "is_one_assumption", "opened"]

#: How bounds are known that are read off the values.
ASSUMED = ("values", "open")
#: Values of a reward in [0, 1] may stray so far outside.
STRAY = 0.02


def assumed(curves: Sequence[Curve]) -> list[Curve]:
    """Return curves with the bounds that their values suggest; stated and known bounds stay.

    Where no curve is open for a reason of its own (:data:`rlscale.curves.bounds.REASONS`) and all values of all curves
    lie in [-.02, 1.02], the bounds are [0, 1]; else open, with one range for all. What is assumed at a cut is what was
    known there: give the curves up to the cut.

    Parameters
    ----------
    curves : sequence of Curve
        Those of one command: they are decided together.
    """
    free = [curve for curve in curves if curve.bounds_from in ASSUMED]
    if not free:
        return list(curves)
    reasons = {curve.open.because for curve in free if curve.open is not None} - {"values"}
    if not reasons and all(map(_within_unit, free)):
        closed = [curve.with_bounds((0.0, 1.0), "values") for curve in free]
        return _in_place(curves, closed)
    return _in_place(curves, opened(free, because=next(iter(sorted(reasons)), "values")))


def is_one_assumption(curves: Sequence[Curve]) -> bool:
    """Whether bounds that nobody stated are the same for all curves, and no value leaves them."""
    free = [curve for curve in curves if curve.bounds_from != "option"]
    shared = {(curve.frame, curve.range, None if curve.open is None else curve.open.because) for curve in free}
    return len(shared) <= 1 and not any(map(_leaves, free))


def _leaves(curve: Curve) -> bool:
    """Whether a value lies outside what was assumed."""
    if curve.bounds_from == "percent":
        return bool(curve.reward.min() < 0.0 or curve.reward.max() > 100.0)
    if curve.open is None:
        return not _within_unit(curve)
    low, high = curve.bounds
    if not curve.open.range:
        return bool(np.ptp(levels(curve.reward)) > 0.0)
    return bool(curve.reward.min() < low or curve.reward.max() > high)


def _within_unit(curve: Curve) -> bool:
    return bool(curve.reward.min() >= -STRAY and curve.reward.max() <= 1.0 + STRAY)


def opened(curves: Sequence[Curve], *, because: str) -> list[Curve]:
    """Return curves with open bounds, decided together."""
    known = [(*extent(curve.reward), jitter(curve.reward)) for curve in curves]
    rises = [high - low for low, high in (levels(curve.reward) for curve in curves) if high > low]
    unit = float(np.median(rises)) if rises else 0.0
    bounds = [OpenBounds(lowest=low, highest=high, range=unit, jitter=j, because=because) for low, high, j in known]
    common = frame_of(bounds)
    return [
        curve.with_bounds(each.limits, "open", replace(each, frame=common))
        for curve, each in zip(curves, bounds, strict=True)
    ]


def _in_place(curves: Sequence[Curve], settled: Sequence[Curve]) -> list[Curve]:
    """Return the curves with those whose bounds were assumed replaced, in their order."""
    rest = iter(settled)
    return [next(rest) if curve.bounds_from in ASSUMED else curve for curve in curves]


def bounds_sentence(curve: Curve) -> str:
    """Say what is assumed of a curve's bounds; empty where they are stated."""
    if curve.bounds_from == "values":
        return "bounds [0, 1] assumed: all values lie in it; else give --bounds LO HI, or --bounds open"
    if curve.bounds_from == "metric":
        return f"bounds [0, 1]: {curve.metric!r} is a share by its name (else give --bounds LO HI)"
    if curve.bounds_from == "percent":
        return f"bounds [0, 100]: {curve.metric!r} is a share by its name, logged in percent"
    if curve.open is None:
        return ""
    why = {
        "asked": "as asked",
        "rewards": "several reward functions are logged beside their sum",
        "share": f"{curve.metric!r} is a share by its name, and its values leave both [0, 1] and [0, 100]",
        "values": "nothing says what is possible, and values leave [0, 1]",
    }[curve.open.because]
    unit = (
        f"; the typical rise of the runs, {curve.open.range:.3g}, is the unit of tolerance" if curve.open.range else ""
    )
    return f"bounds open: {why} (--bounds LO HI states them){unit}"
