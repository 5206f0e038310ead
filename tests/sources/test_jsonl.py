"""metrics.jsonl: tinker-cookbook's and plain ones."""

import numpy as np
import pytest

from rlscale.sources import read


def tinker(n=5, test_every=2, first=0):
    out = []
    for k in range(first, n):
        row = {"step": k, "progress/batch": k, "time/total": 9.0}
        if test_every and k % test_every == 0:
            row |= {"test/env/all/reward/total": 0.1 + k / 100, "test/env/all/total_episodes": 100}
        row |= {
            "env/all/reward/total": 0.2 + k / 100,
            "env/all/total_episodes": 64,
            "env/all/total_ac_tokens": 100 * (k + 1),
            "env/all/total_ob_tokens": 10,
        }
        out.append(row)
    return out


def test_tinker_evaluates_before_it_trains(one):
    run = one("metrics.jsonl", tinker())
    assert (run.curve.unit, run.curve.metric, run.source.format) == ("tokens", "test/env/all/reward/total", "tinker")
    assert run.curve.compute.tolist() == [0, 110 + 210, 110 + 210 + 310 + 410]
    assert run.curve.n_eval.tolist() == [100, 100, 100]
    assert (run.source.repairs, run.warnings) == ((), ())
    assert one("metrics.jsonl", tinker(), unit="samples").curve.compute.tolist() == [0, 128, 256]
    assert one("metrics.jsonl", tinker(), unit="steps").curve.compute.tolist() == [0, 2, 4]


def test_tinker_train_rewards_come_after_their_batch(one):
    run = one("metrics.jsonl", tinker(test_every=None))
    assert run.curve.compute.tolist() == [110, 320, 630, 1040, 1550]
    assert run.source.repairs == ("steps count from 0: the train batch of row k is placed at step k + 1",)
    assert run.warnings == ("no validation metric is logged: the train reward 'env/all/reward/total' is fitted",)


def test_tinker_asynchronous_evaluations_are_rows_of_their_own(one):
    rows = tinker(6, test_every=None)
    rows.insert(5, {"step": 2, "test/env/all/reward/total": 0.7, "sampling_client/step_mean": 2, "time/total": 1})
    run = one("metrics.jsonl", rows)
    assert (run.curve.compute.tolist(), run.curve.reward.tolist()) == ([320], [0.7])
    assert run.series["env/all/reward/total"].step.size == 6


def test_tinker_without_its_beginning(one):
    run = one("metrics.jsonl", tinker(40, first=30))
    assert (run.curve.unit, run.curve.compute[0]) == ("steps", 30)
    assert run.warnings == (
        "tokens and samples are unknown: 30 of the 40 steps are not in the log, which starts at step 31",
    )


@pytest.mark.parametrize("key", ["step", "training_step", "progress/step", "train/global_step", "iteration"])
def test_where_the_step_stands(one, key):
    run = one("m.jsonl", [{key: 1, "eval/reward": 0.1}, {key: 2, "eval/reward": 0.2}])
    assert (run.curve.unit, run.curve.compute.tolist()) == ("steps", [1, 2])


def test_open_instruct_counts_episodes_in_global_step(one):
    rows = [{"training_step": k, "global_step": 512 * k, "episode": 512 * k, "scores": k / 10} for k in (1, 2)]
    run = one("m.jsonl", rows)
    assert (run.curve.unit, run.curve.compute.tolist()) == ("samples", [512, 1024])


def test_levels_of_nesting_and_quoted_numbers(one):
    run = one("m.jsonl", [{"step": 1, "eval": {"reward": "0.25", "note": "x"}, "loss": {"a": {"deep": 1}}}])
    assert (run.curve.metric, run.curve.reward.tolist()) == ("eval/reward", [0.25])
    assert set(run.series) == {"loss/a/deep"}


def test_train_rewards_counted_from_zero_are_no_baseline(one):
    rows = [{"step": k, "reward/mean": k / 10, "num_tokens": 100 * (k + 1)} for k in range(3)]
    run = one("m.jsonl", rows)
    assert run.curve.compute.tolist() == [100, 200, 300]
    assert one("m.jsonl", rows, unit="steps").curve.compute.tolist() == [1, 2, 3]


