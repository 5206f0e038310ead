"""Folders, good files beside bad ones, the common axis, the stretch to keep."""

import numpy as np
import pytest

import rlscale
import rlscale.sources as sources
from rlscale.errors import ChoiceError, CurveError, SourceError
from rlscale.sources import ReadOptions, bundled, collect, read
from rlscale.sources.discover import KNOWN_FORMATS

ROW = [{"step": k, "eval/reward": k / 10, "reward": k / 20} for k in range(1, 6)]
STATE = {"log_history": [{"step": 1, "reward": 0.5}]}


def test_public_names():
    assert sorted(sources.__all__) == [
        *("FlopRule", "Grouping", "Log", "Named", "PromptTable", "ReadOptions", "Reading", "Survey"),
        *("assembled", "bundled", "collect", "named_recipe", "prompt_table", "read", "settings_file", "survey"),
        "without_prompt_tables",
    ]
    assert all(hasattr(sources, name) for name in sources.__all__)


def test_one_bad_file_does_not_stop_the_rest(write, tmp_path):
    write("a.jsonl", ROW)
    bad = write("b.jsonl", "")
    worse = write("c.csv", "run,reward\n")
    reading = collect([tmp_path])
    assert [run.name for run in reading.runs] == ["a"]
    assert [(error.path, error.message) for error in reading.errors] == [
        (str(bad), "the file is empty; nothing was logged yet"),
        (str(worse), "holds a header and no rows; nothing was logged yet"),
    ]


def test_strict_raises_the_first_error(write, tmp_path):
    write("a.jsonl", ROW)
    bad = write("b.jsonl", "")
    for attempt in (lambda: collect([tmp_path], ReadOptions(strict=True)), lambda: read(tmp_path, strict=True)):
        with pytest.raises(SourceError) as caught:
            attempt()
        assert caught.value.path == str(bad)


def test_reading_knows_what_it_lacks(write, tmp_path, caplog):
    write("a.jsonl", [{"step": step, "eval_reward": 0.1 + 0.01 * step} for step in range(20)])
    bad = write("b.csv", "run,compute,reward\nb,1,high\n")
    with caplog.at_level("WARNING", logger="rlscale"):
        runs = read(tmp_path)
    assert caplog.messages == [f"left out {bad}: {runs.left_out[0].why}"]
    assert [run.name for run in runs] == ["a"]
    assert [(each.path, each.counted) for each in runs.left_out] == [(str(bad), True)]
    fits = rlscale.fit(runs)
    for result in (fits, rlscale.rank(fits), rlscale.gate(runs, 40.0), rlscale.backtest(runs, cuts=0.5)):
        assert runs.left_out == result.left_out
    assert rlscale.rank(fits).summary().startswith("1 of 2 runs left out: ")


def test_nothing_left(write, tmp_path):
    first = write("a.jsonl", "")
    write("b.jsonl", "")
    with pytest.raises(SourceError) as caught:
        collect([tmp_path])
    assert str(caught.value) == (f"{first}: the file is empty; nothing was logged yet (and 1 more that cannot be used)")


def test_several_bad_runs_of_a_file_are_one_file(write):
    rows = "".join(f"{run},{step},0.{step}\n" for run in "ab" for step in range(1, 6))
    path = write("t.csv", "run,steps,accuracy\n" + rows)
    with pytest.raises(SourceError) as caught:
        collect([path], ReadOptions(unit="tokens"))
    assert "more that cannot be used" not in str(caught.value)


def test_a_missing_path_among_others(write, tmp_path):
    reading = collect([write("a.jsonl", ROW), tmp_path / "b.jsonl"])
    assert [run.name for run in reading.runs] == ["a"]
    assert reading.errors[0].path == str(tmp_path / "b.jsonl")


def test_files_that_are_no_logs_are_passed_by(write, tmp_path):
    write("a/metrics.jsonl", ROW)
    for name in ("README.md", "a/config.json", "a/code.diff", "a/model.bin", "a/x.png"):
        write(name, b"\x00\x01")
    write(".hidden/metrics.jsonl", "")
    for name in ("requirements.txt", "a/notes.txt", "a/slurm.err"):
        write(name, "numpy>=1.26,<3\nreward went up, at step 3\n")
    unknown = write("a/logs.log", "hello\n")
    reading = collect([tmp_path])
    assert [run.name for run in reading.runs] == ["a"]
    assert [error.path for error in reading.errors] == [str(unknown)]


