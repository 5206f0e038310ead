import csv
import io
import json

import numpy as np
import pytest

from rlscale.errors import ChoiceError, SourceError
from rlscale.sources import ReadOptions, collect, survey
from rlscale.sources.tables import tracker_export

START = 1.79e9
REWARDS = {0: 0.2, 10: 0.3, 20: 0.4, 30: 0.45}


def table(rows):
    """CSV as pandas writes it: every column of any row, empty where a row has none."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(dict.fromkeys(key for row in rows for key in row)), restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def trl(more=0.0, **beside):
    """TRL's rows as W&B holds them: ``_step`` counts log calls, profiling and validation stand between."""
    rows = []
    for step in range(0, 31, 2):
        rows.append({"profiling/Time taken: GRPOTrainer.compute_loss": 0.1, "train/global_step": step})
        if step:
            rows.append(
                {
                    "train/global_step": step,
                    "train/reward": 0.1 + more,
                    "train/num_tokens": 1000 * step,
                    "train/frac_reward_zero_std": 0.0,
                    "train/completions/mean_length": 100.0,
                    "train/loss": 0.01,
                }
            )
        if step in REWARDS:
            rows.append({"train/global_step": step, "eval/reward": REWARDS[step] + more, "eval/runtime": 4.0})
    return [{**beside, **row, "_step": k, "_timestamp": START + k, "_runtime": k} for k, row in enumerate(rows)]


def check(run, more=0.0):
    assert (run.curve.metric, run.curve.unit) == ("eval_reward", "tokens")
    assert run.source.trainer == "trl"
    assert run.curve.compute == pytest.approx([1000 * step for step in REWARDS])
    assert run.curve.reward == pytest.approx(np.array(list(REWARDS.values())) + more)


@pytest.mark.parametrize("index", [False, True])
def test_a_wandb_history_in_csv(one, index):
    rows = [{"": k, **row} for k, row in enumerate(trl())] if index else trl()
    run = one("base.csv", table(rows))
    check(run)
    assert (run.name, run.source.format, run.source.rows) == ("base", "tracker-export", len(trl()))


def test_a_wandb_history_in_parquet_and_json_lines(one, tmp_path):
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    keys = dict.fromkeys(key for row in trl() for key in row)
    columns = {key: pa.array([row.get(key) for row in trl()], pa.float64()) for key in keys}
    parquet.write_table(pa.table({"run_name": ["a"] * len(trl()), **columns}), tmp_path / "history.parquet")
    (run,) = collect([tmp_path / "history.parquet"]).runs
    check(run)
    assert run.name == "a"
    check(one("history.jsonl", trl()))


@pytest.mark.parametrize("column", ["run", "run_name", "name", "run_id", "Run"])
def test_several_runs_by_a_column(write, column):
    rows = [*trl(**{column: "base-s0"}), *trl(0.1, **{column: "base-s1"})]
    runs = collect([write("all.csv", table(rows))]).runs
    assert [(run.name, run.recipe, run.seed) for run in runs] == [("base-s0", "base", 0), ("base-s1", "base", 1)]
    check(runs[0])
    check(runs[1], 0.1)


def test_two_runs_of_one_name_are_told_apart_by_their_id(write):
    rows = [*trl(run_id="x", run_name="a"), *trl(0.1, run_id="y", run_name="a")]
    runs = collect([write("all.csv", table(rows))]).runs
    assert len(runs) == 2
    check(runs[1], 0.1)


def test_rows_without_a_run(write):
    rows = [*trl(run="a"), *trl()]
    with pytest.raises(SourceError, match="rows without a run; fill the column 'run'"):
        collect([write("all.csv", table(rows))])


def test_the_metric_in_either_spelling(one):
    check(one("a.csv", table(trl()), metric="eval/reward"))
    check(one("b.csv", table(trl()), metric="eval_reward"))


