"""Replay: tournaments, arenas, scores."""

from dataclasses import replace
from math import comb

import numpy as np
import pytest

from rlscale.curves import Run, Truth, simulate
from rlscale.decisions.gate import HOLD, Action, Gate
from rlscale.decisions.gate.history import History, Look
from rlscale.decisions.gate.rivals import Halving
from rlscale.decisions.gate.standing import Memory, Round, Ruling
from rlscale.errors import InputError
from rlscale.trust import Setting, replay
from rlscale.trust.arena import arena
from rlscale.trust.replay import draws, scores
from rlscale.trust.tournament import Entrant, play
from tests.trust.made import rising, several


class Always:
    """A policy that gives every run the same order."""

    def __init__(self, action=Action.CONTINUE, after=0):
        self.name, self.action, self.after = "always", action, after

    def decide(self, field, memory):
        late = Memory(spent=memory.spent + 1)
        action = self.action if memory.spent >= self.after else Action.CONTINUE
        return Round(tuple(Ruling(name=one.name, action=action, code="always") for one in field), None, late)


def entrant(name, truth, looks=4, **more):
    compute = np.arange(1, looks + 1) / looks
    made = tuple(Look(spent, spent, k + 1, None, None, None) for k, spent in enumerate(compute))
    history = History(name, (rising(name),), compute, np.full(looks, truth), made)
    return Entrant(history, (None,) * looks, truth, **more)


FIELD = [entrant("a", 0.5), entrant("b", 0.7), entrant("c", 0.6)]


def test_running_everything_costs_everything_and_keeps_the_best():
    found = play(FIELD, Always())
    assert (found.cost, found.shortfall, found.regret, found.resumes, found.rounds) == (1.0, 0.0, 0.0, 0, 4)
    assert found.finished == (0, 1, 2)


def test_what_is_stopped_costs_no_more_and_something_is_delivered():
    found = play(FIELD, Always(Action.STOP, after=1))
    assert found.cost == 0.5
    assert found.finished == (1,)
    assert found.regret == 0.0


def test_holding_everything_ends_the_tournament():
    found = play(FIELD, Always(Action.HOLD), checkpoint_cost=0.1)
    assert found.rounds == 1
    assert found.cost == pytest.approx(0.25 + 0.1)


def test_starts_apart_take_longer_and_prices_weigh():
    apart = play([replace(one, start=2 * k) for k, one in enumerate(FIELD)], Always())
    assert (apart.cost, apart.rounds) == (1.0, 8)
    dear = [replace(FIELD[0], price=3.0), *FIELD[1:]]

    class StopFirst(Always):
        def decide(self, field, memory):
            said = [Action.STOP, Action.CONTINUE, Action.CONTINUE]
            return Round(tuple(Ruling(name=o.name, action=a, code="x") for o, a in zip(field, said, strict=True)), None,
                         memory)  # fmt: skip

    assert play(dear, StopFirst()).cost == pytest.approx((3 * 0.25 + 1 + 1) / 5)


def test_resumes_are_counted_and_charged():
    class Blink(Always):
        def decide(self, field, memory):
            hold = memory.spent % 2 == 0
            said = [Action.HOLD if hold and one.name == "a" else Action.CONTINUE for one in field]
            made = tuple(Ruling(name=o.name, action=a, code="x") for o, a in zip(field, said, strict=True))
            return Round(made, None, Memory(spent=memory.spent + 1))

    found = play(FIELD, Blink(), resume_cost=0.3)
    assert found.resumes == 2
    assert found.finished == (1, 2)  # "a" was held in the last round of the others
    assert found.cost == pytest.approx(11 / 12 + 0.1 * found.resumes)


def test_draws_are_fixed_distinct_and_complete_where_few():
    assert len(list(draws(6, 3, 200))) == comb(6, 3)
    assert list(draws(3, 8, 10)) == [(0, 1, 2)]
    many = list(draws(22, 8, 200))
    assert len(set(many)) == 200
    assert all(len(set(one)) == 8 and max(one) < 22 for one in many)
    assert many == list(draws(22, 8, 200))
    counts = np.bincount(np.concatenate(many), minlength=22)
    assert counts.min() > 40  # 73 expected of each
    assert len(list(draws(1000, 8, 50))) == 50


def test_the_horizon_is_the_smallest_last_compute_of_what_is_kept():
    held = arena([*several(5), rising("short", points=8), rising("long", points=60)])
    assert held.horizon == 390.0
    assert [one.run for one in held.skipped] == ["short"]
    assert len(held.contenders) == 6
    assert all(one.looks[-1].spent == pytest.approx(1.0) for one in held.contenders)
    assert all(one.compute[-1] <= 1.0 for one in held.contenders)


