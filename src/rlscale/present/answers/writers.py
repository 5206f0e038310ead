"""An answer as CSV, as a DataFrame and as HTML for notebooks."""

from __future__ import annotations

import csv
import io
import math
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

from rlscale.errors import InputError
from rlscale.inference import VerdictName
from rlscale.present.answers.answer import Answer, Cell, Column, Section, Table
from rlscale.present.palette import VERDICT

__all__ = ["as_csv", "as_frame", "as_html"]

#: Rows and sentences of a section that a notebook shows; a DataFrame has them all.
_ROWS, _SENTENCES = 100, 12


def as_csv(table: Table) -> str:
    """Return a table as CSV: intervals in three columns, unknown cells empty, infinity as ``inf``."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names, rows = table.flat()
    writer.writerow(names)
    writer.writerows([_plain(cell) for cell in row] for row in rows)
    return out.getvalue()


def _plain(cell: str | int | float | bool | None) -> str:
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return ""
    if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{cell}"  # a spreadsheet would run it as a formula
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


def as_html(answer: Answer, above: str = "", below: str = "") -> str:
    """Return an answer as HTML for a notebook; what is ``above`` and ``below`` its tables are charts, as HTML."""
    parts = [
        f"<style>{_style()}</style>",
        '<div class="rlscale">',
        f'<div class="head">{escape(answer.headline)}</div>',
    ]
    parts += [above, *map(_table, answer.tables), below]
    parts += [_section(section) for section in answer.sections if section.sentences]
    return "".join([*parts, "</div>"])


@cache
def _style() -> str:
    return (files("rlscale.present") / "templates" / "notebook.css").read_text(encoding="utf-8")


def _table(table: Table) -> str:
    columns = [(k, column) for k, column in enumerate(table.columns) if column.shown]
    head = "".join(f"<th{_side(column)}>{escape(column.heading)}</th>" for _, column in columns)
    body = [f"<tr>{''.join(_cell(table, column, row[k]) for k, column in columns)}</tr>" for row in table.rows[:_ROWS]]
    left = len(table.rows) - _ROWS
    note = " · ".join(text for text in (table.note, f"{left:,} more rows in to_frame()" if left > 0 else "") if text)
    caption = f"<caption>{escape(note)}</caption>" if note else ""
    return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"


def _side(column: Column) -> str:
    return ' class="text"' if column.kind in ("text", "verdict") else ""


def _cell(table: Table, column: Column, cell: Cell) -> str:
    text, ends = table.text(column, cell)
    shown = escape(text)
    if column.kind == "verdict" and isinstance(cell, str):
        light, dark = VERDICT[VerdictName(cell)]
        shown = f'<b class="v" style="--light:{light};--dark:{dark}">● {shown}</b>'
    return f"<td{_side(column)}>{shown}{f'<span>{escape(ends)}</span>' if ends else ''}</td>"


def _section(section: Section) -> str:
    title = f'<div class="section">{escape(section.title)}</div>' if section.title else ""
    items = "".join(f"<li>{escape(text)}</li>" for text in section.sentences[:_SENTENCES])
    left = len(section.sentences) - _SENTENCES
    return f"{title}<ul>{items}{f'<li>… and {left:,} more</li>' if left > 0 else ''}</ul>"
