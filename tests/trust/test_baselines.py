from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from rlscale.curves import Curve, Truth, simulate
from rlscale.trust.baselines import METHODS, PUBLISHED_A, PUBLISHED_C_MID, linearised_sigmoid, published_sigmoid
from tests.trust.made import rising

Floats = NDArray[np.float64]


def in_gpu_hours(sigma: float, seed: int = 1) -> Curve:
    truth = Truth(R0=0.2, A=0.61, B=1.9, C_mid=2500.0, sigma=sigma)
    return simulate(truth, np.linspace(0.0, 4000.0, 21), rng=np.random.default_rng(seed), unit="gpu-hours")


def brute(curve: Curve, baseline: float) -> tuple[float, float, float, float]:
    """The published grid by trying 4,000 exponents in every cell, one midpoint at a time: (error, A, C_mid, B)."""
    x, y = np.log(curve.compute[curve.compute > 0]), curve.reward[curve.compute > 0]
    exponents = np.geomspace(0.05, 20.0, 4000)
    found = []
    for midpoint in PUBLISHED_C_MID:
        rise = 1.0 / (1.0 + np.exp(-exponents[:, None] * (x - np.log(midpoint))))
        for ceiling in PUBLISHED_A:
            error = np.sum((baseline + (ceiling - baseline) * rise - y) ** 2, axis=1)
            found.append((float(error.min()), float(ceiling), float(midpoint), float(exponents[np.argmin(error)])))
    return min(found)


@pytest.mark.parametrize("sigma", [0.0, 0.02])
def test_published_grid_agrees_with_trying_everything(sigma: float) -> None:
    curve = in_gpu_hours(sigma)
    found = published_sigmoid(curve.compute, curve.reward, 0.2)
    _, ceiling, midpoint, exponent = brute(curve, 0.2)
    assert (found.A, found.C_mid) == (ceiling, midpoint)
    assert found.B == pytest.approx(exponent, rel=2e-3)


def test_published_grid_survives_computes_far_apart() -> None:
    compute = np.array([0.0, 1e-30, 1e-9, 1.0, 4000.0])
    found = published_sigmoid(compute, np.array([0.1, 0.1, 0.1, 0.2, 0.5]), 0.1)
    assert np.all(np.isfinite([found.A, found.B, found.C_mid, *found.reward(compute)]))


def test_linearised_grid_agrees_with_a_line_for_each_ceiling() -> None:
    curve = rising("r", sigma=0.02).curve
    baseline = float(curve.reward[0])
    usable = (curve.compute > 0) & (curve.reward > baseline + 1e-6)
    x, y = np.log(curve.compute[usable]), curve.reward[usable]
    best = (np.inf, 0.0, 0.0)
    for ceiling in np.linspace(y.max() + 1e-4, 1.6 * y.max(), 600):
        slope, offset = np.polyfit(x, np.log((y - baseline) / (ceiling - y)), 1)
        fitted = baseline + (ceiling - baseline) / (1.0 + np.exp(-(slope * x + offset)))
        best = min(best, (float(np.sum((fitted - y) ** 2)), float(ceiling), float(slope)))
    found = linearised_sigmoid(curve.compute, curve.reward, baseline)
    assert (found.A, found.B) == pytest.approx(best[1:], rel=1e-9)


def test_point_methods_take_the_last_evaluations() -> None:
    curve = Curve(compute=[0, 1, 2, 3, 4, 5], reward=[0.1, 0.2, 0.3, 0.4, 0.6, 0.5])
    ahead = np.array([8.0, 9.0, 10.0])
    assert METHODS["last_value"](curve, ahead) == 0.5
    assert METHODS["last3_mean"](curve, ahead) == pytest.approx(0.5)


@pytest.mark.parametrize("name", ["linearised_grid", "scalerl_grid", "least_squares"])
def test_curve_methods_forecast_the_mean_of_the_evaluations_ahead(name: str) -> None:
    truth = Truth(R0=0.1, A=0.6, B=1.5, C_mid=100.0, sigma=0.0)
    compute = np.linspace(0.0, 200.0, 21)
    seen = Curve(compute=compute, reward=truth.reward(compute))
    ahead = np.array([300.0, 350.0, 400.0])
    # the grids are coarse, and one is not at 100: near is what they can do
    assert METHODS[name](seen, ahead) == pytest.approx(float(truth.reward(ahead).mean()), abs=0.01)


@pytest.mark.parametrize("name", list(METHODS))
@pytest.mark.parametrize(("scale", "shift"), [(100.0, 0.0), (5.0, -2.0)])
def test_methods_follow_the_bounds_and_the_unit(name: str, scale: float, shift: float) -> None:
    curve = rising("r").curve
    other = Curve(compute=7.0 * curve.compute, reward=shift + scale * curve.reward, bounds=(shift, shift + scale))
    ahead = np.array([500.0, 550.0, 600.0])
    expected = shift + scale * METHODS[name](curve, ahead)
    assert METHODS[name](other, 7.0 * ahead) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("name", list(METHODS))
@pytest.mark.parametrize(
    "reward",
    [np.zeros(12), np.full(12, 0.4), np.linspace(0.6, 0.1, 12), np.full(12, -0.03), np.r_[0.0, np.ones(11)]],
    ids=["zero", "constant", "falling", "below the bounds", "a step"],
)
def test_methods_survive_any_curve(name: str, reward: Floats) -> None:
    curve = Curve(compute=np.arange(12.0), reward=reward)
    assert np.isfinite(METHODS[name](curve, np.array([14.0, 15.0])))


def test_very_long_curves_are_averaged_first() -> None:
    truth = Truth(R0=0.1, A=0.6, B=1.5, C_mid=5000.0, sigma=0.05)
    seen = simulate(truth, np.arange(20_000.0), rng=np.random.default_rng(0))
    for name in ("linearised_grid", "scalerl_grid", "least_squares"):
        assert METHODS[name](seen, np.array([30_000.0])) == pytest.approx(float(truth.reward(30_000.0)), abs=0.05)
