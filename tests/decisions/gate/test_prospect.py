from dataclasses import replace

import numpy as np
import pytest

from rlscale.decisions.gate.outlook import CENTRES, EDGES
from rlscale.decisions.gate.policy import HOLD
from rlscale.decisions.gate.prospect import collapsed, discrepancy_sd, drift, left, prospect, smoothed, widened
from rlscale.decisions.gate.seeds import near_best, pooled
from tests.decisions.gate.scenes import outlook


def moments(mass):
    mean = mass @ CENTRES
    return mean, np.sqrt(mass @ (CENTRES - mean) ** 2)


def test_the_grid_holds_the_outlook():
    one = outlook(0.6, 0.02)
    assert one.mass.sum() == pytest.approx(1.0)
    assert moments(one.mass) == pytest.approx((0.6, 0.02), abs=3e-4)
    assert np.std(one.draws) == pytest.approx(0.02, rel=0.02)


def test_a_calibrated_forecast_does_not_drift_and_a_wrong_one_does():
    now = outlook(0.6, 0.01)
    assert drift([outlook(0.62, 0.03), outlook(0.61, 0.02)], now, 6.0) == 1.0
    assert 2.0 < drift([outlook(0.7, 0.03), outlook(0.66, 0.02)], now, 6.0) < 6.0
    assert drift([outlook(0.9, 0.01)], now, 6.0) == 6.0
    assert drift([], now, 6.0) == 1.0


def test_widening_keeps_the_median_and_smoothing_adds_variances():
    mass = outlook(0.6, 0.02).mass
    assert moments(widened(mass, 2.0)) == pytest.approx((0.6, 0.04), abs=1e-3)
    assert moments(smoothed(mass, 0.03)) == pytest.approx((0.6, np.hypot(0.02, 0.03)), abs=5e-4)
    assert smoothed(mass, 0.0) is mass
    assert smoothed(outlook(0.99, 0.05).mass, 0.3).sum() == pytest.approx(1.0)


def test_discrepancy_shrinks_over_the_second_half_and_with_what_runs_share():
    assert [left(share) for share in (0.0, 0.5, 0.75, 1.0, 1.2)] == [1.0, 1.0, 0.5, 0.0, 0.0]
    assert discrepancy_sd(0.75, HOLD) == pytest.approx(0.01)
    assert discrepancy_sd(0.1, replace(HOLD, correlation=0.75)) == pytest.approx(0.01)
    early, late = prospect([outlook(0.6, 0.02)], 0.3, HOLD), prospect([outlook(0.6, 0.02)], 1.0, HOLD)
    assert early.sd == pytest.approx(np.hypot(0.02, 0.02), abs=5e-4)
    assert late.sd == pytest.approx(0.02, abs=3e-4)


def test_a_collapsed_run_is_forecast_where_it_fell_to():
    one = prospect([outlook(0.8, 0.01)], 0.5, HOLD, fallen_to=0.3)
    assert one.collapsed
    assert (one.mean, one.sd) == pytest.approx((0.3, 0.03), abs=1e-3)
    assert collapsed(0.3, HOLD).quantile(0.5) == pytest.approx(0.3, abs=1e-3)


def test_no_reward_beyond_the_bounds_is_believed():
    one = prospect([outlook(0.99, 0.03)], 0.3, HOLD)
    assert one.quantile(0.99) <= 1.0
    assert one.cdf[-1] == 1.0
    assert one.cdf[np.searchsorted(EDGES, 0.0)] == 0.0


def test_seeds_are_pooled():
    level = pooled([outlook(0.60, 0.02), outlook(0.64, 0.02)], 0.01)
    # the product of two normals, each widened by tau
    assert (level.mean, level.sd) == pytest.approx((0.62, np.hypot(0.02, 0.01) / np.sqrt(2)), abs=1.5e-3)
    these = pooled([outlook(0.60, 0.02), outlook(0.64, 0.02)], 0.0)
    assert (these.mean, these.sd) == pytest.approx((0.62, 0.02 / np.sqrt(2)), abs=1e-3)
    alone = outlook(0.6, 0.02)
    assert pooled([alone], 0.0) is alone
    assert pooled([alone], 0.03).sd == pytest.approx(np.hypot(0.02, 0.03), abs=1e-3)
    assert near_best([0.6, 0.58, 0.5], 0.03) == [True, True, False]
