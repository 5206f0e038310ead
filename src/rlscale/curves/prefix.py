"""A run as it was known earlier."""

from __future__ import annotations

from dataclasses import replace

from rlscale.curves.bounds import extent, jitter
from rlscale.curves.curve import Curve
from rlscale.curves.run import Run

__all__ = ["first"]


def first(run: Run, count: int) -> Run:
    """Return a run as it stood after its first ``count`` evaluations, the one at compute 0 among them.

    Open bounds are those of the evaluations up to there; their range and their frame stay, which all runs share.
    """
    return replace(run, curve=_as_seen(run.curve.until(float(run.curve.compute[count - 1]))))


def _as_seen(curve: Curve) -> Curve:
    """Return a curve that was cut with the extent of what is left of it."""
    if curve.open is None:
        return curve
    low, high = extent(curve.reward)
    bounds = replace(curve.open, lowest=low, highest=high, jitter=jitter(curve.reward))
    return curve.with_bounds(bounds.limits, "open", bounds)
