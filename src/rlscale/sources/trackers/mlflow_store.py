"""MLflow's stores on the disk: the SQLite database (the default since 3), and the folder ``mlruns`` of text files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rlscale.sources.format import Address, Claim, Entry, Format, Kind, Precision, Stored
from rlscale.sources.record import Record
from rlscale.sources.trackers import mlflow_files, sqlite
from rlscale.sources.trackers.mlflow_run import NAME, Run, records, value_of

__all__ = ["FORMAT", "NAME", "read_records", "sniff"]

_ACTIVE = "active"


def sniff(path: Path, head: bytes) -> bool:
    """Whether the file is MLflow's database, by its tables, or the folder is one of its text files.

    Raises
    ------
    SourceError
        A database that cannot be read.
    """
    if path.is_dir():
        return mlflow_files.is_store(path)
    if not sqlite.is_sqlite(head):
        return False
    tables = sqlite.tables_of(path)
    return "run_uuid" in tables.get("metrics", ()) and "run_uuid" in tables.get("runs", ())


def read_records(path: Path) -> list[Record]:
    """Return the runs of a database, or of a folder: ``mlruns``, an experiment in it, or one run.

    Every run that is not deleted and holds metrics is a record, its values in the order they were logged, at MLflow's
    own steps and times. Its name is the one MLflow shows, behind the experiment's where several experiments hold runs;
    its configuration is the parameters, read as JSON where they are JSON (``True`` and ``None`` of Python too).

    Raises
    ------
    FormatError
        Not MLflow's.
    SourceError
        The store cannot be read, or holds no run with metrics.
    """
    if path.is_dir():
        return mlflow_files.read_records(path)
    with sqlite.opened(path) as database:
        runs, deleted = _runs(database)
        _fill(database, runs)
    return records(runs.values(), str(path), deleted)


def _runs(database: sqlite.Database) -> tuple[dict[str, Run], int]:
    """Return the active runs by their id, and how many are deleted."""
    experiments: dict[object, object] = {}
    if "experiments" in database.tables:
        experiments = dict(database.select("experiments", {"experiment_id": None, "name": None}))
    wanted = {"run_uuid": None, "name": "NULL", "start_time": "NULL", "lifecycle_stage": "'active'"}
    runs: dict[str, Run] = {}
    deleted = 0
    for run_id, name, start, stage, experiment in database.select("runs", {**wanted, "experiment_id": "NULL"}):
        if stage != _ACTIVE:
            deleted += 1
        elif isinstance(run_id, str):
            begun = value_of(start)
            run = runs[run_id] = Run(run_id, name if isinstance(name, str) else "")
            run.experiment = str(experiments.get(experiment, experiment))
            run.start = run.start if begun is None else begun / 1000
    return runs, deleted


def _fill(database: sqlite.Database, runs: dict[str, Run]) -> None:
    """Give the runs what the tables of tags, parameters and metrics hold of them."""
    pairs = {"run_uuid": None, "key": None, "value": None}
    if "tags" in database.tables:
        for run_id, key, value in database.select("tags", pairs):
            if key == "mlflow.runName" and run_id in runs and isinstance(value, str) and value:
                runs[run_id].name = value
    if "params" in database.tables:
        for run_id, key, value in database.select("params", pairs):
            if run_id in runs and isinstance(key, str) and isinstance(value, str):
                runs[run_id].params[key] = value
    points = {"run_uuid": None, "key": None, "step": "0", "value": None, "timestamp": "NULL", "is_nan": "0"}
    for run_id, key, step, value, timestamp, is_nan in database.select("metrics", points):
        run = runs.get(run_id)
        if run is not None:
            run.add(key, step, "nan" if is_nan or value is None else value, timestamp)


def _claims(folder: Path, names: Sequence[str]) -> Claim | None:
    """Return the claim of the root ``mlruns``, an experiment or a run: each is one log."""
    marked = "meta.yaml" in names or folder.name == "mlruns"
    return Claim(folder=True) if marked and mlflow_files.is_store(folder) else None


def _from_server(uri: str) -> Sequence[Stored]:
    from rlscale.sources.trackers import mlflow_server

    return mlflow_server.read_records(uri)


FORMAT: Format = Format(
    name=NAME,
    kind=Kind.TRACKER,
    entries=(
        Entry(NAME, "MLflow's stores", "mlflow.db, or the folder mlruns", precision=Precision.TRACKED),
        Entry(
            NAME, "MLflow's server", "mlflow://HOST:PORT[/EXPERIMENT], mlflow+https://...", "", "a real server",
            "a login in MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD",
        ),
    ),
    sniff=sniff,
    read=read_records,
    address=Address(("mlflow", "mlflow+https"), "mlflow://HOST:PORT/EXPERIMENT", _from_server),
    endings=sqlite.ENDINGS,
    is_folder=mlflow_files.is_store,
    claims=_claims,
    companions=lambda path: None if path.is_dir() else (sqlite.journal_of(path),),
    folder_words="mlruns|mlflow",
)  # fmt: skip
