"""Model error as a process: a random walk in log compute around the law.

No law holds to the last digit: runs creep on, sag, change pace. What a law misses at compute ``C`` is taken for a
Brownian motion in ``u = ln(1 + 8 C / C_last)``, 0 at the start: small while little compute has passed, free to wander
by as much over every doubling after it. Its amplitude is a multiple of the evaluation noise and integrated over, with
the correlation of the noise, on a small grid (:class:`Noises`).

Between ``r`` knots the motion runs straight, so it is ``sum_j x_j h_j(u)`` with independent standard normal steps
``x_j`` and ramps ``h_j``. The covariance of the evaluations, ``AR(rho) + t^2 H' H``, does not depend on the shape of
the law, and by Woodbury's identity every inner product is the one without the walk less a sum over ``r`` terms::

    <v, w> = <v, w>_rho - sum_j k_j a_j(v) a_j(w),   k_j = T / (1 + T g_j),   T = t^2 / (1 - rho^2)

with ``a(v) = Q' <H, v>_rho`` and ``<H, H>_rho = Q diag(g) Q'``: O(n r) for a shape, whatever the amplitudes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import Curve
from rlscale.curves.value import Value
from rlscale.inference.noise import RHO_GRID, at_correlations, columns
from rlscale.inference.priors import WalkPrior

__all__ = [
    "KNOTS",
    "REACH",
    "STILL",
    "Noises",
    "Walk",
    "WalkTerms",
    "knots_of",
    "log_time",
    "noises_of",
    "passed",
    "ramps",
    "recent_jitter",
    "walk_of",
]

Floats = NDArray[np.float64]

#: Log time starts to run at an eighth of the last compute.
START = 8.0
#: The walk was measured up to so many times the last compute; beyond it, at a ceiling too, it stands still.
REACH = 4.0
#: Steps of the walk up to the last evaluation, one for each evaluation of a shorter run.
KNOTS = 12


def log_time(ahead: Floats) -> Floats:
    """Return ``u = ln(1 + 8 C / C_last)``, any shape, for ``ahead = ln(C / C_last)`` cut at ln 4."""
    return np.asarray(np.log1p(START * np.exp(np.minimum(ahead, np.log(REACH)))))


def passed(ahead: Floats) -> Floats:
    """Return the log time from the last evaluation to log computes ``ahead`` of it, any shape; 0 before it."""
    return np.asarray(np.maximum(log_time(ahead) - np.log1p(START), 0.0))


def recent_jitter(curve: Curve) -> float:
    """Rms first difference of the later half of the rewards over sqrt(2), as a share of the range; 0 without any."""
    steps = np.diff(curve.reward[curve.n_points // 2 :])
    return float(np.sqrt(np.mean(steps**2) / 2.0)) / curve.error_range if steps.size else 0.0


@dataclass(frozen=True, eq=False)
class Noises(Value):
    """The grid of noises: every correlation with every amplitude of the walk, correlation by correlation.

    Parameters
    ----------
    correlation : array, shape (c,)
        Of neighbouring evaluations.
    amplitude : array, shape (a,)
        Sd of the walk over one unit of ``u``, in units of the marginal sd ``sigma`` of the noise.
    log_prior : array, shape (c * a,)
        Log prior probabilities, up to a constant.
    """

    correlation: Floats
    amplitude: Floats
    log_prior: Floats

    @property
    def count(self) -> int:
        """Number of noises, ``c * a``."""
        return int(self.log_prior.size)

    @property
    def correlations(self) -> Floats:
        """Correlation of each noise, shape (c * a,)."""
        return np.repeat(self.correlation, self.amplitude.size)

    @property
    def amplitudes(self) -> Floats:
        """Amplitude of each noise, shape (c * a,)."""
        return np.tile(self.amplitude, self.correlation.size)


#: No walk: the noise of evaluations alone.
STILL = Noises(RHO_GRID, np.zeros(1), np.zeros(RHO_GRID.size))


def noises_of(prior: WalkPrior, jitter: float, gain: float) -> Noises:
    """Return the noises that are possible for one curve.

    Parameters
    ----------
    prior : WalkPrior
    jitter : float
        Rms first difference of the later half over sqrt(2), as a share of the range.
    gain : float
        How far the curve has risen, as a share of the range.
    """
    sd = np.array(prior.amplitudes) * (
        prior.floor + prior.by_gain * min(max(gain, 0.0), 1.0) + prior.by_jitter * jitter
    )
    with np.errstate(divide="ignore"):  # an amplitude may be ruled out
        log_prior = np.tile(np.log(prior.weights), len(prior.correlations))
    return Noises(np.array(prior.correlations), sd / max(jitter, prior.least_jitter), log_prior)


@dataclass(frozen=True, eq=False)
class Walk:
    """The walk over one schedule of evaluations, turned so that its steps are independent given the data.

    Parameters
    ----------
    columns : array, shape (c, r, n)
        ``a(v) = columns @ v`` at each correlation.
    squares : array, shape (c, r)
        ``g``.
    last : array, shape (c, r)
        The turned ramps at the last evaluation.
    turn : array, shape (c, r, r)
        ``Q'``.
    knots : array, shape (r,)
        ``u`` where each step ends; the first starts at 0.
    """

    columns: Floats
    squares: Floats
    last: Floats
    turn: Floats
    knots: Floats


def ramps(knots: Floats, u: Floats) -> Floats:
    """Return ``h_j(u)``, shape (r, n): from 0 where step ``j`` starts to the root of its length where it ends."""
    starts = np.concatenate([[0.0], knots[:-1]])
    length = (knots - starts)[:, None]
    return np.asarray(np.clip((u - starts[:, None]) / length, 0.0, 1.0) * np.sqrt(length))


def knots_of(u: Floats) -> Floats:
    """Return where the steps of a walk end that is seen at log times ``u``, shape (n,): shape (r,)."""
    after = np.unique(u[u > 0.0])
    return after if after.size <= KNOTS else np.linspace(0.0, after[-1], KNOTS + 1)[1:]


def walk_of(log_compute: Floats, weight: Floats | None, correlation: Floats) -> Walk:
    """Return the walk over a schedule.

    Parameters
    ----------
    log_compute : array, shape (n,)
        ``ln(C / C_last)`` of the evaluations.
    weight : array, shape (n,), optional
        One over their relative noise.
    correlation : array, shape (c,)
    """
    u = log_time(log_compute)
    knots = knots_of(u)
    steps = ramps(knots, u)
    if weight is not None:
        steps = steps * weight
    sums = np.stack([columns(step) for step in steps], axis=1)  # (3, r, n)
    inner = np.tensordot(at_correlations(correlation), sums, axes=1)  # (c, r, n): <h_j, .>
    squares, vectors = np.linalg.eigh(inner @ steps.T)
    turn = np.swapaxes(vectors, 1, 2)
    last = turn @ ramps(knots, u[-1:])[:, 0]
    return Walk(turn @ inner, np.maximum(squares, 0.0), last, turn, knots)


@dataclass(frozen=True, eq=False)
class WalkTerms:
    """What walks of every amplitude take from the inner products of one curve; ``k = c * a`` noises.

    What does not depend on the shape is computed once: each family and stage of the search asks for it.

    Parameters
    ----------
    walk : Walk
    factor : array, shape (c, a, r)
        ``k_j`` at each correlation and amplitude.
    level, reward : array, shape (c, r)
        ``a(p)`` and ``a(u)``.
    """

    walk: Walk
    factor: Floats
    level: Floats
    reward: Floats

    @classmethod
    def of(cls, walk: Walk, noises: Noises, p: Floats, u: Floats) -> WalkTerms:
        """Return the terms of a curve with the constant ``p`` and rewards ``u``, both of shape (n,)."""
        variance = (noises.amplitude**2 / (1.0 - noises.correlation[:, None] ** 2))[:, :, None]
        factor = variance / (1.0 + variance * walk.squares[:, None, :])
        return cls(walk, factor, walk.columns @ p, walk.columns @ u)

    @cached_property
    def fixed(self) -> Floats:
        """Terms of ``<p, p>``, ``<p, u>`` and ``<u, u>``, shape (3, k)."""
        products = np.stack([self.level * self.level, self.level * self.reward, self.reward * self.reward])
        return np.asarray((self.factor * products[:, :, None, :]).sum(axis=3).reshape(3, -1))

    @cached_property
    def log_det(self) -> Floats:
        """``ln det(1 + T <H, H>)``, shape (k,)."""
        # 1 + T g = 1 / (1 - k g)
        return np.asarray(-np.log1p(-self.factor * self.walk.squares[:, None, :]).sum(axis=2).ravel())

    @cached_property
    def drift(self) -> Floats:
        """The walk expected at the last evaluation for ``p`` and for ``u``, and its variance, shape (3, k)."""
        last = self.walk.last[:, None, :]
        parts = np.stack([self.level[:, None, :], self.reward[:, None, :], last])
        return np.asarray((self.factor * last * parts).sum(axis=3).reshape(3, -1))

    def of_rises(self, rises: Floats, which: slice) -> Floats:
        """Return the terms of ``<s, p>``, ``<s, s>`` and ``<s, u>``, and the walk expected at the last evaluation.

        Parameters
        ----------
        rises : array, shape (s, n)
            ``p s`` of each shape.
        which : slice
            Of the correlations.

        Returns
        -------
        array, shape (4, k', s)
        """
        turned = self.walk.columns[which] @ rises.T  # (c', r, s)
        factor = self.factor[which]
        linear = np.stack([self.level[which], self.reward[which], self.walk.last[which]])
        terms = np.empty((4, len(factor), factor.shape[1], turned.shape[2]))
        terms[0], terms[2], terms[3] = (factor * linear[:, :, None, :]) @ turned
        turned *= turned
        np.matmul(factor, turned, out=terms[1])
        return terms.reshape(4, -1, turned.shape[2])
