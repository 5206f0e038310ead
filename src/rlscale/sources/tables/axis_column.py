"""The column that places the rows of a table along its runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import canonical_unit
from rlscale.errors import CurveError
from rlscale.sources.log import ReadOptions
from rlscale.sources.tables.columns import Columns
from rlscale.sources.tables.identity import Coded
from rlscale.sources.tables.roles import Roles

__all__ = ["ROW", "AxisColumn", "axis_column"]

Floats = NDArray[np.float64]

#: ``--compute`` of this name counts the rows of a run.
ROW = "row"


@dataclass(frozen=True)
class AxisColumn:
    """The column the rows are placed by: its name, None where there is none, the word for it, and its values."""

    key: str | None
    word: str
    values: Floats


def axis_column(columns: Columns, roles: Roles, options: ReadOptions, runs: Coded) -> AxisColumn:
    """Return the column that places the rows.

    That of ``--compute``, else ``compute``, else the fullest of those named after compute, one of steps first; row
    numbers place rows only where ``--compute row`` says so, or nothing else does and the rows are looked at alone.

    Parameters
    ----------
    columns, roles
        The table.
    options : ReadOptions
        ``compute``.
    runs : (array, list of str)
        The run of each row.
    """
    numbers, asked = columns.numbers, options.compute
    if asked is not None and asked in numbers:
        return AxisColumn(asked, asked, numbers[asked])
    if asked == ROW:
        return AxisColumn(ROW, ROW, _row_numbers(*runs))
    if roles.compute is not None:
        return AxisColumn(roles.compute, "compute", numbers[roles.compute])
    if roles.axes:
        best = max(roles.axes, key=lambda name: _fitness(numbers[name], roles.axes[name], asked))
        return AxisColumn(best, best, numbers[best])
    return AxisColumn(None, ROW, np.arange(1.0, columns.rows + 1))


def _fitness(values: Floats, unit: str, asked: str | None) -> tuple[bool, int, bool, bool]:
    """Return how well a column places rows; of equal ones the first is taken, which has the best name."""
    filled = int(np.isfinite(values).sum())
    moves = bool(filled) and float(np.nanmin(values)) < float(np.nanmax(values))
    return moves, filled, asked is not None and unit == _unit_or_none(asked), unit == "steps"


def _row_numbers(codes: NDArray[np.intp], texts: list[str]) -> Floats:
    """Return the number of each row in its run, from 1."""
    order = np.argsort(codes, kind="stable")
    since = np.searchsorted(codes[order], np.arange(len(texts)))
    count = np.empty(codes.size)
    count[order] = np.arange(codes.size) - since[codes[order]] + 1
    return count


def _unit_or_none(text: str) -> str | None:
    try:
        return canonical_unit(text)
    except CurveError:
        return None
