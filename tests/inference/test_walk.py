"""The walk of the model error: its short form, dense linear algebra and a Kalman filter give the same numbers."""

from dataclasses import replace

import numpy as np
import pytest

from rlscale.curves import Curve
from rlscale.decisions.waiting import Waiting
from rlscale.inference.evidence import evidence
from rlscale.inference.families import FLAT, SIGMOID
from rlscale.inference.noise import at_correlations
from rlscale.inference.posterior import posterior
from rlscale.inference.priors import LEARNED, WalkPrior
from rlscale.inference.products import fixed
from rlscale.inference.walk import KNOTS, STILL, Noises, WalkTerms, log_time, noises_of, passed, ramps, walk_of

from .helpers import sigmoid_curve

COUNTS = (5, 12, 13, 14, 24, 37, 60)
PAIR = (SIGMOID.within(0.8), FLAT.within(0.2))


def scheduled(n, baseline, seed, graded=True):
    """Random rewards at ``n`` random computes, every tenth ``sd`` unknown."""
    rng = np.random.default_rng(seed)
    compute = np.sort(rng.lognormal(0.0, 1.0, n))
    if baseline:
        compute[0] = 0.0
    sd = np.where(np.arange(n) % 10 == 9, np.nan, rng.uniform(0.5, 2.0, n)) if graded else None
    return Curve(compute=compute, reward=rng.uniform(0.2, 0.8, n), sd=sd)


def brownian(curve, at=None, other=None):
    """Covariance of a unit walk at computes with it at others, by default the evaluations; straight between knots."""

    def log_times(compute):
        return np.log(1.0 + 8.0 * np.minimum(compute / curve.compute[-1], 4.0))

    def between(compute):
        return np.stack([np.interp(log_times(compute), ends, each) for each in np.eye(ends.size)], axis=1)

    u = log_times(curve.compute)
    few = np.count_nonzero(u) <= 12
    ends = np.concatenate([[0.0], u[u > 0.0] if few else u[-1] * np.arange(1, 13) / 12])
    left, right = (between(curve.compute if each is None else each) for each in (at, other))
    return left @ np.minimum.outer(ends, ends) @ right.T


def dense(curve, weight, rho, amplitude):
    """Covariance of rewards over their relative noise, in units of the innovation variance."""
    lags = np.abs(np.subtract.outer(np.arange(curve.n_points), np.arange(curve.n_points)))
    noise = np.where(lags == 0, 1.0, rho**lags)
    return (noise + amplitude**2 * np.outer(weight, weight) * brownian(curve)) / (1.0 - rho**2)


def each_noise(data):
    grid = data.noises
    return enumerate(zip(grid.correlations, grid.amplitudes, strict=True))


@pytest.mark.parametrize("baseline", [True, False], ids=["from zero", "starts late"])
@pytest.mark.parametrize("n", COUNTS)
def test_every_inner_product_equals_the_dense_one(n, baseline):
    curve = scheduled(n, baseline, seed=n)
    data = evidence(curve, early=True, walk=True, priors=LEARNED)
    p = data.schedule.weight
    u = p * curve.reward
    rises = np.random.default_rng(n + 1).uniform(0.0, 1.0, (6, n)) * p
    short = fixed([data])
    sums = np.concatenate([data.schedule.sums(rises), data.sums(rises)[:, None]], axis=1).reshape(3, -1)
    terms = data.walk.of_rises(rises, slice(None))
    plain = (at_correlations(short.correlation) @ sums).reshape(-1, 3, 6)
    assert data.noises.count == 12
    for k, (rho, amplitude) in each_noise(data):
        covariance = dense(curve, p, rho, amplitude)
        inverse = np.linalg.inv(covariance)
        with_walk = amplitude**2 / (1.0 - rho**2) * brownian(curve)[-1] * p  # of the walk at the end with the rewards
        for name, v, w in (("level", p, p), ("cross", p, u), ("reward", u, u)):
            assert getattr(short, name)[k, 0, 0] == pytest.approx(v @ inverse @ w, rel=1e-8)
        exact = np.stack([rises @ inverse @ p, np.einsum("sn,nm,sm->s", rises, inverse, rises), rises @ inverse @ u])
        assert plain[k] - terms[:3, k] == pytest.approx(exact, rel=1e-8)
        assert terms[3, k] == pytest.approx(rises @ inverse @ with_walk, rel=1e-8, abs=1e-12)
        by_level, by_reward, variance = short.drift[:, k, 0, 0]
        assert by_level == pytest.approx(with_walk @ inverse @ p, rel=1e-8, abs=1e-12)
        assert by_reward == pytest.approx(with_walk @ inverse @ u, rel=1e-8, abs=1e-12)
        before = amplitude**2 / (1.0 - rho**2) * brownian(curve)[-1, -1]
        assert variance == pytest.approx(before - with_walk @ inverse @ with_walk, rel=1e-8, abs=1e-12)
        log_det = np.linalg.slogdet(covariance)[1] + np.log(1.0 - rho**2)
        assert data.walk.log_det[k] == pytest.approx(log_det, abs=1e-8)


