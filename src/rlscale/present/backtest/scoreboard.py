"""The table of methods at one cut: its columns, its cells as text, and which of them are best."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rlscale.present.backtest.view import METHOD_WORDS, BacktestView
from rlscale.present.numbers import UNKNOWN, number
from rlscale.trust.outcome import OURS, CutScores

__all__ = ["COLUMNS", "Column", "Row", "scoreboard"]


@dataclass(frozen=True)
class Column:
    """One score.

    Parameters
    ----------
    name : str
        Its field in ``Scores``.
    heading : str
        Two lines.
    kind : str
        ``error`` in reward, ``share`` in per cent, ``number``.
    best : int
        -1 where the lowest is best, 1 where the highest is, 0 where neither.
    spare : bool
        Left out where there is little room.
    """

    name: str
    heading: str
    kind: str
    best: int
    spare: bool = False


COLUMNS = (
    Column("mean_abs_error", "mean\nerror", "error", -1),
    Column("median_abs_error", "median\nerror", "error", -1, spare=True),
    Column("p90_abs_error", "90 % of\nerrors ≤", "error", -1),
    Column("crps", "\nCRPS", "error", -1),
    Column("coverage80", "inside\n80 %", "share", 0),
    Column("coverage50", "inside\n50 %", "share", 0, spare=True),
    Column("kendall_tau", "rank\nτ", "number", 1, spare=True),
    Column("pairwise_accuracy", "pairs\nright", "share", 1),
    Column("top1_regret", "top-1\nregret", "error", -1),
)


@dataclass(frozen=True)
class Row:
    """One method: its name in words and, by column, its score as text and whether it is the best."""

    method: str
    ours: bool
    cells: Mapping[str, tuple[str, bool]]


def scoreboard(view: BacktestView, scored: CutScores) -> tuple[Row, ...]:
    """Return the rows of one cut, ours first; scores that are shown alike share the mark of the best."""
    shown = {
        column.name: {name: _cell(view, column, getattr(scored.methods[name], column.name)) for name in METHOD_WORDS}
        for column in COLUMNS
    }
    best = {column.name: _best(scored, column, shown[column.name]) for column in COLUMNS}
    return tuple(
        Row(
            words,
            name == OURS,
            {column.name: (text := shown[column.name][name], text == best[column.name]) for column in COLUMNS},
        )
        for name, words in METHOD_WORDS.items()
    )


def _cell(view: BacktestView, column: Column, value: float | None) -> str:
    if value is None:
        return UNKNOWN
    if column.kind == "error":
        return view.error(value)
    return f"{100 * value:.0f} %" if column.kind == "share" else number(value)


def _best(scored: CutScores, column: Column, shown: Mapping[str, str]) -> str | None:
    """Return the text of the best score; None where there is none, or all are shown alike."""
    known = {name: value for name in shown if (value := getattr(scored.methods[name], column.name)) is not None}
    if not column.best or len({shown[name] for name in known}) < 2:
        return None
    return shown[max(known, key=lambda name: column.best * known[name])]
