"""The view of the decisions that a ledger holds, or that are of now."""

from __future__ import annotations

from dataclasses import dataclass

from rlscale.answers.gate import GateView
from rlscale.ledger import DecisionRow
from rlscale.live import Explanation

__all__ = ["Again", "Command", "DecisionsView", "Word"]


@dataclass(frozen=True)
class Word:
    """What a person said of a run: ``text`` is when, who, what and why."""

    run: str
    action: str
    text: str


@dataclass(frozen=True)
class Command:
    """How the command that carried a decision out ended."""

    decision: int
    text: str


@dataclass(frozen=True, kw_only=True)
class Again:
    """A decision made again."""

    number: int
    explanation: Explanation


@dataclass(frozen=True, kw_only=True)
class DecisionsView:
    """What the page of decisions shows.

    Parameters
    ----------
    gate : GateView
        Those in force.
    history : tuple of DecisionRow
        As a ledger holds them, the last first; empty where there is none.
    more : int
        Earlier ones that are not shown.
    words : tuple of Word
        What people said, the last first.
    commands : tuple of Command
    watcher : str, optional
        Who watches now.
    again : Again, optional
        The decision that was asked to be made again.
    from_ledger : bool
    looked_at : float, optional
        When the latest look was.
    """

    gate: GateView
    history: tuple[DecisionRow, ...] = ()
    more: int = 0
    words: tuple[Word, ...] = ()
    commands: tuple[Command, ...] = ()
    watcher: str | None = None
    again: Again | None = None
    from_ledger: bool = False
    looked_at: float | None = None
