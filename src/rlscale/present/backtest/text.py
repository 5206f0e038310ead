"""Text of a backtest for terminals: a table for each cut, methods as rows, and what it says in words."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from rlscale.present.backtest import words
from rlscale.present.backtest.scoreboard import COLUMNS, Column, Row, scoreboard
from rlscale.present.backtest.view import BacktestView
from rlscale.present.numbers import count
from rlscale.present.palette import VERDICT_RICH, verdict_words
from rlscale.present.text import plain_table, print_headline, print_list
from rlscale.trust.discrepancy import Calibration
from rlscale.trust.outcome import CutScores

__all__ = ["print_backtest"]

#: A console narrower than this does without the columns that say least.
_ROOMY = 88


def print_backtest(view: BacktestView, console: Console, calibration: Calibration | None = None) -> None:
    """Print a table and its sentences for each cut, the verdicts, notes, and what was skipped."""
    print_headline(console, words.headline(view), view.grouping, words.lead(view))
    for scored in view.result.cuts:
        title = f"At {words.at(scored.cut)} of the compute, {count(len(scored.cases), 'run')}"
        console.print(Text(title, style="bold"))
        if scored.cases:
            console.print(_score_table(view, scored, console.width))
        print_list(console, "", words.cut_sentences(view, scored))
    _print_verdicts(view, console)
    if calibration is not None:
        print_list(console, "Calibration of the gate", [calibration.claim])
        print_list(console, "Calibration of forecasts", [calibration.forecasts_claim])
    print_list(console, "Notes", words.notes(view))
    for title, remarks in (
        ("Skipped", words.skipped(view)),
        ("About the fits", words.warned(view)),
        ("About the input", view.input),
    ):
        print_list(console, title, [f"{item.subject()}: {item.text}" for item in remarks])


def _score_table(view: BacktestView, scored: CutScores, width: int) -> Table:
    table = plain_table()
    columns = [column for column in COLUMNS if width >= _ROOMY or not column.spare]
    table.add_column("method", no_wrap=True)
    for column in columns:
        # the space stands where the best of a column has its mark
        table.add_column(
            Text("\n".join(f"{line} " for line in column.heading.split("\n"))), justify="right", no_wrap=True
        )
    for row in scoreboard(view, scored):
        table.add_row(Text(row.method, style="bold" if row.ours else ""), *_cells(row, columns))
    table.caption, table.caption_justify = "* best of its column; errors and regret in reward", "left"
    return table


def _cells(row: Row, columns: Sequence[Column]) -> list[Text]:
    found = []
    for column in columns:
        text, best = row.cells[column.name]
        found.append(Text(f"{text}*", style="bold green") if best else Text(f"{text} "))
    return found


def _print_verdicts(view: BacktestView, console: Console) -> None:
    table = plain_table()
    table.title, table.title_justify = "By verdict at the cut, all cuts", "left"
    table.add_column("verdict", no_wrap=True)
    tolerance = f"within\n±{view.tolerance:.3g}"
    for heading in ("forecasts", "mean\nerror", "inside\n80 %", tolerance):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, *cells in words.verdict_rows(view):
        table.add_row(Text(f"● {verdict_words(name)}", style=VERDICT_RICH[name]), *cells)
    console.print(table)
    console.print()
