"""Runs that learn nothing although smaller models do: a law whose exponent rises with size is not of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rlscale.curves import Curve, Run
from rlscale.curves.bounds import jitter
from rlscale.inference.fit import FitOptions, fits
from rlscale.inference.verdict import VerdictName
from rlscale.left_out import LeftOut

__all__ = ["NO_GAIN", "without_gain"]

#: Why such a run is left out.
NO_GAIN = "no evidence of a gain, where a smaller model learns"
#: Runs that rise by more than this share of the range from their first quarter to their last, and by as many standard
#: errors, are not asked.
_RISE, _ERRORS = 0.05, 5.0


def without_gain(runs: Sequence[Run]) -> tuple[list[Run], list[LeftOut]]:
    """Return the runs that may shape the law, and those that may not.

    A run without evidence of a gain is left out where most runs of a smaller size learn. Else it stays: that the
    smallest models gain little is what the law says.
    """
    flat = [run for run in runs if not _rises(run.curve)]
    judged = fits(flat, (), FitOptions(health=False))  # by their curves alone, as the law is
    idle = {id(run) for run, fit in zip(flat, judged, strict=True) if _idle(fit.verdict.name, fit.verdict.ranks)}
    gains: dict[float, list[bool]] = {}
    for run in runs:
        gains.setdefault(float(run.model_params or 0.0), []).append(id(run) not in idle)
    smallest = min((size for size, each in gains.items() if 2 * sum(each) > len(each)), default=np.inf)
    out = {place for place, run in enumerate(runs) if id(run) in idle and float(run.model_params or 0.0) > smallest}
    return [run for place, run in enumerate(runs) if place not in out], [
        LeftOut(runs[place].name, _path(runs[place]), NO_GAIN, False) for place in sorted(out)
    ]


def _idle(name: VerdictName, ranks: bool) -> bool:
    return name is VerdictName.NO_LEARNING and not ranks


def _path(run: Run) -> str:
    return "" if run.source is None else run.source.path


def _rises(curve: Curve) -> bool:
    """Whether a curve plainly gains: a fit need not be asked."""
    quarter = max(curve.n_points // 4, 1)
    rise = float(curve.reward[-quarter:].mean() - curve.reward[:quarter].mean())
    error = jitter(curve.reward) * np.sqrt(2.0 / quarter)
    return bool(rise > max(_RISE * curve.range, _ERRORS * error))
