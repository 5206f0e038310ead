"""A watcher's look sees the series that logs hold, judges by their alarms, and is made again the same."""

from dataclasses import replace

import numpy as np
import pytest

from rlscale.curves import Metric, Run, Series, Truth, simulate
from rlscale.decisions.gate.outlook import GATE_FIT
from rlscale.ledger import Ledger
from rlscale.live import Intake, Watch, WatchSettings, explain

STEPS = np.arange(0.0, 501.0, 12.5)


def run(name, ceiling, truncated):
    truth = Truth(R0=0.1, A=ceiling, B=1.8, C_mid=200.0, sigma=0.006, rho=0.3)
    series = Series(STEPS, truncated)
    return Run(
        name=name, recipe=name, curve=simulate(truth, STEPS, rng=np.random.default_rng(len(name))),
        series={"clip_ratio": series}, metrics={"truncation": Metric("clip_ratio", "share of samples", series)},
    )  # fmt: skip


WELL = 0.03 + 0.01 * np.sin(STEPS)
FIELD = [run("best", 0.8, WELL), run("second", 0.79, WELL), run("sick", 0.7, np.where(STEPS > 300.0, 0.95, 0.03))]


@pytest.fixture
def ledger(tmp_path):
    with Ledger(str(tmp_path / "runs.db"), create=True) as held:
        Intake(held).take(FIELD)
        yield held


def decided(ledger, options=GATE_FIT):
    Watch(ledger, WatchSettings(budget=1000.0, options=options), acting=True).step()
    names = {row.id: row.name for row in ledger.book.runs()}
    return {names[number]: one for number, one in ledger.rulings.latest(acting=True).items()}


def test_a_watcher_judges_a_sick_run_by_where_it_stands(ledger):
    sick = decided(ledger)["sick"]
    assert sick.evidence["alarm"]["monitor"] == "truncation"
    assert (sick.action, sick.code) == ("hold", "sick")
    again = explain(ledger, sick.id)
    assert again.same
    assert again.same_inputs


def test_a_watcher_without_health_does_not(ledger):
    sick = decided(ledger, replace(GATE_FIT, health=False))["sick"]
    assert "alarm" not in sick.evidence
    assert sick.code != "sick"
    assert explain(ledger, sick.id).same
