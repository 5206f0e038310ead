"""A curve as the engine sees it: log compute from the last evaluation, reward on a unit range, relative noise."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import Curve
from rlscale.inference.families import Family
from rlscale.inference.noise import neighbours, sums

__all__ = ["MAX_POINTS", "Evidence", "evidence", "thinned"]

Floats = NDArray[np.float64]

#: More evaluations than this are averaged in blocks of consecutive points first: their information about the curve is
#: kept, the time and memory are not.
MAX_POINTS = 2000


@dataclass(frozen=True, eq=False)
class Evidence:
    """What the likelihood needs of a curve, computed once.

    Every series is divided by the relative noise ``r_t`` (1 unless the curve carries ``sd``), so that the model is
    ``u_t = R0 p_t + (A - R0) p_t s_t + AR(1)`` with ``p = 1/r`` and ``u = y/r``.

    Parameters
    ----------
    log_compute : array, shape (n,)
        ``ln(C / C_last)``, ``-inf`` at the baseline.
    weight : array, shape (n,)
        ``p_t = 1/r_t``.
    columns : array, shape (n, 4)
        ``p, h(p), u, h(u)``: one product of the rises with these gives every sum (see ``noise``).
    fixed : array, shape (3, 3)
        Sums ``(T, L, E)`` of ``<p, p>``, ``<p, u>`` and ``<u, u>``, one a row.
    """

    log_compute: Floats
    weight: Floats
    columns: Floats
    fixed: Floats

    @property
    def count(self) -> int:
        """Number of evaluations, the baseline included."""
        return int(self.log_compute.size)

    def rises(self, family: Family, m: Floats, b: Floats) -> Floats:
        """Return the rises ``s`` of shapes ``m, b``, each of shape (k,), at every evaluation, shape (k, n).

        Taken in single precision: an error of 1e-7 in the curve is far below any noise, and it is ten times faster.
        """
        x = self.log_compute.astype(np.float32) - m.astype(np.float32)[:, None]
        return family.rise(x, b.astype(np.float32)[:, None]).astype(np.float64)

    def sums(self, rises: Floats) -> Floats:
        """Return the sums of ``<p s, p>``, ``<p s, u>`` and ``<p s, p s>`` of rises ``s``, shape (k, n): (3, k, 3)."""
        q = rises if np.all(self.weight == 1.0) else rises * self.weight
        first, last, columns = q[:, 0], q[:, -1], self.columns
        found = np.empty((3, q.shape[0], 3))
        products = q @ columns
        found[0, :, :2], found[1, :, :2] = products[:, :2], products[:, 2:]
        found[0, :, 2] = columns[0, 0] * first + columns[-1, 0] * last
        found[1, :, 2] = columns[0, 2] * first + columns[-1, 2] * last
        found[2, :, 0] = np.einsum("kt,kt->k", q, q)
        found[2, :, 1] = 2.0 * np.einsum("kt,kt->k", q[:, 1:], q[:, :-1])
        found[2, :, 2] = first * first + last * last
        return found


def evidence(curve: Curve) -> Evidence:
    """Return what the engine needs of ``curve``; :func:`thinned` bounds the time it takes."""
    low = curve.bounds[0]
    with np.errstate(divide="ignore"):
        log_compute = np.log(curve.compute / curve.compute_last)
    relative = _relative_noise(curve)
    u = (curve.reward - low) / curve.range / relative
    p = 1.0 / relative
    columns = np.array([p, neighbours(p), u, neighbours(u)]).T
    return Evidence(log_compute, p, columns, np.stack([sums(p, p), sums(p, u), sums(u, u)]))


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
