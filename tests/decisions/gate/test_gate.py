"""The gate on simulated runs, from curves to decisions."""

from dataclasses import replace

import numpy as np
import pytest

from rlscale.curves import Curve, Run, Truth, simulate
from rlscale.decisions.gate import HOLD, Action, Known, gate
from rlscale.errors import InputError
from rlscale.inference import FitOptions


def run(name, ceiling=0.7, last=500.0, seed=0, recipe=None, midpoint=150.0, **curve):
    truth = Truth(R0=0.1, A=ceiling, B=1.8, C_mid=midpoint, sigma=0.006, rho=0.3)
    made = simulate(truth, np.arange(0.0, last + 1, 12.5), rng=np.random.default_rng([seed, int(1000 * ceiling)]))
    return Run(name=name, recipe=recipe or name, curve=replace(made, **curve))


def told(answer):
    return {one.run: (one.action.value, one.code) for one in answer.decisions}


FIELD = [run("best", 0.8), run("good", 0.79), run("low", 0.45), run("lower", 0.3)]


def test_losers_are_held_and_near_ties_go_on():
    answer = gate(FIELD, 1000.0)
    found = told(answer)
    assert found["low"] == found["lower"] == ("hold", "unlikely_best")
    assert found["best"][0] == found["good"][0] == "continue"
    assert answer.risk <= HOLD.alpha
    assert answer.spent == 2000.0
    assert answer.claim == "runs"
    for one in answer.decisions:
        assert one.reason.endswith(".")
        assert one.code in ("unlikely_best", "leader", "cannot_separate", "keep_top", "waiting")
        assert list(one.evidence.forecast) == sorted(one.evidence.forecast)


def test_the_same_input_gives_the_same_bits():
    assert gate(FIELD, 1000.0) == gate(FIELD, 1000.0)


def test_other_units_of_compute_and_reward_change_no_decision():
    def scaled(one, compute, low, size):
        curve = one.curve
        held = replace(
            curve, compute=compute * curve.compute, reward=low + size * curve.reward, bounds=(low, low + size)
        )
        return replace(one, curve=held)

    expected = told(gate(FIELD, 1000.0))
    assert told(gate([scaled(one, 1000.0, 0.0, 1.0) for one in FIELD], 1e6)) == expected
    answer = gate([scaled(one, 1.0, -1.0, 2.0) for one in FIELD], 1000.0)
    assert told(answer) == expected
    # a difference is written as one, a reward as one
    held = next(one for one in answer.decisions if one.run == "low")
    assert "by more than 0.040" in held.reason
    assert held.evidence.reward < 0.0


def test_young_runs_are_left_alone():
    young = [replace(one, curve=one.curve.until(60.0)) for one in FIELD]
    assert {code for _, code in told(gate(young, 1000.0)).values()} <= {"minimum", "leader", "late_start", "keep_top"}
    mixed = [*FIELD, replace(run("new", 0.6), curve=run("new", 0.6).curve.until(25.0))]
    assert told(gate(mixed, 1000.0))["new"][0] == "continue"


def test_seeds_of_a_recipe_are_judged_together():
    seeds = [run(f"{recipe}-{k}", level + 0.01 * k, seed=k, recipe=recipe)
             for recipe, level in (("a", 0.75), ("b", 0.5), ("c", 0.3)) for k in range(2)]  # fmt: skip
    answer = gate(seeds, 1000.0)
    assert answer.claim == "recipes"
    assert 0.0 < answer.seed_sd < 0.05
    by_recipe = {}
    for one in answer.decisions:
        by_recipe.setdefault(one.recipe, set()).add((one.action, one.evidence.h))
    assert all(len(found) == 1 for found in by_recipe.values())
    assert told(answer)["a-0"] == ("commit", "only_one_left")
    staged = told(gate(seeds, 1000.0, policy=replace(HOLD, seeds="staged")))
    assert staged["a-1"] == ("hold", "one_seed_first")
    leads = [one.name for one in seeds if one.name.endswith("-0")]
    later = told(gate(seeds, 1000.0, policy=replace(HOLD, seeds="staged"), held=leads[1:], ended=leads[:1]))
    assert later["a-1"] == ("continue", "near_best")
    assert later["b-1"] == ("hold", "not_near_best")


