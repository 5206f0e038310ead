"""The archive correction: what finished runs say of the width and the place of forecasts of runs like them.

Every run of a backtest says by how many half-widths of its 80 % interval the end lay off the median. Runs count, not
cuts. Cases say nothing that is not in them anyway where the run stayed exactly where it was (often at a bound) or the
forecast is all but a point; fewer than :data:`FEWEST` runs with another case correct nothing.

*Shift*: the mean over runs of the error in half-widths, ``t`` standard errors from 0, times ``n / (n + 5)`` and
``1 - (3 / t)^2``, only where ``t > 3`` and three of four runs err to that side. *Scale*: the .8 quantile of the errors
that are left, over the half-width on their side, drawn to 1 by ``n / (n + 6)``. Below 1 it goes only as far as the
cases together, ties and all, are still covered: the lower 90 % bound of the share of runs is .75 or more.
``benchmarks/archive_scale.py`` measures it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from rlscale.inference.correction import Correction
from rlscale.trust.outcome import Backtest, Case

__all__ = ["FEWEST", "RULE", "Archive", "Ends", "Rule", "archive", "archive_from", "correction_of"]

Floats = NDArray[np.float64]

#: Fewer informative runs than this correct nothing.
FEWEST = 20
#: A forecast whose 80 % interval is narrower than twice this share of the range is all but a point.
_POINT = 0.002
#: Coverage is held out in at most so many parts.
_PARTS = 200


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What a correction may do, and on which evidence.

    Parameters
    ----------
    fewest : int
        Informative runs that it needs.
    narrows, shifts : bool
        Whether the scale may be below 1, and whether there may be a shift.
    guarded : bool
        Whether a scale below 1 has to keep ``floor``.
    floor, sure : float
        Share of ends inside that a scale below 1 has to keep, with this confidence.
    level : float
        Of the quantile.
    weight, shift_weight : float
        Runs that a scale of 1, and no shift, are worth.
    errors, alike : float
        Standard errors from 0, and share of runs on its side, that a shift needs.
    least, most : float
        Of the scale.
    """

    fewest: int = FEWEST
    narrows: bool = True
    shifts: bool = True
    guarded: bool = True
    floor: float = 0.75
    sure: float = 0.9
    level: float = 0.8
    weight: float = 6.0
    shift_weight: float = 5.0
    errors: float = 3.0
    alike: float = 0.75
    least: float = 0.4
    most: float = 2.5


RULE = Rule()


@dataclass(frozen=True, eq=False)
class Ends:
    """Ends of finished runs beside what was forecast of them, arrays of shape (n,), in reward.

    Parameters
    ----------
    run : array of str
    truth, last : array
        The mean of the last evaluations, and the latest one seen.
    low, middle, high : array
        The 10 %, 50 % and 90 % quantiles of the forecast.
    bounds : array, shape (2, n)
        What forecasts are kept inside.
    span : float
        The range.
    """

    run: NDArray[np.str_]
    truth: Floats
    last: Floats
    low: Floats
    middle: Floats
    high: Floats
    bounds: Floats
    span: float

    @classmethod
    def of(cls, cases: Sequence[Case], span: float) -> Ends:
        """Take them from the cases of a backtest."""
        low, middle, high = (np.array([case.quantile(level) for case in cases]) for level in (0.1, 0.5, 0.9))
        bounds = np.array([case.bounds for case in cases]).reshape(-1, 2).T
        return cls(
            run=np.array([case.run for case in cases], dtype=np.str_),
            truth=np.array([case.truth for case in cases]),
            last=np.array([case.forecasts["last_value"] for case in cases]),
            low=low,
            middle=middle,
            high=high,
            bounds=np.stack([np.minimum(bounds[0], low), np.maximum(bounds[1], high)]),
            span=span,
        )

    def __getitem__(self, chosen: NDArray[np.bool_]) -> Ends:
        return Ends(
            run=self.run[chosen],
            truth=self.truth[chosen],
            last=self.last[chosen],
            low=self.low[chosen],
            middle=self.middle[chosen],
            high=self.high[chosen],
            bounds=self.bounds[:, chosen],
            span=self.span,
        )

    @property
    def half(self) -> Floats:
        """Half the width of the 80 % interval, shape (n,)."""
        return 0.5 * (self.high - self.low)

    @property
    def informative(self) -> NDArray[np.bool_]:
        """Whether a case says how far forecasts are off, shape (n,): it is no tie and its forecast no point."""
        stayed = np.abs(self.truth - self.last) <= 1e-9 * self.span
        return np.asarray(~stayed & (self.half > _POINT * self.span))

    @property
    def weight(self) -> Floats:
        """Weight of each case, shape (n,): the cases of a run together are worth one."""
        _, place, count = np.unique(self.run, return_inverse=True, return_counts=True)
        return np.asarray(1.0 / count[place])

    def inside(self, correction: Correction) -> NDArray[np.bool_]:
        """Whether corrected 80 % intervals hold the ends, shape (n,)."""
        centre = self.middle + correction.shift * self.half
        ends = (centre + correction.scale * (each - self.middle) for each in (self.low, self.high))
        low, high = (np.clip(each, *self.bounds) for each in ends)
        return np.asarray((low - 1e-12 <= self.truth) & (self.truth <= high + 1e-12))


