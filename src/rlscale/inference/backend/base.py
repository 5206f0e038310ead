"""What an engine of the sums over (shape, noise, evaluation) does, whatever it is written in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rlscale.inference.evidence import Evidence
from rlscale.inference.families import Family
from rlscale.inference.nodes import Conditionals, GainLevels
from rlscale.inference.products import Curves

__all__ = ["NEGLIGIBLE", "SEARCH_STEP", "Backend", "Densities", "Jobs", "Weighed"]

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

#: Every other correlation is enough to find the place.
SEARCH_STEP = 2
#: Nodes this many nats under the best density found while looking are not weighed at all.
NEGLIGIBLE = 10.0


@dataclass(frozen=True, eq=False)
class Jobs:
    """Every curve to be fitted by every family: job ``k`` is of curve ``k // f`` and family ``k % f`` of ``f``."""

    curves: Curves
    families: tuple[Family, ...]

    def __len__(self) -> int:
        """Return the number of jobs."""
        return len(self.curves.data) * len(self.families)

    def place(self, jobs: Indices) -> Indices:
        """Return the curve of each job, shape (j,)."""
        return np.asarray(jobs // len(self.families))

    def data(self, job: int) -> Evidence:
        """Return the curve of a job."""
        return self.curves.data[job // len(self.families)]

    def family(self, job: int) -> Family:
        """Return the family of a job."""
        return self.families[job % len(self.families)]

    def log_prior(self, jobs: Indices, m: Floats, log_b: Floats) -> Floats:
        """Log prior density of ``(m, ln B)``, each of shape (j, k), that of ``m`` up to a constant: shape (j, k)."""
        density: Floats = m / self.curves.priors.log_c_mid_sd
        density *= density
        density *= -0.5
        for k, family in enumerate(self.families):
            own = jobs % len(self.families) == k
            density[own] += family.log_prior_b(log_b[own])
        return density


@dataclass(frozen=True, eq=False)
class Weighed:
    """Nodes of several jobs, job by job, shape by shape, noise by noise: arrays of shape (d,).

    Parameters
    ----------
    log_weight : array
        Log posterior density, that the bounds leave inside.
    shape, noise : integer array
        The place of the shape among all ``j * k`` and of the noise.
    nodes : Conditionals
    cut : array of bool
        Where the bounds cut into the distribution of the gain.
    levels : GainLevels
        The interval of the gain, of use where they cut.
    mass : array
        Share of that distribution inside the bounds.
    ends : sequence of int
        Where the nodes of each job end.
    """

    log_weight: Floats
    shape: Indices
    noise: Indices
    nodes: Conditionals
    cut: NDArray[np.bool_]
    levels: GainLevels
    mass: Floats
    ends: Sequence[int]


class Densities(Protocol):
    """Posterior densities of many shapes, at ``k`` shapes for each job."""

    def search(self, jobs: Indices, m: Floats, log_b: Floats, *, first: bool) -> tuple[Floats, Floats]:
        """Return rough log posterior densities, summed over the noises of some correlations.

        Parameters
        ----------
        jobs : integer array, shape (j,)
        m, log_b : array, shape (j, k)
            ``ln(C_mid / C_last)`` and ``ln B``.
        first : bool
            Whether these shapes are asked of every curve: what depends on the schedule alone is kept.

        Returns
        -------
        array, shape (j, k)
        array, shape (j,)
            The highest of a single noise.
        """

    def weigh(self, m: Floats, log_b: Floats, best: Floats) -> Weighed:
        """Return the nodes (a shape and a noise) of all jobs that are not negligible.

        Those within :data:`NEGLIGIBLE` nats of ``best``, shape (j,), or of the best density of a node before the bounds
        cut into it, where that is lower.
        """


class Backend(Protocol):
    """An engine."""

    @property
    def name(self) -> str:
        """How explanations and benchmarks call it."""

    def over(self, jobs: Jobs) -> Densities:
        """Return the posterior densities of jobs."""

    def shares(self, families: Sequence[Family], ends: Sequence[int], ahead: Floats, m: Floats, b: Floats) -> Floats:
        """Return the share of the gain that shapes have reached.

        Parameters
        ----------
        families : sequence of Family
        ends : sequence of int
            Where the shapes of each family end.
        ahead : array, shape (n,)
            ``ln(C / C_last)``.
        m, b : array, shape (k,)
            ``ln(C_mid / C_last)`` and ``B``, contiguous.

        Returns
        -------
        array, shape (n, k)
        """
