"""What the benchmark of plans measures with is what it says it is."""

import numpy as np
import pytest
from benchmarks import plan as benchmark
from benchmarks.projects import BUDGET, RECIPES, Project

from .made import law, reached


def test_calibration_is_perfect_and_worst_where_it_is():
    claims = np.repeat([0.05, 0.25, 0.75], 400)
    came = np.concatenate([np.arange(400) < 400 * p for p in (0.05, 0.25, 0.75)])
    assert benchmark.calibration_error(claims, came) == pytest.approx(0.0, abs=1e-12)
    assert benchmark.calibration_error(np.ones(10), np.zeros(10, dtype=bool)) == 1.0
    assert benchmark.calibration_error(np.full(10, 0.6), np.arange(10) < 5) == pytest.approx(0.1)


def test_the_law_is_inverted():
    assert benchmark.reached(law(), 0.6) == pytest.approx(reached(law(), 0.6))
    assert float(law().reward(benchmark.reached(law(), 0.6))) == pytest.approx(0.6)
    assert benchmark.reached(law(), 0.7) == np.inf
    assert benchmark.reached(law(), 0.05) == 0.0


def test_cases_are_cut_where_they_say_and_asked_of_both_kinds():
    asked = benchmark.cases(benchmark.RUNS, 1.0, 40)
    assert {case.curve.compute_last for case in asked} == {1000.0}
    assert {case.reward for case in asked[::2]} <= set(benchmark.ROUND)
    assert len({case.reward for case in asked[1::2]}) == 20
    later = benchmark.cases(benchmark.RUNS, 2.0, 40)
    assert [case.when for case in later[::2]] == [case.when for case in asked[::2]]  # the same recipes, seen further


def test_a_project_spends_what_is_left_and_no_more():
    project = Project(np.random.default_rng(0), 300.0)
    everyone = list(range(RECIPES))
    assert project.committed(0.0, everyone)[1] == BUDGET
    assert project.committed(project.left / RECIPES, everyone)[1] == pytest.approx(300.0 + 925.0)
    assert project.thirds()[1] == pytest.approx(300.0 + 3700.0 * (1 / 12 + 1 / 6 + 1 / 3))
