"""Two recipes side by side: who is better, who only leads early, where the curves cross."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from rlscale.decisions.contender import Contender
from rlscale.inference.least_squares import least_squares
from rlscale.inference.pool import median_curve

__all__ = ["Pair", "PublishedCheck", "compared"]

Floats = NDArray[np.float64]

#: An early leader that loses at the target with this probability is a trap.
TRAP = 0.8
#: Published margin on ``A`` (ScaleRL, arXiv 2510.13786, A.5), as a share of the range.
PUBLISHED_MARGIN = 0.02
#: With more recipes than this, each is compared with the best only.
ALL_PAIRS = 50
#: Crossings of ceilings are looked for up to this multiple of the largest last compute.
FAR = 64.0


@dataclass(frozen=True)
class PublishedCheck:
    """The two published rules, as a cross-check on least-squares fits of the longest run of each recipe.

    Parameters
    ----------
    A_a, A_b : float
        Least-squares ceilings.
    tie : bool
        They differ by no more than .02 of the range.
    B_a, B_b : float, optional
        For a tie, ``B`` refitted with both ceilings held at their mean.
    """

    A_a: float
    A_b: float
    tie: bool
    B_a: float | None
    B_b: float | None


@dataclass(frozen=True)
class Pair:
    """Two recipes side by side.

    Parameters
    ----------
    a, b : str
    p_a_better : float
        Probability that ``a`` has the higher level at the common compute.
    crossing : float, optional
        Compute at which the median curves last cross, in the common unit.
    early_leader : str
        The recipe with the higher posterior mean at their smallest common last compute.
    trap : bool
        The early leader loses at the common compute with probability .8 or more.
    published : PublishedCheck, optional
        Given for the pairs with the leader; None for the others, and among very many recipes.
    """

    a: str
    b: str
    p_a_better: float
    crossing: float | None
    early_leader: str
    trap: bool
    published: PublishedCheck | None


def compared(ordered: Sequence[Contender], at: float, all_pairs: bool) -> tuple[Pair, ...]:
    """Compare the contenders, best first, two by two.

    Parameters
    ----------
    ordered : sequence of Contender
    at : float
        The common compute; ``inf`` for the asymptote.
    all_pairs : bool
        Every pair even beyond :data:`ALL_PAIRS` recipes, where otherwise each is compared with the best only.
    """
    if all_pairs or len(ordered) <= ALL_PAIRS:
        wanted = list(combinations(ordered, 2))
    else:
        wanted = [(ordered[0], other) for other in ordered[1:]]
    first = min((_first_compute(r) for r in ordered), default=1.0)
    last = max((run.curve.compute_last for r in ordered for run in r.posteriors), default=1.0)
    horizon = FAR * last if np.isinf(at) else max(at, last)
    grid = np.geomspace(first, horizon, 96)
    medians = {recipe.name: median_curve(recipe.posteriors, grid) for recipe in ordered}
    few = all_pairs or len(ordered) <= ALL_PAIRS
    points = {recipe.name: least_squares(recipe.longest.curve).A for recipe in ordered} if few else {}
    return tuple(
        _pair(a, b, grid, medians, _published(a, b, points) if points and a is ordered[0] else None) for a, b in wanted
    )


def _first_compute(recipe: Contender) -> float:
    return min(float(run.curve.compute[run.curve.compute > 0][0]) for run in recipe.posteriors)


def _pair(
    a: Contender, b: Contender, grid: Floats, medians: dict[str, Floats], published: PublishedCheck | None
) -> Pair:
    p_a_better = a.p_better(b)
    common = min(run.curve.compute_last for recipe in (a, b) for run in recipe.posteriors)
    early_a, early_b = a.mean_at(common), b.mean_at(common)
    leader_is_a = early_a >= early_b
    p_leader = p_a_better if leader_is_a else 1.0 - p_a_better
    return Pair(
        a=a.name,
        b=b.name,
        p_a_better=p_a_better,
        crossing=_crossing(grid, medians[a.name] - medians[b.name]),
        early_leader=a.name if leader_is_a else b.name,
        trap=1.0 - p_leader >= TRAP,
        published=published,
    )


def _crossing(grid: Floats, difference: Floats) -> float | None:
    """Last sign change of ``difference`` along ``grid``, linear in log compute."""
    signs = np.sign(difference)
    changes = np.flatnonzero(signs[1:] * signs[:-1] < 0)
    if not changes.size:
        return None
    i = changes[-1]
    share = difference[i] / (difference[i] - difference[i + 1])
    return float(grid[i] * (grid[i + 1] / grid[i]) ** share)


def _published(a: Contender, b: Contender, points: dict[str, float]) -> PublishedCheck:
    curve_a, curve_b = a.longest.curve, b.longest.curve
    ceiling_a, ceiling_b = points[a.name], points[b.name]
    tie = abs(ceiling_a - ceiling_b) <= PUBLISHED_MARGIN * curve_a.range
    if not tie:
        return PublishedCheck(ceiling_a, ceiling_b, False, None, None)
    shared = 0.5 * (ceiling_a + ceiling_b)
    refit_a, refit_b = (least_squares(curve, asymptote=shared) for curve in (curve_a, curve_b))
    return PublishedCheck(ceiling_a, ceiling_b, True, refit_a.B, refit_b.B)
