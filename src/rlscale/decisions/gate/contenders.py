"""From runs as they stand to contenders: who can be compared, their latest looks, and the pooling of seeds."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from statistics import median

import numpy as np

from rlscale.curves import Run
from rlscale.decisions.contender import healthy
from rlscale.decisions.gate.history import History, as_recipe, histories
from rlscale.decisions.gate.known import Known
from rlscale.decisions.gate.policy import Policy
from rlscale.decisions.gate.standing import State
from rlscale.decisions.runs import check_seed_sd, on_one_axis
from rlscale.decisions.team import Watch
from rlscale.errors import InputError
from rlscale.inference.fit import FitOptions, fits
from rlscale.inference.pool import learned_spread, replicate_scatter
from rlscale.numerals import quantity

__all__ = ["NEAR", "check", "comparable", "contenders", "learned_tau", "states_of", "trace"]

#: Computes are equal up to this share.
NEAR = 1e-9


def comparable(runs: Sequence[Run], what: str) -> None:
    """Refuse runs that are on different axes, metrics or ranges, or that cannot be told apart.

    Raises
    ------
    InputError
        No runs, several units, clocks, metrics or bounds, or two runs under one name.
    """
    on_one_axis(runs, what, ("unit", "clock", "metric", "frame"))
    names = [run.name for run in runs]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"two runs are called {twice!r}; give each a name of its own")


def trace(
    runs: Sequence[Run],
    budget: float,
    horizon: float,
    policy: Policy,
    options: FitOptions | None = None,
    *,
    known: Known | None = None,
    watch: Watch | None = None,
) -> list[History]:
    """Return each run at its latest looks, as many as drift and patience look back.

    Parameters
    ----------
    runs, budget, horizon, policy, options, known, watch
        As for :func:`gate`.
    """
    back = policy.drift_looks + policy.patience - 1
    steps = np.arange(back, -1, -1)
    edges = [(run.curve.compute_last - max(horizon / policy.looks, _spacing(run)) * steps).tolist() for run in runs]
    return histories(runs, edges, budget, horizon, options, watch, known)


def _spacing(run: Run) -> float:
    """Compute between the last evaluations of a run: no look is shorter."""
    computes = run.curve.compute[-6:].tolist()
    return median(after - before for before, after in pairwise(computes)) if len(computes) > 1 else 0.0


def check(runs: Sequence[Run], budget: float, horizon: float, named: Mapping[str, Collection[str]]) -> None:
    """Refuse what cannot be decided on.

    Raises
    ------
    InputError
        Runs that cannot be compared, a budget that every run has passed, a horizon beyond the budget, or under
        ``named`` (``held``, ``ended``, ``stopped``) a name that no run has or that has two states.
    """
    comparable(runs, "gate")
    unit = runs[0].curve.unit
    for name, value in (("--budget", budget), ("--horizon", horizon)):
        if not 0.0 < value < np.inf:
            raise InputError(f"{name} {value:g} is not a compute above 0; give it in {unit}, for one run")
    if horizon > budget * (1 + NEAR):
        raise InputError(
            f"--horizon {horizon:g} is beyond --budget {budget:g}: the comparison ends at the horizon, and what wins "
            f"goes on to the budget; give a horizon of at most {budget:g} {unit}"
        )
    names = {run.name for run in runs}
    states: dict[str, str] = {}
    for option, given in named.items():
        for name in given:
            if name not in names:
                raise InputError(f"--{option} {name!r} is none of the runs; they are {', '.join(sorted(names)[:20])}")
            if states.setdefault(name, option) != option:
                raise InputError(f"{name!r} is given as --{states[name]} and as --{option}; it is one of them")
    least = min(run.curve.compute_last - _spacing(run) for run in runs)
    if least >= budget * (1 - NEAR):
        spent = min(run.curve.compute_last for run in runs)
        raise InputError(
            f"--budget {budget:g} is below what every run has spent already (the least {quantity(spent, unit)}): "
            "nothing is left to decide; give a budget ahead of them, or compare them with "
            f"rlscale rank --target {budget:g}"
        )


def learned_tau(
    runs: Sequence[Run],
    groups: Mapping[str, Sequence[int]],
    given: float | None,
    seeded: bool,
    options: FitOptions | None,
    known: Known | None = None,
) -> float:
    """Return the run-to-run sd: as given, learned from recipes of several runs, or 0 where these runs are judged."""
    check_seed_sd(given)
    if given is not None or not seeded:
        return given or 0.0
    several = [[runs[k] for k in group] for group in groups.values() if len(group) > 1]
    if known is not None:
        return learned_spread(map(known.scatter, several)).value
    return learned_spread(replicate_scatter(healthy(list(fits(own, (), options)))) for own in several).value


def contenders(
    traced: Sequence[History], runs: Sequence[Run], groups: Mapping[str, Sequence[int]], tau: float
) -> tuple[History, ...]:
    """Return one contender a recipe, under its name; ``tau`` is a share of the frame."""
    return tuple(as_recipe(recipe, [traced[k] for k in group], tau) for recipe, group in groups.items())


def states_of(runs: Sequence[Run], horizon: float, named: Mapping[str, Collection[str]]) -> dict[str, State]:
    """Return what every run does: finished at the horizon or where it is said to have ended, else as ``named``."""
    found = {}
    for run in runs:
        state = State.RUNNING
        if run.name in named["stopped"]:
            state = State.STOPPED
        elif run.name in named["ended"] or run.curve.compute_last >= horizon * (1 - NEAR):
            state = State.FINISHED
        elif run.name in named["held"]:
            state = State.HELD
        found[run.name] = state
    return found
