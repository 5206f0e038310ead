"""The chart of ``rollouts``: the envelope of reward, the best number of rollouts, rollouts over prompts."""

from __future__ import annotations

import math

import numpy as np

from rlscale.answers.charts.axes import compute_axis, reward_axis, reward_limits, reward_ticks, share_axis
from rlscale.answers.charts.recipes import colour_of
from rlscale.answers.charts.spec import Axis, Band, Chart, End, Key, Line, Mark, Panel, Part, Points, Whisker
from rlscale.answers.numbers import count, probability, quantity, reward
from rlscale.answers.rollouts.view import RolloutsView
from rlscale.answers.rollouts.words import ends
from rlscale.decisions.rollouts import ClassRollouts, PromptAllocation, TriedN
from rlscale.inference import Interval
from rlscale.inference.median import median_curve

__all__ = ["rollouts_chart"]

#: Places along a curve, and evaluations of a number of rollouts drawn at most.
_GRID, _POINTS = 61, 160
#: Least share of the axis between two named numbers of rollouts, and kinds of prompts drawn at most.
_APART, _KINDS = 0.07, 800
#: A compute nearer to the end of the axis than this share of it needs no mark.
_NEAR = 0.98
Drawn = tuple[TriedN, str, tuple[float, ...], tuple[float, ...]]


def rollouts_chart(view: RolloutsView) -> Chart | None:
    """Return the chart of an answer; None where there is nothing to draw."""
    parts = []
    for entry in view.answer.classes:
        if entry.supported is None:
            continue
        panels = [_rewards(view, entry)]
        if entry.path:
            panels.append(_best(view, entry))
        parts.append(Part(tuple(panels), len(panels), (5.3, 4.1) if len(panels) > 1 else (7.2, 4.4)))
    if view.answer.prompts is not None:
        parts.append(Part((_prompts(view.answer.prompts),), 1, (7.2, 4.2)))
    return Chart(tuple(parts), keys=_keys(view)) if parts else None


def _rewards(view: RolloutsView, entry: ClassRollouts) -> Panel:
    """Return reward against compute: each number of rollouts, and the envelope."""
    shown, unit = view.shown_in, view.answer.unit
    drawn = [each for place, tried in enumerate(entry.tried) if (each := _curve(view, tried, colour_of(place)))]
    marks: list[Mark] = [_points(view, tried, colour) for tried, colour, _, _ in drawn]
    marks += [Line(x, y, colour, 1.1, strength=0.75) for _, colour, x, y in drawn]
    marks += _envelope(entry, drawn)
    records = [record for record in entry.records if record.compute > 0.0]
    tips = tuple(f"{reward(each.reward, shown)} at {quantity(each.compute, unit)}: {each.run}" for each in records)
    marks.append(
        Points(
            tuple(each.compute for each in records), tuple(each.reward for each in records), "ink", 2.6,
            tuple(True for _ in records), tips,
        )
    )  # fmt: skip
    values = [value for mark in marks if isinstance(mark, Line | Points) for value in mark.y]
    values += [end for tried in entry.tried if tried.reward for end in (tried.reward.q10, tried.reward.q90)]
    limits = reward_limits(values, shown)
    first, last = min(tried.first for tried in entry.tried), max(tried.last for tried in entry.tried)
    at = entry.compared_at
    if at is not None and at < _NEAR * last:
        marks = [Line((at, at), limits, "faint", 0.9, "dashed"), *marks]
    name = "" if entry.name is None else f"{entry.name}: "
    return Panel(
        description=f"{name}reward against compute by rollouts per prompt, with the envelope",
        x=compute_axis(first, last, unit, zero=False, most=5),
        y=reward_axis(limits, view.metric or "reward", 5),
        marks=tuple(marks),
        title=f"{name}reward and its envelope" if name else "Reward and its envelope",
        subtitle=f"at the right: {quantity(at, unit)}, 80 % intervals, P(best)",
        ends=tuple(_end(tried, colour) for tried, colour, _, _ in reversed(drawn) if tried.reward is not None),
    )


