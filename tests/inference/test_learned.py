"""The posterior with a learned model error: against a dense integration, its limits, and what it covers."""

from dataclasses import replace

import numpy as np
import pytest

from rlscale.curves import Curve, Truth
from rlscale.curves.assumed import opened
from rlscale.inference import fits
from rlscale.inference.families import AVERAGED, FLAT, SATURATING, SIGMOID, WEIBULL
from rlscale.inference.noise import RHO_GRID
from rlscale.inference.posterior import posterior, posteriors
from rlscale.inference.predictive import mean_of_evaluations
from rlscale.inference.priors import LEARNED, PRIORS, AheadPrior, WalkPrior
from rlscale.inference.quantiles import weighted_quantiles

from .dense import LEVELS, Dense
from .helpers import sigmoid_curve

TARGETS = (1.0, 2.0, 4.0, np.inf)
FAMILIES = (SIGMOID.within(0.5), WEIBULL.within(0.3), FLAT.within(0.2))
WALK = WalkPrior(correlations=(0.0, 0.4, 0.75), amplitudes=(0.0, 2.0, 5.0), weights=(0.3, 0.4, 0.3))
PLAIN = replace(LEARNED, walk=WALK, ahead=AheadPrior(stay=0.0))


def drifting(n, ratio, sigma, seed, drift=0.0, start=0.0, A=0.6, rho=0.0):
    """A sigmoid and a Brownian motion of sd ``drift`` in log time."""
    plain = sigmoid_curve(ratio=ratio, n=n, sigma=sigma, seed=seed, start=start, A=A, rho=rho)
    u = np.log1p(8.0 * plain.compute / plain.compute_last)
    steps = np.random.default_rng(seed + 100).standard_normal(n) * np.sqrt(np.diff(u, prepend=0.0))
    return Curve(compute=plain.compute, reward=plain.reward + drift * np.cumsum(steps))


CASES = {
    "short and noisy": ({"n": 9, "ratio": 1.5, "sigma": 0.03, "seed": 1, "drift": 0.03, "A": 0.35}, (20, 14)),
    "knots at evaluations": ({"n": 13, "ratio": 2.0, "sigma": 0.01, "seed": 2, "drift": 0.02}, (22, 16)),
    "correlated": ({"n": 12, "ratio": 2.5, "sigma": 0.03, "seed": 6, "drift": 0.03, "rho": 0.85}, (36, 26)),
    "starts late, fewer knots": ({"n": 20, "ratio": 3.0, "sigma": 0.015, "seed": 3, "start": 0.2}, (44, 30)),
}


def boxes(fitted):
    """Edges of ``m`` and of ``ln B`` that hold the posterior of each family that rises."""
    for family in FAMILIES[:2]:
        own = fitted.component(family.name)
        values = ((own.draws.m_within, (-5.0, 4.0)), (np.log(own.draws.b_within), np.log(family.b_limits)))
        reach = [(*weighted_quantiles(each, own.weight, [0.0005, 0.9995]), limits) for each, limits in values]
        yield [(max(a - 0.1 * (b - a), low), min(b + 0.1 * (b - a), high)) for a, b, (low, high) in reach]


@pytest.mark.parametrize("case", CASES)
def test_agrees_with_brute_force(case):
    """Quantiles to .03 of the 80 % width, .01 on average; weights to .02. A coarser dense grid is off by .016."""
    curve, shapes = drifting(**CASES[case][0]), CASES[case][1]
    fitted = posterior(curve, families=FAMILIES, priors=PLAIN, count=32768)
    exact, weights = Dense(curve, FAMILIES, PLAIN, TARGETS).answers([*boxes(fitted)], shapes)
    ahead = np.array(TARGETS) * curve.compute_last
    errors = np.abs(fitted.quantiles(fitted.reward(ahead, model_error=True), LEVELS) - exact) / (exact[2] - exact[0])
    assert errors.max() < 0.03, errors
    assert errors.mean() < 0.01, errors
    assert list(fitted.weights.values()) == pytest.approx(weights, abs=0.02)
    law = fitted.quantiles(fitted.reward(ahead), LEVELS)
    assert (np.abs(law - exact) / (exact[2] - exact[0])).max() > 0.1  # the law alone is another posterior


