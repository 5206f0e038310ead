"""Files made to harm by their size: each ends in runs or an error that says why, within 20 seconds and 1.5 GiB."""

import gzip
import json

import pytest

from rlscale.errors import FormatError, SourceError
from rlscale.sources import ReadOptions, collect
from tests.sources.bounded import READ_RECORDS, refused, told
from tests.sources.fuzzed import outcome
from tests.sources.trackers import made, made_stores

MILLION = 1_000_000
DEEP = 100_000


# --- lines and documents of a gibibyte ---


def gibibyte(path, start, fill=b"a"):
    """Write ``start``, 32 MiB of one byte, and a hole up to 1 GiB."""
    with path.open("wb") as file:
        file.write(start)
        file.write(fill * (32 << 20))
        file.truncate(1 << 30)
    return path


def test_a_line_of_a_gibibyte(tmp_path):
    starts = {
        "a.csv": b"", "b.csv": b"run,compute,reward\na,1,", "c.tsv": "run\tstep\treward\na\t1\t".encode("utf-16"),
        "d.jsonl": b"", "e.jsonl": b'{"step": 1, "reward": 0.5}\n{"step": 2, "x": "', "f.log": b"", "k": b"",
        "g.log": b"step:1 - critic/score/mean:0.5\nstep:2 - ", "h.txt": b"", "i.out": b'metrics_tag: {"step": 1, "',
        "j.jsonl": b'{"step": 1, "data": {"reward": 0.5}}\n{"step": 2, "data": {"',
    }  # fmt: skip
    for said in told(*(gibibyte(tmp_path / name, start) for name, start in starts.items())):
        assert "is longer than 16 MiB; is this a log?" in said


def test_a_gibibyte_under_other_names(tmp_path):
    names = ["a.json", "b.db", "c.parquet", "d.wandb", "events.out.tfevents.1", "trainer_state.json", "e.sqlite", "f"]
    starts = [b"", b"SQLite format 3\0", b"PAR1", b":W&B\xe1\xbe\x00", b"", b'{"log_history": [', b"", b"\0"]
    said = told(*(gibibyte(tmp_path / name, start) for name, start in zip(names, starts, strict=True)))
    assert all("Error; " in one for one in said)
    assert "the document is larger than 256 MiB; is this a log?" in said[5]


def test_a_long_quoted_cell(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b'run,compute,reward\n"' + b"a\n" * (16 << 20))
    assert "is not CSV (field larger than field limit (131072)); repair the line" in told(path)[0]


def test_a_trainer_state_of_many_values(tmp_path):
    large, short = tmp_path / "a_trainer_state.json", tmp_path / "b_trainer_state.json"
    with large.open("w") as file:
        file.write('{"log_history": [')
        row = ",".join(json.dumps({"step": 1, "reward": 0.5, "text": "a" * 900}) for _ in range(1000))
        file.write(",".join([row] * 300) + "]}")
    assert large.stat().st_size > 256 << 20
    short.write_text('{"log_history": [' + "[]," * 20_000_000 + "[]]}")
    said = told(large, short)
    assert "the document is larger than 256 MiB; is this a log?" in said[0]
    assert "the document holds more than 16,777,216 values; is this a log?" in said[1]


# --- a million metrics ---


def wide(**first):
    return json.dumps({**first, **{str(k): 1 for k in range(MILLION)}}, separators=(",", ":"))


