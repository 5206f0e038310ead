"""Databases are read as they are: nothing on the disk changes, and damage is an error."""

import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rlscale.errors import FormatError, SourceError
from rlscale.sources.trackers import mlflow_store, sqlite, trackio
from tests.sources.trackers.made_stores import mlflow_db, sql, trackio_db

POINTS = [("eval_reward", k / 10, 1_700_000_000_000 + k, k) for k in range(6)]
RUN = {"run_id": "a", "name": "one", "points": POINTS}

#: Writes 3 points into a database with a write-ahead log, says so, and waits for a line (or ends without closing).
WRITER = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("PRAGMA journal_mode=WAL")
for step in (6, 7, 8):
    with connection:
        connection.execute("INSERT INTO metrics VALUES ('eval_reward', ?, 1700000001000, 'a', ?, 0)", (step / 10, step))
print("ready", flush=True)
if sys.stdin.readline() == "":
    os._exit(1)
connection.close()
"""


def state(folder):
    return sorted((file.name, file.read_bytes(), file.stat().st_mtime_ns) for file in folder.iterdir())


@pytest.fixture
def writer(tmp_path):
    """A database whose writer is still running."""
    path = mlflow_db(tmp_path / "w" / "m.db", [RUN])
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "ready\n"
        yield path, process
        if process.poll() is None:
            process.stdin.write("\n")


def steps(path):
    (record,) = mlflow_store.read_records(path)
    return record.columns["eval_reward"].step.tolist()


def test_a_run_in_progress_is_read_and_left_alone(writer):
    path, process = writer
    before = state(path.parent)
    assert [name for name, *_ in before] == ["m.db", "m.db-shm", "m.db-wal"]
    assert steps(path) == list(range(9))
    assert state(path.parent) == before
    process.stdin.write("\n")
    process.stdin.flush()
    assert process.wait(10) == 0
    assert [file.name for file in path.parent.iterdir()] == ["m.db"]
    before = state(path.parent)
    assert steps(path) == list(range(9))
    assert state(path.parent) == before


def test_a_killed_writer_leaves_a_log_that_is_read(writer):
    path, process = writer
    process.stdin.close()
    assert process.wait(10) == 1
    before = state(path.parent)
    assert steps(path) == list(range(9))
    assert state(path.parent) == before


@pytest.mark.parametrize("link", [False, True])
def test_a_copy_with_its_log_but_not_its_index_is_read(writer, tmp_path, link):
    path, _ = writer
    copy = tmp_path / "copy"
    copy.mkdir()
    for end in ("", "-wal"):
        shutil.copyfile(f"{path}{end}", copy / f"m ?#%.db{end}")
    asked = copy / "m ?#%.db"
    if link:
        asked = tmp_path / "link.db"
        asked.symlink_to(copy / "m ?#%.db")
    before = state(copy)
    assert steps(asked) == list(range(9))
    assert state(copy) == before


def test_a_copy_too_large_to_make_is_refused(writer, tmp_path, monkeypatch):
    path, _ = writer
    copy = tmp_path / "m.db"
    for end in ("", "-wal"):
        shutil.copyfile(f"{path}{end}", f"{copy}{end}")
    monkeypatch.setattr(sqlite, "SQLITE_COPY_CAP", 100)
    with pytest.raises(SourceError, match="too large; open it once with the program that wrote it"):
        mlflow_store.read_records(copy)


def test_a_locked_database_says_so(tmp_path, monkeypatch):
    path = mlflow_db(tmp_path / "m.db", [RUN])
    monkeypatch.setattr(sqlite, "_WAIT", 0.05)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        with pytest.raises(SourceError, match="another program is writing to the database; try again in a moment"):
            mlflow_store.read_records(path)
        connection.execute("ROLLBACK")


def test_a_database_left_halfway_says_so(tmp_path):
    path = mlflow_db(tmp_path / "m.db", [RUN])
    code = (
        "import os, sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('PRAGMA cache_size=1');"
        "c.execute('BEGIN'); c.executemany('INSERT INTO tags VALUES (?, ?, ?)', [('k' * 500, 'v', 'a')] * 2000);"
        "os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)
    assert (tmp_path / "m.db-journal").stat().st_size
    before = state(tmp_path)
    with pytest.raises(SourceError, match="its last writer stopped halfway"):
        mlflow_store.read_records(path)
    assert state(tmp_path) == before


def test_what_is_not_a_database(tmp_path):
    for name, raw, message in [
        ("text", b"hello", "is not an SQLite database; check the path"),
        ("short", b"SQLite format 3\0" + b"\0" * 9, "it is shorter than its header"),
        ("rest", b"SQLite format 3\0" + b"\7" * 5000, "is not an SQLite database that can be read"),
    ]:
        path = tmp_path / name
        path.write_bytes(raw)
        with pytest.raises(SourceError, match=re.escape(message)):
            sqlite.tables_of(path)
    with pytest.raises(SourceError, match="cannot be opened"):
        sqlite.tables_of(tmp_path / "none")
    assert not mlflow_store.sniff(tmp_path / "text", b"hello")
    assert not trackio.sniff(tmp_path / "text", b"hello")


def test_the_tables_say_whose_it_is(tmp_path):
    mine = mlflow_db(tmp_path / "m.db", [RUN])
    theirs = trackio_db(tmp_path / "t.db", [("a", "one", 0, {"x": 1})])
    other = sql(tmp_path / "o.db", "CREATE TABLE trials (a); CREATE TABLE studies (b)")
    for path, known in [(mine, [True, False]), (theirs, [False, True]), (other, [False, False])]:
        head = path.read_bytes()[:100]
        assert [mlflow_store.sniff(path, head), trackio.sniff(path, head)] == known
    assert str(sqlite.refusal(other)) == (
        f"{other}: an SQLite database with the tables 'studies', 'trials': of no tracker rlscale knows "
        "(MLflow, Trackio); export its runs to CSV or give the trainer's own log"
    )
    assert "without tables" in str(sqlite.refusal(sql(tmp_path / "e.db", "PRAGMA user_version=1; VACUUM")))
    assert "and 2 more" in str(
        sqlite.refusal(sql(tmp_path / "8.db", "".join(f"CREATE TABLE t{k} (a);" for k in range(8))))
    )


HOSTILE = {
    "view": "CREATE VIEW metrics AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n) SELECT i AS key FROM n",
    "columns": "CREATE TABLE metrics (run_uuid, other)",
    "computed": """CREATE TABLE metrics (run_uuid, "key" AS (hex(zeroblob(40000000))), value, timestamp);
        INSERT INTO metrics VALUES ('a', 1, 2)""",
    "quotes": 'CREATE TABLE metrics ("""run_uuid", "ke""y")',
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_tables(tmp_path, case):
    path = mlflow_db(tmp_path / "m.db", [RUN])
    sql(path, f"DROP TABLE metrics; {HOSTILE[case]}")
    with pytest.raises(FormatError, match=r"has no table 'metrics'|has no column"):
        mlflow_store.read_records(path)
    sql(path, f"CREATE TABLE configs (a); DROP {'VIEW' if case == 'view' else 'TABLE'} metrics; {HOSTILE[case]}")
    with pytest.raises(FormatError, match=r"has no table 'metrics'|has no column"):
        trackio.read_records(path)


