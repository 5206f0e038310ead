"""Bounds of the runs read together: by the metric's name and scale, assumed from the values, or open."""

import json
from pathlib import Path

import numpy as np
import pytest

from rlscale.curves import Curve
from rlscale.curves.assumed import assumed, opened
from rlscale.errors import ChoiceError, InputError
from rlscale.sources import ReadOptions, collect
from rlscale.sources.bounds import is_share, kept_bounds, several_rewards, without_outliers
from rlscale.sources.tables.table_file import read as table_logs


def table(write, name, column, *values):
    rows = "".join(f"{10 * k},{value}\n" for k, value in enumerate(values))
    return write(name, f"step,{column}\n{rows}")


def known(reading):
    return [(run.curve.bounds, run.curve.bounds_from) for run in reading.runs]


@pytest.mark.parametrize(
    "name",
    ["accuracy", "eval/acc", "val-core/math/acc/mean@8", "pass@1", "eval/pass_rate", "success_rate", "win_rate",
     "test/solve_rate", "eval_accuracy", "val/success", "pass_at_1", "acc@math"],
)  # fmt: skip
def test_shares_by_their_names(name):
    assert is_share(name)


@pytest.mark.parametrize(
    "name",
    ["reward", "eval_reward", "score", "rewards/correct_reward", "critic/score/mean", "return", "episode_reward_mean",
     "success_reward", "pass_count", "reward_model/score"],
)  # fmt: skip
def test_what_is_no_share(name):
    assert not is_share(name)


def test_several_reward_functions_beside_their_sum():
    assert several_rewards(["reward", "rewards/answer/mean", "rewards/format/mean", "rewards/answer/std"], "reward")
    assert several_rewards(["eval_reward", "eval_rewards/answer/mean", "eval_rewards/format/mean"], "eval_reward")
    assert not several_rewards(["reward", "rewards/answer/mean", "rewards/answer/std"], "reward")
    assert not several_rewards(["reward/mean", "reward/std", "reward/max"], "reward/mean")
    assert not several_rewards(["rewards/a/mean", "rewards/b/mean"], "rewards/a/mean")


def test_a_share_has_the_unit_interval(write):
    reading = collect([table(write, "a.csv", "accuracy", 0.2, 0.3, 0.5, 1.01)])
    assert known(reading) == [((0.0, 1.0), "metric")]


def test_percents_are_read_as_percents_at_any_cut(write):
    path = table(write, "a.csv", "eval/accuracy", 0.4, 0.9, 1.2, 20.5, 41.0, 60.0)
    for until in (None, 20.0):
        (run,) = collect([path], ReadOptions(until=until)).runs
        assert (run.curve.bounds, run.curve.bounds_from) == ((0.0, 100.0), "percent")


SHARES = "run,step,accuracy\nlow,1,0.4\nlow,2,0.9\nhigh,1,30\nhigh,2,55\n"


@pytest.mark.parametrize("options", [ReadOptions(run=("low",)), ReadOptions(exclude=("hi*",))])
def test_percent_is_decided_from_the_whole_column_whichever_runs_are_read(write, options):
    assert known(collect([write("a.csv", SHARES)], options)) == [((0.0, 100.0), "percent")]


def test_a_fraction_stays_one_in_a_table_without_percents(write):
    text = SHARES.replace("30", "0.30").replace("55", "0.55")
    assert known(collect([write("a.csv", text)], ReadOptions(run=("low",)))) == [((0.0, 1.0), "metric")]


def test_a_metric_column_is_decided_for_each_of_its_values(write):
    rows = "low,1,{m},0.4\nlow,2,{m},0.9\nhigh,1,{m},{a}\nhigh,2,{m},{b}\n"
    text = "run,step,metric,value\n" + rows.format(m="pass_rate", a=30, b=55) + rows.format(m="acc", a=0.3, b=0.55)
    path = write("a.csv", text)
    percent, fraction = (
        known(collect([path], ReadOptions(run=("low",), metric=metric))) for metric in ("pass_rate", "acc")
    )
    assert percent == [((0.0, 100.0), "percent")]
    assert fraction == [((0.0, 1.0), "metric")]


def test_the_datasets_of_a_column_have_its_scale(write):
    path = write("a.csv", "dataset,step,accuracy\nhard,1,0.4\nhard,2,0.9\neasy,1,30\neasy,2,55\n")
    assert known(collect([path], ReadOptions(metric="hard"))) == [((0.0, 100.0), "percent")]


