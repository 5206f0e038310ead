"""From the zoomed grid to weighted low-discrepancy draws of every parameter.

Each draw takes a node (a family, a cell of its grid and a noise) by posterior mass, then the gain,
``sigma`` and the baseline from their conditional distributions there. What of the bounds is left (``R0`` and ``A`` both
inside) is the weight of the draw, a truncated-normal mass of at most 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from rlscale.curves.value import Value
from rlscale.inference.backend import Jobs
from rlscale.inference.evidence import Evidence
from rlscale.inference.families import Family
from rlscale.inference.flat import flat_cells
from rlscale.inference.lattice import gamma_quantiles, normal_quantiles, sobol
from rlscale.inference.nodes import FLOOR, LOST, REACH, Conditionals, normal_to_t
from rlscale.inference.priors import OpenCeiling, Priors
from rlscale.inference.products import Curves
from rlscale.inference.walk import Noises
from rlscale.inference.zoom import AVERAGED_FINE, FINE, Cells, together, zoomed

__all__ = ["COUNT", "Draws", "draw", "drawn"]

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

#: Draws of a family.
COUNT = 2048
#: What the Sobol coordinates stand for: the first is the node; G and R0, which matter most, come next, where the
#: sequence is most even; then m and ln B within the cell, sigma, the model error, the noise of a future evaluation, the
#: walk so far, what else may happen (persistence, how far a run comes back, where it stays).
GAIN, BASELINE, ACROSS, UP, SIGMA, MODEL, NOISE, DRIFT, STAY, BACK = range(1, 11)
#: Share of the draws that is spread evenly over the families, so that one of little weight keeps its quantiles.
EVEN = 0.5

_ARRAYS = (
    "column", "row", "noise_cell", "across", "up", "innovation", "baseline", "gain", "drift", "model", "noise", "stay",
    "back",
)  # fmt: skip
#: The arrays that no two posteriors share, the widest first, and those that :meth:`Draws.packed` holds in single
#: precision: an error of 1e-7 of the range.
_OWN = ("weight", "baseline", "gain", "drift", "innovation", "column", "row", "noise_cell")
_SINGLE = ("weight", "baseline", "gain")


@dataclass(frozen=True, eq=False)
class Draws(Value):
    """Weighted draws on the engine's scale (unit reward range, compute from the last); arrays of shape (d,).

    The shape of each is kept as its cell on the grid: thousands of posteriors fit into memory.

    Parameters
    ----------
    weight : array
        Summing to 1.
    columns : array, shape (4, c)
        As in ``zoom.Cells``.
    column, row, noise_cell : integer array
        The cell of each draw, and the place of its noise among ``noises``.
    across, up : array
        Where in the cell it lies, in [0, 1].
    innovation : array
        The sd of the noise's innovations, in single precision.
    baseline, gain : array
    drift : array
        The model error so far, the walk at the last evaluation, in single precision.
    model, noise : array
        Standard normal coordinates kept for the model error to come and for the noise of a future evaluation.
    stay, back : array
        Uniform coordinates kept for persistence and for how far a run comes back after a break.
    noises : Noises
    ends : tuple of int
        Where the draws of each family end.
    effective : float
        The number of equally weighted draws these are worth, ``1 / sum w^2``; 0 where the data lie so far outside the
        bounds that the masses inside are beyond floating point.
    """

    weight: Floats
    columns: Floats
    column: NDArray[np.int16]
    row: NDArray[np.uint8]
    noise_cell: NDArray[np.uint8]
    across: Floats
    up: Floats
    innovation: NDArray[np.float32]
    baseline: Floats
    gain: Floats
    drift: NDArray[np.float32]
    model: Floats
    noise: Floats
    stay: Floats
    back: Floats
    noises: Noises
    ends: tuple[int, ...]
    effective: float

    @property
    def m(self) -> Floats:
        """``ln(C_mid / C_last)`` at the middle of the cell, where ``baseline`` and ``gain`` were drawn."""
        return np.asarray(self.columns[0].take(self.column))

    @property
    def b(self) -> Floats:
        """``B`` at the middle of the cell: a curve needs all four from one place."""
        return np.exp(self._log_b(0.5))

    @property
    def m_within(self) -> Floats:
        """``ln(C_mid / C_last)`` spread over the cell, for the distribution of the midpoint itself."""
        return np.asarray(self.m + self.columns[1].take(self.column) * (self.across - 0.5))

    @property
    def b_within(self) -> Floats:
        """``B`` spread over the cell, for the distribution of the exponent itself."""
        return np.exp(self._log_b(self.up))

    @property
    def rho(self) -> Floats:
        """Correlation of neighbouring evaluations."""
        return np.asarray(self.noises.correlations.take(self.noise_cell))

    @property
    def sigma(self) -> Floats:
        """Marginal sd of the noise, from that of its innovations."""
        return np.asarray(self.innovation / np.sqrt(1.0 - self.rho**2))

    @property
    def walk_sd(self) -> Floats:
        """Sd of the walk over one unit of log time."""
        if not self.noises.amplitude.any():
            return np.zeros(self.weight.size)  # packed draws have no noise
        return np.asarray(self.noises.amplitudes.take(self.noise_cell) * self.sigma)

    def _log_b(self, up: Floats | float) -> Floats:
        low, height = (each.take(self.column) for each in self.columns[2:])
        return np.asarray(low + height * (self.row + up))

    def family(self, index: int) -> slice:
        """Return where the draws of family ``index`` stand."""
        return slice(self.ends[index - 1] if index else 0, self.ends[index])

    def of_family(self, index: int) -> Draws:
        """Return the draws of family ``index`` alone, their weights summing to 1."""
        own = self.family(index)
        total = float(self.weight[own].sum())
        return self._at(own, self.weight[own] / total, (own.stop - own.start,))

    def packed(self, room: Callable[[int], NDArray[np.uint8]]) -> Draws:
        """Return these draws in single precision, without what rewards do not need: for who keeps thousands.

        Parameters
        ----------
        room : callable
            Returns so many bytes of memory, in which they are put.
        """
        arrays: dict[str, Any] = {name: getattr(self, name) for name in _OWN}
        arrays |= {name: arrays[name].astype(np.float32) for name in _SINGLE}
        if not self.noises.amplitude.any():  # else the walk ahead is a multiple of the noise
            arrays |= {name: arrays[name][:0] for name in ("noise_cell", "innovation")}
        ends = np.cumsum([array.nbytes for array in arrays.values()]).tolist()
        whole, start = room(ends[-1]), 0
        for (name, array), end in zip(arrays.items(), ends, strict=True):
            whole[start:end] = array.view(np.uint8)
            arrays[name] = whole[start:end].view(array.dtype)
            start = end
        return replace(self, **arrays)

    def unpacked(self) -> Draws:
        """Return packed draws in double precision again, their weights summing to 1."""
        arrays: dict[str, Any] = {name: getattr(self, name).astype(np.float64) for name in _SINGLE}
        arrays["weight"] /= arrays["weight"].sum()
        return replace(self, **arrays)

    def thinned(self, count: int) -> Draws:
        """Return ``count`` equally weighted draws, evenly along the order of these."""
        cumulative = np.cumsum(self.weight)
        index = np.searchsorted(cumulative, (np.arange(count) + 0.5) / count * cumulative[-1])
        ends = tuple(int(end) for end in np.searchsorted(index, self.ends))
        return self._at(index, np.full(count, 1.0 / count), ends)

    def _at(self, index: Indices | slice, weight: Floats, ends: tuple[int, ...]) -> Draws:
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        arrays = {name: array[index] if array.size else array for name, array in arrays.items()}  # packed
        effective = float(1.0 / (weight @ weight)) if self.effective else 0.0
        return replace(self, weight=weight, ends=ends, effective=effective, **arrays)


def draw(
    cells: Cells,
    jobs: Sequence[int],
    noises: Noises,
    priors: Priors,
    *,
    ceiling: OpenCeiling | None = None,
    count: int = COUNT,
) -> Draws:
    """Return weighted draws of the posterior of one curve.

    Parameters
    ----------
    cells : Cells
    jobs : sequence of int
        Those of ``cells`` that belong to the curve, one for each family.
    noises : Noises
        Of the curve.
    priors : Priors
    ceiling : OpenCeiling, optional
        The prior of the ceiling under open bounds: its density is part of the draws' weights.
    count : int
        Draws, a power of two.
    """
    parts = [cells.job(job) for job in jobs]
    log_weight = np.concatenate([cells.log_weight[part] for part in parts])
    source = np.concatenate([np.arange(part.start, part.stop) for part in parts])
    index, importance, ends = _allotted(log_weight, [part.stop - part.start for part in parts], count)
    index = source[index]
    best = source[np.argmax(log_weight)]
    shape = float(cells.nodes.shape[best])
    at = cells.nodes.take(index)
    gain = _gains(at, cells, index, priors.falling_weight, shape)
    scale = at.scale + 0.5 * at.gain_precision * (gain - at.gain) ** 2
    innovation = np.sqrt(scale / gamma_quantiles(shape + 0.5, count, SIGMA))
    baseline, inside = _baselines(at, innovation, gain)
    weight = importance if inside is None else inside * importance
    if ceiling is not None:
        weight = weight * _density(ceiling, at, cells.ceiling.take(index), baseline + gain)
    weight = weight / float(weight.sum())  # first: the squares of tiny ones are zero
    lost = min(1.0 if inside is None else float(inside.max()), cells.mass[best]) <= LOST
    columns = [cells.columns[job] for job in jobs]
    before = np.cumsum([0, *(each.shape[1] for each in columns[:-1])], dtype=np.int16)
    u = sobol(count)
    return Draws(
        weight=weight,
        columns=np.concatenate(columns, axis=1),
        column=cells.column.take(index) + np.repeat(before, _steps(np.array(ends))),
        row=cells.row.take(index),
        noise_cell=cells.noise.take(index),
        across=u[ACROSS],
        up=u[UP],
        innovation=innovation.astype(np.float32),
        baseline=baseline,
        gain=gain,
        drift=at.drift_given(baseline, gain, innovation, normal_quantiles(count, DRIFT)).astype(np.float32),
        model=normal_quantiles(count, MODEL),
        noise=normal_quantiles(count, NOISE),
        stay=u[STAY],
        back=u[BACK],
        noises=noises,
        ends=ends,
        effective=0.0 if lost else 1.0 / float(weight @ weight),
    )


def drawn(data: Sequence[Evidence], families: Sequence[Family], priors: Priors, count: int) -> Iterator[Draws]:
    """Return the draws of each curve."""
    shapes = tuple(family for family in families if family.rises)
    still = [family for family in families if not family.rises]
    curves = Curves(tuple(data), priors)
    fine = FINE if len(shapes) == 1 else AVERAGED_FINE
    parts = [zoomed(Jobs(curves, shapes), fine=fine)] if shapes else []
    parts += [flat_cells(curves, family) for family in still]
    cells = parts[0] if len(parts) == 1 else together(*parts)
    for k, each in enumerate(data):
        job = iter(range(k * len(shapes), (k + 1) * len(shapes)))
        yield draw(
            cells,
            [next(job) if family.rises else len(shapes) * len(data) + k for family in families],
            each.noises,
            priors,
            ceiling=each.ceiling,
            count=count,
        )


def _allotted(log_weight: Floats, sizes: Sequence[int], count: int) -> tuple[Indices, Floats, tuple[int, ...]]:
    """Allot ``count`` draws to the nodes of several families in proportion to their mass, to within one draw.

    Returns
    -------
    array, shape (count,)
        The node of each draw, in the order of the nodes: neighbours stay neighbours, so that the Sobol points, which
        come in the order of their first coordinate, are spread evenly over every stretch of nodes.
    array, shape (count,)
        Posterior over allotted mass of the draw's family.
    tuple of int
        Where the draws of each family end.
    """
    starts = np.cumsum([0, *sizes[:-1]])
    # each family from its own peak: one that is out of the question by a thousand nats still has its draws
    peaks = np.maximum.reduceat(log_weight, starts)
    mass = np.exp(log_weight - np.repeat(peaks, sizes))
    total = np.add.reduceat(mass, starts)
    share = np.maximum(total * np.exp(peaks - peaks.max()), FLOOR)
    share /= share.sum()
    allotted = EVEN / share.size + (1.0 - EVEN) * share
    mass *= np.repeat(allotted / total * count, sizes)
    upto = (np.cumsum(mass) + 0.5).astype(np.intp)
    upto[-1] = count
    ends = tuple(upto[np.cumsum(sizes) - 1].tolist())
    importance = np.repeat(share / allotted, _steps(np.array(ends)))
    return np.repeat(np.arange(mass.size), _steps(upto)), importance, ends


def _steps(upto: Indices) -> Indices:
    """Return the differences of running counts that begin at 0."""
    steps = upto.copy()
    steps[1:] -= upto[:-1]
    return steps


def _gains(at: Conditionals, cells: Cells, index: Indices, step: float, shape: float) -> Floats:
    """Draw ``G`` of nodes ``index`` from its t, truncated where bounds cut, with the density ``step`` below zero."""
    gain = at.gain + at.spread * _t_quantiles(shape, index.size)
    where = np.flatnonzero(cells.cut.take(index))
    if not where.size:
        return gain
    levels = cells.levels.take(index.take(where))
    falling = step * (levels.at_zero - levels.at_low)
    target = sobol(index.size)[GAIN].take(where) * (falling + levels.at_high - levels.at_zero)
    first = levels.flip * target < levels.flip * falling
    level = np.where(first, levels.at_low + target / step, levels.at_zero + target - falling)
    t = levels.flip * normal_to_t(ndtri(_inside(level)), 2.0 * shape)
    gain[where] = np.minimum(np.maximum(at.gain.take(where) + at.spread.take(where) * t, levels.low), levels.high)
    return gain


@lru_cache(maxsize=256)
def _t_quantiles(shape: float, count: int) -> Floats:
    """Return the quantiles of the t of ``2 a`` degrees of freedom at the coordinate of the gain, shape (count,)."""
    values = normal_to_t(normal_quantiles(count, GAIN), 2.0 * shape)
    values.flags.writeable = False
    return values


def _baselines(at: Conditionals, innovation: Floats, gain: Floats) -> tuple[Floats, Floats | None]:
    """Draw ``R0`` given ``G`` so that both ``R0`` and ``A`` stay inside [0, 1].

    Returns
    -------
    array, shape (d,)
        ``R0``.
    array, shape (d,), optional
        The mass inside; None where it is all there.
    """
    count = gain.size
    mean = at.level - at.share * gain
    sd = innovation / np.sqrt(at.level_precision)
    value = mean + sd * normal_quantiles(count, BASELINE)
    low, high = np.maximum(0.0, -gain), np.minimum(1.0, 1.0 - gain)
    reach = REACH * sd
    where = np.flatnonzero((mean - low < reach) | (high - mean < reach))
    if not where.size:
        return value, None
    mean, sd, low, high = (each.take(where) for each in (mean, sd, low, high))
    z_low, z_high = (low - mean) / sd, (high - mean) / sd
    # in the upper tail count down from above, as for the gain
    flip = np.where(z_low > 0.0, -1.0, 1.0)
    at_low, at_high = ndtr(flip * z_low), ndtr(flip * z_high)
    inside = np.ones(count)
    inside[where] = np.maximum(flip * (at_high - at_low), FLOOR)
    level = at_low + sobol(count)[BASELINE].take(where) * (at_high - at_low)
    value[where] = np.minimum(np.maximum(mean + flip * sd * ndtri(_inside(level)), low), high)
    return value, inside


def _density(prior: OpenCeiling, at: Conditionals, counted: Floats, ceiling: Floats) -> Floats:
    """Prior density of each draw's ceiling over that which its node's mass counts, shape (d,); 1 where none rises."""
    ratio = np.exp(prior.log_density(ceiling) - counted)
    return np.where(at.gain_precision > 0.0, ratio, 1.0)


def _inside(level: Floats) -> Floats:
    """Keep a probability off 0 and 1, where the normal quantile is infinite."""
    return np.minimum(np.maximum(level, 1e-305), 1.0 - 1e-16)
