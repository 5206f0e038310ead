"""What monitors say to a fit, and that asking first whether any can say stop loses none."""

import numpy as np
import pytest
from benchmarks.health_simulated import KINDS, healthy, sick

from rlscale.curves import Run, Series
from rlscale.health import MONITORS, Limits, check_health, checkup, condition, run_health
from rlscale.health.screen import may_stop, stopping
from tests.health.runs import N, noise, run_with, steps

LIMITS = Limits()


@pytest.mark.parametrize("kind", KINDS)
def test_no_stop_is_lost_by_asking_first(kind):
    rng = np.random.default_rng(41)
    runs = [sick(rng, kind, f"run{k}").run for k in range(30)]
    stopped = [run for run in runs if run_health(run, LIMITS).worst == "stop"]
    assert all(may_stop(run, LIMITS) for run in stopped)
    for run in stopped:
        few = run_health(run, LIMITS, monitors=stopping(run)).alarms
        every = run_health(run, LIMITS).alarms
        assert [one for one in few if one.severity == "stop"] == [one for one in every if one.severity == "stop"]


def test_most_healthy_runs_are_out_of_the_question():
    rng = np.random.default_rng(42)
    asked = [may_stop(healthy(rng, f"run{k}").run, LIMITS) for k in range(200)]
    assert np.mean(asked) < 0.3


def test_the_monitors_that_stop_are_those_whose_rule_says_so():
    hacked = run_with(more={"rewards/hack_share": Series(steps(), np.zeros(N))})
    assert {each.name for each in stopping(hacked)} == {each.name for each in MONITORS if "stop" in each.rule}


def test_a_run_without_series_has_no_checkup():
    curve = run_with().curve
    assert checkup(Run(name="a", recipe="a", curve=curve)) is None
    assert not may_stop(Run(name="a", recipe="a", curve=curve), LIMITS)


def test_rows_after_the_last_evaluation_are_not_looked_at():
    truncated = np.where(steps() > 60, 0.9, 0.03)
    run = run_with(truncation=truncated)
    assert checkup(run).stop.monitor == "truncation"
    early = run.with_curve(run.curve.until(60.0), source=None, warnings=())
    assert checkup(early).alarms == ()


def test_the_first_to_move_is_there_when_the_reward_falls():
    truncated = np.where((steps() > 20) & (steps() < 35), 0.3, np.where(steps() > 60, 0.9, 0.03))
    said = checkup(run_with(truncation=truncated))
    assert [one.severity for one in said.alarms][:1] == ["warn"]
    first = said.first_to_move(70.0)
    assert first.monitor == "truncation"
    assert 60 < first.since < 65  # not the episode that was over long before
    assert said.first_to_move(5.0) is None
    assert said.first_after(50.0) == first
    assert said.first_after(90.0) is None
    assert said.latest_over(50.0) == said.alarms[0]
    assert said.latest_over(5.0) is None


@pytest.mark.parametrize(
    ("level", "says", "near"),
    [(0.03, "valid while truncation stays below 0.1", False), (0.08, "valid while truncation stays below 0.1", True)],
)
def test_a_forecast_holds_while_truncation_stays_low(level, says, near):
    truncated = np.clip(level + noise(4, sd=0.003), 0.0, 1.0)
    found = condition(check_health(run_with(truncation=truncated, staleness=None)).runs[0])
    assert str(found) == says
    assert found.near is near


def test_a_condition_that_is_broken_or_not_measured_is_none():
    over = run_with(truncation=np.where(steps() > 50, 0.4, 0.03), staleness=None)
    assert condition(check_health(over).runs[0]) is None
    assert condition(check_health(run_with(truncation=None, staleness=None)).runs[0]) is None
    stale = condition(check_health(run_with(truncation=None, staleness=1.0 + 0.1 * np.abs(noise(3)))).runs[0])
    assert str(stale) == "valid while staleness stays below 8 versions"
