"""Monitors: what each fires on, at which published threshold, and what it must not fire on."""

import numpy as np
import pytest

from rlscale.curves import COMPUTE, NON_FINITE, Series
from rlscale.health import MONITORS, Limits, check_health
from tests.health.runs import UNITS, N, healthy_series, noise, of, run_with, steps

LATE = steps() > 60
EVERY = np.arange(0.0, 101.0, 5.0)


def fallen():
    """A train reward that falls to nothing after step 70."""
    return np.where(steps() > 70, 0.05, healthy_series()["train_reward"])


def test_the_monitors_are_those_of_the_contract():
    assert [each.name for each in MONITORS] == [
        "truncation", "entropy_collapse", "entropy_explosion", "kl_blowup", "train_inference_mismatch", "staleness",
        "zero_variance", "grad_norm", "non_finite", "length_drift", "reward_hacking", "data_reuse",
        "reward_scale_change", "validation_silence", "stalled",
    ]  # fmt: skip


def test_a_healthy_run_raises_nothing():
    found = check_health(run_with(validation=(EVERY, 0.2 + 0.004 * EVERY))).runs[0]
    assert found.alarms == ()
    assert found.worst == found.now == ""
    assert {one.monitor for one in found.not_measurable} == {"data_reuse", "stalled"}


@pytest.mark.parametrize(
    ("monitor", "series"),
    [
        ("truncation", {"truncation": np.where(LATE, 0.9, 0.03)}),
        ("entropy_collapse", {"entropy": np.where(LATE, 0.01, 0.5) + noise(1, sd=1e-4), "train_reward": fallen()}),
        ("entropy_explosion", {"entropy": np.where(LATE, 6.0, 0.5) + noise(1, sd=0.01)}),
        ("kl_blowup", {"kl": np.where(LATE, 500.0, 0.02)}),
        ("train_inference_mismatch", {"mismatch": np.where(LATE, 0.2, 0.018), "train_reward": fallen()}),
        ("grad_norm", {"grad_norm": np.where(LATE, 1e4, 1.0) * np.exp(noise(1, sd=0.1))}),
        ("non_finite", {"loss": np.where(LATE, np.nan, 0.1)}),
        ("length_drift", {"response_length": np.where(LATE, 20.0, 300.0), "train_reward": fallen()}),
    ],
)
def test_what_ends_runs_is_a_stop_at_its_onset(monitor, series):
    found = check_health(run_with(**series)).runs[0]
    stops = [alarm for alarm in found.of(monitor) if alarm.severity == "stop"]
    assert stops[0].lasts
    assert 61 <= stops[0].step <= 74
    assert 0 <= stops[0].raised_step - stops[0].step <= 2
    assert stops[0].since == stops[0].step


@pytest.mark.parametrize(
    ("monitor", "series"),
    [
        ("staleness", {"staleness": np.where(LATE, 12.0, 1.0)}),
        ("zero_variance", {"zero_variance": np.where(LATE, 1.0, 0.3), "train_reward": np.full(N, 0.02)}),
        ("reward_scale_change", {"train_reward": np.where(LATE, 30.0, 0.3) + noise(1, sd=0.01)}),
    ],
)
def test_what_costs_nothing_yet_is_a_warning(monitor, series):
    severities, _ = of(run_with(**series), monitor)
    assert severities == ["warn"]


def test_too_easy_groups_are_a_note_and_too_hard_ones_a_warning():
    dead = np.where(LATE, 1.0, 0.3)
    easy = of(run_with(zero_variance=dead, train_reward=np.full(N, 0.97) + noise(1, sd=0.005)), "zero_variance")
    hard = of(run_with(zero_variance=dead, train_reward=np.full(N, 0.01)), "zero_variance")
    assert (easy[0], hard[0]) == (["note"], ["warn"])


def test_a_reward_that_is_nought_on_every_row_has_dead_groups_although_none_are_logged():
    nought = run_with(zero_variance=None, train_reward=np.where(steps() < 90, 0.0, 0.1))
    found = check_health(nought).runs[0].of("zero_variance")
    assert [(alarm.severity, alarm.raised_step) for alarm in found] == [("warn", 16.0)]
    solved = run_with(zero_variance=None, train_reward=np.where(steps() < 50, 0.5, 1.0))
    assert of(solved, "zero_variance")[0] == ["note"]
    some = np.where(np.arange(N) % 3 == 0, 0.0, 0.3)
    assert of(run_with(zero_variance=None, train_reward=some), "zero_variance")[0] == []
    assert "log the share of groups" in of(run_with(zero_variance=None, train_reward=some), "zero_variance")[1]


