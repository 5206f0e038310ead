"""Tournaments among contenders made by hand, whole ones for every policy, and what a replay makes of them."""

from dataclasses import replace
from itertools import combinations
from math import comb

import numpy as np
import pytest

from rlscale.curves import Curve, Run
from rlscale.decisions.gate import HOLD, KILL, POLICIES, Action, Gate
from rlscale.decisions.gate.history import History, Look
from rlscale.decisions.gate.rivals import Asha, Halving, Hyperband, Margin, Median
from rlscale.decisions.gate.standing import Memory, Round, Ruling, State
from rlscale.trust import Setting, replay
from rlscale.trust.arena import arena
from rlscale.trust.replay import NEAR, draws, scores
from rlscale.trust.tournament import Entrant, play
from tests.decisions.gate.scenes import outlook
from tests.trust.made import on, rising, several

LOOKS = 24


def entrant(name, end, sd=0.02, said=None, truth=None, shape=0.5, **more):
    """A run that rises to ``end`` as a power of compute; ``said`` are the forecast means at its looks."""
    compute = np.arange(1, LOOKS + 1) / LOOKS
    means = [end] * LOOKS if said is None else said
    made = tuple(
        Look(float(spent), float(spent), k + 1, outlook(mean, sd), None, None)
        for k, (spent, mean) in enumerate(zip(compute, means, strict=True))
    )
    history = History(name, (rising(name),), compute, 0.1 + (end - 0.1) * compute**shape, made)
    return Entrant(history, history.prospects(HOLD), end if truth is None else truth, **more)


class Scripted:
    """A policy that gives actions by round and name, and writes down what it saw."""

    name = "scripted"

    def __init__(self, script=None):
        self.script, self.seen = script or {}, []

    def decide(self, field, memory):
        self.seen.append({one.name: (one.state, round(one.spent * LOOKS), round(one.before * LOOKS)) for one in field})
        now = self.script.get(len(self.seen), {})
        made = tuple(Ruling(name=o.name, action=now.get(o.name, self.kept(o)), code="told") for o in field)
        return Round(made, None, Memory())

    @staticmethod
    def kept(one):
        return {State.HELD: Action.HOLD, State.STOPPED: Action.STOP}.get(one.state, Action.CONTINUE)


FIELD = [entrant(f"r{k}", 0.3 + 0.06 * k) for k in range(8)]


def test_what_a_policy_sees_from_round_to_round():
    policy = Scripted({3: {"a": Action.HOLD}, 5: {"a": Action.CONTINUE}, 6: {"b": Action.STOP}})
    found = play([entrant("a", 0.5), entrant("b", 0.6), entrant("c", 0.4, start=2)], policy)
    assert policy.seen[0] == {"a": (State.RUNNING, 1, 0), "b": (State.RUNNING, 1, 0)}
    assert policy.seen[2]["c"] == (State.RUNNING, 1, 0)
    assert policy.seen[3]["a"] == (State.HELD, 3, 3)
    assert policy.seen[5]["a"] == (State.RUNNING, 4, 3)
    assert policy.seen[6]["b"] == (State.STOPPED, 6, 6)
    assert policy.seen[-1]["c"] == (State.FINISHED, 24, 23)
    assert found.done == (24, 6, 24)
    assert found.resumes == 1
    assert found.cost == pytest.approx((24 + 6 + 24) / 72)
    assert (found.rounds, found.finished, found.shortfall) == (26, (0, 2), pytest.approx(0.1))


def test_what_was_stopped_cannot_be_brought_back():
    policy = Scripted({2: {"a": Action.STOP}, 4: {"a": Action.CONTINUE}, 5: {"a": Action.COMMIT}})
    assert play([entrant("a", 0.5), entrant("b", 0.6)], policy).done == (2, 24)


