"""What runs show now: from health, fits, rankings and the gate."""

from dataclasses import replace

import numpy as np
import pytest

from rlscale.curves import simulated_runs
from rlscale.curves.prefix import first
from rlscale.decisions import rank, rank_best
from rlscale.decisions.gate import gate
from rlscale.health import MONITORS, check_health
from rlscale.inference import fit, fits
from rlscale.live.alarms.present import decision_signals, health_signals, trap_signals, unjudged, verdict_signals, worth
from tests.health.runs import noise, run_with, steps

LATE = steps() > 60


def judged(**changed):
    (health,) = check_health(run_with(**changed)).runs
    return health


def test_a_monitor_s_alarm_is_one_signal_with_the_next_step_and_its_rate_of_false_alarms():
    health = judged(entropy=np.where(LATE, 6.0, 0.5) + noise(1, sd=0.01))
    (signal,) = [one for one in health_signals(health) if one.kind == "entropy_explosion"]
    alarm = max(health.of("entropy_explosion"), key=lambda one: ("note", "warn", "stop").index(one.severity))
    assert (signal.severity, signal.since, signal.value, signal.threshold) == (
        alarm.severity, alarm.since, alarm.value, alarm.threshold,
    )  # fmt: skip
    assert signal.message == f"{alarm.message}. To do: {alarm.advice}."
    assert (signal.source, signal.false_alarms) == (alarm.source, alarm.false_alarms)


def test_a_healthy_run_shows_nothing_and_what_is_over_neither():
    assert worth(health_signals(judged()), "warn") == []
    middle = (steps() > 40) & (steps() < 60)
    over = judged(truncation=np.where(middle, 0.4, 0.02) + 0.001 * np.abs(noise(3)))
    assert any(not alarm.lasts for alarm in over.of("truncation"))
    assert [one for one in health_signals(over) if one.kind == "truncation"] == []


def test_what_is_not_measurable_is_no_signal_and_not_judged():
    health = judged(entropy=None)
    assert ("run", "entropy_collapse") in unjudged(health)
    assert {kind for _, kind in unjudged(health)} <= {each.name for each in MONITORS}


def test_levels():
    signals = health_signals(judged(truncation=np.where(LATE, 0.4, 0.02), loss=np.where(LATE, np.nan, 0.1)))
    assert {one.severity for one in worth(signals, "stop")} == {"stop"}
    assert len(worth(signals, "note")) == len(signals) >= len(worth(signals, "warn"))


def test_a_collapse_and_a_resolved_curve_are_signals_and_others_are_none():
    runs = [run for run, _ in simulated_runs(2, 1, 60, 3)]
    fallen = runs[0].curve.reward.copy()
    fallen[40:] = 0.1 + 0.005 * np.random.default_rng(1).standard_normal(fallen.size - 40)
    (collapse,) = verdict_signals(fit(replace(runs[0], curve=replace(runs[0].curve, reward=fallen))))
    assert (collapse.kind, collapse.severity) == ("collapse", "stop")
    assert collapse.since == runs[0].curve.compute[40]
    assert collapse.value == pytest.approx(0.1, abs=0.02)
    assert collapse.threshold > 0.3
    assert "go back to a checkpoint" in collapse.message
    (resolved,) = verdict_signals(fit(runs[1], [1.01 * runs[1].curve.compute_last]))
    assert (resolved.kind, resolved.severity) == ("resolved", "warn")
    assert 0 < resolved.value <= resolved.threshold
    assert verdict_signals(fit(first(runs[1], 8))) == []


def test_the_early_leader_that_loses_is_a_trap():
    runs = [first(run, 30) for run, _ in simulated_runs(3, 1, 40, 0)]
    known = list(fits(runs))
    best, whole = rank_best(known, target=4000.0), rank(known, target=4000.0)
    assert best.recipes == whole.recipes
    pairs = {(pair.a, pair.b): pair for pair in whole.pairs}
    for pair in best.pairs:
        assert (pair.p_a_better, pair.trap, pair.early_leader) == (
            pairs[pair.a, pair.b].p_a_better, pairs[pair.a, pair.b].trap, pairs[pair.a, pair.b].early_leader,
        )  # fmt: skip
    assert any(pair.trap for pair in best.pairs)
    (trap,) = trap_signals(best)
    (pair,) = [pair for pair in best.pairs if pair.trap and pair.early_leader == trap.recipe]
    assert trap.value == pytest.approx(max(pair.p_a_better, 1 - pair.p_a_better))
    assert trap.value >= trap.threshold == 0.8
    assert trap.run in {run.name for run in runs}
    assert f"{trap.recipe} leads {best.recipes[0].recipe} early and loses to it" in trap.message


def test_a_recipe_of_several_runs_is_a_trap_as_a_recipe():
    runs = [first(run, 36) for run, _ in simulated_runs(3, 2, 40, 0, sigma=0.005)]
    (trap,) = trap_signals(rank_best(list(fits(runs)), target=4000.0))
    assert trap.run == trap.recipe


def test_what_has_collapsed_is_no_trap():
    runs = [run for run, _ in simulated_runs(2, 1, 60, 3)]
    fallen = runs[0].curve.reward.copy()
    fallen[40:] = 0.1 + 0.005 * np.random.default_rng(1).standard_normal(fallen.size - 40)
    sick = replace(runs[0], curve=replace(runs[0].curve, reward=fallen))
    ranking = rank_best(list(fits([sick, runs[1]])), target=4000.0)
    assert any(pair.trap and pair.early_leader == sick.recipe for pair in ranking.pairs)
    assert trap_signals(ranking) == []


def test_runs_that_are_alike_are_no_trap():
    runs = [first(run, 30) for run, _ in simulated_runs(1, 1, 40, 0)] * 2
    alike = [replace(run, name=f"r{k}", recipe=f"r{k}") for k, run in enumerate(runs)]
    assert trap_signals(rank_best(list(fits(alike)), target=4000.0)) == []


def test_decisions_are_signals_but_to_go_on():
    runs = [first(run, 30) for run, _ in simulated_runs(3, 1, 40, 0)]
    answer = gate(runs, 4000.0, ended=[runs[0].name])
    signals = decision_signals(answer.decisions, answer.unit, acting=True)
    told = {one.run: one.action.value for one in answer.decisions if one.action.value != "continue"}
    assert {one.run: one.state for one in signals} == told
    dry = decision_signals(answer.decisions, answer.unit, acting=False)
    assert all(one.message.endswith("This is a dry run: nothing is carried out.") for one in dry)