def test_a_query_longer_than_the_file_explains_is_stopped(tmp_path, monkeypatch):
    path = mlflow_db(tmp_path / "m.db", [RUN])
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT {} FROM n"
    with sqlite.opened(path) as database, pytest.raises(SourceError, match="it repeats rows without end"):
        list(database.rows(endless.format("i")))
    monkeypatch.setattr(sqlite, "_OPS", 1000)
    with sqlite.opened(path) as database, pytest.raises(SourceError, match="takes longer than its size can explain"):
        list(database.rows(endless.format("max(i)")))


def test_nothing_can_be_written(tmp_path):
    path = mlflow_db(tmp_path / "m.db", [RUN])
    before = state(tmp_path)
    with sqlite.opened(path) as database, pytest.raises(SourceError, match="without changing it"):
        list(database.rows("DELETE FROM runs"))
    assert state(tmp_path) == before


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    changes=st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 255)), min_size=1, max_size=20),
    cut=st.floats(0, 1),
    which=st.sampled_from(["mlflow", "trackio"]),
)
def test_any_damage(tmp_path, changes, cut, which):
    made = tmp_path / f"{which}.db"
    if not made.exists() and which == "mlflow":
        mlflow_db(made, [RUN, {**RUN, "run_id": "b", "params": {"a": "1"}}])
    elif not made.exists():
        trackio_db(made, [("a", "one", k, {"x": k}) for k in range(40)], [("a", "one", {"y": 1})])
    raw = bytearray(made.read_bytes())
    for at, value in changes:
        raw[at % len(raw)] = value
    if cut < 0.3:
        del raw[int(len(raw) * cut / 0.3) :]
    path = tmp_path / "damaged.db"
    path.write_bytes(raw)
    for reader in (mlflow_store, trackio):
        with suppress(SourceError):
            if reader.sniff(path, bytes(raw[:100])):
                assert reader.read_records(path)
    assert path.read_bytes() == raw
    assert sorted(file.name for file in tmp_path.iterdir() if file.name.startswith("damaged")) == ["damaged.db"]