def test_looks_never_see_what_came_later():
    runs = several(3)
    held = arena(runs)
    cut = arena([replace(one, curve=one.curve) for one in runs])
    for one, other in zip(held.contenders, cut.contenders, strict=True):
        assert one.looks[5].outlook.mean == other.looks[5].outlook.mean
    changed = [replace(one, curve=replace(one.curve, reward=np.where(one.curve.compute > 200, 0.9, one.curve.reward)))
               for one in runs]  # fmt: skip
    early = arena(changed).contenders[0].looks[8]
    assert early.spent * held.horizon < 200
    assert early.outlook.mean == held.contenders[0].looks[8].outlook.mean


def test_a_policy_that_stops_nothing_is_the_yardstick():
    held = arena(several(6))
    one = scores(held, Always(), list(draws(6, 4, 10)))
    assert (one.cost, one.kept, one.wrong, one.rounds) == (1.0, (1.0, 1.0, 1.0), 0.0, 24.0)
    assert one.wrong_low == 0.0 < one.wrong_high


def test_the_gate_saves_compute_and_keeps_the_best():
    found = replay(several(8), setting=Setting(size=5, tournaments=30))
    hold, halving = found.policies[0], found.policies[3]
    assert hold.policy == "hold"
    assert hold.cost < 0.75
    assert hold.kept[2] >= 0.95
    assert halving.cost < 1.0
    assert found.size == 5
    assert found.tournaments == 30


def test_regret_is_in_reward():
    runs = several(5)
    wide = [replace(one, curve=replace(one.curve, reward=200 * one.curve.reward - 100, bounds=(-100.0, 100.0)))
            for one in runs]  # fmt: skip
    few, cut = Setting(size=3, tournaments=10), Halving(first=0.05)
    one, other = (replay(each, [cut], setting=few).policies[0] for each in (runs, wide))
    assert other.kept == one.kept
    assert other.regret == pytest.approx(200 * one.regret, rel=1e-6)


def seeded(recipes=6, sd=0.01):
    rng = np.random.default_rng(4)
    runs = []
    for k in range(recipes):
        for seed in range(3):
            truth = Truth(R0=0.1, A=0.4 + 0.06 * k + sd * rng.normal(), B=1.6, C_mid=120.0, sigma=0.008, rho=0.3)
            curve = simulate(truth, 20.0 * np.arange(21), rng=rng)
            runs.append(Run(name=f"r{k}-{seed}", recipe=f"r{k}", curve=curve))
    return runs


def test_recipes_meet_with_all_their_seeds_or_with_one_first():
    setting = Setting(size=5, tournaments=6, recipes=True, seed_sd=0.02)
    all_seeds = replay(seeded(), [Gate(HOLD)], setting=setting)
    assert len(all_seeds.arena.contenders) == 6
    assert len(all_seeds.arena.contenders[0].runs) == 3
    staged = replay(seeded(), [Gate(replace(HOLD, seeds="staged"))], setting=setting)
    assert staged.policies[0].cost < all_seeds.policies[0].cost < 1.0
    assert staged.policies[0].kept[2] >= 0.8


@pytest.mark.parametrize(
    ("runs", "setting", "said"),
    [
        ([], {}, "nothing to replay: no runs were given"),
        ([rising("a")], {}, "1 of 1 runs have 12 evaluations or more"),
        ([rising("a"), rising("b", points=6)], {}, "1 of 2 runs have 12 evaluations"),
        (seeded(1), {"recipes": True}, "all of one recipe"),
    ],
)
def test_too_little_is_told(runs, setting, said):
    with pytest.raises(InputError, match=said):
        replay(runs, setting=Setting(**setting))


def test_runs_on_other_axes_are_refused():
    other = rising("b")
    for field, value in (("unit", "tokens"), ("metric", "x"), ("bounds", (0.0, 2.0))):
        with pytest.raises(InputError, match=f"several {field}"):
            replay([rising("a"), replace(other, curve=replace(other.curve, **{field: value}))])


def test_two_runs_under_one_name_are_refused():
    with pytest.raises(InputError, match="two runs are called 'a'"):
        replay([rising("a"), rising("a", seed=1)])


def test_settings_that_cannot_be():
    for given in (
        {"size": 1},
        {"tournaments": 0},
        {"stagger": -1.0},
        {"prices": {"a": 0.0}},
        {"seed_sd": -1.0},
        {"seed_sd": 5.0},
    ):
        with pytest.raises(InputError):
            Setting(**given)
