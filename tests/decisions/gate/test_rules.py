from dataclasses import asdict, replace

import numpy as np
import pytest

from rlscale.decisions.gate import HOLD, KILL, Gate
from rlscale.decisions.gate.guards import Scene, bound, late_end, probe
from rlscale.decisions.gate.policy import stored
from rlscale.decisions.gate.standing import Memory, State
from tests.decisions.gate.scenes import played, standing, told

BEST = standing("best", 0.8, 0.01)
HOPELESS = standing("hopeless", 0.4, 0.01)


@pytest.mark.parametrize(
    ("one", "guard"),
    [
        (standing("x", 0.9, fitted=False), "unfitted"),
        (standing("x", 0.95), "leader"),
        (standing("x", 0.3, spent=5 / 24, recent=0.11), "late_start"),
        (standing("x", 0.6, recent=0.695), "keep_top"),
        (standing("x", 0.4, spent=3 / 24, recent=0.3), "minimum"),
        (standing("x", 0.4, spent=5 / 24, recent=0.3), "minimum"),  # 5 evaluations
        (standing("x", 0.4), None),
    ],
)
def test_each_guard_binds_alone(one, guard):
    field = (BEST, one, HOPELESS)
    assert bound(one, Scene.of(field), HOLD) == guard


def test_late_start_and_keep_top_end():
    late = standing("x", 0.3, spent=11 / 24, recent=0.11)
    assert bound(late, Scene.of((BEST, late)), HOLD) is None
    fallen = standing("x", 0.3, spent=5 / 24 + 0.1, recent=0.11, fell=True)
    assert bound(fallen, Scene.of((BEST, fallen)), HOLD) is None
    near = standing("x", 0.6, spent=22 / 24, recent=0.69)
    assert bound(near, Scene.of((BEST, near)), HOLD) is None
    assert bound(standing("x", 0.6, recent=0.69), Scene.of((BEST,)), HOLD) == "keep_top"


def risen(name, at, *, spent=0.5, state=State.RUNNING):
    """A run that is flat at .2 until compute ``at`` and stands at .7 from there on; never where ``at`` is 1."""
    one = standing(name, 0.7, 0.02, spent=spent, state=state)
    return replace(one, reward=np.where(one.compute >= at - 1e-9, 0.7, 0.2))


def test_a_flat_run_is_a_late_start_only_as_long_as_the_take_offs_of_its_rivals_say():
    flat = replace(standing("flat", 0.2, 0.01, spent=10 / 24), reward=np.full(11, 0.2))
    early = (risen("best", 1 / 24), risen("early", 1 / 24), flat)
    assert late_end(flat, Scene.of(early), HOLD) < 10 / 24
    assert bound(flat, Scene.of(early), HOLD) is None
    assert told(played(Gate(), *early))["flat"] == ("hold", "unlikely_best")
    among_late = (BEST, risen("late", 6 / 24), flat)  # one rival took off late: so may this one
    assert late_end(flat, Scene.of(among_late), HOLD) == HOLD.late_until
    assert told(played(Gate(), *among_late))["flat"] == ("continue", "late_start")
    asks_nobody = replace(HOLD, late_factor=0.0)
    assert told(played(Gate(asks_nobody), *early))["flat"] == ("continue", "late_start")
    assert bound(flat, Scene.of((risen("late", 6 / 24), flat)), HOLD) == "late_start"


def test_a_run_that_is_still_flat_does_not_say_when_starts_end():
    flat = replace(standing("flat", 0.2, 0.01, spent=10 / 24), reward=np.full(11, 0.2))
    twin = replace(flat, name="twin")
    alone, both = (
        (risen("best", 1 / 24), risen("early", 1 / 24), flat),
        (risen("best", 1 / 24), risen("early", 1 / 24), flat, twin),
    )
    assert late_end(flat, Scene.of(both), HOLD) == late_end(flat, Scene.of(alone), HOLD)


