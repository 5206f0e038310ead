"""The forecast of when a curve resolves: its algebra against brute force, its behaviour, and runs that go on."""

import numpy as np
import pytest

from rlscale.curves import Curve, Truth, simulate
from rlscale.inference import FitOptions, Interval, VerdictName, fit
from rlscale.inference.families import SIGMOID
from rlscale.inference.forecast import forecast
from rlscale.inference.posterior import posterior
from rlscale.inference.priors import PRIORS
from rlscale.inference.resolves import HORIZON, _gradients, _inverse_form, _schedule, _variance, resolves_at

from .helpers import sigmoid_curve

ONE = FitOptions(families=(SIGMOID,))


def bent(**change):
    """A posterior past its midpoint and still wide."""
    given = {"ratio": 1.5, "n": 24, "sigma": 0.02, "A": 0.7, **change}
    return posterior(sigmoid_curve(**given), families=(SIGMOID,))


def test_the_inverse_form_is_that_of_the_matrix():
    rng = np.random.default_rng(0)
    root = rng.normal(size=(5, 4, 6))
    matrix = root @ root.swapaxes(1, 2)
    vector = rng.normal(size=(4, 5))
    lower = {(i, j): matrix[:, i, j] for i in range(4) for j in range(i + 1)}
    expected = [v @ np.linalg.solve(m, v) for m, v in zip(matrix, vector.T, strict=True)]
    assert _inverse_form(lower, vector) == pytest.approx(expected, rel=1e-9)


def brute_variance(truths, compute, answer):
    """Variance of the answer from the full AR(1) covariance of evaluations at ``compute``, shape (d,)."""
    n = compute.size
    lag = np.abs(np.arange(n)[:, None] - np.arange(n))
    prior = np.diag([12.0, 12.0, PRIORS.log_c_mid_sd**-2, SIGMOID.log_b_sd**-2])
    with np.errstate(divide="ignore"):
        ahead = np.maximum(np.log(compute / truths.curve.compute_last), -60.0)
    gradients = _gradients(truths, ahead)
    out = []
    for k in range(truths.draws.m.size):
        covariance = truths.draws.sigma[k] ** 2 * truths.draws.rho[k] ** lag
        information = gradients[:, k] @ np.linalg.solve(covariance, gradients[:, k].T) + prior
        out.append(answer[:, k] @ np.linalg.solve(information, answer[:, k]))
    return np.array(out)


@pytest.mark.parametrize("times", [1, 2, 10])
def test_the_information_is_that_of_the_evaluations_to_come(times):
    truths = bent(rho=0.5).thinned(16)
    schedule = _schedule(truths.curve)
    found = _variance(truths, schedule, np.log(8.0), PRIORS)
    node = int(np.argmin(np.abs(schedule.ahead - np.log(times))))
    step = truths.curve.compute_last / 23
    compute = np.arange(0.0, np.exp(schedule.ahead[node]) * truths.curve.compute_last + 0.5 * step, step)
    expected = brute_variance(truths, compute, _gradients(truths, np.array([np.log(8.0)]))[:, :, 0])
    assert found[:, node] == pytest.approx(expected, rel=1e-6 if times == 1 else 0.05)


def test_many_evaluations_are_thinned_without_loss():
    truths = bent(n=400).thinned(16)
    found = _variance(truths, _schedule(truths.curve), np.inf, PRIORS)[:, 0]
    answer = np.array([0.0, 1.0, 0.0, 0.0])[:, None] * np.ones(16)
    assert found == pytest.approx(brute_variance(truths, truths.curve.compute, answer), rel=0.05)


def test_more_noise_resolves_later():
    medians = [resolves_at(bent(sigma=sigma), np.inf, 0.05).q50 for sigma in (0.005, 0.015, 0.045)]
    assert medians == sorted(medians)
    assert medians[2] > 1.3 * medians[0]


def test_a_tighter_tolerance_resolves_later():
    medians = [resolves_at(bent(), np.inf, tolerance).q50 for tolerance in (0.1, 0.06, 0.045)]
    assert medians == sorted(medians)


def test_a_near_target_resolves_before_the_ceiling():
    found = bent()
    assert resolves_at(found, 2.0 * found.curve.compute_last, 0.05).q50 < resolves_at(found, np.inf, 0.05).q50


def test_families_that_differ_resolve_later(monkeypatch):
    found = posterior(sigmoid_curve(ratio=1.5, n=24, sigma=0.02))
    apart = resolves_at(found, np.inf, 0.05)
    alone = resolves_at(bent(), np.inf, 0.05)
    monkeypatch.setattr("rlscale.inference.resolves._BETWEEN_CEILINGS", 1.0)
    assert resolves_at(found, np.inf, 0.05).q50 < apart.q50
    assert resolves_at(bent(), np.inf, 0.05) == alone


def test_what_is_narrow_already_resolves_at_the_next_evaluation():
    found = resolves_at(bent(ratio=8.0, n=41), np.inf, 0.2)
    assert found == Interval(*[pytest.approx(8.2)] * 3)


