"""Validation rewards that no trainer's table knows: by their names, in every trainer's log."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlscale.curves.validation_keys import EVALUATED, REWARD, SOMETHING_ELSE, names_a_validation, validation_keys
from rlscale.errors import ChoiceError
from rlscale.sources import Named, ReadOptions, collect
from rlscale.sources.assemble import assemble
from rlscale.sources.grouping import Identity
from rlscale.sources.history import of_rows
from rlscale.sources.keys import is_evaluation
from rlscale.sources.trainers import TRAINERS, log_of, trainer_of
from rlscale.sources.trainers.other import OTHER

#: A train reward of each trainer beside keys that only it logs.
TRAINED = {
    "trl": "reward frac_reward_zero_std completions/mean_length num_tokens",
    "verl": "critic/score/mean actor/ppo_kl timing_s/step perf/total_num_tokens",
    "openrlhf": "train/reward train/policy_loss train/actor_lr train/ppo_clip_ratio",
    "nemo-rl": "train/reward train/global_valid_toks train/approx_entropy timing/train/total_step_time",
    "prime-rl": "train/agg/all/solver/reward/mean off_policy/mean progress/output_tokens entropy/all/mean",
    "skyrl": "reward/avg_raw_reward policy/policy_lr generate/avg_num_tokens loss/avg_kl",
    "slime": "rollout/raw_reward perf/rollout_time train/pg_clipfrac train/ois",
    "roll": "critic/score/mean actor/clipfrac token/total_length/mean actor_train/grad_norm",
    "areal": "rollout/reward rollout/rejected ppo_actor/update/lr timeperf/rollout",
    "open-instruct": "scores objective/kl_avg val/stop_rate policy/entropy_avg",
    "tinker": "env/all/reward/total env/all/total_episodes env/all/total_ac_tokens progress/done_frac",
    "pipelinerl": "rl/reward stats/lag stats/completed_steps rl/ess",
    "torchforge": "reward/evaluate_response/avg_total_reward rl_trainer/learning_rate buffer/sample/age",
    "other": "reward/mean loss lr grad_norm",
}


def by_name(name):
    return next(one for one in (*TRAINERS, OTHER) if one.name == name)


def log_with(name, *keys, steps=range(1, 7)):
    """The log of a trainer with a train reward and further keys, all of them rising."""
    names = [*TRAINED[name].split(), *keys]
    rows = [(float(k), dict.fromkeys(names, 0.2 + k / 100)) for k in steps]
    (history,) = of_rows(rows, "r", "wandb")
    trainer = trainer_of(history.series)
    assert trainer.name == name
    return log_of(trainer, history)


def run_of(log):
    runs, errors = assemble([Named(log, "r", Identity("r", "r", "r", None, "none", "", ""))], ReadOptions(unit="steps"))
    assert not errors
    return runs[0]


SHARED = Path(__file__).parents[3] / "shared" / "cases" / "logs"

NOTHING = re.compile("no validation metric is logged")


@pytest.mark.parametrize(
    "key",
    [
        "val/success_rate",
        "val-env/Sokoban/success",
        "eval/objective/verifiable_correct_rate",
        "Test/Accuracy",
        "metrics/valid.acc",
        "validation-humaneval-pass@1",
        "eval/win_rate",
        "agent/test_score/avg",
        "val_reward",
    ],
)
def test_a_name_that_says_validation_and_reward(key):
    assert names_a_validation(key)
    assert is_evaluation(key)


@pytest.mark.parametrize(
    "key",
    [
        "eval/num_samples",
        "val/loss",
        "eval/reward_std",
        "eval/reward/max",
        "val-core/math/acc/best@8/mean",
        "val-core/math/acc/maj@8/mean",
        "eval_rewards/format/mean",
        "eval_rewards/accuracies",
        "eval_mean_token_accuracy",
        "test/score_length",
        "validation/reward_time",
        "latest/reward",  # parts are compared whole
        "evaluation/reward",
        "val/passed",
        "reward/evaluate_response/avg_total_reward",
        "train/reward",
        "critic/score/mean",
        "eval",
        "",
        "/",
    ],
)
def test_a_name_that_says_something_else(key):
    assert not names_a_validation(key)


def test_spellings_of_one_name_count_once():
    spelled = ["eval/reward", "eval_reward", "Eval.Reward", "val/pass@1", "val/pass_at_1", "val/pass@8"]
    assert validation_keys(spelled) == ("eval/reward", "val/pass@1", "val/pass@8")


words = st.sampled_from((*EVALUATED, *REWARD, *SOMETHING_ELSE, "gsm8k", "mean", "all", "latest", "rates", "8"))
names = st.lists(st.tuples(st.sampled_from("/_-.@"), words), min_size=1, max_size=5).map(
    lambda parts: "".join(between + word for between, word in parts)[1:]
)


@given(names, st.sampled_from([str.lower, str.upper, str.title]))
def test_the_rule_by_its_words(name, cased):
    parts = re.split(r"[/_\-.@]", name)
    expected = (
        any(part in EVALUATED for part in parts)
        and any(part in REWARD for part in parts)
        and not any(part in SOMETHING_ELSE for part in parts)
    )
    assert names_a_validation(cased(name)) == expected


@pytest.mark.parametrize("name", TRAINED)
@pytest.mark.parametrize("key", ["test/heldout/success_rate", "valid-maze/episode_win"])
def test_every_trainer_takes_the_key_before_its_train_reward(name, key):
    run = run_of(log_with(name, key))
    assert run.curve.metric == by_name(name).native(key)
    assert not NOTHING.search(" ".join(run.warnings))
    title = by_name(name).title
    said = f"{title} itself logs no {key}: it is the validation by its name"
    assert (said in run.source.repairs) == (name != "other")


@pytest.mark.parametrize("name", TRAINED)
def test_the_train_reward_goes_where_there_is_no_such_key(name):
    log = log_with(name, "val/loss", "eval/all/reward_std", "eval/all/num_prompts")
    run = run_of(log)
    assert run.curve.metric == TRAINED[name].split()[0]
    told = f"no validation metric is logged: the train reward {run.curve.metric!r} is fitted"
    assert run.warnings.count(told) == 1


@given(st.sampled_from(sorted(TRAINED)), st.lists(names, max_size=4, unique=True))
def test_nothing_is_said_to_be_missing_that_is_there(name, keys):
    """The train reward is fitted, and said to be, only where neither the trainer nor a name tells a validation."""
    trainer = by_name(name)
    log = log_with_any(trainer, keys)
    native = [trainer.native(key) for key in keys]
    named = [key for key in native if names_a_validation(key) and not (name == "open-instruct" and key[:4] == "val/")]
    own = trainer.found("validation", native)
    if len(log.validation or log.train) > 1:
        assert set(log.validation) <= {*own, *named} or name == "other"
        with pytest.raises(ChoiceError):
            run_of(log)
        return
    run = run_of(log)
    if own or named:
        assert run.curve.metric in (own or named)
        assert not NOTHING.search(" ".join(run.warnings))
    elif run.curve.metric in log.train and not log.validation:
        assert NOTHING.search(" ".join(run.warnings))
    else:  # names that only a log of no known trainer is read by
        assert name == "other"


def log_with_any(trainer, keys):
    names_ = [*TRAINED[trainer.name].split(), *keys]
    (history,) = of_rows([(float(k), dict.fromkeys(names_, k / 10)) for k in (1, 2, 3)], "r", "wandb")
    return log_of(trainer, history)


OWN = {
    "trl": "eval_reward",
    "verl": "val-core/aime/acc/mean@4",
    "openrlhf": "eval/eval_aime_pass1",
    "nemo-rl": "validation/accuracy",
    "prime-rl": "eval/aime/all/solver/avg@4",
    "skyrl": "eval/all/avg_score",
    "slime": "eval/aime",
    "roll": "val_correct/all/mean",
    "areal": "eval-rollout/reward",
    "open-instruct": "eval/scores",
    "tinker": "test/env/all/reward/total",
    "pipelinerl": "actor/test_reward_mean",
}


@pytest.mark.parametrize("name", OWN)
def test_a_trainers_own_key_goes_first(name):
    log = log_with(name, "eval/custom/success_rate", OWN[name], "val-aux/aime/score/mean@4")
    assert log.validation == (OWN[name],)
    assert run_of(log).curve.metric == OWN[name]


def test_several_names_are_asked(write):
    rows = [
        {"step": k, "critic/score/mean": 0.3, "actor/ppo_kl": 0.1, "timing_s/step": 9,
         "val/maze/success": k / 10, "val/kitchen/success": k / 20}
        for k in range(1, 5)
    ]  # fmt: skip
    path = write("run.jsonl", rows)
    with pytest.raises(ChoiceError) as caught:
        collect([path])
    assert str(caught.value) == (
        f"{path} holds 2 validation metrics; give metric=KEY: val/maze/success, val/kitchen/success"
    )
    (run,) = collect([path], ReadOptions(metric="val/kitchen/success")).runs
    assert run.curve.reward[-1] == 0.2


def test_the_same_mean_of_several_answers_is_asked(write):
    path = write("run.jsonl", [{"step": k, "loss": 1, "test/pass@1": 0.1, "test/pass@4": 0.3} for k in (1, 2, 3)])
    with pytest.raises(ChoiceError, match=r"2 validation metrics; give metric=KEY: test/pass@1, test/pass@4$"):
        collect([path])


def test_the_train_batch_of_open_instruct_is_no_validation():
    assert log_with("open-instruct", "val/format_reward").validation == ()
    assert log_with("open-instruct", "val/format_reward", "eval/code_correct_rate").validation == (
        "eval/code_correct_rate",
    )


def test_a_fork_of_verl_on_the_console(one):
    lines = ["(TaskRunner pid=3) step:0 - val-env/Sokoban/success:np.float64(0.15)"]
    for k in range(1, 9):
        validated = f"val-env/Sokoban/success:np.float64({0.15 + k / 40}) - " if k % 2 == 0 else ""
        lines.append(
            f"(TaskRunner pid=3) step:{k} - actor/ppo_kl:0.1 - {validated}critic/score/mean:{0.2 + k / 20} - "
            f"timing_s/step:30.0"
        )
    run = one("job.log", "\n".join(lines) + "\n", unit="steps")
    assert (run.curve.metric, run.curve.compute.tolist()) == ("val-env/Sokoban/success", [0, 2, 4, 6, 8])
    assert run.source.repairs[-1:] == ("verl itself logs no val-env/Sokoban/success: it is the validation by its name",)
    assert run.warnings == ()


@pytest.mark.parametrize(("at", "when"), [(0, "before training only"), (5, "once, at step 5")])
def test_a_single_validation_is_not_the_end(one, at, when):
    rows = [{"step": k, "critic/score/mean": k / 10, "actor/ppo_kl": 0.1, "timing_s/step": 9.0} for k in range(6)]
    rows[0] = {"step": 0}
    rows[at]["val/success_rate"] = 0.1
    run = one("m.jsonl", rows)
    assert run.curve.metric == "val/success_rate"
    assert run.warnings == (f"validated {when}; the train reward goes on: give --metric critic/score/mean",)


def test_evaluations_by_name_stay_where_they_are():
    """Train rows of TRL are placed in the middle of the steps they average; evaluations stand at their step."""
    log = log_with("trl", "heldout_test_accuracy", "loss", steps=range(10, 70, 10))
    assert log.series["heldout_test_accuracy"].step.tolist() == [10, 20, 30, 40, 50, 60]
    assert log.series["reward"].step.tolist() == [5.5, 15.5, 25.5, 35.5, 45.5, 55.5]
    moved = log_with("slime", "test/mmlu/acc", steps=range(4))
    assert moved.series["test/mmlu/acc"].step.tolist() == [0, 2, 3, 4]  # before training, then after each rollout


def test_a_loop_of_ones_own_with_a_few_known_counters():
    keys = ["step", "num_tokens", "step_time", "valid/chess/win_rate"]
    assert trainer_of(keys) is OTHER
    assert trainer_of(["step", "num_tokens", "step_time", "reward"]).name == "trl"


def test_names_that_only_a_loop_of_ones_own_is_read_by():
    assert OTHER.validation(["eval/solve_rate", "loss"]) == ("eval/solve_rate",)
    assert OTHER.validation(["eval/solve_rate", "eval/math/accuracy"]) == ("eval/math/accuracy",)
    assert OTHER.validation(["test/avg@16", "loss"]) == ("test/avg@16",)


def test_nested_rows_keep_every_number(one):
    rows = [
        {"step": k, "actor": {"ppo_kl": 0.1, "lr": {"value": 1e-6}}, "timing_s": {"step": 30.0},
         "critic": {"score": {"mean": k / 10, "by": {"domain": {"code": k / 20}}}, "note": "x"}}
        for k in range(1, 6)
    ]  # fmt: skip
    run = one("log.jsonl", rows)
    assert (run.source.trainer, run.curve.metric, run.curve.n_points) == ("verl", "critic/score/mean", 5)
    assert run.series["critic/score/by/domain/code"].value.tolist() == [0.05, 0.1, 0.15, 0.2, 0.25]
    assert run.series["actor/lr/value"].value[0] == 1e-6


def test_nested_rows_of_verls_file_logger(one):
    rows = [
        {"step": k, "data": {"critic": {"score": {"mean": k / 10}}, "val": {"grid": {"success": k / 20}}}}
        for k in (1, 2, 3)
    ]
    run = one("x.jsonl", rows, unit="steps")
    assert (run.source.format, run.curve.metric) == ("verl-file", "val/grid/success")


def nested(levels):
    deep = value = {}
    for _ in range(levels):
        value["x"] = value = {}
    value["x"] = 1.0
    return deep


def test_levels_however_deep_are_one_key(one):
    run = one("m.jsonl", [{"step": 1, "eval/reward": 0.5, "deep": nested(30)}])
    assert set(run.series) == {"deep" + 31 * "/x"}


def test_nesting_without_end_is_no_metric(one):
    run = one("m.jsonl", [{"step": 1, "eval/reward": 0.5, "deep": nested(400), "scores": [0.5, 1.0], "words": ["a"]}])
    assert set(run.series) == set()
    assert any("lists of numbers were left out: deep/x/x" in said and "scores" in said for said in run.source.repairs)


def test_rows_under_metrics(one):
    rows = [
        {"global_step": k, "wall": k * 9.0,
         "metrics": {"rollout/reward": 0.1 + k / 50, "ppo_actor/update/lr": 1e-6, "timeperf/rollout": 20.0, "wall": 0.0,
                     **({"eval-rollout/reward": 0.2 + k / 50} if k % 2 else {})}}
        for k in range(8)
    ]  # fmt: skip
    run = one("rows.jsonl", rows, unit="steps")
    assert (run.source.trainer, run.curve.metric) == ("areal", "eval-rollout/reward")
    np.testing.assert_allclose(run.curve.reward, [0.22, 0.26, 0.3, 0.34])
    assert run.series["wall"].value[-1] == 63  # what stands beside the level goes before it


@pytest.mark.parametrize("indent", [None, 1])
def test_a_document_of_rows(write, tmp_path, indent):
    rows = [{"step": k, "reward/all/mean": 0.2 + k / 50, "reward/maze/mean": 0.1} for k in range(12)]
    path = write("hosted/metrics.json", json.dumps({"metrics": rows}, indent=indent))
    write("hosted/config.json", {"model": {"metrics": []}})
    for where in (path, tmp_path):
        (run,) = collect([where], ReadOptions(unit="steps")).runs
        assert (run.source.trainer, run.curve.metric, run.curve.n_points) == ("prime-rl", "reward/all/mean", 12)
        np.testing.assert_allclose(run.curve.reward[[0, -1]], [0.2, 0.42])


def test_a_list_called_metrics_beside_numbers_is_left_alone(one):
    run = one("m.jsonl", [{"step": k, "eval/reward": k / 10, "metrics": ["reward", {"step": 9}]} for k in (1, 2)])
    assert run.curve.compute.tolist() == [1, 2]


def test_keys_of_earlier_areal(one):
    rows = [
        {"step": k, "grpo_actor/task_reward/avg": 0.3 + k / 50, "grpo_actor/update/lr": 2e-6,
         "grpo_actor/update/entropy/avg": 0.5, "grpo_actor/seq_len/avg": 900, "grpo_actor/prompt_len/avg": 100}
        for k in range(6)
    ]  # fmt: skip
    run = one("m.jsonl", rows, unit="steps")
    assert (run.source.trainer, run.curve.metric) == ("areal", "grpo_actor/task_reward/avg")
    assert run.metrics["entropy"].key == "grpo_actor/update/entropy/avg"
    assert run.metrics["response_length"].series.value.tolist() == [800] * 6


def test_slime_logs_truncation_and_length_with_its_rollout_data(one):
    lines = [
        f"(Actor pid=4) data.py:99 - rollout {k}: {{'rollout/raw_reward': {k / 10}, 'rollout/truncated': 0.125, "
        "'rollout/response_lengths': 640.0}\n"
        for k in range(5)
    ]
    run = one("train.log", "".join(lines))
    assert run.metrics["truncation"].key == "rollout/truncated"
    assert run.metrics["response_length"].series.value.tolist() == [640] * 5


#: The reward that each of these logs is about, its trainer, points, first and last value.
CASES = {
    "unknown_validation_verl_fork/agent.log": ("verl", "val/success_rate", 21, 0.2, 0.5927),
    "unknown_validation_verl_fork/ragen_like.log": ("verl", "val-env/GridWorld/success", 21, 0.2, 0.5927),
    "unknown_validation_open_instruct/history.csv": (
        "open-instruct",
        "eval/objective/verifiable_correct_rate",
        10,
        0.324,
        0.54,
    ),
    "nested_two_levels/experiment_log.jsonl": ("verl", "critic/score/mean", 30, 0.31, 0.6),
    "areal_old_prefix/history.csv": ("areal", "grpo_actor/task_reward/avg", 30, 0.25, 0.54),
    "wrapped_metrics/metrics.jsonl": ("areal", "eval-rollout/reward", 6, 0.32, 0.57),
    "prime_hosted/metrics.json": ("prime-rl", "reward/all/mean", 30, 0.3, 0.59),
}


@pytest.mark.parametrize("case", CASES)
def test_a_case_reads_as_its_readme_says(case):
    path = SHARED / case
    if not path.exists():
        pytest.skip(f"../shared/cases/logs/{case} is not beside the repository")
    (run,) = collect([path]).runs
    read = (run.source.trainer, run.curve.metric, run.curve.n_points)
    assert (*read, *run.curve.reward[[0, -1]].round(6).tolist()) == CASES[case]
