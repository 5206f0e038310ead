"""The sums by the compiled kernel, ``kernel.c``, which the installation builds where there is a C compiler.

It is a plain shared library, loaded with ctypes: it knows nothing of Python or numpy, and one build serves every
version of them. What it needs of a curve is packed into one array (:func:`_packed`), in the order of ``struct curve``.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rlscale.inference.backend.base import NEGLIGIBLE, SEARCH_STEP, Densities, Indices, Jobs, Weighed
from rlscale.inference.backend.plain import Plain
from rlscale.inference.evidence import Schedule
from rlscale.inference.families import Family
from rlscale.inference.nodes import REACH, RIDGE, Conditionals, GainLevels, normal_to_t
from rlscale.inference.products import Curves
from rlscale.inference.walk import KNOTS, knots_of, log_time, ramps

__all__ = ["LIBRARY", "VERSION", "Compiled", "load"]

Floats = NDArray[np.float64]

LIBRARY = os.path.join(os.path.dirname(__file__), "kernel.so")
#: What ``rlscale_version`` of the library must say.
VERSION = 2
#: Numbers before the series of a curve: as in ``kernel_body.h``.
_HEADER = 10
#: Steps of a walk, and noises, that it has room for.
MOST_STEPS, MOST_NOISES = 16, 64
FORMS = ("logistic", "stretched", "gompertz", "two_slope", "power")
_KNOWN = ("scale", "gain", "gain_precision", "share", "level", "level_precision", "spread")
_LEVELS = ("low", "high", "at_low", "at_zero", "at_high", "flip")
_DRIFT = ("drift", "drift_level", "drift_reward", "drift_variance")
#: The rows of what is known of nodes, in the order of ``kernel_body.h``; those of the walk come last.
_ROWS = (*_KNOWN[:-1], "log_weight", "spread", *_LEVELS, "mass", *_DRIFT)
#: Doubles of scratch for a node.
_SCRATCH = 6
_NONE = np.empty(0)
_POINTER, _LONG = ctypes.c_void_p, ctypes.c_long


def load(path: str = LIBRARY) -> Compiled | None:
    """Return the backend of the library at ``path``; None where there is none, or one of another version."""
    try:
        library = ctypes.CDLL(path)
        if library.rlscale_version() != VERSION:
            return None
    except (OSError, AttributeError):
        return None
    library.rlscale_rises.argtypes = [ctypes.c_int, _POINTER, _POINTER, _LONG, *[_POINTER] * 3]
    library.rlscale_rises.restype = None
    library.rlscale_shares.argtypes = [ctypes.c_int, _POINTER, _LONG, _POINTER, _LONG, *[_POINTER] * 2, _LONG,
                                      _POINTER]  # fmt: skip
    library.rlscale_shares.restype = None
    library.rlscale_search.argtypes = [_POINTER, _LONG, _LONG, *[_POINTER] * 3]
    library.rlscale_search.restype = ctypes.c_double
    library.rlscale_weigh.argtypes = [_POINTER, _LONG, _POINTER, _POINTER, ctypes.c_double, *[_POINTER] * 2, _LONG,
                                      *[_POINTER] * 2]  # fmt: skip
    library.rlscale_weigh.restype = _LONG
    return Compiled(library)


@dataclass(frozen=True, eq=False)
class Compiled:
    """See :class:`~rlscale.inference.backend.base.Backend`."""

    library: ctypes.CDLL
    name: str = "compiled"

    def over(self, jobs: Jobs) -> Densities:
        """Return the posterior densities of jobs; by numpy where the kernel has no room for so many noises."""
        if KNOTS > MOST_STEPS or jobs.curves.data[0].noises.count > MOST_NOISES:
            return Plain().over(jobs)
        return _CompiledDensities(self.library, jobs, _packed(jobs.curves))

    def shares(self, families: Sequence[Family], ends: Sequence[int], ahead: Floats, m: Floats, b: Floats) -> Floats:
        """Return the share of the gain at computes ``ahead``, shape (n,), of shapes, (k,): (n, k)."""
        out = np.empty((ahead.size, m.size))
        ahead_at, m_at, b_at, out_at = ahead.ctypes.data, m.ctypes.data, b.ctypes.data, out.ctypes.data
        for family, start, end in zip(families, (0, *ends), ends, strict=False):
            form, at = family.compiled, start * out.itemsize
            if form is None:
                out[:, start:end] = family.rise(ahead[:, None] - m[start:end], b[None, start:end])
                continue
            constants = np.array(form.constants)
            self.library.rlscale_shares(
                FORMS.index(form.form), constants.ctypes.data, ahead.size, ahead_at, end - start, m_at + at, b_at + at,
                m.size, out_at + at,
            )  # fmt: skip
        return out


@dataclass(frozen=True, eq=False)
class _CompiledDensities:
    """Of jobs whose curves are ``packed`` for the kernel."""

    library: ctypes.CDLL
    jobs: Jobs
    packed: Sequence[Floats]

    def search(self, jobs: Indices, m: Floats, log_b: Floats, *, first: bool) -> tuple[Floats, Floats]:
        """Return rough log posterior densities, (j, k), and the highest of a single noise, (j,)."""
        prior, density, best = self.jobs.log_prior(jobs, m, log_b), np.empty(m.shape), np.empty(jobs.size)
        cells, step = m.shape[1], m.strides[0]
        prior_at, density_at = prior.ctypes.data, density.ctypes.data
        for k, job in enumerate(jobs.tolist()):
            schedule, family = self.jobs.data(job).schedule, self.jobs.family(job)
            packed = self.packed[job // len(self.jobs.families)]
            if first:
                rises = _first_rises(self.library, schedule, family, m[k].tobytes(), log_b[k].tobytes())
            else:
                rises = _rises(self.library, schedule, family, packed, m[k], np.exp(log_b[k]))
            best[k] = self.library.rlscale_search(
                packed.ctypes.data, SEARCH_STEP, cells, rises.ctypes.data, prior_at + k * step, density_at + k * step
            )
        return density, best

    def weigh(self, m: Floats, log_b: Floats, best: Floats) -> Weighed:
        """Return the nodes that are not negligible."""
        curves, cells = self.jobs.curves, m.shape[1]
        jobs = np.arange(len(self.jobs))
        prior, b, noises = self.jobs.log_prior(jobs, m, log_b), np.exp(log_b), curves.data[0].noises.count
        wide = self.library.rlscale_wide()
        stride = m.size * noises + wide
        out, place = np.empty((len(_ROWS), stride)), np.empty(stride, dtype=np.int64)
        scratch = np.empty(_SCRATCH * noises * (cells + wide))
        reach = normal_to_t(np.full(len(curves.data), REACH), 2.0 * curves.shape[:, 0])
        done, ends = 0, []
        for k in jobs.tolist():
            curve = k // len(self.jobs.families)
            packed, limits = self.packed[curve], np.array([REACH, reach[curve], NEGLIGIBLE])
            rises = _rises(self.library, self.jobs.data(k).schedule, self.jobs.family(k), packed, m[k], b[k])
            done += self.library.rlscale_weigh(
                packed.ctypes.data, cells, rises.ctypes.data, prior.ctypes.data + k * prior.strides[0], best[k],
                limits.ctypes.data, scratch.ctypes.data, stride, out.ctypes.data + done * out.itemsize,
                place.ctypes.data + done * place.itemsize,
            )  # fmt: skip
            ends.append(done)
        return self._weighed(dict(zip(_ROWS, out[:, :done], strict=True)), place[:done], ends, noises, cells)

    def _weighed(self, row: dict[str, Floats], place: Indices, ends: Sequence[int], noises: int, cells: int) -> Weighed:
        shape, noise = np.divmod(place >> 1, noises)
        counts = np.diff(ends, prepend=0)
        shape += np.repeat(np.arange(counts.size) * cells, counts)
        curves = self.jobs.curves
        walks = curves.fixed.drift.size > 0
        return Weighed(
            log_weight=row["log_weight"],
            shape=shape,
            noise=noise,
            nodes=Conditionals(
                shape=np.repeat(curves.shape[self.jobs.place(np.arange(counts.size)), 0], counts),
                **{name: row[name] for name in _KNOWN},
                **{name: row[name] if walks else _NONE for name in _DRIFT},
            ),
            cut=(place & 1).astype(bool),
            levels=GainLevels(**{name: row[name] for name in _LEVELS}),
            mass=row["mass"],
            ends=ends,
        )


def _rises(library: ctypes.CDLL, schedule: Schedule, family: Family, packed: Floats, m: Floats, b: Floats) -> Floats:
    """Return the rises ``p s`` of shapes, shape (k,), in blocks of evaluations as wide as the kernel's vectors."""
    cells, n, wide = m.size, schedule.log_compute.size, library.rlscale_wide()
    form = family.compiled
    if form is None:
        rises = schedule.rises(family, m, b)
        whole = np.concatenate([rises, np.repeat(rises[-1:], -cells % wide, axis=0)])
        return np.ascontiguousarray(whole.reshape(-1, wide, n).transpose(0, 2, 1))
    constants = np.array(form.constants)
    blocks = np.empty((-(-cells // wide), n, wide))
    library.rlscale_rises(
        FORMS.index(form.form), constants.ctypes.data, packed.ctypes.data, cells, m.ctypes.data, b.ctypes.data,
        blocks.ctypes.data,
    )  # fmt: skip
    return blocks


@lru_cache(maxsize=8)
def _first_rises(library: ctypes.CDLL, schedule: Schedule, family: Family, m: bytes, log_b: bytes) -> Floats:
    """Return the rises on the first grid, the same for all curves of one schedule."""
    sizes = np.array([schedule.log_compute.size, *[0.0] * (_HEADER - 1)])
    packed = np.concatenate([sizes, *_series(schedule)])  # all that rises need of a curve
    return _rises(library, schedule, family, packed, np.frombuffer(m), np.exp(np.frombuffer(log_b)))


def _packed(curves: Curves) -> list[Floats]:
    """Return what the kernel takes of each curve in one array: ``struct curve`` of ``kernel_body.h``."""
    rest, priors = curves.fixed, curves.priors
    centre = rest.cross / rest.level
    left = rest.reward - rest.cross * centre
    several = (rest.level, centre, left, curves.floor, curves.constant, *(rest.drift if rest.drift.size else ()))
    by_noise = np.concatenate([each[:, :, 0] for each in several])  # (q * noises, c)
    packed = []
    for k, data in enumerate(curves.data):
        noises, walk, ceiling = data.noises, data.walk, data.ceiling
        header = [
            data.count, noises.correlation.size, noises.amplitude.size, 0 if walk is None else walk.walk.knots.size,
            curves.shape[k, 0], priors.falling_weight, RIDGE,
            *((0.0, 0.0, 0.0) if ceiling is None else (ceiling.knee, ceiling.scale, np.log(ceiling.norm))),
        ]  # fmt: skip
        ramp = np.zeros(3 * data.count) if walk is None else _ramp_parts(data.schedule)
        terms = (_NONE, _NONE)
        if walk is not None:
            parts = np.stack([np.ones_like(walk.level), walk.level, walk.reward, walk.walk.last], axis=1)
            terms = (walk.walk.turn.ravel(), (walk.factor[:, :, None, :] * parts[:, None]).ravel())
        packed.append(
            np.concatenate(
                [header, *_series(data.schedule), *data.columns[:2], ramp, noises.correlation, *terms, by_noise[:, k]]
            )
        )
    return packed


def _series(schedule: Schedule) -> tuple[Floats, Floats, Floats]:
    """Return log computes, one over the noise, and the sum of that of both neighbours, each of shape (n,)."""
    return schedule.log_compute, schedule.columns[0], schedule.columns[1]


@lru_cache(maxsize=8)
def _ramp_parts(schedule: Schedule) -> Floats:
    """Return weight, part and step of every evaluation, the roots of the lengths, and the ramps at both ends."""
    u, weight = log_time(schedule.log_compute), schedule.columns[0]
    knots = knots_of(u)
    step = np.minimum(np.searchsorted(knots, u), knots.size - 1)
    starts = np.concatenate([[0.0], knots[:-1]])
    length = knots - starts
    part = np.clip((u - starts[step]) / length[step], 0.0, 1.0)
    ends = ramps(knots, u[[0, -1]]) * weight[[0, -1]]
    return np.concatenate([weight, part, np.where(u > 0.0, step, -1), np.sqrt(length), ends[:, 0], ends[:, 1]])
