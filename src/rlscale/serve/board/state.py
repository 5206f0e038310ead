"""What a board knows at one version: the runs, what was decided on them, what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import inf

from rlscale.answers.decisions import Command, Word
from rlscale.answers.gate import GateView
from rlscale.answers.overview import Told
from rlscale.answers.views import RankView
from rlscale.answers.when import moment
from rlscale.ledger import DecisionRow, Override
from rlscale.ledger.overrides import next_look
from rlscale.live import Explanation
from rlscale.live.alarms import Signal
from rlscale.sources import Reading

__all__ = ["Decided", "State", "Stored"]

#: What the words of people amount to, as decisions and told afterwards.
_ACTIONS = {"hold": "hold", "lost": "stop"}
_DONE = {"hold": "held", "resume": "resumed", "pin": "pinned", "end": "noted as over", "lost": "given up as lost"}


@dataclass(frozen=True, eq=False, kw_only=True)
class Decided:
    """What was decided on the runs.

    Parameters
    ----------
    gate : GateView, optional
        The decisions in force; None where there are none.
    note : str
        Why there are none.
    history : tuple of DecisionRow
        Those that a ledger holds, the last first.
    more : int
        Earlier ones that are not among them.
    words : tuple of Word
    spoken : tuple of Override
        All that people said of runs, in order.
    commands : tuple of Command
    watcher : str, optional
    looked_at : float, optional
    sent : tuple of Signal
        Alarms that a watcher has sent and that are not over.
    explain : callable, optional
        Makes a decision again by its number; None where no ledger holds any.
    """

    gate: GateView | None = None
    note: str = ""
    history: tuple[DecisionRow, ...] = ()
    more: int = 0
    words: tuple[Word, ...] = ()
    spoken: tuple[Override, ...] = ()
    commands: tuple[Command, ...] = ()
    watcher: str | None = None
    looked_at: float | None = None
    sent: tuple[Signal, ...] = ()
    explain: Callable[[int], Explanation] | None = None

    @property
    def actions(self) -> Mapping[str, str]:
        """The decision in force on each run."""
        return {} if self.gate is None else {each.run: each.action.value for each in self.gate.shown}

    @property
    def told(self) -> tuple[Told, ...]:
        """The latest decisions, the last first: those of a ledger's history, else those in force that pause a run."""
        if self.history:
            return tuple(
                Told(run=each.run, action=each.action, reason=each.reason, at=each.at, acting=each.acting)
                for each in self.history
            )
        if self.gate is None:
            return ()
        return tuple(
            Told(run=each.run, action=each.action.value, reason=each.reason)
            for each in self.gate.ordered
            if each.action.value != "continue"
        )

    def on(self, run: str) -> tuple[Told, ...]:
        """Return the decisions on a run, those of people among them, the last first."""
        found = [each for each in self.told if each.run == run]
        if not found and self.gate is not None:
            found = [
                Told(run=run, action=each.action.value, reason=each.reason)
                for each in self.gate.shown
                if each.run == run
            ]
        people = [
            Told(
                run=run, action=_ACTIONS.get(word.kind, "continue"), at=word.at, by=word.who,
                reason=f"{word.who} said {word.kind}{f': {word.note}' if word.note else ''}",
            )
            for word in self.spoken
            if word.run == run
        ]  # fmt: skip
        return tuple(sorted((*found, *people[::-1]), key=lambda each: -inf if each.at is None else -each.at))

    def word(self, run: str) -> str:
        """Return what was said of a run last, by whom, when, and who will see it; empty where nothing was said."""
        last = next((word for word in reversed(self.spoken) if word.run == run), None)
        if last is None:
            return ""
        note = f": {last.note}" if last.note else ""
        later = f"; {next_look(self.watcher)}" if self.looked_at is None or self.looked_at < last.at else ""
        return f"{_DONE[last.kind]} by {last.who}, {moment(last.at)}{note}{later}"


@dataclass(frozen=True, eq=False, kw_only=True)
class Stored:
    """Runs that are too many to be read whole: how they rank as a ledger keeps their fits, and a way to some of them.

    Parameters
    ----------
    ranked : RankView
        Of all recipes; it holds no run.
    load : callable
        Returns the runs of these names, read from the ledger.
    names : tuple of str
        Of all runs.
    spent : mapping of str to float
        Compute of each recipe at its latest fits.
    notes : tuple of str
    """

    ranked: RankView
    load: Callable[[tuple[str, ...]], Reading]
    names: tuple[str, ...]
    spent: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, kw_only=True)
class State:
    """A version of a board.

    Parameters
    ----------
    version : int
    at : float
        When it was read, in seconds since 1970.
    reading : Reading, optional
        The runs; None where they are in ``stored``, or nothing was read yet.
    stored : Stored, optional
    decided : Decided
    troubles : tuple of str
    budget : float, optional
        Compute that one run may get.
    awaited : str
        What the first run will be, in words.
    """

    version: int
    at: float
    reading: Reading | None
    stored: Stored | None = None
    decided: Decided = field(default_factory=Decided)
    troubles: tuple[str, ...] = ()
    budget: float | None = None
    awaited: str = "a run with an evaluation"

    @cached_property
    def recipes(self) -> Mapping[str, tuple[str, ...]]:
        """Recipe to the names of its runs."""
        if self.stored is not None:
            return {row.recipe: row.runs for row in self.stored.ranked.ranking.recipes}
        found: dict[str, list[str]] = {}
        for run in () if self.reading is None else self.reading.runs:
            found.setdefault(run.recipe, []).append(run.name)
        return {recipe: tuple(runs) for recipe, runs in found.items()}
