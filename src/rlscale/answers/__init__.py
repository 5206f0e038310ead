"""Answers: what every command says, as one plain value; text, JSON, CSV, pages and notebooks are rendered from it."""

from __future__ import annotations

from rlscale.answers.answer import (
    Answer,
    Block,
    Card,
    Cards,
    Definitions,
    Document,
    Fact,
    Figures,
    Section,
    Sentence,
)
from rlscale.answers.settings import BadFile, Settings
from rlscale.answers.table import Cell, Column, Table

__all__ = [
    "Answer",
    "BadFile",
    "Block",
    "Card",
    "Cards",
    "Cell",
    "Column",
    "Definitions",
    "Document",
    "Fact",
    "Figures",
    "Section",
    "Sentence",
    "Settings",
    "Table",
]