@pytest.mark.parametrize("steps", [1, 3])
def test_an_evaluation_ahead_agrees_with_brute_force(steps):
    """With the noise it shares with those before it; to .03 of the 80 % width."""
    case, shapes = CASES["knots at evaluations"]
    curve = drifting(**{**case, "rho": 0.6})
    fitted = posterior(curve, families=FAMILIES, priors=PLAIN, count=8192)
    target = 1.0 + steps / 12.0
    exact, _ = Dense(curve, FAMILIES, PLAIN, (target,), steps).answers([*boxes(fitted)], shapes)
    ours = fitted.quantiles(mean_of_evaluations(fitted, [target * curve.compute_last]), LEVELS)
    assert ours == pytest.approx(exact[:, 0], abs=0.03 * (exact[2, 0] - exact[0, 0]))


def answers(fitted):
    """Quantiles of the reward at nine computes, of R0, A, ln B, ln C_mid and sigma, on the unit range."""
    low, span, last = fitted.curve.bounds[0], fitted.curve.span, fitted.curve.compute_last
    at = last * np.array([0.0, 0.01, 0.3, 0.9, 1.0, 1.5, 4.0, 30.0, np.inf])
    rewards = (fitted.reward(at, model_error=True).T - low) / span
    levels = [(each - low) / span for each in (fitted.baseline, fitted.asymptote)]
    shapes = [np.log(fitted.exponent), np.log(fitted.midpoint / last), fitted.sigma / span]
    return fitted.quantiles(np.stack([*rewards, *levels, *shapes], axis=1), LEVELS)


@pytest.mark.parametrize(
    "families", [(SIGMOID, FLAT), FAMILIES, (*AVERAGED[1:], AVERAGED[0])], ids=["two", "three", "average"]
)
@pytest.mark.parametrize(
    "case", [{}, {"n": 8, "sigma": 0.03}, {"ratio": 0.4, "start": 0.05}, {"A": 0.25, "sigma": 0.05}]
)
def test_without_amplitude_it_is_the_plain_posterior(case, families):
    curve = sigmoid_curve(**case)
    still = WalkPrior(correlations=tuple(RHO_GRID.tolist()), amplitudes=(0.0,), weights=(1.0,))
    learned = posterior(curve, families=families, priors=replace(PRIORS, walk=still, ahead=AheadPrior(stay=0.0)))
    plain = posterior(curve, families=families, model_error=0.0)
    assert learned.model_error is None
    for name in ("weight", "column", "row", "noise_cell", "innovation", "baseline", "gain", "m", "b"):
        assert getattr(learned.draws, name) == pytest.approx(getattr(plain.draws, name), abs=1e-9)
    assert not learned.draws.drift.any()
    assert answers(learned) == pytest.approx(answers(plain), abs=1e-9)
    assert learned.weights == pytest.approx(plain.weights, abs=1e-9)
    walking = posterior(curve, families=families, priors=replace(PRIORS, ahead=AheadPrior(stay=0.0)))
    assert np.abs(answers(walking) - answers(plain)).max() > 1e-3


@pytest.mark.parametrize(("shift", "scale"), [(-3.0, 8.0), (0.0, 100.0), (12.0, 0.01)])
def test_the_posterior_follows_the_unit_of_the_reward(shift, scale):
    curve = drifting(n=30, ratio=2.0, sigma=0.015, seed=4, drift=0.02)
    other = Curve(compute=curve.compute, reward=shift + scale * curve.reward, bounds=(shift, shift + scale))
    one, moved = posterior(curve), posterior(other)
    assert answers(moved) == pytest.approx(answers(one), abs=1e-9)
    assert moved.weights == pytest.approx(one.weights, abs=1e-9)
    ends = [each.model_sd(np.array([4.0 * curve.compute_last]))[0] for each in (one, moved)]
    assert ends[1] == pytest.approx(scale * ends[0])