@pytest.mark.parametrize("at", ["@", "_at_"])
def test_verl_keeps_its_baseline_which_has_no_step_of_its_own(one, at):
    rows = []
    for step in range(31):
        row = {"_step": step, "_timestamp": START + 60 * step}
        if step:
            row |= {"training/global_step": step, "perf/total_num_tokens": 100, "actor/entropy": 0.5}
        if step in REWARDS:
            row[f"val-core/gsm8k/acc/mean{at}8"] = REWARDS[step]
        rows.append(row)
    run = one("verl.csv", table(rows))
    assert run.curve.metric == "val-core/gsm8k/acc/mean@8"
    assert run.curve.compute == pytest.approx([100 * step for step in REWARDS])
    assert run.curve.reward == pytest.approx(list(REWARDS.values()))


def test_a_trainers_rows_without_a_tracker(one):
    """``pandas.DataFrame(trainer.state.log_history)``: the train reward is no validation, the empty cells no zeros."""
    rows = [
        {"step": step, "reward": 0.1, "num_tokens": 1000 * step, "completions/mean_length": 9, "step_time": 1.0}
        for step in range(2, 31, 2)
    ]
    rows += [{"step": step, "eval_reward": value} for step, value in REWARDS.items() if step]
    run = one("base.csv", table(rows))
    assert run.curve.metric == "eval_reward"
    assert run.curve.compute == pytest.approx([10_000, 20_000, 30_000])


def test_trackio_counts_log_calls_as_step(one):
    rows = [
        {**row, "run_name": "a", "timestamp": f"2026-01-01T00:{k:02}:00+00:00", "step": k}
        for k, row in enumerate(trl())
    ]
    for row in rows:
        del row["_step"], row["_timestamp"], row["_runtime"]
    check(one("trackio.csv", table(rows)))
    assert one("again.csv", table(rows), gpus=1.0, clock="elapsed").curve.unit == "gpu-hours"


def chart(axis, run="a - b-s1", key="eval/reward"):
    rows = []
    for step, value in REWARDS.items():
        own = {f"{run} - _step": 7 * step, f"{run} - _step__MIN": 7 * step, f"{run} - _step__MAX": 7 * step}
        rows.append(
            {axis: step, **own, f"{run} - {key}": value, f"{run} - {key}__MIN": 0.0, f"{run} - {key}__MAX": 1.0}
        )
    return table(rows)


def test_a_wandb_chart(one):
    run = one("wandb_export.csv", chart("train/global_step"))
    assert (run.name, run.seed, run.curve.unit, run.warnings) == ("a - b-s1", 1, "steps", ())
    assert run.curve.compute == pytest.approx(list(REWARDS))
    assert run.curve.reward == pytest.approx(list(REWARDS.values()))


def test_a_wandb_chart_of_two_runs(write):
    one, two = chart("Step", "a").splitlines(), chart("Step", "b").splitlines()
    both = "\n".join(f"{x},{y.partition(',')[2]}" for x, y in zip(one, two, strict=True))
    runs = collect([write("x.csv", both)]).runs
    assert [run.name for run in runs] == ["a", "b"]
    assert "count log calls" in runs[0].warnings[0]


def test_a_group_of_a_wandb_chart(one):
    run = one("x.csv", chart("train/global_step", "Group: base"))
    assert run.name == "base"
    assert run.warnings == ("'base' is a group of the chart: its rewards are means over runs",)


def test_a_wandb_chart_against_something_else(write, one):
    assert one("x.csv", chart("epoch")).warnings == ("the chart's X axis 'epoch' is taken as steps",)
    with pytest.raises(SourceError, match="holds no steps"):
        collect([write("y.csv", chart("Relative Time (Process)"))])


def test_points_of_mlflow(write):
    rows = ["run_id,key,value,step,timestamp"]
    for k, row in enumerate(trl()):
        step = row["train/global_step"]
        for key in ("train/reward", "train/num_tokens", "eval/reward", "train/completions/mean_length"):
            if key in row:
                bare = key.removeprefix("train/").replace("eval/", "eval_")
                rows += [f"{run},{bare},{row[key]},{step},{int((START + k) * 1000)}" for run in "12"]
    path = write("metrics.csv", "\n".join(rows) + "\n")
    runs = collect([path]).runs
    assert [run.name for run in runs] == ["1", "2"]
    check(runs[0])
    (log, _) = survey([path]).logs
    assert log.log.clocks["elapsed"].seconds.value[-1] == pytest.approx(len(trl()), abs=2)  # not milliseconds


