"""What alarms of monitors do to a fit, and that they do nothing where a log holds none of their series."""

import numpy as np
from benchmarks.health_simulated import healthy, sick

from rlscale.answers.documents import fit_document
from rlscale.answers.views import fit_view
from rlscale.curves import Curve, Run
from rlscale.inference import FitOptions, fits
from rlscale.inference.fit import fit
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
    assert "First to move was grad norm" in found.verdict.why
    assert min(found.masked) > found.posterior.curve.compute_last
    assert len(found.masked) == np.count_nonzero(run.curve.compute > found.posterior.curve.compute_last)
    assert any("the reward has fallen; --no-health keeps them in" in one for one in found.warnings)


def test_a_stop_under_which_the_reward_stands_masks_nothing():
    run = run_with(truncation=np.where(steps() > 60, 0.9, 0.03))
    found = fit(run, [200.0])
    assert found.alarm.monitor == "truncation"
    assert found.masked == ()
    assert numbers(found) == numbers(fit(bare(run), [200.0]))


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
