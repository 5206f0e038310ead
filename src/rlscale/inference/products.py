"""Inner products of a curve and its possible rises under every noise: all that the posterior needs of the data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rlscale.inference.evidence import Evidence
from rlscale.inference.noise import at_correlations

__all__ = ["Fixed", "Sums", "fixed"]

Floats = NDArray[np.float64]

_NONE = np.empty(0)


@dataclass(frozen=True, eq=False)
class Sums:
    """Sums over the evaluations that depend on the shape, of ``j`` curves at ``k`` shapes.

    Parameters
    ----------
    rises : array, shape (3, 3, j, k)
        The sums ``(T, L, E)`` of ``<p s, p>``, ``<p s, p s>`` and ``<p s, u>``.
    walk : array, shape (4, r, j, k)
        See ``WalkTerms.of_rises``; empty without a walk.
    which : slice
        Of the correlations.
    """

    rises: Floats
    walk: Floats
    which: slice


@dataclass(frozen=True, eq=False)
class Fixed:
    """What does not depend on the shape: inner products of ``j`` curves under ``r`` noises, arrays of shape (r, j, 1).

    Parameters
    ----------
    correlation : array, shape (r,)
    level, cross, reward : array
        ``<p, p>``, ``<p, u>`` and ``<u, u>``.
    constant : array
        Log prior of the noise less half of the log determinant of the walk.
    drift : array, shape (3, r, j, 1)
        See ``WalkTerms.drift``; empty without a walk.
    """

    correlation: Floats
    level: Floats
    cross: Floats
    reward: Floats
    constant: Floats
    drift: Floats


def fixed(data: Sequence[Evidence], which: slice = slice(None)) -> Fixed:
    """Return the inner products of curves that do not depend on the shape, under the noises of some correlations."""
    grid, jobs = data[0].noises, len(data)
    many = grid.amplitude.size
    correlation = np.repeat(grid.correlation[which], many)
    sums = np.stack([each.fixed for each in data], axis=-1).reshape(3, -1)
    level, cross, reward = np.moveaxis((at_correlations(correlation) @ sums).reshape(-1, 3, jobs, 1), 1, 0)
    walks = [each.walk for each in data if each.walk is not None]
    if not walks:
        return Fixed(correlation, level, cross, reward, np.zeros((correlation.size, jobs, 1)), _NONE)
    chosen = np.arange(grid.count).reshape(-1, many)[which].ravel()
    terms = np.stack([each.fixed for each in walks], axis=2)[:, chosen, :, None]
    log_det = np.stack([each.log_det for each in walks], axis=1)[chosen, :, None]
    log_prior = np.stack([each.noises.log_prior for each in data], axis=1)[chosen, :, None]
    drift = np.stack([each.drift for each in walks], axis=2)[:, chosen, :, None]
    level, cross, reward = level - terms[0], cross - terms[1], reward - terms[2]
    return Fixed(correlation, level, cross, reward, log_prior - 0.5 * log_det, drift)