def _curve(view: RolloutsView, tried: TriedN, colour: str) -> Drawn | None:
    """Return the median curve of one number of rollouts, up to its last evaluation; None where nothing was fitted."""
    posteriors = [fit.posterior for fit in view.fits(tried.runs) if fit.posterior is not None]
    if not posteriors:
        return None
    grid = np.geomspace(tried.first, tried.last, _GRID)
    return tried, colour, tuple(grid.tolist()), tuple(median_curve(posteriors, grid).tolist())


def _points(view: RolloutsView, tried: TriedN, colour: str) -> Points:
    curves = [fit.run.curve for fit in view.fits(tried.runs)]
    compute = np.concatenate([curve.compute[curve.compute > 0.0] for curve in curves])
    value = np.concatenate([curve.reward[curve.compute > 0.0] for curve in curves])
    keep = np.unique(np.linspace(0, compute.size - 1, min(compute.size, _POINTS)).round().astype(int))
    return Points(tuple(compute[keep].tolist()), tuple(value[keep].tolist()), colour, 1.5, strength=0.35)


def _envelope(entry: ClassRollouts, drawn: list[Drawn]) -> list[Mark]:
    """Return the stretches of the envelope, each along the curve of the number that holds it."""
    curves = {tried.n: (colour, x, y) for tried, colour, x, y in drawn}
    marks: list[Mark] = []
    for piece in entry.envelope:
        if piece.n in curves and piece.end > piece.start:
            colour, x, y = curves[piece.n]
            inside = [piece.start, *(value for value in x if piece.start < value < piece.end), piece.end]
            height = np.interp(np.log(inside), np.log(x), y)
            marks.append(Line(tuple(inside), tuple(np.asarray(height).tolist()), colour, 3.4))
    return marks


def _end(tried: TriedN, colour: str) -> End:
    value = tried.reward
    assert value is not None
    text = f"n = {tried.n:,} · {probability(tried.p_best)}"
    return End(value.q50, text, colour, (value.q10, value.q90))


def _best(view: RolloutsView, entry: ClassRollouts) -> Panel:
    """Return the best number of rollouts against compute, with its band, and the budget."""
    unit, star = view.answer.unit, entry.n_star
    x = tuple(each.compute for each in entry.path)
    low, middle, high = (tuple(getattr(each.n, name) for each in entry.path) for name in ("q10", "q50", "q90"))
    last = x[-1] if star is None else max(x[-1], star.compute)
    first = x[0] if star is None else min(x[0], star.compute)
    end = entry.saturation
    given = [interval for interval in (end, None if star is None else star.n) if interval is not None]
    axis = _numbers(entry, [*low, *high, *(edge for interval in given for edge in (interval.q10, interval.q90))])
    marks: list[Mark] = [
        Band(x, low, high, "s0", 0.18),
        *_stairs(entry, first, last),
        Line(x, middle, "s0", 2.2),
    ]
    if star is not None:
        tip = f"at {quantity(star.compute, unit)}: {star.n.q50:,.0f} ({ends(star.n)}, 80 %)"
        marks.append(Whisker(star.compute, star.n.q10, star.n.q50, star.n.q90, "s0", tip))
        if star.where == "extrapolated":
            marks.append(Line((x[-1], x[-1]), (axis.low, axis.high), "faint", 0.9, "dashed"))
            marks.append(Line((x[-1], star.compute), (middle[-1], star.n.q50), "s0", 1.6, "dashed"))
    name = "" if entry.name is None else f"{entry.name}: "
    return Panel(
        description=f"{name}best number of rollouts per prompt against compute, with its 80 % band",
        x=compute_axis(first, last, unit, zero=False, most=5),
        y=axis,
        marks=tuple(marks),
        title=f"{name}best number n*" if name else "Best number of rollouts n*",
        subtitle=_subtitle(entry),
        ends=() if end is None else (End(end.q50, f"rise ends {end.q50:,.0f}", "s1", (end.q10, end.q90), bar=True),),
    )