def test_a_million_metrics_in_rows(tmp_path):
    texts = {
        "a.jsonl": "".join(wide(step=step, reward=0.5) + "\n" for step in (1, 2)),
        "b.jsonl": f'{{"step": 1, "data": {wide(reward=0.5)}}}\n',
        "c.jsonl": wide(run="a", compute=1, reward=0.5) + "\n",
        "trainer_state.json": f'{{"log_history": [{wide(step=1, reward=0.5)}]}}',
        "d.log": "step:1 - critic/score/mean:0.5 - " + " - ".join(f"{k}:1" for k in range(MILLION)) + "\n",
        "e.log": f'metrics_tag: {{"step": 1, "metrics": {wide(reward=0.5)}}}\n',
        "f.log": "perf 1: {'a': 0.5, " + ", ".join(f"'{k}': 1" for k in range(MILLION)) + "}\n",
        "g.csv": "run,reward," + ",".join(f"k{k}" for k in range(MILLION)) + "\na,0.5" + ",1" * MILLION + "\n",
        "h.csv": "run,compute,reward\n" + "a,1,0.5\n" * 3 + "," * MILLION + "\n",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    for said in told(*(tmp_path / name for name in texts)):
        assert "Error; " in said
        assert "more than 100,000" in said


def test_a_new_metric_in_every_row(tmp_path):
    rows = [{"step": k, "reward": 0.5, f"k{k}": 1} for k in range(200_000)]
    table = [{"run": "a", "compute": k, "reward": 0.5, f"k{k}": 1} for k in range(20_000)]
    for name, lines in {"a.jsonl": rows, "b.jsonl": table}.items():
        (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in lines))
    (tmp_path / "trainer_state.json").write_text(json.dumps({"log_history": rows}))
    said = told(tmp_path / "a.jsonl", tmp_path / "b.jsonl", tmp_path / "trainer_state.json")
    assert "more than 100,000 different keys; is this a log?" in said[0]
    assert "holds more than 8191 rows of 8194 columns; is this a table of runs?" in said[1]
    assert "more than 100,000 different keys; is this a trainer's state?" in said[2]


