import time

import numpy as np
import pytest

from rlscale.curves import Curve, Truth
from rlscale.inference import FitOptions, VerdictName, fit
from rlscale.inference.examine import examine
from rlscale.inference.onset import onset
from rlscale.inference.regimes import BreakKind
from rlscale.inference.spikes import spikes

from .helpers import sigmoid_curve

STEPS = 10.0 * np.arange(41)
PLATEAU = Truth(R0=0.1, A=0.7, B=1.8, C_mid=60.0)


def noisy(mean, seed=0, sigma=0.012, rho=0.3, **more):
    mean = np.asarray(mean, dtype=float)
    noise = Truth(0.1, 0.7, 1.8, 60.0, sigma, rho).noise(mean.size, np.random.default_rng(seed))
    return Curve(compute=STEPS[: mean.size], reward=np.clip(mean + noise, 0.0, 1.0), **more)


def changed(at, after, n=41):
    """The plateau's mean, from index ``at`` on ``after`` (an array or a number) instead."""
    mean = PLATEAU.reward(STEPS[:n])
    mean[at:] = after
    return mean


def names(mean, **more):
    return [fit(noisy(mean, seed, **more)).verdict.name for seed in range(5)]


def test_a_late_take_off_is_refused_before_and_no_regime_change_after():
    late = Truth(R0=0.05, A=0.7, B=5.0, C_mid=200.0)
    before = [fit(noisy(late.reward(STEPS[:15]), seed)).verdict.name for seed in range(5)]
    assert set(before) <= {VerdictName.NO_LEARNING, VerdictName.PRE_INFLECTION}
    assert set(names(late.reward(STEPS))) <= {VerdictName.BENDING, VerdictName.RESOLVED}


def test_a_collapse_after_a_plateau_is_fitted_up_to_it():
    assert set(names(changed(25, 0.3))) == {VerdictName.COLLAPSED}
    found = fit(noisy(changed(25, 0.3)))
    assert 200.0 <= found.posterior.curve.compute_last <= 240.0
    assert found.warnings == (f"the fit covers the part up to the peak, {found.posterior.curve.compute_last:g} steps",)
    assert found.asymptote.q05 < 0.7 < found.asymptote.q95


def test_a_small_lasting_fall_that_the_plain_rule_lets_pass():
    curve = noisy(changed(25, 0.59), rho=0.6, sigma=0.008)
    found = fit(curve)
    assert found.verdict.name == VerdictName.COLLAPSED
    assert found.verdict.why.endswith("and stayed down.")


def test_a_peak_and_slow_decline_is_a_collapse():
    decline = 0.68 - 0.02 * np.minimum(np.arange(1.0, 17.0), 10.0)
    assert names(changed(25, decline)).count(VerdictName.COLLAPSED) >= 4


def test_a_partial_recovery_is_a_change_of_regime_fitted_from_the_lowest_point():
    recovery = 0.25 + 0.25 * (1.0 - np.exp(-np.arange(21.0) / 5.0))
    mean = changed(20, recovery)
    assert set(names(mean)) == {VerdictName.REGIME_CHANGE}
    found = fit(noisy(mean))
    fitted = found.posterior.curve
    assert 200.0 <= fitted.compute[0] <= 230.0
    assert fitted.compute_last == 400.0
    assert found.warnings == (
        f"the fit covers the current regime only, {fitted.n_points} evaluations from {fitted.compute[0]:g} steps on",
    )
    assert "has come back to 0.50" in found.verdict.why


def test_a_jump_up_is_a_change_of_regime_without_the_baseline():
    mean = PLATEAU.reward(STEPS) - 0.1
    mean[25:] += 0.25
    assert set(names(mean)) == {VerdictName.REGIME_CHANGE}
    fitted = fit(noisy(mean)).posterior.curve
    assert fitted.compute[0] == 250.0
    assert not fitted.has_baseline


def test_a_new_evaluation_set_is_not_a_collapse():
    mean = changed(25, 0.5)
    sizes = np.where(np.arange(41) < 25, 200.0, 1024.0)
    assert set(names(mean, n_eval=sizes)) == {VerdictName.REGIME_CHANGE}
    found = fit(noisy(mean, n_eval=sizes))
    assert "at 250 steps, where the evaluation set changed (n_eval 200, then 1024)" in found.verdict.why
    assert found.posterior.curve.compute[0] == 250.0
    assert found.warnings[0].startswith("the size of the evaluation set changes (1024 samples now, 200 in 25 of 41")
    # the control: the same rewards without the sizes are a collapse
    assert fit(noisy(mean)).verdict.name == VerdictName.COLLAPSED
    # a change of the set that moves nothing is said, and changes nothing
    same = fit(noisy(PLATEAU.reward(STEPS), n_eval=sizes))
    assert same.posterior.curve.n_points == 41
    assert len(same.warnings) == 1