def test_a_solved_task_may_lose_its_entropy():
    entropy = np.where(LATE, 0.001, 0.5) + noise(1, sd=1e-4)
    solved = of(run_with(entropy=entropy, train_reward=np.full(N, 0.97) + noise(1, sd=0.005)), "entropy_collapse")
    assert solved[0] == ["note"]


def test_a_run_that_begins_truncated_and_learns_to_stop_is_let_be():
    falls = 0.9 * np.exp(-steps() / 20)
    (alarm,) = check_health(run_with(truncation=falls)).runs[0].of("truncation")
    assert (alarm.severity, alarm.message) == (
        "note", "84 % of samples are cut at the length limit (over 10 %), as in its first rows: it may learn to stop",
    )  # fmt: skip
    assert "warn" in of(run_with(truncation=np.full(N, 0.9) + noise(1, sd=0.01)), "truncation")[0]


def test_an_alarm_that_is_over_says_since_when():
    spell = (steps() > 40) & (steps() <= 60)
    found = check_health(run_with(truncation=np.where(spell, 0.9, 0.02))).runs[0]
    assert [(alarm.lasts, alarm.until_step) for alarm in found.of("truncation") if alarm.severity == "stop"] == [
        (False, 62.0)
    ]
    assert (found.worst, found.now) == ("stop", "")


def test_an_alarm_uses_nothing_that_was_logged_after_it():
    rng = np.random.default_rng(0)
    series = {key: value.copy() for key, value in healthy_series().items()}
    series["entropy"] = np.where(LATE, 4.0, 0.5) + rng.normal(0, 0.01, N)
    series["truncation"] = np.where(steps() > 50, 0.6, 0.02)
    series["train_reward"] = fallen()
    whole = check_health(run_with(**series)).runs[0].alarms
    for end in (56, 70, 85):
        cut = check_health(run_with(**{key: value[:end] for key, value in series.items()})).runs[0].alarms
        seen = [(a.monitor, a.severity, a.step) for a in whole if a.raised_step <= end and a.monitor != "non_finite"]
        assert [(a.monitor, a.severity, a.step) for a in cut] == seen


def test_nothing_is_looked_at_past_until():
    run = run_with(truncation=np.where(LATE, 0.9, 0.03))
    assert of(run, "truncation", until=60.0)[0] == []
    assert of(run, "truncation", until=70.0)[0] != []


# published thresholds


@pytest.mark.parametrize(("share", "fires"), [(0.05, False), (0.09, False), (0.11, True), (0.15, True)])
def test_truncation_of_ten_to_fifteen_per_cent_is_warned_of(share, fires):
    flat = np.where(LATE, 0.3, 0.3)  # a reward that does not rise
    severities, _ = of(run_with(truncation=np.where(LATE, share, 0.01), train_reward=flat), "truncation")
    assert ("warn" in severities) is fires


@pytest.mark.parametrize(
    ("key", "usual", "good", "bad"),
    [
        ("rollout_corr/rollout_is_mean", 1.0, 1.9, 2.1),
        ("rollout_corr/rollout_is_mean", 1.0, 0.55, 0.45),
        ("rollout_corr/rollout_is_eff_sample_size", 0.9, 0.35, 0.25),
        ("rollout_corr/rollout_is_std", 0.2, 0.9, 1.1),
        ("rollout_corr/chi2_token", 0.1, 0.9, 1.1),
        ("rollout_corr/rollout_is_veto_fraction", 0.01, 0.09, 0.11),
        ("rollout_corr/kl", 0.03, 0.09, 0.11),
    ],
)
def test_the_health_warnings_of_verl_are_kept(key, usual, good, bad):
    jitter = 1 + noise(3, sd=0.001)
    for level, fires in ((good, False), (bad, True)):
        values = Series(steps(), np.where(LATE, level, usual) * jitter)
        severities, _ = of(run_with(mismatch=None, more={key: values}), "train_inference_mismatch")
        assert bool(severities) is fires


