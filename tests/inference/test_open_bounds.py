"""The posterior under open bounds: it maps with the rewards, and nothing else knows their scale."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlscale.curves import Curve, Run, Truth, simulate
from rlscale.curves.assumed import assumed, opened
from rlscale.curves.bounds import OpenBounds
from rlscale.decisions import rank
from rlscale.decisions.gate import gate
from rlscale.inference import FitOptions, VerdictName, fit
from rlscale.inference.families import SIGMOID
from rlscale.inference.posterior import posterior
from rlscale.inference.priors import PRIORS, OpenCeiling
from rlscale.inference.quantiles import weighted_quantiles


def made(seed=0, A=0.7, C_mid=100.0, n=30, sigma=0.015, rho=0.3):
    truth = Truth(R0=0.2, A=A, B=1.6, C_mid=C_mid, sigma=sigma, rho=rho)
    return simulate(truth, np.linspace(0.0, 300.0, n), rng=np.random.default_rng(seed))


def mapped(curves, a, b):
    return opened([replace(each, reward=a * each.reward + b, bounds=(-1e9, 1e9)) for each in curves], because="asked")


@settings(max_examples=12)
@given(st.floats(1e-3, 1e4), st.floats(-50.0, 50.0))
def test_an_affine_map_of_the_rewards_maps_the_answer(a, b):
    for options in (FitOptions(families=(SIGMOID,), model_error=0.0), FitOptions()):
        one, other = (fit(mapped([made()], *by)[0], 900.0, options) for by in ((1.0, 0.0), (a, b)))
        assert one.verdict.name == other.verdict.name
        for mine, theirs in ((one.forecasts[0], other.forecasts[0]), (one.asymptote, other.asymptote)):
            for level in ("q10", "q50", "q90"):
                expected = a * getattr(mine, level) + b
                assert getattr(theirs, level) == pytest.approx(expected, abs=1e-6 * a + 1e-9 * abs(b))


@pytest.mark.parametrize(("a", "b"), [(1e-3, 2.0), (250.0, -40.0)])
def test_it_maps_rankings_and_decisions(a, b):
    curves = [made(1, A=0.7), made(2, A=0.5), made(3, A=0.65)]

    def runs(by):
        return [Run(name=f"r{k}", recipe=f"r{k}", curve=each) for k, each in enumerate(mapped(curves, *by))]

    one, other = (rank([fit(run, 900.0) for run in runs(by)], target=900.0) for by in ((1.0, 0.0), (a, b)))
    for mine, theirs in zip(one.recipes, other.recipes, strict=True):
        assert mine.recipe == theirs.recipe
        assert mine.p_best == pytest.approx(theirs.p_best, abs=1e-6)
        assert a * mine.expected_regret == pytest.approx(theirs.expected_regret, rel=1e-4, abs=1e-9 * a)
    first, second = (gate(runs(by), 600.0) for by in ((1.0, 0.0), (a, b)))
    assert [d.action for d in first.decisions] == [d.action for d in second.decisions]
    assert first.risk == pytest.approx(second.risk, abs=1e-6)


def test_a_ceiling_above_one_is_found():
    curve = simulate(
        Truth(R0=0.1, A=1.7, B=1.6, C_mid=60.0, sigma=0.02, rho=0.2),
        np.linspace(0.0, 600.0, 60), rng=np.random.default_rng(4), bounds=(0.0, 2.0),
    )  # fmt: skip
    (open_one,) = assumed(opened([curve], because="values"))
    found = fit(open_one)
    assert found.asymptote.q10 < 1.7 < found.asymptote.q90
    assert found.asymptote.q50 == pytest.approx(1.7, abs=0.15)


def test_it_resolves_no_more_often_and_says_no_less():
    for seed in range(8):
        closed = made(seed, n=60)
        found, other = fit(closed), fit(mapped([closed], 1.0, 0.0)[0])
        assert other.verdict.name is not VerdictName.RESOLVED or found.verdict.name is VerdictName.RESOLVED


def test_where_nothing_varies_nothing_is_fitted():
    (curve,) = assumed([Curve(compute=np.arange(1.0, 9.0), reward=np.full(8, 3.0), bounds_from="values")])
    found = fit(curve)
    assert found.posterior is None
    assert found.verdict.name is VerdictName.NO_LEARNING
    assert "all values equal 3" in found.verdict.why


def test_the_prior_is_normed_and_falls_above_the_knee():
    prior = OpenCeiling(knee=0.2, scale=0.08)
    grid = np.linspace(0.0, 1.0, 200001)
    density = np.exp(prior.log_density(grid))
    assert np.trapezoid(density, grid) == pytest.approx(1.0, abs=1e-4)
    assert density[0] == pytest.approx(density[int(0.2 * 200000)])
    assert np.exp(prior.log_density(np.array([0.28]))) / density[0] == pytest.approx(0.5)


def test_node_masses_and_weights_are_those_of_the_prior():
    """The prior of the ceiling in the nodes and in the draws, against draws of closed bounds weighed by it."""
    (curve,) = mapped([made(5, n=25, C_mid=250.0)], 1.0, 0.0)
    mine = posterior(curve, families=(SIGMOID,), model_error=0.0)
    assert mine.draws.effective > 200
    low, high = curve.bounds
    closed = replace(curve, open=None, bounds=curve.bounds, bounds_from="option")
    priors = replace(PRIORS, sigma_scale=PRIORS.sigma_scale * curve.error_range / (high - low))
    wide = posterior(closed, families=(SIGMOID,), model_error=0.0, priors=priors, count=1 << 14)
    weight = wide.weight * np.exp(OpenCeiling.of(curve.open).log_density((wide.asymptote - low) / (high - low)))
    expected = weighted_quantiles(wide.asymptote, weight / weight.sum(), (0.1, 0.5, 0.9))
    assert np.allclose(mine.quantiles(mine.asymptote, (0.1, 0.5, 0.9)), expected, rtol=0.05)
    unweighed = wide.quantiles(wide.asymptote, (0.1, 0.5, 0.9))
    assert not np.allclose(unweighed, expected, rtol=0.2)  # the prior matters here


def sudden(midpoint, sigma, seed):
    """A rise from -3 towards 5 that is all but over at the second evaluation: no median of 3 shows its start."""
    compute = np.linspace(0.0, 100.0, 31)
    risen = compute**1.6 / (compute**1.6 + midpoint**1.6)
    noise = sigma * np.random.default_rng(seed).standard_normal(compute.size)
    return Curve(compute=compute, reward=8.0 * risen - 3.0 + noise, bounds=(-1e9, 1e9))


@pytest.mark.parametrize("midpoint", [1.0, 2.0, 4.0])
@pytest.mark.parametrize("options", [FitOptions(families=(SIGMOID,)), FitOptions()], ids=["sigmoid", "average"])
def test_a_start_that_no_median_shows_lies_inside_the_bounds(midpoint, options):
    truth = 8.0 * 90.0**1.6 / (90.0**1.6 + midpoint**1.6) - 3.0
    inside = 0
    for seed in range(8):
        (curve,) = opened([sudden(midpoint, 0.05, seed)], because="asked")
        assert curve.bounds[0] < curve.reward[0]
        answer = fit(curve, 90.0, options).forecasts[0]
        assert answer.q50 == pytest.approx(truth, abs=0.1)
        inside += answer.q05 <= truth <= answer.q95
    assert inside >= 6


def test_a_fit_that_misses_the_run_is_not_acted_on():
    curve = sudden(1.0, 0.1, 1)
    shut = OpenBounds(lowest=4.0, highest=5.1, range=1.0, because="asked")  # its limits shut the start out
    for options in (FitOptions(families=(SIGMOID,)), FitOptions()):
        found = fit(curve.with_bounds(shut.limits, "open", shut), 90.0, options)
        far = abs(found.forecasts[0].q50 - 4.99) > 0.5
        assert not (far and found.verdict.name is VerdictName.RESOLVED)
        if far:
            assert "The fit misses the latest evaluations" in found.verdict.reason
