"""A table as CSV and as a DataFrame."""

from __future__ import annotations

import csv
import io
import math
from typing import Any

from rlscale.answers.table import FlatCell, Table
from rlscale.errors import InputError
from rlscale.sources.printable import clean

__all__ = ["as_csv", "as_frame", "cell_text"]

#: What a spreadsheet would run as a formula.
_FORMULA = ("=", "+", "-", "@")


def as_csv(table: Table) -> str:
    """Return a table as CSV: intervals in three columns, unknown cells empty, infinity as ``inf``.

    Control characters are escaped: a file is shown with ``cat`` as often as it is read.
    """
    out = io.StringIO()
    names, rows = table.flat()
    csv.writer(out, lineterminator="\n").writerows([names, *([_plain(cell) for cell in row] for row in rows)])
    return out.getvalue()


def _plain(cell: FlatCell) -> str:
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return ""
    if isinstance(cell, str):
        return cell_text(cell)
    return f"{cell:.10g}" if isinstance(cell, float) else str(cell)


def cell_text(text: str) -> str:
    """Return a text as it stands in a cell: nothing that a spreadsheet runs or a terminal obeys."""
    shown = clean(text)
    return f"'{shown}" if shown.startswith(_FORMULA) else shown


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
