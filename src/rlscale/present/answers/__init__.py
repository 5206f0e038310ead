"""Answers: what every command says, as one plain value that is written as CSV, HTML and a DataFrame alike."""

from __future__ import annotations

from rlscale.present.answers.answer import Answer, Column, Section, Table

__all__ = ["Answer", "Column", "Section", "Table"]
