"""One validation curve: frozen (compute, reward) points that validate themselves and carry their unit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rlscale.curves.bounds import BOUNDS_FROM, OpenBounds
from rlscale.curves.units import canonical_unit
from rlscale.curves.value import Value
from rlscale.errors import CurveError

__all__ = ["HUGE", "Curve"]

Floats = NDArray[np.float64]

#: Rewards up to this share of the range outside the bounds are kept with a warning: the bounds are those of the
#: mean curve, and a noisy mean may stray.
OUTSIDE_TOLERANCE = 0.1
#: No reward is larger: its square has to be a number.
HUGE = 1e150


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Curve(Value):
    """Validation reward against compute, for one run.

    Parameters
    ----------
    compute : array, shape (n,)
        Cumulative compute of each evaluation, in ``unit``; finite, ``>= 0``, strictly increasing. Compute 0 is the
        baseline evaluation, before any training.
    reward : array, shape (n,)
        Reward at each evaluation, in the metric's own scale; finite.
    unit : str
        ``gpu-hours``, ``flops``, ``tokens``, ``samples``, ``steps`` or ``dollars``.
    clock : str
        Which seconds the compute counts, for gpu-hours and dollars: ``train``, ``train+eval`` or ``elapsed``; empty
        where the log states gpu-hours itself, and for other units.
    metric : str
        The name of the reward.
    n_eval : array, shape (n,), optional
        Graded samples behind each point (prompts x generations); NaN where unknown.
    sd : array, shape (n,), optional
        Relative noise of each point: point ``i`` weighs ``(median(sd)/sd_i)^2``; positive, NaN where unknown.
    bounds : (float, float)
        Lowest and highest value the mean reward can take; ``(0, 1)`` for a pass rate. Under open bounds those that
        ``open`` gives.
    bounds_from : str
        How they are known, one of :data:`BOUNDS_FROM`: ``option`` (stated), ``metric`` (a share by its name),
        ``values`` (assumed, since all values lie in [0, 1]), ``percent`` (a share logged in percent), ``open``.
    open : OpenBounds, optional
        What takes the place of bounds that nobody states; only with ``bounds_from="open"``.

    Raises
    ------
    CurveError
        Empty, unequal lengths, NaN or infinity, negative compute, computes out of order or repeated, a reward more
        than a tenth of the range outside the bounds, or bounds that are not ``lo < hi``.
    """

    compute: Floats
    reward: Floats
    unit: str = "steps"
    clock: str = ""
    metric: str = "reward"
    n_eval: Floats | None = None
    sd: Floats | None = None
    bounds: tuple[float, float] = (0.0, 1.0)
    bounds_from: str = "option"
    open: OpenBounds | None = None

    def __repr__(self) -> str:
        return f"Curve({self.n_points} evaluations of {self.metric} to {self.compute_last:g} {self.unit})"

    def __post_init__(self) -> None:
        object.__setattr__(self, "unit", canonical_unit(self.unit))
        self._check_bounds()
        for field in ("compute", "reward", "n_eval", "sd"):
            value = getattr(self, field)
            if value is not None:
                object.__setattr__(self, field, _frozen_vector(value, field))
        self._check_points()
        self._check_noise()
        self._check_rewards()

    @property
    def n_points(self) -> int:
        """Number of evaluations, the baseline included."""
        return int(self.compute.size)

    @property
    def n_trained(self) -> int:
        """Number of evaluations above compute 0."""
        return int(np.count_nonzero(self.compute > 0.0))

    @property
    def span(self) -> float:
        """Width of the bounds, ``hi - lo``, in reward."""
        return self.bounds[1] - self.bounds[0]

    @property
    def range(self) -> float:
        """What tolerance, model error and noise are shares of, in reward: ``hi - lo``, or that of the open bounds."""
        return self.span if self.open is None else self.open.range or self.open.scale

    @property
    def frame(self) -> tuple[float, float]:
        """What runs that are compared share: the bounds, or the frame of open ones, in reward."""
        return self.bounds if self.open is None else self.open.frame

    @property
    def shown_in(self) -> tuple[float, float]:
        """What rewards are written and drawn in: the bounds, or one range from the lowest level where they are open."""
        return self.bounds if self.open is None else (self.open.lowest, self.open.lowest + self.range)

    @property
    def error_range(self) -> float:
        """What the priors of noise and model error are shares of, in reward: the range, or twice that of open bounds.

        Those shares were measured on rewards in [0, 1], of which a run sees about half.
        """
        return self.range if self.open is None else 2.0 * self.range

    @property
    def compute_last(self) -> float:
        """Compute of the last evaluation, in ``unit``."""
        return float(self.compute[-1])

    @property
    def reward_last(self) -> float:
        """Reward at the last evaluation."""
        return float(self.reward[-1])

    @property
    def has_baseline(self) -> bool:
        """Whether the first evaluation is at compute 0."""
        return bool(self.compute[0] == 0.0)

    @property
    def n_outside(self) -> int:
        """Number of rewards outside closed bounds (within the tolerance, or the curve would not exist)."""
        if self.open is not None:
            return 0
        low, high = self.bounds
        return int(np.count_nonzero((self.reward < low) | (self.reward > high)))

    def with_bounds(self, bounds: tuple[float, float], bounds_from: str, open: OpenBounds | None = None) -> Curve:
        """Return the curve with other bounds; its points were checked and are not looked at again, but for rewards.

        Raises
        ------
        CurveError
            As for a new curve.
        """
        other = copy(self)
        for field, value in (("bounds", bounds), ("bounds_from", bounds_from), ("open", open)):
            object.__setattr__(other, field, value)
        other._check_bounds()
        other._check_rewards()
        return other

    def select(self, mask: NDArray[np.bool_]) -> Curve:
        """Return the curve of the points where ``mask``, shape (n,), is true."""
        return replace(
            self,
            compute=self.compute[mask],
            reward=self.reward[mask],
            n_eval=None if self.n_eval is None else self.n_eval[mask],
            sd=None if self.sd is None else self.sd[mask],
        )

    def until(self, compute: float) -> Curve:
        """Return the curve up to and including ``compute``, in ``unit``."""
        return self.select(self.compute <= compute)

    def since(self, compute: float) -> Curve:
        """Return the curve from ``compute``, in ``unit``, on; a baseline evaluation at compute 0 is kept."""
        return self.select((self.compute >= compute) | (self.compute == 0.0))

    def appended(self, compute: float, reward: float, *, n_eval: float | None = None, sd: float | None = None) -> Curve:
        """Return the curve with one more evaluation.

        Parameters
        ----------
        compute : float
            In ``unit``; beyond the last one.
        reward : float
        n_eval, sd : float, optional
            Of that evaluation, where known.

        Raises
        ------
        CurveError
            A compute that is not beyond the last, or a point that a curve cannot have.
        """
        if not compute > self.compute_last:
            raise CurveError(f"compute {compute:g} is not beyond the last one, {self.compute_last:g} {self.unit}")
        return replace(
            self,
            compute=np.append(self.compute, compute),
            reward=np.append(self.reward, reward),
            n_eval=_longer(self.n_eval, n_eval, self.n_points),
            sd=_longer(self.sd, sd, self.n_points),
        )

    def _check_bounds(self) -> None:
        if self.bounds_from not in BOUNDS_FROM or (self.bounds_from == "open") != (self.open is not None):
            raise CurveError(f"bounds from {self.bounds_from!r} are none; give one of {', '.join(BOUNDS_FROM)}")
        bounds = self.bounds if self.open is None else self.open.limits
        object.__setattr__(self, "bounds", _checked_bounds(bounds))

    def _check_points(self) -> None:
        if self.compute.size == 0:
            raise CurveError("the curve has no points; give at least one (compute, reward) row")
        for field in ("reward", "n_eval", "sd"):
            value = getattr(self, field)
            if value is not None and value.shape != self.compute.shape:
                raise CurveError(f"{field} has {value.size} values for {self.compute.size} computes; give one for each")
        compute = self.compute
        for field, fine in (("compute", np.isfinite(compute)), ("reward", np.abs(self.reward) <= HUGE)):
            if not fine.all():
                place = int(np.argmin(fine))
                value = getattr(self, field)[place]
                what = "no reward" if np.isfinite(value) else "not finite"
                raise CurveError(f"{field} {value:g} at point {place + 1} is {what}; remove the point")
        if compute.min() < 0:
            raise CurveError(f"negative compute {compute.min():g}; compute counts up from 0")
        back = compute[1:] <= compute[:-1]
        if back.any():
            here, after = compute[int(np.argmax(back)) :][:2]
            raise CurveError(f"compute {after:g} follows {here:g}; sort the points and keep one for each compute")

    def _check_noise(self) -> None:
        for field in ("n_eval", "sd"):
            value = getattr(self, field)
            bad = [] if value is None else value[~((value > 0) & (value < np.inf)) & ~np.isnan(value)]
            if len(bad):
                raise CurveError(f"{field} must be positive and finite, got {bad[0]:g}; leave it empty where unknown")

    def _check_rewards(self) -> None:
        if self.bounds_from != "option":
            return  # no run is dropped for bounds that nobody gave
        low, high = self.bounds
        slack = OUTSIDE_TOLERANCE * (high - low)
        bad = np.flatnonzero((self.reward < low - slack) | (self.reward > high + slack))
        if not bad.size:
            return
        worst = self.reward[bad[np.argmax(np.maximum(low - self.reward[bad], self.reward[bad] - high))]]
        raise CurveError(
            f"reward {worst:g} is outside the bounds [{low:g}, {high:g}] of {self.metric!r}; {self._bounds_advice()}"
        )

    def _bounds_advice(self) -> str:
        low, high = float(self.reward.min()), float(self.reward.max())
        if self.bounds == (0.0, 1.0) and low >= 0 and 10 < high <= 100:
            return "the values look like percent: give --bounds 0 100"
        return (
            f"the values run from {low:g} to {high:g}: give --bounds LO HI with the lowest and highest reward possible"
        )


def _frozen_vector(value: ArrayLike | Sequence[float], field: str) -> Floats:
    array = np.array(value, dtype=np.float64)  # a copy: the caller's array stays the caller's
    if array.ndim != 1:
        raise CurveError(f"{field} has shape {array.shape}; give one value for each evaluation, shape (n,)")
    array.flags.writeable = False
    return array


def _longer(values: Floats | None, value: float | None, count: int) -> Floats | None:
    """Append to an optional column of ``count`` values; NaN where unknown."""
    if values is None and value is None:
        return None
    known = np.full(count, np.nan) if values is None else values
    return np.append(known, np.nan if value is None else value)


def _checked_bounds(bounds: Sequence[float]) -> tuple[float, float]:
    low, high = (float(b) for b in bounds)
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise CurveError(f"bounds {low:g} {high:g} are not lowest < highest; give --bounds LO HI")
    return low, high
