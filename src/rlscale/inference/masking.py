"""What alarms of monitors do to a fit: evaluations that were taken while a run was sick do not speak for it.

While a monitor says ``stop`` and until it is well again, evaluations are left out: of an episode that is over all of
them, before anything else is looked for in the curve; of one that lasts those after the fall begins, once the reward
has fallen by the rule of the monitors, and the run is then taken for collapsed on less evidence than the curve alone
would have to give. Evaluations at a ``stop`` under which the reward stands stay, and so do all at ``warn``: leaving
them out made forecasts worse (``benchmarks/health_forecast.py``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import Curve
from rlscale.curves.bounds import jitter
from rlscale.health import Alarm, Checkup
from rlscale.inference.posterior import MIN_POINTS
from rlscale.inference.regimes import Break, BreakKind
from rlscale.inference.sickness import left_out

__all__ = ["Masked", "begun", "fall_from_peak", "without_episodes"]

#: Episodes never leave less than this share of the evaluations.
_LEAST = 0.5
_SPAN = 3
#: An evaluation at its onset is one of an episode if it is nearer to its level than to the median of so many before,
#: and so many jitters off the latter.
_BEFORE, _OFF = 5, 3.0
#: A fall begins after the last mean of three that has lost no more than this: so many jitters of an evaluation, at
#: least and at most these shares of the fall.
_JITTERS, _SHARES = 2.0, (0.05, 0.25)


@dataclass(frozen=True, eq=False)
class Masked:
    """A curve without the evaluations of episodes of sickness.

    Parameters
    ----------
    curve : Curve
    computes : tuple of float
        Of the evaluations left out.
    warnings : tuple of str
    episodes : tuple of Alarm
        Behind them.
    """

    curve: Curve
    computes: tuple[float, ...] = ()
    warnings: tuple[str, ...] = ()
    episodes: tuple[Alarm, ...] = ()


def without_episodes(curve: Curve, checkup: Checkup | None) -> Masked:
    """Leave out the evaluations of episodes at ``stop`` that are over; all stay where too few would be left.

    From the onset of a ``stop`` that lasts on, none is over: what comes after it was sick throughout.
    """
    sick = np.zeros(curve.n_points, dtype=bool)
    warnings, episodes = [], []
    lasting = np.inf if checkup is None or checkup.stop is None else checkup.stop.since or 0.0
    for alarm in () if checkup is None else checkup.episodes:
        assert alarm.since is not None
        assert alarm.until is not None
        own = _with_its_onset(curve, (curve.compute >= alarm.since) & (curve.compute < min(alarm.until, lasting)))
        if (own & ~sick).any():
            warnings.append(left_out(alarm, int(np.count_nonzero(own & ~sick)), min(alarm.until, lasting), curve.unit))
            episodes.append(alarm)
        sick |= own
    well = ~sick
    if not sick.any() or well.sum() < _LEAST * well.size or np.count_nonzero(curve.compute[well] > 0.0) < MIN_POINTS:
        return Masked(curve)
    return Masked(curve.select(well), tuple(curve.compute[sick].tolist()), tuple(warnings), tuple(episodes))


def _with_its_onset(curve: Curve, own: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Add to an episode the evaluations just before it that stand as its own do: medians are a row or two late."""
    if not own.any():
        return own
    first, whole = int(np.argmax(own)), own.copy()
    level, noise = float(np.median(curve.reward[own])), jitter(curve.reward)
    for place in range(first - 1, max(first - _SPAN, 0), -1):
        before = float(np.median(curve.reward[max(place - _BEFORE, 0) : place]))
        apart = abs(float(curve.reward[place]) - before)
        if apart <= _OFF * noise or apart <= abs(float(curve.reward[place]) - level):
            break
        whole[place] = True
    return whole


def fall_from_peak(curve: Curve) -> Break | None:
    """Return the fall of a run of which monitors say that it is sick and has fallen, from where it begins.

    None where fewer than 4 evaluations after the start lie up to there, or the latest three are not below the best.
    """
    means = _means(curve)
    if not means.size:
        return None
    best = means.size - 1 - int(np.argmax(means[::-1]))
    if means[-1] >= means[best]:
        return None
    peak = _begins(curve, means)
    after = curve.n_points - 1 - peak
    if np.count_nonzero(curve.compute[: peak + 1] > 0.0) < MIN_POINTS or after < 1:
        return None
    first = max(peak - _SPAN + 1, 0)
    lowest = first + 1 + int(np.argmin(means[first + 1 :]))
    return Break(
        kind=BreakKind.FALL,
        until=float(curve.compute[peak]),
        since=float(curve.compute[max(lowest, peak + 1)]),
        before=float(means[first]),
        low=float(means[lowest]),
        now=float(means[-1]),
    )


def begun(curve: Curve, found: Break, since: float) -> Break:
    """Return a fall under a ``stop`` that lasts since a compute with the place where it begins.

    The best stretch of a long plateau may lie far before the sickness. A fall that begins after the onset, or no more
    than three evaluations later than was found, is left as it is.
    """
    if found.kind is not BreakKind.FALL or found.until >= since:
        return found
    means = _means(curve)
    peak = _begins(curve, means) if means.size else 0
    later = int(np.count_nonzero(curve.compute[: peak + 1] > found.until))
    if peak + 1 >= curve.n_points or later <= _SPAN:
        return found
    until = float(curve.compute[peak])
    return replace(found, until=until, before=float(means[max(peak - _SPAN + 1, 0)]), since=max(found.since, until))


def _means(curve: Curve) -> NDArray[np.float64]:
    """Return means of three neighbours; empty where there are fewer."""
    if curve.n_points < _SPAN:
        return np.empty(0)
    return np.asarray(np.convolve(curve.reward, np.full(_SPAN, 1.0 / _SPAN), mode="valid"))


def _begins(curve: Curve, means: NDArray[np.float64]) -> int:
    """Return the last evaluation before a fall: the last of a mean that has lost little of it, and itself no less."""
    best = float(means.max())
    fall = best - float(means[-1])
    well = curve.reward[curve.reward > best - 0.5 * fall]  # a dead run has no jitter
    edge = best - float(np.clip(_JITTERS * jitter(well), _SHARES[0] * fall, _SHARES[1] * fall))
    last = int(np.flatnonzero(means >= edge)[-1])
    return last + int(np.flatnonzero(curve.reward[last : last + _SPAN] >= edge)[-1])
