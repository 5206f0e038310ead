"""One recipe in a ranking: what fitting said of its runs, and the distribution of its level and ceiling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import Curve
from rlscale.inference.fit import Fit
from rlscale.inference.forecast import Interval, Moments, interval, moments
from rlscale.inference.median import median_curve
from rlscale.inference.pool import Level, Scatter, pooled_levels, replicate_scatter, scatter
from rlscale.inference.posterior import Posterior
from rlscale.inference.verdict import Verdict, VerdictName

__all__ = ["Contender", "Entry", "Outcome", "contender", "entry", "healthy", "mean_at", "middle_verdict", "outcome"]

Floats = NDArray[np.float64]

#: Stretches of a level's draws by which most comparisons are settled.
_STRETCHES = 64


@dataclass(frozen=True)
class Outcome:
    """What fitting said of one run; ``fitted`` is false where it has no posterior."""

    verdict: Verdict
    warnings: tuple[str, ...]
    fitted: bool


@dataclass(frozen=True)
class Entry:
    """One recipe, its runs fitted, before it can be pooled: what a ranking has to know of all at that point.

    Parameters
    ----------
    outcomes : tuple of Outcome
        Of its runs, in their order.
    scatter : Scatter, optional
        What its healthy runs say about the run-to-run sd.
    first, shortest, longest : float
        First compute above 0, smallest and largest last compute that the fits cover; NaN where nothing was fitted.
    early : float
        Posterior mean of the noise-free reward at ``shortest``, over its runs.
    """

    outcomes: tuple[Outcome, ...]
    scatter: Scatter | None
    first: float = np.nan
    shortest: float = np.nan
    longest: float = np.nan
    early: float = np.nan

    @property
    def fitted(self) -> bool:
        """Whether any of its runs could be fitted."""
        return any(one.fitted for one in self.outcomes)


@dataclass(frozen=True, eq=False)
class Contender:
    """A recipe whose runs were fitted and pooled.

    Parameters
    ----------
    name : str
    verdict : Verdict
        Of its (lower) middle run among those fitted.
    level : Level
        Pooled distribution at the common compute.
    ceiling, exponent : Interval
        Pooled asymptote and efficiency exponent.
    medians : array, shape (k,)
        Median curve at the computes asked for.
    shortest : float
        Smallest last compute that its fits cover.
    early : float
        Posterior mean of the noise-free reward there, over its runs.
    curve : Curve, optional
        What was fitted of the run with the most compute, where it was asked for.
    """

    name: str
    verdict: Verdict
    level: Level
    ceiling: Interval
    exponent: Interval
    medians: Floats
    shortest: float
    early: float
    curve: Curve | None

    @property
    def median(self) -> float:
        """Median level at the common compute, in reward."""
        return self.level.interval.q50

    def p_better(self, other: Contender) -> float:
        """Probability of the higher level at the common compute, the two independent."""
        return float(np.clip(self.level.weight @ other.level.cdf(self.level.values), 0.0, 1.0))

    def is_better(self, other: Contender, sure: float) -> bool:
        """Return whether :meth:`p_better` is at least ``sure``, from few of the draws where those tell."""
        values, mass = self._few
        below = other.level.cdf(values)  # rises with the value: within each stretch it lies between its ends
        if mass @ below[:-1] >= sure + 1e-9:
            return True
        return bool(mass @ below[1:] >= sure - 1e-9) and self.p_better(other) >= sure

    @cached_property
    def _few(self) -> tuple[Floats, Floats]:
        """Ends of :data:`_STRETCHES` stretches of the level's draws, and the probability of each."""
        level = self.level
        ends = np.linspace(0, level.values.size - 1, _STRETCHES + 1).astype(np.intp)
        mass = np.add.reduceat(level.weight, ends[:-1])
        return level.values.take(ends), mass


def outcome(fit: Fit) -> Outcome:
    """Return what a fit said of its run."""
    return Outcome(fit.verdict, fit.warnings, fit.posterior is not None)


