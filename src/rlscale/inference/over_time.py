"""What a run was believed to reach as it grew: ceiling and verdict at prefixes of its curve."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np

from rlscale.curves import Curve, Run, assumed
from rlscale.curves.prefix import first
from rlscale.errors import InputError
from rlscale.inference.fit import Fit, FitOptions, fits
from rlscale.inference.forecast import Interval
from rlscale.inference.posterior import MIN_POINTS
from rlscale.inference.verdict import Verdict

__all__ = ["LOOKS", "Look", "OverTime", "look_counts", "over_time", "over_times"]

#: Looks at a run at most.
LOOKS = 24


@dataclass(frozen=True, kw_only=True)
class Look:
    """What was known of a run at one of its evaluations.

    Parameters
    ----------
    compute : float
        Of that evaluation, in the run's unit.
    n_points : int
        Evaluations known then, the baseline included.
    verdict : Verdict
        On the question asked: the reward at the largest target, or the asymptote.
    ceiling : Interval, optional
        10 %, 50 % and 90 % quantile of the asymptote, model error included, in reward; None where nothing was fitted.
    forecast : Interval, optional
        The same of the noise-free reward at the largest target; None where there is none or nothing was fitted.
    """

    compute: float
    n_points: int
    verdict: Verdict
    ceiling: Interval | None
    forecast: Interval | None


@dataclass(frozen=True, kw_only=True)
class OverTime:
    """What a run was believed to reach as it grew.

    Parameters
    ----------
    run : str
        Its name.
    unit : str
        Of all computes.
    target : float, optional
        Compute of the forecasts, ``inf`` for the asymptote; None where no target was given.
    looks : tuple of Look
        At least one, compute increasing; the last is of the whole run.
    """

    run: str
    unit: str
    target: float | None
    looks: tuple[Look, ...]

    @property
    def latest(self) -> Look:
        """The look at the whole run."""
        return self.looks[-1]

    @property
    def changes(self) -> tuple[Look, ...]:
        """The first look, and each at which the verdict is another than at the look before."""
        changed = (look for before, look in pairwise(self.looks) if look.verdict.name != before.verdict.name)
        return (self.looks[0], *changed)

    @property
    def since(self) -> float:
        """Compute from which on the verdict has been what it is now, in ``unit``."""
        return self.changes[-1].compute

    @property
    def first_seen(self) -> float:
        """Compute at which the verdict was for the first time what it is now, in ``unit``."""
        return next(look.compute for look in self.looks if look.verdict.name == self.latest.verdict.name)

    def holding(self, of: Literal["ceiling", "forecast"] = "ceiling") -> tuple[int, int]:
        """Return how many earlier 80 % intervals hold the latest median, and how many there are.

        Few of them mean that the intervals of this run were too narrow: those of one curve overlap in what they have
        seen, so the share is no coverage.
        """
        *earlier, now = (getattr(look, of) for look in self.looks)
        known = [interval for interval in earlier if interval is not None]
        return sum(now is not None and each.q10 <= now.q50 <= each.q90 for each in known), len(known)


def over_time(
    run: Run | Curve,
    targets: Sequence[float] | float = (),
    options: FitOptions | None = None,
    *,
    most: int = LOOKS,
) -> OverTime:
    """Fit a run as it grew.

    The looks are at evaluations ``k`` above compute 0, evenly spaced by count: with ``n`` of them,
    ``k_j = 4 + (n - 4) j / (m - 1)``, ``j = 0 .. m - 1``, rounded, ``m = min(most, n - 3)``. Each fit sees the
    evaluations up to its own and nothing later: it is what :func:`rlscale.fit` would have said then.

    Parameters
    ----------
    run : Run or Curve
    targets : float or sequence of float
        Computes in the curve's unit, above 0; ``inf`` for the asymptote. Verdicts and forecasts speak of the largest;
        without targets the verdicts speak of the asymptote and there are no forecasts.
    options : FitOptions, optional
    most : int
        Looks at most; the last is always of the whole run. A run with fewer than 4 evaluations above compute 0 has
        that one alone.

    Raises
    ------
    InputError
        A target that is not above 0, or fewer than 1 look.

    Examples
    --------
    >>> import numpy as np
    >>> import rlscale
    >>> truth = rlscale.Truth(R0=0.1, A=0.7, B=1.6, C_mid=300.0, sigma=0.01)
    >>> curve = rlscale.simulate(truth, np.arange(0.0, 2000.0, 40.0), rng=np.random.default_rng(0))
    >>> grown = rlscale.over_time(curve)
    >>> len(grown.looks), grown.looks[0].compute, grown.latest.compute
    (24, 160.0, 1960.0)
    >>> grown.latest.ceiling == rlscale.fit(curve).quantity("A_average")
    True
    """
    return next(over_times(fits((run,), targets, options), targets, most=most))


def over_times(whole: Iterable[Fit], targets: Sequence[float] | float = (), *, most: int = LOOKS) -> Iterator[OverTime]:
    """Fit runs as they grew, whose fits as a whole are there: those are the latest looks.

    Parameters
    ----------
    whole : iterable of Fit
        Made with ``targets``.
    targets, most
        As for :func:`over_time`.

    Yields
    ------
    OverTime
        Of each run, in order.

    Raises
    ------
    InputError
        Fewer than 1 look.
    """
    target = max(np.atleast_1d(targets).tolist(), default=None)
    for latest in whole:
        run = latest.run
        counts = look_counts(run.curve, most)
        earlier = fits((_then(run, count) for count in counts[:-1]), targets, latest.options)
        looks = tuple(_look(each, target) for each in (*earlier, latest))
        yield OverTime(run=run.name, unit=run.curve.unit, target=target, looks=looks)


def _then(run: Run, count: int) -> Run:
    """Return a run as it stood then, with what could be assumed of its bounds."""
    seen = first(run, count)
    return replace(seen, curve=assumed([seen.curve])[0])


def look_counts(curve: Curve, most: int = LOOKS) -> list[int]:
    """Return after how many evaluations of a curve, its baseline included, each look is taken; the last is all.

    Raises
    ------
    InputError
        Fewer than 1 look.
    """
    if most < 1:
        raise InputError(f"{most} looks at a run are none; give 1 or more")
    count, least = curve.n_points, MIN_POINTS + int(curve.has_baseline)
    looks = min(most, count - least + 1)
    if looks < 2:
        return [count]
    return [int(k) for k in np.linspace(least, count, looks).round()]


def _look(found: Fit, target: float | None) -> Look:
    asked = [] if target is None else [one for one in found.forecasts if one.compute == target]
    return Look(
        compute=found.run.curve.compute_last,
        n_points=found.run.curve.n_points,
        verdict=found.verdict,
        ceiling=found.quantity("A_average"),
        forecast=asked[0].interval if asked else None,
    )
