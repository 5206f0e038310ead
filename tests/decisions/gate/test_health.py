"""The gate under alarms: a run of which a monitor says stop is judged by where it stands."""

import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from rlscale.cli import main
from rlscale.curves import Curve, Metric, Run, Series, Truth, simulate
from rlscale.decisions.gate import Known, gate
from rlscale.decisions.gate.outlook import GATE_FIT
from rlscale.live import WatchSettings
from rlscale.trust import replay

COMPUTE = np.arange(0.0, 501.0, 12.5)
OFF = replace(GATE_FIT, health=False)


def curve(ceiling, seed):
    truth = Truth(R0=0.1, A=ceiling, B=1.8, C_mid=200.0, sigma=0.006, rho=0.3)
    return simulate(truth, COMPUTE, rng=np.random.default_rng(seed))


def run(name, ceiling, seed, truncated=None):
    whole: Curve = curve(ceiling, seed)
    if truncated is None:
        return Run(name=name, recipe=name, curve=whole)
    series = Series(COMPUTE, truncated)
    return Run(
        name=name, recipe=name, curve=whole, series={"clip_ratio": series},
        metrics={"truncation": Metric("clip_ratio", "share of samples", series)},
    )  # fmt: skip


SICK = np.where(COMPUTE > 300.0, 0.95, 0.03)
WELL = 0.03 + 0.01 * np.sin(COMPUTE)
FIELD = [run("best", 0.8, 1, WELL), run("good", 0.79, 2, WELL), run("sick", 0.7, 3, SICK)]


def found(answer, name):
    return next(one for one in answer.decisions if one.run == name)


def test_a_run_under_a_stop_is_judged_by_where_it_stands_with_evidence():
    on, off = gate(FIELD, 1000.0), gate(FIELD, 1000.0, options=OFF)
    sick, free = found(on, "sick"), found(off, "sick")
    assert sick.evidence.alarm.monitor == "truncation"
    assert sick.evidence.collapsed
    assert not free.evidence.collapsed
    assert sick.evidence.mean == pytest.approx(sick.evidence.reward, abs=0.002)
    assert free.evidence.mean > sick.evidence.mean + 0.02
    assert sick.code == "sick"
    assert sick.reason.startswith("Truncation says stop since 325 steps (")
    assert f"expects its reward to stay at {sick.evidence.reward:.3f}" in sick.reason
    assert any("sick: Truncation says stop since 325 steps" in note for note in on.notes)
    assert not any("says stop" in note for note in off.notes)


def test_the_alarm_is_in_the_document_only_where_there_is_one():
    answer = gate(FIELD, 1000.0)
    told = found(answer, "sick").document()["evidence"]["alarm"]
    assert (told["monitor"], told["severity"], told["since"]) == ("truncation", "stop", 325.0)
    assert "alarm" not in found(answer, "best").document()["evidence"]


def test_health_changes_nothing_for_runs_without_series():
    bare = [Run(name=one.name, recipe=one.recipe, curve=one.curve) for one in FIELD]
    assert gate(bare, 1000.0) == gate(bare, 1000.0, options=OFF)
    assert [one.code for one in gate(bare, 1000.0).decisions] == [
        one.code for one in gate(FIELD, 1000.0, options=OFF).decisions
    ]


def test_a_live_gate_says_the_same():
    known = Known(1000.0, GATE_FIT)
    assert gate(FIELD, 1000.0, known=known).decisions == gate(FIELD, 1000.0).decisions


def test_a_replay_holds_what_is_sick():
    field = [*FIELD, run("other", 0.5, 4, WELL)]
    on, off = replay(field), replay(field, options=OFF)
    costs = [next(one.cost for one in each.policies if one.policy == "hold") for each in (on, off)]
    assert costs[0] <= costs[1]


def test_settings_of_a_watcher_say_whether_alarms_count():
    kept = WatchSettings(budget=1000.0).document()
    assert kept["health"] is True
    assert WatchSettings.of(kept).options.health
    assert not WatchSettings.of({**kept, "health": False}).options.health
    del kept["health"]  # a ledger of an earlier release: its looks are made again as they were
    assert not WatchSettings.of(kept).options.health


@pytest.mark.parametrize("command", ["fit", "rank", "plan", "backtest", "gate"])
def test_health_can_be_switched_off_and_is_in_the_settings(command):
    more = ["--budget", "1.84e6", "--until", "9.2e5"] if command == "gate" else []
    told = {}
    for flags in ([], ["--no-health"]):
        result = CliRunner().invoke(main, [command, "bundled", "--json", *more, *flags])
        assert result.exit_code == 0, result.output
        told[bool(flags)] = json.loads(result.stdout)["options"]["health"]
    assert told == {False: True, True: False}


def test_watch_takes_it_too():
    assert "--no-health" in CliRunner().invoke(main, ["watch", "--help"]).output
