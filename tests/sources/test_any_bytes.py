"""Whatever the bytes, a reader gives runs or says why not."""

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rlscale.curves import Run
from rlscale.errors import InputError
from rlscale.sources import ReadOptions, collect

ENDINGS = ["x.csv", "x.tsv", "x.jsonl", "x.log", "x.txt", "x.trainer_state.json", "x.json", "x.parquet", "x"]
FAST = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def read_or_refuse(name, content, **options):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(content)
        try:
            reading = collect([path], ReadOptions(**options))
        except InputError:
            return
        assert reading.runs
        assert all(isinstance(run, Run) for run in reading.runs)
        assert len({run.name for run in reading.runs}) == len(reading.runs)


@pytest.mark.parametrize("name", ENDINGS)
@FAST
@given(content=st.binary(max_size=300))
def test_any_bytes(name, content):
    read_or_refuse(name, content)


@FAST
@given(mark=st.sampled_from([b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\xff\xfe\x00\x00"]), content=st.binary())
def test_any_bytes_after_a_mark(mark, content):
    for name in ("x.csv", "x.jsonl", "x.log", "x.trainer_state.json"):
        read_or_refuse(name, mark + content)


CELL = st.one_of(
    st.sampled_from(["", "a", "b", "0", "1", "-1", "nan", "inf", "1e999", "steps", "tokens", '"', "1_0", " 2 ", "٣"]),
    st.floats().map(str),
    st.text(max_size=4),
)
COLUMNS = (
    "run run_id recipe seed model_params compute unit reward value metric n_eval sd step tokens GPU_hours flops loss"
)
HEADER = st.lists(st.sampled_from([*COLUMNS.split(), ""]), min_size=1, max_size=7)


@FAST
@given(
    header=HEADER, rows=st.lists(st.lists(CELL, min_size=1, max_size=7), max_size=8), end=st.sampled_from(["", "\n"])
)
def test_any_table(header, rows, end):
    text = "\n".join([",".join(header), *(",".join(row[: len(header)]) for row in rows)]) + end
    read_or_refuse("x.csv", text.encode("utf-8", "surrogatepass"))
    read_or_refuse("x.csv", text.encode("utf-8", "replace"), compute="step", metric="loss")


VALUE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**400), 10**400) | st.integers(-2, 12),
    st.floats(),
    st.text(max_size=3),
    st.lists(st.integers(), max_size=2),
)
KEYS = """
    step progress/step reward eval_reward eval_runtime eval_samples_per_second num_tokens step_time
    critic/score/mean val-core/x/acc/mean@8 timing_s/step timing_s/testing timing_s/gen timing_s/update_actor
    perf/total_num_tokens perf/throughput env/all/reward/total env/all/total_episodes env/all/total_ac_tokens
    env/all/total_ob_tokens test/env/all/reward/total run compute unit value n_eval data
"""
KEY = st.sampled_from(KEYS.split())
ROW = st.dictionaries(KEY, VALUE, max_size=8).map(lambda row: {"step": 1, **row})


@FAST
@given(rows=st.lists(st.tuples(st.integers(0, 9), ROW), min_size=1, max_size=8))
def test_any_rows(rows):
    stepped = [{**row, "step": step} for step, row in rows]
    wide = {"bounds": (-1e300, 1e300), "gpus": 2.0}
    read_or_refuse("x.jsonl", "\n".join(map(json.dumps, stepped)).encode(), **wide)
    data = [{"step": row["step"], "data": row} for row in stepped]
    read_or_refuse("x.jsonl", "\n".join(map(json.dumps, data)).encode(), **wide)
    read_or_refuse("x.trainer_state.json", json.dumps({"log_history": stepped}).encode(), **wide)
    console = "\n".join(
        f"(main_task pid=1) step:{row['step']} - " + " - ".join(f"{k}:{v}" for k, v in row.items()) for row in stepped
    )
    read_or_refuse("x.log", console.encode("utf-8", "replace"), **wide)


@FAST
@given(rows=st.lists(ROW, min_size=1, max_size=5), cut=st.floats(0, 1))
def test_any_cut(rows, cut):
    for name, text in [
        ("x.jsonl", "\n".join(map(json.dumps, rows))),
        ("x.trainer_state.json", json.dumps({"log_history": rows})),
    ]:
        read_or_refuse(name, text[: int(cut * len(text))].encode())