def test_a_tensorboard_chart(one):
    rows = [{"Wall time": START + step, "Step": step, "Value": value} for step, value in REWARDS.items()]
    run = one("run-base-seed3-tag-eval_reward.csv", table(rows))
    assert (run.name, run.seed, run.curve.metric) == ("base-seed3", 3, "eval_reward")
    assert run.curve.compute == pytest.approx(list(REWARDS))
    train = one("run-base-seed3-tag-critic_score_mean.csv", table(rows))
    assert train.curve.metric == "critic/score/mean"
    assert any("no validation metric is logged" in said for said in train.warnings)
    assert one("any.csv", table(rows)).curve.metric == "Value"  # a table: its name tells no tag


@pytest.mark.parametrize(
    "header",
    [
        "Name,State,Notes,User,Tags,Created,Runtime,Sweep,eval/reward",
        "Start Time,Duration,Run ID,Name,Source Type,Source Name,User,Status,eval_reward",
        "run_id,experiment_id,status,artifact_uri,start_time,end_time,metrics.eval_reward",
    ],
)
def test_a_table_of_runs_is_no_history(write, header):
    row = ",".join("1" for _ in header.split(","))
    with pytest.raises(SourceError, match="last values of a run, not its history"):
        collect([write("runs.csv", f"{header}\n{row}\n")])


@pytest.mark.parametrize(
    "header",
    [
        "run,compute,unit,reward",
        "run_id,recipe,seed,model_params,compute,compute_unit,metric,value,n_eval",
        "run,seed,step,reward",
        "step,reward,num_tokens",
        "step,eval_reward",
        "run,step,accuracy",
        "seed,step,eval/reward",
        "Wall time,Step,Value",
        "tokens,reward,run",
    ],
)
def test_long_tables_stay_long_tables(tmp_path, header):
    assert not tracker_export.sniff(tmp_path / "a.csv", f"{header}\n".encode())


@pytest.mark.parametrize("row", [{"step": 1, "train/reward": 0.1}, {"run": "a", "compute": 1, "reward": 0.5}])
def test_other_json_lines_are_left_alone(tmp_path, row):
    assert not tracker_export.sniff(tmp_path / "a.jsonl", json.dumps(row).encode())


def test_words_nothing_and_torn_ends(write, one):
    rows = trl()
    rows[5]["train/loss"] = "broken"
    check(one("words.csv", table(rows)))
    text = table(trl())
    check(one("torn.csv", text + text.splitlines()[-1][:5]))
    with pytest.raises(SourceError, match="no rows"):
        collect([write("none.csv", "_step,_timestamp,eval/reward\n")])
    with pytest.raises(SourceError, match="holds no metric"):
        collect([write("empty.csv", "_step,_timestamp,eval/reward\n,,\n")])
    with pytest.raises(SourceError, match="holds something else"):
        collect([write("points.csv", "key,value,step,timestamp\na,b,c,d\n")])
    with pytest.raises(ChoiceError, match="no reward is recognised"):
        collect([write("other.csv", "_step,_timestamp,loss\n1,2,3\n2,3,4\n")])


def test_a_copy_of_a_run_is_not_read_twice(write):
    history = [{"step": row["train/global_step"], "eval_reward": row["eval/reward"]} for row in trl() if len(row) == 6]
    history = [row for row in history if "eval_reward" in row]
    write("r/trainer_state.json", {"log_history": history, "global_step": 30})
    reading = collect([write("r/history.csv", table(trl())).parent], ReadOptions())
    (run,) = reading.runs
    assert run.source.format == "trl"
    assert "history.csv (tracker-export)" in run.source.repairs[0]
