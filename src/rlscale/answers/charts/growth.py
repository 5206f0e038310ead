"""How runs grew: the answer as it was believed at each look, with its interval, in the colour of its verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rlscale.answers.charts.axes import compute_axis, reward_axis, reward_limits
from rlscale.answers.charts.runs import PANELS, drawn_points, grid_of, more_runs, short
from rlscale.answers.charts.spec import Band, Chart, End, Key, Line, Mark, Panel, Points
from rlscale.answers.numbers import quantity, reward, span
from rlscale.answers.over_time import has_forecasts, target_heading, verdict_since
from rlscale.answers.palette import verdict_words
from rlscale.answers.views import FitView, RunView
from rlscale.curves import Curve
from rlscale.inference import Fit, Interval, OverTime, VerdictName

__all__ = ["Believed", "Trace", "growth_chart", "growth_panel", "trace", "trace_limits"]

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


def growth_panel(shown: Trace, limits: tuple[float, float]) -> Panel:
    """Return the panel of one run: the ceiling as it was believed, and the forecast where a target was given.

    Parameters
    ----------
    shown : Trace
    limits : (float, float)
        Ends of the reward axis, which all runs share.
    """
    run = shown.run
    first = run.compute_first or 1.0
    last = max(run.compute_last, first)
    marks: list[Mark] = [Points(shown.compute, shown.reward, "faint", 1.7)]
    for place, (believed, _) in enumerate(shown.answers):
        marks += _answer(believed, f"s{place}", last, limits, pale=believed is not shown.judged)
    marks += _looks(shown)
    ends = tuple(
        End(believed[-1].interval.q50, f"{label} {reward(believed[-1].interval.q50, run.shown_in)}", f"s{place}")
        for place, (believed, label) in enumerate(shown.answers)
    )
    return Panel(
        description=f"{run.run}: the answer as it was believed, against compute",
        x=compute_axis(first, last, run.unit, zero=shown.compute[0] == 0, most=5),
        y=reward_axis(limits, run.metric, 5),
        marks=tuple(marks),
        title=short(run.run),
        subtitle=f"● {verdict_since(shown.grown)}",
        subtitle_colour=run.verdict.name.value,
        ends=ends,
    )


def _answer(
    believed: tuple[Believed, ...], colour: str, last: float, limits: tuple[float, float], *, pale: bool
) -> list[Mark]:
    """Return the medians in the band of their intervals, and the latest median back through all of it."""
    at = tuple(each.compute for each in believed)
    low, high = (
        tuple(min(max(getattr(each.interval, end), limits[0]), limits[1]) for each in believed)
        for end in ("q10", "q90")
    )
    now = believed[-1].interval.q50
    return [
        Band(at, low, high, colour, 0.1 if pale else 0.18),
        Line((at[0], last), (now, now), colour, 0.9, "dotted"),
        Line(at, tuple(each.interval.q50 for each in believed), colour),
    ]


def _looks(shown: Trace) -> list[Mark]:
    """Return the looks as dots, those of each verdict together."""
    run = shown.run
    marks: list[Mark] = []
    for name in VerdictName:
        looks = [each for each in shown.judged if each.verdict is name]
        if looks:
            tips = tuple(
                f"{verdict_words(name)} at {quantity(each.compute, run.unit, 4)}: "
                f"{reward(each.interval.q50, run.shown_in)} ({span(each.interval, run.shown_in)}, 80 %)"
                for each in looks
            )
            at, height = tuple(each.compute for each in looks), tuple(each.interval.q50 for each in looks)
            marks.append(Points(at, height, name.value, 3.4, tips=tips))
    return marks


def growth_chart(view: FitView, fits: Sequence[Fit]) -> Chart:
    """Return the growth of up to a dozen runs."""
    pairs = [(run, run.over_time, fit) for run, fit in zip(view.runs, fits, strict=True) if run.over_time is not None]
    traces = [trace(run, grown, fit.run.curve) for run, grown, fit in pairs[:PANELS]]
    limits = trace_limits(traces)
    seen = {each.verdict for shown in traces for each in shown.judged}
    keys = [Key("dot", name.value, verdict_words(name)) for name in VerdictName if name in seen]
    keys += [
        Key("band", "s0", "80 % interval"),
        Key("dotted", "s0", "today's median"),
        Key("dot", "faint", "evaluations"),
    ]
    part = grid_of([growth_panel(shown, limits) for shown in traces])
    return Chart((part,), more_runs(len(pairs)), tuple(keys))
