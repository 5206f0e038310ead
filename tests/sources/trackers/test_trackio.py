"""Trackio's database, of every age, and its Parquet export."""

import json
import math
import tempfile
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rlscale.errors import FormatError, SourceError
from rlscale.sources.tables import parquet
from rlscale.sources.trackers import trackio
from tests.sources.trackers.made_stores import TRACKIO, sql, trackio_db

LOGS = Path(__file__).parents[4] / "shared" / "logs"
FAST = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
T0 = datetime.fromisoformat("2026-01-01T00:00:00+00:00").timestamp()


def same(column, steps, values, times=None):
    np.testing.assert_array_equal(column.step, steps)
    np.testing.assert_array_equal(column.value, values)
    if times is not None:
        np.testing.assert_array_equal(column.time, times)


ROWS = [
    ("a", "one", 0, {"profiling/x": 1.5}),
    (
        "a",
        "one",
        1,
        {"train/reward": 0.25, "train/global_step": 10, "flag": True, "text": "12", "table": {"rows": [1]}},
    ),
    ("b", "one", 0, {"train/reward": 0.5, "train/global_step": 10}),
    ("a", "one", 2, {"eval/reward": "NaN", "train/global_step": 20, "loss": "Infinity", "none": None}),
    ("a", "one", 3, {"eval/reward": 0.75}),
]
CONFIG = {"_Username": None, "_Group": "base", "_Created": "2026-01-01T00:00:00+00:00", "lr": 1e-4, "deep": {"x": [1]}}


def test_a_database(tmp_path):
    path = trackio_db(tmp_path / "p.db", ROWS, [("a", "one", CONFIG), ("c", "gone", {})])
    assert trackio.sniff(path, path.read_bytes()[:100])
    one, two = trackio.read_records(path)
    assert [(r.name, r.run_id, r.rows, r.format) for r in (one, two)] == [
        ("one", "a", 4, "trackio"),
        ("one", "b", 1, "trackio"),
    ]
    assert (one.config, one.group, one.starts, one.repairs) == ({"lr": 1e-4, "deep": {"x": [1]}}, "base", (T0,), ())
    assert (two.config, two.group, two.starts) == ({}, None, ())
    same(one.columns["train/reward"], [10], [0.25], [T0 + 2.5])
    same(one.columns["eval/reward"], [20, 20], [np.nan, 0.75], [T0 + 4.5, T0 + 5.5])
    same(one.columns["loss"], [20], [np.nan])
    assert "profiling/x" not in one.columns  # logged before the first step
    assert not {"flag", "text", "table"} & set(one.columns)


def test_a_database_before_run_ids(tmp_path):
    rows = [
        (None, "one", 0, json.dumps({"reward": 1})),
        (None, "two", 0, {"reward": 2}),
        (None, "one", 1, {"reward": 3}),
    ]
    path = trackio_db(tmp_path / "p.db", rows, [(None, "two", {"lr": 1})], old=True)
    assert trackio.sniff(path, path.read_bytes()[:100])
    one, two = trackio.read_records(path)
    assert (one.name, one.run_id, two.name, two.config) == ("one", None, "two", {"lr": 1})
    same(one.columns["reward"], [0, 1], [1, 3])


def test_a_run_that_was_resumed_has_no_known_start(tmp_path):
    for k, created in enumerate(
        ["2026-01-02T00:00:00+00:00", "2025-12-31T00:00:00", "yesterday", 5]
    ):  # the rows have zones
        late = {**CONFIG, "_Created": created}
        (record,) = trackio.read_records(trackio_db(tmp_path / f"{k}.db", ROWS[1:2], [("a", "one", late)]))
        assert record.starts == ()


def test_rows_that_cannot_be_read_are_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(trackio, "LINE_CAP", 20_000)
    bad = ["{", "[1]", b"\xff\xfe", "[" * 10_000, json.dumps({"x": "y" * 30_000}), "NaN"]
    rows = [
        ("a", "one", 0, {"x": 1}),
        *(("a", "one", k, raw) for k, raw in enumerate(bad, 1)),
        ("a", "one", "s", {"x": 2}),
    ]
    path = trackio_db(tmp_path / "p.db", [*rows, ("a", "one", 9, '{"x": 1' + "0" * 400 + "}")], [("a", "one", "{")])
    (record,) = trackio.read_records(path)
    same(record.columns["x"], [0, 9], [1, np.nan])
    assert record.repairs == (
        "the configuration could not be read and was left out",
        "7 rows were left out: not an object of numbers at a step, or over 16 MiB",
    )


def test_no_rows(tmp_path):
    with pytest.raises(
        SourceError, match="this Trackio project holds no logged row; check that the trainer logs to it"
    ):
        trackio.read_records(sql(tmp_path / "p.db", TRACKIO))


def exported(path, columns, configs=None):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path.parent.mkdir(exist_ok=True)
    parquet.write_table(pyarrow.table(columns), path)
    if configs is not None:
        beside, held = configs
        beside.parent.mkdir(exist_ok=True)
        parquet.write_table(pyarrow.table(held), beside)
    return path