def test_what_stands_beside_logs_and_is_not_read_is_told_once_a_kind(write, tmp_path):
    write("a/metrics.jsonl", ROW)
    for name in ("p.pkl", "q.pickle"):
        write(name, b"\x00\x01")
    secret = write("../secret.log", "step:1 - critic/score/mean:0.5\n")
    for name in ("a/link.log", "b.log"):
        (tmp_path / name).symlink_to(secret)
    (tmp_path / "c.jsonl").symlink_to(tmp_path / "a/metrics.jsonl")  # stays inside: the same file, read once
    reading = collect([tmp_path])
    said = {error.path.removeprefix(f"{tmp_path}/"): error.message for error in reading.errors}
    known = f"rlscale reads {KNOWN_FORMATS}"
    assert said == {
        "b.log": "is a link that leads out of the folder and is not followed; 1 more link like it; give its target",
        "p.pkl": f"pickles are never loaded; {known}; 1 more file of this kind in the folder",
    }
    assert [run.name for run in read(tmp_path)] == ["a"]  # strict or not: they are no logs


def test_text_files_in_a_folder_are_read_where_they_are_logs(write, tmp_path):
    write("table.txt", "run,step,critic/score/mean\nt,1,.5\nt,2,.6\n")
    write("job.err", "x" * 300_000 + "\n(TaskRunner pid=1) step:1 - critic/score/mean:0.5\n")
    reading = collect([tmp_path], ReadOptions(metric="critic/score/mean"))
    assert [(run.name, run.source.format) for run in reading.runs] == [("job", "verl-console"), ("t", "table")]
    assert reading.errors == ()


UNUSED = [
    ("t.csv", "run,step,reward\na,1,.5\n", {}, "a table states its own compute"),
    ("x.jsonl", [{"step": 1, "eval/reward": 0.5}], {}, "the log holds no seconds"),
    ("x.jsonl", [{"step": 1, "data": {"critic/score/mean": 0.5}}], {}, "the log holds no timing_s/step"),
    (
        "x.trainer_state.json",
        {"log_history": [{"step": 1, "eval_reward": 0.5, "step_time": 7}]},
        {"unit": "steps"},
        "compute is in steps",
    ),
]


@pytest.mark.parametrize(("name", "content", "options", "why"), UNUSED)
def test_gpus_that_change_nothing_are_told(one, name, content, options, why):
    assert f"--gpus is not used: {why}" in one(name, content, gpus=8.0, **options).warnings
    assert not any("--gpus" in said for said in one(name, content, **options).warnings)


def test_a_file_without_a_reward_does_not_stop_a_folder(write, tmp_path):
    write("a.jsonl", ROW)
    timing = write("timing.jsonl", [{"step": 1, "seconds": 3}])
    reading = collect([tmp_path])
    assert [str(error) for error in reading.errors] == [
        f"{timing}: no reward is recognised; give metric=KEY (keys: seconds)"
    ]
    with pytest.raises(ChoiceError):  # but named by the user it must be answered
        collect([tmp_path / "a.jsonl", timing])


def test_a_file_given_twice_is_read_once(write, tmp_path):
    path = write("a.jsonl", ROW)
    assert len(collect([path, tmp_path, path]).runs) == 1


def test_order_does_not_depend_on_the_file_system(write, tmp_path):
    for name in "zmabq":
        write(f"{name}.jsonl", ROW)
    assert [run.name for run in collect([tmp_path]).runs] == list("abmqz")


def test_checkpoints_are_one_run(write, tmp_path):
    for step in (50, 100, 500):
        write(f"base/checkpoint-{step}/trainer_state.json", STATE)
    (run,) = collect([tmp_path]).runs
    assert (run.name, run.source.path) == ("base", str(tmp_path / "base/checkpoint-500/trainer_state.json"))
    assert run.source.repairs == (
        "2 checkpoints were not read: checkpoint-500/trainer_state.json holds the history of the run",
    )
    write("base/trainer_state.json", STATE)
    (run,) = collect([tmp_path]).runs
    assert run.source.path == str(tmp_path / "base/trainer_state.json")
    assert run.source.repairs == ("3 checkpoints were not read: trainer_state.json holds the history of the run",)
    (run,) = collect([tmp_path / "base/checkpoint-50"]).runs
    assert (run.name, run.source.repairs) == ("base", ())


