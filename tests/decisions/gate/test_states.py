"""The gate on runs that were held, stopped, ended or have hardly begun."""

from dataclasses import asdict, replace

import numpy as np
import pytest

from rlscale.curves import Curve, Run
from rlscale.decisions.gate import HOLD, KILL, Known, gate
from rlscale.decisions.gate.contenders import trace
from rlscale.decisions.gate.outlook import GATE_FIT
from tests.decisions.gate.test_gate import FIELD, run, told

SEEDS = [
    run(f"{recipe}-{k}", level + 0.01 * k, seed=k, recipe=recipe)
    for recipe, level in (("a", 0.75), ("b", 0.74), ("c", 0.3))
    for k in range(2)
]
KEYS = {
    "unlikely_best", "collapsed", "still_held", "resumed", "cannot_separate", "waiting", "leader", "minimum",
    "late_start", "keep_top", "only_one_left", "best_finished", "cannot_win", "finished", "stopped", "unfitted",
    "no_forecast", "no_learning", "nothing_to_compare", "one_recipe", "one_seed_first", "near_best", "not_near_best",
}  # fmt: skip


def until(runs, last):
    return [replace(one, curve=one.curve.until(last)) for one in runs]


@pytest.mark.parametrize("policy", [HOLD, KILL, replace(HOLD, seeds="staged")])
@pytest.mark.parametrize("last", [25.0, 100.0, 250.0, 500.0])
def test_every_decision_has_a_known_code_and_a_sentence(policy, last):
    for runs in (until(FIELD, last), until(SEEDS, last)):
        for one in gate(runs, 1000.0, policy=policy).decisions:
            assert one.code in KEYS
            assert one.reason.endswith(".")
            assert len(one.reason.split()) > 3
            assert "nan" not in one.reason
            assert "inf" not in one.reason


def test_a_clear_winner_is_alone_at_half_the_budget():
    clear = [run("best", 0.85), run("low", 0.4), run("lower", 0.3)]
    answer = gate(clear, 1000.0)
    assert told(answer)["best"] == ("commit", "only_one_left")
    assert {told(answer)[name][0] for name in ("low", "lower")} == {"hold"}


def test_the_order_of_the_runs_changes_no_decision():
    assert told(gate(FIELD[::-1], 1000.0)) == told(gate(FIELD, 1000.0))
    assert told(gate(SEEDS[::-1], 1000.0)) == told(gate(SEEDS, 1000.0))


def test_two_evaluations_among_long_runs_are_no_ground_to_pause():
    answer = gate([*FIELD, *until([run("new", 0.6)], 12.5)], 1000.0)
    assert told(answer)["new"] == ("continue", "unfitted")
    assert told(answer)["low"] == told(gate(FIELD, 1000.0))["low"]


def test_a_horizon_before_the_budget_ends_the_comparison_there():
    answer = gate(FIELD, 1000.0, horizon=500.0)
    assert {code for _, code in told(answer).values()} == {"best_finished", "finished"}
    assert answer.risk == 0.0


def test_runs_already_stopped_are_neither_rivals_nor_leaders():
    without = gate(FIELD[1:], 1000.0)
    beside = gate(FIELD, 1000.0, stopped=["best"])
    assert told(beside) == {"best": ("stop", "stopped"), **told(without)}
    assert beside.leader == without.leader


def test_kill_stops_no_more_than_its_risk_allows():
    spent = gate(FIELD, 1000.0, policy=KILL, risk_spent=KILL.alpha)
    assert {action for action, _ in told(spent).values()} <= {"continue"}
    fresh = gate(FIELD, 1000.0, policy=KILL)
    assert told(fresh)["lower"] == ("stop", "unlikely_best")
    assert fresh.risk <= KILL.alpha
    later = gate(FIELD, 1000.0, policy=KILL, risk_spent=0.02)
    stopped = [one.evidence.h for one in later.decisions if one.action == "stop"]
    assert stopped
    assert later.risk == pytest.approx(0.02 + sum(stopped))


