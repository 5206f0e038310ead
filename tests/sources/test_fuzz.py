"""Damaged files of every format give runs or an error that says why; ``benchmarks/fuzz.py`` reads 100,000 of them."""

import json
import random
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("pyarrow")

from tests.sources.fuzzed import damaged, formats, outcome
from tests.sources.trackers import made, made_stores

COUNT = 120
FORMATS = formats()
OTHERS = [content for form in FORMATS for content in form.files.values()]
FAST = settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_a_file_as_it_is_written_gives_runs(form, tmp_path):
    assert outcome(form.lay(tmp_path)) == "runs"


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_damaged_files(form, tmp_path):
    path, rng = form.lay(tmp_path), random.Random(form.name)
    for _ in range(COUNT):
        name = rng.choice(list(form.files))
        data = damaged(rng, form.files[name], rng.choice(OTHERS))
        (tmp_path / name).write_bytes(form.seal(data) if form.seal is not None and rng.random() < 0.7 else data)
        outcome(path)
        (tmp_path / name).write_bytes(form.files[name])


def outcome_of(name, content):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(content)
        return outcome(path)


def message(children):
    """Fields of a protobuf message, in any order, of any kind and number."""
    number = st.integers(0, 20)
    return st.lists(
        st.one_of(
            st.builds(made.number, number, st.integers(0, 2**64 - 1) | st.integers(0, 9)),
            st.builds(made.double, number, st.floats()),
            st.builds(made.single, number, st.floats(width=32)),
            st.builds(made.packed, number, children),
            st.builds(lambda field, kind: made.varint(field << 3 | kind), number, st.sampled_from((3, 4, 6, 7))),
        ),
        max_size=4,
    ).map(b"".join)


SCALAR = st.binary(max_size=6) | st.sampled_from([b"1", b"NaN", b'"a"', b"{}", b"_step", b"reward", b"\xff", b"[[[["])
MESSAGE = st.recursive(SCALAR, message, max_leaves=8)


@FAST
@given(payloads=st.lists(message(MESSAGE), min_size=1, max_size=5), step=st.integers(0, 2**64))
def test_any_protobuf_message(payloads, step):
    known = [made.plain("reward", 0.5)]
    frames = b"".join(made.frame(payload) for payload in payloads)
    outcome_of("events.out.tfevents.1", made.started(1e9) + made.event(1e9, step, *known) + frames)
    outcome_of("events.out.tfevents.1", made.started(1e9) + made.event(1e9, 1, *payloads))
    outcome_of("run-a.wandb", made.wandb(made.run("a", 1e9), made.history(1, {"reward": 1.0}), *payloads))
    nested = [made.packed(number, payload) for number in (2, 5, 13, 17, 26) for payload in payloads]
    outcome_of("run-a.wandb", made.wandb(*nested))


CELL = st.one_of(
    *(st.none(), st.integers(-(2**63), 2**63 - 1), st.floats(), st.text(max_size=5), st.binary(max_size=5)),
    st.sampled_from(["active", "a", "reward", "step", "NaN", '{"step": 1, "reward": 0.5}', "[" * 5000, "1e999", 0, 1]),
)


@FAST
@given(rows=st.lists(st.lists(CELL, min_size=7, max_size=7), max_size=6))
def test_any_cell_of_a_database(rows):
    for script in (made_stores.MLFLOW, made_stores.TRACKIO, made_stores.OLD_TRACKIO):
        with tempfile.TemporaryDirectory() as folder:
            path = made_stores.sql(Path(folder, "x.db"), script)
            with closing(sqlite3.connect(path)) as connection, connection:
                for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE sql IS NOT NULL").fetchall():
                    if table.startswith("sqlite_"):
                        continue
                    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
                    names = ", ".join(f'"{column}"' for column in columns)  # no types, no keys: any cell fits
                    connection.executescript(f"DROP TABLE {table}; CREATE TABLE {table} ({names});")
                    marks = ", ".join("?" * len(columns))
                    connection.executemany(
                        f"INSERT INTO {table} VALUES ({marks})", [row[: len(columns)] for row in rows]
                    )
            outcome(path)


KEYS = """
    step reward eval_reward data log_history metrics critic/score/mean time timestamp _timestamp _step epoch
    env/all/reward/total timing_s/step num_tokens run compute unit seed value n_eval
"""
KEY = st.sampled_from(KEYS.split())
NUMBER = st.floats() | st.integers(-3, 9) | st.integers(-(10**400), 10**400)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBER | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEY | st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)


@FAST
@given(rows=st.lists(st.dictionaries(KEY, JSON, max_size=6), min_size=1, max_size=5))
def test_any_json(rows):
    text = "\n".join(map(json.dumps, rows)).encode()
    outcome_of("x.jsonl", text)
    outcome_of("x.jsonl", b"\n".join(json.dumps({"step": k, "data": row}).encode() for k, row in enumerate(rows)))
    outcome_of("trainer_state.json", json.dumps({"log_history": rows}).encode())
    outcome_of("trainer_state.json", json.dumps(rows[0]).encode())


LINE = st.lists(
    st.one_of(
        st.sampled_from(["step:1 - ", "step:2 - ", "reward:0.5", " - ", "critic/score/mean:", "np.float64(", ")", ":"]),
        st.sampled_from(
            ["metrics_tag: ", '{"step": 1, "metrics": ', "{", "}", "'rollout/raw_reward': ", "perf 1: ", "nan"]
        ),
        st.sampled_from(["rollout 2: ", "eval 3: ", "Step 4: ", "Global step 5: ", "\x1b[36m", "(TaskRunner pid=7) "]),
        st.text(max_size=3),
        NUMBER.map(str),
    ),
    max_size=12,
).map("".join)


@FAST
@given(lines=st.lists(LINE, min_size=1, max_size=8), end=st.sampled_from(["", "\n", "\r\n"]))
def test_any_console(lines, end):
    text = "\n".join(lines) + end
    outcome_of("x.log", text.encode("utf-8", "surrogatepass"))
    outcome_of("run-a.wandb", made.wandb(made.run("a", 1e9), *(made.output(f"{line}\n") for line in lines)))
