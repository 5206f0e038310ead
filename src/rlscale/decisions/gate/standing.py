"""What every policy may see of the contenders at one look, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rlscale.decisions.gate.prospect import Prospect
from rlscale.health import Alarm

__all__ = ["RECENT", "Action", "Decider", "Memory", "Round", "Ruling", "Standing", "State"]

Floats = NDArray[np.float64]

#: Evaluations whose mean stands for the reward now.
RECENT = 3


class State(StrEnum):
    """What a contender is doing when the look is made."""

    RUNNING = "running"
    HELD = "held"
    FINISHED = "finished"
    STOPPED = "stopped"


class Action(StrEnum):
    """The four decisions."""

    CONTINUE = "continue"
    HOLD = "hold"
    STOP = "stop"
    COMMIT = "commit"


@dataclass(frozen=True, eq=False, kw_only=True)
class Standing:
    """One contender at one look; computes are shares of the horizon, rewards shares of the metric's range.

    Parameters
    ----------
    name : str
    state : State
    compute, reward : array, shape (n,)
        Its evaluations so far; of a recipe of several runs, those of its longest.
    prospect : Prospect, optional
        What the gate believes of its reward at the budget; None where nothing could be fitted.
    learning : bool
        False where the verdict is ``no_learning``.
    alarm : Alarm, optional
        For which the gate expects its reward to stay where it is; None where it has collapsed anyway.
    spent, before : float
        Compute spent now and at the look before this one; equal where it did not run since.
    """

    name: str
    state: State
    compute: Floats
    reward: Floats
    spent: float
    before: float = -1.0
    prospect: Prospect | None = None
    learning: bool = True
    alarm: Alarm | None = None

    @property
    def evaluations(self) -> int:
        """Evaluations after the start."""
        return int(np.count_nonzero(self.compute > 0.0))

    @property
    def recent(self) -> float:
        """Mean of the last 3 evaluations."""
        return float(self.reward[-RECENT:].mean()) if self.reward.size else -np.inf

    @property
    def gain(self) -> float:
        """Recent reward over that of the first evaluation."""
        return self.recent - float(self.reward[0]) if self.reward.size else 0.0

    @property
    def active(self) -> bool:
        """Whether compute is or was spent on it to the end: it runs or has finished."""
        return self.state in (State.RUNNING, State.FINISHED)


@dataclass(frozen=True)
class Memory:
    """What a policy remembers from look to look.

    Parameters
    ----------
    qualified : mapping of str to int
        Looks in a row at which each contender qualified to be paused or stopped.
    spent : float
        Risk spent by stops that cannot be taken back.
    """

    qualified: dict[str, int] = field(default_factory=dict)
    spent: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Ruling:
    """The decision on one contender.

    Parameters
    ----------
    name : str
    action : Action
    code : str
        The reason in one word, stable for programs.
    guard : str, optional
        The guard that kept it from being paused.
    h : float, optional
        Probability that it beats the best of all others by more than epsilon.
    """

    name: str
    action: Action
    code: str
    guard: str | None = None
    h: float | None = None


@dataclass(frozen=True)
class Round:
    """The decisions of one look, in the order of the standings, the joint risk of what is paused, and the memory."""

    rulings: tuple[Ruling, ...]
    risk: float | None
    memory: Memory
    leader: str | None = None


class Decider(Protocol):
    """A policy: a pure function from standings and memory to a round."""

    @property
    def name(self) -> str:
        """How answers call it."""

    def decide(self, field: tuple[Standing, ...], memory: Memory) -> Round:
        """Decide on every contender."""
