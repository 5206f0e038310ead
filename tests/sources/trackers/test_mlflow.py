"""MLflow's database and its folder of text files."""

import json
import math
import os
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rlscale.errors import FormatError, SourceError
from rlscale.sources.record import Record
from rlscale.sources.trackers import mlflow_store
from tests.sources.trackers.made_stores import mlflow_db, mlruns, sql

LOGS = Path(__file__).parents[4] / "shared" / "logs"
T0 = 1_700_000_000_000
FAST = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def same(column, steps, values, times=None):
    np.testing.assert_array_equal(column.step, steps)
    np.testing.assert_array_equal(column.value, values)
    if times is not None:
        np.testing.assert_array_equal(column.time, times)


def test_a_database(tmp_path):
    points = [("eval_reward", 0.1, T0 + 500, 10), ("loss", 2.0, T0 + 500, 10), ("eval_reward", 0.4, T0 + 1500, 20)]
    params = {
        "lr": "1e-06", "beta": "0.0", "n": "8", "none": "None", "yes": "True", "json": '{"a": [1]}', "text": "dapo",
        "python": "{'a': 1}", "nan": "NaN", "huge": "1e999", "many": "9" * 5000, "deep": "[" * 5000, "quoted": '"a"',
    }  # fmt: skip
    run = {"run_id": "a1", "name": "stored", "points": points, "params": params, "tags": {"mlflow.runName": "shown"}}
    path = mlflow_db(tmp_path / "m.db", [run])
    (record,) = mlflow_store.read_records(path)
    assert (record.name, record.format, record.path, record.run_id) == ("shown", "mlflow", str(path), "a1")
    assert (record.rows, record.starts, record.repairs) == (3, (T0 / 1000,), ())
    same(record.columns["eval_reward"], [10, 20], [0.1, 0.4], [T0 / 1000 + 0.5, T0 / 1000 + 1.5])
    kept = {key: params[key] for key in ("text", "python", "nan", "huge", "many", "deep", "quoted")}
    parsed = {"lr": 1e-6, "beta": 0.0, "n": 8, "none": None, "yes": True, "json": {"a": [1]}}
    assert record.config == {**parsed, **kept}


def test_names_of_runs_and_experiments(tmp_path):
    points = [("reward", 1.0, T0, 1)]
    runs = [
        {"run_id": "a", "name": "one", "points": points},
        {"run_id": "b", "name": None, "points": points, "experiment": 1},
        {"run_id": "c", "name": "gone", "points": points, "stage": "deleted", "experiment": 1},
        {"run_id": "d", "name": "empty"},
        {"run_id": "e", "name": "ü\x1b[31m\n", "points": points, "experiment": 7},
    ]
    experiments = [(0, "Default", "active"), (1, "größe/1", "active")]
    path = mlflow_db(tmp_path / "m.db", runs, experiments)
    names = [record.name for record in mlflow_store.read_records(path)]
    assert names == ["Default/one", "größe/1/b", "7/ü\x1b[31m\n"]
    path = mlflow_db(tmp_path / "one.db", runs[:1], experiments)
    assert [record.name for record in mlflow_store.read_records(path)] == ["one"]


def test_values_that_are_not_finite_and_order(tmp_path):
    points = [("x", 3.0, T0 + 9, 3), ("x", 0.0, T0, 1, 1), ("x", 1.7976931348623157e308, T0, 2), ("x", 1.0, T0, 1)]
    path = mlflow_db(tmp_path / "m.db", [{"run_id": "a", "name": "one", "points": points}])
    (record,) = mlflow_store.read_records(path)
    same(record.columns["x"], [3, 1, 2, 1], [3, np.nan, np.nan, 1])  # as inserted: a resume goes back


