"""One tournament: a few finished contenders started together, a policy that decides at every look, the outcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rlscale.decisions.gate.history import History
from rlscale.decisions.gate.prospect import Prospect
from rlscale.decisions.gate.standing import RECENT, Action, Decider, Memory, Standing, State

__all__ = ["Entrant", "Played", "play"]

#: A tournament that does not end in so many times the looks of a run is cut off.
_LONGEST = 4


@dataclass(frozen=True, eq=False)
class Entrant:
    """A contender in a tournament.

    Parameters
    ----------
    history : History
        At looks 1 to ``n``, the last one at the horizon.
    prospects : tuple of Prospect or None
        What the policy believes at each look.
    truth : float
        Reward at the horizon, as a share of the range.
    start : int
        Round in which it starts.
    price : float
        Cost of its compute against that of the others.
    """

    history: History
    prospects: tuple[Prospect | None, ...]
    truth: float
    start: int = 0
    price: float = 1.0

    @property
    def looks(self) -> int:
        """Looks up to the horizon."""
        return len(self.history.looks)


@dataclass(frozen=True)
class Played:
    """What came of a tournament; rewards are shares of the range.

    Parameters
    ----------
    cost : float
        Compute used, restarts and kept checkpoints included, over that of running everything to the horizon.
    shortfall : float
        Truth of the best contender less that of the best one that finished: 0 where the best one did.
    regret : float
        Truth of the best contender less that of the one delivered.
    resumes, rounds : int
    finished : tuple of int
        Places of those that finished.
    done : tuple of int
        Looks that each came to.
    """

    cost: float
    shortfall: float
    regret: float
    resumes: int
    rounds: int
    finished: tuple[int, ...]
    done: tuple[int, ...]


def play(
    entrants: Sequence[Entrant], policy: Decider, *, resume_cost: float = 0.0, checkpoint_cost: float = 0.0
) -> Played:
    """Play a tournament: each round everything that runs goes on by one look, then the policy decides.

    Parameters
    ----------
    entrants : sequence of Entrant
        With equally many looks.
    policy : Decider
    resume_cost, checkpoint_cost : float
        Of one restart, and of one pause, as shares of one contender's horizon.
    """
    count = entrants[0].looks
    done, before = [0] * len(entrants), [0] * len(entrants)
    states = [State.RUNNING] * len(entrants)
    memory, resumes, holds, rounds = Memory(), 0, 0, 0
    latest = max(one.start for one in entrants)
    while State.RUNNING in states and rounds < _LONGEST * count + latest:
        for k, one in enumerate(entrants):
            before[k] = done[k]
            if states[k] is State.RUNNING and rounds >= one.start:
                done[k] += 1
                states[k] = State.FINISHED if done[k] == count else State.RUNNING
        rounds += 1
        here = [k for k in range(len(entrants)) if done[k]]
        field = tuple(_standing(entrants[k], done[k], before[k], states[k]) for k in here)
        ruled = policy.decide(field, memory)
        memory = ruled.memory
        for k, ruling in zip(here, ruled.rulings, strict=True):
            if states[k] is State.RUNNING and ruling.action is Action.HOLD:
                states[k], holds = State.HELD, holds + 1
            elif states[k] is State.HELD and ruling.action in (Action.CONTINUE, Action.COMMIT):
                states[k], resumes = State.RUNNING, resumes + 1
            elif states[k] in (State.RUNNING, State.HELD) and ruling.action is Action.STOP:
                states[k] = State.STOPPED
    return _played(entrants, done, resumes, rounds, resumes * resume_cost + holds * checkpoint_cost)


def _standing(one: Entrant, done: int, before: int, state: State) -> Standing:
    return one.history.standing(done - 1, state, before - 1 if before else None, one.prospects[done - 1])


def _played(entrants: Sequence[Entrant], done: Sequence[int], resumes: int, rounds: int, extra: float) -> Played:
    prices = np.array([one.price for one in entrants])
    truths = np.array([one.truth for one in entrants])
    spent = np.array([one.history.looks[k - 1].spent if k else 0.0 for one, k in zip(entrants, done, strict=True)])
    finished = tuple(k for k, looks in enumerate(done) if looks == entrants[k].looks)
    if not finished:  # everything was stopped: what scored best is delivered as it is
        finished = (int(np.argmax([_recent(one, k) for one, k in zip(entrants, done, strict=True)])),)
    delivered = max(finished, key=lambda k: _expected(entrants[k]))
    best = float(truths.max())
    return Played(
        cost=float(spent @ prices / prices.sum()) + extra / len(entrants),
        shortfall=best - float(truths[list(finished)].max()),
        regret=best - float(truths[delivered]),
        resumes=resumes,
        rounds=rounds,
        finished=finished,
        done=tuple(done),
    )


def _recent(one: Entrant, done: int) -> float:
    seen = one.history.looks[done - 1].seen if done else 0
    return float(one.history.reward[:seen][-RECENT:].mean()) if seen else -np.inf


def _expected(one: Entrant) -> float:
    """Return what the finished are chosen by: the posterior mean of the end, which is no single noisy evaluation."""
    expected = one.history.looks[-1].expected
    return _recent(one, one.looks) if expected is None else expected
