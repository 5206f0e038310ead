"""Whether intervals may be believed: how often they hold, and whether narrow ones go with small errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr

from rlscale.curves.value import Value
from rlscale.inference.verdict import VerdictName
from rlscale.trust.baselines import METHODS
from rlscale.trust.outcome import OURS, Case

__all__ = [
    "NOMINAL",
    "Reliability",
    "RiskCoverage",
    "VerdictScores",
    "binomial_band",
    "reliability",
    "risk_coverage",
    "verdict_scores",
]

Numbers = tuple[float, ...]

#: Levels of the central intervals of a reliability diagram.
NOMINAL = tuple(k / 10 for k in range(1, 10))
#: A mean error over fewer forecasts than this is not drawn, and of more only so many.
_FEWEST, _MOST = 3, 240


@dataclass(frozen=True)
class Reliability(Value):
    """How often central intervals held the truth.

    Parameters
    ----------
    nominal : tuple of float
        Levels of the intervals.
    held : tuple of float
        Share of the truths inside them.
    low, high : tuple of float
        Where 90 % of such shares lie if the levels are true, for ``runs`` independent runs.
    cases, runs : int
        Forecasts, and runs they are of: several cuts of one run are not independent, so the band is one of runs.
    """

    nominal: Numbers
    held: Numbers
    low: Numbers
    high: Numbers
    cases: int
    runs: int


@dataclass(frozen=True)
class RiskCoverage(Value):
    """Mean absolute error of the forecasts with the narrowest 80 % intervals.

    Parameters
    ----------
    kept : tuple of float
        Share of the forecasts kept, the narrowest first.
    errors : mapping of str to tuple of float
        Mean absolute error of each method on those kept, in reward; the choice is always ours.
    """

    kept: Numbers
    errors: Mapping[str, Numbers]


@dataclass(frozen=True)
class VerdictScores(Value):
    """How the forecasts under one verdict did.

    Parameters
    ----------
    name : VerdictName
    cases : int
    mean_abs_error : float
        In reward.
    held : int
        Truths inside the 80 % interval.
    within : int
        Medians within the tolerance of the truth.
    """

    name: VerdictName
    cases: int
    mean_abs_error: float
    held: int
    within: int


def reliability(cases: Sequence[Case]) -> Reliability:
    """Return the reliability diagram of at least one case."""
    runs = len({case.run for case in cases})
    bands = [binomial_band(runs, level) for level in NOMINAL]
    return Reliability(
        nominal=NOMINAL,
        held=tuple(float(np.mean([case.covers(level) for case in cases])) for level in NOMINAL),
        low=tuple(low for low, _ in bands),
        high=tuple(high for _, high in bands),
        cases=len(cases),
        runs=runs,
    )


def binomial_band(count: int, p: float, level: float = 0.9) -> tuple[float, float]:
    """Return the central range, of ``level``, of the share of ``count`` trials of probability ``p`` that come true."""
    below = bdtr(np.arange(count + 1.0), count, p)
    tail = 0.5 * (1.0 - level)
    low, high = np.searchsorted(below, (tail, 1.0 - tail), side="left")
    return float(low / count), float(min(high, count) / count)


def risk_coverage(cases: Sequence[Case]) -> RiskCoverage:
    """Return the risk-coverage curves of some cases, from three forecasts kept to all of them."""
    ordered = sorted(cases, key=lambda case: case.width(0.8))
    total = len(ordered)
    first = min(_FEWEST, total)
    counts = np.unique(np.linspace(first, total, min(_MOST, total - first + 1)).round().astype(int))
    errors = {
        name: _floats(np.cumsum([case.error(name) for case in ordered])[counts - 1] / counts)
        for name in (OURS, *METHODS)
    }
    return RiskCoverage(_floats(counts / total), MappingProxyType(errors))


def verdict_scores(cases: Sequence[Case], tolerance: float) -> tuple[VerdictScores, ...]:
    """Return the scores of every verdict that occurs, from what supports most to what supports least.

    Parameters
    ----------
    cases : sequence of Case
    tolerance : float
        In reward.
    """
    found = []
    for name in reversed(VerdictName):
        having = [case for case in cases if case.verdict.name is name]
        if not having:
            continue
        errors = np.array([case.error() for case in having])
        held = sum(case.covers(0.8) for case in having)
        within = int(np.count_nonzero(errors <= tolerance))
        found.append(VerdictScores(name, len(having), float(errors.mean()), held, within))
    return tuple(found)


def _floats(values: NDArray[np.float64]) -> Numbers:
    return tuple(values.tolist())
