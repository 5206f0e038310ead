"""Several comparisons at once: p-values adjusted so that all claims together are wrong at a stated rate.

Step-down min-p with the joint distribution of the contrasts (P. H. Westfall and S. S. Young, 1993; for normal and t
contrasts of a linear model: T. Hothorn, F. Bretz, P. Westfall, Biometrical J. 50, 2008): comparisons that share a
baseline err together, which Bonferroni does not use. The joint tail is summed over fixed low-discrepancy points; where
too few of them lie in it, or too many recipes are compared, Holm's rule stands in, which is never wrong, only wider.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

from rlscale.inference.lattice import DIMS, gamma_quantiles, normal_quantiles

__all__ = ["adjusted", "holm"]

Floats = NDArray[np.float64]

_POINTS = 8192
#: Fewer points than this in a tail do not measure it.
_FEW = 24


def holm(p: Floats) -> Floats:
    """Return p-values adjusted by Holm's step-down rule; arrays of shape (k,).

    Examples
    --------
    >>> import numpy as np
    >>> holm(np.array([0.01, 0.04, 0.03])).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p, kind="stable")
    steps = np.minimum(p[order] * (p.size - np.arange(p.size)), 1.0)
    out = np.empty(p.size)
    out[order] = np.maximum.accumulate(steps)
    return out


def adjusted(p: Floats, covariance: Floats, freedom: Floats) -> Floats:
    """Return p-values adjusted for one another: ``P(any of those left is as small, nothing being there)``.

    Parameters
    ----------
    p : array, shape (k,)
        Two-sided, each for itself.
    covariance : array, shape (k, k)
        Of the estimates.
    freedom : array, shape (k,)
        Degrees of freedom of each; ``inf`` for a known sd.

    Returns
    -------
    array, shape (k,)
        Never below ``p``, never above Holm's.
    """
    bonferroni = holm(p)
    if p.size < 2:
        return bonferroni
    sd = np.sqrt(np.maximum(np.diag(covariance), 1e-300))
    value, vector = np.linalg.eigh(covariance / np.outer(sd, sd))
    keep = value > 1e-9 * value[-1]
    if np.count_nonzero(keep) > DIMS - 1:
        return bonferroni
    factors = vector[:, keep] * np.sqrt(value[keep])
    normal = np.stack([normal_quantiles(_POINTS, 1 + k) for k in range(factors.shape[1])])
    null = np.abs(factors @ normal)
    for k, own in enumerate(freedom):
        if np.isfinite(own):  # one scale for all: the run-to-run sd is estimated once
            half = max(round(2.0 * float(own)) / 4.0, 0.25)
            null[k] /= np.sqrt(gamma_quantiles(half, _POINTS, 0) / half)
    tails = 2.0 * stdtr(np.minimum(freedom, 1e6)[:, None], -null)
    return np.maximum(np.minimum(_stepped(p, tails), bonferroni), p)


def _stepped(p: Floats, tails: Floats) -> Floats:
    """Return step-down min-p from p-values of the null, shape (k, points)."""
    order = np.argsort(p, kind="stable")
    least = np.minimum.accumulate(tails[order][::-1], axis=0)[::-1]
    counts = np.count_nonzero(least <= p[order][:, None], axis=1)
    steps = np.where(counts >= _FEW, counts / tails.shape[1], p[order] * (p.size - np.arange(p.size)))
    out = np.empty(p.size)
    out[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return out
