"""The rival with a floor: the S-shaped joint form of Tan et al. (arXiv 2509.25300), appendix D.

::

    L(N, X) = L_inf + (N0/N)^alpha + lambda(N) / (1 + (X/D0(N))^beta)

Each size has its own ``lambda`` and ``D0``; the other four constants are shared. Fitted by least squares under weak
priors, with a Gaussian around the optimum for what the data leave open (Laplace). Of a size without data ``lambda`` and
``D0`` are read off a line in ``log N``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from rlscale.curves.value import Value
from rlscale.inference.size_law.points import normals
from rlscale.inference.size_law.trace import LEAST_NOISE, Trace

__all__ = ["SShaped", "s_shaped"]

Floats = NDArray[np.float64]

#: Shared constants, then log lambda and log D0 of each size.
_SHARED = 4
#: Prior means and sds of log L_inf, log(N0 / smallest size), log alpha, log beta, log lambda, and of log D0 around the
#: middle of the data. Table 7 has lambda from .07 to .33 and D0 inside the data.
_MEAN = (np.log(0.1), -1.0, np.log(0.3), 0.0, np.log(0.2), 0.0)
_SD = (1.5, 2.0, 0.7, 0.5, 1.5, 2.0)
#: Scatter of log lambda and log D0 around their lines, a priori, worth so many sizes.
_SCATTER, _WORTH = 0.3, 2.0
#: Evaluations of a run that are fitted; longer runs are averaged in blocks.
_MOST = 128


@dataclass(frozen=True, eq=False)
class SShaped(Value):
    """Draws of the S-shaped form, equally weighted.

    Parameters
    ----------
    model_params : tuple of float
        The sizes with data, ascending.
    middle : float
        ``log X`` that ``log D0`` is taken from.
    best : array, shape (4 + 2 sizes,)
        Logarithms of ``L_inf``, ``N0`` over the smallest size, ``alpha``, ``beta``, then of ``lambda`` and ``D0`` of
        each size, at the optimum.
    away : array, shape (d, 4 + 2 sizes)
        Draws of them less the optimum. ``L`` is taken as linear in these: it is known far better than they are.
    sigma, rho : float
        Noise of one evaluation, as a share of ``R_max``, and the correlation of neighbours.
    run_sd : float
        Run-to-run sd of ``L``.
    """

    model_params: tuple[float, ...]
    middle: float
    best: Floats
    away: Floats
    sigma: float
    rho: float
    run_sd: float

    def share(self, place: int, log_compute: Floats) -> Floats:
        """Return ``L`` of a size with data at ``log X``, shape (c,): shape (d, c)."""
        own = self.best[_SHARED:].reshape(-1, 2)[place]
        away = self.away[:, _SHARED + 2 * place : _SHARED + 2 * place + 2]
        return self._share(self.model_params[place], own, away, log_compute)

    def new_share(self, model_params: float, log_compute: Floats) -> Floats:
        """Return ``L`` of a size without data at ``log X``, shape (c,): shape (d, c)."""
        at = np.log(np.array(self.model_params))
        design = np.stack([np.ones(at.size), at - at.mean()], axis=1)
        ahead = np.array([1.0, np.log(model_params) - at.mean()])
        smooth = np.linalg.pinv(design)
        values = self.best[_SHARED:].reshape(-1, 2)
        squares = np.sum((values - design @ smooth @ values) ** 2, axis=0)
        scatter = np.sqrt((_WORTH * _SCATTER**2 + squares) / (_WORTH + max(at.size - 2, 0)))
        scatter = scatter * np.sqrt(1.0 + ahead @ smooth @ smooth.T @ ahead)
        away = self.away[:, _SHARED:].reshape(-1, at.size, 2)
        away = np.einsum("s,dsi->di", ahead @ smooth, away) + scatter * normals(_dims(at.size))[:, -4:-2]
        return self._share(model_params, ahead @ smooth @ values, away, log_compute)

    @property
    def run_normal(self) -> Floats:
        """Standard normal coordinate of a run, shape (d,)."""
        return np.asarray(normals(_dims(len(self.model_params)))[:, -2])

    def _share(self, model_params: float, own: Floats, away: Floats, log_compute: Floats) -> Floats:
        x = log_compute - self.middle
        ratio = np.full(x.size, np.log(model_params / self.model_params[0]))
        value, slopes = _form(self.best[:_SHARED], np.broadcast_to(own, (x.size, 2)), ratio, x)
        return np.asarray(value + np.concatenate([self.away[:, :_SHARED], away], axis=1) @ slopes.T)


def _dims(sizes: int) -> int:
    return _SHARED + 2 * sizes + 4


def _form(shared: Floats, own: Floats, ratio: Floats, x: Floats) -> tuple[Floats, Floats]:
    """Return ``L``, shape (n,), and its derivatives by the shared four and the own two logarithms, shape (n, 6)."""
    limit, knee, alpha, beta = np.clip(shared, -12.0, 12.0)
    alpha, beta = np.exp(alpha), np.exp(beta)
    rest = np.exp(np.clip(alpha * (knee - ratio), -50.0, 5.0))
    gain = np.exp(np.clip(own[:, 0], -20.0, 5.0))
    shape = expit(-beta * (x - own[:, 1]))
    steep = gain * shape * (1.0 - shape) * beta
    slopes = np.stack(
        [
            np.full(x.size, np.exp(limit)), alpha * rest, alpha * (knee - ratio) * rest, -steep * (x - own[:, 1]),
            gain * shape, steep,
        ],
        axis=1,
    )  # fmt: skip
    return np.exp(limit) + rest + gain * shape, slopes


@dataclass(frozen=True, eq=False)
class _Data:
    """Blocks of evaluations of all runs; arrays of shape (n,). ``weight`` counts the evaluations of a block."""

    x: Floats
    share: Floats
    weight: Floats
    size: NDArray[np.intp]
    run: NDArray[np.intp]
    ratio: Floats


def s_shaped(traces: Sequence[Trace], members: Sequence[Sequence[int]], model_params: Sequence[float]) -> SShaped:
    """Fit the S-shaped form to runs grouped by size.

    Parameters
    ----------
    traces : sequence of Trace
    members : sequence of sequence of int
        Places of the runs of each size.
    model_params : sequence of float
        Parameters of each size, ascending.
    """
    from scipy.optimize import least_squares as solve  # 70 ms to import, and only comparisons need it

    middle = float(np.mean([run.log_compute.mean() for run in traces]))
    data = _data(traces, members, model_params, middle)
    mean = np.array([*_MEAN[:_SHARED], *_MEAN[_SHARED:] * len(members)])
    sd = np.array([*_SD[:_SHARED], *_SD[_SHARED:] * len(members)])
    theta, sigma = mean.copy(), max(float(np.std(data.share)), LEAST_NOISE)
    for _ in range(3):
        solution = solve(_residuals, theta, _jacobian, method="lm", args=(data, sigma, mean, sd), max_nfev=200)
        theta = solution.x
        left = data.share - _at(theta, data)[0]
        sigma, rho = _noise(left, data, theta.size)
    wider = sigma * np.sqrt((1.0 + rho) / (1.0 - rho))
    slopes = _jacobian(theta, data, wider, mean, sd)
    values, vectors = np.linalg.eigh(slopes.T @ slopes)
    factor = vectors / np.sqrt(np.maximum(values, 1e-12))
    away = normals(_dims(len(members)))[:, : theta.size] @ factor.T
    means = np.array([np.average(left[data.run == r], weights=data.weight[data.run == r]) for r in range(len(traces))])
    freedom = max(means.size - len(members), 1)
    noise_of_mean = wider**2 * len(traces) / sum(run.share.size for run in traces)
    run_sd = float(np.sqrt(max(float(np.sum(means**2)) / freedom - noise_of_mean, 0.0)))
    return SShaped(tuple(float(size) for size in model_params), middle, theta, away, sigma, rho, run_sd)


def _data(
    traces: Sequence[Trace], members: Sequence[Sequence[int]], model_params: Sequence[float], middle: float
) -> _Data:
    place = {run: size for size, own in enumerate(members) for run in own}
    parts = []
    for run, line in enumerate(traces):
        starts = np.unique(np.linspace(0, line.share.size, _MOST + 1).astype(int)[:-1])
        count = np.diff(np.append(starts, line.share.size))
        x, share = (np.add.reduceat(values, starts) / count for values in (line.log_compute - middle, line.share))
        parts.append((x, share, count.astype(np.float64), np.full(x.size, place[run]), np.full(x.size, run)))
    x, share, weight, size, owner = (np.concatenate(part) for part in zip(*parts, strict=True))
    ratio = np.log(np.array(model_params) / model_params[0])
    return _Data(x, share, weight, size, owner, ratio)


def _at(theta: Floats, data: _Data) -> tuple[Floats, Floats]:
    """Return ``L`` at each block and its derivatives, as :func:`_form` does."""
    own = theta[_SHARED:].reshape(-1, 2)[data.size]
    return _form(theta[:_SHARED], own, data.ratio[data.size], data.x)


def _residuals(theta: Floats, data: _Data, sigma: float, mean: Floats, sd: Floats) -> Floats:
    left = data.share - _at(theta, data)[0]
    return np.concatenate([np.sqrt(data.weight) * left / sigma, (theta - mean) / sd])


def _jacobian(theta: Floats, data: _Data, sigma: float, mean: Floats, sd: Floats) -> Floats:
    slopes, row = _at(theta, data)[1], np.arange(data.x.size)
    full = np.zeros((data.x.size, theta.size))
    full[:, :_SHARED] = slopes[:, :_SHARED]
    full[row, _SHARED + 2 * data.size], full[row, _SHARED + 2 * data.size + 1] = slopes[:, _SHARED:].T
    return np.concatenate([-np.sqrt(data.weight)[:, None] / sigma * full, np.diag(1.0 / sd)])


def _noise(left: Floats, data: _Data, free: int) -> tuple[float, float]:
    """Return the sd of one evaluation and the correlation of neighbours, from residuals of shape (n,)."""
    sigma = np.sqrt(np.sum(data.weight * left**2) / max(left.size - free, 1))
    same = data.run[1:] == data.run[:-1]
    rho = float(np.sum((left[1:] * left[:-1])[same]) / max(np.sum(left**2), 1e-300))
    return float(max(sigma, LEAST_NOISE)), float(np.clip(rho, 0.0, 0.9))
