"""Long tables, a page at a time."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from rlscale.answers import Answer, Document, Section, Table
from rlscale.answers.answer import Block
from rlscale.answers.overview import ROWS

__all__ = ["first_of", "paged", "with_page"]

#: Sentences of a section that are shown; the others are folded away.
_SENTENCES = 12


def first_of(offset: int, matching: int, rows: int) -> int:
    """Return the place of the first row that is shown: as asked, beyond the end that of the last page."""
    return offset if offset < matching else max(matching - 1, 0) // rows * rows


def paged(answer: Answer, offset: int, names: Collection[str]) -> Answer:
    """Return an answer with a page of its long tables of these names, its long sections folded, its document whole."""
    long = [len(block.rows) for block in answer.blocks if isinstance(block, Table) and block.name in names]
    matching = max(long, default=0)
    first = first_of(offset, matching, ROWS)
    blocks = tuple(_part(block, first, names) for block in answer.blocks)
    return with_page(replace(answer, blocks=blocks), first, min(ROWS, matching - first), matching, ROWS)


def with_page(answer: Answer, first: int, shown: int, matching: int, rows: int) -> Answer:
    """Return an answer whose document says which rows its page shows."""
    page = {"first": first, "shown": shown, "matching": matching, "rows": rows}
    document = answer.document
    if isinstance(document, Document):
        return replace(answer, document=replace(document, more={**document.more, "page": page}))
    return replace(answer, document={**document, "page": page})


def _part(block: Block, first: int, names: Collection[str]) -> Block:
    if isinstance(block, Section):
        return replace(block, most=min(block.most, _SENTENCES))
    if not isinstance(block, Table) or block.name not in names or len(block.rows) <= ROWS:
        return block
    shown = slice(first, first + ROWS)
    return replace(
        block,
        rows=block.rows[shown],
        row_bounds=block.row_bounds[shown],
        row_units=block.row_units[shown],
        places=block.places[shown] if block.places else tuple(range(len(block.rows)))[shown],
        bold=tuple(k - first for k in block.bold if first <= k < first + ROWS),
        open_ends=frozenset((k - first, key) for k, key in block.open_ends if first <= k < first + ROWS),
    )