@pytest.mark.parametrize(
    ("unit", "usual", "bad"),
    [
        ("probability (absolute difference)", 0.004, 0.011),
        ("nats (KL of sampler and trainer)", 0.04, 0.12),
        ("nats (absolute difference of log-probabilities)", 0.019, 0.06),
        ("ratio of probabilities (1 is none)", 1.0, 2.2),
    ],
)
def test_a_mismatch_is_judged_in_the_unit_of_its_trainer(unit, usual, bad):
    jitter = 1 + noise(3, sd=0.01)
    values = np.where(LATE, bad, usual) * jitter
    assert of(run_with(mismatch=values, units={"mismatch": unit}), "train_inference_mismatch")[0] == ["warn"]
    assert of(run_with(mismatch=usual * jitter, units={"mismatch": unit}), "train_inference_mismatch")[0] == []


def test_the_usual_mismatch_of_bf16_is_none():
    usual = np.linspace(0.016, 0.022, N) * (1 + noise(3, sd=0.03))
    assert of(run_with(mismatch=usual), "train_inference_mismatch") == ([], "")


@pytest.mark.parametrize(("versions", "severity"), [(1.0, []), (4.5, ["note"]), (8.5, ["warn"])])
def test_staleness_is_judged_by_what_it_cost(versions, severity):
    assert of(run_with(staleness=np.where(LATE, versions, 1.0)), "staleness")[0] == severity


def test_an_update_of_a_tenth_of_a_nat_is_warned_of():
    values = np.where(LATE, 0.12, 0.002) * (1 + noise(3, sd=0.01))
    severities, _ = of(run_with(kl=None, kl_new_old=values), "kl_blowup")
    assert set(severities) == {"warn"}


# units


def test_a_truncation_in_per_cent_is_read_as_one():
    found = check_health(run_with(truncation=100 * healthy_series()["truncation"])).runs[0]
    assert found.of("truncation") == ()
    assert found.remarks == ("truncation is in per cent: it is read as a share",)
    ill = check_health(run_with(truncation=np.where(LATE, 90.0, 3.0))).runs[0]
    assert [alarm.value for alarm in ill.of("truncation") if alarm.severity == "stop"] == [0.9]


def test_a_count_is_no_share():
    run = run_with(truncation=np.where(LATE, 300.0, 4.0), units={"truncation": "samples (a count)"})
    assert of(run, "truncation") == ([], "truncation is in samples (a count), not a share; log it as a share")
    run = run_with(zero_variance=np.where(LATE, 120.0, 4.0))
    assert of(run, "zero_variance") == ([], "zero_variance holds 4 to 120: no share and no percentage")


def test_a_kl_per_sequence_that_grows_as_it_does_is_no_blow_up():
    for growth in (40 * steps() / N, 40 * np.sqrt(steps() / N), 3.0 + 20 * steps() / N):
        severities, _ = of(run_with(kl=growth * (1 + noise(3, sd=0.05))), "kl_blowup")
        assert set(severities) <= {"note"}


def test_a_mismatch_per_sequence_is_judged_by_its_changes_only():
    per_sequence = 8.0 * (1 + noise(3, sd=0.05))
    assert of(run_with(mismatch=per_sequence), "train_inference_mismatch") == ([], "")
    grown = np.where(LATE, 5.0, 1.0) * per_sequence
    assert of(run_with(mismatch=grown), "train_inference_mismatch")[0] == ["warn"]


def test_a_mismatch_of_unknown_unit_is_judged_by_its_changes_only():
    run = run_with(mismatch=0.6 * (1 + noise(3, sd=0.05)), units={"mismatch": "unknown"})
    assert of(run, "train_inference_mismatch") == ([], "")


def test_a_staleness_that_counts_no_versions_is_not_judged():
    run = run_with(staleness=np.full(N, 50.0), units={"staleness": "share of samples"})
    severities, why = of(run, "staleness")
    assert severities == []
    assert why.startswith("staleness is in share of samples, not in policy versions: log the age")


def test_the_unit_of_a_gradient_norm_means_nothing():
    for scale in (1e-6, 1.0, 1e7):
        assert of(run_with(grad_norm=scale * healthy_series()["grad_norm"]), "grad_norm") == ([], "")


def test_a_reward_in_per_cent_does_not_raise_what_one_in_shares_does_not():
    found = check_health(run_with(train_reward=100 * healthy_series()["train_reward"])).runs[0]
    assert found.alarms == ()


# bad input


