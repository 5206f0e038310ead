"""What all texts for terminals are made of: tables in the richest layout that fits, and sentences folded to the width.

Four layouts, the richest that fits: roomy (an interval beside its median), columns (below it), compact (without the
columns that say least), lean (the verdict goes below the name as well).
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable, Sequence
from enum import IntEnum

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from rlscale.answers.numbers import UNKNOWN
from rlscale.answers.palette import DECISION, SEVERITY, VERDICT_RICH, mark_words
from rlscale.inference import VerdictName

__all__ = [
    "Layout",
    "badge",
    "fitting",
    "folded",
    "median_and_span",
    "plain_table",
    "print_list",
    "print_table",
    "print_wrapped",
    "unknown",
]

#: Rows that decide which layout fits; the columns hold numbers of one format.
_MEASURED = 60
#: A name column narrower than this is not given to a richer layout.
_NAME = 30
_NAME_HEADING = len("recipe")
_LEAN_NAME = 20
#: Stands beside a letter that takes two columns while a text is folded; a private character, no text has it.
_BESIDE = "\uf8ff"
#: Columns enough for any table, to measure one that need not fit.
_ENDLESS = 100_000
#: A table of more rows is laid out here where no colours are wanted: Rich takes a millisecond a row.
_MANY = 200


class Layout(IntEnum):
    """How much room a table takes."""

    LEAN = 0
    COMPACT = 1
    COLUMNS = 2
    ROOMY = 3


def fitting(build: Callable[[Layout, int, int], Table], names: Sequence[str], console: Console) -> Table:
    """Return the table in the richest layout that leaves the names, and their heading, enough room."""
    longest = max(_NAME_HEADING, *map(cell_len, names))
    room = 0
    for layout in reversed(Layout):
        probe = build(layout, _NAME_HEADING, _MEASURED)
        # measured without the console's width, or a table that is too wide would seem to fit
        needed = Measurement.get(console, console.options.update(max_width=_ENDLESS), probe).maximum
        room = console.width - needed + _NAME_HEADING
        if room >= min(longest, _NAME):
            break
    if layout is Layout.LEAN:
        longest = max(longest, _LEAN_NAME)  # the verdict stands there too
    return build(layout, min(longest, max(room, _LEAN_NAME // 2)), len(names))


def print_table(console: Console, table: Table) -> None:
    """Print a table of :func:`plain_table`, in the same text however many rows it has."""
    lines = _lines(table, console.width) if table.row_count > _MANY and not console.is_terminal else None
    if lines is None:
        console.print(table)
    else:
        console.file.writelines(f"{line}\n" for line in lines)


def _lines(table: Table, room: int) -> list[str] | None:
    """Return the lines of a table without colours; None where it must be folded or made printable."""
    columns = [[_split(cell) for cell in (column.header, *column.cells)] for column in table.columns]
    needed = [max(cell_len(line) for cell in cells for line in cell) for cells in columns]
    widths = [column.width or most for column, most in zip(table.columns, needed, strict=True)]
    right = [column.justify == "right" for column in table.columns]
    gap = " " * (1 + table.padding[1])
    total = sum(widths) + len(gap) * (len(widths) - 1)
    if total > room or table.title is not None or any(most > width for most, width in zip(needed, widths, strict=True)):
        return None
    lines: list[str] = []
    for row in zip(*columns, strict=True):
        height = max(map(len, row))
        if not lines:  # a heading stands at the foot of its cell
            row = tuple([""] * (height - len(cell)) + cell for cell in row)
        for k in range(height):
            texts = (cell[k] if k < len(cell) else "" for cell in row)
            lines.append(gap.join(map(_padded, texts, widths, right)))
        if len(lines) == height:
            lines.append("─" * total)
    if table.caption is not None:
        lines.append(_padded(str(table.caption), total, False))
    return lines if all(map(str.isprintable, lines)) and cell_len(lines[-1]) == total else None


def _padded(text: str, width: int, right: bool) -> str:
    room = " " * (width - cell_len(text))
    return room + text if right else text + room


def _split(cell: object) -> list[str]:
    return (cell.plain if isinstance(cell, Text) else str(cell)).split("\n")


def folded(name: str, width: int) -> str:
    """Break a long name after its separators where that keeps it within ``width``."""
    lines = [""]
    for part in re.split(r"(?<=[/_.:-])", name):
        for piece in textwrap.wrap(part, width, drop_whitespace=False) or [""]:
            if len(lines[-1]) + len(piece) > width and lines[-1]:
                lines.append("")
            lines[-1] += piece
    return "\n".join(lines)


def plain_table(layout: Layout = Layout.COLUMNS) -> Table:
    """Return an empty table in the style of all."""
    gap = 0 if layout is Layout.LEAN else 1
    return Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, gap, 0, 0), header_style="bold", show_edge=False)


def badge(mark: str) -> Text:
    """Return a verdict, a decision or a severity with its sign, in its colour."""
    signs = {**DECISION, **SEVERITY}
    style = signs[mark][1] if mark in signs else VERDICT_RICH[VerdictName(mark)]
    return Text(mark_words(mark), style=style)


def median_and_span(median: str, ends: str, layout: Layout) -> Text:
    """Return a median with its interval beside it or below it."""
    return Text.assemble(median, "  " if layout is Layout.ROOMY else "\n", (ends, "dim"))


def unknown() -> Text:
    """Return the dash of what is not known."""
    return Text(UNKNOWN, style="dim")


def print_list(console: Console, title: str, lines: Iterable[str]) -> None:
    """Print sentences as a list under a title; nothing where there are none."""
    lines = list(lines)
    if not lines:
        return
    if title:
        console.print(Text(title, style="bold"))
    for line in lines:
        print_wrapped(console, line, first="· ", rest="  ")
    console.print()


def print_wrapped(
    console: Console, text: str, first: str = "", rest: str = "", lead: Text | None = None, style: str = ""
) -> None:
    """Print a text folded to the console, its later lines indented; nothing is padded on the right.

    ``lead`` is the styled form of how the text begins.
    """
    tied = re.sub(r"(?<=\d) %", "\u00a0%", text)
    # a letter two columns wide is counted as two
    wide = re.sub(r"[^\x00-\u10ff]", lambda found: found[0] + _BESIDE * (cell_len(found[0]) - 1), tied)
    wrapped = textwrap.wrap(wide, console.width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)
    for number_, line in enumerate(wrapped):
        shown = Text(line.replace(_BESIDE, "").replace("\u00a0", " "), style=style)
        if number_ == 0 and lead is not None and shown.plain[len(first) :].startswith(lead.plain):
            shown.stylize(lead.style if isinstance(lead.style, str) else "", len(first), len(first) + len(lead.plain))
        console.print(shown, no_wrap=True, crop=False)