def test_the_axis_is_one_that_all_runs_have(write, tmp_path):
    write("a.trainer_state.json", {"log_history": [{"step": 1, "reward": 0.5, "num_tokens": 9, "step_time": 7}]})
    write("b.jsonl", [{"step": 1, "reward": 0.5}])
    assert {run.curve.unit for run in collect([tmp_path]).runs} == {"steps"}
    assert {run.curve.unit for run in collect([tmp_path / "a.trainer_state.json"]).runs} == {"tokens"}
    reading = collect([tmp_path], ReadOptions(unit="tokens"))
    assert ([run.name for run in reading.runs], len(reading.errors)) == (["a"], 1)


def test_a_given_metric_that_a_file_lacks(write, tmp_path):
    write("a.jsonl", ROW)
    other = write("b.jsonl", [{"step": 1, "eval/rewards_x": 0.5}])
    reading = collect([tmp_path], ReadOptions(metric="eval/reward"))
    assert [run.name for run in reading.runs] == ["a"]
    assert [str(error) for error in reading.errors] == [
        f"{other}: holds no metric 'eval/reward'; the closest are eval/rewards_x"
    ]


def test_since_and_until_keep_the_baseline(one):
    text = "run,step,reward\n" + "".join(f"a,{k},{k / 100}\n" for k in range(0, 60, 10))
    assert one("t.csv", text, since=25.0).curve.compute.tolist() == [0, 30, 40, 50]
    assert one("t.csv", text, until=25.0).curve.compute.tolist() == [0, 10, 20]
    assert one("t.csv", text, since=10.0, until=20.0).curve.compute.tolist() == [0, 10, 20]


def test_a_run_outside_the_stretch_does_not_stop_its_table(write):
    path = write("t.csv", "run,step,reward\na,1,.5\nb,1,.5\nb,9,.6\n")
    reading = collect([path], ReadOptions(since=5.0))
    assert [run.name for run in reading.runs] == ["b"]
    assert [error.message for error in reading.errors] == ["1 run without a point within --from 5 left out: a"]


def test_bounds(one):
    text = "run,step,reward\na,1,20\na,2,55\n"
    assert one("t.csv", text, bounds=(0.0, 100.0)).curve.bounds == (0, 100)
    run = one("t.csv", "run,step,reward\na,1,.5\na,2,1.05\na,3,-.02\n", bounds=(0.0, 1.0))
    assert run.warnings == (
        "2 rewards outside the bounds [0, 1], by up to 0.05, kept: the bounds are those of the mean reward",
    )


def test_one_bad_run_is_left_out_alone(write, tmp_path):
    write("t.csv", "run,step,reward\na,1,.5\nb,1,7\n")
    write("u.csv", "run,step,reward\nc,1,.5\n")
    reading = collect([tmp_path], ReadOptions(bounds=(0.0, 1.0)))
    assert [run.name for run in reading.runs] == ["a", "c"]
    (error,) = reading.errors
    assert isinstance(error.__class__, type)
    assert not isinstance(error, CurveError)
    assert error.message.startswith("run 'b': reward 7 is outside the bounds [0, 1] of 'reward'")
    assert error.runs == ("b",)


def test_one_point_and_a_constant_curve_are_curves(one):
    assert one("t.csv", "run,step,reward\na,1,.5\n").curve.n_points == 1
    assert np.ptp(one("t.csv", "run,step,reward\na,1,.5\na,2,.5\n").curve.reward) == 0


def test_reading_twice_gives_the_same(write, tmp_path):
    write("a.jsonl", ROW)
    write("b/metrics.jsonl", ROW)
    first, second = collect([tmp_path]), collect([tmp_path])
    for one_run, other in zip(first.runs, second.runs, strict=True):
        assert (one_run.name, one_run.source, one_run.warnings) == (other.name, other.source, other.warnings)
        np.testing.assert_array_equal(one_run.curve.reward, other.curve.reward)


def test_the_bundled_runs():
    if not any(bundled().glob("*/seed*/trainer_state.json")):
        pytest.skip("the bundled runs are not there")
    runs = read(bundled())
    assert {run.curve.metric for run in runs} == {"eval_reward"}
    assert all(run.curve.has_baseline and run.recipe == run.name.rpartition("/")[0] for run in runs)
    assert all(len(run.source.repairs) == 1 and "n_eval is inferred" in run.source.repairs[0] for run in runs)
    assert all(run.warnings == () for run in runs)