def test_without_steps_the_points_are_numbered_by_time(tmp_path):
    points = [("loss", 5.0, T0, 0), ("eval", 0.1, T0, 0), ("loss", 4.0, T0 + 10, 0), ("loss", 3.0, T0 + 20, 0)]
    points += [("eval", 0.2, T0 + 20, 0), ("system/gpu", 9.0, T0 + 15, 0), ("system/gpu", 8.0, T0 + 25, 1)]
    path = mlflow_db(tmp_path / "m.db", [{"run_id": "a", "name": "one", "points": points}])
    (record,) = mlflow_store.read_records(path)
    same(record.columns["loss"], [1, 2, 3], [5, 4, 3])
    same(record.columns["eval"], [1, 3], [0.1, 0.2])
    same(record.columns["system/gpu"], [0, 1], [9, 8])
    assert record.repairs == ("no step was logged: the points are numbered by their times; log with step=",)


def test_nothing_to_read(tmp_path):
    for runs, message in [
        ([], "this MLflow store holds no run; check that the trainer logs to it"),
        ([{"run_id": "a", "stage": "deleted"}], "holds no run (1 run was deleted); check"),
        ([{"run_id": "a"}, {"run_id": "b"}], "holds 2 runs, none with metrics; check"),
    ]:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.db"
        with pytest.raises(SourceError) as error:
            mlflow_store.read_records(mlflow_db(path, runs))
        assert message in str(error.value)


def test_cells_of_other_kinds_are_counted(tmp_path):
    path = mlflow_db(tmp_path / "m.db", [{"run_id": "a", "name": "one", "points": [("x", 1.0, T0, 1)]}])
    cells = [("x", "words", T0, "a", 2, 0), ("x", b"\xff", T0, "a", 3, 0), (b"k", 1.0, T0, "a", 4, 0)]
    cells += [("x", 2.0, "when", "a", 5, 0), ("x", 3.0, T0, "a", "s", 0), ("x", 4.0, T0, b"a", 6, 0)]
    sql(path, "", ("metrics", cells))
    (record,) = mlflow_store.read_records(path)
    same(record.columns["x"], [1, 5], [1, 2], [T0 / 1000, np.nan])
    assert record.repairs == ("4 values were left out: not a number at a step",)


def test_an_older_database(tmp_path):
    script = """CREATE TABLE runs (run_uuid, name); CREATE TABLE metrics ("key", value, timestamp, run_uuid);
        INSERT INTO runs VALUES ('a', 'one'); INSERT INTO metrics VALUES ('x', 1, 5000, 'a'), ('x', 2, 6000, 'a')"""
    (record,) = mlflow_store.read_records(sql(tmp_path / "m.db", script))
    same(record.columns["x"], [1, 2], [1, 2], [5, 6])


RUNS = [
    {
        "run_id": "a1",
        "name": "'it''s ü'",
        "metrics": {"train/loss": [f"{T0} 2.5 1", f"{T0 + 1000} nan 2", "", f"{T0 + 2000} inf 3"], "old": [f"{T0} 7"]},
        "params": {"lr": "0.1", "model/name": "tiny"},
    },
    {"run_id": "b2", "name": '"tab\\t"', "metrics": {"r": [f"{T0} 1 1", f"{T0} 1", f"{T0} words 2", f"{T0} 2 3"]}},
    {"run_id": "c3", "name": "long\n  name", "metrics": {"r": [f"{T0} 1 1"]}, "tags": {"mlflow.runName": "tagged\n"}},
    {"run_id": "d4", "metrics": {"r": [f"{T0} 1 1"]}, "stage": "deleted"},
    {"run_id": "e5", "metrics": {"r": ""}},
]


