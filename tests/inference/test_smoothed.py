"""Running means and means from the start are seen; curves with their own noise are not taken for them."""

from dataclasses import replace

import numpy as np
import pytest

from rlscale.curves import Curve, OpenBounds, Truth
from rlscale.inference import FitOptions, VerdictName, fit, fits, posterior
from rlscale.inference.examine import examine
from rlscale.inference.forecast import forecast
from rlscale.inference.smoothed import smoothing

WIDE = (-5.0, 6.0)  # noise may take a reward anywhere


def evaluations(n, seed, rho=0.0, sigma=0.05, **truth):
    """``n`` rewards of a curve with its noise, at evaluations 1, 2, ..."""
    rng = np.random.default_rng(seed)
    made = Truth(**{"R0": 0.15, "A": 0.7, "B": 1.7, "C_mid": 0.3 * n, "sigma": sigma, "rho": rho, **truth})
    return made.reward(np.arange(1.0, n + 1.0)) + made.noise(n, rng)


def curve(rewards, bounds=WIDE):
    return Curve(compute=np.arange(1.0, len(rewards) + 1.0), reward=rewards, bounds=bounds)


def running(rewards, window):
    return np.convolve(rewards, np.full(window, 1.0 / window), mode="valid")


def from_start(rewards):
    return np.cumsum(rewards) / np.arange(1, len(rewards) + 1)


@pytest.mark.parametrize("rho", [0.0, 0.8])
@pytest.mark.parametrize("window", [20, 35, 60])
def test_a_running_mean_is_seen_with_its_window(window, rho):
    found = [smoothing(curve(running(evaluations(200 + window, seed, rho), window))) for seed in range(20)]
    hits = [one for one in found if one is not None]
    assert len(hits) >= 18  # 17 of 20 are asked for
    assert all(not one.from_start and one.window == pytest.approx(window, abs=2) for one in hits)
    assert all(one.z > 3.8 and one.correlation >= 0.5 for one in hits)


def test_a_window_between_two_numbers_of_evaluations_is_seen():
    every_other = [running(evaluations(800, seed), 61)[::2] for seed in range(10)]
    windows = [one.window for one in (smoothing(curve(rewards)) for rewards in every_other) if one is not None]
    assert len(windows) >= 9
    assert set(windows) <= {30, 31}


def test_a_mean_from_the_start_is_all_of_the_run():
    found = [smoothing(curve(from_start(evaluations(200, seed, rho)))) for rho in (0.0, 0.8) for seed in range(10)]
    hits = [one for one in found if one is not None and one.from_start]
    assert len(hits) >= 18
    assert {(one.window, one.z, one.needed) for one in hits} == {(200, None, None)}


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.8, 0.95])
@pytest.mark.parametrize("n", [60, 150, 300])
def test_noise_of_its_own_is_not_smoothed(n, rho):
    """The negative control of the three tests above: at most 5 % are asked for, .5 % is aimed at."""
    found = [smoothing(curve(evaluations(n, seed, rho))) for seed in range(60)]
    assert sum(one is not None for one in found) <= 1


def near_one(n, seed):
    """A level that nears 1, and AR(.8) noise of sd 1."""
    rng = np.random.default_rng(seed)
    level = 0.05 + 0.95 / (1.0 + (n / rng.uniform(2, 20) / np.arange(1.0, n + 1.0)) ** rng.uniform(1, 3))
    return level, Truth(R0=0, A=1, B=1, C_mid=1, sigma=1.0, rho=0.8).noise(n, rng), rng


def dying(level, noise, rng):
    return level + 0.1 * np.sqrt(level * (1 - level)) * noise


NOISE_THAT_DIES = {
    "binomial": lambda level, noise, rng: rng.binomial(64, level) / 64,
    "few graded": lambda level, noise, rng: rng.binomial(8, level) / 8,
    "correlated": dying,
    "reaches 1 and stays": lambda *made: np.minimum(dying(*made) + 0.03, 1.0),
    "n_eval grows": lambda level, noise, rng: 0.6 * level + 0.1 * noise / np.sqrt(np.arange(1, level.size + 1)),
    "none": lambda level, noise, rng: level,
    "none, rounded": lambda level, noise, rng: np.round(level, 3),
    "repeats": lambda level, noise, rng: 0.6 * level + 0.02 * noise + 0.03 * np.resize(rng.normal(size=20), level.size),
    "a jump": lambda level, noise, rng: 0.5 * level + 0.02 * noise + 0.3 * (np.arange(level.size) > 70),
}


@pytest.mark.parametrize("n", [60, 120, 250])
@pytest.mark.parametrize("kind", NOISE_THAT_DIES)
def test_noise_that_dies_is_no_mean_from_the_start(kind, n):
    found = [smoothing(curve(NOISE_THAT_DIES[kind](*near_one(n, seed)))) for seed in range(40)]
    assert sum(one is not None for one in found) <= 2


