"""A run before it is fitted: the part of its curve to fit, what is known without a fit, and what to say of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rlscale.curves import Curve, Run
from rlscale.errors import InputError
from rlscale.health import Alarm
from rlscale.health.checkup import Checkup, checkup, checkup_if_grave
from rlscale.health.limits import Limits
from rlscale.health.screen import may_stop
from rlscale.inference.ahead import Aftermath
from rlscale.inference.evidence import MAX_POINTS
from rlscale.inference.examine import Examined, examine
from rlscale.inference.fit_options import FitOptions
from rlscale.inference.masking import Masked, first_mover, sick_since, without_episodes
from rlscale.inference.onset import onset
from rlscale.inference.siblings import Siblings
from rlscale.inference.smoothed import Smoothing, smoothing
from rlscale.inference.verdict import Verdict, broken, unfit
from rlscale.numerals import quantity

__all__ = ["FAR", "Subject", "far_off", "lean", "subject"]

#: Targets beyond so many times the last compute are said to be far: forecasts were measured up to there.
FAR = 32.0


@dataclass(frozen=True, eq=False)
class Subject:
    """A run examined.

    Parameters
    ----------
    run : Run
    targets : tuple of float
    curve : Curve, optional
        What to fit; None where there is too little of it.
    verdict : Verdict, optional
        Where it is known without a fit.
    smoothed : Smoothing, optional
    warnings : tuple of str
    aftermath : Aftermath, optional
        Where the run stands after a break that the fit does not cover.
    siblings : Siblings, optional
    masked : tuple of float
        Computes of the evaluations that alarms keep out.
    alarm : Alarm, optional
        The first at ``stop`` that lasts.
    """

    run: Run
    targets: tuple[float, ...]
    curve: Curve | None
    verdict: Verdict | None
    smoothed: Smoothing | None
    warnings: tuple[str, ...]
    aftermath: Aftermath | None = None
    siblings: Siblings | None = None
    masked: tuple[float, ...] = ()
    alarm: Alarm | None = None


def subject(
    run: Run | Curve, targets: Sequence[float] | float, options: FitOptions, siblings: Siblings | None
) -> Subject:
    """Examine one run.

    Raises
    ------
    InputError
        A target that is not above 0.
    """
    run = Run(name="run", recipe="run", curve=run) if isinstance(run, Curve) else run
    targets = tuple(float(target) for target in np.atleast_1d(targets))
    for target in targets:
        if not target > 0.0:
            raise InputError(
                f"--target {target:g} is not a compute above 0; give it in {run.curve.unit}, or inf",
                parameter="targets",
            )
    grave = checkup_if_grave(run) if options.health else None
    alarm = None if grave is None else grave.stop
    verdict = unfit(run.curve)
    if verdict is not None:
        return Subject(run, targets, None, verdict, None, run.warnings, alarm=alarm)
    seen = examine(run.curve, fallen=grave is not None and alarm is not None and grave.fallen)
    smoothed = smoothing(run.curve)
    sound = _sound(run.curve, seen, grave)
    fitted, late = _late(sound.curve) if options.onset and seen.found is None else (sound.curve, [])
    fits_nothing = seen.found is not None and unfit(fitted) is not None
    aftermath = seen.aftermath if options.model_error is None and not fits_nothing else None
    if seen.found is not None:
        known = checkup(run) if options.health else None
        verdict = broken(run.curve, seen.found, aftermath, first_mover(seen.found, known, run.curve.unit))
    told = [] if smoothed is None else [smoothed.warning]
    ahead = (*far_off([run.curve.compute_last], targets, run.curve.unit), *_out_of_bounds(run.curve, options.at_least))
    warnings = (*run.warnings, *ahead, *seen.warnings, *sound.warnings, *late, *told, *_averaged(fitted))
    curve = None if fits_nothing else fitted
    return Subject(run, targets, curve, verdict, smoothed, warnings, aftermath, siblings, sound.computes, alarm)


def lean(run: Run, options: FitOptions) -> Run | Curve:
    """Return what a fit needs of a run, to send to a process: its curve alone unless monitors may say ``stop``."""
    return run if options.health and may_stop(run, Limits()) else run.curve


def _sound(whole: Curve, seen: Examined, grave: Checkup | None) -> Masked:
    """Return the part to fit without what was evaluated while the run was sick."""
    if seen.found is None:
        return without_episodes(seen.curve, grave)
    if not seen.believed or grave is None:
        return Masked(seen.curve)
    after = tuple(whole.compute[whole.compute > seen.found.until].tolist())
    return Masked(seen.curve, after, (sick_since(grave, len(after), whole.unit),))


def far_off(last: Sequence[float], targets: Sequence[float], unit: str) -> list[str]:
    """Say which targets, in ``unit``, lie beyond :data:`FAR` times the largest last compute."""
    end = max(last)
    return [
        f"the target {quantity(target, unit)} is {quantity(target / end)} times the last compute: forecasts were "
        f"measured up to {FAR:g} times; read its interval as a guess, or ask for a nearer one"
        for target in targets
        if FAR * end < target < np.inf
    ]


def _out_of_bounds(curve: Curve, at_least: float | None) -> list[str]:
    """Say that a reward to reach lies outside the bounds."""
    low, high = curve.bounds
    if at_least is None or low <= at_least <= high:
        return []
    sure = "never reached" if at_least > high else "always reached"
    return [f"the reward to reach, {at_least:g}, lies outside the bounds [{low:g}, {high:g}]: by these it is {sure}"]


def _late(curve: Curve) -> tuple[Curve, list[str]]:
    """Leave out what came before the onset, where there is one, and say so."""
    start = onset(curve)
    if start is None:
        return curve, ["--from auto: the fit covers all evaluations, leaving out early ones foretells no better"]
    return curve.since(start), [f"--from auto: the fit covers the part from {start:.4g} {curve.unit} on"]


def _averaged(curve: Curve) -> list[str]:
    """Say where the fit does not see every evaluation."""
    if curve.n_points <= MAX_POINTS:
        return []
    return [f"{curve.n_points} evaluations were averaged in blocks to {MAX_POINTS} at most for the fit"]