def test_open_bounds_follow_the_unit_of_the_reward():
    curve = drifting(n=30, ratio=2.0, sigma=0.015, seed=4, drift=0.02)
    plain = opened([curve], because="")[0]
    moved = opened([Curve(compute=curve.compute, reward=7.0 * curve.reward - 2.0, bounds_from="values")], because="")[0]
    assert answers(posterior(moved)) == pytest.approx(answers(posterior(plain)), abs=1e-9)


@pytest.mark.parametrize("unit", [1024.0, 1e-3, 3.6e9])
def test_the_posterior_does_not_know_the_unit_of_compute(unit):
    """To the last bit of single precision, in which rises are taken."""
    curve = drifting(n=30, ratio=2.0, sigma=0.015, seed=4, drift=0.02)
    other = Curve(compute=unit * curve.compute, reward=curve.reward)
    one, moved = posterior(curve), posterior(other)
    assert answers(moved) == pytest.approx(answers(one), abs=1e-9 if unit == 1024.0 else 1e-5)
    assert moved.ahead.persistence == one.ahead.persistence


def wandering(seed, drift, count):
    """Curves of 40 evaluations of a sigmoid and a Brownian motion in log time, and their level at twice the compute."""
    rng = np.random.default_rng(seed)
    while count:
        truth = Truth(
            R0=rng.uniform(0.1, 0.3), A=rng.uniform(0.45, 0.75), B=rng.lognormal(0.8, 0.4), C_mid=1.0, sigma=0.012
        )
        last = rng.choice([2.0, 4.0, 8.0])
        compute = np.append(np.linspace(0.0, last, 40), 2.0 * last)
        u = np.log1p(8.0 * compute / last)
        level = truth.reward(compute) + drift * np.cumsum(rng.standard_normal(41) * np.sqrt(np.diff(u, prepend=0.0)))
        if level.min() > 0.02 and level.max() < 0.98:
            count -= 1
            yield Curve(compute=compute[:-1], reward=level[:-1] + truth.noise(40, rng)), level[-1]


STILL_PRIOR = replace(LEARNED, walk=WalkPrior(amplitudes=(0.0,), weights=(1.0,)))
WITHOUT = {
    "a given model error": {"families": SATURATING, "model_error": 0.01},
    "correlated noise alone": {"priors": STILL_PRIOR},
    "independent noise alone": {
        "priors": replace(LEARNED, walk=WalkPrior(correlations=(0.0,), amplitudes=(0.0,), weights=(1.0,)))
    },
}


def covered(seed, drift, count=200, **options):
    """Share of curves whose 80 % interval covers the level at twice their last compute."""
    curves, levels = zip(*wandering(seed, drift, count), strict=True)
    hits = 0
    for fitted, level in zip(posteriors(curves, **options), levels, strict=True):
        ahead = fitted.reward([2.0 * fitted.curve.compute_last], model_error=True)[:, 0]
        low, high = fitted.quantiles(ahead, [0.1, 0.9])
        hits += low <= level <= high
    return hits / count


@pytest.mark.parametrize("drift", [0.02, 0.03])
def test_a_learned_model_error_covers_runs_that_wander(drift):
    """80 % intervals cover 72 to 88 % (200 curves, one standard error 3 %)."""
    assert 0.72 <= covered(1, drift) <= 0.88


@pytest.mark.parametrize("options", WITHOUT.values(), ids=WITHOUT)
def test_negative_control_without_it_they_are_missed(options):
    assert covered(1, 0.033) > 0.72
    assert covered(1, 0.033, **options) < 0.65


