"""A curve as the engine sees it: log compute from the last evaluation, reward with its bounds at 0 and 1, noise."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import Curve
from rlscale.inference.families import Family
from rlscale.inference.noise import columns
from rlscale.inference.priors import PRIORS, OpenCeiling, Priors
from rlscale.inference.walk import STILL, Noises, Walk, WalkTerms, noises_of, recent_jitter, walk_of

__all__ = ["MAX_POINTS", "Evidence", "Schedule", "evidence", "thinned"]

Floats = NDArray[np.float64]

#: More evaluations than this are averaged in blocks of consecutive points first: their information about the curve is
#: kept, the time and memory are not.
MAX_POINTS = 2000
#: E-folds of compute before the last evaluation from which on evaluations count for less, and over which that grows.
EARLY = float(np.log(8.0))


@dataclass(frozen=True, eq=False)
class Schedule:
    """When a curve was evaluated and how well: what curves made alike share.

    Every series is divided by the relative noise ``r_t`` (1 unless the curve carries ``sd``), so that the model is
    ``u_t = R0 p_t + (A - R0) p_t s_t + AR(1)`` with ``p = 1/r`` and ``u = y/r``.

    Parameters
    ----------
    log_compute : array, shape (n,)
        ``ln(C / C_last)``, ``-inf`` at the baseline.
    weight : array, shape (n,), optional
        ``p_t = 1/r_t``; None where it is 1 throughout.
    columns : array, shape (3, n)
        What the rises are multiplied with for the sums ``(T, L, E)`` of ``<p s, p>``, see ``noise.columns``.
    """

    log_compute: Floats
    weight: Floats | None
    columns: Floats

    @property
    def key(self) -> bytes:
        """Equal for schedules that are alike to the last bit."""
        return self.log_compute.tobytes() + (b"" if self.weight is None else self.weight.tobytes())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Schedule) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def rises(self, family: Family, m: Floats, b: Floats) -> Floats:
        """Return the rises ``p s`` of shapes ``m, b``, each of shape (k,), at every evaluation, shape (k, n)."""
        rises = np.asarray(family.rise(self.log_compute - m[:, None], b[:, None]), dtype=np.float64)
        return rises if self.weight is None else rises * self.weight

    def sums(self, rises: Floats) -> Floats:
        """Return the sums ``(T, L, E)`` of ``<p s, p>`` and of ``<p s, p s>``: shape (3, 2, k)."""
        found = np.empty((3, 2, rises.shape[0]))
        found[:, 0] = self.columns @ rises.T
        first, last = rises[:, 0], rises[:, -1]
        found[0, 1] = _products(rises, rises)
        found[1, 1] = 2.0 * _products(rises[:, 1:], rises[:, :-1])
        found[2, 1] = first * first + last * last
        return found


@dataclass(frozen=True, eq=False)
class Evidence:
    """What the likelihood needs of a curve, computed once.

    Parameters
    ----------
    schedule : Schedule
    columns : array, shape (3, n)
        What the rises are multiplied with for the sums ``(T, L, E)`` of ``<p s, u>``.
    fixed : array, shape (3, 3)
        Sums ``(T, L, E)`` of ``<p, p>``, ``<p, u>`` and ``<u, u>``, one a column.
    noise_scale : float
        Of the noise prior, as a share of the width of the bounds.
    ceiling : OpenCeiling, optional
        The prior of the ceiling under open bounds; flat between 0 and 1 without one.
    noises : Noises
        What the noise and the model error may be.
    walk : WalkTerms, optional
        Terms of the model error; None where there is none.
    """

    schedule: Schedule
    columns: Floats
    fixed: Floats
    noise_scale: float
    ceiling: OpenCeiling | None = None
    noises: Noises = STILL
    walk: WalkTerms | None = None

    @property
    def count(self) -> int:
        """Number of evaluations, the baseline included."""
        return int(self.columns.shape[1])

    def sums(self, rises: Floats) -> Floats:
        """Return the sums ``(T, L, E)`` of ``<p s, u>`` for rises of shape (k, n): shape (3, k)."""
        found: Floats = self.columns @ rises.T
        return found


def _products(v: Floats, w: Floats) -> Floats:
    """Return the inner products of the rows of two arrays of shape (k, n): shape (k,)."""
    found: Floats = np.matmul(v[:, None, :], w[:, :, None])[:, 0, 0]
    return found


def evidence(curve: Curve, *, early: bool = False, walk: bool = False, priors: Priors = PRIORS) -> Evidence:
    """Return what the engine needs of ``curve``; :func:`thinned` bounds the time it takes.

    Parameters
    ----------
    curve : Curve
    early : bool
        Let evaluations far back count for less, as in an average of families: before ``C_last / 8`` the relative noise
        is multiplied by ``1 + ln(C_last / (8 C))``, at most by ``1 + ln 8``. No law is exact there, and the families
        differ most: else one odd first evaluation (a dip while the format is learned) would choose among them.
    walk : bool
        Let a random walk stand for the model error.
    priors : Priors
    """
    with np.errstate(divide="ignore"):
        log_compute = np.log(curve.compute / curve.compute_last)
    relative = _relative_noise(curve)
    if early:
        far = np.clip(-log_compute - EARLY, 0.0, EARLY)
        relative = relative * np.where(np.isfinite(log_compute), 1.0 + far, 1.0)
    u = (curve.reward - curve.bounds[0]) / curve.span / relative
    p = 1.0 / relative
    by_p, by_u = columns(p), columns(u)
    fixed = np.stack([by_p @ p, by_u @ p, by_u @ u], axis=1)
    weight = None if np.all(p == 1.0) else p
    ceiling = None if curve.open is None else OpenCeiling.of(curve.open)
    schedule, unit = Schedule(log_compute, weight, by_p), curve.error_range / curve.span
    if not walk:
        return Evidence(schedule, by_u, fixed, unit * priors.sigma_scale, ceiling, STILL)
    noises = noises_of(priors.walk, recent_jitter(curve), _gain(curve))
    terms = WalkTerms.of(_walk(schedule, priors.walk.correlations), noises, p, u)
    return Evidence(schedule, by_u, fixed, unit * priors.sigma_scale, ceiling, noises, terms)


@lru_cache(maxsize=8)
def _walk(schedule: Schedule, correlations: tuple[float, ...]) -> Walk:
    """Return the walk over a schedule, the same for all curves that share it."""
    return walk_of(schedule.log_compute, schedule.weight, np.array(correlations))


def _gain(curve: Curve) -> float:
    """How far a curve has risen, as a share of the range: mean of the last fifth less that of the first tenth."""
    reward, count = curve.reward, curve.n_points
    return float(reward[-max(3, count // 5) :].mean() - reward[: max(1, count // 10)].mean()) / curve.error_range


def thinned(curve: Curve) -> tuple[Curve, int]:
    """Average blocks of consecutive evaluations of a very long curve.

    Returns
    -------
    Curve
        At most :data:`MAX_POINTS` points, compute and reward averaged over each block; the baseline stays alone.
    int
        Evaluations in a block, 1 where nothing was averaged.
    """
    if curve.n_points <= MAX_POINTS:
        return curve, 1
    start = int(curve.has_baseline)
    size = -(-(curve.n_points - start) // (MAX_POINTS - 1))
    edges = np.concatenate([np.arange(start), np.arange(start, curve.n_points, size)])
    counts = np.diff(np.append(edges, curve.n_points))
    averaged = replace(
        curve,
        compute=np.add.reduceat(curve.compute, edges) / counts,
        reward=np.add.reduceat(curve.reward, edges) / counts,
        sd=np.add.reduceat(_relative_noise(curve), edges) / counts**1.5,  # the mean of m points is 1/sqrt(m) as noisy
        n_eval=None,
    )
    return averaged, size


def _relative_noise(curve: Curve) -> Floats:
    if curve.sd is None or np.all(np.isnan(curve.sd)):
        return np.ones(curve.n_points)
    typical = float(np.nanmedian(curve.sd))
    return np.where(np.isnan(curve.sd), 1.0, curve.sd / typical)
