import importlib

import numpy as np
import pytest

from rlscale.decisions.plan.reach import HORIZON, reach
from rlscale.inference.pool import pooled_level

from .made import PURE, fitted, law, reached

MODULE = importlib.import_module("rlscale.decisions.plan.reach")


def test_a_reward_ahead_is_reached_where_the_law_gets_there():
    found = reach([fitted()], 0.6, tau=0.0)
    assert found.p > 0.75  # that the run stays where it is, or has another shape, is possible
    assert found.compute.q10 < reached(law(), 0.6) < found.compute.q90
    assert found.compute.q90 <= found.horizon == HORIZON * 200.0
    assert found.reason == ""


def test_by_the_budget_as_the_forecast_has_it():
    one = fitted()
    for budget in (300.0, 800.0, 5000.0):
        found = reach([one], 0.62, tau=0.02, budget=budget)
        level = pooled_level([one], budget, 0.02)
        assert found.p_by_budget == pytest.approx(1.0 - float(level.cdf(np.array(0.62))), abs=0.01)
        assert found.p_by_budget <= found.p
    assert found.horizon == 5000.0


def test_the_chance_only_grows_with_compute_and_with_a_lower_reward():
    one = fitted()
    chances = [reach([one], reward, tau=0.0).chances for reward in (0.55, 0.62, 0.7)]
    for each in chances:
        assert np.all(np.diff([p for _, p in each]) >= 0.0)
    assert np.all(np.diff([each[-1][1] for each in chances]) < 0.0)


def test_no_compute_is_given_for_what_is_hardly_reached():
    found = reach([fitted()], 0.95, tau=0.0, unit="gpu-hours")
    assert found.p < 0.1
    assert found.compute is None
    assert found.reason.startswith("not reached within 1.6k gpu-hours (8 times the last compute): its chance is <1 %")


def test_what_has_been_reached_lies_in_the_past():
    found = reach([fitted(last=800.0)], 0.4, tau=0.0)
    assert found.p > 0.99
    assert found.compute.q50 == pytest.approx(100.0, rel=0.1)
    assert found.reason == "it probably has been reached already"


def test_a_reward_below_the_start_takes_no_compute():
    found = reach([fitted()], 0.05, tau=0.0)
    assert found.p > 0.99
    assert (found.compute.q10, found.compute.q90) == pytest.approx((5.0, 5.0))  # the first evaluation
    assert found.reason == "it stands there from the first evaluation on"


def test_several_seeds_narrow_it_and_a_larger_scatter_widens_it():
    one, several = [fitted()], [fitted(seed=k) for k in range(4)]

    def width(runs, tau):
        compute = reach(runs, 0.58, tau=tau).compute
        return np.log(compute.q90 / compute.q10)

    assert width(several, 0.03) < width(one, 0.03) < width(one, 0.06)


def test_intervals_hold_the_truth_as_often_as_they_say():
    inside, control = [], []
    for seed in range(80):
        rng = np.random.default_rng(seed)
        truth = law(A=rng.uniform(0.5, 0.9), B=rng.lognormal(np.log(1.6), 0.3), sigma=0.015)
        asked = float(truth.reward(rng.uniform(250.0, 500.0)))
        one = fitted(PURE, seed=seed, A=truth.A, B=truth.B, sigma=truth.sigma)
        compute, when = reach([one], asked, tau=0.0).compute, reached(truth, asked)
        if compute is not None:
            inside.append(compute.q10 <= when <= compute.q90)
            control.append(compute.q50 * 0.98 <= when <= compute.q50 * 1.02)
    assert 0.68 <= np.mean(inside) <= 0.92  # 80 %, three standard errors
    assert np.mean(control) < 0.6


def test_the_compute_of_a_reward_reached_long_ago_does_not_depend_on_the_nodes(monkeypatch):
    one = fitted(last=400.0)
    few = reach([one], 0.4, tau=0.0).compute
    monkeypatch.setattr(MODULE, "_PAST", 400)
    many = reach([one], 0.4, tau=0.0).compute
    assert (few.q10, few.q50, few.q90) == pytest.approx((many.q10, many.q50, many.q90), rel=0.03)
    assert few.q10 < reached(law(), 0.4) < few.q90