@dataclass(frozen=True, kw_only=True)
class Archive:
    """What finished runs say of forecasts.

    Parameters
    ----------
    scale, shift : float
        Of :class:`~rlscale.inference.correction.Correction`; 1 and 0 where ``calibrated`` is false.
    calibrated : bool
        Whether there are enough informative runs.
    runs, informative : int
        Runs behind it, and those of them that say something.
    coverage_without, coverage, coverage_held_out : float
        Share of ends inside 80 % intervals: as they were, corrected, and corrected by the other runs alone.
    family : str
    model_error : float, optional
        How the runs were fitted.
    """

    scale: float
    shift: float
    calibrated: bool
    runs: int
    informative: int
    coverage_without: float
    coverage: float
    coverage_held_out: float
    family: str
    model_error: float | None

    @property
    def correction(self) -> Correction | None:
        """The correction to use; None where there is none."""
        return Correction(scale=self.scale, shift=self.shift) if (self.scale, self.shift) != (1.0, 0.0) else None

    @property
    def words(self) -> str:
        """What is done to intervals."""
        if self.correction is None:
            return "intervals as they are"
        return f"intervals × {self.scale:.2f}" + (f", shifted by {self.shift:+.2f} half-widths" if self.shift else "")

    @property
    def claim(self) -> str:
        """What may be said of it, in a sentence."""
        if not self.calibrated:
            return (
                f"Uncalibrated: {self.informative} finished runs say how far forecasts are off, {FEWEST} are needed; "
                "forecasts stay as they are."
            )
        return (
            f"Calibrated on {self.runs} finished runs: {self.words}; 80 % intervals held "
            f"{100 * self.coverage_held_out:.0f} % of the ends of runs held out ({100 * self.coverage_without:.0f} % "
            "without)."
        )


def archive_from(given: Mapping[str, Any]) -> Archive:
    """Return what a file holds of :func:`archive`.

    Raises
    ------
    KeyError, TypeError, ValueError
        A key is missing, or a value is not what it must be.
    InputError
        A correction that cannot be.
    """
    error = given["model_error"]
    found = Archive(
        scale=float(given["scale"]),
        shift=float(given["shift"]),
        calibrated=given["calibrated"] is True,
        runs=int(given["runs"]),
        informative=int(given["informative"]),
        coverage_without=float(given["coverage_without"]),
        coverage=float(given["coverage"]),
        coverage_held_out=float(given["coverage_held_out"]),
        family=str(given["family"]),
        model_error=None if error is None else float(error),
    )
    if not RULE.least <= found.scale <= RULE.most:
        raise ValueError(f"a scale of {found.scale:g} is not between {RULE.least:g} and {RULE.most:g}")
    Correction(scale=found.scale, shift=found.shift)
    return found


