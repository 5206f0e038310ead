"""Pages, and where they come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from rlscale.answers import Answer
from rlscale.serve.query import Query

__all__ = ["Board", "Page"]


@dataclass(frozen=True)
class Page:
    """An answer as it stands.

    Parameters
    ----------
    query : Query
    answer : Answer
    version : int
        Of the board that it was computed from.
    at : float
        When that version was read, in seconds since 1970.
    """

    query: Query
    answer: Answer
    version: int
    at: float


class Board(Protocol):
    """Where pages come from. All of it may be called from several threads."""

    @property
    def version(self) -> int:
        """Number of the runs as they stand; it only rises."""

    @property
    def at(self) -> float:
        """When they were read, in seconds since 1970."""

    @property
    def recipes(self) -> Mapping[str, tuple[str, ...]]:
        """Recipe to the names of its runs."""

    @property
    def ledger(self) -> str | None:
        """Address of the ledger that takes what people say of runs; None of logs."""

    @property
    def troubles(self) -> tuple[str, ...]:
        """What is wrong with the sources now, in sentences."""

    def word(self, run: str) -> str:
        """Return what a person said of a run last, by whom and when; empty where nobody did."""

    def refresh(self) -> bool:
        """Read what is new, and make the pages ready that are looked at; say whether anything is new."""

    def page(self, query: Query) -> Page:
        """Return a page.

        Raises
        ------
        UnknownError
            A run that is not there.
        InputError
            What cannot be answered; its message says what to do.
        """

    def close(self) -> None:
        """Close the files and connections that are kept open."""
