import numpy as np
import pytest

from rlscale.curves import Curve
from rlscale.decisions.plan.doubling import HORIZON, doublings
from rlscale.inference.posterior import posterior

from .made import PURE, fitted, law


def test_a_gain_is_a_difference_draw_by_draw():
    one = fitted()
    (first, *_), _ = doublings([one], 0.01)
    before, after = one.reward([200.0, 400.0], model_error=True).T
    quantiles = one.quantiles(after - before, (0.1, 0.5, 0.9))
    assert (first.gain.q10, first.gain.q50, first.gain.q90) == pytest.approx(quantiles, abs=0.004)
    # the negative control: quantiles of each are no quantiles of their difference
    apart = one.quantiles(after, (0.1, 0.9)) - one.quantiles(before, (0.9, 0.1))
    assert first.gain.width < 0.9 * (apart[1] - apart[0])


def test_doublings_follow_each_other_and_hold_the_truth():
    found, _ = doublings([fitted(PURE)], 0.01)
    assert [(each.start, each.end) for each in found] == [(200.0 * 2**k, 400.0 * 2**k) for k in range(5)]
    for each in found[:2]:
        gain = float(law().reward(each.end) - law().reward(each.start))
        assert each.gain.q10 - 0.005 < gain < each.gain.q90 + 0.005


def test_what_a_unit_of_reward_costs():
    (first, *_), _ = doublings([fitted()], 0.01, price=2.5, unit="gpu-hours")
    assert first.compute == 200.0
    assert first.price == 500.0
    assert first.cost.unit == "gpu-hours"
    assert first.cost.q50 == pytest.approx(200.0 / first.gain.q50)
    assert first.cost.q10 == pytest.approx(200.0 / first.gain.q90)
    assert first.cost_in_money.q50 == pytest.approx(2.5 * first.cost.q50)


def test_no_cost_without_hours_or_a_price():
    (first, *_), _ = doublings([fitted()], 0.01, unit="steps")
    assert first.cost is None
    assert first.cost_in_money is None
    assert first.price is None


def test_what_gains_nothing_has_no_highest_cost():
    flat = Curve(compute=np.arange(0.0, 41.0), reward=0.5 + 0.01 * np.sin(np.arange(41.0)), unit="gpu-hours")
    (first, *_), until = doublings([posterior(flat)], 0.01, unit="gpu-hours")
    assert first.gain.q10 <= 0.0
    assert first.cost.q90 is None
    assert until.q10 == 40.0


def test_worth_until_is_where_a_doubling_gains_too_little():
    truth, worth = law(), 0.02
    grid = np.geomspace(200.0, 1e5, 20_000)
    end = grid[np.flatnonzero(truth.reward(2.0 * grid) - truth.reward(grid) >= worth)[-1]]
    _, until = doublings([fitted(PURE, last=400.0)], worth)
    assert until.q10 * 0.95 < end < until.q90 * 1.05


def test_more_is_demanded_less_is_worth_it():
    one = fitted()
    ends = [doublings([one], worth)[1].q50 for worth in (0.001, 0.01, 0.03, 0.3)]
    assert ends == sorted(ends, reverse=True)
    assert ends[-1] == 200.0
    assert doublings([one], 1e-9)[1].q90 <= HORIZON * 200.0 * (1.0 + 1e-9)


def test_a_gain_of_several_seeds_is_surer_than_that_of_one():
    seeds = [fitted(PURE, seed=k) for k in range(4)]
    assert doublings(seeds, 0.01)[0][0].gain.width < doublings(seeds[:1], 0.01)[0][0].gain.width
