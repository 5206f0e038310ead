import numpy as np
import pytest

from rlscale.inference.size_law import new_size, size_posterior, summary, trace
from rlscale.inference.size_law.trend import trend

from .projects import K_MAX, LEVELS, N0, REFERENCE, SIZES, exponent, runs_of_sizes, true_reward


def posterior(runs):
    sizes = sorted({run.model_params for run in runs})
    members = [[k for k, run in enumerate(runs) if run.model_params == size] for size in sizes]
    return size_posterior([trace(run.curve, 1.0) for run in runs], members, sizes, 1.0)


def test_a_straight_line_goes_on():
    at = np.log(np.array(SIZES[:6]))
    mean, scale, squares, degrees = trend((0.3 + 0.1 * at)[None], at, float(np.log(SIZES[6])))
    assert mean[0] == pytest.approx(0.3 + 0.1 * np.log(SIZES[6]))
    assert squares[0] == pytest.approx(0.0, abs=1e-12)
    assert degrees == 4
    assert scale > 0.0


def test_the_trend_is_the_conditional_of_a_gaussian():
    """Against a line of very large variance and dense conditioning."""
    at, new = np.array([0.0, 0.7, 1.1, 2.0]), 3.0
    every = np.append(at, new)
    low, high = np.minimum(every[:, None], every), np.maximum(every[:, None], every)
    cover = low**2 * (3.0 * high - low) / 6.0 + 0.01 * np.eye(5) + 1e7 * (1.0 + np.outer(every, every))
    levels = np.array([0.1, -0.2, -0.25, -0.5])
    mean, scale, _, _ = trend(levels[None], at, new)
    weight = np.linalg.solve(cover[:4, :4], cover[:4, 4])
    assert mean[0] == pytest.approx(weight @ levels, rel=1e-5)
    assert scale**2 == pytest.approx(cover[4, 4] - weight @ cover[:4, 4], rel=1e-4)


def test_order_and_direction_do_not_matter():
    at, levels = np.array([0.0, 0.7, 1.1, 2.0]), np.array([0.1, -0.2, -0.25, -0.5])
    ahead = trend(levels[None], at, 3.0)
    back = trend(levels[::-1][None], -at[::-1], -3.0)
    assert back[0] == pytest.approx(ahead[0])
    assert back[1] == pytest.approx(ahead[1])


def test_the_error_widens_with_distance():
    found = posterior(runs_of_sizes(SIZES[:5], sd=0.005))
    widths = []
    for size in (20e9, 40e9, 80e9, 160e9):
        new = new_size(found, size)
        widths.append(summary(new.level - new.k * (found.reference - found.lines.centre)).width)
    assert widths == sorted(widths)
    assert widths[-1] > 2.0 * widths[0]


def test_an_unseen_size_on_the_trend_is_predicted():
    found = posterior(runs_of_sizes(SIZES[:6], sd=0.005, per_size=2))
    new = new_size(found, SIZES[6])
    around = summary(found.reward(new.k, new.level, REFERENCE)[:, 0])
    assert around.q10 <= float(true_reward(SIZES[6], REFERENCE)) <= around.q90
    assert summary(new.k).q50 == pytest.approx(float(exponent(SIZES[6], K_MAX, N0)), abs=0.01)
    assert summary(new.E - new.k * np.log(REFERENCE)).q50 == pytest.approx(LEVELS[SIZES[6]], abs=0.03)


def test_a_size_between_others_is_known_better_than_one_beyond():
    found = posterior(runs_of_sizes(SIZES[:6], sd=0.005))
    between, beyond = new_size(found, 10e9), new_size(found, 100e9)
    assert summary(between.level).width < 0.5 * summary(beyond.level).width