@pytest.mark.parametrize("name", [*UNITS, "loss"])
def test_a_series_that_is_missing_is_not_measurable_and_never_healthy(name):
    if name == "train_reward":
        return
    found = check_health(run_with(**{name: None})).runs[0]
    assert found.alarms == ()
    blind = {
        "truncation": ["truncation"], "entropy": ["entropy_collapse", "entropy_explosion"], "kl": ["kl_blowup"],
        "mismatch": ["train_inference_mismatch"], "staleness": ["staleness"], "zero_variance": ["zero_variance"],
        "grad_norm": ["grad_norm"], "response_length": ["length_drift"], "kl_new_old": [], "loss": [],
    }[name]  # fmt: skip
    missing = {one.monitor for one in found.not_measurable}
    assert set(blind) <= missing
    assert not missing & set(found.quiet)


@pytest.mark.parametrize("name", ["entropy", "kl", "grad_norm", "response_length", "mismatch"])
def test_a_constant_series_is_not_measured(name):
    found = check_health(run_with(**{name: np.zeros(N)})).runs[0]
    assert found.alarms == ()
    assert any("throughout" in one.why for one in found.not_measurable)


def test_a_share_that_is_zero_throughout_is_not_measured():
    for name in ("truncation", "zero_variance"):
        severities, why = of(run_with(**{name: np.zeros(N)}), name)
        assert severities == []
        assert why.startswith(f"{name} is 0 throughout, as trainers log what they do not measure: log the share of")


def test_two_runs_woven_into_one_series_raise_nothing():
    mixed = np.where(np.arange(N) % 2 == 0, 0.05, 0.6) + noise(3, sd=0.005)
    found = check_health(run_with(entropy=mixed)).runs[0]
    assert found.alarms == ()
    missing = {one.monitor: one.why for one in found.not_measurable}
    assert missing["entropy_collapse"].startswith("entropy alternates between two levels: two runs may write into one")


def test_a_few_rows_are_not_judged():
    found = check_health(run_with(**{key: value[:5] for key, value in healthy_series().items()})).runs[0]
    assert found.alarms == ()
    said = "entropy has 5 finite values, and 8 are needed: it is judged from its row 8 on"
    assert said in {one.why for one in found.not_measurable}


def test_series_at_other_steps_are_lined_up_by_step():
    sparse = Series(np.arange(3.0, 100.0, 7.0), np.where(np.arange(14) > 8, 6.0, 0.5) + noise(3, 14, 0.01))
    run = run_with(entropy=None)
    run = type(run)(
        name="r", recipe="r", curve=run.curve, series={**run.series, "entropy": sparse},
        metrics={**run.metrics, "entropy": type(run.metrics["kl"])("entropy", "nats per token", sparse)},
    )  # fmt: skip
    found = check_health(run).runs[0]
    assert {alarm.step for alarm in found.of("entropy_explosion") if alarm.severity == "stop"} <= set(sparse.step)
    assert found.worst == "stop"


def test_one_row_that_is_not_finite_is_a_note_and_three_a_stop():
    for lost, severity in (([40], "note"), ([40, 41, 42], "stop")):
        loss = healthy_series()["loss"]
        loss[lost] = np.inf
        assert of(run_with(loss=loss), "non_finite")[0] == [severity]


def test_a_series_logged_on_some_rows_is_not_called_lost():
    sparse = np.where(np.arange(N) % 10 == 0, 0.02, np.nan)
    assert of(run_with(kl=sparse), "non_finite")[0] == []


def test_rows_that_readers_took_out_of_the_reward_count():
    lost = {f"{NON_FINITE}train_reward": Series(np.array([90.0, 91.0, 92.0]), np.ones(3))}
    reward = healthy_series()["train_reward"]
    found = check_health(run_with(train_reward=np.delete(reward, [89, 90, 91]), more=lost)).runs[0]
    assert [(alarm.series, alarm.step) for alarm in found.of("non_finite")] == [("train_reward", 90.0)]


def test_alarms_stand_at_the_compute_of_their_step():
    axis = {COMPUTE: Series(steps(), 1000.0 * steps())}
    run = run_with(truncation=np.where(LATE, 0.9, 0.03), more=axis, unit="tokens")
    curve = type(run.curve)(compute=1000 * run.curve.compute, reward=run.curve.reward, unit="tokens")
    run = run.with_curve(curve, source=None, warnings=())
    alarm = next(one for one in check_health(run).runs[0].of("truncation") if one.severity == "stop")
    assert (alarm.since, alarm.step, alarm.compute_unit) == (1000 * alarm.step, alarm.step, "tokens")


