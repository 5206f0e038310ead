"""Runs side by side: their curves on one axis of compute, where they cross, and the settings in which they differ."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

from rlscale.answers import numbers, remarks
from rlscale.answers.answer import Answer, Block, Document, Figures, Section
from rlscale.answers.charts.axes import compute_axis, reward_axis
from rlscale.answers.charts.runs import Fan, fan, fan_limits, short
from rlscale.answers.charts.spec import Band, End, Label, Line, Mark, Panel, Points
from rlscale.answers.compare.view import CompareView
from rlscale.answers.documents import rank_document
from rlscale.answers.hints import P_BEST, RESOLVED_BY
from rlscale.answers.table import Cell, Column, Table
from rlscale.answers.views import headline
from rlscale.inference import Interval

__all__ = ["compare_answer", "compare_panel"]

#: Crossings that are marked in the drawing.
_MARKED = 6
#: Room of a label, as a share of the axis.
_LABEL = 0.08


def compare_answer(view: CompareView) -> Answer:
    """Return the answer."""
    ranked = view.ranked
    panel = compare_panel(view)
    note = (
        "Points are evaluations, lines medians, bands 80 % intervals of the noise-free reward; dashed past the last "
        "evaluation. A dotted line stands where medians cross. Bars and numbers at the right are forecasts at "
        f"{ranked.at}, as in the table."
    )
    blocks: list[Block] = [
        Figures("", (panel,), note, narrow=panel),
        _table(view),
        Section("Crossings", _crossings(view), most=8, note=remarks.MEDIANS),
        Section("Early-leader traps", remarks.traps(ranked), most=6),
        _settings(view),
        Section("Notes", (remarks.claim(ranked), *ranked.ranking.notes)),
    ]
    return Answer(
        headline=headline(ranked),
        table=_table(view),
        document=Document(partial(_document, view=view), ranked),
        lead=(view.lead,) if view.lead else (),
        blocks=tuple(blocks),
        kicker=f"{ranked.runs[0].metric} · {numbers.count(len(view.fits), 'run')} side by side",
        settings=ranked.settings,
    )


def _table(view: CompareView) -> Table:
    ranked = view.ranked
    at = "asymptote" if ranked.at == "the asymptote" else f"at {numbers.quantity(ranked.ranking.at)}"
    columns = (
        Column("run", "run", "name"),
        Column("verdict", "verdict", "verdict"),
        Column("compute_last", "last\ncompute", "compute"),
        Column("reward_last", "reward\nnow", "reward"),
        Column("p_best", "P(best\nof these)", "probability", bar=True, hint=P_BEST),
        Column("forecast", f"{at}\n80 %", "reward", bar=True),
        Column("ceiling", "ceiling\n80 %", "reward", bar=True),
        Column("resolves_at", "resolved\nby", "compute", hint=RESOLVED_BY),
    )
    rows: list[tuple[Cell, ...]] = []
    later = set()
    for row, fit in zip(ranked.ranking.recipes, view.ordered, strict=True):
        curve = fit.run.curve
        if remarks.open_ended(fit.resolves_at, curve.compute_last):
            later.add((len(rows), "resolves_at"))
        rows.append((row.recipe, row.verdict.name.value, curve.compute_last, curve.reward_last, row.p_best,
                     row.forecast, row.A, fit.resolves_at))  # fmt: skip
    note = f"compute in {ranked.runs[0].axis}"
    return Table(name="runs", columns=columns, rows=tuple(rows), note=note, bounds=ranked.shown_in, coloured=True,
                 open_ends=frozenset(later))  # fmt: skip


def _crossings(view: CompareView) -> tuple[str, ...]:
    """Return where medians cross, behind or ahead."""
    unit, said = view.ranked.ranking.unit, []
    last = {fit.run.name: fit.run.curve.compute_last for fit in view.fits}
    for pair in view.ranked.ranking.pairs:
        if pair.crossing is None:
            continue
        ahead = pair.crossing > max(last[pair.a], last[pair.b])
        better, other, p = (pair.a, pair.b, pair.p_a_better)
        if p < 0.5:
            better, other, p = pair.b, pair.a, 1.0 - p
        said.append((
            pair.crossing,
            f"The medians of {pair.a} and {pair.b} {'will cross' if ahead else 'crossed'} at "
            f"{numbers.quantity(pair.crossing, unit)}; {better} is ahead of {other} at {view.ranked.at} with "
            f"probability {numbers.probability(p)}.",
        ))  # fmt: skip
    return tuple(text for _, text in sorted(said))


def _settings(view: CompareView) -> Table | Section:
    differing = view.differing
    if not differing:
        known = any(fit.run.settings for fit in view.fits)
        what = "agree in all settings that their logs hold" if known else "state no settings in their logs"
        return Section("Settings", (f"These runs {what}.",))
    columns = (Column("setting", "setting", "name"), *(Column(name, short(name, 24)) for name in view.names))
    rows = tuple((name, *texts) for name, texts in differing)
    return Table(name="settings", title="Settings that differ", columns=columns, rows=rows)


def compare_panel(view: CompareView) -> Panel:
    """Return the curves of the runs on one log axis of compute."""
    at, rows = view.ranked.ranking.at, view.ranked.ranking.recipes
    fans = [fan(fit, reach=at if math.isfinite(at) else 0.0) for fit in view.ordered]
    limits = fan_limits(fans)
    first, last = min(each.first for each in fans), max(each.horizon for each in fans)
    marks: list[Mark] = [mark for k, each in reversed(list(enumerate(fans))) for mark in _run(each, f"s{k}")]
    crossings = sorted(pair.crossing for pair in view.ranked.ranking.pairs if pair.crossing is not None)
    axis = compute_axis(first, last, fans[0].run.unit, zero=any(each.compute[0] == 0 for each in fans))
    said = -1.0
    for crossing in [each for each in crossings if first <= each <= last][:_MARKED]:
        marks.append(Line((crossing, crossing), limits, "muted", 0.9, "dotted"))
        if axis.position(crossing) - said > _LABEL:
            said = axis.position(crossing)
            marks.append(Label(crossing, limits[1], numbers.quantity(crossing)))
    ends = tuple(_end(row.recipe, row.forecast, each, f"s{k}")
                 for k, (row, each) in enumerate(zip(rows, fans, strict=True)) if row.forecast is not None)  # fmt: skip
    run = fans[0].run
    return Panel(
        description=f"Reward against compute of {numbers.count(len(fans), 'run')}, with medians and 80 % intervals",
        x=axis,
        y=reward_axis(limits, run.metric),
        marks=tuple(marks),
        title="Runs side by side",
        ends=ends,
    )


def _run(each: Fan, colour: str) -> list[Mark]:
    marks: list[Mark] = []
    if each.grid:
        marks.append(Band(each.grid, each.q10, each.q90, colour, 0.12, "80 %"))
        points = list(zip(each.grid, each.q50, strict=True))
        for dash, part in (
            ("", [point for point in points if point[0] <= each.last]),
            ("dashed", points[max(sum(x <= each.last for x in each.grid) - 1, 0) :]),
        ):
            if len(part) > 1:
                marks.append(
                    Line(tuple(x for x, _ in part), tuple(y for _, y in part), colour, 1.9, dash, name=each.run.run)
                )
    tips = tuple(
        f"{each.run.run}: {numbers.reward(value, each.run.shown_in)} at {numbers.quantity(compute, each.run.unit, 4)}"
        for compute, value in zip(each.compute, each.reward, strict=True)
    )
    marks.append(Points(each.compute, each.reward, colour, 2.0, tips=tips, strength=0.6))
    return marks


def _end(name: str, forecast: Interval, each: Fan, colour: str) -> End:
    text = f"{short(name, 26)}  {numbers.reward(forecast.q50, each.run.shown_in)}"
    return End(forecast.q50, text, colour, (forecast.q10, forecast.q90))


def _document(ranked: Any, view: CompareView) -> dict[str, Any]:
    """Return the document of ``rank`` on the runs, each as its own recipe, and the settings that differ."""
    settings = [{"setting": name, "values": list(texts)} for name, texts in view.differing]
    return {**rank_document(ranked), "names": list(view.names), "settings": settings}
