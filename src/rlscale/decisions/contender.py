"""One recipe in a ranking: its fitted runs, and the distribution of its level and ceiling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rlscale.inference.fit import Fit
from rlscale.inference.pool import Level, pooled_level
from rlscale.inference.posterior import Posterior
from rlscale.inference.verdict import Verdict, VerdictName

__all__ = ["Contender", "contender", "middle_verdict"]


@dataclass(frozen=True, eq=False)
class Contender:
    """A recipe whose runs were fitted.

    Parameters
    ----------
    name : str
    fits : tuple of Fit
        All its runs.
    posteriors : tuple of Posterior
        Of the runs that could be fitted, at least one.
    verdict : Verdict
        Of its (lower) middle run among those fitted.
    level, ceiling : Level
        Pooled distribution at the common compute and of the asymptote.
    """

    name: str
    fits: tuple[Fit, ...]
    posteriors: tuple[Posterior, ...]
    verdict: Verdict
    level: Level
    ceiling: Level

    @property
    def median(self) -> float:
        """Median level at the common compute, in reward."""
        return self.level.interval.q50

    @property
    def longest(self) -> Posterior:
        """The run with the most compute."""
        return max(self.posteriors, key=lambda run: run.curve.compute_last)

    def p_better(self, other: Contender) -> float:
        """Probability of the higher level at the common compute, the two independent."""
        return float(np.clip(self.level.weight @ other.level.cdf(self.level.values), 0.0, 1.0))

    def mean_at(self, compute: float) -> float:
        """Posterior mean of the noise-free reward at ``compute``, over its runs."""
        return float(np.mean([run.mean(run.reward([compute])[:, 0]) for run in self.posteriors]))


def contender(name: str, fits: tuple[Fit, ...], at: float, tau: float) -> Contender | None:
    """Return the recipe ``name`` of ``fits``, pooled at compute ``at`` with run-to-run sd ``tau``; None if unfitted."""
    posteriors = tuple(fit.posterior for fit in fits if fit.posterior is not None)
    if not posteriors:
        return None
    return Contender(
        name=name,
        fits=fits,
        posteriors=posteriors,
        verdict=middle_verdict([fit for fit in fits if fit.posterior is not None]),
        level=pooled_level(posteriors, at, tau),
        ceiling=pooled_level(posteriors, np.inf, tau),
    )


def middle_verdict(fits: Sequence[Fit]) -> Verdict:
    """Return the (lower) middle verdict: at least half of the runs support as much."""
    order = list(VerdictName)
    ordered = sorted((fit.verdict for fit in fits), key=lambda verdict: order.index(verdict.name))
    return ordered[(len(ordered) - 1) // 2]