@pytest.mark.parametrize("which", [slice(None, None, 2), slice(1, 2)], ids=["every other", "one"])
def test_terms_of_some_correlations_are_those_of_all(which):
    curve = scheduled(20, baseline=True, seed=3)
    data = evidence(curve, early=True, walk=True, priors=LEARNED)
    rises = np.random.default_rng(4).uniform(0.0, 1.0, (5, 20))
    every = data.walk.of_rises(rises, slice(None)).reshape(4, 3, 4, 5)
    assert data.walk.of_rises(rises, which) == pytest.approx(every[:, which].reshape(4, -1, 5), rel=1e-12)


@pytest.mark.parametrize("n", [5, 9, 12])
def test_with_a_knot_for_each_evaluation_the_walk_is_brownian(n):
    curve = scheduled(n, baseline=False, seed=n)
    u = log_time(np.log(curve.compute / curve.compute_last))
    walk = walk_of(np.log(curve.compute / curve.compute_last), None, np.zeros(1))
    steps = ramps(walk.knots, u)
    assert walk.knots == pytest.approx(u)
    assert steps.T @ steps == pytest.approx(np.minimum.outer(u, u), abs=1e-12)
    assert (walk.turn[0] @ steps).T @ (walk.turn[0] @ steps) == pytest.approx(np.minimum.outer(u, u), abs=1e-12)


def test_between_knots_the_walk_varies_less_than_a_brownian_one():
    u = log_time(np.log(np.linspace(0.02, 1.0, 50)))
    walk = walk_of(np.log(np.linspace(0.02, 1.0, 50)), None, np.zeros(1))
    variance = (ramps(walk.knots, u) ** 2).sum(axis=0)
    assert walk.knots.size == KNOTS
    assert np.all(variance <= u + 1e-12)
    assert np.all(u - variance <= 0.25 * u[-1] / KNOTS + 1e-12)  # that of a bridge at its middle
    assert variance[-1] == pytest.approx(u[-1])


def filtered(u, reward, law, rho, amplitude, sigma):
    """Log likelihood by a Kalman filter: the state is the correlated noise and the walk."""
    state, covariance = np.zeros(2), np.diag([sigma**2, 0.0])
    observed, before, total = np.ones(2), 0.0, 0.0
    for t, (now, value) in enumerate(zip(u, reward - law, strict=True)):
        if t:
            state = np.array([rho, 1.0]) * state
            covariance = np.outer([rho, 1.0], [rho, 1.0]) * covariance
            covariance[0, 0] += (1.0 - rho**2) * sigma**2
        covariance[1, 1] += (amplitude * sigma) ** 2 * (now - before)
        before = now
        variance = observed @ covariance @ observed
        miss = value - observed @ state
        total -= 0.5 * (np.log(2.0 * np.pi * variance) + miss**2 / variance)
        pull = covariance @ observed / variance
        state = state + pull * miss
        covariance = covariance - np.outer(pull, observed @ covariance)
    return total, state[1], covariance[1, 1]