def test_one_resumed_when_all_others_have_finished_runs_to_its_end():
    policy = Scripted({2: {"a": Action.HOLD}, 24: {"a": Action.CONTINUE}})
    found = play([entrant("a", 0.5), entrant("b", 0.4)], policy)
    assert (found.done, found.rounds, found.cost, found.regret) == ((24, 24), 46, 1.0, 0.0)


def test_a_policy_that_never_makes_up_its_mind_is_cut_off():
    class Blink(Scripted):
        def decide(self, field, memory):
            ruled = super().decide(field, memory)
            flip = {State.RUNNING: Action.HOLD, State.HELD: Action.CONTINUE}
            made = [replace(r, action=flip.get(o.state, r.action)) for r, o in zip(ruled.rulings, field, strict=True)]
            made[0] = replace(made[0], action=Action.CONTINUE)
            return replace(ruled, rulings=tuple(made))

    assert play([entrant("a", 0.5, start=30), entrant("b", 0.4)], Blink()).rounds <= 4 * LOOKS + 30


def test_costs_of_restarts_and_checkpoints_add_up():
    policy = Scripted({3: {"a": Action.HOLD, "b": Action.HOLD}, 5: {"a": Action.CONTINUE}})
    found = play(
        [entrant("a", 0.5), entrant("b", 0.4), entrant("c", 0.45)], policy, resume_cost=0.06, checkpoint_cost=0.01
    )
    assert found.cost == pytest.approx((24 + 3 + 24) / 72 + (0.06 + 2 * 0.01) / 3)


def test_what_is_delivered_is_what_was_forecast_best_and_regret_is_of_its_truth():
    lucky = entrant("lucky", 0.7, truth=0.6)
    found = play([lucky, entrant("true", 0.65)], Scripted())
    assert (found.shortfall, found.regret) == (0.0, pytest.approx(0.05))
    everything = Scripted({3: {"lucky": Action.STOP, "true": Action.STOP}})
    stopped = play([lucky, entrant("true", 0.65)], everything)
    assert (stopped.finished, stopped.cost, stopped.regret) == ((0,), pytest.approx(3 / 24), pytest.approx(0.05))


@pytest.mark.parametrize("name", POLICIES)
def test_every_policy_keeps_the_best_where_ranks_never_change(name):
    found = play(FIELD[::-1], POLICIES[name])
    assert (found.regret, found.done[0]) == (0.0, LOOKS)
    assert 0 in found.finished
    assert 0.0 < found.cost < 0.9
    # of two the worse one never gets further, but for the brackets of hyperband
    assert list(found.done) == sorted(found.done, reverse=True) or name == "hyperband"


@pytest.mark.parametrize(
    ("policy", "first"), [(Asha(first=0.5), 12), (Halving(first=0.5), 12), (Hyperband(eta=4.0, brackets=2), 6),
                          (Median(grace=0.5), 12), (Margin(grace=0.5), 12), (Gate(HOLD), 6), (Gate(KILL), 6)],
    ids=lambda one: getattr(one, "name", None),
)  # fmt: skip
def test_nothing_is_stopped_before_its_first_comparison(policy, first):
    assert min(play(FIELD[::-1], policy).done) == first


def test_halving_leaves_a_half_at_every_rung():
    assert sorted(play(FIELD, Halving()).done) == [6] * 4 + [12] * 2 + [24] * 2
    assert sorted(play(FIELD, Halving(eta=4.0, first=1 / 16)).done) == [2] * 6 + [6] + [24]


def test_asha_takes_the_first_that_comes_and_then_only_what_keeps_up():
    apart = [replace(one, start=k) for k, one in enumerate(FIELD)]
    assert play(apart, Asha()).done == (24,) * 8  # each is better than all that came before
    falling = [replace(one, start=k) for k, one in enumerate(FIELD[::-1])]
    assert play(falling, Asha()).done == (24, *(3,) * 7)
    # one in four goes on: the second best of five is at the third quartile of those before it, the third is not
    order = [FIELD[k] for k in (7, 0, 1, 2, 6, 5)]
    at_first = play([replace(one, start=k) for k, one in enumerate(order)], Asha(eta=4.0, first=0.25)).done
    assert [looks > 6 for looks in at_first] == [True, False, False, False, True, False]