def test_all_values_of_the_column_open_the_bounds_of_any_run(write):
    path = write("a.csv", "run,step,accuracy\na,1,0.4\na,2,0.9\nb,1,-30\nb,2,\n")
    (run,) = collect([path], ReadOptions(run=("a",))).runs
    assert run.curve.bounds_from == "open"
    assert table_logs(Path(path))[0].extents == {"accuracy": (-30.0, 0.9)}


def test_one_column_of_a_table_is_decided_once(write):
    path = write("a.csv", "run,step,accuracy\nlow,1,0.4\nlow,2,1.1\nhigh,1,30\nhigh,2,55\n")
    assert known(collect([path])) == [((0.0, 100.0), "percent")] * 2


def test_zeros_take_the_scale_of_the_others(write, tmp_path):
    table(write, "a.csv", "accuracy", 0, 0, 0, 0)
    table(write, "b.csv", "accuracy", 10, 20, 30, 40)
    assert known(collect([tmp_path])) == [((0.0, 100.0), "percent")] * 2


def test_a_fraction_beside_percents_is_asked_for(write, tmp_path):
    table(write, "a.csv", "accuracy", 0.1, 0.4, 0.5, 0.9)
    table(write, "b.csv", "accuracy", 10, 20, 30, 40)
    with pytest.raises(ChoiceError) as caught:
        collect([tmp_path])
    assert str(caught.value) == (
        "some runs log 'accuracy' in percent, and these have values up to 0.9; give bounds=(0, 100) if they are in "
        "percent too, or read them apart: a"
    )
    assert known(collect([tmp_path], ReadOptions(bounds=(0.0, 100.0)))) == [((0.0, 100.0), "option")] * 2


@pytest.mark.parametrize(
    "values", [(-0.5, 0.2, 0.4, 0.6), (0.2, 0.9, 1.06, 1.07), (0.2, 1.3, 1.4, 1.4), (20, 50, 90, 140)]
)
def test_a_share_outside_both_scales_is_open(write, values):
    (run,) = collect([table(write, "a.csv", "accuracy", *values)]).runs
    assert (run.curve.bounds_from, run.curve.open.because) == ("open", "share")


def test_other_rewards_are_assumed_or_open(write):
    assert known(collect([table(write, "a.csv", "reward", 0.1, 0.4, 0.9, 1.0)])) == [((0.0, 1.0), "values")]
    (run,) = collect([table(write, "b.csv", "reward", -3.0, -1.0, 0.5, 0.6)]).runs
    assert run.curve.bounds_from == "open"
    (run,) = collect([table(write, "c.csv", "reward", 20.0, 30.0, 55.0, 56.0)]).runs
    assert run.curve.bounds_from == "open"  # nothing but its values says that it is in percent


def test_what_is_assumed_at_a_cut_was_known_there(write):
    path = table(write, "a.csv", "reward", 0.1, 0.4, 0.9, 1.0, 1.6, 1.9)
    assert known(collect([path], ReadOptions(until=30.0))) == [((0.0, 1.0), "values")]
    assert known(collect([path]))[0][1] == "open"


def test_the_best_arm_is_not_lost_for_bounds_nobody_gave(write, tmp_path):
    def state(name, *rewards):
        rows = [
            {"step": 10 * k, "loss": 0.1, "reward": r, "rewards/answer/mean": r / 2, "rewards/format/mean": r / 2}
            for k, r in enumerate(rewards, 1)
        ]
        write(f"{name}/trainer_state.json", json.dumps({"log_history": rows, "global_step": 60}))

    state("low", 0.1, 0.2, 0.3, 0.35, 0.4, 0.42)
    state("high", 0.2, 0.7, 1.1, 1.4, 1.6, 1.7)
    reading = collect([tmp_path])
    assert [run.name for run in reading.runs] == ["high", "low"]
    assert {run.curve.open.because for run in reading.runs} == {"rewards"}
    state("high", 0.2, 0.3, 0.4, 0.5, 0.55, 0.6)  # all below 1 so far: still a sum of two
    assert {run.curve.bounds_from for run in collect([tmp_path]).runs} == {"open"}


def test_open_bounds_on_request(write):
    path = table(write, "a.csv", "accuracy", 0.1, 0.4, 0.5, 0.6)
    (run,) = collect([path], ReadOptions(bounds="open")).runs
    assert (run.curve.bounds_from, run.curve.open.because) == ("open", "asked")