def entry(fits: Sequence[Fit]) -> Entry:
    """Return the recipe of ``fits``, all its runs."""
    outcomes = tuple(map(outcome, fits))
    posteriors = [fit.posterior for fit in fits if fit.posterior is not None]
    if not posteriors:
        return Entry(outcomes, None)
    curves = [run.curve for run in posteriors]
    shortest = min(curve.compute_last for curve in curves)
    levels = [_level_at(fit.posterior, fit.level, shortest) for fit in fits if fit.posterior is not None]
    sound = healthy(fits)
    # the same levels tell how far the runs scatter, where none is left out
    same = len(sound) == len(posteriors) > 1
    return Entry(
        outcomes=outcomes,
        scatter=scatter(levels, curves[0].range) if same else replicate_scatter(sound),
        first=min(float(curve.compute[curve.compute > 0][0]) for curve in curves),
        shortest=shortest,
        longest=max(curve.compute_last for curve in curves),
        early=float(np.mean([level.mean for level in levels])),
    )


def _level_at(run: Posterior, last: Moments | None, compute: float) -> Moments:
    """Return mean and variance of the noise-free reward at a compute: most are known from the fit."""
    if last is not None and compute == run.curve.compute_last:
        return last
    return moments(run, run.expected([compute])[:, 0])


def contender(
    name: str,
    told: Entry,
    posteriors: Sequence[Posterior],
    at: float,
    tau: float,
    grid: Floats,
    *,
    with_curve: bool = False,
) -> Contender:
    """Return the recipe ``name``, pooled at compute ``at`` with run-to-run sd ``tau``.

    Parameters
    ----------
    name : str
    told : Entry
    posteriors : sequence of Posterior
        Of its runs that could be fitted, at least one.
    at : float
        The common compute; ``inf`` for the asymptote.
    tau : float
        As a share of the range.
    grid : array, shape (k,)
        Where its median curve is wanted.
    with_curve : bool
        Whether its longest curve is.
    """
    level, *ceiling = pooled_levels(posteriors, (at,) if np.isinf(at) else (at, np.inf), tau)
    return Contender(
        name=name,
        verdict=middle_verdict([one.verdict for one in told.outcomes if one.fitted]),
        level=level,
        ceiling=(ceiling or [level])[0].interval,
        exponent=_exponent(posteriors),
        medians=median_curve(posteriors, grid),
        shortest=told.shortest,
        early=told.early,
        curve=max(posteriors, key=lambda run: run.curve.compute_last).curve if with_curve else None,
    )


def mean_at(posteriors: Sequence[Posterior], computes: Sequence[float]) -> list[float]:
    """Return the posterior mean of the noise-free reward at each compute, over the runs of a recipe."""
    rewards = [run.expected(computes).T for run in posteriors]
    return [
        float(np.mean([run.mean(reward[k]) for run, reward in zip(posteriors, rewards, strict=True)]))
        for k in range(len(computes))
    ]


def middle_verdict(verdicts: Sequence[Verdict]) -> Verdict:
    """Return the (lower) middle verdict: at least half of the runs support as much."""
    order = list(VerdictName)
    ordered = sorted(verdicts, key=lambda verdict: (order.index(verdict.name), verdict.saturated))
    return ordered[(len(ordered) - 1) // 2]


def _exponent(runs: Sequence[Posterior]) -> Interval:
    runs = [run.component(run.leading) for run in runs]  # exponents of different families are no one quantity
    values = np.concatenate([run.exponent for run in runs])
    weight = np.concatenate([run.weight for run in runs]) / len(runs)
    return interval(values, weight)


def healthy(fits: Sequence[Fit]) -> list[Posterior]:
    """Posteriors of the runs that learn and hold: a failed seed is no measure of how far good seeds scatter."""
    failed = (VerdictName.NO_LEARNING, VerdictName.COLLAPSED, VerdictName.REGIME_CHANGE)
    return [fit.posterior for fit in fits if fit.posterior is not None and fit.verdict.name not in failed]
