"""What alarms of monitors do to a fit, and that they do nothing where a log holds none of their series."""

from dataclasses import replace

import numpy as np
import pytest
from benchmarks.health_simulated import healthy, sick

from rlscale.answers.documents import fit_document
from rlscale.answers.views import fit_view
from rlscale.curves import Curve, OpenBounds, Run, assumed
from rlscale.inference import FitOptions, fits
from rlscale.inference.fit import fit
from rlscale.inference.targets import at_targets
from rlscale.trust.backtest import cut_runs
from tests.health.runs import healthy_series, noise, run_with, steps

OFF = FitOptions(health=False)


def bare(run):
    return Run(name=run.name, recipe=run.recipe, curve=run.curve)


def truncated_and_fallen():
    truncation = np.where(steps() > 50, np.minimum(0.03 + 0.03 * (steps() - 50), 0.9), 0.03)
    rise = 0.2 + 0.45 * steps() / 65
    reward = np.where(steps() > 65, np.maximum(0.65 - 0.03 * (steps() - 65), 0.05), rise) + noise(1, sd=0.01)
    return run_with(
        truncation=truncation + np.abs(noise(4, sd=0.005)), train_reward=np.clip(reward, 0.0, 1.0), staleness=None
    )


def with_an_episode():
    series = healthy_series()
    entropy, reward = series["entropy"].copy(), series["train_reward"].copy()
    entropy[49:57] += 4.0
    reward[49:55] += 0.03
    return run_with(entropy=entropy, train_reward=reward)


def fallen_on_little(seed=47, kind="grad_norm"):
    """A simulated run as it was seen when its monitor said stop, before the curve alone shows a fall."""
    run = sick(np.random.default_rng(seed), kind, "run").run
    return cut_runs([run], [0.8])[0][0].run_seen(FitOptions())


def numbers(found):
    return found.forecasts, found.asymptote, found.verdict.name, found.quantity("R0")


def test_collapsed_names_the_monitor_that_moved_first():
    found = fit(truncated_and_fallen(), [200.0])
    assert found.verdict.name == "collapsed"
    assert "First to move was truncation: " in found.verdict.why
    assert "since 60 steps, 5 before the peak." in found.verdict.why
    assert found.alarm.monitor == "truncation"
    assert found.condition is None


def test_the_same_without_series_or_without_health_says_less_and_forecasts_the_same():
    run = truncated_and_fallen()
    found, alone, off = fit(run, [200.0]), fit(bare(run), [200.0]), fit(run, [200.0], OFF)
    assert numbers(found) == numbers(alone) == numbers(off)
    assert alone.verdict == off.verdict
    assert "First to move" not in off.verdict.why
    assert off.alarm is None
    assert off.health is None
    assert off.condition is None


def test_evaluations_of_an_episode_that_is_over_are_left_out_and_said():
    run = with_an_episode()
    found = fit(run, [200.0])
    assert found.verdict.name not in ("collapsed", "regime_change")
    assert 52.0 in found.masked
    assert not set(found.masked) & set(found.posterior.curve.compute.tolist())
    said = [one for one in found.warnings if "left out of the fit: entropy high said stop then" in one]
    assert len(said) == 1
    assert "--no-health keeps them in" in said[0]
    assert found.alarm is None
    off = fit(run, [200.0], OFF)
    assert off.masked == ()
    assert numbers(off) == numbers(fit(bare(run), [200.0])) != numbers(found)


def test_a_fall_under_a_stop_is_believed_on_less_evidence():
    run = fallen_on_little()
    found, off = fit(run), fit(run, (), OFF)
    assert off.verdict.name != "collapsed"
    assert found.verdict.name == "collapsed"
    assert "grad norm" in found.verdict.why
    assert min(found.masked) > found.posterior.curve.compute_last
    assert len(found.masked) == np.count_nonzero(run.curve.compute >= found.alarm.since)
    assert any("the reward has fallen; --no-health keeps them in" in one for one in found.warnings)


def test_a_stop_under_which_the_reward_stands_masks_nothing_and_is_not_acted_on():
    run = run_with(truncation=np.where(steps() > 60, 0.9, 0.03))
    found, alone = fit(run, [200.0]), fit(bare(run), [200.0])
    assert found.alarm.monitor == "truncation"
    assert found.masked == ()
    (answer,), (bare_answer,) = found.forecasts, alone.forecasts
    assert replace(answer, resolved=True) == bare_answer
    assert (alone.verdict.name, found.verdict.name) == ("resolved", "bending")
    assert found.verdict.why.startswith("Truncation says stop since 62 steps to the end: ")
    assert found.verdict.advice.startswith("Do not act on it: truncation lasts since 62 steps. ")
    assert not answer.resolved
    assert not at_targets(found, [200.0])[0][0].resolved
    assert found.resolves_at is None


def test_a_stop_for_values_that_are_not_finite_is_in_the_verdict():
    run = run_with(grad_norm=np.where(steps() >= 60, np.nan, healthy_series()["grad_norm"]))
    found = fit(run)
    assert found.alarm.monitor == "non_finite"
    assert "NaN or inf says stop since" in found.verdict.why
    assert fit(run, (), OFF).verdict.name == fit(bare(run)).verdict.name == "resolved" != found.verdict.name