@pytest.mark.parametrize("baseline", [True, False], ids=["from zero", "starts late"])
def test_state_space_and_dense_forms_agree(baseline):
    """Likelihood of a law, and the walk at the last evaluation given it, by a filter along the run."""
    n, sigma, level, gain = 12, 0.013, 0.3, 0.25
    curve = scheduled(n, baseline, seed=7, graded=False)
    data = evidence(curve, walk=True, priors=LEARNED)
    power = (curve.compute / curve.compute_last) ** 1.5
    rise = power / (1.0 + power)
    short, terms = fixed([data]), data.walk.of_rises(rise[None], slice(None))[:, :, 0]
    sums = np.concatenate([data.schedule.sums(rise[None]), data.sums(rise[None])[:, None]], axis=1)[:, :, 0]
    of_rise = (at_correlations(short.correlation) @ sums).T - terms[:3]  # with the level, itself and the rewards
    for k, (rho, amplitude) in each_noise(data):
        square = short.reward[k, 0, 0] + level**2 * short.level[k, 0, 0] + gain**2 * of_rise[1, k]
        square += 2.0 * (level * gain * of_rise[0, k] - level * short.cross[k, 0, 0] - gain * of_rise[2, k])
        innovation = sigma**2 * (1.0 - rho**2)
        log_likelihood = -0.5 * n * np.log(2.0 * np.pi * innovation) - 0.5 * square / innovation
        log_likelihood += 0.5 * np.log(1.0 - rho**2) - 0.5 * data.walk.log_det[k]
        u = np.log(1.0 + 8.0 * curve.compute / curve.compute_last)
        total, walked, variance = filtered(u, curve.reward, level + gain * rise, rho, amplitude, sigma)
        assert log_likelihood == pytest.approx(total, rel=1e-8)
        by_level, by_reward, share = short.drift[:, k, 0, 0]
        assert by_reward - level * by_level - gain * terms[3, k] == pytest.approx(walked, rel=1e-8, abs=1e-12)
        assert innovation * share == pytest.approx(variance, rel=1e-8, abs=1e-15)


def test_log_time_starts_at_zero_and_stops_at_four_times():
    ahead = np.log(np.array([1e-300, 1.0, 2.0, 4.0, 50.0]))
    assert log_time(ahead) == pytest.approx(np.log([1.0, 9.0, 17.0, 33.0, 33.0]))
    assert log_time(np.array([-np.inf, np.inf])) == pytest.approx(np.log([1.0, 33.0]))
    assert passed(np.array([-np.inf, -1.0, 0.0])).tolist() == [0.0, 0.0, 0.0]
    assert passed(np.log([2.0, 4.0])) == pytest.approx(np.log([17.0 / 9.0, 33.0 / 9.0]))


def test_amplitudes_grow_with_the_gain_and_with_the_jitter():
    prior = WalkPrior()
    quiet, noisy = noises_of(prior, 0.01, 0.5), noises_of(prior, 0.05, 0.5)
    assert quiet.amplitude == pytest.approx(np.array([0, 1, 2, 4]) * (0.005 + 0.01 + 0.006) / 0.01)
    assert noisy.amplitude == pytest.approx(np.array([0, 1, 2, 4]) * (0.005 + 0.01 + 0.03) / 0.05)
    assert noises_of(prior, 0.0, -0.3).amplitude[1] == pytest.approx(0.005 / 0.004)  # a fall is no gain
    assert noises_of(prior, 0.01, 7.0).amplitude[1] == pytest.approx((0.005 + 0.02 + 0.006) / 0.01)
    assert np.exp(quiet.log_prior).reshape(3, 4) == pytest.approx(np.tile([0.3, 0.3, 0.25, 0.15], (3, 1)))
    assert quiet.correlations == pytest.approx(np.repeat([0.0, 0.4, 0.75], 4))


def test_without_amplitude_nothing_is_taken_off():
    curve = scheduled(18, baseline=True, seed=2)
    data = evidence(
        curve, early=True, walk=True, priors=replace(LEARNED, walk=WalkPrior(amplitudes=(0.0,), weights=(1.0,)))
    )
    assert not data.walk.fixed.any()
    assert not data.walk.log_det.any()
    assert not data.walk.drift.any()
    assert STILL.count == 6
    still = WalkTerms.of(walk_of(np.log(np.linspace(0.1, 1.0, 18)), None, STILL.correlation), STILL, *np.ones((2, 18)))
    assert not still.of_rises(np.ones((2, 18)), slice(None)).any()


def test_an_amplitude_that_is_ruled_out_has_no_draws():
    curve = sigmoid_curve(ratio=3.0)
    some = replace(LEARNED, walk=WalkPrior(weights=(0.5, 0.5, 0.0, 0.0)))
    fitted = posterior(curve, priors=some)
    assert set(np.unique(fitted.draws.noise_cell % 4)) <= {0, 1}
    few = replace(LEARNED, walk=WalkPrior(amplitudes=(0.0, 1.0), weights=(0.5, 0.5)))
    fewer = posterior(curve, priors=few)
    ahead = [2.0 * curve.compute_last, np.inf]
    assert fitted.reward(ahead, model_error=True) == pytest.approx(fewer.reward(ahead, model_error=True), abs=1e-9)


