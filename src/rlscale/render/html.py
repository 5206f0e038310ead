"""An answer as HTML: a page that opens offline, and what a notebook shows. Drawings are inline SVG."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from rlscale.answers import Answer, Cards, Column, Definitions, Figures, Section, Sentence, Table, numbers
from rlscale.answers.charts.spec import Panel
from rlscale.answers.checklist import MADE
from rlscale.answers.coverage import pooled
from rlscale.answers.palette import DECISION, SERIES, SEVERITY, mark_words
from rlscale.answers.settings import versions
from rlscale.inference import Interval
from rlscale.render.svg import colour_variables, css_colour, interval_svg, panel_svg
from rlscale.sources.printable import clean_lines

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

__all__ = [
    "SIZES",
    "SOLE",
    "Fragment",
    "Links",
    "as_notebook",
    "as_page",
    "fragments",
    "keyed_blocks",
    "lead",
    "stylesheet",
]

#: Rows of a table that a page and a notebook show.
_ROWS, _NOTEBOOK_ROWS = 1000, 100
_MARKS = ("verdict", "decision")
#: Sentences of a section that a notebook shows where it has too many.
_FEW = 12
#: Width and height of a figure of each size, and of the stand-in for small screens, in pixels of its own scale.
SIZES = {"wide": (1040, 420), "strip": (1040, 100), "half": (440, 300), "small": (270, 258)}
_NARROW = (440, 340)
#: The drawing of a card that stands alone.
SOLE = (780, 470)
_SMALL = (372, 232)


def as_page(answer: Answer) -> str:
    """Return the whole answer as one HTML file that opens offline."""
    title = re.sub(r"^rlscale\s+", "", answer.settings.command).partition(" ")[0] or "answer"
    return _filled(
        "page.html.j2",
        answer=answer,
        title=f"rlscale {title}",
        css=stylesheet(),
        lead=lead(answer),
        blocks=[_context(block, _ROWS) for block in _page_blocks(answer)],
        links=Links(),
        versions=versions(),
    )


@dataclass(frozen=True)
class Fragment:
    """A block of an answer as HTML.

    Parameters
    ----------
    key : str
        The same for the same block of a later answer.
    html : Markup
    hash : str
        Of the HTML: two fragments that look alike have the same.
    """

    key: str
    html: Markup
    hash: str


@dataclass(frozen=True)
class Links:
    """What the names on a page lead to.

    Parameters
    ----------
    addresses : mapping of str to str
        Of runs and recipes.
    chosen : frozenset of str, optional
        Names whose boxes are ticked; None where there is nothing to choose.
    order : mapping of str to str
        Column of a table that is sorted anew by a click on its heading, to the address of that.
    sorted_by : str
        Column by which tables are sorted, ``-`` before it where the largest comes first; empty for as they are.
    """

    addresses: Mapping[str, str] = field(default_factory=dict)
    chosen: frozenset[str] | None = None
    order: Mapping[str, str] = field(default_factory=dict)
    sorted_by: str = ""

    def linked(self, name: str) -> Markup:
        """Return a name, or several after commas, that leads to its page; long ones break after their separators."""
        address = self.addresses.get(name)
        if address is None and ", " in name and any(part in self.addresses for part in name.split(", ")):
            return _safe(", ").join(map(self.linked, name.split(", ")))
        text = _breakable(name)
        return text if address is None else _safe('<a href="{}">{}</a>').format(address, text)

    def box(self, name: str) -> Markup:
        """Return the box by which a name is chosen; nothing where it cannot be."""
        if self.chosen is None or name not in self.addresses:
            return _safe("")
        ticked = _safe(" checked") if name in self.chosen else ""
        return _safe(
            '<label class="pick">'
            '<input type="checkbox" name="run" value="{0}" form="choice" aria-label="Choose {0}"{1}></label>'
        ).format(name, ticked)


def fragments(answer: Answer, links: Links | None = None) -> tuple[Fragment, ...]:
    """Return the blocks of an answer, each as HTML of its own: those that its report has.

    Parameters
    ----------
    answer : Answer
    links : Links, optional
        Where names lead to; a report has none.
    """
    links = links or Links()
    parts = []
    for key, block in keyed_blocks(answer):
        html = _filled("fragment.html.j2", block=_context(block, _ROWS), links=links)
        parts.append(Fragment(key, _safe(html), hashlib.sha256(html.encode()).hexdigest()[:16]))
    return tuple(parts)


def keyed_blocks(answer: Answer) -> Iterator[tuple[str, Any]]:
    """Yield the blocks of a page, each with the key of its fragment."""
    met: Counter[str] = Counter()
    for block in _page_blocks(answer):
        name = f"{type(block).__name__.lower()}-{getattr(block, 'title', '')}"
        yield f"{name}-{met[name]}", block
        met[name] += 1


def _safe(html: str) -> Markup:
    from markupsafe import Markup

    return Markup(html)


def as_notebook(answer: Answer) -> str:
    """Return an answer as HTML for a notebook: headline, tables, the first panel of its chart, sentences."""
    tables = [_context(table, _NOTEBOOK_ROWS) for table in answer.tables if table.rows and not table.on_page_only]
    sections = [_context(_few(section), 0) for section in answer.sections if section.sentences]
    panels = () if answer.chart is None else answer.chart.panels[:1]
    figures = [_context(Figures("", panels), 0)] if panels else []
    blocks = [*tables, *figures, *sections]
    return _filled("notebook.html.j2", answer=answer, css=stylesheet(), lead=lead(answer), blocks=blocks, links=Links())


def lead(answer: Answer) -> list[str]:
    """Return the sentences under the headline."""
    return [*answer.lead, *([] if answer.grouping is None else [pooled(answer.grouping)])]


def _page_blocks(answer: Answer) -> list[Any]:
    blocks: list[Any] = [block for block in answer.blocks if _on_page(block)]
    if answer.errors:
        lost = tuple(Sentence(error.message, error.path) for error in answer.errors)
        at = next((k for k, block in enumerate(blocks) if isinstance(block, Definitions)), len(blocks))
        blocks.insert(at, Section("Left out", lost))
    options = {name: value for name, value in answer.settings.options.items() if value not in (None, (), [], False)}
    if options:
        item = ("Options", ", ".join(f"{name} = {_option(value)}" for name, value in options.items()))
        last = blocks[-1] if blocks and isinstance(blocks[-1], Definitions) else None
        if last is None:
            blocks.append(Definitions(MADE, (item,)))
        else:
            blocks[-1] = replace(last, items=(*last.items, item))
    return blocks


def _option(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return " ".join(map(_option, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _on_page(block: Any) -> bool:
    if isinstance(block, Section):
        return block.on_page and bool(block.sentences)
    return bool(block.rows) if isinstance(block, Table) else True


def _few(section: Section) -> Section:
    """Return a section with as many sentences as a notebook shows."""
    if len(section.sentences) <= min(section.most, 2 * _FEW):
        return section
    more = f"… and {len(section.sentences) - _FEW:,} more (to_dict() has them all)"
    return replace(section, sentences=(*section.sentences[:_FEW], more))


def _context(block: Any, rows: int) -> dict[str, Any]:
    """Return a block as a template takes it, under the name of its kind."""
    kind = type(block).__name__.lower()
    if isinstance(block, Table):
        return {"kind": kind, "table": block, "rows": _rows(block, rows), "more": max(len(block.rows) - rows, 0)}
    if isinstance(block, Section):
        sentences = [Sentence(each) if isinstance(each, str) else each for each in block.sentences]
        first = block.most if len(sentences) > block.most + 2 else len(sentences)
        return {"kind": kind, "section": block, "sentences": sentences[:first], "more": sentences[first:]}
    if isinstance(block, Figures):
        return {"kind": kind, "figures": block, "drawings": _drawings(block)}
    if isinstance(block, Cards):
        cards = [(card, _card_drawing(card.panel, block), css_colour(card.colour)) for card in block.cards]
        return {"kind": kind, "cards": block, "drawn": cards}
    return {"kind": kind, "definitions": block}


def _drawings(figures: Figures) -> list[tuple[str, str]]:
    """Return the drawings with their titles."""
    width, height = SIZES[figures.size]
    if figures.narrow is not None:
        return [("", _drawing(figures.panels[0], 1040, 420, "overlay wide")
                 + _drawing(figures.narrow, *_NARROW, "overlay narrow"))]  # fmt: skip
    if figures.size == "strip":
        return [(panel.title, _strip(panel)) for panel in _lined_up(figures.panels)]
    kind = "panel" if figures.size in ("half", "small") else "overlay"
    return [(panel.title, _drawing(panel, width, height, kind)) for panel in figures.panels]


def _card_drawing(panel: Panel, cards: Cards) -> str:
    """Return the drawing of a card; one that stands alone is large, with a stand-in for small screens."""
    if cards.small:
        return panel_svg(panel, width=_SMALL[0], height=_SMALL[1])
    if len(cards.cards) > 1:
        return panel_svg(panel)
    return _drawing(panel, *SOLE, "fan wide") + _drawing(panel, *_NARROW, "fan narrow")


def _strip(panel: Panel) -> str:
    axis = 28 if panel.x.ticks else 0
    (width, height), (narrow, low) = SIZES["strip"], (_NARROW[0], 110)
    return _drawing(panel, width, height + axis, "overlay wide") + _drawing(panel, narrow, low + axis, "overlay narrow")


def _lined_up(panels: tuple[Panel, ...]) -> list[Panel]:
    """Return panels that share the axis of the last."""
    return [*(replace(panel, x=replace(panel.x, ticks=(), label="")) for panel in panels[:-1]), *panels[-1:]]


def _drawing(panel: Panel, width: float, height: float, kind: str) -> str:
    return panel_svg(panel, width=width, height=height, kind=kind)


@dataclass(frozen=True)
class _Cell:
    """A cell of a page.

    Parameters
    ----------
    column : Column
    text, ends : str
        As people read them.
    mark : str
        CSS class of a verdict or decision.
    bar : str
        A drawing of the interval.
    share : float, optional
        A probability that is drawn as a bar.
    best : bool
    """

    column: Column
    text: str
    ends: str
    mark: str
    bar: str
    share: float | None
    best: bool


def _rows(table: Table, most: int) -> list[dict[str, Any]]:
    limits = _limits(table)
    best = {k: table.best(k) for k in table.shown}
    rows = []
    for row in range(min(len(table.rows), most)):
        colour = _colour(table, row)
        cells = [_page_cell(table, row, k, colour, limits, row in best[k]) for k in table.shown]
        rows.append({
            "cells": cells, "colour": css_colour(colour), "first": bool(table.group and row and table.starts(row)),
            "bold": row in table.bold,
        })  # fmt: skip
    return rows


def _colour(table: Table, row: int) -> str:
    """Return the colour role of a row: of its recipe, its decision or its verdict."""
    if table.coloured:
        place = table.places[row] if table.places else row
        return f"s{place}" if place < len(SERIES) else "faint"
    marks = (
        cell for column, cell in zip(table.columns, table.rows[row], strict=True) if column.kind in _MARKS and cell
    )
    return str(next(marks, "accent"))


def _page_cell(table: Table, row: int, k: int, colour: str, limits: tuple[float, float], best: bool) -> _Cell:
    column, cell = table.columns[k], table.rows[row][k]
    text, ends = table.text(row, k)
    marked = column.kind in _MARKS and isinstance(cell, str)
    bar = interval_svg(cell, limits, colour) if column.bar and isinstance(cell, Interval) else ""
    share = cell if column.bar and column.kind == "probability" and isinstance(cell, float) else None
    return _Cell(column, text, ends, str(cell) if marked else "", bar, share, best)


def _limits(table: Table) -> tuple[float, float]:
    """Return the scale that the bars of a table share."""
    bars = [k for k in table.shown if table.columns[k].bar]
    known = [cell for row in table.rows for k in bars if isinstance(cell := row[k], Interval)]
    if not known:
        return 0.0, 1.0
    return min(interval.q10 for interval in known), max(interval.q90 for interval in known)


def _filled(template: str, **context: Any) -> str:
    return clean_lines(_environment().get_template(template).render(**context))


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("rlscale.render"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(count=numbers.count, tied=_tied, breakable=_breakable, words=_words)
    return environment


@cache
def stylesheet() -> str:
    """Return the style of answers, with the palette, light and dark."""
    folder = files("rlscale.render") / "templates"
    sheets = "".join((folder / f"{name}.css").read_text(encoding="utf-8") for name in ("answer", "chart"))
    return colour_variables(".rlscale", *_decisions()) + sheets


def _decisions() -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Return the colours of decisions and severities, which are those of recipes and verdicts, light and dark."""
    roles = {name: css_colour(role) for name, (_, _, role) in {**DECISION, **SEVERITY}.items()}
    return roles, roles


def _words(mark: str) -> str:
    """Return a mark without its sign, which a page draws."""
    return mark_words(mark)[2:]


def _tied(text: str) -> str:
    """Keep a number and its per cent sign on one line."""
    return text.replace(" %", "\u00a0%")


def _breakable(text: str) -> Markup:
    """Let a long name break after its separators."""
    from markupsafe import Markup, escape

    return Markup(re.sub(r"([/_:])(?=.)", r"\1<wbr>", str(escape(text))))
