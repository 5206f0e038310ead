"""Standings made by hand: what is tested on them does not move when the engine does."""

from __future__ import annotations

import numpy as np
from scipy.stats import norm

from rlscale.decisions.gate.outlook import Outlook, outlook_of
from rlscale.decisions.gate.policy import HOLD, Policy
from rlscale.decisions.gate.prospect import Prospect, collapsed, prospect
from rlscale.decisions.gate.standing import Memory, Round, Standing, State

GRID = (np.arange(2000) + 0.5) / 2000


def outlook(mean: float, sd: float) -> Outlook:
    """A normal outlook."""
    values = norm.ppf(GRID, mean, sd)
    return outlook_of(values, np.full(values.size, 1.0 / values.size))


def believed(mean: float, sd: float) -> Prospect:
    """A normal prospect without drift and discrepancy."""
    return prospect([outlook(mean, sd)], 1.0, HOLD)


def standing(
    name: str,
    mean: float = 0.6,
    sd: float = 0.02,
    *,
    state: State = State.RUNNING,
    spent: float = 0.5,
    recent: float | None = None,
    before: float | None = None,
    fell: bool = False,
    fitted: bool = True,
) -> Standing:
    """A contender with evaluations every 24th of the horizon, rising to ``recent``."""
    compute = np.arange(0, round(24 * spent) + 1) / 24
    reward = np.linspace(0.1, mean - 0.1 if recent is None else recent, compute.size)
    reward[-3:] = reward[-1]
    what = collapsed(float(reward[-1]), HOLD) if fell else believed(mean, sd)
    return Standing(
        name=name,
        state=state,
        compute=compute,
        reward=reward,
        spent=spent,
        before=spent - 1 / 24 if before is None else before,
        prospect=what if fitted else None,
    )


def told(ruled: Round) -> dict[str, tuple[str, str]]:
    """Action and code by name."""
    return {one.name: (one.action.value, one.code) for one in ruled.rulings}


def played(decider, *field: Standing, looks: int = 1, memory: Memory | None = None) -> Round:
    """The last of several looks at the same field."""
    memory = memory or Memory()
    for _ in range(looks):
        ruled = decider.decide(field, memory)
        memory = ruled.memory
    return ruled


def policy(**numbers) -> Policy:
    """The gate with other numbers."""
    return Policy(**numbers)
