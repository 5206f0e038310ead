"""What runs were believed to reach as they grew, as tables: of one run each look, of several a line each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from rlscale.answers.answer import Block, Section
from rlscale.answers.numbers import UNKNOWN
from rlscale.answers.over_time import (
    compute_labels,
    growth_sentences,
    has_forecasts,
    target_heading,
    verdict_changes,
)
from rlscale.answers.table import Cell, Column, Table
from rlscale.answers.views import RunView
from rlscale.inference import Look, OverTime

__all__ = ["growth_blocks", "spaced"]

#: Shares of a run's compute that the table of several runs shows.
_SHARES = (0.25, 0.5, 0.75, 1.0)
#: Looks at one run that are shown; JSON has them all.
_ROWS = 12
T = TypeVar("T")
_Grown = Sequence[tuple[RunView, OverTime]]


def growth_blocks(runs: Sequence[RunView]) -> list[Block]:
    """Return what runs were believed to reach as they grew; nothing where that was not asked for."""
    grown = [(run, run.over_time) for run in runs if run.over_time is not None]
    if not grown:
        return []
    return _looks(*grown[0]) if len(grown) == 1 else _several(grown)


def spaced(items: Sequence[T], most: int) -> list[T]:
    """Return at most so many items, evenly spaced, the first and the last among them."""
    if len(items) <= most:
        return list(items)
    return [items[round(k * (len(items) - 1) / (most - 1))] for k in range(most)]


def _looks(run: RunView, grown: OverTime) -> list[Block]:
    labels = compute_labels([look.compute for look in grown.looks])
    shown = spaced([*zip(grown.looks, labels, strict=True)], _ROWS)
    some = f", {len(shown)} of {len(labels)} looks" if len(shown) < len(labels) else ""
    ahead = has_forecasts(grown)
    columns = [
        Column("compute", "compute", "label"),
        Column("verdict", "verdict", "verdict"),
        Column("ceiling", "ceiling\n80 %", "reward"),
    ]
    columns += [Column("forecast", f"{target_heading(grown)}\n80 %", "reward")] if ahead else []
    columns.append(Column("width", "width", "reward"))
    rows: list[tuple[Cell, ...]] = []
    for look, label in shown:
        answers = (look.ceiling, look.forecast) if ahead else (look.ceiling,)
        width = None if answers[-1] is None else answers[-1].width
        rows.append((label, look.verdict.name.value, *answers, width))
    table = Table(
        name="looks", title=f"As the run grew{some}", columns=tuple(columns), rows=tuple(rows),
        note=f"compute in {run.axis}", bounds=run.shown_in,
    )  # fmt: skip
    return [table, Section("", tuple(growth_sentences(grown, run.shown_in)), on_page=False)]


def _several(grown: _Grown) -> list[Block]:
    blocks: list[Block] = [_table("ceiling", "Ceiling as the runs grew", grown)]
    if any(has_forecasts(each) for _, each in grown):
        blocks.append(_table("forecast", f"Reward {target_heading(grown[0][1])} as the runs grew", grown))
    changes = tuple(f"{run.run}: {text}" for run, each in grown if (text := verdict_changes(each)))
    return [*blocks, Section("Verdicts as the runs grew", changes, on_page=False)]


def _table(what: str, title: str, grown: _Grown) -> Table:
    """Return the table of one of the answers."""
    headings = ["now" if share == 1.0 else f"at {100 * share:.0f} %" for share in _SHARES]
    columns = (
        Column("run", "run", "name"),
        *(
            Column(f"at_{share:g}", f"{heading}\n80 %", "reward")
            for share, heading in zip(_SHARES, headings, strict=True)
        ),
        Column("holding", "earlier 80 %\nhold today's", "label"),
    )
    rows: list[tuple[Cell, ...]] = []
    for run, each in grown:
        answers = [getattr(look, what) if look is not None else None for look in _at_shares(each)]
        holding, earlier = each.holding(what)  # type: ignore[arg-type]
        rows.append((run.run, *answers, f"{holding} of {earlier}" if earlier else UNKNOWN))
    note = "at a share of each run's own compute; last: how many earlier intervals hold today's median"
    bounds = tuple(run.shown_in for run, _ in grown)
    return Table(name=what, title=title, columns=columns, rows=tuple(rows), note=note, row_bounds=bounds)


def _at_shares(grown: OverTime) -> list[Look | None]:
    """Return the latest look up to each share of a run's compute; None where there is none yet."""
    last = grown.latest.compute
    known = [[look for look in grown.looks if look.compute <= share * last] for share in _SHARES]
    return [looks[-1] if looks else None for looks in known]