def test_what_was_paused_on_little_gets_its_next_evaluations_before_the_others_get_their_last():
    thin = standing("thin", 0.4, 0.01, spent=6 / 24, recent=0.35, state=State.HELD)
    far, near = standing("best", 0.8, 0.01, spent=18 / 24), standing("best", 0.8, 0.01, spent=17 / 24)
    assert told(played(Gate(), far, thin))["thin"] == ("continue", "probe")
    assert told(played(Gate(), far, thin))["best"][0] == "continue"  # it is not the only one left
    assert told(played(Gate(), near, thin))["thin"] == ("hold", "still_held")
    running = replace(thin, state=State.RUNNING)
    assert told(played(Gate(), far, running, looks=3))["thin"] == ("continue", "probe")
    done = standing("best", 0.8, 0.01, spent=1.0, state=State.FINISHED)
    assert told(played(Gate(), done, thin))["thin"] == ("continue", "probe")
    seen = standing("thin", 0.4, 0.01, spent=8 / 24, recent=0.35)
    assert told(played(Gate(), far, seen))["thin"] == ("hold", "unlikely_best")
    assert told(played(Gate(replace(HOLD, probe_share=0.0)), far, thin))["thin"] == ("hold", "still_held")


def test_what_fell_or_never_took_off_is_not_probed():
    far = standing("best", 0.8, 0.01, spent=18 / 24)
    fell = standing("x", 0.4, spent=6 / 24, recent=0.3, state=State.HELD, fell=True)
    flat = standing("x", 0.2, 0.01, spent=6 / 24, recent=0.11, state=State.HELD)
    for one in (fell, flat):
        assert not probe(one, Scene.of((far, one)), HOLD)
        assert told(played(Gate(), far, one))["x"] == ("hold", "still_held")


def test_kept_policies_without_the_newer_guards_decide_as_they_did():
    numbers = asdict(HOLD)
    assert stored(numbers) == HOLD
    older = {
        name: value for name, value in numbers.items() if name not in ("late_factor", "probe_share", "probe_after")
    }
    policy = stored(older)
    assert (policy.late_factor, policy.probe_share) == (0.0, 0.0)
    far = standing("best", 0.8, 0.01, spent=18 / 24)
    thin = standing("thin", 0.4, 0.01, spent=6 / 24, recent=0.35, state=State.HELD)
    assert told(played(Gate(policy), far, thin))["thin"] == ("hold", "still_held")
    assert late_end(thin, Scene.of((far, thin)), policy) == policy.late_until


def test_a_sure_loser_is_held_at_once_and_a_close_one_at_the_second_look():
    assert told(played(Gate(), BEST, HOPELESS))["hopeless"] == ("hold", "unlikely_best")
    close = standing("close", 0.8, 0.02, recent=0.5)
    field = (standing("best", 0.805, 0.02), standing("good", 0.805, 0.02), close)
    gate = Gate(replace(HOLD, alpha=0.1))
    assert 0.05 < gate.decide(field, Memory()).rulings[2].h < 0.1
    assert told(played(gate, *field))["close"] == ("continue", "waiting")
    second = played(gate, *field, looks=2)
    assert told(second)["close"] == ("hold", "unlikely_best")
    assert 0.05 < second.risk < 0.1


def test_the_minimum_counts_looks_but_bars_the_pause():
    young = standing("young", 0.4, spent=3 / 24, recent=0.3)
    first = played(Gate(), BEST, young, standing("other", 0.79))
    assert told(first)["young"] == ("continue", "minimum")
    assert first.memory.qualified["young"] == 1


def test_twins_cannot_be_separated():
    found = told(played(Gate(), standing("a", 0.7, 0.05), standing("b", 0.7, 0.05, recent=0.4), looks=3))
    assert found["b"] == ("continue", "cannot_separate")