def test_a_folder_of_text_files(tmp_path):
    root = mlruns(tmp_path / "mlruns", RUNS)
    assert [mlflow_store.sniff(folder, b"") for folder in (root, root / "0", root / "0" / "a1", tmp_path)] == [
        True,
        True,
        True,
        False,
    ]
    one, two, three = mlflow_store.read_records(root)
    assert (one.name, one.rows, one.starts, one.run_id) == ("it's ü", 4, (T0 / 1000,), "a1")
    assert one.config == {"lr": 0.1, "model/name": "tiny"}
    same(one.columns["train/loss"], [1, 2, 3], [2.5, np.nan, np.nan], [T0 / 1000, T0 / 1000 + 1, T0 / 1000 + 2])
    same(one.columns["old"], [0], [7])
    assert (two.name, three.name) == ("tab\t", "tagged")
    same(two.columns["r"], [1, 3], [1, 2])
    assert two.repairs == ("2 values were left out: not a number at a step",)
    assert [r.name for r in mlflow_store.read_records(root / "0")] == [one.name, two.name, three.name]
    assert [r.name for r in mlflow_store.read_records(root / "0" / "b2")] == [two.name]
    (tmp_path / "x").mkdir()
    with pytest.raises(FormatError, match="is not a folder of MLflow; give mlruns, an experiment in it, or a run"):
        mlflow_store.read_records(tmp_path / "x")


def test_a_torn_last_line_is_left_out(tmp_path):
    root = mlruns(tmp_path / "mlruns", [{"run_id": "a", "metrics": {"r": f"{T0} 1 10\n{T0} 2 1"}}])
    (record,) = mlflow_store.read_records(root)
    same(record.columns["r"], [10], [1])
    assert record.repairs == ("1 value was left out: not a number at a step",)


def test_a_metric_that_is_not_text_is_left_out(tmp_path):
    root = mlruns(tmp_path / "mlruns", [{"run_id": "a", "metrics": {"bad": "x", "r": [f"{T0} 1 10"]}}])
    (root / "0" / "a" / "metrics" / "bad").write_bytes(b"\xff\xfe\x00")
    (record,) = mlflow_store.read_records(root)
    assert list(record.columns) == ["r"]
    assert record.repairs[0].startswith("metric 'bad' was read only in part: line 1 is not UTF-16 text")


def test_several_experiments_in_a_folder(tmp_path):
    runs = [{"run_id": f"r{k}", "name": "seed0", "experiment": k, "metrics": {"r": [f"{T0} 1 1"]}} for k in (0, 1)]
    root = mlruns(tmp_path / "mlruns", runs, names=("Default", "other"))
    (root / ".trash").mkdir()
    (root / "models").mkdir()
    assert [record.name for record in mlflow_store.read_records(root)] == ["Default/seed0", "other/seed0"]
    assert [record.name for record in mlflow_store.read_records(root / "1")] == ["seed0"]


def test_links_are_not_followed(tmp_path):
    root = mlruns(tmp_path / "mlruns", RUNS[:1])
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "key").write_text(f"{T0} 42 1\n")
    home = root / "0" / "a1"
    (home / "metrics" / "file").symlink_to(secret / "key")
    (home / "metrics" / "folder").symlink_to(secret)
    (home / "params" / "secret").symlink_to(secret / "key")
    (home / "tags" / "mlflow.runName").symlink_to(secret / "key")
    (root / "0" / "linked").symlink_to(home)
    (record,) = mlflow_store.read_records(root)
    assert sorted(record.columns) == ["old", "train/loss"]
    assert record.config == {"lr": 0.1, "model/name": "tiny"}
    assert record.name == "it's ü"
    assert record.repairs == ("3 names in the run's folder not followed: links, or too deep ('secret')",)


def test_odd_names_and_depth_in_a_folder(tmp_path):
    root = mlruns(tmp_path / "mlruns", [{"run_id": "a", "name": "one", "metrics": {"a b/ü\n": [f"{T0} 1 1"]}}])
    metrics = root / "0" / "a" / "metrics"
    with open(os.fsencode(metrics) + b"/\xff", "wb") as file:
        file.write(b"%d 2 1\n" % T0)
    deep = Path(metrics, *["d"] * 150)
    for part in reversed([deep, *deep.parents]):
        part.mkdir(exist_ok=True)
    (record,) = mlflow_store.read_records(root)
    assert sorted(record.columns) == ["a b/ü\n", "\ufffd"]
    assert record.repairs == ("1 name in the run's folder not followed: a link, or too deep ('d')",)


