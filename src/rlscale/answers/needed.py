"""The answer where there is nothing to show: what is needed, and how to get it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rlscale.answers.answer import Answer, Section
from rlscale.answers.documents import SCHEMA
from rlscale.answers.table import Table

__all__ = ["needed_answer"]


def needed_answer(
    headline: str,
    needed: Sequence[str],
    *,
    title: str = "What this page needs",
    kicker: str = "",
    document: Mapping[str, Any] | None = None,
) -> Answer:
    """Return the answer.

    Parameters
    ----------
    headline : str
        Why there is nothing.
    needed : sequence of str
        What to do, a sentence each.
    title, kicker : str
    document : mapping, optional
        The JSON; by default the headline as a note.
    """
    return Answer(
        headline=headline,
        table=Table(name="nothing", columns=(), rows=()),
        document={"schema": SCHEMA, "note": headline, "needed": [*needed]} if document is None else document,
        blocks=(Section(title, tuple(needed)),),
        kicker=kicker,
    )
