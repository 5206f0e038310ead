"""Inner products of a curve and its possible rises under every noise: all that the posterior needs of the data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rlscale.inference.evidence import Evidence
from rlscale.inference.noise import at_correlations
from rlscale.inference.priors import Priors

__all__ = ["Curves", "Fixed", "Sums", "fixed"]

Floats = NDArray[np.float64]

_NONE = np.empty(0)


@dataclass(frozen=True, eq=False)
class Sums:
    """Sums over the evaluations that depend on the shape, of ``j`` curves at ``k`` shapes.

    The rises ``s`` are taken less ``end``: the law is the same, with the baseline ``R0 + G end``. Where a shape hardly
    rises its precision would else be a difference of equals.

    Parameters
    ----------
    end : array, shape (j, k)
        The rise at the last evaluation.
    rises : array, shape (3, 3, j, k)
        The sums ``(T, L, E)`` of ``<p s, p>``, ``<p s, p s>`` and ``<p s, u>``.
    walk : array, shape (4, r, j, k)
        See ``WalkTerms.of_rises``; empty without a walk.
    which : slice
        Of the correlations.
    """

    end: Floats
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


def fixed(data: Sequence[Evidence]) -> Fixed:
    """Return the inner products of curves that do not depend on the shape, under every noise."""
    grid, jobs = data[0].noises, len(data)
    correlation = grid.correlations
    sums = np.stack([each.fixed for each in data], axis=-1).reshape(3, -1)
    level, cross, reward = np.moveaxis((at_correlations(correlation) @ sums).reshape(-1, 3, jobs, 1), 1, 0)
    walks = [each.walk for each in data if each.walk is not None]
    if not walks:
        return Fixed(correlation, level, cross, reward, np.zeros((correlation.size, jobs, 1)), _NONE)
    terms = np.stack([each.fixed for each in walks], axis=2)[..., None]
    log_det = np.stack([each.log_det for each in walks], axis=1)[..., None]
    log_prior = np.stack([each.noises.log_prior for each in data], axis=1)[..., None]
    drift = np.stack([each.drift for each in walks], axis=2)[..., None]
    level, cross, reward = level - terms[0], cross - terms[1], reward - terms[2]
    return Fixed(correlation, level, cross, reward, log_prior - 0.5 * log_det, drift)


@dataclass(frozen=True, eq=False)
class Curves:
    """Curves that are fitted together, and what of their posteriors does not depend on the shape.

    Parameters
    ----------
    data : tuple of Evidence
        Of length c.
    priors : Priors
    """

    data: tuple[Evidence, ...]
    priors: Priors

    @cached_property
    def fixed(self) -> Fixed:
        """Inner products under every noise."""
        return fixed(self.data)

    @cached_property
    def shape(self) -> Floats:
        """Shape ``a`` of the inverse gamma of the innovation variance at a node with a gain, shape (c, 1)."""
        return np.array([[self.priors.sigma_shape + 0.5 * (each.count - 2.0)] for each in self.data])

    @cached_property
    def stationary(self) -> Floats:
        """Innovation over marginal variance, ``1 - rho^2``, shape (r, 1, 1)."""
        return np.asarray((1.0 - self.fixed.correlation**2)[:, None, None])

    @cached_property
    def floor(self) -> Floats:
        """What the prior adds to the scale of the inverse gamma, shape (r, c, 1)."""
        sigma = np.array([[each.noise_scale] for each in self.data])
        return np.asarray(self.priors.sigma_shape * sigma**2 * self.stationary)

    @cached_property
    def constant(self) -> Floats:
        """Part of the log marginal likelihood that does not depend on the shape, shape (r, c, 1)."""
        by_noise = (0.5 + self.priors.sigma_shape) * np.log(self.stationary)
        return np.asarray(self.fixed.constant + by_noise - 0.5 * np.log(self.fixed.level))
