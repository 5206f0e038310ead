"""Simulated curves: the law, the noise, the recipes, and what they refuse."""

import numpy as np
import pytest

from rlscale.curves import Truth, simulate, simulated_runs
from rlscale.errors import CurveError, InputError

TRUTH = Truth(R0=0.1, A=0.7, B=1.8, C_mid=400.0, sigma=0.01, rho=0.6)


def test_the_law_at_its_landmarks():
    assert TRUTH.reward(0.0) == 0.1
    assert TRUTH.reward(np.inf) == pytest.approx(0.7)
    assert TRUTH.reward(400.0) == pytest.approx(0.4)
    # written out by hand: 0.1 + 0.6 / (1 + 0.5^1.8)
    assert TRUTH.reward(800.0) == pytest.approx(0.1 + 0.6 / (1 + 0.5**1.8), abs=1e-15)


def test_reward_keeps_the_shape():
    assert TRUTH.reward(np.ones((2, 3))).shape == (2, 3)


def test_the_noise_is_stationary_and_correlated():
    rng = np.random.default_rng(1)
    rows = np.array([TRUTH.noise(30, rng) for _ in range(20_000)])
    # the sd of an estimated sd is sigma / sqrt(2 x 20,000): half a percent
    np.testing.assert_allclose(rows.std(axis=0), 0.01, rtol=0.025)
    lagged = [np.corrcoef(rows[:, t], rows[:, t + 1])[0, 1] for t in range(29)]
    np.testing.assert_allclose(lagged, 0.6, atol=0.025)
    assert np.corrcoef(rows[:, 0], rows[:, 3])[0, 1] == pytest.approx(0.6**3, abs=0.03)


def test_white_noise_where_rho_is_zero():
    rng = np.random.default_rng(2)
    noise = Truth(R0=0.1, A=0.7, B=1.8, C_mid=400.0, sigma=0.02).noise(50_000, rng)
    assert abs(np.corrcoef(noise[:-1], noise[1:])[0, 1]) < 0.02


def test_a_curve_is_the_law_plus_noise():
    compute = np.linspace(0.0, 1000.0, 41)
    curve = simulate(TRUTH, compute, rng=np.random.default_rng(3), unit="gpu-hours", n_eval=256)
    noise = TRUTH.noise(41, np.random.default_rng(3))
    np.testing.assert_array_equal(curve.reward, TRUTH.reward(compute) + noise)
    assert curve.unit == "gpu-hours"
    assert curve.has_baseline
    np.testing.assert_array_equal(curve.n_eval, np.full(41, 256.0))


def test_the_same_generator_state_gives_the_same_curve():
    one, two = (simulate(TRUTH, [0, 1, 2, 3], rng=np.random.default_rng(4)) for _ in range(2))
    np.testing.assert_array_equal(one.reward, two.reward)


def test_rewards_are_not_clipped_into_the_bounds():
    low = Truth(R0=0.0, A=0.0, B=1.0, C_mid=1.0, sigma=0.01)
    assert simulate(low, np.arange(50.0), rng=np.random.default_rng(5)).reward.min() < 0.0


def test_noise_far_outside_the_bounds_is_an_error():
    wild = Truth(R0=0.0, A=0.0, B=1.0, C_mid=1.0, sigma=0.5)
    with pytest.raises(CurveError, match="outside the bounds"):
        simulate(wild, np.arange(50.0), rng=np.random.default_rng(6))


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("R0", np.nan, "must be finite"),
        ("A", np.inf, "must be finite"),
        ("B", 0.0, "B 0 is not above 0"),
        ("C_mid", -1.0, "C_mid -1 is not above 0"),
        ("sigma", -0.1, "sigma -0.1 is not a noise"),
        ("rho", 1.0, r"rho 1 is not in \[0, 1\)"),
    ],
)
def test_a_truth_that_cannot_be(field, value, message):
    given = {"R0": 0.1, "A": 0.7, "B": 1.8, "C_mid": 400.0, field: value}
    with pytest.raises(InputError, match=message):
        Truth(**given)


def test_simulated_runs_are_recipes_with_seeds():
    made = simulated_runs(count_recipes=4, seeds=3, points=25, seed=7)
    assert [run.recipe for run, _ in made] == [r for r in ("early-leader", "slow-1", "slow-2", "slow-3") for _ in "123"]
    assert len({run.name for run, _ in made}) == 12
    assert [run.seed for run, _ in made] == [1, 2, 3] * 4
    assert all(run.curve.n_points == 26 and run.curve.compute_last == 250.0 for run, _ in made)


def test_the_early_leader_leads_now_and_loses_later():
    for count in (2, 3, 6):
        for seed in range(20):
            made = simulated_runs(count_recipes=count, seeds=1, seed=seed)
            last = made[0][0].curve.compute_last
            now = [float(truth.reward(last)) for _, truth in made]
            later = [float(truth.reward(4 * last)) for _, truth in made]
            assert now[0] == max(now)
            assert later[-1] == max(later)
            assert later[-1] > later[0] + 0.15


def test_simulated_runs_repeat_by_seed():
    one, two, other = (simulated_runs(seed=s)[0][0].curve.reward for s in (0, 0, 1))
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"count_recipes": 0}, "count_recipes 0 is below 1"),
        ({"seeds": 0}, "seeds 0 is below 1"),
        ({"points": 0}, "points 0 is below 1"),
        ({"seed": -1}, "seed -1 is negative"),
        ({"interval": 0.0}, "interval 0 is not above 0"),
        ({"sigma": -1.0}, "sigma -1 is not a noise"),
    ],
)
def test_simulated_runs_refuse(given, message):
    with pytest.raises(InputError, match=message):
        simulated_runs(**given)