# two series


def test_hacking_is_a_train_reward_that_rises_alone():
    rising = np.clip(0.2 + 0.006 * steps(), 0, 1) + noise(1, sd=0.01)
    flat = 0.3 + noise(2, EVERY.size, 0.01)
    follows = 0.15 + 0.005 * EVERY + noise(2, EVERY.size, 0.01)
    assert "warn" in of(run_with(train_reward=rising, validation=(EVERY, flat)), "reward_hacking")[0]
    assert of(run_with(train_reward=rising, validation=(EVERY, follows)), "reward_hacking") == ([], "")


def test_a_judged_share_of_hacks_over_a_half_is_a_stop():
    share = Series(steps(), np.where(LATE, 0.7, 0.1))
    assert of(run_with(more={"rewards/hacking_share": share}), "reward_hacking")[0] == ["stop"]


def test_what_is_meant_may_be_a_part_of_the_reward():
    rising = np.clip(0.2 + 0.006 * steps(), 0, 1) + noise(1, sd=0.01)
    correct = Series(steps(), 0.002 + np.abs(noise(2, sd=0.002)))
    severities, _ = of(run_with(train_reward=rising, more={"rewards/correct/mean": correct}), "reward_hacking")
    assert severities == ["warn"]


def test_data_learned_by_heart_show_after_passes_over_them():
    rising = np.clip(0.3 + 0.006 * steps(), 0, 1) + noise(1, sd=0.01)
    sags = 0.4 - 0.0025 * np.clip(EVERY - 40, 0, None) + noise(2, EVERY.size, 0.004)
    for passes, gravest in ((0.8, []), (8.0, ["warn"]), (60.0, ["stop"])):
        epoch = {"epoch": Series(steps(), passes * steps() / N)}
        severities, why = of(run_with(train_reward=rising, validation=(EVERY, sags), more=epoch), "data_reuse")
        assert (severities[-1:], why) == (gravest, "")


def test_a_gap_that_grows_while_both_rise_is_no_learning_by_heart():
    rising = np.clip(0.1 + 0.007 * steps(), 0, 1) + noise(1, sd=0.01)
    half = 0.1 + 0.0042 * EVERY + noise(2, EVERY.size, 0.004)
    epoch = {"epoch": Series(steps(), 8.0 * steps() / N)}
    assert of(run_with(train_reward=rising, validation=(EVERY, half), more=epoch), "data_reuse") == ([], "")


def test_reuse_is_a_stop_only_from_the_row_on_at_which_the_passes_are_many():
    rising = np.clip(0.3 + 0.006 * steps(), 0, 1) + noise(1, sd=0.01)
    sags = 0.4 - 0.0025 * np.clip(EVERY - 40, 0, None) + noise(2, EVERY.size, 0.004)
    for scale in (0.3, 1.0):  # what is logged later changes nothing
        passes = np.where(steps() <= 80, 10.0 * steps() / 80, 10.0 + scale * 40.0 * (steps() - 80) / 20)
        epoch = {"epoch": Series(steps(), passes)}
        found = check_health(run_with(train_reward=rising, validation=(EVERY, sags), more=epoch)).runs[0]
        first = found.of("data_reuse")[0]
        assert (first.severity, first.raised_step <= 80) == ("warn", True)


def test_evaluations_that_cease_are_said():
    some = EVERY[EVERY <= 50]
    found = check_health(run_with(validation=(some, 0.2 + 0.004 * some))).runs[0]
    (alarm,) = found.of("validation_silence")
    assert (alarm.severity, alarm.step, alarm.raised_step) == ("warn", 55.0, 65.0)


def test_a_run_that_is_watched_may_stall():
    times = {"_timestamp": Series(steps(), 1e9 + 30.0 * steps())}
    last = 1e9 + 30.0 * N
    assert of(run_with(more=times), "stalled", now=last + 200) == ([], "")
    assert of(run_with(more=times), "stalled", now=last + 400)[0] == ["warn"]
    assert of(run_with(), "stalled", now=last)[1].startswith("the log holds no times of its rows: log")


def test_other_limits_are_other_alarms():
    run = run_with(truncation=np.where(LATE, 0.06, 0.01))
    assert of(run, "truncation")[0] == []
    assert of(run, "truncation", limits=Limits(truncation_warn=0.05))[0] != []
