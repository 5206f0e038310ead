"""Small stores of trackers, with the tables and files that the trackers themselves make."""

import json
import sqlite3
from contextlib import closing

MLFLOW = """
CREATE TABLE experiments (experiment_id INTEGER NOT NULL, name VARCHAR(256), lifecycle_stage VARCHAR(32),
    CONSTRAINT experiment_pk PRIMARY KEY (experiment_id));
CREATE TABLE runs (run_uuid VARCHAR(32) NOT NULL, name VARCHAR(250), status VARCHAR(9), start_time BIGINT,
    end_time BIGINT, lifecycle_stage VARCHAR(20), experiment_id INTEGER, CONSTRAINT run_pk PRIMARY KEY (run_uuid));
CREATE TABLE metrics ("key" VARCHAR(250) NOT NULL, value FLOAT NOT NULL, timestamp BIGINT NOT NULL,
    run_uuid VARCHAR(32) NOT NULL, step BIGINT DEFAULT '0' NOT NULL, is_nan BOOLEAN DEFAULT '0' NOT NULL,
    CONSTRAINT metric_pk PRIMARY KEY ("key", timestamp, step, run_uuid, value, is_nan));
CREATE TABLE params ("key" VARCHAR(250) NOT NULL, value VARCHAR(8000) NOT NULL, run_uuid VARCHAR(32) NOT NULL);
CREATE TABLE tags ("key" VARCHAR(250) NOT NULL, value VARCHAR(8000), run_uuid VARCHAR(32) NOT NULL);
"""

TRACKIO = """
CREATE TABLE metrics (id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL, timestamp TEXT NOT NULL,
    run_name TEXT NOT NULL, step INTEGER NOT NULL, metrics TEXT NOT NULL);
CREATE TABLE configs (id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL, run_name TEXT NOT NULL,
    config TEXT NOT NULL, created_at TEXT NOT NULL, UNIQUE(run_id));
"""

#: Before run ids (Trackio 0.23 and older).
OLD_TRACKIO = TRACKIO.replace("run_id TEXT NOT NULL, ", "").replace("UNIQUE(run_id)", "UNIQUE(run_name)")


def sql(path, script, *inserts):
    """Run a script on a database; then ``(table, rows)`` for every insert."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(script)
        for table, rows in inserts:
            for row in rows:
                connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)
    return path


def mlflow_db(path, runs, experiments=((0, "Default", "active"),)):
    """Write an MLflow database. ``runs``: dicts of run_id and any of name, stage, start, points, params, tags, ..."""
    metrics, params, tags, rows = [], [], [], []
    for run in runs:
        key = run["run_id"]
        stage, begun = run.get("stage", "active"), run.get("start", 1_700_000_000_000)
        rows.append((key, run.get("name"), "RUNNING", begun, None, stage, run.get("experiment", 0)))
        for name, value, ms, step, *is_nan in run.get("points", ()):
            metrics.append((name, value, ms, key, step, is_nan[0] if is_nan else 0))
        params.extend((name, value, key) for name, value in run.get("params", {}).items())
        tags.extend((name, value, key) for name, value in run.get("tags", {}).items())
    return sql(
        path,
        MLFLOW,
        ("experiments", experiments),
        ("runs", rows),
        ("metrics", metrics),
        ("params", params),
        ("tags", tags),
    )


def mlruns(root, runs, names=("Default",)):
    """Write MLflow's folder of text files; a metric is a list of lines."""
    for number, name in enumerate(names):
        (root / str(number)).mkdir(parents=True, exist_ok=True)
        (root / str(number) / "meta.yaml").write_text(f"experiment_id: '{number}'\nname: {name}\n")
    for run in runs:
        home = root / str(run.get("experiment", 0)) / run["run_id"]
        home.mkdir(parents=True)
        stage = run.get("stage", "active")
        text = f"lifecycle_stage: {stage}\nrun_id: {run['run_id']}\nrun_name: {run.get('name', 'null')}\n"
        (home / "meta.yaml").write_text(text + "start_time: 1700000000000\nstatus: 3\n")
        files = {"metrics": run.get("metrics", {}), "params": run.get("params", {}), "tags": run.get("tags", {})}
        for kind, held in files.items():
            (home / kind).mkdir()
            for key, value in held.items():
                file = home / kind / key
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(value if isinstance(value, str) else "".join(f"{line}\n" for line in value))
    return root


def trackio_db(path, rows, configs=(), old=False):
    """Write a Trackio database. ``rows``: (run_id, name, step, values); ``configs``: (run_id, name, values)."""
    stored, made = [], []
    for number, (run_id, name, step, values) in enumerate(rows, start=1):
        stamp = f"2026-01-01T00:00:{number % 60:02d}.5+00:00"
        raw = values if isinstance(values, str | bytes) else json.dumps(values).encode()
        stored.append((number, stamp, name, step, raw) if old else (number, run_id, stamp, name, step, raw))
    for number, (run_id, name, values) in enumerate(configs, start=1):
        raw = values if isinstance(values, str | bytes) else json.dumps(values).encode()
        created = "2026-01-01T00:00:00+00:00"
        made.append((number, name, raw, created) if old else (number, run_id, name, raw, created))
    return sql(path, OLD_TRACKIO if old else TRACKIO, ("metrics", stored), ("configs", made))