CELL = st.none() | st.integers(-(1 << 63), (1 << 63) - 1) | st.floats() | st.text(max_size=3) | st.binary(max_size=3)
NAME = st.sampled_from(["a", "b", "x", "eval_reward", "system/x", ""]) | CELL


def records_or_refusal(read, path):
    try:
        found = read(path)
    except SourceError:
        return
    assert found
    for record in found:
        assert isinstance(record, Record)
        for column in record.columns.values():
            assert column.step.shape == column.value.shape == column.time.shape
            assert np.isfinite(column.step).all()
            assert not np.isinf(column.value).any()
        assert all(math.isfinite(start) for start in record.starts)


@FAST
@given(
    metrics=st.lists(st.tuples(NAME, CELL, CELL, NAME, CELL, CELL), max_size=6),
    runs=st.lists(st.tuples(NAME, NAME, CELL, CELL, CELL, st.just("active") | CELL, CELL), max_size=3),
    pairs=st.lists(st.tuples(NAME, CELL, NAME), max_size=3),
)
def test_any_cells(metrics, runs, pairs):
    script = "".join(
        f"CREATE TABLE {table} ({columns});"
        for table, columns in {
            "experiments": "experiment_id, name, lifecycle_stage",
            "runs": "run_uuid, name, status, start_time, end_time, lifecycle_stage, experiment_id",
            "metrics": '"key", value, timestamp, run_uuid, step, is_nan',
            "params": '"key", value, run_uuid',
            "tags": '"key", value, run_uuid',
        }.items()
    )
    with tempfile.TemporaryDirectory() as folder:
        kept = [("x", 1.0, 5, "a", 1, 0), *metrics], [("a", "n", 0, 0, 0, "active", 0), *runs]
        tables = zip(("metrics", "runs", "params", "tags"), (*kept, pairs, pairs), strict=True)
        path = sql(Path(folder, "m.db"), script, *tables, ("experiments", [row[:3] for row in runs]))
        records_or_refusal(mlflow_store.read_records, path)


LINE = st.lists(st.sampled_from([str(T0), "1", "-2", "nan", "inf", "1e999", "x", "٣", ""]), max_size=4).map(" ".join)


@FAST
@given(metric=st.lists(LINE, max_size=5), meta=st.binary(max_size=60), raw=st.binary(max_size=40))
def test_any_text_files(metric, meta, raw):
    with tempfile.TemporaryDirectory() as folder:
        root = mlruns(Path(folder, "mlruns"), [{"run_id": "a", "metrics": {"x": metric, "y": ""}, "params": {"p": ""}}])
        home = root / "0" / "a"
        (home / "metrics" / "y").write_bytes(raw)
        (home / "params" / "p").write_bytes(raw)
        with (home / "meta.yaml").open("ab") as file:
            file.write(meta)
        records_or_refusal(mlflow_store.read_records, root)


@pytest.mark.skipif(not LOGS.is_dir(), reason="the example logs are not here")
def test_a_real_database():
    (record,) = mlflow_store.read_records(LOGS / "mlflow" / "LOCAL_trl1.16_seed0.mlflow.db")
    state = json.loads((LOGS / "trl" / "LOCAL_trl1.16_dapo_seed0.trainer_state.json").read_text())
    truth = {row["step"]: row["eval_reward"] for row in state["log_history"] if "eval_reward" in row}
    column = record.columns["eval_reward"]
    assert column.step.tolist() == list(truth) == [10, 20, 30, 40]
    np.testing.assert_allclose(column.value, list(truth.values()), rtol=1e-6)
    assert (np.diff(column.time) > 0).all()
    assert (record.name, record.config["num_generations"], record.repairs) == ("tiny-seed0", 8, ())
