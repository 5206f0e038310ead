"""What the chart of a run's growth shows, computed apart from drawing it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rlscale.curves import Curve
from rlscale.inference import Interval, OverTime, VerdictName
from rlscale.present.axis import ComputeAxis
from rlscale.present.fans import drawn_points, reward_limits
from rlscale.present.over_time.words import has_forecasts, target_heading
from rlscale.present.views import RunView

__all__ = ["Believed", "Trace", "trace", "trace_limits"]

#: An early interval may be drawn this multiple of what is known now beyond it: open bounds let it be vast.
_BEYOND = 0.6


@dataclass(frozen=True)
class Believed:
    """An answer as it was believed at one look."""

    compute: float
    interval: Interval
    verdict: VerdictName


@dataclass(frozen=True, kw_only=True)
class Trace:
    """The chart of one run.

    Parameters
    ----------
    run : RunView
    grown : OverTime
    compute, reward : tuple of float
        The evaluations drawn (every k-th of very long runs).
    ceilings, forecasts : tuple of Believed
        At the looks where something was fitted; no forecasts where there is no finite target.
    """

    run: RunView
    grown: OverTime
    compute: tuple[float, ...]
    reward: tuple[float, ...]
    ceilings: tuple[Believed, ...]
    forecasts: tuple[Believed, ...]

    @property
    def answers(self) -> tuple[tuple[tuple[Believed, ...], str], ...]:
        """The ceilings, and the forecasts where there are some, each with its label; empty where nothing was fitted."""
        labelled = ((self.ceilings, "ceiling"), (self.forecasts, target_heading(self.grown)))
        return tuple((believed, label) for believed, label in labelled if believed)

    @property
    def judged(self) -> tuple[Believed, ...]:
        """The answers that the verdicts speak of: the forecasts where there are some, else the ceilings."""
        return self.forecasts or self.ceilings

    @property
    def axis(self) -> ComputeAxis:
        """From the first evaluation to the last."""
        first = self.run.compute_first or 1.0
        return ComputeAxis(first, max(self.run.compute_last, first), zero=self.compute[0] == 0)


def trace(run: RunView, grown: OverTime, curve: Curve) -> Trace:
    """Return the chart of one run."""
    compute, reward = drawn_points(curve)
    ahead = has_forecasts(grown)
    return Trace(
        run=run,
        grown=grown,
        compute=tuple(compute.tolist()),
        reward=tuple(reward.tolist()),
        ceilings=_believed(grown, "ceiling"),
        forecasts=_believed(grown, "forecast") if ahead else (),
    )


def _believed(grown: OverTime, what: str) -> tuple[Believed, ...]:
    known = [(look, getattr(look, what)) for look in grown.looks]
    return tuple(
        Believed(look.compute, interval, look.verdict.name) for look, interval in known if interval is not None
    )


def trace_limits(traces: Sequence[Trace]) -> tuple[float, float]:
    """Return the ends of a reward axis for all traces: what is known now, the medians, and most of early intervals."""
    core: list[float] = []
    ends: list[float] = []
    for each in traces:
        core += each.reward
        for believed in (each.ceilings, each.forecasts):
            core += [one.interval.q50 for one in believed]
            core += [end for one in believed[-1:] for end in (one.interval.q10, one.interval.q90)]
            ends += [end for one in believed for end in (one.interval.q10, one.interval.q90)]
    low, high = min(core), max(core)
    beyond = _BEYOND * (high - low)
    shown = [min(max(end, low - beyond), high + beyond) for end in ends]
    return reward_limits([*core, *shown], traces[0].run.shown_in)
