"""The sums by numpy alone: works everywhere, and what the compiled kernel is held to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rlscale.inference.backend.base import NEGLIGIBLE, SEARCH_STEP, Densities, Indices, Jobs, Weighed
from rlscale.inference.evidence import Schedule
from rlscale.inference.families import Family
from rlscale.inference.nodes import nodes
from rlscale.inference.products import Sums

__all__ = ["Plain"]

Floats = NDArray[np.float64]

SOME, ALL = slice(None, None, SEARCH_STEP), slice(None)


@dataclass(frozen=True)
class Plain:
    """See :class:`~rlscale.inference.backend.base.Backend`."""

    name: str = "numpy"

    def over(self, jobs: Jobs) -> Densities:
        """Return the posterior densities of jobs."""
        return _PlainDensities(jobs)

    def shares(self, families: Sequence[Family], ends: Sequence[int], ahead: Floats, m: Floats, b: Floats) -> Floats:
        """Return the share of the gain at computes ``ahead``, shape (n,), of shapes, (k,): (n, k)."""
        out = np.empty((ahead.size, m.size))
        for family, start, end in zip(families, (0, *ends), ends, strict=False):
            out[:, start:end] = family.rise(ahead[:, None] - m[start:end], b[None, start:end])
        return out


@dataclass(frozen=True, eq=False)
class _PlainDensities:
    jobs: Jobs

    def search(self, jobs: Indices, m: Floats, log_b: Floats, *, first: bool) -> tuple[Floats, Floats]:
        """Return rough log posterior densities, (j, k), and the highest of a single noise, (j,)."""
        all_jobs = self.jobs
        sums = _sums(all_jobs, jobs, m, log_b, SOME, first=first)
        at_shapes = nodes(all_jobs.curves, all_jobs.place(jobs), sums)
        density = at_shapes.rough(all_jobs.curves.priors)
        density += all_jobs.log_prior(jobs, m, log_b)
        for k, job in enumerate(jobs.tolist()):
            ceiling = all_jobs.data(job).ceiling
            if ceiling is not None:
                density[:, k] += ceiling.log_density(at_shapes.likeliest_ceiling(k))
        return _logsumexp(density), density.max(axis=(0, 2))

    def weigh(self, m: Floats, log_b: Floats, best: Floats) -> Weighed:
        """Return the nodes that are not negligible."""
        all_jobs, jobs = self.jobs, np.arange(len(self.jobs))
        at_shapes = nodes(all_jobs.curves, all_jobs.place(jobs), _sums(all_jobs, jobs, m, log_b, ALL))
        # before truncation the density is at its highest: what is negligible then needs no masses
        density = at_shapes.log_weight + all_jobs.log_prior(jobs, m, log_b)
        lowest = np.minimum(best, density.max(axis=(0, 2))) - NEGLIGIBLE
        matters = np.flatnonzero((density > lowest[:, None]).transpose(1, 2, 0))
        shape, noise = np.divmod(matters, len(density))
        index = noise * m.size + shape
        taken = at_shapes.at(index)
        cut, levels = taken.gain_levels()
        mass = np.where(cut, levels.mass(all_jobs.curves.priors), 1.0)
        log_weight = density.take(index) + np.log(mass)
        ends = np.searchsorted(shape, np.arange(1, len(jobs) + 1) * m.shape[1]).tolist()
        return Weighed(log_weight, shape, noise, taken, cut, levels, mass, ends)


@lru_cache(maxsize=8)
def _start(schedule: Schedule, family: Family, m: bytes, log_b: bytes) -> tuple[Floats, Floats, Floats]:
    """Return :func:`_risen` on the first grid, the same for all curves of one schedule."""
    return _risen(schedule, family, np.frombuffer(m), np.exp(np.frombuffer(log_b)))


def _risen(schedule: Schedule, family: Family, m: Floats, b: Floats) -> tuple[Floats, Floats, Floats]:
    """Return rises less that at the end, (k, n), that at the end, (k,), and the sums of the schedule, (3, 2, k)."""
    p = schedule.columns[0]
    rises = schedule.rises(family, m, b)
    end = rises[:, -1] / p[-1]
    rises -= end[:, None] * p
    return rises, end, schedule.sums(rises)


def _sums(all_jobs: Jobs, jobs: Indices, m: Floats, log_b: Floats, which: slice, *, first: bool = False) -> Sums:
    """Return the sums of the rises of shapes ``m, ln B``, shape (j, k), under the noises of some correlations."""
    end, by_rises = np.empty(m.shape), np.empty((3, 3, *m.shape))
    grid = all_jobs.curves.data[0].noises
    walks = all_jobs.curves.data[0].walk is not None
    walk = np.empty((4, grid.correlation[which].size * grid.amplitude.size, *m.shape) if walks else 0)
    for k, job in enumerate(jobs.tolist()):
        data, family = all_jobs.data(job), all_jobs.family(job)
        if first:
            rises, end[k], sums = _start(data.schedule, family, m[k].tobytes(), log_b[k].tobytes())
        else:
            rises, end[k], sums = _risen(data.schedule, family, m[k], np.exp(log_b[k]))
        by_rises[:, :2, k] = sums
        by_rises[:, 2, k] = data.sums(rises)
        if data.walk is not None:
            walk[:, :, k] = data.walk.of_rises(rises, which)
    return Sums(end, by_rises, walk, which)


def _logsumexp(values: Floats) -> Floats:
    """Return ``ln sum exp`` over the first axis."""
    peak = values.max(axis=0)
    values = values - peak
    total: Floats = np.exp(values, out=values).sum(axis=0)
    np.log(total, out=total)
    total += peak
    return total
