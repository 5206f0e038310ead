"""TRL's trainer_state.json."""

import numpy as np
import pytest

from rlscale.sources import ReadOptions, collect


def state(*rows, **more):
    return {"logging_steps": 5, "log_history": list(rows), **more}


NEW = state(
    {"step": 0, "eval_reward": 0.2, "eval_runtime": 8.0, "eval_samples_per_second": 4.0, "epoch": 0.0},
    {"step": 5, "reward": 0.3, "num_tokens": 1000.0, "step_time": 2.0, "kl": 0.1, "loss": 1.0, "epoch": 0.1},
    {"step": 10, "reward": 0.4, "num_tokens": 2500.0, "step_time": 3.0, "kl": None, "loss": 1.0, "epoch": 0.2},
    {"step": 10, "eval_reward": 0.5, "eval_runtime": 9.0, "eval_samples_per_second": 3.556, "epoch": 0.2},
    {"step": 15, "reward": 0.5, "num_tokens": 4000.0, "step_time": 1.0, "loss": 1.0, "epoch": 0.3},
    {"step": 15, "eval_reward": 0.6, "eval_runtime": 6.0, "eval_samples_per_second": 5.333, "epoch": 0.3},
    {"step": 15, "train_runtime": 99.0, "total_flos": 0.0, "train_loss": 0.5, "epoch": 0.3},
)


INFERRED = (
    "n_eval is inferred: eval_runtime x eval_samples_per_second prompts, how often each was answered is not logged"
)


def test_evaluations_against_tokens(one):
    run = one("base/seed0/trainer_state.json", NEW)
    assert (run.curve.unit, run.curve.metric, run.source.format) == ("tokens", "eval_reward", "trl")
    assert run.curve.compute.tolist() == [0, 2500, 4000]
    assert run.curve.reward.tolist() == [0.2, 0.5, 0.6]
    assert run.curve.n_eval.tolist() == [32, 32, 32]
    assert (run.source.rows, run.source.repairs, run.warnings) == (7, (INFERRED,), ())
    assert run.config == {"logging_steps": 5}


def test_the_other_series_are_kept(one):
    run = one("x.trainer_state.json", NEW)
    # means over 5 steps, in the middle of them; evaluations and counters stand where they were made
    assert run.series["reward"].step.tolist() == [3, 8, 13]
    assert run.series["num_tokens"].step.tolist() == [5, 10, 15]
    assert np.isnan(run.series["kl"].value[1])
    assert "total_flos" not in run.series


def test_gpu_hours_of_steps_and_evaluations(one):
    run = one("x.trainer_state.json", NEW, gpus=4.0)
    # means over 5 steps: 5 x 2 s; + 5 x 3 s + 9 s; + 5 x 1 s + 6 s; the baseline's own 8 s are before compute 0
    np.testing.assert_allclose(run.curve.compute * 3600 / 4, [0, 10 + 15 + 9, 10 + 15 + 9 + 5 + 6])
    assert run.source.repairs == (
        INFERRED,
        "gpu-hours count step_time of every step and eval_runtime, not loading and checkpoints, on 4 GPUs (--gpus)",
    )


def test_steps_on_request(one):
    assert one("x.trainer_state.json", NEW, unit="steps").curve.compute.tolist() == [0, 10, 15]
    assert one("x.trainer_state.json", NEW, compute="num_tokens").curve.compute.tolist() == [0, 2500, 4000]


def test_train_reward_where_nothing_else_is_logged(one):
    old = state(
        {"step": 1, "reward": 0.1, "completion_length": 200.0, "rewards/correct": 0.1, "kl": 0.0},
        {"step": 2, "reward": 0.2, "completion_length": 190.0, "rewards/correct": 0.2, "kl": 0.1},
    )
    run = one("old.trainer_state.json", old)
    assert (run.curve.unit, run.curve.metric, run.curve.compute.tolist()) == ("steps", "reward", [1, 2])
    assert run.warnings == ("no validation metric is logged: the train reward 'reward' is fitted",)
    assert one("old.trainer_state.json", old, metric="rewards/correct").curve.metric == "rewards/correct"


def test_a_counter_that_stands_still_between_generations(one):
    rows = state(
        {"step": 1, "reward": 0.1, "num_tokens": 100.0, "grad_norm": 1.0},
        {"step": 2, "grad_norm": 1.0},
        {"step": 2, "eval_reward": 0.1},
        {"step": 3, "reward": 0.2, "num_tokens": 300.0, "grad_norm": 1.0},
        {"step": 4, "grad_norm": 1.0},
        {"step": 4, "eval_reward": 0.2},
    )
    assert one("x.trainer_state.json", rows).curve.compute.tolist() == [100, 300]


