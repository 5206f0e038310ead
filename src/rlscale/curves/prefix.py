"""A run as it was known earlier."""

from __future__ import annotations

from dataclasses import replace

from rlscale.curves.run import Run

__all__ = ["first"]


def first(run: Run, count: int) -> Run:
    """Return a run as it stood after its first ``count`` evaluations, the one at compute 0 among them."""
    return replace(run, curve=run.curve.until(float(run.curve.compute[count - 1])))
