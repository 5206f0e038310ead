"""An answer as text for a terminal: the headline, its tables in the richest layout that fits, its sentences."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from rlscale.answers import Answer, Section, Sentence, Table
from rlscale.answers.coverage import pooled
from rlscale.render.layout import (
    Layout,
    badge,
    fitting,
    folded,
    median_and_span,
    plain_table,
    print_table,
    print_wrapped,
    unknown,
)

__all__ = ["print_answer"]

#: Sentences shown of a section that has too many.
_FEW = 12


def print_answer(answer: Answer, console: Console) -> None:
    """Print an answer."""
    print_wrapped(console, answer.headline, style="bold")
    for sentence in answer.lead:
        print_wrapped(console, sentence)
    if answer.grouping is not None:
        print_wrapped(console, pooled(answer.grouping))
    console.print()
    for block in answer.blocks:
        if isinstance(block, Table) and block.rows and not block.on_page_only:
            _print_table(block, console)
        elif isinstance(block, Section) and block.sentences:
            _print_section(block, console)


def _print_table(table: Table, console: Console) -> None:
    print_table(
        console, fitting(lambda layout, width, limit: _built(table, layout, width, limit), _names(table), console)
    )
    console.print()


def _names(table: Table) -> list[str]:
    """Return the names that fold; as many empty ones where the table has none."""
    place = _name_place(table)
    return ["" if place is None else str(row[place]) for row in table.rows]


def _name_place(table: Table) -> int | None:
    return next((k for k in table.shown if table.columns[k].kind == "name"), None)


def _built(table: Table, layout: Layout, name_width: int, limit: int) -> RichTable:
    """Return the first rows of a table in a layout."""
    named = _name_place(table)
    below = None  # the verdict, where it stands below the name
    if layout is Layout.LEAN and named is not None:
        below = next((k for k in table.shown if table.columns[k].kind == "verdict"), None)
    places = [k for k in table.shown if k != below and not (table.columns[k].spare and layout < Layout.COLUMNS)]
    best = {k: table.best(k) for k in places if table.columns[k].best}
    built = plain_table(layout)
    if table.title:
        built.title, built.title_justify = table.title, "left"
    if table.note:
        built.caption, built.caption_justify = table.note, "left"
    for k in places:
        column = table.columns[k]
        if k == named:
            built.add_column(column.heading, width=name_width, overflow="fold")
        else:
            # the space stands where the best of a column has its mark
            heading = "\n".join(f"{line} " for line in column.heading.split("\n")) if k in best else column.heading
            built.add_column(Text(heading), justify="left" if column.words else "right", no_wrap=True)
    apart = not all(map(table.starts, range(len(table.rows))))  # groups of one row each need no gaps
    for row in range(min(limit, len(table.rows))):
        if apart and row and table.starts(row):
            built.add_section()
        cells = [_cell(table, row, k, layout) for k in places]
        if named is not None:
            at = places.index(named)
            cells[at] = _name(table, row, named, name_width, below)
        for at, k in enumerate(places):
            if k in best:
                cells[at] = Text(f"{cells[at].plain}*", style="bold green") if row in best[k] else cells[at].append(" ")
        built.add_row(*cells)
    return built


def _name(table: Table, row: int, place: int, width: int, below: int | None) -> Text:
    """Return a name, with the verdict below it where there is no column for it."""
    text = Text(folded(table.text(row, place)[0], width), style="bold" if row in table.bold else "")
    if below is not None:
        text.append("\n").append_text(badge(str(table.rows[row][below])))
    return text


def _cell(table: Table, row: int, place: int, layout: Layout) -> Text:
    column, cell = table.columns[place], table.rows[row][place]
    if cell is None:
        return unknown()
    if column.kind in ("verdict", "decision"):
        return badge(str(cell))
    text, ends = table.text(row, place)
    if ends:
        return median_and_span(text, ends, layout)
    return Text(text, style="bold" if column.words and row in table.bold else "")


def _print_section(section: Section, console: Console) -> None:
    if section.title:
        console.print(Text(section.title, style="bold"))
    marked = any(isinstance(each, Sentence) and each.mark for each in section.sentences)
    for sentence, left in _capped(section):
        if left:
            console.print(f"{'  ' * sentence.level}… and {left:,} more (--json lists them)")
        else:
            _print_sentence(sentence, console, bullet="" if marked else "· ")
    console.print()


def _capped(section: Section) -> Iterator[tuple[Sentence, int]]:
    """Yield the sentences shown, and after each stretch of a level that is too long how many more it has."""
    sentences = [Sentence(each) if isinstance(each, str) else each for each in section.sentences]
    start = 0
    while start < len(sentences):
        level, end = sentences[start].level, start
        while end < len(sentences) and sentences[end].level == level:
            end += 1
        stretch = sentences[start:end]
        shown = stretch if len(stretch) <= section.most else stretch[: min(_FEW, section.most)]
        yield from ((sentence, 0) for sentence in shown)
        if len(shown) < len(stretch):
            yield stretch[-1], len(stretch) - len(shown)
        start = end


def _print_sentence(sentence: Sentence, console: Console, bullet: str) -> None:
    if sentence.mark:
        lead = badge(sentence.mark)
        subject = f"{sentence.subject}: " if sentence.subject else ""
        print_wrapped(console, f"{lead.plain}  {subject}{sentence.text}", rest="    ", lead=lead)
    elif sentence.level:
        lead = Text(sentence.subject, style="bold")
        print_wrapped(console, f"{sentence.subject}  {sentence.text}", first="  ", rest="    ", lead=lead)
    else:
        subject = f"{sentence.subject}: " if sentence.subject else ""
        print_wrapped(console, f"{subject}{sentence.text}", first=bullet, rest="  ")
