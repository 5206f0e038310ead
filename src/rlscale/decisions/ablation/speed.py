"""Speed at a shared ceiling: how much less compute gets as far.

The published procedure: where two ceilings cannot be told apart, fit both with one ``A`` and compare ``B`` and
``C_mid`` (ScaleRL, arXiv 2510.13786, A.5). Here the ceilings of runs scatter around the shared one by the run-to-run
sd, ``A_i ~ N(A, tau^2)``, instead of being equal: a run whose own ceiling is known keeps it, one whose ceiling is not
takes it from the others. ``A`` is summed over its own uncertainty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rlscale.decisions.ablation.contrasts import Cells, contrast, of_cells
from rlscale.decisions.ablation.estimates import Estimates, Scattered, scattered
from rlscale.decisions.ablation.mixture import Mixture
from rlscale.inference.posterior import Posterior

__all__ = ["Draws", "SpeedScatter", "Tempo", "draws_of", "speed_scatter", "tempo"]

Floats = NDArray[np.float64]

#: Quantities of a run: ``ln C_mid`` and ``ln B``.
MIDPOINT, EXPONENT = 0, 1
#: Places and weights at which a normal shared ceiling is summed (Gauss and Hermite's of three points).
_NODES = ((-(3.0**0.5), 1.0 / 6.0), (0.0, 2.0 / 3.0), (3.0**0.5, 1.0 / 6.0))


@dataclass(frozen=True)
class SpeedScatter:
    """Run-to-run sd of ``ln C_mid`` and of ``ln B``."""

    midpoint: Scattered
    exponent: Scattered


@dataclass(frozen=True, eq=False)
class Tempo:
    """Log factor of compute (above 0: faster) and log ratio of exponents."""

    midpoint: Mixture
    exponent: Mixture
    cells: Cells


@dataclass(frozen=True, eq=False)
class Draws:
    """Draws of a run under one family, shape (d,): its ceiling, ``ln C_mid`` and ``ln B``, and their weights."""

    ceiling: Floats
    values: Floats
    weight: Floats

    def moments(self, level: float | None = None, width: float = np.inf) -> Floats:
        """Return mean and variance of ``ln C_mid`` and ``ln B``, shape (2, 2), the ceiling near ``level`` if given."""
        weight = self.weight
        if level is not None:
            near = np.log(np.maximum(weight, 1e-300)) - 0.5 * ((self.ceiling - level) / width) ** 2
            weight = np.exp(near - near.max())
            weight = weight / weight.sum()
        mean = self.values @ weight
        return np.stack([mean, (self.values - mean[:, None]) ** 2 @ weight], axis=1)


def draws_of(estimates: Estimates) -> tuple[tuple[Draws, ...], ...]:
    """Return the draws of each run, by family."""
    return tuple(tuple(map(_draws, own)) for own in estimates.parts)


def _draws(part: Posterior) -> Draws:
    values = np.stack([np.log(part.midpoint), np.log(part.exponent)])
    return Draws(part.expected([np.inf])[:, 0], values, part.weight)


def speed_scatter(
    weight: Floats,
    draws: Sequence[Sequence[Draws]],
    groups: Sequence[Sequence[int]],
    prior: tuple[float, float],
    given: float | None = None,
) -> SpeedScatter:
    """Return how far runs with equal settings scatter in speed, each at its own ceiling."""
    moments = np.array([[each.moments() for each in own] for own in draws])  # family, run, quantity, moment
    mean, variance = (np.einsum("f,frq->rq", weight, moments[..., k]) for k in (0, 1))
    return SpeedScatter(*(scattered(mean[:, q], variance[:, q], groups, prior, given) for q in (MIDPOINT, EXPONENT)))


def tempo(
    draws: Sequence[Sequence[Draws]],
    ceilings: Cells,
    row: Floats,
    scatter: SpeedScatter,
    groups: Sequence[Sequence[int]],
    *,
    shared: bool,
) -> Tempo:
    """Return how fast one side of a contrast is against the other.

    Parameters
    ----------
    draws : sequence of sequences of Draws
        Of each run, by family.
    ceilings : Cells
        Of the same runs.
    row : array, shape (c,)
        The contrast.
    scatter : SpeedScatter
    groups : sequence of sequences of int
        Places of the runs of each cell.
    shared : bool
        Whether one ceiling is shared.
    """
    used = np.flatnonzero(row)
    own = [list(groups[c]) if c in used else [] for c in range(row.size)]
    needed = {run for runs in own for run in runs}
    weights: list[float] = []
    moments: list[list[Floats]] = []
    for f, weight in enumerate(ceilings.weight):
        middle, sd = _shared(ceilings, f, used)
        for place, share in _NODES if shared else ((0.0, 1.0),):
            level = middle + place * sd if shared else None
            weights.append(float(weight) * share)
            near = max(ceilings.scatter.sd, 1e-6)
            moments.append(
                [each.moments(level, near) if run in needed else np.zeros((2, 2)) for run, each in enumerate(draws[f])]
            )
    by_run = np.transpose(np.array(moments), (2, 3, 0, 1))  # quantity, moment, component, run
    midpoint, exponent = (
        of_cells(np.array(weights), by_run[q, 0], by_run[q, 1], (), spread, own)
        for q, spread in ((MIDPOINT, scatter.midpoint), (EXPONENT, scatter.exponent))
    )
    return Tempo(contrast(midpoint, -row), contrast(exponent, row), midpoint)


def _shared(ceilings: Cells, family: int, used: NDArray[np.intp]) -> tuple[float, float]:
    """Return mean and sd of the ceiling that cells share, by their precision."""
    variance = ceilings.run_variance[used] + ceilings.fit[family, used]
    precision = 1.0 / np.maximum(variance, 1e-12)
    middle = float(precision @ ceilings.mean[family, used] / precision.sum())
    return middle, float(precision.sum() ** -0.5)