def test_one_that_starts_late_and_rises_late_is_kept_by_its_forecast_and_not_by_its_rewards():
    late = entrant("late", 0.85, shape=1.6)
    field = [*FIELD, late]
    assert play(field, Gate(HOLD)).regret == 0.0
    assert play(field, Margin()).regret > 0.1
    assert play(field, Asha()).regret > 0.1


def test_a_leader_whose_forecast_falls_costs_time_and_not_the_best():
    fooled = entrant("falls", 0.55, said=[0.9] * 12 + [0.55] * 12)
    good = entrant("good", 0.75, shape=1.2)
    hold = play([fooled, good, entrant("low", 0.4)], Gate(replace(HOLD, keep_top=0.0)))
    assert (hold.regret, hold.shortfall) == (0.0, 0.0)
    assert hold.resumes >= 1
    kill = play([fooled, good, entrant("low", 0.4)], Gate(replace(KILL, keep_top=0.0)))
    assert kill.shortfall == pytest.approx(0.2)


def test_a_stricter_alpha_spends_more():
    close = [entrant(f"c{k}", 0.60 + 0.012 * k, sd=0.03) for k in range(6)]
    costs = [play(close, Gate(replace(HOLD, alpha=alpha))).cost for alpha in (0.01, 0.1, 0.4)]
    assert costs[0] > costs[1] > costs[2]


def test_the_gate_takes_starts_apart():
    apart = [replace(one, start=4 * k) for k, one in enumerate(FIELD)]
    found = play(apart, Gate(HOLD))
    assert (found.regret, found.done[7]) == (0.0, LOOKS)
    assert found.rounds >= LOOKS + 28


@pytest.mark.parametrize(("count", "size", "most"), [(10, 4, 210), (10, 4, 209), (10, 10, 5), (12, 2, 40), (2, 2, 1)])
def test_draws_are_increasing_distinct_and_of_the_size_asked_for(count, size, most):
    found = list(draws(count, size, most))
    assert len(found) == len(set(found)) == min(most, comb(count, size))
    assert set(found) <= set(combinations(range(count), size))
    assert found == list(draws(count, size, most))


TEN = several(10, points=24)


@pytest.fixture(scope="module")
def ten():
    return arena(TEN)


def test_scores_are_means_over_tournaments(ten):
    places = list(draws(10, 4, 25))
    truths = np.array(ten.truths)

    class First(Scripted):
        """Stop all but the first at the first look."""

        def decide(self, field, memory):
            made = [Ruling(name=o.name, action=Action.STOP if k else Action.CONTINUE, code="x")
                    for k, o in enumerate(field)]  # fmt: skip
            return Round(tuple(made), None, memory)

    found = scores(ten, First(), places)
    short = np.array([truths[list(one)].max() - truths[one[0]] for one in places])
    looks = len(ten.contenders[0].looks)
    assert found.regret == pytest.approx(short.mean())
    assert found.kept == pytest.approx(tuple(np.mean(short <= near + 1e-12) for near in NEAR))
    assert found.wrong == pytest.approx(np.mean(short > 0.02))
    assert found.wrong_low <= found.wrong <= found.wrong_high
    assert found.cost == pytest.approx((1 + 3 / looks) / 4)
    assert (found.resumes, found.rounds) == (0.0, looks)


