"""Answers at many computes from one fit: those of fits made for each compute."""

import math

import numpy as np
import pytest

import rlscale
from rlscale.curves import Run
from rlscale.inference import FitOptions
from rlscale.inference.targets import at_targets, retargeted, target_grid

SHORT = Run(name="short", recipe="short", curve=rlscale.Curve(compute=[0.0, 1.0, 2.0], reward=[0.1, 0.2, 0.3]))


def fallen():
    compute = np.arange(0.0, 2000.0, 40.0)
    reward = 0.1 + 0.6 * compute / (compute + 200.0)
    reward[-8:] = 0.2
    return Run(name="fallen", recipe="fallen", curve=rlscale.Curve(compute=compute, reward=reward))


RUNS = [*rlscale.read("bundled")[:2], fallen(), SHORT]


@pytest.mark.parametrize("run", RUNS, ids=[run.name for run in RUNS])
@pytest.mark.parametrize("options", [FitOptions(), FitOptions(model_error=0.0, tolerance=0.1)])
def test_an_answer_at_a_target_is_that_of_a_fit_made_for_it(run, options):
    whole = rlscale.fit(run, (), options)
    last = run.curve.compute_last
    for target in (1.2 * last, 9.0 * last, 100.0 * last, math.inf):
        own, again = rlscale.fit(run, target, options), retargeted(whole, [target])
        assert (again.verdict, again.forecasts, again.question) == (own.verdict, own.forecasts, own.question)
        assert again.warnings == own.warnings
        assert again.asymptote == own.asymptote
        assert [item[0] for item in at_targets(whole, [target])] == list(own.forecasts)
    several = retargeted(whole, [4.0 * last, 2.0 * last])
    assert several.forecasts == rlscale.fit(run, [4.0 * last, 2.0 * last], options).forecasts
    assert retargeted(whole, ()) is whole


def test_a_grid_starts_at_the_last_compute_and_reads_well():
    for last in (0.013, 7.0, 1234.0, 1.9999e6, 3e300):
        grid = target_grid(last)
        assert last <= grid[0] <= 1.02 * last
        assert grid[-1] == pytest.approx(32 * last, rel=0.01)
        assert list(grid) == sorted(set(grid))
        assert all(value == float(f"{value:.3g}") for value in grid)
    assert len(target_grid(1234.0)) == 40


def test_nothing_is_said_where_nothing_was_fitted():
    assert at_targets(rlscale.fit(SHORT), target_grid(2.0)) == ()
