"""Where a curve stops being one curve: lasting falls, falls with a partial recovery, jumps, other evaluation sets.

A cheap screen of moving means decides whether anything is suspicious; most curves end there. Only then is the curve
fitted up to the suspect place and the rest held against that frozen fit (:mod:`rlscale.inference.frozen`). The false
alarms and what is found are measured by ``benchmarks/regimes.py``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import Curve
from rlscale.curves.bounds import scatter
from rlscale.inference.collapse import collapse
from rlscale.inference.families import SIGMOID
from rlscale.inference.frozen import Departure, departure
from rlscale.inference.grounds import GAIN_SHARE, SURE
from rlscale.inference.posterior import posterior

__all__ = ["Break", "BreakKind", "find_break"]

Floats = NDArray[np.float64]

#: A mean as low as this is improbable enough, given how often one looks: at every evaluation, from several places.
ALARM = 1e-3
#: A fall smaller than this share of the range is not looked at; nor is a jump, or a recovery from a fall, smaller than
#: the other.
FALL_SHARE, JUMP_SHARE = 0.05, 0.08
#: A fall under so many robust sd of the moving means is not looked at either.
SCREEN_SDS = 2.5
#: The frozen fit holds at least so many points; the place is looked for with means of so many.
FIRST, SPANS, CONTRAST = 7, (3, 5), 4
#: Part of a fall that has to come back, at least, to be a recovery, and to be one of all of it.
PARTLY, WHOLLY = 1.0 / 3.0, 0.75
#: A rise from the lowest point of less than so many robust sd of an evaluation is noise.
RISE_SDS = 3.0
#: Under open bounds: what a break has to be of the rise before it, what part of that rise is surely gained, and the
#: evaluations that show it.
UNDONE, GAINED, RISEN = 0.5, 0.5, 10
#: Longer curves are looked at in block means.
MOST = 256


class BreakKind(StrEnum):
    """What happened."""

    FALL = "fall"
    RECOVERY = "recovery"
    JUMP = "jump"
    EVALUATION = "evaluation"


@dataclass(frozen=True, kw_only=True)
class Break:
    """A place where the curve left what it was.

    Parameters
    ----------
    kind : BreakKind
    until : float
        Compute of the last point before it, in the curve's unit.
    since : float
        Compute of the first point of the current regime; of the lowest stretch for a recovery.
    before, low, now : float
        Level before, at the lowest (right after a jump or a change of the set), and of the latest evaluations, in
        reward.
    sizes : (float, float), optional
        ``n_eval`` before and now, for another evaluation set.
    """

    kind: BreakKind
    until: float
    since: float
    before: float
    low: float
    now: float
    sizes: tuple[float, float] | None = None


def find_break(curve: Curve, raw: Curve | None = None) -> Break | None:
    """Find what a fit must not cross: the latest fall, a recovery from one, a jump up.

    Parameters
    ----------
    curve : Curve
        Without isolated spikes, of one evaluation set.
    raw : Curve, optional
        With its spikes, for the plain rule of :func:`~rlscale.inference.collapse.collapse`, stated for all points.
    """
    found = _break(curve, curve if raw is None else raw)
    return None if found is not None and curve.open is not None and not _undoes(curve, found) else found


def _undoes(curve: Curve, found: Break) -> bool:
    """Whether a break under open bounds is more than noise: the share of a range that nobody knows cannot tell.

    There has to be a rise to fall from, ``P(gain) >= .9`` for half of it in 10 evaluations or more. A fall has to undo
    half of it, a jump to be as large; the end is the higher of the mean of the last tenth and of the last 3. Without
    this runs with AR(.8) noise raise 7 to 37 % false alarms (measured).
    """
    before = curve.until(found.until)
    if before.n_points < RISEN:
        return False
    means = _means(before.reward, 3)
    rise = float(means.max() - means.min())
    tail = curve.reward[-max(3, curve.n_points // 10) :]
    end = max(float(tail.mean()), float(curve.reward[-3:].mean()))
    moved = {
        BreakKind.FALL: float(means.max()) - end,
        BreakKind.RECOVERY: found.before - found.low,
    }.get(found.kind, abs(found.low - found.before))
    if moved <= UNDONE * rise:
        return False
    fit = posterior(before, families=(SIGMOID,))
    gain = fit.reward([before.compute_last])[:, 0] - fit.baseline
    return fit.probability(gain > max(GAIN_SHARE * curve.range, GAINED * rise)) >= SURE


def _break(curve: Curve, raw: Curve) -> Break | None:
    if collapse(raw) is not None:
        short = _coarse(raw)
        means = _means(short.reward, 3)
        best = means.size - 1 - int(np.argmax(means[::-1]))  # the rule's own, but of blocks where there are any
        return _named(short, min(best + 2, short.n_points - 2), float(means[best]))
    if curve.n_points <= FIRST + 1:
        return None
    short = _coarse(curve)
    return _fall(short) or _jump(short)


def _coarse(curve: Curve) -> Curve:
    """Average blocks of a long curve, the latest complete; a block stands at its last compute."""
    size = -(-curve.n_points // MOST)
    if size == 1:
        return curve
    rest = curve.n_points % size
    means = curve.reward[rest:].reshape(-1, size).mean(axis=1)
    return replace(curve, compute=curve.compute[rest + size - 1 :: size], reward=means, n_eval=None, sd=None)


def _means(values: Floats, count: int) -> Floats:
    """Means of ``count`` neighbours, shape (n - count + 1,)."""
    means: Floats = np.convolve(values, np.full(count, 1.0 / count), mode="valid")
    return means


def _fall(curve: Curve) -> Break | None:
    """Find a fall that the latest evaluations are still in, or have come back from in part."""
    means = _means(curve.reward, 3)
    below = np.maximum.accumulate(means) - means
    lowest = int(np.argmax(below))
    if below[lowest] <= FALL_SHARE * curve.range:
        return None  # nearly every clean curve
    steps = means[3:] - means[:-3]
    least = max(FALL_SHARE * curve.range, SCREEN_SDS * scatter(steps))
    ends = [curve.n_points] if below[-1] > least else []
    if below[lowest] > max(least, 1.2 * below[-1]):
        ends.append(lowest + 3)
    for end in ends:
        found = _tested(curve.until(float(curve.compute[end - 1])))
        if found is not None:
            peak, departed = found
            return _named(curve, peak, departed.level)
    return None


def _tested(curve: Curve) -> tuple[int, Departure] | None:
    """Return the place with the most improbable fall after it, where it is improbable enough."""
    found = [(last, departure(curve, last)) for last in _places(curve.reward)]
    least = FALL_SHARE * curve.range
    if curve.n_eval is not None and not np.all(np.isnan(curve.n_eval)):
        least = max(least, 2.0 / float(np.nanmin(curve.n_eval)) * curve.range)  # two graded samples more or fewer
    found = [(last, one) for last, one in found if one.p < ALARM and min(one.drop, one.second) > least]
    return min(found, key=lambda pair: pair[1].p, default=None)


def _places(reward: Floats) -> list[int]:
    """Return where a fall may begin: after the best few points, and where neighbouring means differ most."""
    found = set()
    for span in SPANS:
        means = _means(reward, span)
        found.add(reward.size - 1 - int(np.argmax(means[::-1])))
    if reward.size > 2 * CONTRAST:
        means = _means(reward, CONTRAST)
        found.add(int(np.argmax(means[:-CONTRAST] - means[CONTRAST:])) + CONTRAST - 1)
    return sorted(last for last in found if FIRST - 1 <= last <= reward.size - 3)


def _named(curve: Curve, peak: int, level: float) -> Break | None:
    """Name a fall after index ``peak`` from ``level``: lasting, or partly made up for; None if it is nearly over."""
    after = _means(curve.reward[peak + 1 :], min(3, curve.n_points - peak - 1))
    lowest = int(np.argmin(after))
    low, now = float(after[lowest]), float(after[-1])
    fell, back = level - low, now - low
    kind = BreakKind.FALL
    if fell > JUMP_SHARE * curve.range and back > max(PARTLY * fell, RISE_SDS * scatter(np.diff(curve.reward))):
        kind = BreakKind.RECOVERY
    if back > WHOLLY * fell or level - now < FALL_SHARE * curve.range:
        return None
    until, since = float(curve.compute[peak]), float(curve.compute[peak + 1 + lowest])
    return Break(kind=kind, until=until, since=since, before=level, low=low, now=now)


def _jump(curve: Curve) -> Break | None:
    """Find a jump up: four evaluations above the four before them by more than both scatter or rise."""
    if curve.n_points < FIRST + 4:
        return None
    steps = np.diff(curve.reward)
    at = FIRST + int(np.argmax(steps[FIRST - 1 : curve.n_points - 4]))
    before, after = curve.reward[at - 4 : at], curve.reward[at : at + 4]
    gap = float(after.min() - before.max())
    if gap < max(JUMP_SHARE * curve.range, 1.25 * float(np.ptp(before) + np.ptp(after))):
        return None
    # only what comes at once: a rise that goes on longer than foretold is none
    departed = departure(curve.until(float(curve.compute[at + 3])), at - 1, above=True)
    if departed.p > ALARM:
        return None
    until, since = float(curve.compute[at - 1]), float(curve.compute[at])
    level, low, now = (float(part.mean()) for part in (before, after, curve.reward[-3:]))
    return Break(kind=BreakKind.JUMP, until=until, since=since, before=level, low=low, now=now)
