"""The chart of ``ledger history``: what verdicts spoke of, with its interval as runs grew, and the place among all."""

from __future__ import annotations

from collections.abc import Sequence

from rlscale.answers.charts.axes import reward_axis, reward_limits, reward_ticks
from rlscale.answers.charts.spec import Axis, Band, Chart, End, Line, Mark, Panel, Part, Points
from rlscale.answers.numbers import quantity
from rlscale.answers.palette import SERIES
from rlscale.live.past import Past, Step

__all__ = ["history_chart"]

#: Recipes in colour.
_MOST = len(SERIES)
Steps = Sequence[Step]
Lines = Sequence[tuple[str, Steps]]


def history_chart(view: Sequence[Past]) -> Chart:
    """Return the history of recipes: of one recipe each run, of several one run each."""
    lines = _lines(view)
    last = max((steps[-1].fit.compute for _, steps in lines if steps), default=1.0)
    ticks = tuple((value, quantity(value)) for value, _ in reward_ticks(0.0, 1.02 * last, 6))
    across = Axis(f"compute of the run, {view[0].rows[0].unit}", 0.0, 1.02 * last, ticks)
    panels = (_beliefs(view, lines, across), _places(lines, across))
    return Chart((Part(panels, 1, (9.0, 3.2), heights=(3.0, 1.25)),))


def _lines(view: Sequence[Past]) -> Lines:
    """Return what is drawn: each run of one recipe, or of each recipe its longest run, the best placed first."""
    if len(view) == 1:
        return list(view[0].steps.items())[:_MOST]
    farthest = [
        (each.recipe, max(filter(None, each.steps.values()), key=lambda steps: steps[-1].fit.compute))
        for each in view
        if any(each.steps.values())
    ]
    return sorted(farthest, key=lambda item: item[1][-1].place or len(view))[:_MOST]


def _subject(lines: Lines, unit: str) -> str:
    """Return what was believed: ceilings, or the reward at the compute that verdicts speak of."""
    targets = {step.fit.target for _, steps in lines for step in steps}
    if targets <= {None}:
        return "ceiling"
    return f"reward at {quantity(targets.pop(), unit)}" if len(targets) == 1 else "reward that verdicts speak of"


def _beliefs(view: Sequence[Past], lines: Lines, across: Axis) -> Panel:
    marks: list[Mark] = []
    ends: list[End] = []
    shown: list[float] = []
    for place, (name, steps) in enumerate(lines):
        known = [(step.fit.compute, step.fit.judged, step.fit.verdict) for step in steps if step.fit.judged is not None]
        if not known:
            continue
        colour, at = f"s{place}", tuple(compute for compute, _, _ in known)
        low, middle, high = (tuple(belief[k] for _, belief, _ in known) for k in range(3))
        marks += [Band(at, low, high, colour, 0.13 if len(lines) > 2 else 0.2), Line(at, middle, colour, 1.7)]
        marks.append(Points(at, middle, colour, 1.8))
        resolved = [(compute, belief[1]) for compute, belief, verdict in known if verdict == "resolved"]
        if resolved:
            marks.append(Points(tuple(c for c, _ in resolved), tuple(y for _, y in resolved), colour, 3.6))
        ends.append(End(middle[-1], name, colour))
        shown += [*low, *high]
    least, most = view[0].rows[0].bounds
    low_end, high_end = reward_limits(shown or [least, most], (least, most))
    limits = max(low_end, least - 0.02 * (most - least)), min(high_end, most + 0.02 * (most - least))
    alone = len(view) == 1
    subject = _subject(lines, view[0].rows[0].unit)
    what = f"{view[0].recipe}: the {subject} as it was believed" if alone else f"The {subject} as it was believed"
    lines_are = "one line a run" if alone else "the longest run of each recipe"
    any_resolved = any(step.fit.verdict == "resolved" for _, steps in lines for step in steps)
    return Panel(
        description=what,
        x=across,
        y=reward_axis(limits, f"{subject}, {view[0].rows[0].metric}"),
        marks=tuple(marks),
        title=f"{what} ({lines_are}; bands: 80 %)",
        subtitle="large dots: resolved" if any_resolved else "",
        ends=tuple(ends),
    )


def _places(lines: Lines, across: Axis) -> Panel:
    marks: list[Mark] = []
    worst = 1
    for k, (_, steps) in enumerate(lines):
        ranked = [(step.fit.compute, float(step.place)) for step in steps if step.place is not None]
        worst = max([worst, *(step.contenders for step in steps if step.contenders is not None)])
        if ranked:
            marks.append(Line(tuple(c for c, _ in ranked), tuple(p for _, p in ranked), f"s{k}", 1.7, steps=True,
                              strength=0.9))  # fmt: skip
    places = range(1, worst + 1) if worst <= 8 else sorted({1, *range(worst // 4, worst + 1, max(worst // 4, 1))})
    ticks = tuple((float(place), str(place)) for place in places)
    title = "Place among all recipes at that compute"
    return Panel(description=title, x=across, y=Axis("place", worst + 0.4, 0.6, ticks), marks=tuple(marks), title=title)
