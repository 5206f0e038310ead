"""What must hold whatever the field: of the risk, of a forecast made wider, of the rules in both modes."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from rlscale.decisions.gate import HOLD, KILL, Gate, policy_from
from rlscale.decisions.gate.guards import Scene, bound
from rlscale.decisions.gate.hold import risk_of
from rlscale.decisions.gate.outlook import CENTRES, EDGES, on_grid
from rlscale.decisions.gate.prospect import drift, prospect, smoothed, widened
from rlscale.decisions.gate.risk import Risk
from rlscale.decisions.gate.standing import Memory, State
from rlscale.errors import InputError
from tests.decisions.gate.scenes import believed, outlook, played, standing, told

quick = settings(max_examples=50, deadline=None)
levels, sds = st.floats(0.2, 0.8), st.floats(0.004, 0.1)
runs = st.lists(st.tuples(levels, sds), min_size=2, max_size=6)


def risk(some, epsilon=0.02):
    return Risk(np.stack([believed(m, s).cdf for m, s in some]), epsilon)


@pytest.mark.parametrize("epsilon", [0.0, 0.0003, 0.002, 0.0071, 0.058, 0.3])
@pytest.mark.parametrize("second", [(0.6, 0.02), (0.5, 0.004), (0.65, 0.08)])
def test_two_normals_at_any_epsilon(epsilon, second):
    (a, s), (b, t) = second, (0.58, 0.03)
    assert risk([second, (b, t)], epsilon).alone()[0] == pytest.approx(
        norm.sf((b - a + epsilon) / np.hypot(s, t)), abs=1e-3
    )


@pytest.mark.parametrize("count", [2, 3, 8])
def test_identical_runs_share_the_chance_to_be_best(count):
    found = risk([(0.6, 0.03)] * count, 0.0)
    assert found.alone() == pytest.approx(1 / count, abs=1e-3)
    assert found.growing(range(count - 1)) == pytest.approx(np.arange(1, count) / count, abs=1e-3)


def test_no_reward_can_be_better_by_more_than_the_range():
    assert risk([(0.9, 0.05), (0.1, 0.05)], 1.0).joint([0]) == pytest.approx(0.0, abs=1e-12)


@quick
@given(runs, st.floats(0.0, 0.1), st.randoms(use_true_random=False))
def test_the_order_of_the_field_changes_no_risk(some, epsilon, chance):
    order = list(range(len(some)))
    chance.shuffle(order)
    found, shuffled = risk(some, epsilon), risk([some[k] for k in order], epsilon)
    assert shuffled.alone() == pytest.approx(found.alone()[order], abs=1e-9)
    paused = order[:-1]
    assert found.joint(paused) == pytest.approx(found.joint(sorted(paused)), abs=1e-9)
    assert shuffled.joint(range(len(paused))) == pytest.approx(found.joint(paused), abs=1e-9)


@quick
@given(runs, st.floats(0.0, 0.1))
def test_a_wider_epsilon_is_a_smaller_risk_and_one_more_paused_a_larger(some, epsilon):
    found, wider = risk(some, epsilon), risk(some, epsilon + 0.011)
    assert np.all(wider.alone() <= found.alone() + 1e-9)
    assert np.all((found.alone() >= 0) & (found.alone() <= 1))
    for paused in range(1, len(some) - 1):
        assert found.joint(range(paused + 1)) >= found.joint(range(paused)) - 1e-9
    assert found.joint([0]) >= 0.0


@quick
@given(levels, sds, st.floats(1.0, 6.0), st.floats(0.0, 0.1))
def test_wider_is_wider_about_the_same_median_and_keeps_all_mass(level, sd, factor, extra):
    mass = outlook(level, sd).mass
    wide = widened(mass, factor)
    for one in (wide, smoothed(mass, extra)):
        assert one.sum() == pytest.approx(1.0)
        assert np.all(one >= 0.0)
    middle = np.interp(0.5, np.concatenate([[0.0], np.cumsum(wide)]), EDGES)
    assert middle == pytest.approx(level, abs=2e-3)
    known = on_grid(np.array([level]), np.ones(1))
    assert smoothed(known, extra) @ CENTRES == pytest.approx(known @ CENTRES, abs=1e-6)


def test_drift_is_measured_over_the_looks_the_policy_names():
    wild, calm = outlook(0.3, 0.01), [outlook(0.6, 0.01)] * 3
    assert prospect([wild, *calm], 0.5, replace(HOLD, drift_looks=2)).drift == 1.0
    assert prospect([wild, *calm], 0.5, replace(HOLD, drift_looks=3)).drift > 3.0
    assert prospect([wild, *calm], 0.5, replace(HOLD, drift_looks=0)).drift == 1.0
    assert prospect([wild, *calm], 0.5, replace(HOLD, drift_largest=1.5)).drift == 1.5
    # in closed form: .1 against a quarter of .02 squared and the slack
    assert drift([outlook(0.7, 0.02)], outlook(0.6, 0.02), 100.0) == pytest.approx(
        0.1 / np.hypot(0.01, 0.004), rel=0.01
    )


def test_the_first_guard_that_binds_is_named():
    best = standing("best", 0.8, 0.01, recent=0.2)
    young = standing("x", 0.5, spent=3 / 24, recent=0.2)
    assert bound(young, Scene.of((best, young)), HOLD) == "keep_top"
    behind = replace(young, reward=np.linspace(0.1, 0.105, young.reward.size))
    assert bound(behind, Scene.of((best, behind)), HOLD) == "late_start"
    assert bound(behind, Scene.of((best, behind)), replace(HOLD, late_gain=0.0)) == "minimum"
    assert bound(replace(behind, prospect=None), Scene.of((best, behind)), HOLD) == "unfitted"


STATES = (State.RUNNING, State.RUNNING, State.RUNNING, State.HELD, State.FINISHED, State.STOPPED)
contender = st.tuples(
    st.sampled_from([0.3, 0.5, 0.6, 0.66, 0.68, 0.7, 0.72]),
    st.sampled_from([0.005, 0.02, 0.05]),
    st.sampled_from(STATES),
    st.sampled_from([2, 5, 8, 12, 20]),
    st.booleans(),
)


def made(some, states=None):
    return tuple(
        standing(
            f"r{k}",
            mean + 1e-4 * k,
            sd,
            state=state if states is None or state in states else State.RUNNING,
            spent=1.0 if state is State.FINISHED else looks / 24,
            recent=None if state is State.FINISHED else 0.3 + 0.01 * k,
            fitted=fitted or k == 0,
        )
        for k, (mean, sd, state, looks, fitted) in enumerate(some)
    )


@quick
@given(st.lists(contender, min_size=2, max_size=7), st.sampled_from([0.01, 0.1, 0.3]), st.integers(1, 3))
def test_hold_never_risks_more_than_alpha_and_pauses_no_leader(some, alpha, looks):
    field = made(some)
    numbers = replace(HOLD, alpha=alpha)
    ruled = played(Gate(numbers), *field, looks=looks)
    assert [one.name for one in ruled.rulings] == [one.name for one in field]
    states = {one.name: one.state for one in field}
    if ruled.risk is not None:
        assert 0.0 <= ruled.risk <= alpha
        actions = {one.name: one.action.value for one in ruled.rulings}
        paused = [
            k for k, one in enumerate(field) if actions[one.name] in ("hold", "stop") and one.state is not State.STOPPED
        ]
        assert ruled.risk == pytest.approx(risk_of(field, numbers).joint(paused))
    for one in ruled.rulings:
        if states[one.name] is State.STOPPED:
            assert (one.action, one.code) == ("stop", "stopped")
        elif states[one.name] is State.FINISHED or (
            states[one.name] is State.RUNNING and (one.name == ruled.leader or one.guard is not None)
        ):
            assert one.action in ("continue", "commit")
        if one.code == "resumed":
            assert states[one.name] is State.HELD
    assert sum(one.action == "commit" for one in ruled.rulings) <= 1


@quick
@given(st.lists(contender, min_size=2, max_size=6, unique_by=lambda one: one[:2]), st.randoms(use_true_random=False))
def test_the_order_of_the_field_changes_no_decision(some, chance):
    field = list(made(some))
    expected = told(played(Gate(), *field, looks=2))
    chance.shuffle(field)
    assert told(played(Gate(), *field, looks=2)) == expected


@quick
@given(st.lists(contender, min_size=2, max_size=7), st.integers(1, 8))
def test_kill_spends_at_most_alpha_over_all_looks_and_brings_nothing_back(some, looks):
    field, memory, gone = made(some, (State.FINISHED,)), Memory(), set()
    numbers = replace(KILL, alpha=0.2, patience=2)
    for _ in range(looks):
        ruled = Gate(numbers).decide(field, memory)
        assert memory.spent <= ruled.memory.spent <= numbers.alpha + 1e-12
        stopped = {one.name for one in ruled.rulings if one.action.value == "stop"}
        assert gone <= stopped
        assert ruled.leader not in stopped
        memory, gone = ruled.memory, stopped
        field = tuple(replace(one, state=State.STOPPED) if one.name in gone else one for one in field)
    assert len(gone) < len(field)


def test_the_dead_do_not_block_further_stops():
    best, low = standing("best", 0.7, 0.01), standing("low", 0.62, 0.03, recent=0.4)
    dead = standing("dead", 0.95, 0.01, state=State.STOPPED)
    alone = Gate(replace(KILL, patience=1)).decide((best, low), Memory())
    beside = Gate(replace(KILL, patience=1)).decide((best, low, dead), Memory())
    h = {one.name: one.h for one in alone.rulings}
    assert {one.name: one.h for one in beside.rulings if one.name != "dead"} == pytest.approx(h)


def test_looks_that_do_not_qualify_start_the_count_again():
    gate = Gate(replace(HOLD, alpha=0.1))
    close = standing("close", 0.8, 0.02, recent=0.5)
    field = (standing("best", 0.805, 0.02), standing("good", 0.805, 0.02), close)
    once = played(gate, *field)
    assert once.memory.qualified["close"] == 1
    unclear = (*field[:2], standing("close", 0.82, 0.05, recent=0.5))
    between = gate.decide(unclear, once.memory)
    assert "close" not in between.memory.qualified
    assert told(gate.decide(field, between.memory))["close"] == ("continue", "waiting")


def test_sure_says_when_one_look_is_enough():
    field = (standing("best", 0.8, 0.01), standing("low", 0.7, 0.03, recent=0.5))
    h = played(Gate(), *field).rulings[1].h
    assert 1e-5 < h < 0.01
    above, below = (replace(HOLD, sure=share * h / HOLD.alpha) for share in (1.1, 0.9))
    assert told(played(Gate(above), *field))["low"][0] == "hold"
    assert told(played(Gate(below), *field))["low"] == ("continue", "waiting")


def test_the_last_one_gets_the_budget_though_a_held_one_is_forecast_a_hair_higher():
    held = standing("held", 0.705, 0.002, state=State.HELD)
    assert told(played(Gate(), standing("on", 0.70, 0.002), held))["on"] == ("commit", "only_one_left")


def test_at_the_end_one_is_committed_though_a_held_one_is_forecast_a_hair_higher():
    held = standing("held", 0.705, 0.002, state=State.HELD)
    done = standing("done", 0.70, 0.002, spent=1.0, state=State.FINISHED)
    assert "commit" in {action for action, _ in told(played(Gate(), done, held)).values()}


def test_a_count_of_brackets_is_whole():
    with pytest.raises(InputError, match="brackets"):
        policy_from({"policy": "hyperband", "brackets": 2.5})


def test_the_dead_take_no_share_of_the_risk_left():
    best, low = standing("best", 0.7, 0.01), standing("low", 0.66, 0.028, recent=0.4)
    dead = [standing(f"dead{k}", 0.3, state=State.STOPPED) for k in range(9)]
    kill = Gate(replace(KILL, patience=1))
    alone = kill.decide((best, low), Memory())
    assert KILL.alpha / 10 < alone.rulings[1].h < KILL.alpha
    assert told(alone)["low"] == told(kill.decide((best, low, *dead), Memory()))["low"] == ("stop", "unlikely_best")


def test_what_was_stopped_is_no_rival_of_what_runs():
    field = (standing("best", 0.7, 0.02), standing("near", 0.7, 0.02, recent=0.4))
    dead = standing("dead", 0.95, 0.01, state=State.STOPPED)
    h = [one.h for one in played(Gate(), *field).rulings]
    assert [one.h for one in played(Gate(), *field, dead).rulings][:2] == pytest.approx(h)


def test_kill_too_starts_the_count_again():
    best, low = standing("best", 0.8, 0.01), standing("low", 0.5, 0.01)
    kill = Gate(replace(KILL, patience=2))
    once = kill.decide((best, low), Memory())
    assert once.memory.qualified == {"low": 1}
    between = kill.decide((best, standing("low", 0.79, 0.05, recent=0.4)), once.memory)
    assert between.memory.qualified == {}
    assert told(kill.decide((best, low), between.memory))["low"][0] == "continue"
    assert told(kill.decide((best, low), once.memory))["low"] == ("stop", "unlikely_best")