def _subtitle(entry: ClassRollouts) -> str:
    def text(value: Interval) -> str:
        return f"{value.q50:,.0f} ({ends(value)})"

    star = entry.n_star
    parts = [] if star is None else [f"at {quantity(star.compute)}: {text(star.n)}"]
    parts.append("end of the rise not known" if entry.saturation is None else f"rise ends at {text(entry.saturation)}")
    return "; ".join(parts)


def _keys(view: RolloutsView) -> tuple[Key, ...]:
    """Return the legend of the best numbers; none where there is none."""
    if not any(entry.path for entry in view.answer.classes):
        return ()
    return Key("line", "s0", "n*, with its 80 % band"), Key("line", "muted", "which of those tried leads")


def _stairs(entry: ClassRollouts, first: float, last: float) -> list[Mark]:
    """Return which of the numbers tried leads, as a staircase."""
    x: list[float] = []
    y: list[float] = []
    for piece in entry.envelope:
        if piece.end > first:
            x += [max(piece.start, first), min(piece.end, last)]
            y += [float(piece.n), float(piece.n)]
    return [Line(tuple(x), tuple(y), "muted", 1.3)] if x else []


def _numbers(entry: ClassRollouts, values: list[float]) -> Axis:
    """Return a log axis of rollouts per prompt, with the numbers tried as its ticks."""
    low, high = min(entry.n[0], *values) / 1.25, max(entry.n[-1], *values) * 1.25
    axis = Axis("rollouts per prompt (log)", low, high, (), "log")
    named: list[int] = []
    for n in entry.n:
        if not named or axis.position(n) - axis.position(named[-1]) >= _APART:
            named.append(n)
    return Axis(axis.label, low, high, tuple((float(n), f"{n:,}") for n in named), "log")


def _prompts(allocation: PromptAllocation) -> Panel:
    """Return rollouts against the share of right samples, a point a kind of prompt."""
    kinds: dict[tuple[int, int, int], list[float]] = {}
    for share in allocation.prompts:
        kinds.setdefault((share.correct, share.graded, share.rollouts), []).append(share.p_mixed)
    chosen = sorted(kinds, key=lambda kind: -len(kinds[kind]))[:_KINDS]
    chosen = [kind for kind in chosen if kind[1]]
    most = max((kind[2] for kind in chosen), default=1)
    top = max(most, 2) * 1.08
    whole = (round(tick) for tick, _ in reward_ticks(0.0, top, 6) if math.isclose(tick, round(tick), abs_tol=1e-9))
    ticks = tuple((float(tick), f"{tick:,}") for tick in whole)
    groups: dict[bool, list[tuple[int, int, int]]] = {True: [], False: []}
    for kind in chosen:
        groups[kind[2] > 0].append(kind)
    marks: list[Mark] = []
    for served, colour in ((False, "faint"), (True, "s0")):
        tips = tuple(
            f"{count(len(kinds[kind]), 'prompt')} with {kind[0]} of {kind[1]} right: {count(kind[2], 'rollout')}, "
            f"mixed with probability {probability(kinds[kind][0])}"
            for kind in groups[served]
        )
        marks.append(
            Points(
                tuple(kind[0] / kind[1] for kind in groups[served]), tuple(float(kind[2]) for kind in groups[served]),
                colour, 3.2, tips=tips, strength=0.8,
            )
        )  # fmt: skip
    return Panel(
        description="Rollouts of each prompt against the share of its samples that were right",
        x=share_axis("right among the graded samples"),
        y=Axis("rollouts", 0.0, top, ticks),
        marks=tuple(marks),
        title="Rollouts over prompts",
        subtitle=f"groups with right and wrong answers: {allocation.mixed.q50:,.0f} ({ends(allocation.mixed)}); "
        f"spread evenly {allocation.even:,.0f}",
    )
