"""Replay: what a policy would have spent, kept and lost on finished runs, in many tournaments among them.

The horizon is the smallest last compute of the runs kept; runs with fewer than 12 evaluations are left out. A run's
truth is the mean of its last ``max(3, floor(n / 10))`` evaluations up to the horizon, unless it is given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import comb
from random import Random

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import Run
from rlscale.decisions.gate.gate import comparable
from rlscale.decisions.gate.hold import Gate
from rlscale.decisions.gate.history import History, Watch, as_recipe, histories
from rlscale.decisions.gate.policy import HOLD
from rlscale.decisions.gate.prospect import Prospect
from rlscale.decisions.gate.registry import POLICIES
from rlscale.decisions.gate.seeds import near_best
from rlscale.decisions.gate.standing import Decider
from rlscale.errors import InputError
from rlscale.inference.fit import FitOptions
from rlscale.trust.backtest import MIN_RUN, TAIL
from rlscale.trust.outcome import Skipped
from rlscale.trust.scores import binomial_interval
from rlscale.trust.tournament import Entrant, Played, play

__all__ = ["NEAR", "Arena", "PolicyScores", "Replay", "Setting", "arena", "draws", "replay", "scores"]

Floats = NDArray[np.float64]

#: A run this near to the best one, as a share of the range, counts as kept.
NEAR = (0.0, 0.01, 0.02)
#: Looks up to the horizon, where there are as many evaluations.
LOOKS = 24
_ROUNDING = 1e-12


@dataclass(frozen=True, kw_only=True)
class Setting:
    """How tournaments are held.

    Parameters
    ----------
    size : int
        Contenders of one tournament; all of them where there are fewer.
    tournaments : int
        At most: every combination where there are fewer.
    stagger : float
        Share of the horizon by which each contender starts after the one before it.
    prices : mapping of str to float, optional
        Cost of a run's compute against that of the others, by name; 1 where it is not named.
    recipes : bool
        Contenders are recipes, all their runs together, and not runs.
    seed_sd : float
        Run-to-run sd as a share of the range, for recipes.

    Raises
    ------
    InputError
        Fewer than 2 contenders, no tournament, a negative stagger or price.
    """

    size: int = 8
    tournaments: int = 200
    stagger: float = 0.0
    prices: Mapping[str, float] | None = None
    recipes: bool = False
    seed_sd: float = 0.0

    def __post_init__(self) -> None:
        if self.size < 2:
            raise InputError(f"--runs-per-tournament {self.size} leaves nothing to compare; give 2 or more")
        if self.tournaments < 1:
            raise InputError(f"--tournaments {self.tournaments} is none; give 1 or more")
        if not 0.0 <= self.stagger <= 10.0:
            raise InputError(f"--stagger {self.stagger:g} is not a share of the horizon; give 0 to 10")
        for name, price in (self.prices or {}).items():
            if not 0.0 < price < np.inf:
                raise InputError(f"the compute of {name} costs {price:g}; a cost is above 0")


@dataclass(frozen=True, eq=False)
class Arena:
    """Contenders that were forecast at every look, ready for any policy.

    Parameters
    ----------
    contenders : tuple of History
    truths : tuple of float
        Shares of the range.
    horizon : float
        In ``unit``.
    unit, metric : str
    range : float
        Of the metric, in reward.
    skipped : tuple of Skipped
    seeds : tuple of tuple of History
        The runs of each contender, the one with which a recipe starts first.
    """

    contenders: tuple[History, ...]
    truths: tuple[float, ...]
    horizon: float
    unit: str
    metric: str
    range: float
    skipped: tuple[Skipped, ...]
    seeds: tuple[tuple[History, ...], ...]


@dataclass(frozen=True, kw_only=True)
class PolicyScores:
    """How one policy did over all tournaments.

    Parameters
    ----------
    policy : str
    cost : float
        Mean compute used over that of running everything.
    kept : tuple of float
        Shares of tournaments in which a run within each of :data:`NEAR` of the best finished.
    regret : float
        Mean reward lost against the best run, in reward.
    wrong : float
        Share of tournaments in which no run within .02 of the best finished.
    wrong_low, wrong_high : float
        Its 95 % binomial interval; tournaments share runs, so it is narrower than the truth.
    resumes, rounds : float
        Means; ``looks`` rounds are one run from start to horizon.
    """

    policy: str
    cost: float
    kept: tuple[float, ...]
    regret: float
    wrong: float
    wrong_low: float
    wrong_high: float
    resumes: float
    rounds: float


@dataclass(frozen=True, kw_only=True)
class Replay:
    """The answer of a replay: every policy, and how each family does over its main setting.

    Parameters
    ----------
    arena : Arena
    setting : Setting
    tournaments, size, looks : int
        As they were held.
    policies : tuple of PolicyScores
    frontier : mapping of str to tuple of PolicyScores
        The same families with other numbers, for the plot of compute against regret.
    """

    arena: Arena
    setting: Setting
    tournaments: int
    size: int
    looks: int
    policies: tuple[PolicyScores, ...]
    frontier: Mapping[str, tuple[PolicyScores, ...]]


def replay(
    runs: Sequence[Run],
    policies: Sequence[Decider] = (),
    *,
    setting: Setting | None = None,
    options: FitOptions | None = None,
    frontier: Mapping[str, Sequence[Decider]] | None = None,
    watch: Watch | None = None,
) -> Replay:
    """Replay policies on finished runs.

    Parameters
    ----------
    runs : sequence of Run
        With one unit, clock, metric and range.
    policies : sequence of Decider
        All named ones where none is given.
    setting : Setting, optional
    options : FitOptions, optional
    frontier : mapping, optional
        Further policies, by family.
    watch : callable, optional
        Called with the runs forecast and their number.

    Raises
    ------
    InputError
        Runs that cannot be compared, or fewer than two that are long enough.
    """
    setting = setting or Setting()
    held = arena(runs, setting=setting, options=options, watch=watch)
    chosen = tuple(policies) or tuple(POLICIES.values())
    places = list(draws(len(held.contenders), setting.size, setting.tournaments))
    found = tuple(scores(held, one, places, setting) for one in chosen)
    swept = {
        family: tuple(scores(held, one, places, setting) for one in several)
        for family, several in (frontier or {}).items()
    }
    return Replay(
        arena=held,
        setting=setting,
        tournaments=len(places),
        size=len(places[0]),
        looks=len(held.contenders[0].looks),
        policies=found,
        frontier=swept,
    )


def arena(
    runs: Sequence[Run],
    *,
    setting: Setting | None = None,
    options: FitOptions | None = None,
    truths: Sequence[float] | None = None,
    watch: Watch | None = None,
) -> Arena:
    """Choose the runs, the horizon and the looks, and forecast every run from every look.

    Parameters
    ----------
    runs : sequence of Run
    setting : Setting, optional
    options : FitOptions, optional
    truths : sequence of float, optional
        True reward of each run at the horizon, where it is known; in reward.
    watch : callable, optional

    Raises
    ------
    InputError
        As for :func:`replay`.
    """
    setting = setting or Setting()
    comparable(runs, "replay")
    kept = [k for k, run in enumerate(runs) if run.curve.n_points >= MIN_RUN]
    skipped = tuple(
        Skipped(run.name, None, f"{run.curve.n_points} evaluations; a replay needs {MIN_RUN}")
        for run in runs
        if run.curve.n_points < MIN_RUN
    )
    if len(kept) < 2:
        raise InputError(
            f"{len(kept)} of {len(runs)} runs have {MIN_RUN} evaluations or more; a replay compares at least 2"
        )
    chosen = [runs[k] for k in kept]
    horizon = min(run.curve.compute_last for run in chosen)
    fewest = min(run.curve.until(horizon).n_trained for run in chosen)
    count = max(2, min(LOOKS, fewest))
    edges = horizon * np.arange(1, count + 1) / count
    told = histories(chosen, [edges] * len(chosen), horizon, horizon, options, watch)
    true = [
        _truth(run, horizon) if truths is None else _share(run, truths[k]) for run, k in zip(chosen, kept, strict=True)
    ]
    first = chosen[0].curve
    groups: dict[str, list[int]] = {}
    for k, run in enumerate(chosen):
        groups.setdefault(run.recipe if setting.recipes else run.name, []).append(k)
    if len(groups) < 2:
        raise InputError("the runs are all of one recipe; a replay of recipes compares at least 2")
    seeds = tuple(tuple(told[k] for k in group) for group in groups.values())
    contenders = tuple(
        as_recipe(name, own, setting.seed_sd) if setting.recipes else own[0]
        for name, own in zip(groups, seeds, strict=True)
    )
    ends = tuple(float(np.mean([true[k] for k in group])) for group in groups.values())
    return Arena(contenders, ends, horizon, first.unit, first.metric, first.range, skipped, seeds)


def _truth(run: Run, horizon: float) -> float:
    curve = run.curve.until(horizon)
    return _share(run, float(curve.reward[-max(TAIL, curve.n_points // 10) :].mean()))


def _share(run: Run, reward: float) -> float:
    return (reward - run.curve.bounds[0]) / run.curve.range


def draws(count: int, size: int, most: int) -> Iterator[tuple[int, ...]]:
    """Yield the contenders of each tournament: every combination where there are few, else ``most`` different ones.

    The same for the same three numbers, on every machine.
    """
    size = min(size, count)
    if comb(count, size) <= most:
        yield from combinations(range(count), size)
        return
    total, chance = comb(count, size), Random(0)
    ranks: dict[int, None] = {}
    while len(ranks) < most:
        ranks[chance.randrange(total)] = None
    yield from (_combination(rank, count, size) for rank in ranks)


def _combination(rank: int, count: int, size: int) -> tuple[int, ...]:
    """Return the combination of a rank in lexicographic order."""
    found, place = [], 0
    for left in range(size, 0, -1):
        while rank >= (here := comb(count - place - 1, left - 1)):
            rank -= here
            place += 1
        found.append(place)
        place += 1
    return tuple(found)


def scores(
    held: Arena, policy: Decider, places: Sequence[Sequence[int]], setting: Setting | None = None
) -> PolicyScores:
    """Return how a policy does over tournaments among the contenders at ``places``."""
    setting = setting or Setting()
    numbers = policy.policy if isinstance(policy, Gate) else HOLD
    staged = setting.recipes and isinstance(policy, Gate) and numbers.seeds == "staged"
    contenders = tuple(own[0] for own in held.seeds) if staged else held.contenders
    blind = (None,) * len(contenders[0].looks)
    beliefs: list[tuple[Prospect | None, ...]] = [
        one.prospects(numbers) if isinstance(policy, Gate) else blind for one in contenders
    ]
    prices = [
        float(np.mean([(setting.prices or {}).get(run.name, 1.0) for run in one.runs])) for one in held.contenders
    ]
    step = round(setting.stagger * len(contenders[0].looks))
    costs = {"resume_cost": numbers.resume_cost, "checkpoint_cost": numbers.checkpoint_cost}
    played = []
    for drawn in places:
        counted = [1 if staged else len(held.seeds[k]) for k in drawn]
        entrants = [
            Entrant(contenders[k], beliefs[k], held.truths[k], step * place, prices[k] * counted[place])
            for place, k in enumerate(drawn)
        ]
        one = play(entrants, policy, **(costs if isinstance(policy, Gate) else {}))
        if staged:
            one = _with_seeds(one, drawn, held, [prices[k] for k in drawn], numbers.seed_band)
        played.append(one)
    return _scored(policy.name, played, held.range)


def _with_seeds(one: Played, drawn: Sequence[int], held: Arena, prices: Sequence[float], band: float) -> Played:
    """Return a tournament of one seed each, with the other seeds of the near-best that finished run to the end."""
    means = [_level(held.seeds[drawn[k]][0]) for k in one.finished]
    near = [k for k, close in zip(one.finished, near_best(means, band), strict=True) if close]
    counts = [len(held.seeds[k]) for k in drawn]
    total = sum(price * count for price, count in zip(prices, counts, strict=True))
    more = sum(prices[k] * (counts[k] - 1) for k in near)
    truths = [held.truths[k] for k in drawn]
    delivered = max(near, key=lambda k: _level(held.contenders[drawn[k]]))
    return replace(one, cost=(one.cost * sum(prices) + more) / total, regret=max(truths) - truths[delivered])


def _level(one: History) -> float:
    last = one.looks[-1]
    return last.fallen if last.fallen is not None else last.outlook.mean if last.outlook is not None else -np.inf


def _scored(name: str, played: Sequence[Played], size: float) -> PolicyScores:
    short = np.array([one.shortfall for one in played])
    kept = tuple(float(np.mean(short <= near + _ROUNDING)) for near in NEAR)
    wrong = int(np.count_nonzero(short > NEAR[-1] + _ROUNDING))
    low, high = binomial_interval(wrong, len(played))
    return PolicyScores(
        policy=name,
        cost=float(np.mean([one.cost for one in played])),
        kept=kept,
        regret=size * float(np.mean([one.regret for one in played])),
        wrong=wrong / len(played),
        wrong_low=low,
        wrong_high=high,
        resumes=float(np.mean([one.resumes for one in played])),
        rounds=float(np.mean([one.rounds for one in played])),
    )
