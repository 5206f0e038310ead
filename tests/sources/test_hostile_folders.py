"""Links, pipes, odd names, files that change, databases and lengths that lie, and what readers may never call."""

import ast
import json
import os
import sqlite3
import stat
import struct
import threading
import time
from pathlib import Path

import pytest

import rlscale.sources
from rlscale.sources import ReadOptions, collect
from tests.sources.bounded import SECONDS, refused, told
from tests.sources.fuzzed import formats, outcome
from tests.sources.trackers import made, made_stores

BY_NAME = {form.name: form for form in formats()}


# --- links, devices, rights ---


LOG = BY_NAME["own JSON lines"].files["own.jsonl"]


def test_links_out_of_the_folder_are_not_followed(tmp_path):
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    outside.mkdir()
    inside.mkdir()
    (outside / "secret.jsonl").write_bytes(LOG)
    (inside / "own.jsonl").write_bytes(LOG)
    (inside / "file.jsonl").symlink_to(outside / "secret.jsonl")
    (inside / "folder").symlink_to(outside)
    (inside / "zero.jsonl").symlink_to("/dev/zero")
    (inside / "loop").symlink_to(inside)
    (inside / "a").symlink_to("b")
    (inside / "b").symlink_to("a")
    (inside / "nothing.jsonl").symlink_to("gone")
    os.link(outside / "secret.jsonl", inside / "hard.jsonl")
    reading = collect([inside], ReadOptions(metric="train/reward"))
    assert sorted(run.name for run in reading.runs) == ["hard", "own"]
    (error,) = reading.errors
    assert "is a link that leads out of the folder and is not followed; 1 more link like it" in error.message


@pytest.mark.parametrize("name", ["loop.jsonl", "zero.jsonl", "gone.jsonl"])
def test_a_link_that_is_named_itself(name, tmp_path):
    target = {"loop.jsonl": "loop.jsonl", "zero.jsonl": "/dev/zero", "gone.jsonl": "nowhere"}[name]
    (tmp_path / name).symlink_to(target)
    refused(tmp_path / name)


@pytest.mark.parametrize("name", ["MLflow folder", "TensorBoard", "W&B"])
def test_links_in_the_folders_of_trackers(name, tmp_path):
    root = tmp_path / "root"
    form = BY_NAME[name]
    form.lay(root)
    for file in form.files:
        folder = (root / file).parent
        if not (folder / "zero").is_symlink():
            (folder / "zero").symlink_to("/dev/zero")
            (folder / "events.out.tfevents.9").symlink_to("/dev/zero")
            (folder / "up").symlink_to(root)
            os.mkfifo(folder / "run-pipe.wandb")
    start = time.process_time()
    assert outcome(root) == "runs"
    assert time.process_time() - start < SECONDS


def test_an_event_file_linked_from_elsewhere_is_not_read(tmp_path):
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    for folder, tag in ((outside, "secret"), (inside, "reward")):
        folder.mkdir()
        (folder / f"events.out.tfevents.{tag}").write_bytes(made.events(1e9, {tag: {1: 0.5, 2: 0.6}}))
    (inside / "events.out.tfevents.2").write_bytes(made.events(2e9, {"reward": {3: 0.7}}))
    (inside / "events.out.tfevents.3").symlink_to(outside / "events.out.tfevents.secret")
    (run,) = collect([inside], ReadOptions(metric="reward")).runs
    assert (run.curve.reward.size, list(run.series)) == (3, [])


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "events.out.tfevents.1", "a.wandb", "a.db", "trainer_state.json"])
def test_a_pipe_is_not_opened(name, tmp_path):
    os.mkfifo(tmp_path / name)
    assert refused(tmp_path / name) == "is neither a file nor a folder; give a log or a folder of logs"
    assert refused(tmp_path).startswith("no log in this folder")
    (tmp_path / "own.jsonl").write_bytes(LOG)
    assert outcome(tmp_path) == "runs"


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_rights(tmp_path):
    path = tmp_path / "own.jsonl"
    path.write_bytes(LOG)
    path.chmod(0)
    assert refused(path) == "cannot be opened (Permission denied); check the path and its rights"
    folder = tmp_path / "closed"
    folder.mkdir()
    folder.chmod(0)
    assert "cannot be listed" in refused(folder)
    folder.chmod(stat.S_IRWXU)


