"""Simulated runs: healthy ones raise few alarms, sick ones theirs; fixed levels, the control, do not hold that."""

import numpy as np
import pytest
from benchmarks.health_rivals import fell, fixed
from benchmarks.health_simulated import KINDS, healthy, sick

from rlscale.health import check_health


@pytest.fixture(scope="module")
def well():
    rng = np.random.default_rng(101)
    return [healthy(rng, f"run{k}").run for k in range(60)]


def test_few_healthy_runs_raise_alarms_and_fixed_levels_raise_them_on_most(well):
    worst = [run.worst for run in check_health(well).runs]
    assert worst.count("stop") <= 3  # 5 %
    assert worst.count("stop") + worst.count("warn") <= 17  # 15 % and three standard errors
    assert sum(fixed(run) is not None for run in well) >= 45
    assert sum(fell(run) is not None for run in well) <= 15


@pytest.mark.parametrize("kind", KINDS)
def test_each_sickness_is_found_by_its_own_monitor(kind):
    rng = np.random.default_rng(102)
    cases = [sick(rng, kind, f"run{k}") for k in range(8)]
    hits = 0
    for case, run in zip(cases, check_health([case.run for case in cases]).runs, strict=True):
        hits += any(a.severity != "note" and a.raised_step >= case.onset for a in run.of(kind))
    assert hits >= 6