def test_a_value_far_off_is_left_out_and_named(write):
    values = [1.0 + 0.1 * k for k in range(30)]
    values[17] = 1e6
    (run,) = collect([table(write, "a.csv", "reward", *values)]).runs
    assert run.curve.n_points == 29
    assert run.source.repairs[-1] == (
        "1e+06 at 170 steps is left out: more than 20 ranges of the rewards (2.7) from those around it"
    )


def test_given_bounds_still_refuse_what_lies_far_outside(write):
    path = table(write, "a.csv", "reward", 0.2, 0.4, 1.7, 1.8)
    with pytest.raises(InputError, match=r"run 'a': reward 1.8 is outside the bounds \[0, 1\] of 'reward'"):
        collect([path], ReadOptions(bounds=(0.0, 1.0)))


def curve(*reward, metric="reward", bounds_from="values"):
    return Curve(compute=np.arange(1.0, len(reward) + 1), reward=reward, metric=metric, bounds_from=bounds_from)


def test_what_was_assumed_is_kept_until_a_value_leaves_it():
    before = opened([curve(0.0, 1.0, 2.0, 3.0)], because="values")[0]
    longer = before.appended(5.0, 4.0)
    assert kept_bounds([longer])[0].open == before.open
    away = before.appended(5.0, 400.0).appended(6.0, 420.0).appended(7.0, 440.0)
    assert kept_bounds([away])[0].open.highest == 420.0
    inside = curve(0.1, 0.5, 0.9)
    assert kept_bounds([inside])[0] is inside
    assert kept_bounds([inside.appended(4.0, 1.5)])[0].bounds_from == "open"


def test_a_ledger_filled_in_two_steps_has_one_scale():
    zeros, percents = curve(0, 0, 0, metric="accuracy", bounds_from="metric"), curve(10, 20, 43, metric="accuracy")
    assert [each.bounds for each in kept_bounds([zeros, percents])] == [(0.0, 100.0)] * 2
    negative = curve(-0.5, 0.2, 0.4, metric="accuracy")
    assert {each.bounds_from for each in kept_bounds([zeros, negative])} == {"open"}


def test_the_last_value_is_not_taken_for_the_spike_before_it(write):
    values = [1.0 + 0.01 * k for k in range(101)]
    values[99] = 1e6
    (run,) = collect([table(write, "a.csv", "reward", *values)]).runs
    assert run.curve.reward_last == pytest.approx(2.0)
    assert run.curve.bounds[1] < 20.0  # levels are those of what is left
    kept, said = without_outliers(assumed([curve(*values)])[0])
    assert (kept.n_points, len(said)) == (100, 1)


def test_rewards_that_are_no_numbers_are_left_out(write):
    (run,) = collect([table(write, "a.csv", "reward", 0.1, 1e200, 0.3, 0.4, "nan")]).runs
    assert run.curve.n_points == 3
    assert run.source.repairs == ("2 rows were left out: the reward is not finite, or beyond 1e+150",)


def test_a_run_that_is_not_evaluated_yet_stops_no_other(write, tmp_path):
    def state(name, **row):
        rows = [{"step": 10 * k, "loss": 0.1, "reward": 0.2 + 0.01 * k, **row} for k in range(1, 7)]
        write(f"{name}/trainer_state.json", json.dumps({"log_history": rows, "global_step": 60}))

    state("old", eval_reward=0.3, num_tokens=5.0)
    state("young", num_tokens=5.0)
    reading = collect([tmp_path])
    assert [run.name for run in reading.runs] == ["old"]
    (lost,) = reading.left_out
    assert (lost.run, lost.counted) == ("young", False)
    assert lost.why == "run 'young' has no evaluation yet: 'eval_reward' is not logged"


@pytest.mark.parametrize("keys", [
    ("reward/avg_raw_reward", "reward/avg_pass_at_8", "reward/mean_positive_reward"),
    ("reward/all/mean", "reward/math/mean", "reward/code/mean"),
    ("reward/overall", "reward/accuracy", "reward/format"),
])  # fmt: skip
def test_statistics_environments_and_terms_of_a_mean_are_not_summed(keys):
    assert not several_rewards(keys, "reward")
    assert several_rewards(("reward/accuracy", "reward/format"), "reward")
