"""Two recipes side by side: who is better, who only leads early, where the curves cross."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from rlscale.decisions.contender import Contender
from rlscale.inference.least_squares import least_squares

__all__ = ["Pair", "PublishedCheck", "commons", "compared", "everyone", "grid"]

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


def everyone(count: int, all_pairs: bool) -> bool:
    """Return whether each of ``count`` recipes is compared with each, and not with the best only."""
    return all_pairs or count <= ALL_PAIRS


def grid(first: float, last: float, at: float) -> Floats:
    """Return the computes at which median curves are compared, shape (k,).

    Parameters
    ----------
    first, last : float
        The smallest compute above 0 and the largest that any fit covers.
    at : float
        The common compute; ``inf`` for the asymptote.
    """
    return np.geomspace(first, FAR * last if np.isinf(at) else max(at, last), 96)


def commons(ordered: Sequence[Contender], every: bool) -> dict[str, list[float]]:
    """Return the computes at which each recipe meets another, at the end of the shorter of the two.

    Parameters
    ----------
    ordered : sequence of Contender
        Best first.
    every : bool
        Each is compared with each, else with the best only.
    """
    if every:
        ends = sorted({one.shortest for one in ordered})
        return {one.name: [end for end in ends if end <= one.shortest] for one in ordered}
    first = ordered[0].shortest
    found = {one.name: [min(one.shortest, first)] for one in ordered}
    found[ordered[0].name] = sorted({min(one.shortest, first) for one in ordered[1:]})
    return found


def compared(
    ordered: Sequence[Contender],
    against_best: Sequence[float],
    early: Mapping[str, Mapping[float, float]],
    at_grid: Floats,
    every: bool,
) -> tuple[Pair, ...]:
    """Compare the contenders, best first, two by two.

    Parameters
    ----------
    ordered : sequence of Contender
        Best first.
    against_best : sequence of float
        Probability that the first is better than each.
    early : mapping
        Posterior mean of each recipe, by name, at the computes of :func:`commons`.
    at_grid : array, shape (k,)
        The computes of their median curves.
    every : bool
        Compare each with each, else with the best only.
    """
    if not every:
        best = ordered[0]
        return tuple(
            _pair(best, other, p, early, at_grid, None) for other, p in zip(ordered[1:], against_best[1:], strict=True)
        )
    points = {one.name: least_squares(one.curve).A for one in ordered if one.curve is not None}
    return tuple(
        _pair(a, b, a.p_better(b), early, at_grid, _published(a, b, points) if a is ordered[0] else None)
        for a, b in combinations(ordered, 2)
    )


def _pair(
    a: Contender,
    b: Contender,
    p_a_better: float,
    early: Mapping[str, Mapping[float, float]],
    at_grid: Floats,
    published: PublishedCheck | None,
) -> Pair:
    common = min(a.shortest, b.shortest)
    leader_is_a = early[a.name][common] >= early[b.name][common]
    p_leader = p_a_better if leader_is_a else 1.0 - p_a_better
    return Pair(
        a=a.name,
        b=b.name,
        p_a_better=p_a_better,
        crossing=_crossing(at_grid, a.medians - b.medians),
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


def _published(a: Contender, b: Contender, points: Mapping[str, float]) -> PublishedCheck | None:
    if a.curve is None or b.curve is None:
        return None
    ceiling_a, ceiling_b = points[a.name], points[b.name]
    tie = abs(ceiling_a - ceiling_b) <= PUBLISHED_MARGIN * a.curve.range
    if not tie:
        return PublishedCheck(ceiling_a, ceiling_b, False, None, None)
    shared = 0.5 * (ceiling_a + ceiling_b)
    refit_a, refit_b = (least_squares(curve, asymptote=shared) for curve in (a.curve, b.curve))
    return PublishedCheck(ceiling_a, ceiling_b, True, refit_a.B, refit_b.B)
