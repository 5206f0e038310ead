"""A run before it is fitted: the part of its curve to fit, what is known without a fit, and what to say of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

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
from rlscale.inference.masking import Masked, without_episodes
from rlscale.inference.onset import onset
from rlscale.inference.regimes import BreakKind
from rlscale.inference.siblings import Siblings
from rlscale.inference.sickness import disagreement, first_mover, lasts, sick_since
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
        return Subject(run, targets, None, _warned(verdict, alarm), None, run.warnings, alarm=alarm)
    sound, seen = _sound(run.curve, grave)
    smoothed = smoothing(run.curve)
    fitted, late = _late(seen.curve) if options.onset and seen.found is None else (seen.curve, [])
    fits_nothing = seen.found is not None and unfit(fitted) is not None
    aftermath = seen.aftermath if options.model_error is None and not fits_nothing else None
    if seen.found is not None:
        known = checkup(run) if options.health else None
        unit = run.curve.unit
        mover = first_mover(seen.found, known, unit)
        mover += disagreement(sound.episodes, seen.found, unit)
        verdict = _warned(broken(run.curve, seen.found, aftermath, mover), alarm)
    told = [] if smoothed is None else [smoothed.warning]
    ahead = (*far_off([run.curve.compute_last], targets, run.curve.unit), *_out_of_bounds(run.curve, options.at_least))
    warnings = (*run.warnings, *ahead, *seen.warnings, *sound.warnings, *late, *told, *_averaged(fitted))
    curve = None if fits_nothing else fitted
    return Subject(run, targets, curve, verdict, smoothed, warnings, aftermath, siblings, sound.computes, alarm)


def lean(run: Run, options: FitOptions) -> Run | Curve:
    """Return what a fit needs of a run, to send to a process: its curve alone unless monitors may say ``stop``."""
    return run if options.health and may_stop(run, Limits()) else run.curve


def _sound(whole: Curve, grave: Checkup | None) -> tuple[Masked, Examined]:
    """Return what alarms keep out, and the part to fit without it.

    Episodes that are over are left out before breaks are looked for, unless the whole curve shows a fall to its end
    that is no longer seen then: such an episode is not over for the reward.
    """
    stop = None if grave is None else grave.stop
    since = stop.since if grave is not None and grave.fallen and stop is not None else None
    masked = without_episodes(whole, grave)
    seen = examine(masked.curve, sick_since=since)
    if masked.computes and seen.found is None:
        raw = examine(whole, sick_since=since)
        if raw.found is not None and raw.found.kind is BreakKind.FALL:
            masked, seen = Masked(whole), raw
    if masked.computes and seen.found is not None:
        masked = _within(masked, seen.curve)
    if not seen.believed or seen.found is None or grave is None or since is None:
        return masked, seen
    until = seen.found.until
    under = tuple(whole.compute[(whole.compute > until) & (whole.compute >= since)].tolist())
    before = int(np.count_nonzero((whole.compute > until) & (whole.compute < since)))
    warnings = (*masked.warnings, *sick_since(grave, before, len(under), until, whole.unit))
    return replace(masked, computes=(*masked.computes, *under), warnings=warnings), seen


def _within(masked: Masked, part: Curve) -> Masked:
    """Keep what is said of episodes only where they lie in the part that is fitted: the rest is out for the break."""
    first, last = (part.compute[0], part.compute_last) if part.n_points else (np.inf, np.inf)
    inside = tuple(compute for compute in masked.computes if first < compute < last)
    return masked if inside else replace(masked, computes=(), warnings=())


def _warned(verdict: Verdict, alarm: Alarm | None) -> Verdict:
    """Add to a verdict that is known without a fit that a monitor says ``stop`` to the end."""
    told = lasts(alarm, verdict.why)
    return replace(verdict, why=f"{verdict.why} {told}".rstrip()) if told else verdict


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