def test_two_evaluation_sets_in_turn_are_no_collapse():
    turns = np.zeros(41, dtype=bool)
    turns[30:34] = turns[35:] = True
    mean = PLATEAU.reward(STEPS) - 0.15 * turns
    assert fit(noisy(mean)).verdict.name == VerdictName.COLLAPSED
    found = fit(noisy(mean, n_eval=np.where(turns, 200.0, 1024.0)))
    assert found.verdict.name not in (VerdictName.COLLAPSED, VerdictName.REGIME_CHANGE)
    assert found.warnings[0].startswith("the size of the evaluation set changes")


def test_a_collapse_on_the_new_evaluation_set_is_one():
    mean = changed(12, 0.4)
    mean[28:] = 0.1
    found = fit(noisy(mean, n_eval=np.where(np.arange(41) < 12, 200.0, 1024.0)))
    assert found.verdict.name == VerdictName.COLLAPSED
    assert found.posterior.curve.compute[0] == 120.0
    assert 180.0 <= found.posterior.curve.compute_last <= 270.0


@pytest.mark.parametrize("level", [0.2, 0.93])
def test_flat_and_saturated_runs_are_no_learning(level):
    found = names(np.full(41, level), sigma=0.03)
    assert found.count(VerdictName.NO_LEARNING) >= 4
    assert set(found) <= {VerdictName.NO_LEARNING, VerdictName.PRE_INFLECTION}


def test_a_dip_that_comes_back_is_kept():
    mean = changed(20, PLATEAU.reward(STEPS[20:]))
    mean[20:25] -= 0.2
    assert examine(noisy(mean)).found is None
    assert examine(noisy(mean[:24])).found.kind == BreakKind.FALL


def test_a_regime_too_short_to_fit_leaves_the_part_before():
    mean = changed(38, 0.5)
    sizes = np.where(np.arange(41) < 38, 200.0, 1024.0)
    found = fit(noisy(mean, n_eval=sizes))
    assert found.verdict.name == VerdictName.REGIME_CHANGE
    assert found.posterior.curve.compute_last == 370.0
    assert found.warnings[1] == "only 3 evaluations from 380 steps on: the fit covers the part before"


def with_spikes(*at, depth=0.3):
    curve = noisy(PLATEAU.reward(STEPS))
    rewards = curve.reward.copy()
    rewards[list(at)] -= depth
    return Curve(compute=curve.compute, reward=rewards)


def test_isolated_spikes_are_left_out_and_named():
    found = fit(with_spikes(15, 30))
    assert found.posterior.curve.n_points == 39
    assert found.warnings == ("isolated low evaluations are left out of the fit: at 150, 300 steps",)
    clean = fit(with_spikes())
    assert clean.warnings == ()
    assert found.asymptote.q50 == pytest.approx(clean.asymptote.q50, abs=0.01)
    assert found.quantity("sigma").q50 == pytest.approx(clean.quantity("sigma").q50, abs=0.003)


def test_one_spike_is_told_in_the_singular():
    found = examine(with_spikes(15))
    assert found.warnings == ("an isolated low evaluation is left out of the fit: at 150 steps",)


def test_the_first_of_a_fall_is_no_spike():
    mean = changed(25, 0.2 + 0.2 * np.minimum(np.arange(16) / 8.0, 1.0))
    masked = sum(spikes(noisy(mean, seed, rho=0.0))[25] for seed in range(300))
    assert masked <= 6  # 4 % of them without a look at what comes after


@pytest.mark.parametrize("at", [(20, 21), (38,), (40,), (12, 16, 20, 24)])
def test_neighbours_ends_and_frequent_lows_are_no_spikes(at):
    assert not spikes(with_spikes(*at)).any()


def test_a_single_bad_last_evaluation_is_no_collapse():
    for last in (37, 38, 39, 40):
        assert examine(with_spikes(last, depth=0.4)).found is None


