import pickle

import numpy as np
import pytest

from rlscale.inference.noise import RHO_GRID
from rlscale.inference.size_law import size_posterior, summary, trace
from rlscale.inference.size_law.cells import cells, scattered
from rlscale.inference.size_law.points import COUNT, chi_squared, normals, uniforms
from rlscale.inference.size_law.trace import lines_of

from .projects import COMPUTE, K_MAX, N0, SIZES, exponent, intercept, runs_of_sizes, with_curve


def posterior(runs):
    sizes = sorted({run.model_params for run in runs})
    members = [[k for k, run in enumerate(runs) if run.model_params == size] for size in sizes]
    return size_posterior([trace(run.curve, 1.0) for run in runs], members, sizes, 1.0)


def test_points_are_even_and_uncorrelated():
    u = uniforms(30)
    assert np.sort(u, axis=0) == pytest.approx(np.broadcast_to((np.arange(COUNT)[:, None] + 0.5) / COUNT, u.shape))
    apart = np.corrcoef(normals(30).T) - np.eye(30)
    assert np.abs(apart).max() < 0.05


def test_chi_squared_quantiles():
    assert chi_squared(50.0, np.array([-1.2816, 0.0, 1.2816])) == pytest.approx([37.689, 49.335, 63.167], rel=2e-3)


def test_a_law_without_noise_is_found():
    found = posterior(runs_of_sizes())
    assert summary(found.K_max).q50 == pytest.approx(K_MAX, rel=1e-3)
    assert summary(found.N0).q50 == pytest.approx(N0, rel=2e-3)
    assert summary(found.K_max).width < 1e-3
    for place, size in enumerate(found.model_params):
        assert summary(found.k[:, place]).q50 == pytest.approx(float(exponent(size, K_MAX, N0)), abs=2e-5)
        assert summary(found.E[:, place]).q50 == pytest.approx(intercept(size), abs=1e-3)


def test_the_sums_are_those_of_dense_algebra():
    """Level, slope and information of a run at each correlation, against an inverse covariance matrix."""
    one = trace(runs_of_sizes(SIZES[3:4], sd=0.01, rho=0.5)[0].curve, 1.0)
    lines = lines_of([one], 9.0)
    design = np.stack([np.ones(one.response.size), one.log_compute - 9.0], axis=1) * one.weight[:, None]
    lag = np.abs(np.subtract.outer(np.arange(one.response.size), np.arange(one.response.size)))
    for place, rho in enumerate(RHO_GRID):
        precision = np.linalg.inv(rho**lag / (1.0 - rho**2))
        information = design.T @ precision @ design
        estimate = np.linalg.solve(information, design.T @ precision @ (one.weight * one.response))
        assert lines.information[0, place] == pytest.approx(information, rel=1e-8)
        assert lines.estimate[0, place] == pytest.approx(estimate, rel=1e-8)


def test_spread_between_runs_is_a_covariance():
    information = np.array([[4.0, 1.0], [1.0, 3.0]])
    given, logdet = scattered(information, np.array(0.3), np.array(0.2), np.array(0.5))
    spread = np.diag([0.3**2, 0.2**2]) / 0.5
    assert given == pytest.approx(np.linalg.inv(np.linalg.inv(information) + spread))
    assert logdet == pytest.approx(np.log(np.linalg.det(np.eye(2) + spread @ information)))


def test_the_evidence_is_that_of_one_large_gaussian():
    """Some cells and N0 against the density of all responses at once, nothing integrated by hand."""
    runs = runs_of_sizes(SIZES[2:5], sd=0.01, level_sd=0.02, per_size=2, compute=COMPUTE[::5])
    traces = [trace(run.curve, 1.0) for run in runs]
    lines, members = lines_of(traces, 9.0), [[0, 1], [2, 3], [4, 5]]
    grid = cells(lines, members)
    sizes = np.array(SIZES[2:5])
    choices = [(6, 5e9), (333, 5e9), (6, 40e9), (333, 40e9), (871, 13e9)]
    ours, dense = [], []
    for c, n0 in choices:
        saturation = 1.0 / (1.0 + n0 / sizes)
        ours.append(grid.log_evidence(saturation[None])[0, c])
        dense.append(_dense(traces, grid, c, saturation))
    # log priors of the cells are ours alone, and the mass of K_max above 0 is left out of the dense one
    prior = [-np.log(4.0) * _scatter(grid, c) for c, _ in choices]
    apart = np.array(ours) - np.array(prior) - np.array(dense)
    assert apart - apart[0] == pytest.approx(np.zeros(len(choices)), abs=1e-3)


def _scatter(grid, c):
    """How many of slope spread and law error are not 0: each sd is a quarter as likely as none."""
    return int(grid.law_error[c] > 0.0) + int(grid.slope_spread[c] > 0.0)