def test_a_given_seed_sd_makes_lone_runs_speak_for_their_recipes():
    sure, unsure = gate(FIELD, 1000.0), gate(FIELD, 1000.0, seed_sd=0.1)
    assert unsure.claim == "recipes"
    assert unsure.decisions[2].evidence.h > sure.decisions[2].evidence.h


def test_held_runs_stay_or_come_back():
    assert told(gate(FIELD, 1000.0, held=["low", "lower"]))["low"] == ("hold", "still_held")
    assert told(gate(FIELD, 1000.0, held=["good", "low"]))["good"] == ("continue", "resumed")


def test_finished_runs_are_compared_and_left_alone():
    done = [run("best", 0.8, last=1000.0), run("low", 0.4)]
    assert told(gate(done, 1000.0)) == {"best": ("commit", "best_finished"), "low": ("stop", "cannot_win")}
    ended = gate([*FIELD, run("short", 0.6, last=200.0)], 1000.0, ended=["short"])
    assert told(ended)["short"] == ("continue", "finished")
    assert gate([*FIELD, run("short", 0.6, last=200.0)], 1000.0).notes


def test_looks_remembered_by_a_live_gate_change_nothing():
    known = Known(1e3, FitOptions(model_error=0.0))
    gate([replace(one, curve=one.curve.until(475.0)) for one in FIELD], 1000.0, known=known)
    assert told(gate(FIELD, 1000.0, known=known)) == told(gate(FIELD, 1000.0))


def test_a_collapsed_leader_is_not_trusted():
    good = run("fell", 0.9)
    reward = good.curve.reward.copy()
    reward[-8:] = 0.2
    fell = replace(good, curve=replace(good.curve, reward=reward))
    answer = gate([fell, run("fine", 0.6), run("other", 0.55)], 1000.0)
    assert answer.leader == "fine"
    assert told(answer)["fell"] == ("hold", "collapsed")
    assert next(one for one in answer.decisions if one.run == "fell").evidence.collapsed


def test_what_cannot_be_compared_is_continued_with_the_reason():
    assert told(gate([FIELD[0]], 1000.0)) == {"best": ("continue", "nothing_to_compare")}
    two = [run("r-1", 0.7, recipe="r"), run("r-2", 0.7, seed=2, recipe="r")]
    assert set(told(gate(two, 1000.0)).values()) == {("continue", "one_recipe")}
    rng = np.random.default_rng(0)
    compute = np.arange(0.0, 401.0, 20.0)
    flat = [Run(name=f"f{k}", recipe=f"f{k}", curve=Curve(compute=compute, reward=0.2 + 0.01 * rng.normal(size=21)))
            for k in range(3)]  # fmt: skip
    assert set(told(gate(flat, 1000.0)).values()) == {("continue", "no_learning")}


@pytest.mark.parametrize(
    ("runs", "budget", "more", "said"),
    [
        ([], 1.0, {}, "nothing to gate: no runs were given"),
        ([FIELD[0], run("t", unit="tokens")], 1000.0, {}, r"several units \(steps, tokens\); gate them apart"),
        ([FIELD[0], run("m", metric="other")], 1000.0, {}, "several metric"),
        ([FIELD[0], run("b", bounds=(0.0, 2.0))], 1000.0, {}, "several bounds"),
        (FIELD, 400.0, {}, "budget=400 is below what every run has spent already"),
        (FIELD, -1.0, {}, "budget=-1 is not a compute above 0"),
        (FIELD, 1000.0, {"horizon": 2000.0}, "horizon=2000 is beyond budget=1000"),
        (FIELD, 1000.0, {"held": ["nobody"]}, "held='nobody' is none of the runs"),
        (FIELD, 1000.0, {"risk_spent": 2.0}, "risk_spent=2 is not a probability"),
        (FIELD, 1000.0, {"seed_sd": -0.1}, "seed_sd=-0.1 is not a size"),
    ],
)
def test_bad_input_is_told(runs, budget, more, said):
    with pytest.raises(InputError, match=said):
        gate(runs, budget, **more)


def test_a_commit_budget_beyond_the_horizon_is_what_is_compared():
    slow = run("slow", 0.95, midpoint=700.0)
    fast = run("fast", 0.6, midpoint=60.0)
    early = gate([slow, fast], 500.0001, horizon=500.0001)
    late = gate([slow, fast], 8000.0, horizon=1000.0)
    assert early.leader == "fast"
    assert late.leader == "slow"
    assert all(one.action in Action for one in late.decisions)