def test_runs_that_do_not_wander_stay_covered():
    """The price of learning it: intervals of plain sigmoids cover at least 80 %, and stay within a half more."""
    assert 0.8 <= covered(1, 0.0) <= 0.98
    curves = [curve for curve, _ in wandering(1, 0.0, 60)]
    widths = []
    for options in ({}, {"priors": STILL_PRIOR}):
        fitted = posteriors(curves, **options)
        ends = [
            each.quantiles(each.reward([2.0 * each.curve.compute_last], model_error=True), [0.1, 0.9])
            for each in fitted
        ]
        widths.append(np.median(np.diff(np.squeeze(ends), axis=1)))
    assert 1.0 < widths[0] / widths[1] < 1.6


def test_the_amplitude_is_large_where_the_level_wanders():
    quiet, restless = (
        np.mean([each.mean(each.draws.walk_sd) for each in posteriors([curve for curve, _ in wandering(2, drift, 40)])])
        for drift in (0.0, 0.04)
    )
    assert restless > 2.0 * quiet


def broken(seed, count=100):
    """Posteriors of runs that collapsed and have stayed at a level for a while, and the level."""
    rng = np.random.default_rng(seed)
    curves, levels = [], []
    for _ in range(count):
        truth = Truth(R0=rng.uniform(0.1, 0.3), A=rng.uniform(0.55, 0.8), B=2.0, C_mid=1.0, sigma=0.012)
        compute, at = np.linspace(0.0, rng.choice([2.0, 4.0]), 40), rng.integers(24, 34)
        reward, levels = truth.reward(compute), [*levels, rng.uniform(0.1, 0.35)]
        reward[at:] = levels[-1]
        curves.append(Curve(compute=compute, reward=reward + truth.noise(40, rng)))
    return [each.posterior for each in fits(curves)], np.array(levels)


def probabilities(fitted, truths):
    """Posterior probability of less than each truth at twice the compute; in .1 to .9 where 80 % intervals cover it."""
    ahead = [each.reward([2.0 * each.curve.compute_last], model_error=True)[:, 0] for each in fitted]
    return np.array([each.probability(a < truth) for each, a, truth in zip(fitted, ahead, truths, strict=True)])


def inside(shares):
    return np.mean((shares >= 0.1) & (shares <= 0.9))


@pytest.fixture(scope="module")
def collapsed():
    return broken(3)


def test_runs_that_come_back_by_some_share_are_covered(collapsed):
    """80 % intervals cover 70 to 90 % (100 runs, one standard error 4 %) where the share is the Beta one; else few."""
    fitted, levels = collapsed
    rng = np.random.default_rng(7)
    back = np.array([rng.choice(each.reward([2.0 * each.curve.compute_last])[:, 0], p=each.weight) for each in fitted])
    truths = (
        levels + rng.beta(*LEARNED.ahead.back, levels.size) * (back - levels) + 0.02 * rng.standard_normal(levels.size)
    )
    assert 0.7 <= inside(probabilities(fitted, truths)) <= 0.9
    assert (
        inside(probabilities([replace(each, ahead=replace(each.ahead, aftermath=None)) for each in fitted], truths))
        < 0.3
    )


def test_runs_that_stay_down_are_nearer_with_the_aftermath(collapsed):
    """Their level is possible with it, and the median is nearer; without it, it is out of the question."""
    fitted, levels = collapsed
    without = [replace(each, ahead=replace(each.ahead, aftermath=None)) for each in fitted]
    assert np.mean(probabilities(without, levels)) < 1e-3
    assert np.mean(probabilities(fitted, levels)) > 0.04
    off = [
        np.mean([abs(each.reward([np.inf], model_error=True)[:, 0] - level) @ each.weight for each, level in pairs])
        for pairs in (zip(fitted, levels, strict=True), zip(without, levels, strict=True))
    ]
    assert off[0] < 0.65 * off[1]


def test_runs_that_stay_down_are_covered(collapsed):
    fitted, levels = collapsed
    assert (
        inside(probabilities([replace(each, ahead=replace(each.ahead, aftermath=None)) for each in fitted], levels))
        < 0.2
    )
    assert inside(probabilities(fitted, levels)) > 0.6
