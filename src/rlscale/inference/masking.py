"""What alarms of monitors do to a fit: evaluations that were taken while a run was sick do not speak for it.

While a monitor says ``stop`` and until it is well again, evaluations are left out: of an episode that is over all of
them; of one that lasts those after the peak, once the reward has fallen by the rule of the monitors, and the run is
then taken for collapsed on less evidence than the curve alone would have to give. Evaluations at a ``stop`` under which
the reward stands stay, and so do all at ``warn``: leaving them out made forecasts worse
(``benchmarks/health_forecast.py``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rlscale.curves import Curve
from rlscale.health import Alarm, Checkup, monitor
from rlscale.inference.posterior import MIN_POINTS
from rlscale.inference.regimes import Break, BreakKind

__all__ = ["Masked", "fall_from_peak", "first_mover", "sick_since", "without_episodes"]

#: Episodes never leave less than this share of the evaluations.
_LEAST = 0.5
_SPAN = 3


@dataclass(frozen=True, eq=False)
class Masked:
    """A curve without the evaluations of episodes of sickness.

    Parameters
    ----------
    curve : Curve
    computes : tuple of float
        Of the evaluations left out.
    warnings : tuple of str
    """

    curve: Curve
    computes: tuple[float, ...] = ()
    warnings: tuple[str, ...] = ()


def without_episodes(curve: Curve, checkup: Checkup | None) -> Masked:
    """Leave out the evaluations of episodes at ``stop`` that are over; all stay where too few would be left."""
    episodes = () if checkup is None else checkup.episodes
    sick = np.zeros(curve.n_points, dtype=bool)
    said = []
    for alarm in episodes:
        assert alarm.since is not None
        assert alarm.until is not None
        own = (curve.compute >= alarm.since) & (curve.compute < alarm.until)
        if (own & ~sick).any():
            said.append(_left_out(alarm, int(np.count_nonzero(own & ~sick)), curve.unit))
        sick |= own
    well = ~sick
    if not sick.any() or well.sum() < _LEAST * well.size or np.count_nonzero(curve.compute[well] > 0.0) < MIN_POINTS:
        return Masked(curve)
    return Masked(curve.select(well), tuple(curve.compute[sick].tolist()), tuple(said))


def fall_from_peak(curve: Curve) -> Break | None:
    """Return the fall after the best mean of three, of a run of which monitors say that it is sick and has fallen.

    None where fewer than 4 evaluations after the start lie up to the peak, or the latest three are not below it.
    """
    means = np.convolve(curve.reward, np.full(_SPAN, 1.0 / _SPAN), mode="valid")
    if not means.size:
        return None
    best = means.size - 1 - int(np.argmax(means[::-1]))
    peak = best + _SPAN - 1
    after = curve.n_points - 1 - peak
    if np.count_nonzero(curve.compute[: peak + 1] > 0.0) < MIN_POINTS or after < 1 or means[-1] >= means[best]:
        return None
    lowest = best + 1 + int(np.argmin(means[best + 1 :]))
    return Break(
        kind=BreakKind.FALL,
        until=float(curve.compute[peak]),
        since=float(curve.compute[min(peak + 1, curve.n_points - 1)]),
        before=float(means[best]),
        low=float(means[lowest]),
        now=float(means[-1]),
    )


def first_mover(found: Break, checkup: Checkup | None, unit: str) -> str:
    """Return which monitor moved first at a break, as a sentence with a space before it; empty where none did."""
    alarm = None if checkup is None else checkup.first_to_move(found.until, found.since)
    if alarm is None or alarm.since is None:
        return ""
    apart = found.until - alarm.since
    place = "the peak" if found.kind in (BreakKind.FALL, BreakKind.RECOVERY) else "it"
    where = f"at {place}" if apart == 0.0 else f"{abs(apart):.4g} {'before' if apart > 0 else 'after'} {place}"
    return f" First to move was {_name(alarm)}: {alarm.message}, since {alarm.since:.4g} {unit}, {where}."


def sick_since(checkup: Checkup, masked: int, unit: str) -> str:
    """Say that a fall is believed since a monitor says ``stop``."""
    alarm = checkup.stop
    assert alarm is not None
    left = f"{masked} evaluations after the peak are" if masked > 1 else "the evaluation after the peak is"
    return (
        f"{left} left out of the fit: {_name(alarm)} says stop since {alarm.since:.4g} {unit} ({alarm.message}) and "
        "the reward has fallen; --no-health keeps them in"
    )


def _left_out(alarm: Alarm, count: int, unit: str) -> str:
    several = f"{count} evaluations" if count > 1 else "1 evaluation"
    return (
        f"{several} between {alarm.since:.4g} and {alarm.until:.4g} {unit} left out of the fit: {_name(alarm)} said "
        f"stop then ({alarm.message}); --no-health keeps them in"
    )


def _name(alarm: Alarm) -> str:
    return monitor(alarm.monitor).title
