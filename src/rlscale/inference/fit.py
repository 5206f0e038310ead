"""One run in, everything its curve supports out: posterior, verdict, forecasts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rlscale.curves import Curve, Run
from rlscale.errors import InputError
from rlscale.inference.draws import COUNT
from rlscale.inference.evidence import MAX_POINTS
from rlscale.inference.families import SIGMOID, Family
from rlscale.inference.forecast import TOLERANCE, Forecast, Interval, forecast, interval, p_past_midpoint
from rlscale.inference.posterior import MODEL_ERROR, Posterior, posterior
from rlscale.inference.verdict import Verdict, collapse, collapsed, judge, too_few

__all__ = ["Fit", "FitOptions", "fit"]

#: A posterior worth fewer equally weighted draws than this is drawn again, so many times finer.
ENOUGH, MORE = 200, 16


@dataclass(frozen=True, kw_only=True)
class FitOptions:
    """How to fit, shared by every command.

    Parameters
    ----------
    family : Family
        Shape of the curve.
    model_error : float
        ``kappa``, the model error of forecasts, as a share of the range for each e-fold of compute ahead.
    tolerance : float
        Half-width of an acceptable answer, as a share of the range.
    at_least : float, optional
        A reward whose probability each forecast reports.

    Raises
    ------
    InputError
        A negative model error, or a tolerance that is not above 0.
    """

    family: Family = SIGMOID
    model_error: float = MODEL_ERROR
    tolerance: float = TOLERANCE
    at_least: float | None = None

    def __post_init__(self) -> None:
        if not 0.0 <= self.model_error < np.inf:
            raise InputError(f"--model-error {self.model_error:g} is not a size; give 0 or more")
        if self.at_least is not None and not np.isfinite(self.at_least):
            raise InputError(f"--at-least {self.at_least:g} is not a reward; give a finite one")
        if not 0.0 < self.tolerance < np.inf:
            raise InputError(f"--tolerance {self.tolerance:g} is not above 0; give half the width you can accept")


@dataclass(frozen=True, eq=False, kw_only=True)
class Fit:
    """What one run supports.

    Parameters
    ----------
    run : Run
    options : FitOptions
    verdict : Verdict
    posterior : Posterior, optional
        None where nothing was fitted (``too_few_points``, or a collapse in the first evaluations).
    forecasts : tuple of Forecast
        At the targets asked for, else at 2 and 4 times the last compute.
    asymptote : Forecast, optional
        The ceiling, model error at its full size.
    warnings : tuple of str
    """

    run: Run
    options: FitOptions
    verdict: Verdict
    posterior: Posterior | None
    forecasts: tuple[Forecast, ...]
    asymptote: Forecast | None
    warnings: tuple[str, ...]

    @property
    def level_sd(self) -> float | None:
        """Sampling sd of the curve's level, ``sqrt(p (1 - p) / n_eval)`` at the last point with a known ``n_eval``.

        The same items are graded at each evaluation, so it moves the whole curve and not its jitter: it enters no
        forecast, verdict, or comparison of runs graded on the same items. None off [0, 1] or where unknown.
        """
        curve = self.run.curve
        if curve.n_eval is None or curve.bounds != (0.0, 1.0):
            return None
        known = np.flatnonzero(~np.isnan(curve.n_eval))
        if not known.size:
            return None
        level = float(np.clip(curve.reward[known[-1]], 0.0, 1.0))
        return float(np.sqrt(level * (1.0 - level) / curve.n_eval[known[-1]]))

    @property
    def p_past_midpoint(self) -> float | None:
        """Probability that ``C_mid < C_last``."""
        return None if self.posterior is None else p_past_midpoint(self.posterior)

    def quantity(self, name: str) -> Interval | None:
        """Return the 80 % interval of ``R0``, ``A``, ``B``, ``C_mid``, ``rho`` or ``sigma``; None where unknown."""
        if self.posterior is None:
            return None
        if name == "A":
            return None if self.asymptote is None else self.asymptote.interval
        if name in ("rho", "sigma") and self.posterior.block > 1:
            return None  # those of block means, not of one evaluation
        values = {
            "R0": self.posterior.baseline,
            "B": self.posterior.exponent,
            "C_mid": self.posterior.midpoint,
            "rho": self.posterior.draws.rho,
            "sigma": self.posterior.sigma,
        }
        return interval(values[name], self.posterior.weight)


def fit(run: Run | Curve, targets: Sequence[float] | float = (), options: FitOptions | None = None) -> Fit:
    """Fit one run.

    Parameters
    ----------
    run : Run or Curve
        A bare curve is fitted as a run called ``run``.
    targets : float or sequence of float
        Computes to forecast at, in the curve's unit; ``inf`` asks for the asymptote. The verdict speaks of the largest;
        without targets it speaks of the asymptote and the forecasts are at 2 and 4 times the last compute.
    options : FitOptions, optional

    Raises
    ------
    InputError
        A target that is not above 0.
    """
    options = options or FitOptions()
    run = Run(name="run", recipe="run", curve=run) if isinstance(run, Curve) else run
    targets = tuple(float(target) for target in np.atleast_1d(targets))
    for target in targets:
        if not target > 0.0:
            raise InputError(f"--target {target:g} is not a compute above 0; give it in {run.curve.unit}, or inf")
    fallen = collapse(run.curve)
    fitted = run.curve if fallen is None else run.curve.until(run.curve.compute[fallen.peak])
    verdict = too_few(run.curve) or (collapsed(run.curve, fallen) if fallen is not None else None)
    warnings = [*run.warnings, *_warnings(run.curve, fitted)]
    if too_few(fitted) is not None and verdict is not None:
        return Fit(
            run=run,
            options=options,
            verdict=verdict,
            posterior=None,
            forecasts=(),
            asymptote=None,
            warnings=tuple(warnings),
        )
    found, outside = _posterior(fitted, options)
    warnings += outside
    wanted = tuple(targets) or (2.0 * run.curve.compute_last, 4.0 * run.curve.compute_last)
    *forecasts, asymptote = (
        forecast(found, compute, tolerance=options.tolerance, at_least=options.at_least)
        for compute in (*wanted, np.inf)
    )
    question = asymptote if not targets else max(forecasts, key=lambda item: item.compute)
    return Fit(
        run=run,
        options=options,
        verdict=verdict or judge(found, question, options.tolerance),
        posterior=found,
        forecasts=tuple(forecasts),
        asymptote=asymptote,
        warnings=tuple(warnings),
    )


def _posterior(curve: Curve, options: FitOptions) -> tuple[Posterior, list[str]]:
    """Fit a curve; where it lies outside its bounds by more than noise, fit it with rewards moved onto the bounds."""
    found = posterior(curve, family=options.family, model_error=options.model_error)
    said = []
    if found.draws.effective < ENOUGH and curve.n_outside:
        low, high = curve.bounds
        curve = replace(curve, reward=np.clip(curve.reward, low, high))
        found = posterior(curve, family=options.family, model_error=options.model_error)
        said.append(
            f"the rewards leave the bounds [{low:g}, {high:g}] by more than noise: those outside were moved onto them "
            "for the fit; give --bounds LO HI if the metric can go further"
        )
    if found.draws.effective < ENOUGH:  # a curve pressed against a bound: most draws fall outside, so take more
        found = posterior(curve, family=options.family, model_error=options.model_error, count=MORE * COUNT)
    return found, said


def _warnings(curve: Curve, fitted: Curve) -> list[str]:
    """Say what of the curve the fit covers, where it is not all of it, point by point."""
    said = []
    end = f"{fitted.compute_last:.4g} {fitted.unit}"
    if fitted.n_points < curve.n_points and too_few(fitted) is not None:
        said.append(f"too few points before the fall at {end}: nothing is fitted")
    elif fitted.n_points < curve.n_points:
        said.append(f"the fit covers the part up to the peak, {end}")
    if fitted.n_points > MAX_POINTS:
        said.append(f"{fitted.n_points} evaluations were averaged in blocks to {MAX_POINTS} at most for the fit")
    return said