def test_packed_draws_have_the_same_rewards_with_and_without_a_walk():
    curve = sigmoid_curve(ratio=3.0)
    ahead = np.array([0.5, 1.0, 2.0, np.inf]) * curve.compute_last
    for prior in (WalkPrior(), WalkPrior(amplitudes=(0.0,), weights=(1.0,))):
        fitted = posterior(curve, priors=replace(LEARNED, walk=prior))
        rewards = fitted.reward(ahead, model_error=True)
        packed = Waiting().packed(fitted).unpacked()
        assert packed.reward(ahead, model_error=True) == pytest.approx(rewards, abs=1e-6)
        assert packed.model_sd(ahead) == pytest.approx(fitted.model_sd(ahead), abs=1e-6)


def bent(n=40, size=0.04):
    """A sigmoid, and around it a smooth misfit that no family has."""
    plain = sigmoid_curve(ratio=3.0, n=n, sigma=0.004, seed=5)
    wave = size * np.sin(6.0 * np.log1p(8.0 * plain.compute / plain.compute_last))
    return Curve(compute=plain.compute, reward=plain.reward + wave)


def test_the_past_path_ends_where_the_walk_stands():
    fitted = posterior(bent(), families=PAIR)
    last = fitted.curve.compute_last
    path = fitted.reward([0.999999 * last, last], model_error=True)
    assert np.abs(path[:, 0] - path[:, 1]).max() < 1e-3
    assert path[:, 1] == pytest.approx(np.clip(fitted.reward([last])[:, 0] + fitted.draws.drift, 0.0, 1.0), abs=1e-12)
    assert fitted.expected([0.5 * last, last]) == pytest.approx(fitted.reward([0.5 * last, last], model_error=True))


def test_the_past_path_follows_the_data():
    curve = bent()
    fitted = posterior(curve, families=PAIR)
    law, path = (fitted.weight @ fitted.reward(curve.compute, model_error=each) for each in (False, True))
    of_law, of_path = (np.sqrt(np.mean((curve.reward - each)[1:] ** 2)) for each in (law, path))
    assert of_path < 0.4 * of_law
    assert path[0] == pytest.approx(law[0], abs=1e-9)  # no compute, no misfit


@pytest.mark.parametrize("n", [11, 40])
def test_the_past_path_is_the_conditional_walk(n):
    """Each draw's path against a dense one: the walk given the residuals of its law and where it ends, and its sd."""
    curve = bent(n)
    fitted = posterior(curve, families=PAIR, count=256)
    last = curve.compute_last
    at = last * np.array([0.03, 0.31, 0.5, 0.77, 0.96])
    ends, law, path = np.append(at, last), fitted.reward(at), fitted.reward(at, model_error=True)
    weight = evidence(curve, early=True, walk=True, priors=LEARNED).schedule.weight
    residual = curve.reward - fitted.reward(curve.compute)
    exact = np.zeros_like(law)
    grid, cell = fitted.draws.noises, fitted.draws.noise_cell
    for k in np.unique(cell).tolist():
        own, rho, amplitude = cell == k, grid.correlations[k], grid.amplitudes[k]
        if amplitude == 0.0:
            continue
        covariance = dense(curve, weight, rho, amplitude)
        unit = amplitude**2 / (1.0 - rho**2)
        across = unit * brownian(curve, ends) * weight
        mean = np.linalg.solve(covariance, across.T).T @ (weight * residual[own]).T
        spread = unit * brownian(curve, ends, ends) - across @ np.linalg.solve(covariance, across.T)
        pull = spread[:-1, -1] / spread[-1, -1]
        left = np.sqrt(np.diag(spread)[:-1] - pull * spread[:-1, -1])
        drawn = fitted.draws.innovation[own] * fitted.draws.model[own]
        exact[own] = (mean[:-1] + pull[:, None] * (fitted.draws.drift[own] - mean[-1]) + left[:, None] * drawn).T
    assert path == pytest.approx(np.clip(law + exact, 0.0, 1.0), abs=1e-9)
    assert np.abs(exact).max() > 0.01


def test_noises_of_a_grid_go_correlation_by_correlation():
    grid = Noises(np.array([0.0, 0.5]), np.array([0.0, 1.0, 3.0]), np.zeros(6))
    assert grid.count == 6
    assert grid.correlations.tolist() == [0.0, 0.0, 0.0, 0.5, 0.5, 0.5]
    assert grid.amplitudes.tolist() == [0.0, 1.0, 3.0, 0.0, 1.0, 3.0]
