"""Differences between cells of a design, as distributions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rlscale.decisions.ablation.estimates import Estimates, Scattered
from rlscale.decisions.ablation.mixture import Mixture

__all__ = ["Cells", "ceilings", "contrast", "covariance", "of_cells"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Cells:
    """One quantity of the cells of a design; ``c`` cells, ``m`` components (families, or families and ceilings).

    Parameters
    ----------
    weight : array, shape (m,)
    mean, fit : array, shape (m, c)
        Mean over the runs of a cell, and the variance that their fits leave it; NaN where a cell has no run.
    shared : tuple of array, shape (m, c)
        Sds of errors that all cells have in common, each with its sign.
    scatter : Scattered
        Run to run.
    count : array, shape (c,)
        Runs.
    """

    weight: Floats
    mean: Floats
    fit: Floats
    shared: tuple[Floats, ...]
    scatter: Scattered
    count: Floats

    @property
    def run_variance(self) -> Floats:
        """What the spread of runs leaves the mean of each cell, shape (c,); ``inf`` without runs."""
        with np.errstate(divide="ignore"):
            return np.asarray(self.scatter.sd**2 / self.count)

    @property
    def variance(self) -> Floats:
        """Of each cell, shape (c,), on average over the components; ``inf`` without runs."""
        return np.where(self.count > 0, self.run_variance + self.weight @ np.nan_to_num(self.fit), np.inf)


def of_cells(
    weight: Floats,
    mean: Floats,
    variance: Floats,
    shared: Sequence[Floats],
    scatter: Scattered,
    groups: Sequence[Sequence[int]],
) -> Cells:
    """Return a quantity by cell from that by run; arrays of shape (m, r).

    The variance that the fits of ``n`` runs leave their mean is ``v / sqrt(n)``: runs of one recipe repeat their misfit
    in part (``rlscale.inference.pool.pooled_level``).
    """
    size = (weight.size, len(groups))
    means, fit, *common = (np.full(size, np.nan) for _ in range(2 + len(shared)))
    for c, own in enumerate(groups):
        if own:
            places = list(own)
            means[:, c] = mean[:, places].mean(axis=1)
            fit[:, c] = variance[:, places].mean(axis=1) / np.sqrt(len(own))
            for by_cell, by_run in zip(common, shared, strict=True):
                by_cell[:, c] = by_run[:, places].mean(axis=1)
    count = np.array([len(own) for own in groups], dtype=np.float64)
    return Cells(weight, means, fit, tuple(common), scatter, count)


def contrast(cells: Cells, row: Floats) -> Mixture:
    """Return the distribution of a weighted sum of cells, shape (c,).

    In each component a t distribution: variance ``tau^2 sum c^2/n + sum c^2 v + (sum c m)^2``, the last for each shared
    error ``m``; the first part is known with the degrees of freedom of ``tau`` (Welch and Satterthwaite's rule for the
    sum).
    """
    used = row != 0.0
    c = row[used]
    by_runs = float(c**2 @ cells.run_variance[used])
    by_fit = cells.fit[:, used] @ c**2
    for common in cells.shared:
        by_fit = by_fit + (common[:, used] @ c) ** 2
    total = by_runs + by_fit
    freedom = np.full(total.size, np.inf)
    if by_runs > 0.0 and np.isfinite(cells.scatter.freedom):
        freedom = cells.scatter.freedom * (total / by_runs) ** 2
    return Mixture(cells.weight, cells.mean[:, used] @ c, np.sqrt(total), freedom)


def covariance(cells: Cells, rows: Floats) -> Floats:
    """Return the covariance of several contrasts, shape (k, c) to (k, k)."""
    variance = np.where(np.isfinite(cells.variance), cells.variance, 0.0)
    return np.asarray((rows * variance) @ rows.T)


def ceilings(
    estimates: Estimates, column: int, scatter: Scattered, groups: Sequence[Sequence[int]], ahead: bool
) -> Cells:
    """Return one column of the estimates by cell; ``ahead``: what may still happen counts."""
    shared = (estimates.bend[:, :, column], *((estimates.misfit,) if ahead else ()))
    return of_cells(
        estimates.weight, estimates.mean[:, :, column], estimates.variance[:, :, column], shared, scatter, groups
    )
