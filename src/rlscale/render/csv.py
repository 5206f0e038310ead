"""A table as CSV and as a DataFrame."""

from __future__ import annotations

import csv
import io
import math
from typing import Any

from rlscale.answers.table import FlatCell, Table
from rlscale.errors import InputError

__all__ = ["as_csv", "as_frame"]

#: What a spreadsheet would run as a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_csv(table: Table) -> str:
    """Return a table as CSV: intervals in three columns, unknown cells empty, infinity as ``inf``."""
    out = io.StringIO()
    names, rows = table.flat()
    csv.writer(out, lineterminator="\n").writerows([names, *([_plain(cell) for cell in row] for row in rows)])
    return out.getvalue()


def _plain(cell: FlatCell) -> str:
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return ""
    if isinstance(cell, str) and cell[:1] in _FORMULA:
        return f"'{cell}"
    return f"{cell:.10g}" if isinstance(cell, float) else str(cell)


def as_frame(table: Table) -> Any:
    """Return a table as a pandas DataFrame: intervals in three columns.

    Raises
    ------
    InputError
        No pandas.
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise InputError("to_frame() needs pandas; pip install 'rlscale[frames]'") from error
    names, rows = table.flat()
    return pd.DataFrame(rows, columns=list(names))