def test_a_baseline_evaluation_before_the_first_step_shifts_nothing(one):
    rows = [{"step": 0, "eval/reward": 0.1}, {"step": 1, "reward": 0.2}, {"step": 1, "eval/reward": 0.3}]
    assert one("m.jsonl", rows).curve.compute.tolist() == [0, 1]
    assert one("m.jsonl", rows, metric="reward").curve.compute.tolist() == [1]


def test_a_counter_that_falls_is_no_axis(one):
    rows = [{"step": k, "reward": 0.5, "tokens": t} for k, t in ((1, 900), (2, 850), (3, 910))]
    assert one("m.jsonl", rows).curve.unit == "steps"


def test_three_runs_in_one_file(write):
    rows = [
        {"step": k, "reward/mean": 0.5 + v} for k, v in [(0, 0.1), (0, 0.2), (1, 0.2), (2, 0.2), (0, 0.3), (1, 0.3)]
    ]
    runs = read(write("job.metrics.jsonl", rows))
    assert [(run.name, run.recipe, run.curve.n_points) for run in runs] == [
        ("job", "job", 1),
        ("job#2", "job", 3),
        ("job#3", "job", 2),
    ]
    assert runs[2].source.repairs[0] == "the file holds 3 runs one after the other; this is number 3"
    assert runs[2].source.rows == 2


def test_torn_last_line_and_rows_without_step(one):
    run = one("m.jsonl", '{"config": 1}\n\n{"step": 1, "reward": 0.5}\n{"seed": 3}\n{"step": 2, "rew')
    assert run.curve.n_points == 1
    assert run.source.repairs == ("the last line (line 5) is torn and was left out", "2 rows were left out: no step")


def test_missing_values(one):
    run = one("m.jsonl", '{"step": 1, "reward": NaN}\n{"step": 2, "reward": -Infinity}\n{"step": 3, "reward": 0.5}\n')
    assert run.curve.compute.tolist() == [3]
    assert run.source.repairs == ("2 rows were left out: the reward is not finite",)
    assert np.isnan(one("m.jsonl", '{"step": 1, "reward": 0.5, "kl": null}\n').series["kl"].value).all()


BASELINE = "step 0 is read as the baseline: the rows look like evaluations, not like every train batch"


@pytest.mark.parametrize("steps", [range(5), range(0, 241, 12)])
def test_a_step_and_a_reward_alone_are_evaluations(one, steps):
    run = one("base/0/metrics.jsonl", [{"step": k, "reward": k / 300} for k in steps])
    assert run.curve.compute.tolist() == list(steps)
    assert (run.source.repairs, run.warnings) == ((BASELINE,), ())


def test_sparse_rows_of_a_trainer_are_no_batches(one):
    run = one("m.jsonl", [{"step": k, "reward": k / 300, "loss": 1} for k in range(0, 241, 12)])
    assert (run.curve.compute[0], run.curve.compute_last) == (0, 240)
    assert run.source.repairs == (BASELINE,)
    assert run.warnings == ("no validation metric is logged: the train reward 'reward' is fitted",)


@pytest.mark.parametrize("key", ["loss", "train/lr", "entropy", "kl", "grad_norm", "time/total", "optim/lr"])
def test_rows_of_every_batch_are_shifted(one, key):
    run = one("m.jsonl", [{"step": k, "reward": k / 10, key: 1} for k in range(5)])
    assert run.curve.compute.tolist() == [1, 2, 3, 4, 5]
    assert run.source.repairs == ("steps count from 0: the train batch of row k is placed at step k + 1",)


def test_bare_rows_may_resume_and_start_again(write):
    rows = [{"step": k, "reward": k / 10 + v} for k, v in [(0, 0.1), (1, 0.1), (2, 0.1), (1, 0.2), (0, 0.3), (1, 0.3)]]
    assert [(run.name, run.curve.n_points) for run in read(write("m.jsonl", rows))] == [("m", 2), ("m#2", 2)]


def test_validation_with_a_step_key_of_its_own(one):
    rows = [{"train/global_step": k, "train/policy_loss": 0.1, "train/actor_lr": 1e-6} for k in range(1, 21)]
    rows.insert(10, {"eval/global_step": 10, "eval/eval_gsm8k_pass1": 0.3})
    rows.append({"eval/global_step": 20, "eval/eval_gsm8k_pass1": 0.4})
    run = one("openrlhf.jsonl", rows)
    assert run.curve.metric == "eval/eval_gsm8k_pass1"
    assert run.curve.compute.tolist() == [10, 20]
    assert run.source.repairs == ()
