"""One tournament: a few finished runs started together, a policy that decides at every look, what it cost and kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rlscale.decisions.gate.prospect import Prospect
from rlscale.decisions.gate.standing import Action, Decider, Memory, Standing, State
from rlscale.trust.looks import Looks

__all__ = ["Entrant", "Played", "play"]

#: A tournament that does not end in so many times the looks of a run is cut off: every run would have run twice.
_LONGEST = 4


@dataclass(frozen=True, eq=False)
class Entrant:
    """A run in a tournament.

    Parameters
    ----------
    looks : Looks
    prospects : tuple of Prospect or None
        Of the policy, at each look.
    truth : float
        Its reward at the horizon, as a share of the range.
    start : int
        Round in which it starts.
    price : float
        Cost of one unit of its compute against that of the others.
    """

    looks: Looks
    prospects: tuple[Prospect | None, ...]
    truth: float
    start: int = 0
    price: float = 1.0


@dataclass(frozen=True)
class Played:
    """What came of a tournament.

    Parameters
    ----------
    cost : float
        Compute used, restarts and kept checkpoints included, over that of running every run to the horizon.
    shortfall : float
        Truth of the best run less that of the best one that finished: 0 where the best one did.
    regret : float
        Truth of the best run less that of the run delivered.
    resumes, rounds : int
    finished : tuple of int
        Places of the runs that finished.
    """

    cost: float
    shortfall: float
    regret: float
    resumes: int
    rounds: int
    finished: tuple[int, ...]


def play(
    entrants: Sequence[Entrant], policy: Decider, *, resume_cost: float = 0.0, checkpoint_cost: float = 0.0
) -> Played:
    """Play a tournament: each round every running run goes on by one look, then the policy decides."""
    count = entrants[0].looks.count
    done = [0] * len(entrants)
    before = [0] * len(entrants)
    states = [State.RUNNING] * len(entrants)
    memory, resumes, holds, rounds = Memory(), 0, 0, 0
    standings: list[Standing | None] = [None] * len(entrants)
    while State.RUNNING in states and rounds < _LONGEST * count + max(one.start for one in entrants):
        for k, one in enumerate(entrants):
            before[k] = done[k]
            if states[k] is State.RUNNING and rounds >= one.start:
                done[k] += 1
                states[k] = State.FINISHED if done[k] == count else State.RUNNING
            if done[k]:
                standings[k] = _standing(one, done[k], before[k], states[k])
        rounds += 1
        here = [k for k in range(len(entrants)) if done[k]]
        ruled = policy.decide(tuple(standing for standing in standings if standing is not None), memory)
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
    looks, seen = one.looks, one.looks.seen[done - 1]
    return Standing(
        name=looks.run.name,
        state=state,
        compute=looks.compute[:seen],
        reward=looks.reward[:seen],
        prospect=one.prospects[done - 1],
        spent=done / looks.count,
        before=before / looks.count,
    )


def _played(entrants: Sequence[Entrant], done: Sequence[int], resumes: int, rounds: int, extra: float) -> Played:
    count = entrants[0].looks.count
    prices = np.array([one.price for one in entrants])
    truths = np.array([one.truth for one in entrants])
    finished = tuple(k for k, looks in enumerate(done) if looks == count)
    cost = float(np.sum(prices * done) / (count * prices.sum()) + extra / len(entrants))
    best = float(truths.max())
    if not finished:  # everything was stopped: the last value that is left decides
        finished = (int(np.argmax([_recent(one, looks) for one, looks in zip(entrants, done, strict=True)])),)
    delivered = max(finished, key=lambda k: _delivery(entrants[k]))
    return Played(
        cost, best - float(truths[list(finished)].max()), best - float(truths[delivered]), resumes, rounds, finished
    )


def _recent(one: Entrant, done: int) -> float:
    return float(one.looks.reward[: one.looks.seen[done - 1]][-3:].mean()) if done else -np.inf


def _delivery(one: Entrant) -> float:
    """Return what finished runs are chosen by: the mean of the posterior of the end, which is no single noisy value."""
    final, fell = one.looks.outlooks[-1], one.looks.fallen[-1]
    if fell is not None:
        return fell
    return final.mean if final is not None else _recent(one, one.looks.count)