def _dense(traces, grid, c, saturation):
    """Log evidence with the noise integrated: all else is in one covariance, levels of very large variance."""
    noise, size = grid.noise[c], np.repeat([0, 1, 2], 2)
    blocks, rows = [], []
    for run, one in enumerate(traces):
        n = one.response.size
        lag = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
        x = one.log_compute - 9.0
        own = np.outer(np.ones(n), np.ones(n)) * grid.level_spread[c] ** 2 + np.outer(x, x) * grid.slope_spread[c] ** 2
        w = one.weight
        blocks.append(grid.rho[c] ** lag / (1.0 - grid.rho[c] ** 2) + np.outer(w, w) * own / noise)
        rows.append((w, -w * x, run))
    total = sum(block.shape[0] for block in blocks)
    cover, at = np.zeros((total, total)), 0
    level, slope, law = np.zeros((total, 3)), np.zeros((total, 3)), np.zeros(total)
    for block, (w, x, run) in zip(blocks, rows, strict=True):
        n = block.shape[0]
        cover[at : at + n, at : at + n] = block
        level[at : at + n, size[run]], slope[at : at + n, size[run]] = w, x
        law[at : at + n] = x * saturation[size[run]]
        at += n
    wide = 1e7
    cover += wide * level @ level.T + slope @ slope.T * grid.law_error[c] ** 2 / noise
    cover += np.outer(law, law) * 0.5**2 / noise
    response = np.concatenate([one.weight * one.response for one in traces])
    # the floor under the noise counts as much a run as there
    rest = response @ np.linalg.solve(cover, response) + response.size * 1e-10
    return -0.5 * np.linalg.slogdet(cover)[1] - 0.5 * (response.size - 3) * np.log(rest)


def test_intervals_hold_the_truth_and_spread_is_seen():
    hits, levels = [], []
    for seed in range(40):
        found = posterior(runs_of_sizes(sd=0.01, rho=0.3, level_sd=0.02, per_size=2, seed=seed))
        around = summary(found.law_exponent(72e9))
        hits.append(around.q10 <= float(exponent(72e9, K_MAX, N0)) <= around.q90)
        levels.append(summary(found.level_spread).q50)
    assert 0.65 <= np.mean(hits) <= 0.95
    assert np.mean(levels) == pytest.approx(0.02, abs=0.008)


def test_one_run_counted_as_many_would_be_too_sure():
    """The negative control: the run-to-run spread is what keeps intervals of levels honest."""
    honest, sure = [], []
    for seed in range(40):
        runs = runs_of_sizes(SIZES[:4], sd=0.005, level_sd=0.05, per_size=3, seed=seed)
        found = posterior(runs)
        level = found.E[:, 2] - found.k[:, 2] * np.log(COMPUTE[-1])
        truth = intercept(SIZES[2]) - float(exponent(SIZES[2], K_MAX, N0)) * np.log(COMPUTE[-1])
        around, middle = summary(level), float(np.median(level))
        honest.append(around.q10 <= truth <= around.q90)
        alone = 0.005 / np.sqrt(3 * COMPUTE.size) / 0.7
        sure.append(abs(middle - truth) <= 1.28 * alone)
    assert np.mean(honest) >= 0.65
    assert np.mean(sure) < 0.4


def test_runs_of_a_size_are_predicted_from_their_own_level():
    runs = runs_of_sizes(sd=0.003, level_sd=0.05, per_size=2, seed=4)
    found = posterior(runs)
    for places in ([6], [7], [6, 7]):
        k, level = found.run_lines(places)
        reached = np.mean([runs[place].curve.reward[-10:].mean() for place in places])
        assert summary(found.reward(k, level, COMPUTE[-5])[:, 0]).q50 == pytest.approx(reached, abs=0.004)
    size = summary(found.size_reward(found.model_params[3], COMPUTE[-5])[:, 0])
    run = summary(found.reward(*found.run_lines([6]), COMPUTE[-5])[:, 0])
    assert size.width > 2.0 * run.width


def test_the_unit_of_compute_and_of_size_does_not_matter():
    runs = runs_of_sizes(sd=0.01, per_size=2)
    scaled = [with_curve(run, compute=run.curve.compute * 1e12) for run in runs]
    one, other = posterior(runs), posterior(scaled)
    assert other.K_max == pytest.approx(one.K_max, rel=1e-6)
    assert other.E == pytest.approx(one.E + one.k * np.log(1e12), rel=1e-6)


def test_a_relative_sd_weighs_points():
    runs = runs_of_sizes(sd=0.01)
    spoiled = runs[5].curve.reward.copy()
    spoiled[::7] -= 0.2
    sd = np.where(np.arange(spoiled.size) % 7 == 0, 100.0, 1.0)
    kept = [*runs[:5], with_curve(runs[5], reward=spoiled, sd=sd)]
    assert summary(posterior(kept).K_max).q50 == pytest.approx(summary(posterior(runs).K_max).q50, rel=0.02)


def test_the_same_input_gives_the_same_bits_and_travels():
    runs = runs_of_sizes(sd=0.01)
    one = posterior(runs)
    assert one == posterior(runs)
    assert pickle.loads(pickle.dumps(one)) == one