def test_an_evaluation_that_repeats_the_counter(one):
    rows = state(
        {"step": 10, "reward": 0.1, "num_tokens": 100.0},
        {"step": 12, "eval_reward": 0.3, "eval_num_tokens": 160.0},
        {"step": 20, "reward": 0.2, "num_tokens": 300.0},
    )
    assert one("x.trainer_state.json", rows).curve.compute.tolist() == [160]


def test_evaluations_between_logged_rows(one):
    rows = state(
        {"step": 5, "eval_reward": 0.1},
        {"step": 10, "reward": 0.1, "num_tokens": 100.0},
        {"step": 15, "eval_reward": 0.2},
        {"step": 20, "reward": 0.2, "num_tokens": 300.0},
    )
    assert one("x.trainer_state.json", rows).curve.compute.tolist() == [50, 200]


def test_a_counter_lost_at_a_resume_goes_on(one):
    rows = state(*({"step": s, "reward": 0.1, "num_tokens": t} for s, t in [(1, 10.0), (2, 20.0), (3, 7.0), (4, 15.0)]))
    run = one("x.trainer_state.json", rows, metric="reward")
    assert run.curve.compute.tolist() == [10, 20, 27, 35]
    assert run.source.repairs == ("num_tokens fell 1 time (a resume that lost the counter); its total goes on",)


def test_a_resume_replaces_what_was_logged_after_its_checkpoint(one):
    rows = state(*({"step": s, "reward": r} for s, r in [(1, 0.1), (2, 0.2), (3, 0.3), (4, 0.4), (3, 0.8), (4, 0.9)]))
    run = one("x.trainer_state.json", rows)
    assert run.curve.reward.tolist() == [0.1, 0.2, 0.8, 0.9]
    assert run.source.repairs == (
        "the run resumed at step 3 after step 4: the later rows replace 2 steps logged before, "
        "whose compute counts only in --clock elapsed",
    )


def test_a_last_evaluation_made_twice(one):
    rows = state(
        {"step": 1, "reward": 0.1, "eval_reward": 0.1},
        {"step": 2, "reward": 0.2},
        {"step": 2, "eval_reward": 0.3},
        {"step": 2, "eval_reward": 0.4},
    )
    run = one("x.trainer_state.json", rows)
    assert run.curve.reward.tolist() == [0.1, 0.4]
    assert run.series["reward"].value.tolist() == [0.1, 0.2]


def test_nan_rewards_are_left_out_and_stated(write):
    path = write("x.trainer_state.json", '{"log_history": [{"step": 1, "reward": NaN}, {"step": 2, "reward": 0.5}]}')
    (run,) = collect([path]).runs
    assert run.curve.compute.tolist() == [2]
    assert run.source.repairs == ("1 row was left out: the reward is not finite",)


def test_rows_without_a_step(one):
    run = one("x.trainer_state.json", state({"reward": 1}, {"step": 2, "reward": 0.5}))
    assert run.source.repairs == ("1 row was left out: no step",)


def test_a_log_that_starts_late_says_so_for_time(one):
    rows = state(*({"step": s, "reward": 0.5, "step_time": 1.0} for s in (500, 510, 520)))
    run = one("x.trainer_state.json", rows, gpus=1.0)
    assert run.curve.unit == "gpu-hours"
    assert run.warnings[0] == "the log starts at step 500: the time of the steps before it is taken from its first row"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_other_encodings(write, encoding):
    path = write("x.trainer_state.json", '{"log_history": [{"step": 1, "reward": 0.5}]}'.encode(encoding))
    assert collect([path], ReadOptions()).runs[0].curve.n_points == 1


def test_a_state_under_another_name(one):
    assert one("x.json", NEW).source.format == "trl"


def test_a_metric_in_the_trackers_spelling(one):
    rows = {
        "log_history": [{"step": 2, "reward": 0.1}, {"step": 2, "eval_reward": 0.3}, {"step": 4, "eval_reward": 0.4}]
    }
    assert one("trainer_state.json", rows, metric="eval/reward").curve.metric == "eval_reward"


def test_validated_before_training_only(one):
    rows = [{"step": 0, "eval_reward": 0.2}, *({"step": k, "reward": 0.1, "loss": 0.0} for k in range(1, 9))]
    run = one("trainer_state.json", {"log_history": rows})
    assert run.curve.metric == "eval_reward"
    assert run.warnings == ("validated before training only; the train reward goes on: give --metric reward",)
    rows.append({"step": 8, "eval_reward": 0.3})
    assert one("again.trainer_state.json", {"log_history": rows}, unit="steps", until=4.0).warnings == ()