def with_a_costly_episode(level=0.1, after=0.0, last=79, n=100):
    """A run that is sick at evaluations 61 to ``last``, and well again with ``after`` more reward than before."""
    series = healthy_series()
    sick_ = (steps() > 60) & (steps() <= last)
    reward = np.where(steps() > last, series["train_reward"] + after, series["train_reward"])
    return run_with(
        truncation=np.where(sick_, 0.95, 0.02)[:n], train_reward=np.where(sick_, level, reward)[:n],
        **{key: value[:n] for key, value in series.items() if key not in ("truncation", "train_reward")},
    )  # fmt: skip


@pytest.mark.parametrize("level", [0.02, 0.1, 0.35, 0.5])
def test_an_episode_that_cost_reward_is_left_out_before_breaks_are_looked_for(level):
    run = with_a_costly_episode(level)
    found = fit(run)
    well = run.curve.select((steps() <= 60) | (steps() > 80))
    assert found.verdict.name in ("bending", "resolved")
    assert found.posterior.curve.compute[0] == 1.0
    assert found.posterior.curve.n_points == 80
    assert set(np.arange(61.0, 80.0)) <= set(found.masked)
    assert abs(found.asymptote.q50 - fit(well).asymptote.q50) < 0.01
    if level < 0.4:
        assert fit(run, (), OFF).verdict.name == "regime_change"


def test_parts_that_do_not_agree_across_an_episode_are_a_change_of_regime_that_says_so():
    found = fit(with_a_costly_episode(after=0.25))
    assert found.verdict.name == "regime_change"
    assert "The evaluations before and after truncation said stop (62 to 81 steps) are not on one curve." in (
        found.verdict.why
    )
    assert found.posterior.curve.compute[0] > 79.0
    assert found.masked == ()


def test_a_run_that_stays_down_after_its_alarm_is_over_has_collapsed():
    series = healthy_series()
    reward = np.where(steps() > 60, 0.1, series["train_reward"])
    for truncated_to in (70, 90, 97):
        truncated = np.where((steps() > 60) & (steps() <= truncated_to), 0.95, 0.02)
        found = fit(run_with(truncation=truncated, train_reward=reward))
        assert found.verdict.name == "collapsed", truncated_to
        assert 55.0 <= found.posterior.curve.compute_last <= 60.0
        assert "No alarm stood at the peak; truncation was seen " in found.verdict.why


def test_nothing_is_over_from_the_onset_of_a_lasting_stop_on():
    entropy = healthy_series()["entropy"].copy()
    entropy[49:57] += 4.0
    run = run_with(entropy=entropy, truncation=np.where(steps() > 30, 0.9, 0.03))
    found = fit(run)
    assert found.alarm.monitor == "truncation"
    assert found.masked == ()
    later = fit(run_with(entropy=entropy, truncation=np.where(steps() > 70, 0.9, 0.03)))
    assert later.alarm.monitor == "truncation"
    assert 52.0 in later.masked


@pytest.mark.parametrize("seed", range(4))
def test_a_believed_fall_is_cut_where_it_begins_and_not_at_the_best_of_a_plateau(seed):
    reward = np.where(steps() > 70, np.maximum(0.85 - 0.02 * (steps() - 70), 0.5), 0.85) + noise(seed, sd=0.06)
    reward[20:23] += 0.05  # the best stretch lies long before the sickness
    run = run_with(train_reward=reward, truncation=np.where(steps() > 78, 0.9, 0.03))
    curve = assumed(
        [replace(run.curve, bounds_from="open", open=OpenBounds(lowest=0.0, highest=0.0, range=0.0, because="asked"))]
    )[0]
    run = run.with_curve(curve, source=None, warnings=())
    found = fit(run)
    assert found.verdict.name == "collapsed"
    assert 62.0 <= found.posterior.curve.compute_last <= 80.0
    assert min(found.masked) >= found.alarm.since
    under = np.count_nonzero(run.curve.compute >= found.alarm.since)
    assert len(found.masked) == under
    assert any(
        one.startswith(f"{under} evaluations left out of the fit: truncation says stop") for one in found.warnings
    )
    assert "truncation" in found.verdict.why


def test_an_episode_of_most_of_the_run_masks_nothing():
    entropy = healthy_series()["entropy"].copy()
    entropy[20:80] += 4.0
    assert fit(run_with(entropy=entropy)).masked == ()


def test_runs_without_series_are_the_same_to_the_last_bit():
    rng = np.random.default_rng(5)
    runs = [bare(healthy(rng, f"run{k}").run) for k in range(10)]
    runs.append(bare(truncated_and_fallen()))
    for on, off in zip(fits(runs, [300.0]), fits(runs, [300.0], OFF), strict=True):
        assert numbers(on) == numbers(off)
        assert (on.verdict, on.warnings, on.masked, on.health) == (off.verdict, off.warnings, (), None)
        assert np.array_equal(on.posterior.draws.weight, off.posterior.draws.weight)


def test_json_tells_alarms_what_is_masked_and_the_condition():
    def told(found):
        return fit_document(fit_view([found]))["runs"][0].get("health")

    sound = told(fit(run_with(staleness=None)))
    assert sound == {"alarms": [], "masked": 0, "condition": "valid while truncation stays below 0.1"}
    episode = told(fit(with_an_episode()))
    assert episode["masked"] == len(fit(with_an_episode()).masked) > 0
    assert {"monitor", "severity", "since", "until", "message", "source", "false_alarms"} <= set(episode["alarms"][0])
    assert told(fit(truncated_and_fallen()))["condition"] is None
    assert told(fit(truncated_and_fallen(), (), OFF)) is None
    assert told(fit(Curve(compute=steps(), reward=0.2 + 0.5 * steps() / (steps() + 20)))) is None
