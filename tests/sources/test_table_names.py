"""Tables as fifty users write them: which column is the run, the recipe, the seed, the compute, the reward."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rlscale.errors import ChoiceError, SourceError
from rlscale.sources import ReadOptions, collect, read, survey

STEPS = range(0, 60, 10)


def rows(header, *prefixes, gain=0.01):
    """CSV of one row a step for each prefix of cells; the reward rises a little more for each."""
    lines = [header]
    for k, prefix in enumerate(prefixes):
        lines += [",".join([*prefix, str(step), f"{0.1 + step * gain / 10 + k / 100:.4f}"]) for step in STEPS]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    "column",
    [
        "method",
        "algorithm",
        "Algo",
        "condition",
        "variant",
        "arm",
        "config",
        "experiment",
        "exp_name",
        "group",
        "model",
    ],
)
def test_a_column_that_means_recipe_tells_runs_apart(write, column):
    runs = read(write("t.csv", rows(f"{column},step,reward", ["a"], ["b"])))
    assert [(run.name, run.recipe, run.seed, run.curve.n_points) for run in runs] == [
        ("a", "a", None, 6),
        ("b", "b", None, 6),
    ]
    (named, _) = survey([write("t.csv", rows(f"{column},step,reward", ["a"], ["b"]))]).logs
    assert (named.log.recipe_by, named.log.seed_by) == ((column,), ())


@pytest.mark.parametrize("seed", ["seed", "random_seed", "rng_seed"])
def test_method_and_seed(write, seed):
    path = write("t.csv", rows(f"method,{seed},step,acc", *([m, s] for m in ("ppo", "rloo") for s in "123")))
    runs = read(path)
    assert [(run.name, run.recipe, run.seed) for run in runs] == [
        (f"{m}/{s}", m, s) for m in ("ppo", "rloo") for s in (1, 2, 3)
    ]
    log = survey([path]).logs[0].log
    assert (log.recipe_by, log.seed_by) == (("method",), (seed,))


def test_several_recipe_columns_are_combined_whether_they_vary_or_not(write):
    text = rows("model,algo,step,acc", ["7b", "ppo"], ["7b", "rloo"], ["14b", "ppo"])
    assert [run.recipe for run in read(write("t.csv", text))] == ["7b/ppo", "7b/rloo", "14b/ppo"]
    text = rows("model,algo,step,acc", ["7b", "ppo"], ["7b", "rloo"])
    assert [run.recipe for run in read(write("u.csv", text))] == ["7b/ppo", "7b/rloo"]
    (run,) = read(write("v.csv", rows("algo,step,acc", ["ppo"])))
    assert run.recipe == "ppo"


def test_an_empty_recipe_column_says_nothing(write):
    text = rows("variant,algo,step,acc", ["", "ppo"], ["", "rloo"])
    assert [run.recipe for run in read(write("t.csv", text))] == ["ppo", "rloo"]
    path = write("u.csv", rows("algo,step,acc", ["ppo"], [""]))
    with pytest.raises(SourceError) as caught:
        read(path)
    assert str(caught.value) == f"{path}: 6 rows without a recipe and no run column; fill the column 'algo'"


def test_a_run_column_goes_before_and_its_recipe_must_not_change(write):
    text = rows("run_name,algo,seed,step,acc", ["x", "ppo", "1"], ["y", "ppo", "2"])
    assert [(r.name, r.recipe, r.seed) for r in read(write("t.csv", text))] == [("x", "ppo", 1), ("y", "ppo", 2)]
    path = write("u.csv", rows("run,algo,step,acc", ["x", "ppo"], ["x", "rloo"]))
    with pytest.raises(SourceError) as caught:
        read(path)
    assert caught.value.message == ("run 'x' has 2 values in column 'algo' (ppo, rloo); give each job its own run name")


def test_runs_of_one_name_are_told_apart_by_their_ids(write):
    text = rows("run_name,run_id,step,acc", ["x", "id1"], ["x", "id2"], ["y", "id3"])
    assert [run.name for run in read(write("t.csv", text))] == ["id1", "id2", "id3"]


def test_a_trial_names_a_run_only_where_there_are_several(write):
    assert [r.name for r in read(write("t.csv", rows("trial_id,step,acc", ["q1"], ["q2"])))] == ["q1", "q2"]
    assert [r.name for r in read(write("base.csv", rows("trial_id,step,acc", ["q1"])))] == ["base"]


def test_by_names_the_column_of_the_recipe(write):
    text = rows("beta,method,seed,step,acc", *([b, "dpo", s] for b in (".1", ".3") for s in "12"))
    path = write("t.csv", text)
    runs = read(path, by="beta")
    assert [(r.name, r.recipe, r.seed) for r in runs] == [(f"{b}/dpo/{s}", b, s) for b in (".1", ".3") for s in (1, 2)]
    assert survey([path], ReadOptions(by="beta")).logs[0].log.recipe_by == ("beta",)
    with pytest.raises(SourceError) as caught:
        read(path, by="gamma")
    assert caught.value.message == ("holds no column 'gamma' for --by; its columns are method, seed, beta, step, acc")


@pytest.mark.parametrize(
    ("column", "unit"),
    [
        *((name, "steps") for name in ("global_step", "current_steps", "training_iteration", "Iteration", "iter")),
        *((name, "steps") for name in ("update", "checkpoint", "revision", "Global Step")),
        *((name, "samples") for name in ("num_env_steps", "timesteps_total", "total_timesteps", "env_steps")),
        *((name, "samples") for name in ("episodes", "time/total_timesteps")),
        ("cumulative_tokens", "tokens"),
    ],
)
def test_the_column_of_the_compute(one, column, unit):
    text = f"{column},reward\n" + "".join(f"{k},.{k}\n" for k in range(1, 6))
    run = one("t.csv", text)
    assert (run.curve.unit, run.curve.compute.tolist(), run.warnings) == (unit, [1, 2, 3, 4, 5], ())
    assert one("t.csv", text, compute=column).curve.compute.tolist() == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("column", "cells", "steps", "example"),
    [
        ("revision", ["step_0100", "step_0200", "step_1000"], [100, 200, 1000], "'step_0100' as 100"),
        ("checkpoint", ["checkpoint-500", "checkpoint-1000"], [500, 1000], "'checkpoint-500' as 500"),
        ("ckpt", ["ckpt_3", "ckpt_6"], [3, 6], "'ckpt_3' as 3"),
        ("checkpoint", ["out/a/global_step_20", "out/a/global_step_40"], [20, 40], "'out/a/global_step_20' as 20"),
        ("revision", ["step1000-tokens4B", "step2000-tokens8B"], [1000, 2000], "'step1000-tokens4B' as 1000"),
        ("step", ["1k", "2k", "1.5M"], [1000, 2000, 1.5e6], "'1k' as 1000"),
        ("step", ['"1,000"', '"2,000"'], [1000, 2000], "'1,000' as 1000"),
        ("Step", ["Step 10", "Step 20"], [10, 20], "'Step 10' as 10"),
    ],
)
def test_steps_written_as_words(one, column, cells, steps, example):
    text = f"{column},acc\n" + "".join(f"{cell},0.{k + 1}\n" for k, cell in enumerate(cells))
    run = one("t.csv", text)
    assert run.curve.compute.tolist() == steps
    assert run.source.repairs == (f"the column {column!r} is read by the numbers in it: {example}",)
    assert one("t.csv", text, compute=column).curve.compute.tolist() == steps


def test_words_that_are_no_steps_are_refused(write):
    path = write("t.csv", "revision,acc\nstep_100,.1\nmain,.2\n")
    with pytest.raises(SourceError) as caught:
        read(path)
    assert caught.value.message == "revision 'main' is no number of a step such as step_100; mend it or leave it empty"
    path = write("u.csv", "checkpoint,acc\na/checkpoint-1,.1\nb/checkpoint-1,.2\n")
    with pytest.raises(SourceError) as caught:
        read(path)
    assert caught.value.message == (
        "the column 'checkpoint' holds more than steps (a/... and b/...); put the numbers of the steps in a column step"
    )


def test_words_beside_a_step_are_left_alone(one):
    run = one("t.csv", "checkpoint,step,acc\nmain,1,.1\nbest,2,.2\n")
    assert (run.curve.compute.tolist(), run.source.repairs) == ([1, 2], ())


@pytest.mark.parametrize(
    "name",
    [
        *("accuracy", "acc", "val_acc", "test_accuracy", "eval_acc", "pass@1", "pass_rate", "success_rate", "win_rate"),
        *(
            "score",
            "mean_reward",
            "reward_mean",
            "return",
            "mean_return",
            "exact_match",
            "math/accuracy",
            "eval/reward",
        ),
        *("eval_reward", "eval/mean_reward", "validation/accuracy", "Accuracy", "eval/episode_reward"),
    ],
)
@pytest.mark.parametrize("beside", ["", "n_eval", "n", "lr", "note"])
def test_the_column_of_the_reward(one, name, beside):
    more = f",{beside}" if beside else ""
    value = {"": "", "note": ",words"}.get(beside, ",64")
    run = one("t.csv", f"step,{name}{more}\n" + "".join(f"{k},.{k}{value}\n" for k in range(1, 6)))
    assert (run.curve.metric, run.curve.n_points, run.warnings) == (name, 5, ())
    assert (run.curve.n_eval is not None) == (beside in ("n_eval", "n"))


@pytest.mark.parametrize(
    "name",
    [
        *("critic/score/mean", "rewards/mean", "reward/mean", "rollout/reward", "rollout/ep_rew_mean", "actor/reward"),
        *("episode_reward", "episode_reward_mean", "episodic_return", "ep_rew_mean", "average_ep_ret", "rl/reward"),
        *("train/reward", "train_reward", "train_acc", "env/all/reward/total", "objective/verifiable_reward"),
    ],
)
@pytest.mark.parametrize("run", ["", "a"])
def test_a_train_reward_is_said_to_be_one_as_in_logs(write, name, run):
    header, start = ("run,", f"{run},") if run else ("", "")
    rows = "".join(f"{start}{10 * k},.{k}\n" for k in range(1, 6))
    (found,) = collect([write("t.csv", f"{header}step,{name}\n{rows}")]).runs
    assert (found.curve.metric, found.curve.n_points) == (name, 5)
    assert found.warnings == (f"no validation metric is logged: the train reward {name!r} is fitted",)


def test_a_validation_reward_goes_before_that_of_episodes(one):
    run = one("t.csv", "step,episode_reward,eval/reward\n" + "".join(f"{k},.{k},.{k}5\n" for k in range(1, 6)))
    assert (run.curve.metric, run.warnings) == ("eval/reward", ())


@pytest.mark.parametrize("name", ["accuracy", "episode_reward_mean", "ep_rew_mean", "return", "eval/mean_reward"])
@pytest.mark.parametrize("step", ["step", "iteration", "current_steps", "training_iteration", "total_timesteps"])
def test_a_name_means_the_same_in_json_lines(write, name, step):
    values = [(k, k / 10) for k in range(1, 6)]
    csv = read(write("t.csv", f"{step},{name}\n" + "".join(f"{k},{v}\n" for k, v in values)))
    lines = read(write("t.jsonl", [{step: k, name: v} for k, v in values]))
    array = read(write("t.json", "[" + ",".join(f'{{"{step}": {k}, "{name}": {v}}}' for k, v in values) + "]"))
    for (run,) in (csv, lines, array):
        assert (run.curve.metric, run.curve.compute.tolist()) == (name, [1, 2, 3, 4, 5])
    assert csv[0].curve.unit == lines[0].curve.unit == array[0].curve.unit


def test_several_rewards_are_asked_for(write):
    for path in (
        write("t.csv", "step,accuracy,reward\n1,.1,.2\n2,.2,.3\n"),
        write("t.jsonl", [{"step": k, "accuracy": k / 10, "reward": k / 5} for k in (1, 2)]),
    ):
        with pytest.raises(ChoiceError) as caught:
            read(path)
        assert set(caught.value.candidates) == {"accuracy", "reward"}
        assert read(path, metric="accuracy")[0].curve.reward.tolist() == [0.1, 0.2]


def test_a_validation_goes_before_a_train_reward(one):
    run = one("t.csv", "step,reward,eval_reward,loss\n1,.1,.2,3\n2,.2,.3,2\n")
    assert (run.curve.metric, run.warnings) == ("eval_reward", ())
    run = one("t.csv", "step,reward,loss\n1,.1,3\n2,.2,2\n")
    assert run.warnings == ("no validation metric is logged: the train reward 'reward' is fitted",)


def test_the_only_column_that_can_be_the_reward(one, write):
    run = one(
        "t.csv",
        "method,step,aime_correctness,lr,loss,group_size\n" + "".join(f"a,{k},.{k},1e-6,2,8\n" for k in (1, 2, 3)),
    )
    assert run.curve.metric == "aime_correctness"
    assert run.source.repairs == (
        "the column 'aime_correctness' is taken as the reward: "
        "the only numeric one beside compute, identity and settings",
    )
    path = write("u.csv", "step,foo_std,bar_std\n1,.1,.2\n2,.2,.3\n")
    with pytest.raises(ChoiceError) as caught:
        read(path)
    assert str(caught.value) == (
        f"{path}: no reward is recognised; give metric=KEY, or wide=True if each column is a run: foo_std, bar_std"
    )


def test_a_reward_with_words_in_it(write):
    path = write("t.csv", "step,accuracy\n1,.1\n2,fine\n")
    with pytest.raises(SourceError) as caught:
        read(path)
    assert caught.value.message == "line 3: accuracy 'fine' is not a number; repair the cell or leave it empty"


def test_percent_signs(one):
    run = one("t.csv", "step,accuracy\n1,12.5%\n2,\n3,50 %\n", bounds=(0.0, 100.0))
    assert run.curve.reward.tolist() == [12.5, 50]
    assert "the percent signs of the column 'accuracy' were dropped" in run.source.repairs


LONG = "checkpoint,benchmark,accuracy,n\n" + "".join(
    f"{k},{name},{k / 100 + more},{n}\n" for k in STEPS for name, more, n in (("gsm8k", 0.2, 1319), ("amc", 0.1, 40))
)


def test_several_datasets_are_several_metrics(write):
    path = write("t.csv", LONG)
    with pytest.raises(ChoiceError) as caught:
        read(path)
    assert str(caught.value) == f"{path} holds 2 metrics; give metric=KEY: accuracy@gsm8k, accuracy@amc"
    for metric in ("amc", "benchmark@amc", "accuracy@amc"):
        (run,) = read(path, metric=metric)
        assert (run.curve.metric, run.curve.n_points, run.recipe) == ("accuracy@amc", 6, "t")
        assert run.curve.n_eval.tolist() == [40] * 6
    with pytest.raises(ChoiceError) as caught:
        read(path, metric="accuracy")
    assert str(caught.value) == (f"{path} holds 2 metrics 'accuracy'; give metric=KEY: accuracy@gsm8k, accuracy@amc")
    assert [run.name for run in read(path, by="benchmark")] == ["gsm8k", "amc"]


@pytest.mark.parametrize("column", ["benchmark", "dataset", "Task", "split"])
def test_one_dataset_needs_no_choice(one, column):
    run = one("t.csv", f"step,{column},acc\n1,math,.1\n2,math,.2\n")
    assert run.curve.metric == "acc@math"
    assert one("t.csv", f"step,{column},acc\n1,math,.1\n2,math,.2\n", metric="acc").curve.metric == "acc@math"


def test_datasets_with_a_column_of_metrics(write):
    text = "model,task,metric,step,value\n" + "".join(
        f"q,{task},{metric},{k},{k / 100}\n" for k in STEPS for task in ("a", "b") for metric in ("acc", "len")
    )
    (run,) = read(write("t.csv", text), metric="acc@b")
    assert (run.recipe, run.curve.metric, run.curve.n_points) == ("q", "acc@b", 6)


def test_datasets_in_json_lines(write):
    data = [
        {"step": k, "benchmark": name, "accuracy": k / 100 + more}
        for k in STEPS
        for name, more in (("x", 0), ("y", 0.1))
    ]
    path = write("t.jsonl", data)
    with pytest.raises(ChoiceError) as caught:
        read(path)
    assert caught.value.candidates == ("accuracy@x", "accuracy@y")
    (run,) = read(path, metric="y")
    assert (run.curve.metric, run.curve.n_points, run.curve.reward[0]) == ("accuracy@y", 6, 0.1)


def test_no_step_column_is_refused_with_a_way_out(write):
    path = write("t.csv", "train/loss,eval/mean_reward\n" + "".join(f"1,.{k}\n" for k in range(1, 6)))
    with pytest.raises(SourceError) as caught:
        read(path)
    assert caught.value.message == (
        "run 't' has no compute: its columns are train/loss, eval/mean_reward; give --compute COLUMN, or --compute row"
    )
    (run,) = read(path, compute="row")
    assert (run.curve.unit, run.curve.compute.tolist()) == ("steps", [1, 2, 3, 4, 5])
    assert run.warnings == ("no unit is stated: 'row' is taken as steps (--unit U says what it is)",)


def test_rows_are_counted_in_each_run(write):
    runs = read(write("t.csv", "arm,acc\na,.1\nb,.2\na,.3\nb,.4\n"), compute="row")
    assert [run.curve.compute.tolist() for run in runs] == [[1, 2], [1, 2]]
    (run,) = read(write("t.jsonl", [{"accuracy": 0.1}, {"accuracy": 0.2}]), compute="row")
    assert run.curve.compute.tolist() == [1, 2]


def test_rllib(write):
    data = [
        {
            "episode_reward_mean": float(k), "episode_reward_max": 9.0, "episodes_this_iter": 20,
            "info": {"x": {"y": 1}},
            "timesteps_total": 4000 * k, "training_iteration": k, "trial_id": "ab_0", "config": {"lr": 1},
            "timestamp": 1700000000 + k,
        }
        for k in range(1, 6)
    ]  # fmt: skip
    path = write("PPO_x/result.json", data)
    header = ["episode_reward_mean", "timesteps_total", "training_iteration", "trial_id", "timestamp"]
    csv = [",".join(header)] + [",".join(str(row[key]) for key in header) for row in data]
    other = write("PPO_y/progress.csv", "\n".join(csv) + "\n")
    for file in (path, other, path.parent):
        (run,) = read(file, bounds=(0.0, 10.0))
        assert (run.curve.metric, run.curve.unit) == ("episode_reward_mean", "samples")
        assert run.curve.compute.tolist() == [4000, 8000, 12000, 16000, 20000]
        (run,) = read(file, bounds=(0.0, 10.0), compute="training_iteration")
        assert (run.curve.unit, run.curve.compute.tolist()) == ("steps", [1, 2, 3, 4, 5])


def test_the_files_of_one_rllib_run_are_one_run(write, tmp_path):
    data = [{"episode_reward_mean": k / 9, "timesteps_total": 50 * k, "training_iteration": k} for k in range(1, 6)]
    write("PPO/result.json", data)
    write("PPO/params.json", {"lr": 1e-4, "training_iteration": 5})
    keys = list(data[0])
    write("PPO/progress.csv", "\n".join([",".join(keys)] + [",".join(str(r[k]) for k in keys) for r in data]) + "\n")
    (run,) = read(tmp_path)
    assert run.source.repairs == ("a copy of this run beside it was not read twice: result.json (rllib)",)


def test_monitor_csv(write):
    text = '#{"t_start": 1700000000.5, "env_id": "CartPole-v1"}\nr,l,t\n' + "".join(
        f"0.{k},{9 + k},{k}.5\n" for k in range(1, 7)
    )
    path = write("0.monitor.csv", text)
    (run,) = read(path)
    assert (run.curve.metric, run.curve.unit, run.source.trainer) == ("r", "samples", "stable-baselines3")
    assert run.curve.compute.tolist() == [10, 21, 33, 46, 60, 75]
    assert read(path, gpus=2)[0].curve.unit == "gpu-hours"
    (run,) = read(path, compute="row")
    assert (run.curve.metric, run.curve.compute.tolist()) == ("r", [1, 2, 3, 4, 5, 6])
    (run,) = read(path, compute="l", metric="l", bounds=(0.0, 99.0))
    assert (run.curve.reward[0], run.curve.compute[-1]) == (10, 75)
    torn = write("1.monitor.csv", text + "0.7,1")
    assert read(torn)[0].curve.n_points == 6
    assert "the last line is torn and was left out" in read(torn)[0].source.repairs
    with pytest.raises(SourceError, match="line 9 has no whole r, l and t; repair or remove the line"):
        read(write("2.monitor.csv", text + "0.7,1\n0.8,9,8.5\n"))


def test_monitor_csv_of_two_runs_and_of_a_resumed_one(write):
    start = '#{"t_start": %d, "env_id": "CartPole-v1"}\nr,l,t\n'
    rows = "".join(f"0.{k},20,{k}.5\n" for k in range(1, 8))
    other = "".join(f"1.{k},20,{k}.5\n" for k in range(1, 8))
    first, second = read(write("two/monitor.csv", start % 1700000000 + rows + start % 1700009000 + other))
    assert (first.name, second.name) == ("monitor", "monitor#2")
    assert first.curve.compute.tolist() == second.curve.compute.tolist() == [20.0 * k for k in range(1, 8)]
    (resumed,) = read(write("resumed/monitor.csv", start % 1700000000 + rows + other))
    assert resumed.curve.compute[-1] == 280
    assert "line 10: the clock starts again; the job was resumed" in resumed.source.repairs


def test_comment_lines_and_line_numbers(one, write):
    assert one("t.csv", "# of run 7\n# seed 3\nstep,reward\n1,.5\n2,.6\n").curve.n_points == 2
    assert one("t.csv", "# step,reward\n1,.5\n2,.6\n").curve.compute.tolist() == [1, 2]
    path = write("u.csv", "# x\nstep,reward\n1,.5\n2\n3,.6\n")
    with pytest.raises(SourceError, match="line 4 has 1 cell where the header names 2"):
        read(path)


def test_llama_factory(write):
    data = [
        {"current_steps": 5 * k, "total_steps": 50, "loss": 0.1, "reward": k / 20, "lr": 1e-6, "epoch": k / 10,
         "elapsed_time": "0:10:00"}
        for k in range(1, 11)
    ]  # fmt: skip
    path = write("trainer_log.jsonl", data)
    for compute in (None, "current_steps"):
        (run,) = read(path, compute=compute)
        assert (run.curve.metric, run.curve.compute[0], run.curve.compute_last) == ("reward", 5, 50)


def test_a_key_that_compute_names_places_rows_without_a_step(write):
    path = write("m.jsonl", [{"round": k, "eval/reward": k / 10} for k in range(1, 6)])
    with pytest.raises(SourceError) as caught:
        read(path)
    assert caught.value.message == (
        "no row has a step; a metrics.jsonl needs one of the keys step, training_step, train/global_step, ..., "
        "or --compute KEY; --compute row counts rows"
    )
    assert read(path, compute="round")[0].curve.compute.tolist() == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("name", ["log_history.json", "history.json"])
def test_an_array_of_rows(write, tmp_path, name):
    data = [
        {"loss": 0.1, "reward": 0.2, "num_tokens": 100.0 * k, "completions/mean_length": 9.0, "epoch": 0.1, "step": k}
        for k in range(1, 6)
    ]
    data += [{"step": k, "eval_reward": k / 10, "eval_runtime": 1.0} for k in (2, 4)]
    import json

    write(f"run/{name}", json.dumps(data, indent=1))
    write("run/config.json", {"a": [{"step": "x"}]})
    write("run/tags.json", '[{"a": 1}]')
    (run,) = read(tmp_path)
    assert (run.name, run.curve.metric, run.source.trainer) == (
        "run/" + name[:-5] if "log_" in name else "run",
        "eval_reward",
        "trl",
    )
    bad = write("bad.json", '[{"step": 1, "reward": 0.1}, 7]')
    with pytest.raises(SourceError) as caught:
        read(bad)
    assert caught.value.message == "entry 2 is 7, not a row; remove it"


def test_words_in_json_lines_tell_runs_apart(write):
    data = [
        {"algo": a, "seed": s, "update": k, "loss": 1.0, "reward_mean": k / 100 + more}
        for a, more in (("x", 0), ("y", 0.2)) for s in (1, 2) for k in STEPS
    ]  # fmt: skip
    path = write("t.jsonl", data)
    assert [(r.name, r.recipe, r.seed, r.curve.n_points) for r in read(path)] == [
        ("x/1", "x", 1, 6), ("x/2", "x", 2, 6), ("y/1", "y", 1, 6), ("y/2", "y", 2, 6),
    ]  # fmt: skip
    log = survey([path]).logs[0].log
    assert (log.recipe_by, log.seed_by) == (("algo",), ("seed",))
    del data[3]["algo"]
    path = write("u.jsonl", data)
    with pytest.raises(SourceError) as caught:
        read(path)
    assert caught.value.message == "1 row without a recipe; write 'algo' into each row"


def test_a_model_that_every_row_of_a_log_names_is_no_recipe(one):
    run = one("base.jsonl", [{"step": k, "model": "q", "eval/reward": k / 10} for k in (1, 2)])
    assert (run.name, run.recipe) == ("base", "base")


def test_a_trainers_rows_by_method(write):
    text = "method,step,reward,num_tokens,completions/mean_length,frac_reward_zero_std,eval_reward\n" + "".join(
        f"{m},{k},.1,{100 * k},9,0,{0.1 + k / 100 + more}\n" for m, more in (("a", 0), ("b", 0.1)) for k in STEPS
    )
    runs = read(write("t.csv", text))
    assert [(r.name, r.recipe, r.curve.unit, r.curve.n_points) for r in runs] == [
        ("a", "a", "tokens", 6),
        ("b", "b", "tokens", 6),
    ]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.randoms(use_true_random=False), st.booleans())
def test_the_order_of_rows_means_nothing(write, random, seeded):
    lines = [f"{m},{s},{k},{0.1 + k / 100 + s / 50 + (m == 'b') / 9:.5f}" for m in "ab" for s in (1, 2) for k in STEPS]
    text = "method,seed,step,acc\n"
    if not seeded:
        lines = [line for line in lines if ",1," in line]
    before = {run.name: run for run in read(write("t.csv", text + "\n".join(lines) + "\n"))}
    random.shuffle(lines)
    for run in read(write("t.csv", text + "\n".join(lines) + "\n")):
        np.testing.assert_array_equal(run.curve.compute, before[run.name].curve.compute)
        np.testing.assert_array_equal(run.curve.reward, before[run.name].curve.reward)
        assert (run.recipe, run.seed) == (before[run.name].recipe, before[run.name].seed)


def test_files_of_one_column_each_keep_their_names(write, tmp_path):
    for name in ("warm", "cold"):
        write(f"{name}.csv", "step,eval/accuracy\n" + "".join(f"{k},.{k}\n" for k in range(1, 6)))
    assert [run.name for run in collect([tmp_path]).runs] == ["cold", "warm"]


def test_a_column_of_models_that_names_checkpoints_is_no_recipe(one, write):
    run = one("t.csv", "model,acc\n" + "".join(f"org/q-grpo/checkpoint-{k},.{k}\n" for k in range(1, 6)))
    assert (run.name, run.curve.compute.tolist()) == ("t", [1, 2, 3, 4, 5])
    run = one("u.csv", "model,step,acc\n" + "".join(f"q-step{k},{k},.{k}\n" for k in range(1, 6)))
    assert (run.recipe, run.curve.n_points) == ("u", 5)
    assert run.source.repairs == ("the column 'model' names the checkpoints of 'step', and is no recipe",)
    text = "model,step,acc\n" + "".join(f"q-epoch{e},{k},.{e}{k}\n" for e in (1, 2) for k in range(1, 6))
    assert [run.recipe for run in read(write("v.csv", text))] == ["q-epoch1", "q-epoch2"]


def test_a_column_of_words_that_may_tell_runs_apart_is_named(one):
    rows = [("x", 10 * k, k / 10) for k in range(6)] + [("y", 10 * k + 5, k / 20) for k in range(6)]
    run = one("t.csv", "tag,tokens,acc\n" + "".join(f"{tag},{at},{acc}\n" for tag, at, acc in rows))
    assert run.warnings == ("the column 'tag' is not used; if it means the recipe, give --by tag",)


def test_by_in_json_lines(write):
    rows = [
        {"beta": beta, "algo": "dpo", "step": k, "loss": 1.0, "eval/reward": k / 100 + beta}
        for beta in (0.1, 0.5) for k in STEPS
    ]  # fmt: skip
    path = write("m.jsonl", rows)
    runs = read(path, by="beta")
    assert [(run.name, run.recipe, run.curve.n_points) for run in runs] == [("0.1", "0.1", 6), ("0.5", "0.5", 6)]
    assert survey([path], ReadOptions(by="beta")).logs[0].log.recipe_by == ("beta",)
    with pytest.raises(SourceError) as caught:
        read(path, by="gamma")
    assert caught.value.message == "holds no key 'gamma' for --by; give one that its rows hold"


def test_columns_of_benchmarks_are_metrics_and_no_runs(write):
    path = write("t.csv", "step,math500,aime24\n1,.1,.2\n2,.2,.3\n")
    with pytest.raises(ChoiceError) as caught:
        read(path)
    assert caught.value.candidates == ("math500", "aime24")
    assert read(path, metric="aime24")[0].curve.reward.tolist() == [0.2, 0.3]


def test_a_setting_that_varies_is_asked_about(write):
    rows = [(lr, k, k / 100 + add) for lr, add in (("1e-5", 0), ("1e-6", 0.1)) for k in STEPS]
    path = write("t.csv", "lr,step,acc\n" + "".join(f"{lr},{k},{acc}\n" for lr, k, acc in rows))
    with pytest.raises(SourceError, match="the column 'lr' tells them apart: give by=\"lr\""):
        read(path)
    assert [run.recipe for run in read(path, by="lr")] == ["1e-5", "1e-6"]


@pytest.mark.parametrize("beside", [("grad_norm", "entropy"), ("response_length",), ("truncation", "kl", "loss_std")])
def test_a_validation_beside_known_quantities_is_the_reward(one, beside):
    rows = "".join(
        f"{k},{','.join(str(0.1 + 0.01 * (k % 3)) for _ in beside)},{0.2 + 0.01 * k}\n" for k in range(1, 12)
    )
    run = one("t.csv", f"step,{','.join(beside)},validation\n{rows}")
    assert run.curve.metric == "validation"
    assert run.source.repairs == (
        "the column 'validation' is taken as the reward: the others are known to be something else",
    )


def test_a_validation_beside_what_nobody_knows_is_asked_for(one):
    rows = "".join(f"{k},0.2,0.{k},0.{k + 1}\n" for k in range(1, 9))
    with pytest.raises(ChoiceError, match="no reward is recognised"):
        one("t.csv", f"step,grad_norm,validation,quality\n{rows}")


def test_a_metric_that_is_not_there_is_compared_with_keys_like_it(one):
    text = "step,grad_norm,validation\n" + "".join(f"{k},0.{k},0.{k + 1}\n" for k in range(1, 9))
    with pytest.raises(SourceError, match="no metric 'reward'; its keys are grad_norm, validation"):
        one("t.csv", text, metric="reward")
    with pytest.raises(SourceError, match="no metric 'validatoin'; the closest are validation"):
        one("t.csv", text, metric="validatoin")
