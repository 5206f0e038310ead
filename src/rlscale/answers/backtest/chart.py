"""Charts of a backtest: reliability, error against the share kept, forecast against truth."""

from __future__ import annotations

from collections.abc import Sequence

from rlscale.answers.backtest import words
from rlscale.answers.backtest.view import METHOD_WORDS, BacktestView
from rlscale.answers.charts.axes import reward_axis, reward_limits, reward_ticks, share_axis
from rlscale.answers.charts.spec import Axis, Band, Chart, End, Key, Line, Mark, Panel, Part, Points
from rlscale.answers.numbers import count, reward
from rlscale.trust.calibration import Reliability, RiskCoverage, reliability, risk_coverage
from rlscale.trust.outcome import OURS, Case

__all__ = ["DOTS", "backtest_chart", "reliability_panel", "risk_panel", "truth_limits", "truth_panel"]

Ends = tuple[float, float]
#: Forecasts drawn against their truths at most.
DOTS = 400
#: Cuts drawn apart in one reliability diagram; of more only all together are drawn.
_CUTS = 5
_MARKERS = "osD^v"


def _colour(method: str) -> str:
    return f"s{list(METHOD_WORDS).index(method)}"


def reliability_panel(
    shown: Reliability, title: str, each: Sequence[tuple[str, Reliability]] = (), name: str = ""
) -> Panel:
    """Return a reliability diagram: how often the intervals of each level held, and where chance would put that.

    Parameters
    ----------
    shown : Reliability
        Of all cuts together, or of one.
    title : str
    each : sequence of (str, Reliability)
        Cuts drawn beside it.
    name : str
        What ``shown`` is called in the legend; without one there is no legend.
    """
    tips = tuple(
        f"{100 * level:.0f} % intervals held {round(share * shown.cases)} of {shown.cases}"
        for level, share in zip(shown.nominal, shown.held, strict=True)
    )
    nominal, held = tuple(shown.nominal), tuple(shown.held)
    marks: list[Mark] = [
        Band(nominal, tuple(shown.low), tuple(shown.high), "faint", 0.3),
        Line((0.0, 1.0), (0.0, 1.0), "faint", 0.9, "dashed"),
    ]
    for place, (_, cut) in enumerate(each):
        at, share = tuple(cut.nominal), tuple(cut.held)
        # the colours of methods stay theirs: cuts are told apart by marks
        marks += [
            Line(at, share, "muted", 1.0),
            Points(at, share, "muted", 1.8, (True,) * len(at), marker=_MARKERS[place]),
        ]
    marks += [Line(nominal, held, _colour(OURS), 2.0), Points(nominal, held, _colour(OURS), 3.0, tips=tips)]
    keys = [Key("line", "muted", cut, marker) for (cut, _), marker in zip(each, _MARKERS, strict=False)]
    return Panel(
        description=f"Reliability, {title}: share of truths held against the level of the interval",
        x=share_axis("level of the interval"),
        y=share_axis("share of truths held", 1.02),
        marks=tuple(marks),
        title=title,
        corner=f"90 % of chance, {count(shown.runs, 'run')}" if name else "",
        keys=(*keys, Key("line", _colour(OURS), name, "o")) if name else (),
    )


def risk_panel(view: BacktestView, shown: RiskCoverage, title: str) -> Panel:
    """Return the mean error of each method on the share of forecasts with the narrowest intervals."""
    low, high = view.result.bounds
    highest = 1.06 * max(map(max, shown.errors.values())) or 0.01 * (high - low)
    names = [name for name in METHOD_WORDS if name in shown.errors]
    kept = tuple(shown.kept)
    marks: list[Mark] = []
    for name in reversed(names):
        ours, errors = name == OURS, tuple(shown.errors[name])
        tip = f"{METHOD_WORDS[name]}: {view.error(errors[-1])} over all"
        marks.append(Line(kept, errors, _colour(name), 2.2 if ours else 1.3))
        marks.append(Points(kept[-1:], errors[-1:], _colour(name), 3.2 if ours else 2.4, tips=(tip,)))
    return Panel(
        description=f"Mean error against the share of forecasts kept, {title}",
        x=share_axis("forecasts kept, narrowest 80 % intervals first"),
        y=Axis(f"mean error, {view.result.metric}", 0.0, highest, reward_ticks(0.0, highest, 5)),
        marks=tuple(marks),
        title=title,
        ends=tuple(End(shown.errors[name][-1], METHOD_WORDS[name], _colour(name), bold=name == OURS) for name in names),
    )


def truth_limits(cases: Sequence[Case], bounds: Ends) -> Ends:
    """Return the ends that both axes of a forecast-against-truth chart have."""
    return reward_limits([v for c in cases for v in (c.truth, c.quantile(0.1), c.quantile(0.9))], bounds)


def truth_panel(view: BacktestView, cases: Sequence[Case], limits: Ends, title: str) -> Panel:
    """Return forecasts against truths: medians with their 80 % intervals, rings where the truth is outside."""
    bounds, colour = view.result.bounds, _colour(OURS)
    marks: list[Mark] = [Line(limits, limits, "faint", 0.9, "dashed")]
    tips = []
    for case in cases[:DOTS]:
        low, middle, high = (case.quantile(level) for level in (0.1, 0.5, 0.9))
        marks.append(Line((case.truth, case.truth), (low, high), colour, 1.2, strength=0.4))
        span = f"{reward(low, bounds)}–{reward(high, bounds)}"
        tips.append(f"{case.run}: forecast {reward(middle, bounds)} ({span}), came true {reward(case.truth, bounds)}")
    shown = cases[:DOTS]
    truths, medians = tuple(case.truth for case in shown), tuple(case.quantile(0.5) for case in shown)
    hollow = tuple(not case.covers(0.8) for case in shown)
    marks.append(Points(truths, medians, colour, 3.0, hollow, tuple(tips)))
    return Panel(
        description=f"Forecast against what came true, {title}",
        x=reward_axis(limits, "what came true", 4),
        y=reward_axis(limits, "forecast", 4),
        marks=tuple(marks),
        title=title,
    )


def backtest_chart(view: BacktestView) -> Chart:
    """Return reliability beside error against the share of forecasts kept."""
    (name, cases), *each = words.panels(view)
    apart = [(cut, reliability(own)) for cut, own in each] if len(each) <= _CUTS else []
    left = reliability_panel(reliability(cases), "Do the intervals hold as often as they say?", apart, name)
    right = risk_panel(view, risk_coverage(cases), f"Do narrow intervals go with small errors? ({name})")
    return Chart((Part((left, right), 2, (5.1, 4.4), widths=(1.0, 1.25)),))
