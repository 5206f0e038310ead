"""RL's share of the compute of pretraining, beside what has been published."""

from __future__ import annotations

from rlscale.answers.charts.spec import Axis, End, Line, Mark, Panel, Points
from rlscale.answers.plan.view import PlanView
from rlscale.answers.table import Cell, Column, Table
from rlscale.decisions.plan import PretrainingShare

__all__ = ["references_table", "share_panel"]


def references_table(view: PlanView, share: PretrainingShare) -> Table:
    """Return the share among published spends."""
    columns = (
        Column("name", "spend on RL", "name"),
        Column("share", "of pretraining", "label"),
        Column("gpu_hours", "GPU-hours", "compute"),
        Column("grade", "grade"),
        Column("source", "source", spare=True),
    )
    own = share.compute if view.plan.unit == "gpu-hours" else None
    rows: list[tuple[Cell, ...]] = [("this plan", _percent(share.share), own, "", "")]
    rows += [(each.name, _percent(each.share), each.gpu_hours, each.grade, each.source) for each in share.references]
    note = "grades: V read in the source, S secondhand, D derived, M from memory"
    return Table(name="references", title="RL's share of pretraining, beside published spends", columns=columns,
                 rows=tuple(rows), note=note, bold=(0,))  # fmt: skip


def _percent(share: float | None) -> str | None:
    return None if share is None else f"{100.0 * share:.3g} %"


def share_panel(share: PretrainingShare) -> Panel:
    """Return the share and the published ones, a row each, the smallest published one first."""
    known = sorted(
        (each.share, f"{each.name}  {_percent(each.share)} · {each.grade}", each.note)
        for each in share.references
        if each.share is not None
    )
    rows = [(share.share, f"this plan  {_percent(share.share)}", share.note), *known]
    low, high = 0.5 * min(value for value, _, _ in rows), 2.0 * max(value for value, _, _ in rows)
    marks: list[Mark] = [Line((share.share, share.share), (len(rows) - 0.4, -0.6), "faint", 0.9, "dashed")]
    ends = []
    for height, (value, text, note) in enumerate(rows):
        colour = "ink" if height else "s0"
        marks.append(Line((low, value), (height, height), colour, 2.6 if height else 3.4, strength=0.35))
        marks.append(Points((value,), (height,), colour, 4.2, tips=(f"{text}: {note}",)))
        ends.append(End(height, text, colour, bold=not height))
    ticks = tuple((10.0**power, f"{100.0 * 10.0**power:g} %") for power in range(-12, 7) if low <= 10.0**power <= high)
    return Panel(
        description="RL's share of the compute of pretraining, beside published shares",
        x=Axis("RL compute / pretraining compute (log)", low, high, ticks[:: max(len(ticks) // 6, 1)], "log"),
        y=Axis("", len(rows) - 0.4, -0.6, ()),
        marks=tuple(marks),
        title="RL's share of the compute of pretraining",
        subtitle="published ones with their grade: V read in the source, S secondhand, D derived, M from memory",
        ends=tuple(ends),
    )
