import numpy as np
import pytest

from rlscale.decisions.plan.crossings import _last_change, crossings

from .made import PURE, fitted, law

EARLY = {"A": 0.5, "C_mid": 40.0}
LATE = {"A": 0.8, "C_mid": 200.0}


def true_crossing():
    grid = np.geomspace(10.0, 1e4, 200_000)
    ahead = law(**LATE).reward(grid) - law(**EARLY).reward(grid)
    return float(grid[np.flatnonzero(np.diff(np.sign(ahead)))[-1]])


def test_a_late_recipe_passes_an_early_one():
    recipes = [("late", [fitted(PURE, seed=1, **LATE)]), ("early", [fitted(PURE, seed=2, **EARLY)])]
    for order in (recipes, recipes[::-1]):
        (crossing,) = crossings(order, 2000.0, 0.0)
        assert (crossing.a, crossing.b) == ("early", "late")
        assert crossing.p > 0.95
        assert crossing.compute.q10 * 0.97 < true_crossing() < crossing.compute.q90 * 1.03


def test_a_crossing_after_what_was_asked_does_not_count():
    recipes = [("early", [fitted(PURE, last=100.0, seed=2, **EARLY)]), ("late", [fitted(PURE, last=100.0, **LATE)])]
    (crossing,) = crossings(recipes, 101.0, 0.0)
    assert true_crossing() > 150.0
    assert crossing.p < 0.1
    assert crossing.compute is None


def test_recipes_apart_from_the_start_do_not_cross():
    recipes = [("low", [fitted(A=0.3)]), ("high", [fitted(A=0.8, C_mid=50.0)])]
    assert crossings(recipes, 800.0, 0.0)[0].p < 0.05


def test_equal_recipes_have_no_crossing_to_act_on():
    (crossing,) = crossings([("a", [fitted(seed=1)]), ("b", [fitted(seed=2)])], 800.0, 0.03)
    assert crossing.compute is None


def test_pairs_are_all_of_few_and_those_with_the_first_of_many():
    one = [fitted(n=9)]
    assert crossings([("a", one)], 800.0, 0.03) == ()
    few = crossings([(f"r{k}", one) for k in range(4)], 800.0, 0.03)
    assert len(few) == 6
    many = crossings([(f"r{k}", one) for k in range(52)], 800.0, 0.03)
    assert len(many) == 51
    assert all("r0" in (crossing.a, crossing.b) for crossing in many)


def test_a_larger_scatter_of_runs_makes_a_crossing_less_sure():
    recipes = [("late", [fitted(PURE, seed=1, **LATE)]), ("early", [fitted(PURE, seed=2, **EARLY)])]
    near, far = (crossings(recipes, 2000.0, tau)[0].compute for tau in (0.0, 0.05))
    assert far.width > near.width


def test_the_last_of_several_changes_counts():
    log_compute = np.arange(6.0)
    ahead = np.array([[-1.0, 1.0, -1.0, 0.005, 0.5, 1.0], [-1.0, -0.005, -0.5, -1.0, -1.0, -0.5]]).T
    passes, where = _last_change(ahead, log_compute, 0.01)
    assert passes.tolist() == [True, False]
    assert where[0] == pytest.approx(2.0 + 1.0 / 1.005)
