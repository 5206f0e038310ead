"""An answer as a plain value: a headline, blocks (tables, sentences, figures, cards), a chart, the JSON document."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from rlscale.answers.charts.spec import Chart, Panel
from rlscale.answers.settings import BadFile, Settings
from rlscale.answers.table import Table
from rlscale.sources import Grouping

__all__ = ["Answer", "Block", "Card", "Cards", "Definitions", "Document", "Fact", "Figures", "Section", "Sentence"]


@dataclass(frozen=True)
class Sentence:
    """A sentence.

    Parameters
    ----------
    text : str
    subject : str
        Who it is about; stands before it, in bold.
    mark : str
        The verdict or the decision that stands first, in its colour; empty for none.
    level : int
        1 for one that belongs to the sentence before it.
    """

    text: str
    subject: str = ""
    mark: str = ""
    level: int = 0


@dataclass(frozen=True)
class Section:
    """Sentences that belong together, under a title that may be empty.

    Parameters
    ----------
    title : str
    sentences : tuple of Sentence or str
    most : int
        So many are shown by a terminal and a notebook, of a level without a break; of more a few, and how many more
        there are. A page shows all.
    note : str
        Said under the title on a page.
    on_page : bool
        Whether a page has it too: not where its cards say the same.
    """

    title: str
    sentences: tuple[Sentence | str, ...]
    most: int = 40
    note: str = ""
    on_page: bool = True


@dataclass(frozen=True)
class Figures:
    """Drawings on a page.

    Parameters
    ----------
    title : str
    panels : tuple of Panel
    note : str
    size : str
        ``wide`` (the width of the page), ``strip`` (as wide, but low, and lined up), ``half`` or ``small`` (several
        beside each other).
    narrow : Panel, optional
        Stands in for the first on small screens.
    """

    title: str
    panels: tuple[Panel, ...]
    note: str = ""
    size: str = "wide"
    narrow: Panel | None = None


@dataclass(frozen=True)
class Fact:
    """A number of a card: what it is, its text, and its interval or a remark."""

    name: str
    value: str
    ends: str = ""


@dataclass(frozen=True)
class Card:
    """One run, recipe or size on a page: a drawing, what is said of it, its numbers.

    Parameters
    ----------
    title : str
    mark : str
        A verdict or decision; its badge says ``badge``, or its own name.
    panel : Panel
    sentences : tuple of str
    facts : tuple of Fact
    details : tuple of str
        Folded away under ``summary``; ``open`` where they must be seen.
    """

    title: str
    mark: str
    panel: Panel
    sentences: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()
    summary: str = ""
    details: tuple[str, ...] = ()
    open: bool = False
    badge: str = ""
    colour: str = "s0"


@dataclass(frozen=True)
class Cards:
    """Cards under a title; ``hidden`` more have none; ``small`` ones stand closer."""

    title: str
    cards: tuple[Card, ...]
    note: str = ""
    hidden: int = 0
    small: bool = False


@dataclass(frozen=True)
class Definitions:
    """Terms and what each means here, on a page."""

    title: str
    items: tuple[tuple[str, str], ...]
    note: str = ""


Block = Table | Section | Figures | Cards | Definitions


@dataclass(frozen=True)
class Document(Mapping[str, Any]):
    """A JSON document that is put together when it is first read: that of thousands of runs takes a while.

    Parameters
    ----------
    build : callable
        Takes ``of``, returns the document.
    of : object
        The view that it is the document of.
    more : mapping
        Keys added to it.
    """

    build: Callable[[Any], Mapping[str, Any]]
    of: Any
    more: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def _values(self) -> Mapping[str, Any]:
        return {**self.build(self.of), **self.more}

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a command says.

    Parameters
    ----------
    headline : str
        The answer in a sentence.
    table : Table
        What becomes CSV and a DataFrame.
    document : mapping
        The JSON.
    lead : tuple of str
        Sentences under the headline.
    grouping : Grouping, optional
        How runs were pooled.
    blocks : tuple of Block
        What people see, in order. A terminal and a notebook show tables and sections, a page all of them.
    chart : Chart, optional
        What ``--plot`` draws; None where there is nothing to draw, or where it was not asked for.
    kicker : str
        What the answer is of, in a few words.
    errors : tuple of BadFile
        Files that could not be used.
    settings : Settings
        How it was asked for.
    """

    headline: str
    table: Table
    document: Mapping[str, Any]
    lead: tuple[str, ...] = ()
    grouping: Grouping | None = None
    blocks: tuple[Block, ...] = ()
    chart: Chart | None = None
    kicker: str = ""
    errors: tuple[BadFile, ...] = ()
    settings: Settings = field(default_factory=Settings)

    @property
    def tables(self) -> tuple[Table, ...]:
        """The tables that people see."""
        return tuple(block for block in self.blocks if isinstance(block, Table))

    @property
    def sections(self) -> tuple[Section, ...]:
        """The sentences that people see, in their sections."""
        return tuple(block for block in self.blocks if isinstance(block, Section))