def test_clean_runs_raise_no_alarm_at_any_look():
    """At most 3 % are called broken at any look (1,000 runs in benchmarks/regimes.py: under 2 %); here 60 of them."""
    rng = np.random.default_rng(11)
    alarms = 0
    for _ in range(60):
        n, last = int(rng.integers(12, 60)), float(rng.uniform(0.25, 8.0))
        truth = Truth(0.1, rng.uniform(0.4, 0.85), 1.6, 1.0, rng.uniform(0.008, 0.03), rng.uniform(0.0, 0.8))
        compute = np.linspace(0.0, last, n)
        rewards = np.clip(truth.reward(compute) + truth.noise(n, rng), 0.0, 1.0)
        looks = (examine(Curve(compute=compute[:k], reward=rewards[:k])).found for k in range(4, n + 1))
        alarms += any(found is not None for found in looks)
    assert alarms <= 3


def test_the_screen_is_cheap():
    """Measured at .05 ms for 100 evaluations; the limit leaves room for a busy machine."""
    curve = sigmoid_curve(ratio=4, n=100, sigma=0.01)
    examine(curve)
    times = []
    for _ in range(50):
        start = time.process_time()
        examine(curve)
        times.append(time.process_time() - start)
    assert min(times) < 0.3e-3


def test_a_long_curve_is_looked_at_in_blocks():
    curve = sigmoid_curve(ratio=20, n=3000, sigma=0.03)
    rewards = curve.reward.copy()
    rewards[1800:] -= 0.05 * np.minimum(np.arange(1200) / 100.0, 2.0)
    found = examine(Curve(compute=curve.compute, reward=rewards)).found
    assert found.kind == BreakKind.FALL
    assert 600 <= np.searchsorted(curve.compute, found.until) <= 2000


def fast_start():
    mean = Truth(R0=0.1, A=0.7, B=2.0, C_mid=130.0).reward(STEPS)
    mean[1:7] = 0.1 + np.linspace(0.1, 0.3, 6)
    return noisy(mean)


def test_from_auto_leaves_out_what_misleads_and_nothing_else():
    curve = fast_start()
    found = fit(curve, options=FitOptions(onset=True))
    start = onset(curve)
    assert start in (90.0, 130.0)
    assert found.warnings == (f"--from auto: the fit covers the part from {start:g} steps on",)
    assert found.posterior.curve.compute[:2].tolist() == [0.0, start]
    assert fit(curve).posterior.curve.n_points == 41
    plain = fit(noisy(PLATEAU.reward(STEPS)), options=FitOptions(onset=True))
    (told,) = plain.warnings
    assert told == "--from auto: the fit covers all evaluations, leaving out early ones foretells no better"
    assert onset(noisy(PLATEAU.reward(STEPS[:20]))) is None


def test_a_jump_is_told_by_the_evaluations_around_it():
    mean = Truth(R0=0.1, A=0.7, B=1.2, C_mid=100.0).reward(STEPS)
    mean[20:25], mean[25:] = 0.15, 0.75
    found = fit(noisy(mean)).verdict
    assert found.name == VerdictName.REGIME_CHANGE
    assert "at 250 steps, from 0.15" in found.why  # not from where a fit through the fall stands
    assert "to 0.74" in found.why


def test_a_new_evaluation_set_is_told_by_its_first_evaluations():
    mean = Truth(R0=0.1, A=0.7, B=1.2, C_mid=100.0).reward(STEPS)
    mean[20:] += 0.15
    found = fit(noisy(mean, n_eval=np.where(np.arange(41) < 20, 200.0, 1024.0)))
    assert "at 200 steps" in found.verdict.why
    moved, latest = (float(found.run.curve.reward[part].mean()) for part in (slice(20, 23), slice(-3, None)))
    assert f"to {moved:.3f} at" in found.verdict.why
    assert latest > moved + 0.05


def test_a_low_last_evaluation_waits_for_the_next():
    compute = np.arange(0.0, 401.0, 10.0)
    rng = np.random.default_rng(3)
    reward = 0.1 + 0.5 / (1.0 + (100.0 / np.maximum(compute, 1e-9)) ** 1.8) + 0.008 * rng.standard_normal(41)
    whole = fit(Curve(compute=compute, reward=reward))
    reward[-1] = 0.05
    found = fit(Curve(compute=compute, reward=reward))
    assert found.verdict.name == whole.verdict.name
    (said,) = found.warnings
    assert said == (
        "the last evaluation, 0.05 at 400 steps, is far below those before it: it is left out of the fit until the "
        "next one tells a spike from a fall"
    )
    fallen = fit(Curve(compute=[*compute, 410.0, 420.0], reward=[*reward, 0.06, 0.05]))
    assert fallen.verdict.name == VerdictName.COLLAPSED