def test_the_last_one_running_is_committed_whoever_leads():
    pair = [run("a", 0.80, last=900.0), run("b", 0.803, last=900.0, seed=50), run("low", 0.4, last=400.0)]
    for held, other in (("a", "b"), ("b", "a")):
        found = told(gate(pair, 1000.0, held=[held, "low"]))
        assert found[held] == ("hold", "still_held")
        assert found[other] == ("commit", "only_one_left")


def test_a_live_gate_goes_on_from_look_to_look():
    known = Known(1e3, GATE_FIT)
    for last in (400.0, 450.0, 500.0):
        now = until(FIELD, last)
        live = trace(now, 1e3, 1e3, HOLD, known=known)
        assert {len(one.looks) for one in live} == {HOLD.drift_looks + HOLD.patience}
        for one, fresh in zip(live, trace(now, 1e3, 1e3, HOLD), strict=True):
            means = [[look.outlook.mean for look in own.looks] for own in (one, fresh)]
            assert means[0] == pytest.approx(means[1], abs=1e-9)


def test_what_a_live_gate_knows_does_not_depend_on_when_it_was_asked():
    early, late = (Known(1e3, GATE_FIT) for _ in range(2))
    for last in (400.0, 450.0, 500.0):
        answer = gate(until(SEEDS, last), 1e3, known=early)
    again = gate(until(SEEDS, 500.0), 1e3, known=late)
    assert [asdict(one) for one in answer.decisions] == [asdict(one) for one in again.decisions]
    assert answer.seed_sd == again.seed_sd


def test_holding_a_run_changes_nothing_that_is_believed_of_it():
    low = run("low", 0.5)
    late = np.where(low.curve.compute > 350.0, 0.05 * (low.curve.compute - 350.0) / 100.0, 0.0)
    climbs = replace(low, curve=replace(low.curve, reward=low.curve.reward + late))
    field = [run("best", 0.8), run("good", 0.79, seed=3), climbs]
    running, held = (gate(field, 1000.0, held=names).decisions[2].evidence for names in ([], ["low"]))
    assert running.drift > 3.0
    assert held.drift == pytest.approx(running.drift, rel=0.2)
    assert held.h == pytest.approx(running.h, rel=0.2)


@pytest.mark.parametrize("policy", [HOLD, replace(HOLD, seeds="staged")])
def test_a_stopped_seed_stays_stopped_while_its_recipe_goes_on(policy):
    assert told(gate(SEEDS, 1000.0, stopped=["a-1"], policy=policy))["a-1"] == ("stop", "stopped")


@pytest.mark.parametrize(("runs", "name"), [(FIELD[:1], "best"), (SEEDS[:2], "a-1")])
def test_what_was_stopped_stays_so_when_there_is_nothing_to_compare(runs, name):
    assert told(gate(runs, 1000.0, stopped=[name]))[name] == ("stop", "stopped")


def test_a_finished_further_seed_gets_nothing_more():
    names = [one.name for one in SEEDS]
    found = told(gate(SEEDS, 1000.0, ended=names, policy=replace(HOLD, seeds="staged")))
    assert "best_finished" in {code for _, code in found.values()}
    assert {code for _, code in found.values()} <= {"best_finished", "finished"}


def test_a_run_with_its_start_alone_has_a_reward():
    start = Run(name="new", recipe="new", curve=Curve(compute=[0.0], reward=[0.1]))
    (one,) = [one for one in gate([*FIELD, start], 1000.0).decisions if one.run == "new"]
    assert one.code == "unfitted"
    assert one.evidence.reward == pytest.approx(0.1)


def test_without_looks_back_none_are_kept():
    policy = replace(HOLD, patience=1, drift_looks=0)
    known = Known(1e3, GATE_FIT)
    assert {len(one.looks) for one in trace(FIELD, 1e3, 1e3, policy, known=known)} == {1}


def test_a_seed_that_joins_a_live_gate_is_pooled_with_the_others():
    policy = replace(HOLD, patience=1, drift_looks=0)
    known = Known(1e3, GATE_FIT)
    gate(until([one for one in SEEDS if one.name != "a-1"], 475.0), 1000.0, policy=policy, known=known)
    assert told(gate(SEEDS, 1000.0, policy=policy, known=known)) == told(gate(SEEDS, 1000.0, policy=policy))