# --- names ---

NAMES = (
    *(
        b"a\x1b[31mred",
        b"a\nb",
        b"a\rb",
        b"\x07",
        b"[red]a[bold]",
        b"[bold",
        b"<script>alert(1)",
        b"a\x7f",
        b"\xff\xfe",
    ),
    *("\u202eabc".encode(), "\u2028".encode(), b"%s%n{}", b"-rf", b" ", b"'\"", b"a" * 240, b"a..", b"\xed\xa0\x80"),
)


@pytest.mark.parametrize("name", NAMES, ids=repr)
def test_names_of_files_and_folders(name, tmp_path):
    home = os.fsencode(tmp_path)
    folder = os.path.join(home, name)
    os.mkdir(folder)
    for inside in (b"own.jsonl", name + b".csv", name + b".log"):
        with open(os.path.join(folder, inside), "wb") as file:
            file.write(LOG if inside == b"own.jsonl" else b"run,step,reward\na,1,0.5\na,2,0.6\n")
    for path in (tmp_path, Path(os.fsdecode(folder))):
        outcome(path)
        for run in collect([path], ReadOptions(metric="train/reward")).runs:
            assert run.name


@pytest.mark.parametrize("name", NAMES, ids=repr)
def test_names_in_files(name, tmp_path):
    text = name.decode("utf-8", "replace")
    rows = [("a", text, k, {"train/reward": 0.1 * k, "train/global_step": k, text: 1.0}) for k in range(1, 4)]
    made_stores.trackio_db(tmp_path / "t.db", rows, [("a", text, {text: text})])
    points = [("eval/reward", 0.1 * k, k, k) for k in range(1, 4)]
    made_stores.mlflow_db(tmp_path / "m.db", [{"run_id": text, "name": text, "points": points, "tags": {text: text}}])
    (tmp_path / "a.jsonl").write_text(
        "".join(json.dumps({"run": text, "step": k, "reward": 0.5, text: 1}) + "\n" for k in (1, 2))
    )
    history = [made.history(k, {"train/reward": 0.1 * k, text: 1}) for k in range(1, 4)]
    (tmp_path / "a.wandb").write_bytes(made.wandb(made.run(text, 1e9, text, text), *history))
    for file in ("t.db", "m.db", "a.jsonl", "a.wandb"):
        assert outcome(tmp_path / file) in ("runs", "SourceError")


# --- files that change, databases that lie, lengths that claim too much ---