def test_what_is_too_wide_by_a_tenth_takes_more_than_one_evaluation():
    for seed in range(5):
        found = posterior(sigmoid_curve(ratio=2.0, n=41, sigma=0.012, seed=seed))
        for target in (8.0, np.inf):
            width = forecast(found, target).interval.width
            assert resolves_at(found, target, 0.45 * width).q50 > 1.035 * found.curve.compute_last


def test_a_schedule_even_in_log_compute_goes_on_so():
    compute = np.append(0.0, 8.0 * 1.2 ** np.arange(-20.0, 1.0))
    curve = Curve(compute=compute, reward=Truth(R0=0.2, A=0.6, B=2.0, C_mid=1.0).reward(compute))
    found = resolves_at(posterior(curve, families=(SIGMOID,)), np.inf, 0.2)
    assert found.q50 == pytest.approx(8.0 * 1.2)
    schedule = _schedule(curve)
    assert np.allclose(schedule.between, schedule.between[0])


def test_beyond_the_horizon_there_is_no_answer():
    # the model error alone is wider than the tolerance: no data will ever do
    assert resolves_at(bent(), np.inf, 0.03) is None
    # an answer at a compute that is reached needs no model
    found = bent()
    assert resolves_at(found, 4.0 * found.curve.compute_last, 0.03) is not None


@pytest.mark.parametrize("ratio", [0.3, 0.6, 1.5])
@pytest.mark.parametrize("families", [{}, {"families": (SIGMOID,)}])
def test_the_interval_is_ordered_and_within_the_horizon(ratio, families):
    curve = sigmoid_curve(ratio=ratio, n=13, sigma=0.025, A=0.8)
    found = resolves_at(posterior(curve, **families), np.inf, 0.05)
    last, following = curve.compute_last, curve.compute_last * 13 / 12
    assert following * (1 - 1e-9) <= found.q10 <= found.q50 <= found.q90 <= HORIZON * last * (1 + 1e-9)


def test_it_is_free_of_scale_and_deterministic():
    curve = sigmoid_curve(ratio=1.5, n=24, sigma=0.02)
    other = Curve(compute=curve.compute * 1e6, reward=100.0 * curve.reward - 20.0, bounds=(-20.0, 80.0))
    found, scaled = (resolves_at(posterior(each, families=(SIGMOID,)), np.inf, 0.05) for each in (curve, other))
    assert (scaled.q10, scaled.q50, scaled.q90) == pytest.approx(
        (1e6 * found.q10, 1e6 * found.q50, 1e6 * found.q90), rel=1e-3
    )
    assert resolves_at(posterior(curve, families=(SIGMOID,)), np.inf, 0.05) == found


def test_relative_noise_of_a_point_counts():
    curve = sigmoid_curve(ratio=1.5, n=24, sigma=0.02)
    even = Curve(compute=curve.compute, reward=curve.reward, sd=np.full(24, 0.3))
    assert np.array_equal(_schedule(even).past_count, np.ones(24))
    sd = np.full(24, 0.3)
    sd[3], sd[5] = 0.6, np.nan
    found = _schedule(Curve(compute=curve.compute, reward=curve.reward, sd=sd)).past_count
    assert (found[3], found[5]) == (pytest.approx(0.25), 1.0)


def gone_on(count, seed):
    """Forecasts at the cut for two tolerances, and the compute that resolved the run, all over the last compute."""
    rng = np.random.default_rng(seed)
    out = []
    while len(out) < count:
        truth = Truth(
            R0=rng.uniform(0.05, 0.3),
            A=rng.uniform(0.4, 0.9),
            B=rng.lognormal(np.log(1.5), 0.4),
            C_mid=1.0,
            sigma=rng.uniform(0.008, 0.02),
            rho=rng.choice([0.0, 0.5]),
        )
        compute = rng.uniform(0.8, 3.0) / 20 * np.arange(20 * 30)
        curve = simulate(truth, compute, rng=rng)
        first = fit(curve.until(compute[20]), options=ONE)
        if first.verdict.name not in (VerdictName.BENDING, VerdictName.PRE_INFLECTION):
            continue
        stops = np.unique(np.rint(20 * 1.08 ** np.arange(1, 44)).astype(int))
        stops = stops[stops > 20]
        names = (fit(curve.until(compute[n]), options=ONE).verdict.name for n in stops)
        real = next((n for n, name in zip(stops, names, strict=True) if name == VerdictName.RESOLVED), 600) / 20
        found = [resolves_at(first.posterior, np.inf, tolerance) for tolerance in (0.05, 0.15)]
        out.append((real, *([f.q10 / compute[20], f.q90 / compute[20]] for f in found)))
    return out


def test_runs_that_go_on_resolve_inside_the_interval():
    """At least 60 % of 25 runs; the control, intervals for thrice the tolerance, must miss more than that."""
    runs = gone_on(25, seed=5)
    inside = np.mean([low <= real <= high for real, (low, high), _ in runs])
    control = np.mean([low <= real <= high for real, _, (low, high) in runs])
    assert inside >= 0.6
    assert control < 0.6
