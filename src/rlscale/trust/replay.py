"""Replay: what a policy would have spent, kept and lost on finished runs, in many tournaments among them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from math import comb
from random import Random

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import Curve, Run
from rlscale.curves.value import Value
from rlscale.decisions.gate.history import History, as_recipe
from rlscale.decisions.gate.hold import Gate
from rlscale.decisions.gate.policy import HOLD, scaled
from rlscale.decisions.gate.prospect import Prospect
from rlscale.decisions.gate.registry import POLICIES
from rlscale.decisions.gate.seeds import near_best
from rlscale.decisions.gate.standing import Decider
from rlscale.decisions.savings import Outlay, Savings, savings
from rlscale.decisions.team import Watch
from rlscale.inference.entry import runs_of
from rlscale.inference.fit import Fit, FitOptions
from rlscale.keywords import checked_keywords
from rlscale.left_out import LeftOut, lacked
from rlscale.results import Result
from rlscale.trust.arena import Arena, Setting, arena
from rlscale.trust.outcome import skipped_runs
from rlscale.trust.scores import binomial_interval
from rlscale.trust.tournament import Entrant, Played, play

__all__ = ["NEAR", "PolicyScores", "Replay", "draws", "replay", "scores"]

Floats = NDArray[np.float64]

#: A run this near to the best one, as a share of the range, counts as kept.
NEAR = (0.0, 0.01, 0.02)
_ROUNDING = 1e-12


@dataclass(frozen=True, kw_only=True)
class PolicyScores(Value):
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


@dataclass(frozen=True, kw_only=True, repr=False)
class Replay(Result, Value):
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
    left_out : tuple of LeftOut
        What was named and could not be read, and the runs that were skipped as a whole.
    """

    arena: Arena
    setting: Setting
    tournaments: int
    size: int
    looks: int
    policies: tuple[PolicyScores, ...]
    frontier: Mapping[str, tuple[PolicyScores, ...]]
    left_out: tuple[LeftOut, ...] = field(default=(), compare=False)

    def __repr__(self) -> str:
        scores = ", ".join(f"{each.policy} at {each.cost:.2f}" for each in self.policies)
        return f"Replay({self.tournaments} tournaments of {self.size}, share of the compute: {scores})"

    def savings(self, policy: PolicyScores) -> Savings:
        """Return what a policy saved in a tournament on average: at its end, against running all to the horizon."""
        seeds = float(np.mean([len(own) for own in self.arena.seeds]))
        planned = self.size * seeds * self.arena.horizon
        spent = Outlay(policy.cost * planned, paused=True, comeback=0.0)
        return savings([spent], planned, self.arena.unit, reached=planned)


@checked_keywords
def replay(
    runs: Iterable[Run | Curve | Fit],
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
    runs : iterable of Run, Curve or Fit
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

    Examples
    --------
    >>> import rlscale
    >>> from rlscale.trust import Setting
    >>> answer = rlscale.replay(rlscale.read("bundled"), setting=Setting(size=3, tournaments=10))
    >>> answer.policies[0].policy, answer.policies[0].cost < 0.7
    ('hold', True)
    """
    left_out = lacked(runs)
    runs, setting = runs_of(runs, "replay"), setting or Setting()
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
        left_out=(*left_out, *skipped_runs(held.skipped, runs)),
    )


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
    unit = held.unit_of_frame
    policy = Gate(scaled(policy.policy, unit)) if isinstance(policy, Gate) else scaled(policy, unit)
    numbers = policy.policy if isinstance(policy, Gate) else HOLD
    staged = setting.recipes and isinstance(policy, Gate) and numbers.seeds == "staged"
    contenders = held.contenders
    if staged:  # one seed of each, whose reward the recipe's own level may differ from
        contenders = tuple(
            as_recipe(each.name, own[:1], setting.seed_sd * unit)
            for each, own in zip(contenders, held.seeds, strict=True)
        )
    blind = (None,) * len(contenders[0].looks)
    beliefs: list[tuple[Prospect | None, ...]] = [
        one.prospects(numbers) if isinstance(policy, Gate) else blind for one in contenders
    ]
    prices = [
        float(np.mean([(setting.prices or {}).get(run.name, 1.0) for run in one.runs])) for one in held.contenders
    ]
    step = round(setting.stagger * len(contenders[0].looks))
    costs = {
        "resume_cost": numbers.resume_cost if setting.resume_cost is None else setting.resume_cost,
        "checkpoint_cost": numbers.checkpoint_cost if setting.checkpoint_cost is None else setting.checkpoint_cost,
    }
    played = []
    for drawn in places:
        counted = [1 if staged else len(held.seeds[k]) for k in drawn]
        entrants = [
            Entrant(contenders[k], beliefs[k], held.truths[k], step * place, prices[k] * counted[place])
            for place, k in enumerate(drawn)
        ]
        one = play(entrants, policy, **costs)
        if staged:
            leads = [contenders[k] for k in drawn]
            one = _with_seeds(one, drawn, held, leads, [prices[k] for k in drawn], numbers.seed_band)
        played.append(one)
    return _scored(policy.name, played, held)


def _with_seeds(
    one: Played,
    drawn: Sequence[int],
    held: Arena,
    leads: Sequence[History],
    prices: Sequence[float],
    band: float,
) -> Played:
    """Return a tournament of one seed each, with all seeds of the near-best then run to the end."""
    means = [_level(lead, done) for lead, done in zip(leads, one.done, strict=True)]
    near = [k for k, close in enumerate(near_best(means, band)) if close]
    counts = [len(held.seeds[k]) for k in drawn]
    total = sum(price * count for price, count in zip(prices, counts, strict=True))
    more = sum(prices[k] * (counts[k] - one.done[k] / len(leads[k].looks)) for k in near)
    truths = [held.truths[k] for k in drawn]
    delivered = max(near, key=lambda k: _level(held.contenders[drawn[k]], len(leads[k].looks)))
    best = max(truths)
    ended = sorted({*one.finished, *near})
    return replace(
        one,
        cost=(one.cost * sum(prices) + more) / total,
        shortfall=best - max(truths[k] for k in ended),
        regret=best - truths[delivered],
        finished=tuple(ended),
    )


def _level(one: History, done: int) -> float:
    """Return what a contender is forecast to reach from its look number ``done``."""
    expected = one.looks[done - 1].expected if done else None
    return -np.inf if expected is None else expected


def _scored(name: str, played: Sequence[Played], held: Arena) -> PolicyScores:
    short = np.array([one.shortfall for one in played]) / held.unit_of_frame
    kept = tuple(float(np.mean(short <= near + _ROUNDING)) for near in NEAR)
    wrong = int(np.count_nonzero(short > NEAR[-1] + _ROUNDING))
    low, high = binomial_interval(wrong, len(played))
    return PolicyScores(
        policy=name,
        cost=float(np.mean([one.cost for one in played])),
        kept=kept,
        regret=held.size * float(np.mean([one.regret for one in played])),
        wrong=wrong / len(played),
        wrong_low=low,
        wrong_high=high,
        resumes=float(np.mean([one.resumes for one in played])),
        rounds=float(np.mean([one.rounds for one in played])),
    )