def test_a_million_runs_in_a_table(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("run,compute,reward\n" + "".join(f"r{k},1,0.5\n" for k in range(MILLION)))
    assert "holds 1,000,000 runs, more than 250,000; is 'run' the name of the run?" in told(path)[0]


def numbered(count, part):
    """Return the parts that ``part`` makes of so many keys of seven digits, one after the other."""
    before, after = part("0000000").split(b"0000000")
    return b"".join(b"%b%07d%b" % (before, k, after) for k in range(count))


def test_a_million_metrics_of_a_tracker(tmp_path):
    tags = numbered(MILLION // 2, lambda key: made.packed(1, made.plain(key, 0.5)))
    event = made.frame(made.double(1, 1e9) + made.number(2, 1) + made.packed(5, tags))
    (tmp_path / "events.out.tfevents.1").write_bytes(made.started(1e9) + event)
    row = numbered(MILLION, lambda key: made.packed(1, made.packed(2, key) + made.packed(16, "1")))
    logged = made.history(1, {"train/reward": 0.5})
    (tmp_path / "a.wandb").write_bytes(made.wandb(made.run("a", 1e9), logged, made.number(1, 7) + made.packed(2, row)))
    points = [("reward", 0.5, 1, 1), *((str(k), 0.5, 1, 1) for k in range(MILLION // 2))]
    made_stores.mlflow_db(tmp_path / "m.db", [{"run_id": "a", "points": points}])
    made_stores.trackio_db(tmp_path / "t.db", [("a", "one", 1, {"train/reward": 0.5}), ("a", "one", 2, wide(step=2))])
    names = ("events.out.tfevents.1", "a.wandb", "m.db", "t.db")
    for said in told(*(tmp_path / name for name in names), script=READ_RECORDS):
        keys, _, rest = said.partition(" keys; ")
        assert int(keys) <= 100_000
        assert "more than 100000" in rest


# --- steps that jump ---


def test_steps_that_start_over_or_come_late_without_end(tmp_path):
    over = [{"step": step, "reward": 0.5} for _ in range(50_000) for step in (1, 2)]
    up = [{"step": step, "reward": 0.5} for step in range(1, 50_000)]
    late = [{"step": 2, f"eval_{k % 7}": 1.0} for k in range(50_000)]
    back = [{"step": 49_999 - k % 2, "reward": 0.1 * k} for k in range(50_000)]
    for name, rows in {"a.jsonl": over, "b.jsonl": [*up, *late], "c.jsonl": [*up, *back]}.items():
        (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    said = told(*(tmp_path / name for name in ("a.jsonl", "b.jsonl", "c.jsonl")))
    assert "holds 50,000 runs one after the other; is this a log?" in said[0]
    assert [one.startswith("runs 1") for one in said[1:]] == [True, True]


# --- deep JSON ---


def deep(inner="1"):
    return '{"a":' * DEEP + inner + "}" * DEEP


def nested():
    """Places where JSON, or a Python literal, is read; each as the bytes of a file."""
    brackets = "[" * DEEP + "]" * DEEP
    yield "trainer_state.json", f'{{"log_history": [{{"step": 1, "reward": {brackets}}}]}}'.encode()
    yield "b_trainer_state.json", deep().encode()
    yield "a.jsonl", f'{{"step": 1, "reward": 0.5}}\n{{"step": 2, "reward": {deep()}}}\n{{"step": 3}}\n'.encode()
    yield "b.jsonl", deep().encode()
    yield "c.jsonl", f'{{"step": 1, "data": {deep()}}}\n'.encode()
    yield "d.jsonl", f'{{"run": "a", "compute": 1, "reward": {brackets}}}\n'.encode()
    for name, text in {"a.log": deep(), "b.log": brackets, "c.log": "(" * DEEP, "d.log": "-" * DEEP + "1"}.items():
        for head in ("perf 1: ", "Step 1: \n", "Global step 1: ", 'metrics_tag: {"step": 1, "metrics": '):
            yield name, f"{head}{text}\n{head}{{'x': {text}}}\nstep:1 - reward:0.5\n".encode()
    started = made.run("a", 1e9, trainer={"x": 1})
    items = [made.item(("reward",), text, raw=True) for text in (deep(), brackets)]
    rows = [made.number(1, 7) + made.packed(2, made.packed(1, item)) for item in items]
    settings = made.packed(5, made.packed(1, made.item("lr", deep(), raw=True)))
    yield "a.wandb", made.wandb(started, made.history(1, {"train/reward": 0.5}), *rows, settings)
    text = made.written("args/text_summary", deep())
    yield (
        "events.out.tfevents.1",
        made.events(1e9, {"reward": {1: 0.5, 2: 0.6}}, [text, made.written("config", brackets)]),
    )


@pytest.mark.parametrize(("name", "content"), list(nested()), ids=lambda value: value if isinstance(value, str) else "")
def test_deep_json(name, content, tmp_path):
    path = tmp_path / name
    path.write_bytes(content)
    outcome(path)


def test_deep_json_in_databases(tmp_path):
    points = [("eval/reward", 0.1 * k, k, k) for k in range(1, 4)]
    made_stores.mlflow_db(
        tmp_path / "m.db", [{"run_id": "a", "points": points, "params": {"lr": deep(), "b": "[" * DEEP}}]
    )
    rows = [("a", "one", k, {"train/reward": 0.5, "train/global_step": k}) for k in range(1, 4)]
    made_stores.trackio_db(tmp_path / "t.db", [*rows, ("a", "one", 4, deep())], [("a", "one", deep())])
    assert outcome(tmp_path / "m.db") == outcome(tmp_path / "t.db") == "runs"


# --- Parquet that unpacks to more than it should ---


def parquet(path, columns, **options):
    arrow, module = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    module.write_table(arrow.table(columns), path, store_schema=False, **options)
    return path


def constant(count, value=0.5):
    arrow = pytest.importorskip("pyarrow")
    return arrow.DictionaryArray.from_arrays(arrow.repeat(arrow.scalar(0, arrow.int8()), count), arrow.array([value]))


def test_a_parquet_table_of_a_billion_cells(tmp_path):
    count = 20_000_000
    columns = {name: constant(count) for name in ("compute", "reward", "n_eval", "sd")}
    path = parquet(tmp_path / "a.parquet", columns)
    assert path.stat().st_size < 1 << 20
    assert "holds 20000000 rows of 4 columns, more than any log" in told(path)[0]


def test_a_long_text_in_every_row_of_a_parquet_table(tmp_path):
    arrow = pytest.importorskip("pyarrow")
    count = 100_000
    columns = {"run": constant(count, "a" * MILLION), "compute": arrow.array(range(count)), "reward": constant(count)}
    path = parquet(tmp_path / "a.parquet", columns)
    assert path.stat().st_size < 4 << 20
    assert told(path)[0].startswith("runs 1")


def test_texts_that_share_their_start_in_a_parquet_table(tmp_path):
    arrow = pytest.importorskip("pyarrow")
    columns = {"run": [f"{'a' * 100_000}{k % 7}" for k in range(4000)] * 4, "reward": [0.5] * 16_000}
    options = {"use_dictionary": False, "column_encoding": {"run": "DELTA_BYTE_ARRAY"}, "compression": "none"}
    path = parquet(tmp_path / "a.parquet", {name: arrow.array(cells) for name, cells in columns.items()}, **options)
    assert path.stat().st_size < 1 << 20
    assert "unpacks to more than 1024 MiB; is this a log?" in told(path)[0]


def test_a_parquet_page_that_unpacks_to_gibibytes(tmp_path):
    arrow = pytest.importorskip("pyarrow")
    cells = arrow.array(["a" * (600 << 20)], arrow.large_string())
    path = parquet(tmp_path / "a.parquet", {"run": cells, "reward": [0.5]}, compression="zstd", use_dictionary=False)
    assert path.stat().st_size < 4 << 20
    assert "not a Parquet file that can be read (malloc of size 629145600 failed)" in told(path)[0]


def test_a_parquet_file_of_many_columns(tmp_path):
    path = parquet(tmp_path / "a.parquet", {f"column {k}": [0.5] for k in range(100_000)})
    assert "describes its columns in" in told(path)[0]


def test_nested_and_double_columns_of_a_parquet_table(tmp_path):
    arrow, module = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    rows = {"compute": [1, 2, 3], "reward": [0.1, 0.2, 0.3], "x": [[1] * 5, [], None]}
    (run,) = collect([parquet(tmp_path / "a.parquet", rows)], ReadOptions(unit="steps", compute="compute")).runs
    assert (run.curve.reward.tolist(), list(run.series)) == ([0.1, 0.2, 0.3], [])
    path = parquet(tmp_path / "b.parquet", {**rows, "run": [["a"], ["a"], ["b"]]})
    assert refused(path) == "column 'run' holds list<element: string>, not text; write it as a string column"
    twice = arrow.Table.from_arrays([arrow.array([0.5]), arrow.array([0.6])], names=["reward", "reward"])
    module.write_table(twice, tmp_path / "c.parquet")
    assert refused(tmp_path / "c.parquet") == "column 'reward' appears twice; rename one of them"


def test_a_trackio_export_of_a_billion_cells(tmp_path):
    arrow = pytest.importorskip("pyarrow")
    count = 15_000_000
    names = {
        "run_name": constant(count, "a"),
        "timestamp": constant(count, "2026-01-01T00:00:00"),
        "step": constant(count, 1),
    }
    path = parquet(tmp_path / "a.parquet", {**names, "train/reward": constant(count), "id": constant(count, 1)})
    assert "holds 15000000 rows of 5 columns, more than any log; is this one?" in told(path)[0]
    count = 100_000
    names = {
        "run_name": constant(count, "a" * MILLION),
        "timestamp": constant(count, "x"),
        "step": arrow.array(range(count)),
    }
    path = parquet(tmp_path / "b.parquet", {**names, "train/reward": constant(count)})
    assert told(path)[0].startswith("runs 1")


def test_packed_logs_are_not_read(tmp_path):
    bomb = gzip.compress(b"0" * (64 << 20))
    for name in ("trainer_state.json.gz", "metrics.jsonl.gz", "a.csv.gz", "a.gz"):
        (tmp_path / name).write_bytes(bomb)
        with pytest.raises(FormatError, match="no reader knows this file"):
            collect([tmp_path / name])
    assert refused(tmp_path).startswith("no log in this folder")


def test_a_parquet_file_that_ends_pyarrow_is_refused(tmp_path):
    """What such a file says of its columns makes pyarrow end the process, if it is asked for."""
    arrow = pytest.importorskip("pyarrow")
    path = parquet(tmp_path / "a.parquet", {"run": ["a", "b"], "reward": arrow.array([0.5, 0.6])})
    data = path.read_bytes()
    for place in range(len(data) - 400, len(data) - 8):
        path.write_bytes(data[:place] + bytes([data[place] ^ 0x08]) + data[place + 1 :])
        outcome(path)


def test_a_text_beyond_its_dictionary(tmp_path, monkeypatch):
    arrow, module = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "t.parquet"
    module.write_table(arrow.table({"run": ["a", "b"], "step": [1.0, 2.0], "reward": [0.1, 0.2]}), path)
    places = arrow.DictionaryArray.from_arrays(arrow.array([0, 7]), arrow.array(["a", "b"]), safe=False)
    rest = arrow.array([0.1, 0.2])
    batch = arrow.RecordBatch.from_arrays([places, rest, rest], names=["run", "step", "reward"])
    monkeypatch.setattr(module.ParquetFile, "iter_batches", lambda *args, **more: iter([batch]))
    with pytest.raises(SourceError, match="write it again"):
        collect([path])