@pytest.mark.parametrize("form", BY_NAME.values(), ids=BY_NAME)
def test_a_file_that_changes_while_it_is_read(form, tmp_path):
    path, over = form.lay(tmp_path), threading.Event()
    name, content = next(iter(form.files.items()))

    def change():
        while not over.is_set():
            for size in (len(content) // 2, 0, len(content)):
                with (tmp_path / name).open("r+b") as file:
                    file.truncate(size)
                    file.write(content)

    writer = threading.Thread(target=change)
    writer.start()
    try:
        for _ in range(15):
            outcome(path)
    finally:
        over.set()
        writer.join()


ENDLESS = "WITH RECURSIVE n(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM n)"
DATABASES = {
    "nothing": "",
    "an empty table": "CREATE TABLE metrics (run_name, step, metrics);",
    "a view without end": f"""CREATE VIEW metrics AS {ENDLESS}
        SELECT 'a' run_name, k step, '{{"x": 1}}' metrics FROM n;""",
    "views of MLflow": f"""CREATE VIEW metrics AS {ENDLESS} SELECT 'a' run_uuid, 'r' key, 1 value, k step FROM n;
        CREATE VIEW runs AS {ENDLESS} SELECT k run_uuid FROM n;""",
    "a view beside a table": f"""CREATE TABLE metrics (run_name, step, metrics);
        INSERT INTO metrics VALUES ('a', 1, '{{"step": 1, "reward": 0.5}}');
        CREATE VIEW configs AS {ENDLESS} SELECT 'a' run_name, '{{}}' config FROM n;""",
    "a computed column": """CREATE TABLE metrics (run_name, step, metrics AS (hex(zeroblob(100000000))));
        INSERT INTO metrics VALUES ('a', 1), ('a', 2);""",
    "triggers": """CREATE TABLE metrics (run_name, step, metrics);
        CREATE TRIGGER t AFTER INSERT ON metrics BEGIN DELETE FROM metrics; END;""",
    "a virtual table": "CREATE VIRTUAL TABLE metrics USING fts5(run_name, step, run_uuid);",
    "a table without rows of its own": """
        CREATE TABLE metrics (run_name, step, metrics, PRIMARY KEY (step)) WITHOUT ROWID;
        INSERT INTO metrics VALUES ('a', 1, '[[[');""",
}


@pytest.mark.parametrize("name", DATABASES)
def test_databases_that_lie(name, tmp_path):
    try:
        path = made_stores.sql(tmp_path / "a.db", DATABASES[name])
    except sqlite3.OperationalError as error:  # this build of SQLite knows no such tables
        pytest.skip(str(error))
    if not path.stat().st_size:
        path.write_bytes(b"")
    before = path.read_bytes()
    start = time.process_time()
    assert outcome(path) in ("SourceError", "EmptyError", "FormatError", "runs")
    assert time.process_time() - start < SECONDS
    assert path.read_bytes() == before


def test_a_schema_that_is_not_text(tmp_path):
    path = made_stores.trackio_db(tmp_path / "a.db", [("a", "one", 1, {"reward": 0.5})])
    data = path.read_bytes()
    assert data.count(b"CREATE TABLE metrics") == 1
    path.write_bytes(data.replace(b"CREATE TABLE metrics", b"CREATE TABLX \xff\xfetrics"))
    assert "the database is damaged" in refused(path)


def test_lengths_that_claim_too_much(tmp_path):
    huge = struct.pack("<Q", 1 << 62)
    frame = huge + struct.pack("<I", made.crc32c(huge)) + b"x" * 50
    start = (
        made.started(1e9)
        + made.event(1e9, 1, made.plain("reward", 0.5))
        + made.event(1e9, 2, made.plain("reward", 0.6))
    )
    (tmp_path / "events.out.tfevents.1").write_bytes(start + frame)
    claims = [made.varint(field << 3 | 2) + made.varint(1 << 62) for field in (1, 2, 5, 13, 17)]
    endless = [
        b"\xff" * 40,
        made.varint(1 << 3) + b"\x80" * 60,
        b"\x0b" * 100,
        b"\x0b\x0c" * 50,
        made.packed(5, b"\xff" * 30),
    ]
    (tmp_path / "events.out.tfevents.2").write_bytes(start + b"".join(map(made.frame, (*claims, *endless))))
    logged = [made.run("a", 1e9), *(made.history(k, {"train/reward": 0.5 * k}) for k in (1, 2))]
    (tmp_path / "a.wandb").write_bytes(
        made.wandb(*logged, *claims, *endless, *(made.packed(2, one) for one in endless))
    )
    for said in told(tmp_path / "events.out.tfevents.1", tmp_path / "events.out.tfevents.2", tmp_path / "a.wandb"):
        assert said.startswith("runs 1")
        assert "left out" in said or "torn" in said


# --- what may not be in the readers at all ---


def test_the_readers_load_no_pickle_and_run_no_text():
    forbidden = {"pickle", "marshal", "shelve", "dill", "joblib", "yaml", "ctypes"}
    for path in sorted(Path(rlscale.sources.__file__).parent.rglob("*.py")):
        safe = {"yaml"} if path.name == "yaml_file.py" else set()  # its loader makes plain values only
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                assert not (forbidden - safe) & {alias.name.split(".")[0] for alias in node.names}, path
            elif isinstance(node, ast.ImportFrom):
                assert (node.module or "").split(".")[0] not in forbidden, path
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in {"eval", "exec", "compile", "__import__"}, f"{path}:{node.lineno}"
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                assert node.func.attr != "system", f"{path}:{node.lineno}"
                allow = any(word.arg == "allow_pickle" for word in node.keywords)
                assert not allow, f"{path}:{node.lineno}"
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "yaml":
                assert "Loader" not in node.attr or node.attr == "SafeLoader", f"{path}:{node.lineno}"
