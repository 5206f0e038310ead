"""Noise and spread on a grid, and what each of its cells says of the slope of every size.

Given a cell everything else is Gaussian. A run's own (level, slope) scatters around that of its size; the slope of a
size scatters around the law; each size's level is free. All of it is integrated out in closed form, so that a cell is a
few sums a size and the grid over ``log N0`` costs two matrix products.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

from rlscale.curves.value import Value
from rlscale.inference.noise import RHO_GRID
from rlscale.inference.size_law.trace import Lines

__all__ = ["Cells", "cells", "scattered"]

Floats = NDArray[np.float64]

#: Run-to-run sd of the level, in log L; equally likely a priori.
LEVEL_SPREAD = (0.0, 0.01, 0.02, 0.04, 0.08, 0.16)
#: Run-to-run sd of the slope and sd of a size's slope around the law, as shares of the steepest slope seen. None is as
#: likely as the other four together: with weights that fall by thirds, sizes 3, 6 and 12 % off the law were covered
#: 76, 73 and 61 % of the time where 80 is due, and so 81, 80 and 72 (``benchmarks/sizes.py``).
SLOPE_SPREAD = (0.0, 0.05, 0.1, 0.2, 0.4)
LAW_ERROR = (0.0, 0.03, 0.06, 0.12, 0.24)
_LOG_PRIOR = np.log([0.5, 0.125, 0.125, 0.125, 0.125])
#: Those shares are of no less than this slope.
LEAST_SLOPE = 0.01
#: ``K_max`` is half-normal with this sd: a log-log slope, so of any unit. Published values are .13 to .16.
K_SD = 0.5


@dataclass(frozen=True, eq=False)
class Cells(Value):
    """The cells of the grid; arrays of shape (c,), or (sizes, c).

    Parameters
    ----------
    rho, level_spread, slope_spread, law_error : array, shape (c,)
    noise : array, shape (c,)
        Innovation variance that ratios are taken to.
    rho_place : integer array, shape (c,)
    level_information, level_slope : array, shape (sizes, c)
        Of the level of a size given its slope: its inverse variance, and minus its covariance with the slope over its
        variance.
    level : array, shape (sizes, c)
        Estimate of the level at a slope of 0.
    slope, slope_information : array, shape (sizes, c)
        Estimate of ``k`` of a size from its own runs and its inverse variance.
    rest : array, shape (c,)
        Sum of squares left.
    base : array, shape (c,)
        Log prior and log determinants.
    degrees : float
        Evaluations less free levels.
    """

    rho: Floats
    level_spread: Floats
    slope_spread: Floats
    law_error: Floats
    noise: Floats
    rho_place: NDArray[np.intp]
    level_information: Floats
    level_slope: Floats
    level: Floats
    slope: Floats
    slope_information: Floats
    rest: Floats
    base: Floats
    degrees: float

    @property
    def pooled_information(self) -> Floats:
        """Inverse variance of each size's slope around the law, the law's own error included, shape (sizes, c)."""
        return np.asarray(self.slope_information / (1.0 + self.slope_information * self.law_error**2 / self.noise))

    @property
    def prior_information(self) -> Floats:
        """Inverse variance of the prior of ``K_max``, in units of the noise, shape (c,)."""
        return np.asarray(self.noise / K_SD**2)

    def exact_law(self) -> Cells:
        """Return the cells in which every run has the slope of the law."""
        kept = (self.law_error == 0.0) & (self.slope_spread == 0.0)
        return replace(
            self, **{each.name: getattr(self, each.name)[..., kept] for each in fields(self) if each.name != "degrees"}
        )

    def log_evidence(self, saturation: Floats) -> Floats:
        """Return the log evidence of each cell for ``N/(N + N0)`` of each size: shape (g, sizes) to (g, c)."""
        weight = self.pooled_information
        precision = saturation**2 @ weight + self.prior_information
        moment = saturation @ (weight * self.slope)
        rest = np.maximum(self.rest + np.sum(weight * self.slope**2, axis=0) - moment**2 / precision, 1e-300)
        spread = np.sqrt(rest / self.degrees)
        log: Floats = self.base - 0.5 * np.sum(np.log1p(self.slope_information * self.law_error**2 / self.noise), 0)
        log = log + 0.5 * np.log(self.prior_information / precision) + log_ndtr(moment / np.sqrt(precision) / spread)
        return np.asarray(log - 0.5 * self.degrees * np.log(rest))


def scattered(information: Floats, level_spread: Floats, slope_spread: Floats, noise: Floats) -> tuple[Floats, Floats]:
    """Return the information of a run about its size, ``(G^-1 + D)^-1``, and ``log det(1 + D G)``.

    Parameters
    ----------
    information : array, shape (..., 2, 2)
        ``G``, of the run about its own line, in units of the noise.
    level_spread, slope_spread, noise : array, shape (...)
        ``D = diag(level_spread^2, slope_spread^2) / noise``.
    """
    d0, d1 = level_spread**2 / noise, slope_spread**2 / noise
    a, b, c = information[..., 0, 0], information[..., 0, 1], information[..., 1, 1]
    inside = a * c - b * b
    determinant = 1.0 + d0 * a + d1 * c + d0 * d1 * inside
    given = np.empty((*determinant.shape, 2, 2))
    given[..., 0, 0] = (a + d1 * inside) / determinant
    given[..., 1, 1] = (c + d0 * inside) / determinant
    given[..., 0, 1] = given[..., 1, 0] = b / determinant
    return given, np.log(determinant)


def cells(lines: Lines, members: Sequence[Sequence[int]]) -> Cells:
    """Return the grid of noise and spread for runs grouped by size.

    Parameters
    ----------
    lines : Lines
        Of all runs.
    members : sequence of sequence of int
        Places of the runs of each size.
    """
    steepest = max(LEAST_SLOPE, max(-float(np.median(lines.estimate[list(own), 0, 1])) for own in members))
    place, tau, slope_share, prior = _spreads()
    noise = lines.noise[place]
    slope_spread = slope_share * steepest
    given, logdet = scattered(lines.information[:, place], tau, slope_spread, noise)
    estimate = lines.estimate[:, place]
    weighted = np.einsum("rcij,rcj->rci", given, estimate)
    squares = lines.residual[:, place] + np.einsum("rci,rci->rc", weighted, estimate)
    sums = [(given[list(own)].sum(0), weighted[list(own)].sum(0)) for own in members]
    a, b, c = (np.stack([m[..., i, j] for m, _ in sums]) for i, j in ((0, 0), (0, 1), (1, 1)))
    v0, v1 = (np.stack([v[..., i] for _, v in sums]) for i in (0, 1))
    information = np.maximum(c - b * b / a, 1e-12)
    slope = -(v1 - b * v0 / a) / information
    rest = squares.sum(0) - np.sum(v0**2 / a, 0) - np.sum(information * slope**2, 0)
    base = prior - 0.5 * logdet.sum(0) - 0.5 * np.sum(np.log(a), 0)
    base = base + 0.5 * lines.count.size * np.log1p(-(RHO_GRID[place] ** 2))
    repeat = np.repeat(np.arange(place.size), len(LAW_ERROR))
    return Cells(
        rho=RHO_GRID[place][repeat], level_spread=tau[repeat], slope_spread=slope_spread[repeat],
        law_error=np.tile(np.array(LAW_ERROR) * steepest, place.size), noise=noise[repeat], rho_place=place[repeat],
        level_information=a[:, repeat], level_slope=(b / a)[:, repeat], level=(v0 / a)[:, repeat],
        slope=slope[:, repeat], slope_information=information[:, repeat],
        rest=np.maximum(rest, 1e-300)[repeat], base=base[repeat] + np.tile(_LOG_PRIOR, place.size),
        degrees=max(float(lines.count.sum()) - len(members), 1.0),
    )  # fmt: skip


def _spreads() -> tuple[NDArray[np.intp], Floats, Floats, Floats]:
    """Return place of rho, level spread, slope spread (a share) and log prior of each combination, shape (c,)."""
    combined = list(product(range(RHO_GRID.size), LEVEL_SPREAD, enumerate(SLOPE_SPREAD)))
    place = np.array([r for r, _, _ in combined])
    tau = np.array([t for _, t, _ in combined])
    share = np.array([s for _, _, (_, s) in combined])
    prior = np.array([_LOG_PRIOR[step] for _, _, (step, _) in combined])
    return place, tau, share, prior