def test_many_small_risks_are_added():
    field = [standing("best", 0.7, 0.02), *(standing(f"r{k}", 0.64, 0.04, recent=0.4) for k in range(9))]
    ruled = played(Gate(), *field, looks=2)
    held = [name for name, (action, _) in told(ruled).items() if action == "hold"]
    assert 0 < len(held) < 9
    assert ruled.risk <= HOLD.alpha
    assert all(one.h < HOLD.alpha for one in ruled.rulings if one.name != "best")


def test_a_held_run_comes_back_when_the_leader_falls():
    held = standing("held", 0.6, 0.02, state=State.HELD)
    assert told(played(Gate(), BEST, held, standing("other", 0.7)))["held"] == ("hold", "still_held")
    fallen = standing("best", 0.8, recent=0.2, fell=True)
    ruled = played(Gate(), fallen, held, standing("other", 0.5))
    assert told(ruled)["held"] == ("continue", "resumed")
    assert told(ruled)["best"] == ("hold", "collapsed")


def test_what_only_waits_does_not_drive_out_what_is_held():
    held = standing("held", 0.74, 0.03, state=State.HELD)
    field = (standing("best", 0.78, 0.02), standing("good", 0.78, 0.02), held)
    alone = played(Gate(), *field).risk
    assert 0.0 < alone < HOLD.alpha
    waiting = tuple(standing(f"w{k}", 0.735, 0.03, recent=0.4) for k in range(6))
    assert told(played(Gate(), *field, *waiting))["held"][0] == "hold"


def test_one_left_gets_the_budget_and_what_is_paused_is_released_at_the_end():
    held = standing("low", 0.4, 0.01, state=State.HELD)
    assert told(played(Gate(), BEST, held))["best"] == ("commit", "only_one_left")
    done = standing("best", 0.8, 0.01, spent=1.0, state=State.FINISHED)
    assert told(played(Gate(), done, held)) == {"best": ("commit", "best_finished"), "low": ("stop", "cannot_win")}
    rival = standing("rival", 0.85, 0.05, state=State.HELD)
    assert told(played(Gate(), done, rival)) == {"best": ("continue", "finished"), "rival": ("continue", "resumed")}


def test_nothing_fitted_changes_nothing():
    field = (standing("a", fitted=False), standing("b", fitted=False, state=State.HELD))
    assert told(played(Gate(), *field)) == {"a": ("continue", "no_forecast"), "b": ("hold", "no_forecast")}
    young = standing("young", spent=1 / 24, fitted=False)
    assert told(played(Gate(), BEST, young, standing("c", 0.79)))["young"] == ("continue", "unfitted")


def test_kill_spends_its_risk_once_and_for_good():
    policy = replace(KILL, patience=1)
    field = tuple(standing(f"r{k}", 0.66, 0.03, recent=0.4) for k in range(6))
    best = standing("best", 0.7, 0.02)
    ruled = Gate(policy).decide((best, *field), Memory())
    stopped = {one.name for one in ruled.rulings if one.action.value == "stop"}
    assert ruled.memory.spent <= policy.alpha
    assert ruled.memory.spent == pytest.approx(sum(one.h for one in ruled.rulings if one.name in stopped))
    hopeless = Gate(policy).decide((BEST, HOPELESS), Memory(spent=0.0))
    assert told(hopeless)["hopeless"] == ("stop", "unlikely_best")
    nothing_left = Gate(policy).decide((BEST, standing("near", 0.74, 0.03, recent=0.4)), Memory(spent=policy.alpha))
    assert told(nothing_left)["near"][0] == "continue"
    gone = (best, standing("dead", 0.9, 0.01, state=State.STOPPED), HOPELESS)
    again = Gate(policy).decide(gone, Memory())
    assert told(again)["dead"] == ("stop", "stopped")
    assert told(again)["hopeless"] == ("stop", "unlikely_best")
    assert again.leader == "best"


def test_the_leader_is_never_paused():
    for looks in (1, 2, 3):
        assert told(played(Gate(), BEST, HOPELESS, looks=looks))["best"][0] in ("continue", "commit")
