"""Forecasts and verdicts at many computes from one fit: what a slider shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rlscale.inference.fit import Fit
from rlscale.inference.forecast import Forecast, summarised
from rlscale.inference.grounds import grounds
from rlscale.inference.subject import FAR, far_off
from rlscale.inference.verdict import Verdict, VerdictName, judge, unfit

__all__ = ["TARGETS", "at_targets", "retargeted", "target_grid"]

#: Computes of a grid.
TARGETS = 40
#: Verdicts on a whole run, whatever compute is asked about.
_BROKEN = (VerdictName.COLLAPSED, VerdictName.REGIME_CHANGE)


def target_grid(last: float, *, most: int = TARGETS) -> tuple[float, ...]:
    """Return computes from ``last`` to 32 times it, evenly spaced in their logarithm, to 3 significant digits.

    32 times the last compute is as far as forecasts were measured.

    Parameters
    ----------
    last : float
        Last compute of a run, above 0.
    most : int

    Examples
    --------
    >>> target_grid(1234.0, most=3)
    (1240.0, 6980.0, 39500.0)
    """
    ends = np.geomspace(last, FAR * last, most)
    rounded = [float(f"{value:.3g}") for value in ends]
    first = rounded[0] if rounded[0] >= last else float(f"{last * 1.005:.3g}")
    return tuple(dict.fromkeys((first, *rounded[1:])))


def at_targets(found: Fit, computes: Sequence[float]) -> tuple[tuple[Forecast, Verdict], ...]:
    """Return the forecast at each compute, and the verdict on it: those of ``fit(run, compute)``, without a new fit.

    Parameters
    ----------
    found : Fit
    computes : sequence of float
        In the run's unit, above 0; ``inf`` for the asymptote.

    Returns
    -------
    tuple of (Forecast, Verdict)
        In the order of ``computes``; empty where nothing was fitted.

    Examples
    --------
    >>> import rlscale
    >>> found = rlscale.fit(rlscale.read("bundled")[0])
    >>> [(forecast, verdict)] = at_targets(found, [4e6])
    >>> again = rlscale.fit(rlscale.read("bundled")[0], 4e6)
    >>> forecast == again.forecasts[0], verdict == again.verdict
    (True, True)
    """
    posterior, options = found.posterior, found.options
    if posterior is None or not computes:
        return ()
    rewards = posterior.reward((*computes, posterior.curve.compute_last), model_error=True)
    shown = grounds(posterior, rewards[:, -1], found.smoothing, found.alarm)
    forecasts = summarised(
        posterior, tuple(computes), rewards[:, :-1], shown, tolerance=options.tolerance, at_least=options.at_least
    )
    broken = found.verdict.name in _BROKEN
    return tuple(
        (each, found.verdict if broken else judge(posterior.curve, each, shown, options.tolerance))
        for each in forecasts
    )


def retargeted(found: Fit, targets: Sequence[float]) -> Fit:
    """Return a fit with other targets: ``fit(run, targets)`` from one that was made without, and no new posterior.

    Parameters
    ----------
    found : Fit
        Made without targets.
    targets : sequence of float
        In the run's unit, above 0; ``inf`` for the asymptote; none leaves the fit as it is.

    Examples
    --------
    >>> import rlscale
    >>> run = rlscale.read("bundled")[0]
    >>> retargeted(rlscale.fit(run), [4e6]).forecasts == rlscale.fit(run, 4e6).forecasts
    True
    """
    if not len(targets):
        return found
    run, question = found.run, max(targets)
    said = len(run.warnings)
    far = () if unfit(run.curve) is not None else far_off([run.curve.compute_last], targets, run.curve.unit)
    warnings = (*found.warnings[:said], *far, *found.warnings[said:])
    computes = tuple(dict.fromkeys(targets))
    answers = dict(zip(computes, at_targets(found, computes), strict=False))
    if not answers:
        return replace(found, question=question, warnings=warnings)
    forecasts = tuple(answers[target][0] for target in targets)
    return replace(found, forecasts=forecasts, question=question, verdict=answers[question][1], warnings=warnings)
