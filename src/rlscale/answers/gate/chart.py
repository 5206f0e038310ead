"""The chart of the gate: every run so far in the colour of its decision, and its forecast at the budget."""

from __future__ import annotations

import numpy as np

from rlscale.answers.charts.axes import compute_axis, reward_axis, reward_limits
from rlscale.answers.charts.runs import drawn_points, short
from rlscale.answers.charts.spec import Chart, End, Key, Label, Line, Mark, Panel, Part, Points
from rlscale.answers.gate.view import GateView
from rlscale.answers.numbers import count, quantity, reward
from rlscale.answers.palette import DECISION
from rlscale.curves import Curve
from rlscale.decisions.gate import Action, Decision

__all__ = ["COLOURS", "gate_chart", "gate_panel"]

#: The colour role of each decision.
COLOURS = {Action(name): role for name, (_, _, role) in DECISION.items()}
#: Runs named at the right, the best forecasts first.
_NAMED = 12
Drawn = tuple[Decision, Curve]


def gate_chart(view: GateView) -> Chart:
    """Return the chart of an answer."""
    actions = [action for action in COLOURS if any(decision.action is action for decision in view.shown)]
    keys = tuple(Key("line", COLOURS[action], action.value) for action in actions)
    return Chart((Part((gate_panel(view),), 1, (9.6, 5.4)),), keys=keys)


def gate_panel(view: GateView) -> Panel:
    """Return the panel of an answer: the runs that are shown, the best forecast on top of the others."""
    answer = view.answer
    drawn = [(each, view.curves[each.run]) for each in view.ordered if each.run in view.curves]
    forecasts = [each.evidence.interval for each, _ in drawn]
    values = [float(value) for _, curve in drawn for value in curve.reward]
    values += [end for interval in forecasts if interval is not None for end in (interval.q10, interval.q90)]
    limits = reward_limits(values or list(answer.bounds), answer.bounds)
    trained = [float(curve.compute[curve.compute > 0.0][0]) for _, curve in drawn if curve.n_trained]
    first, last = min(trained, default=answer.budget), max([answer.budget, *(curve.compute_last for _, curve in drawn)])
    marks: list[Mark] = [mark for each in reversed(drawn) for mark in _run(each)]
    if answer.horizon < answer.budget:
        marks.append(Line((answer.horizon, answer.horizon), limits, "faint", 0.9, "dashed"))
        marks.append(Label(answer.horizon, limits[1], "horizon"))
    best = sorted((each for each, _ in drawn if each.evidence.interval is not None), key=_mean, reverse=True)
    budget = quantity(answer.budget, answer.unit)
    return Panel(
        description=f"Runs against compute in the colour of their decision, with their forecasts at {budget}",
        x=compute_axis(first, last, answer.unit, zero=any(curve.has_baseline for _, curve in drawn), most=7),
        y=reward_axis(limits, answer.metric),
        marks=tuple(marks),
        title=f"Decisions, and forecasts at {budget} (80 %)",
        ends=tuple(_end(view, each) for each in best[:_NAMED]),
        corner=f"{count(len(best) - _NAMED, 'more run')} without a name" if len(best) > _NAMED else "",
    )


def _run(drawn: Drawn) -> list[Mark]:
    decision, curve = drawn
    compute, values = drawn_points(curve)
    at, height = tuple(np.asarray(compute).tolist()), tuple(np.asarray(values).tolist())
    colour, going = COLOURS[decision.action], decision.action in (Action.CONTINUE, Action.COMMIT)
    tip = f"{decision.run}: {decision.action.value}, {decision.code.replace('_', ' ')}"
    return [
        Line(at, height, colour, 1.4 if going else 1.0, strength=0.9 if going else 0.6),
        Points(at[-1:], height[-1:], colour, 2.6, tips=(tip,)),
    ]


def _mean(decision: Decision) -> float:
    return -np.inf if decision.evidence.mean is None else decision.evidence.mean


def _end(view: GateView, decision: Decision) -> End:
    interval = decision.evidence.interval
    assert interval is not None
    text = f"{short(decision.run, 24)}  {reward(interval.q50, view.answer.bounds)} · {decision.action.value}"
    return End(interval.q50, text, COLOURS[decision.action], (interval.q10, interval.q90))
