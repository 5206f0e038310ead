"""A budget over problems per batch, rollouts per problem and updates.

``C = c · B · n · M``: ``B`` problems in a batch, ``n`` rollouts of each, ``M`` updates, ``c`` the compute of one
rollout and the training on it. In samples ``c = 1``; in other units it is measured on the runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rlscale.curves import Run
from rlscale.decisions.rollouts.tried import PROBLEMS, ROLLOUTS, count_of, updates_of
from rlscale.errors import InputError
from rlscale.inference.forecast import Interval

__all__ = ["HARD_LEAST", "Allocation", "allocation"]

#: Fewer problems than this were too few on hard data; a published sweep on one model family.
HARD_LEAST = 32


@dataclass(frozen=True)
class Allocation:
    """How a budget is split.

    Parameters
    ----------
    budget : float
        In ``unit``.
    unit : str
    rollouts : int
        Per prompt: the median of ``n*``, rounded.
    problems_per_batch : int
    problems_from : str
        ``option`` or ``runs``; ``limit`` where fewer fit into the largest batch.
    updates : int
        ``M = budget / (c B n)``, rounded down.
    updates_range : (int, int)
        For the ends of the 80 % interval of ``n*``: few rollouts leave more updates.
    cost_per_rollout : Interval
        ``c``: lowest, median and highest over the runs; 1 in samples.
    model : str
        The cost model in a line.
    notes : tuple of str
    """

    budget: float
    unit: str
    rollouts: int
    problems_per_batch: int
    problems_from: str
    updates: int
    updates_range: tuple[int, int]
    cost_per_rollout: Interval
    model: str
    notes: tuple[str, ...]


def allocation(
    n_star: Interval,
    budget: float,
    runs: Mapping[int, Sequence[Run]],
    *,
    problems: int | None = None,
    batch_max: int | None = None,
) -> Allocation | str:
    """Split a budget; where that cannot be, say why.

    The rollouts are the middle of ``n*``. The problems per batch are as given, else what the runs nearest to ``n*``
    used (their median); no more than ``batch_max / n``, and where not even one problem fits there is no split. The
    updates are what is left.

    Parameters
    ----------
    n_star : Interval
        At the budget.
    budget : float
        Compute, in the runs' unit.
    runs : mapping of int to sequence of Run
        By rollouts per prompt.
    problems : int, optional
    batch_max : int, optional
        Largest batch, in rollouts, that the hardware or the trainer allows.

    Raises
    ------
    InputError
        ``problems`` or ``batch_max`` below 1.
    """
    for name, value in (("problems", problems), ("batch-max", batch_max)):
        if value is not None and value < 1:
            raise InputError(f"--{name} {value:g} is no size of a batch; give 1 or more")
    n = max(round(n_star.q50), 1)
    unit = next(iter(runs.values()))[0].curve.unit
    cost = _cost(runs, unit)
    if cost is None:
        return f"what one rollout costs in {unit} is not known: the runs log neither updates nor prompts per step"
    used = problems or _used(runs, n)
    if used is None:
        return "the problems of a batch are not known: no run states its prompts per step; give --problems B"
    most = used if batch_max is None else batch_max // n
    if most < 1:
        return (
            f"one problem with the {n} rollouts that are best exceeds the largest batch of {batch_max}; give "
            f"--batch-max {n} or more"
        )
    batch = min(used, most)
    notes = [] if batch == used else [f"{used} problems with {n} rollouts exceed the largest batch of {batch_max}"]
    updates, *ends = (int(budget / (cost.q50 * batch * each)) for each in (n, n_star.q90, n_star.q10))
    if updates < 1:
        return f"the budget is less than one update of {batch} problems with {n} rollouts"
    notes += _advice(batch, given=problems is not None)
    return Allocation(
        budget=budget,
        unit=unit,
        rollouts=n,
        problems_per_batch=batch,
        problems_from="limit" if batch < used else "option" if problems is not None else "runs",
        updates=updates,
        updates_range=(ends[0], ends[1]),
        cost_per_rollout=cost,
        model=f"C = c · B · n · M, c = {cost.q50:.4g} {unit} a rollout",
        notes=tuple(notes),
    )


def _advice(batch: int, *, given: bool) -> list[str]:
    kept = "" if given else ": they are kept as in the runs (--problems B sets them)"
    notes = [
        f"problems per batch matter less than rollouts in a moderate range (published: 32 to 1024 on easy data){kept}"
    ]
    if batch < HARD_LEAST:
        notes.append(
            f"fewer than {HARD_LEAST} problems in a batch were too few on hard data (published, one model family)"
        )
    return notes


def _cost(runs: Mapping[int, Sequence[Run]], unit: str) -> Interval | None:
    """Return the compute of one rollout: lowest, median and highest over the runs; None where no run tells."""
    if unit == "samples":
        return Interval(1.0, 1.0, 1.0)
    costs = []
    for run in (run for several in runs.values() for run in several):
        problems, n, updates = count_of(run, PROBLEMS), count_of(run, ROLLOUTS), updates_of(run)
        if problems and n and updates:
            costs.append(run.curve.compute_last / (problems * n * updates))
    if not costs:
        return None
    return Interval(min(costs), float(np.median(costs)), max(costs))


def _used(runs: Mapping[int, Sequence[Run]], n: int) -> int | None:
    """Return the median problems per batch of the runs whose rollouts are nearest to ``n``; None where not stated."""
    stated = {
        tried: [count for run in several if (count := count_of(run, PROBLEMS)) is not None]
        for tried, several in runs.items()
    }
    stated = {tried: several for tried, several in stated.items() if several}
    if not stated:
        return None
    nearest = min(stated, key=lambda tried: abs(np.log(tried / n)))
    return max(round(float(np.median(stated[nearest]))), 1)
