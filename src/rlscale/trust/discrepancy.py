"""Calibration on the user's own finished runs: of the gate, by a discrepancy, and of forecasts, by ``archive``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import Run
from rlscale.curves.value import Value
from rlscale.decisions.gate.contenders import comparable
from rlscale.decisions.gate.outlook import EDGES, GATE_FIT, in_frame, on_grid
from rlscale.decisions.gate.policy import HOLD, frame_unit
from rlscale.decisions.gate.prospect import cdf_of, left, smoothed
from rlscale.decisions.team import Watch
from rlscale.errors import InputError
from rlscale.inference.fit import FitOptions, fits
from rlscale.trust.archive import Archive, archive_from
from rlscale.trust.backtest import CUTS, cut_runs, predictive
from rlscale.trust.scores import binomial_interval

__all__ = [
    "FEWEST",
    "NOMINAL",
    "UNCALIBRATED",
    "Calibration",
    "calibrate",
    "calibration_from",
]

Floats = NDArray[np.float64]

#: Fewer finished runs than this calibrate nothing.
FEWEST = 10
#: Level of the intervals that shall be true.
NOMINAL = 0.8
#: What is said where there is no calibration.
UNCALIBRATED = (
    "Uncalibrated: whether these forecasts are right for runs like yours was not measured; rlscale backtest "
    f"--calibrate measures it on {FEWEST} or more finished runs."
)
#: What is said of the forecasts of ``fit`` and ``rank`` where a calibration says nothing of them.
_GATE_ONLY = (
    "Uncalibrated: this calibration is of the gate alone, forecasts stay as they are; rlscale backtest --calibrate "
    "writes one of both."
)
#: Discrepancies tried, as shares of the range.
TRIED = np.round(np.arange(0.0, 0.2001, 0.0025), 4)


@dataclass(frozen=True, kw_only=True)
class Calibration(Value):
    """What finished runs say of the gate's intervals.

    Parameters
    ----------
    discrepancy : float
        ``delta`` to use, as a share of the metric's range: the default of the gate where ``calibrated`` is false.
    calibrated : bool
        Whether it comes from enough runs.
    runs, forecasts : int
        Behind it.
    coverage : float
        Share of truths inside the 80 % intervals at ``discrepancy``.
    coverage_held_out : float
        The same, each run with the discrepancy that the other runs ask for.
    coverage_without : float
        The same without a discrepancy.
    low, high : float
        95 % binomial interval of ``coverage_held_out``, for as many trials as there are runs.
    metric, unit, family : str
    bounds : (float, float)
    cuts : tuple of float
    archive : Archive, optional
        What the runs say of the forecasts of ``fit`` and ``rank``; None in files of older releases.
    """

    discrepancy: float
    calibrated: bool
    runs: int
    forecasts: int
    coverage: float
    coverage_held_out: float
    coverage_without: float
    low: float
    high: float
    metric: str
    unit: str
    family: str
    bounds: tuple[float, float]
    cuts: tuple[float, ...]
    archive: Archive | None = None

    @property
    def forecasts_claim(self) -> str:
        """What may be said of the forecasts of ``fit`` and ``rank``, in a sentence."""
        return _GATE_ONLY if self.archive is None else self.archive.claim

    @property
    def claim(self) -> str:
        """What may be said of it, in a sentence."""
        if not self.calibrated:
            return (
                f"Uncalibrated: {self.runs} finished runs, {FEWEST} are needed; the discrepancy stays at its cautious "
                f"default, {self.discrepancy:g} of the range."
            )
        return (
            f"Calibrated on {self.runs} finished runs: with a discrepancy of {self.discrepancy:g} of the range, 80 % "
            f"intervals held {100 * self.coverage_held_out:.0f} % of the ends of runs held out "
            f"({100 * self.coverage_without:.0f} % without any)."
        )

    def check(self, *, metric: str, bounds: tuple[float, float], family: str, unit: str | None = None) -> None:
        """Refuse to be used for another metric.

        Raises
        ------
        InputError
            The metric, its bounds, the family of curves, or the unit of compute where it is given, is another one.
        """
        _same("metric", self.metric, metric)
        _same("unit", self.unit, self.unit if unit is None else unit)
        _same("bounds", self.bounds, bounds)
        _same("family", self.family, family)

    def corrected(self, options: FitOptions, runs: Iterable[Run]) -> FitOptions:
        """Return options whose forecasts of ``runs`` are corrected as the finished runs ask for.

        Raises
        ------
        InputError
            Runs of another metric, unit or bounds, or options that fit otherwise.
        """
        fitted = self.family if self.archive is None else self.archive.family
        for run in runs:
            curve = run.curve
            _same("metric", self.metric, curve.metric)
            _same("unit", self.unit, curve.unit)
            if curve.open is None:  # open ones are known from the runs themselves
                _same("bounds", self.bounds, curve.frame)
        _same("family", fitted, options.family)
        if self.archive is None:
            return options
        _same("model error", self.archive.model_error, options.model_error)
        return replace(options, correction=self.archive.correction)


def _same(what: str, mine: object, theirs: object) -> None:
    if mine != theirs:
        raise InputError(
            f"the calibration is of {what} {_word(mine)}, the runs have {_word(theirs)}; "
            "calibrate on finished runs like these (rlscale backtest --calibrate)"
        )


def _word(value: object) -> str:
    return "learned" if value is None else repr(value)


def calibrate(
    runs: Sequence[Run],
    *,
    cuts: Sequence[float] = CUTS,
    options: FitOptions | None = None,
    watch: Watch | None = None,
) -> Calibration:
    """Find the smallest discrepancy at which 80 % intervals hold at least 80 % of what came true.

    Each finished run is cut at shares of its compute and its end forecast from there; ``delta
    min(1, 2 (1 - cut))`` is added and the share of truths inside counted. Runs are held out whole: a run is judged with
    the discrepancy of the others. Runs that have collapsed at a cut are left out there.

    Parameters
    ----------
    runs : sequence of Run
        Finished, with one unit, metric and range; those with fewer than 12 evaluations are left out.
    cuts : sequence of float
    options : FitOptions, optional
        Without model error by default, as for the gate.
    watch : callable, optional

    Raises
    ------
    InputError
        Runs that cannot be compared, or none that can be forecast.

    Examples
    --------
    >>> import rlscale
    >>> found = rlscale.calibrate(rlscale.read("bundled"), cuts=(0.5,))
    >>> found.discrepancy > 0.0
    True
    """
    comparable(runs, "calibrate on")
    options = options or GATE_FIT
    tasks, _ = cut_runs(runs, sorted(cuts))
    asked = [task.run_seen(options) for task in tasks]
    names: list[str] = []
    inside: list[NDArray[np.bool_]] = []
    found = fits(asked, options=options, own_targets=(float(task.ahead[-1]) for task in tasks))
    for done, (task, fit) in enumerate(zip(tasks, found, strict=True)):
        if fit.posterior is not None and fit.verdict.name != "collapsed" and fit.alarm is None:
            values, _ = predictive(fit.posterior, task.ahead)
            mass = on_grid(in_frame(values, task.seen), fit.posterior.weight)
            names.append(task.run)
            truth = float(in_frame(np.array(task.truth), task.seen))
            inside.append(_inside(mass, task.cut, truth, frame_unit(task.seen)))
        if watch is not None:
            watch(done + 1, len(tasks))
    if not inside:
        raise InputError("no finished run can be forecast: a calibration needs runs with 12 evaluations or more")
    hits, owner = np.array(inside), np.array(names)
    return _calibration(hits, owner, runs[0], tuple(sorted(cuts)), options)


def _inside(mass: Floats, cut: float, truth: float, unit: float) -> NDArray[np.bool_]:
    """Say for every discrepancy tried whether the 80 % interval holds the truth; ``unit``: the range in the frame."""
    found = []
    for delta in TRIED:
        below = float(np.interp(truth, EDGES, cdf_of(smoothed(mass, unit * float(delta) * left(cut)))))
        found.append(0.5 - NOMINAL / 2 <= below <= 0.5 + NOMINAL / 2)
    return np.array(found)


def _least(hits: NDArray[np.bool_]) -> int:
    """Return the place of the smallest discrepancy that covers enough from there on; the largest where none does."""
    enough = hits.mean(axis=0) >= NOMINAL - 1e-9
    short = np.flatnonzero(~enough)
    return min(int(short[-1]) + 1, TRIED.size - 1) if short.size else 0


def _calibration(
    hits: NDArray[np.bool_], owner: NDArray[np.str_], run: Run, cuts: tuple[float, ...], options: FitOptions
) -> Calibration:
    names = sorted(set(owner.tolist()))
    enough = len(names) >= FEWEST
    default = int(np.argmin(np.abs(TRIED - HOLD.discrepancy)))
    at = _least(hits) if enough else default
    held_out = [
        hits[owner == name, _least(hits[owner != name]) if enough else default].mean() * np.sum(owner == name)
        for name in names
    ]
    share = float(np.sum(held_out)) / len(hits)
    low, high = binomial_interval(round(share * len(names)), len(names))
    curve = run.curve
    return Calibration(
        discrepancy=float(TRIED[at]) if enough else HOLD.discrepancy,
        calibrated=enough,
        runs=len(names),
        forecasts=len(hits),
        coverage=float(hits[:, at].mean()),
        coverage_held_out=share,
        coverage_without=float(hits[:, 0].mean()),
        low=low,
        high=high,
        metric=curve.metric,
        unit=curve.unit,
        family=options.family,
        bounds=curve.frame,
        cuts=cuts,
    )


def calibration_from(given: Mapping[str, Any]) -> Calibration:
    """Return the calibration that a file holds.

    Raises
    ------
    InputError
        A key is missing, or a value is not what it must be.
    """
    advice = "write it with rlscale backtest --calibrate"
    try:
        found = Calibration(
            discrepancy=float(given["discrepancy"]),
            calibrated=given["calibrated"] is True,
            runs=int(given["runs"]),
            forecasts=int(given["forecasts"]),
            coverage=float(given["coverage"]),
            coverage_held_out=float(given["coverage_held_out"]),
            coverage_without=float(given["coverage_without"]),
            low=float(given["low"]),
            high=float(given["high"]),
            metric=str(given["metric"]),
            unit=str(given["unit"]),
            family=str(given["family"]),
            bounds=(float(given["bounds"][0]), float(given["bounds"][1])),
            cuts=tuple(float(cut) for cut in given["cuts"]),
            archive=None if given.get("archive") is None else archive_from(given["archive"]),
        )
    except KeyError as error:
        raise InputError(f"the calibration has no {error.args[0]!r}; {advice}") from error
    except (TypeError, ValueError, IndexError) as error:
        raise InputError(f"the calibration cannot be read ({error}); {advice}") from error
    if not 0.0 <= found.discrepancy <= 1.0:
        raise InputError(f"the calibration's discrepancy {found.discrepancy:g} is not a share of the range")
    return found