def correction_of(ends: Ends, rule: Rule = RULE) -> Correction:
    """Return the correction that finished runs ask for: scale 1 and no shift where they are too few."""
    told = ends[ends.informative]
    runs = len(set(told.run.tolist()))
    if runs < max(rule.fewest, 2):
        return Correction()
    shift = _shift(told, rule) if rule.shifts else 0.0
    error = told.truth - told.middle - shift * told.half
    side = np.where(error >= 0.0, told.high - told.middle, told.middle - told.low)
    ratio = np.abs(error) / np.maximum(side, 0.5 * _POINT * told.span)
    wanted = 1.0 + (_quantile(ratio, told.weight, rule.level) - 1.0) * runs / (runs + rule.weight)
    scale = float(np.clip(wanted, rule.least, rule.most))
    if scale < 1.0:
        scale = _narrowed(ends, scale, shift, rule) if rule.narrows else 1.0
    return Correction(scale=scale, shift=shift)


def _shift(told: Ends, rule: Rule) -> float:
    """Return the shift in half-widths; 0 unless all runs err alike, and growing from 0 with how sure that is."""
    error = np.clip((told.truth - told.middle) / told.half, -3.0, 3.0)
    _, place, count = np.unique(told.run, return_inverse=True, return_counts=True)
    mean = np.bincount(place, error) / count
    middle, runs = float(mean.mean()), mean.size
    least = rule.errors * float(mean.std(ddof=1)) / np.sqrt(runs)
    same = float(np.mean(np.sign(mean) == np.sign(middle)))
    if abs(middle) <= least or same < rule.alike:
        return 0.0
    # on or off at a threshold, single runs would decide: from there on it grows
    return float(middle * (1.0 - (least / middle) ** 2) * runs / (runs + rule.shift_weight))


def _narrowed(ends: Ends, scale: float, shift: float, rule: Rule) -> float:
    """Return the smallest scale from ``scale`` to 1 that surely covers enough of all cases; 1 where none does."""
    if not rule.guarded:
        return scale
    weight, runs = ends.weight, len(set(ends.run.tolist()))
    for tried in np.arange(np.ceil(20.0 * scale), 20.0) / 20.0:
        inside = ends.inside(Correction(scale=float(tried), shift=shift))
        hits = float(weight @ inside) / float(weight.sum()) * runs
        if hits > 0.0 and betaincinv(hits, runs - hits + 1.0, 1.0 - rule.sure) >= rule.floor:
            return float(tried)
    return 1.0


def _quantile(values: Floats, weight: Floats, level: float) -> float:
    order = np.argsort(values)
    below = np.cumsum(weight[order]) / weight.sum()
    return float(values[order][np.searchsorted(below, level - 1e-12)])


def archive(backtest: Backtest, rule: Rule = RULE) -> Archive:
    """Return what the finished runs of a backtest say of forecasts.

    The backtest must be one of forecasts without a correction.
    """
    ends = Ends.of(backtest.cases, backtest.bounds[1] - backtest.bounds[0])
    found = correction_of(ends, rule)
    names, place = np.unique(ends.run, return_inverse=True)
    held_out = np.zeros(ends.truth.size, dtype=bool)
    for part in range(min(names.size, _PARTS)):
        own = place % _PARTS == part
        held_out[own] = ends[own].inside(correction_of(ends[~own], rule))
    informative = len(set(ends.run[ends.informative].tolist()))
    return Archive(
        scale=found.scale,
        shift=found.shift,
        calibrated=informative >= rule.fewest,
        runs=names.size,
        informative=informative,
        coverage_without=float(ends.inside(Correction()).mean()),
        coverage=float(ends.inside(found).mean()),
        coverage_held_out=float(held_out.mean()),
        family=backtest.options.family,
        model_error=backtest.options.model_error,
    )