EXPORT = {
    "id": [1, 2, 3],
    "run_id": ["a", "b", "a"],
    "timestamp": ["2026-01-01T00:00:01.5+00:00"] * 3,
    "run_name": ["one", "two", "one"],
    "step": [0, 0, 1],
    "train/global_step": [10, 10, 20],
    "eval/reward": [0.5, None, float("nan")],
    "text": ["a", "b", None],
}


@pytest.mark.parametrize("configs", ["p_configs.parquet", "aux/configs.parquet"])
def test_an_export(tmp_path, configs):
    held = {"id": [1], "run_id": ["a"], "run_name": ["one"], "created_at": ["x"], "lr": [1e-4], "_Group": ["base"]}
    path = exported(tmp_path / "p.parquet", EXPORT, (tmp_path / configs, held))
    assert trackio.sniff(path, path.read_bytes()[:100])
    one, two = trackio.read_records(path)
    assert (one.name, one.config, one.group, one.run_id) == ("one", {"lr": 1e-4}, "base", "a")
    same(one.columns["eval/reward"], [10, 20], [0.5, np.nan], [T0 + 1.5] * 2)
    assert list(two.columns) == ["train/global_step"]


def test_other_tables_are_not_exports(tmp_path):
    path = exported(tmp_path / "p.parquet", {"run": ["a"], "step": [1], "reward": [0.5]})
    assert not trackio.sniff(path, path.read_bytes()[:100])
    names = {"run_name": ["a"], "timestamp": ["b"], "max_steps": [1]}
    path = exported(tmp_path / "p_configs.parquet", names)
    assert not trackio.sniff(path, path.read_bytes()[:100])
    for raw in (b"PAR1", b"PAR1" + b"\xff" * 9, b"PAR1run_name timestamp step" + b"\xff" * 4 + b"PAR1"):
        path.write_bytes(raw)
        trackio.sniff(path, raw)
        with pytest.raises(SourceError, match="not a Parquet file that can be read"):
            trackio.read_records(path)


def test_too_many_rows(tmp_path, monkeypatch):
    path = exported(tmp_path / "p.parquet", EXPORT)
    monkeypatch.setattr(parquet, "MOST_CELLS", 2)
    with pytest.raises(SourceError, match=r"holds 3 rows of \d+ columns, more than any log; is this one\?"):
        trackio.read_records(path)


def test_without_pyarrow(tmp_path, monkeypatch):
    path = exported(tmp_path / "p.parquet", EXPORT)
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(FormatError) as error:
        trackio.read_records(path)
    assert str(error.value) == f"{path}: reading Parquet needs pyarrow: pip install rlscale[parquet]"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=4,
)
KEY = st.sampled_from(["train/global_step", "eval/reward", "_step", "step", "_Group", "_Created"]) | st.text(max_size=3)
STORED = st.dictionaries(KEY, JSON, max_size=4) | st.binary(max_size=8) | st.text(max_size=4)
CELL = st.none() | st.integers(-(1 << 63), (1 << 63) - 1) | st.floats() | st.text(max_size=3) | st.binary(max_size=3)


@FAST
@given(
    rows=st.lists(st.tuples(st.sampled_from(["a", "b"]) | CELL, CELL, st.integers(0, 9) | CELL, STORED), max_size=6),
    configs=st.lists(st.tuples(st.sampled_from(["a", "b"]), st.just("n"), STORED), max_size=3),
    stamp=st.sampled_from(["2026-01-01T00:00:00", "2026-01-01T00:00:00+00:00", "9999-12-31T23:59:59-23:59", ""]) | CELL,
)
def test_any_cells(rows, configs, stamp):
    def raw(values):
        if not isinstance(values, dict):
            return values
        return json.dumps(values).encode("utf-8", "replace")

    script = (
        TRACKIO.replace("NOT NULL", "").replace("TEXT", "").replace("INTEGER ,", ",").replace(", UNIQUE(run_id)", "")
    )
    held = [(k, run, stamp, name, step, raw(values)) for k, (run, name, step, values) in enumerate(rows)]
    made = [(k, run, name, raw(values), stamp) for k, (run, name, values) in enumerate(configs)]
    with tempfile.TemporaryDirectory() as folder:
        path = sql(Path(folder, "p.db"), script, ("metrics", held), ("configs", made))
        try:
            found = trackio.read_records(path)
        except SourceError:
            return
    for record in found:
        for column in record.columns.values():
            assert column.step.shape == column.value.shape == column.time.shape
            assert np.isfinite(column.step).all()
            assert not np.isinf(column.value).any()
        assert all(math.isfinite(start) for start in record.starts)


@pytest.mark.skipif(not LOGS.is_dir(), reason="the example logs are not here")
def test_a_real_database():
    (record,) = trackio.read_records(LOGS / "trackio" / "LOCAL_trl1.16_seed0.trackio.db")
    state = json.loads((LOGS / "trl" / "LOCAL_trl1.16_dapo_seed0.trainer_state.json").read_text())
    truth = {row["step"]: row["eval_reward"] for row in state["log_history"] if "eval_reward" in row}
    column = record.columns["eval/reward"]
    assert column.step.tolist() == list(truth) == [10, 20, 30, 40]
    np.testing.assert_allclose(column.value, list(truth.values()), rtol=1e-6)
    assert (record.name, record.config["num_generations"], record.repairs) == ("tiny-seed0", 8, ())
