import numpy as np
import pytest

from rlscale.decisions.plan.paths import Paths, recipe_paths, shuffled
from rlscale.inference.pool import pooled_level

from .made import PURE, fitted

COMPUTES = np.array([50.0, 200.0, 400.0, 800.0])


@pytest.mark.parametrize("number", [0, 1, 7, 40])
def test_an_order_is_one_of_all(number):
    assert np.array_equal(np.sort(shuffled(256, number)), np.arange(256))


@pytest.mark.parametrize(("a", "b"), [(0, 1), (1, 2), (0, 9), (5, 30)])
def test_two_orders_fill_the_square(a, b):
    counts, *_ = np.histogram2d(shuffled(1024, a), shuffled(1024, b), bins=4)
    assert counts.min() > 48  # 64 each, were it even
    assert counts.max() < 80


def test_an_order_and_itself_do_not():
    counts, *_ = np.histogram2d(shuffled(1024, 3), shuffled(1024, 3), bins=4)
    assert counts.min() == 0


@pytest.mark.parametrize("options", [None, PURE])
def test_paths_of_one_run_are_its_forecasts(options):
    one = fitted(options)
    paths = recipe_paths([one], COMPUTES, 1024).rewards
    for k, compute in enumerate(COMPUTES):
        level = pooled_level([one], compute, 0.0).interval
        low, middle, high = np.quantile(paths[k], (0.1, 0.5, 0.9))
        assert (low, middle, high) == pytest.approx((level.q10, level.q50, level.q90), abs=0.004)


def test_paths_of_several_runs_lie_where_their_pool_does():
    runs = [fitted(seed=k, A=a) for k, a in enumerate((0.66, 0.7, 0.74))]
    paths = recipe_paths(runs, COMPUTES, 1024).rewards
    for k, compute in enumerate(COMPUTES):
        level = pooled_level(runs, compute, 0.0)
        assert paths[k].mean() == pytest.approx(level.mean, abs=0.01)
        assert np.quantile(paths[k], 0.9) - np.quantile(paths[k], 0.1) == pytest.approx(level.interval.width, rel=0.35)


def test_between_nodes_rewards_are_linear_in_log_compute():
    paths = Paths(np.array([1.0, 4.0, 16.0]), np.array([[0.0], [1.0], [3.0]]), np.zeros((3, 1)))
    assert paths.at([1.0, 2.0, 8.0, 16.0])[:, 0].tolist() == pytest.approx([0.0, 0.5, 2.0, 3.0])
    assert paths.at(2.0, steady=True)[0, 0] == 0.0


def test_the_same_runs_have_the_same_paths():
    runs = [fitted(seed=k) for k in range(2)]
    first, second = (recipe_paths(runs, COMPUTES, 512) for _ in range(2))
    assert np.array_equal(first.rewards, second.rewards)