def test_scale_and_offset_do_not_matter():
    for rewards in (running(evaluations(260, 1), 40), from_start(evaluations(160, 2)), evaluations(160, 3, 0.8)):
        plain = smoothing(curve(rewards))
        for a, b in ((1e-3, 7.0), (40.0, -3.0), (1e4, 100.0)):
            moved = a * rewards + b
            open_bounds = OpenBounds(lowest=float(moved.min()), highest=float(moved.max()), range=float(np.ptp(moved)))
            other = smoothing(replace(curve(rewards), reward=moved, bounds_from="open", open=open_bounds))
            assert (other is None) == (plain is None)
            if plain is not None:
                assert (other.window, other.from_start) == (plain.window, plain.from_start)
                assert other.correlation == pytest.approx(plain.correlation, rel=1e-5)


@pytest.mark.parametrize("n", [1, 2, 5, 25, 26, 27, 49, 50])
def test_short_and_constant_curves_tell_nothing(n):
    assert smoothing(curve(np.full(n, 0.4))) is None
    assert smoothing(curve(0.4 + 1e-12 * np.arange(n))) is None
    assert smoothing(curve(np.where(np.arange(n) == n // 2, 0.5, 0.4))) is None


def test_a_long_run_is_looked_at_in_part():
    found = smoothing(curve(running(evaluations(12_000, 0), 500)))
    assert found.window == pytest.approx(500, rel=0.05)


def test_what_it_says():
    found = fit(curve(running(evaluations(229, 4), 50)))
    assert found.warnings == (
        f"the values look smoothed: a running mean over about 50 evaluations (z {found.smoothing.z:.1f}, noise "
        f"correlation {found.smoothing.correlation:.1f}); log the raw values",
    )
    whole = fit(curve(from_start(evaluations(200, 1))))
    assert whole.warnings == (
        "the values look smoothed: a mean of all evaluations from the start (the jitter dies away as 1/n, noise "
        f"correlation {whole.smoothing.correlation:.1f}); log the raw values",
    )


def resolving(n, window):
    """A running mean whose answer is narrow: well past its midpoint, and quiet."""
    return curve(running(evaluations(n + window - 1, 5, sigma=0.02, C_mid=0.06 * n), window), (0.0, 1.0))


def test_it_is_not_resolved_before_three_windows():
    late, early = fit(resolving(200, 40)), fit(resolving(200, 40).select(np.arange(200) < 119))
    assert early.smoothing.window == pytest.approx(40, abs=1)
    assert early.asymptote.interval.width <= 0.1
    assert early.verdict.name is VerdictName.BENDING
    assert early.verdict.why.startswith(
        f"The values look smoothed, a running mean over about {early.smoothing.window} evaluations, and "
        f"{3 * early.smoothing.window} evaluations are needed to see through it. The ceiling lies in "
    )
    assert ", no wider than 0.1, but not to be acted on yet, and the run is past its midpoint" in early.verdict.why
    assert early.verdict.advice == "Log the raw values: smoothed ones hide their noise and lag behind."
    assert not any(one.resolved for one in (*early.forecasts, early.asymptote))
    assert early.resolves_at is None
    assert late.smoothing is not None
    assert late.verdict.name is VerdictName.RESOLVED
    assert late.asymptote.resolved


def test_the_same_evaluations_raw_are_resolved():
    """The negative control: what holds the answer back is the smoothing."""
    raw = fit(curve(evaluations(119, 5, sigma=0.005, C_mid=8.0), (0.0, 1.0)))
    assert raw.smoothing is None
    assert raw.verdict.name is VerdictName.RESOLVED


def test_a_mean_from_the_start_is_never_resolved():
    smoothed = curve(from_start(evaluations(1200, 6, C_mid=150.0)), (0.0, 1.0))
    found = fit(smoothed, options=FitOptions(model_error=0.01))
    assert found.smoothing.from_start
    assert found.asymptote.interval.width <= 0.1
    assert found.verdict.name is not VerdictName.RESOLVED
    assert "The values look smoothed, a mean of all evaluations from the start. " in found.verdict.why
    assert not any(one.resolved for one in (*found.forecasts, found.asymptote))


def test_alone_together_and_updated_agree():
    made = [resolving(119, 40), resolving(200, 40), curve(evaluations(119, 5, C_mid=8.0), (0.0, 1.0))]
    alone = [fit(one) for one in made]
    for one, other in zip(alone, fits(made), strict=True):
        assert (one.verdict.name, one.smoothing) == (other.verdict.name, other.smoothing)
        assert [each.resolved for each in one.forecasts] == [each.resolved for each in other.forecasts]
    for one, whole in zip(made, alone, strict=True):
        assert examine(one).curve.n_points == one.n_points
        before = one.select(np.arange(one.n_points) < one.n_points - 1)
        updated = posterior(before).update(one.compute_last, one.reward_last)
        assert forecast(updated, np.inf).resolved is whole.asymptote.resolved