def test_prices_and_costs_of_a_setting_reach_the_tournaments(ten):
    places = [tuple(range(10))]
    plain = scores(ten, Gate(HOLD), places)
    dear = scores(ten, Gate(HOLD), places, Setting(prices={TEN[0].name: 50.0}))
    assert dear.cost < plain.cost  # what costs most is the worst, and is held early
    same = scores(ten, Gate(HOLD), places, Setting(prices={one.name: 3.0 for one in TEN}))
    assert same.cost == pytest.approx(plain.cost)
    kept = scores(ten, Gate(replace(HOLD, checkpoint_cost=0.02)), places)
    assert kept.cost > plain.cost
    assert scores(ten, Gate(HOLD), places, Setting(checkpoint_cost=0.02)).cost == pytest.approx(kept.cost)
    free = scores(ten, Gate(replace(HOLD, checkpoint_cost=0.02)), places, Setting(checkpoint_cost=0.0))
    assert free.cost == pytest.approx(plain.cost)
    late = scores(ten, Gate(HOLD), places, Setting(stagger=0.5))
    assert late.rounds > plain.rounds


def test_a_replay_is_the_same_twice_and_other_units_change_nothing():
    few, chosen = Setting(size=4, tournaments=12), [Gate(HOLD), Halving()]
    once, twice = (replay(TEN, chosen, setting=few).policies for _ in range(2))
    assert once == twice
    larger = [replace(one, curve=replace(one.curve, compute=1000.0 * one.curve.compute)) for one in TEN]
    other = replay(larger, chosen, setting=few).policies
    for one, found in zip(once, other, strict=True):
        assert (found.cost, found.wrong, *found.kept) == pytest.approx((one.cost, one.wrong, *one.kept))


def test_given_truths_take_the_place_of_the_last_rewards():
    assert arena(TEN, truths=[0.1 * k for k in range(10)]).truths == pytest.approx([0.1 * k for k in range(10)])
    mixed = [*TEN[:2], rising("short", points=8), TEN[2]]
    held = arena(mixed, truths=[0.1, 0.2, 0.9, 0.3])
    assert held.truths == pytest.approx([0.1, 0.2, 0.3])
    assert [one.run for one in held.skipped] == ["short"]


def far(first):
    """A run of 14 evaluations of which those after its start lie beyond the ends of all others."""
    return on([float(x) for x in 5000 * np.arange(first, first + 14)], [0.1 + 0.04 * k for k in range(14)], "far")


def test_a_run_with_nothing_up_to_the_horizon_is_told():
    (told,) = replay([*TEN, far(1)], [Scripted()]).arena.skipped
    assert told.run == "far"
    assert told.reason == "0 evaluations after the start up to the horizon, 230; a forecast needs 4"


def test_a_run_with_its_start_alone_up_to_the_horizon_does_not_take_part():
    held = arena([*TEN, far(0)])
    assert [one.run for one in held.skipped] == ["far"]
    assert len(held.contenders[0].looks) == len(arena(TEN).contenders[0].looks)


def test_seeds_of_a_recipe_in_a_replay_share_its_level():
    runs = [Run(name=one.name, recipe=f"p{k // 2}", curve=one.curve) for k, one in enumerate(TEN)]
    held = arena(runs, setting=Setting(recipes=True, seed_sd=0.02))
    assert [one.name for one in held.contenders] == [f"p{k}" for k in range(5)]
    alone = arena(runs).truths
    assert held.truths == pytest.approx([np.mean(alone[2 * k : 2 * k + 2]) for k in range(5)])
    all_seeds = scores(held, Scripted(), [(0, 1, 2)], Setting(recipes=True, seed_sd=0.02))
    assert (all_seeds.cost, all_seeds.regret, all_seeds.kept) == (1.0, 0.0, (1.0,) * 3)


def test_a_curve_that_starts_late_is_no_obstacle():
    compute = np.arange(40.0, 240.0, 10.0)
    late = Run(name="late", recipe="late", curve=Curve(compute=compute, reward=np.linspace(0.2, 0.5, compute.size)))
    found = replay([*TEN, late], [Gate(HOLD)], setting=Setting(size=4, tournaments=5))
    assert 0.0 < found.policies[0].cost <= 1.0
