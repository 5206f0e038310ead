"""What can be read, from where, and with which extra: the list behind ``rlscale sources`` and the docs page."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CONTAINERS", "Container"]


@dataclass(frozen=True)
class Container:
    """A place that logs stand in.

    Parameters
    ----------
    name : str
        As in ``source.format``.
    title : str
        What it is called.
    give : str
        What to give as PATH.
    extra : str
        The optional dependencies it needs, as in ``pip install 'rlscale[EXTRA]'``; empty for none.
    checked : str
        On what the reader was tried.
    note : str
        What a user must know.
    """

    name: str
    title: str
    give: str
    extra: str = ""
    checked: str = "real files"
    note: str = ""


CONTAINERS = (
    Container("trl", "TRL and Unsloth", "trainer_state.json, or the output folder"),
    Container("trl-console", "TRL's output", "the text log with its progress bars", note="unless it is rounded"),
    Container("verl-console", "verl's console", "the text log", note="from 0.2 on, behind Ray's prefixes"),
    Container("verl-file", "verl's file logger", "{project}/{experiment}.jsonl"),
    Container("console", "other trainers' consoles", "the text log", checked="files written as the source prints them",
              note="ROLL, OpenRLHF, slime, SkyRL, torchforge; rows may be broken over lines"),
    Container("areal-log", "AReaL's main.log", "the text log with its tables", checked="files written as the source "
              "prints them"),
    Container("prime-rl-log", "prime-rl's orchestrator", "the text log", checked="files written as the source prints "
              "them", note="of all versions; four decimals"),
    Container("roll-state", "ROLL's state", "worker_state_pipeline.json, or the output folder",
              checked="files written as the source writes them"),
    Container("tinker", "tinker-cookbook", "metrics.jsonl"),
    Container("prime-rl", "prime-rl", "metrics.jsonl", checked="files written as the source writes them",
              note="trainer and orchestrator in one file"),
    Container("jsonl", "any metrics.jsonl", "one flat JSON object a step"),
    Container("jsonl", "a JSON array of rows", "log_history.json, as json.dump writes it"),
    Container("keyed-json", "a JSON document of series", "{key: {step: value}}, or {step: {key: value}}",
              checked="files written as the source writes them", note="as scripts dump TensorBoard"),
    Container("sb3-monitor", "Stable-Baselines3's monitor", "monitor.csv", checked="files written as the source writes "
              "them", note="one episode a row, against the steps of the environment"),
    Container("tensorboard", "TensorBoard", "an event file, or its folder", note="every scalar, unsampled"),
    Container("wandb", "W&B offline files", "run-*.wandb, or the folder wandb",
              note="decoded without the wandb package; killed runs and their console too"),
    Container("wandb", "W&B's service", "wandb://ENTITY/PROJECT[/RUN]", "wandb",
              "the documented shape of its answers, on a local server", "full history, not the sampled one"),
    Container("mlflow", "MLflow's stores", "mlflow.db, or the folder mlruns"),
    Container("mlflow", "MLflow's server", "mlflow://HOST:PORT[/EXPERIMENT], mlflow+https://...", "", "a real server",
              "a login in MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"),
    Container("trackio", "Trackio", "{project}.db"),
    Container("trackio", "Trackio's export", "{project}.parquet", "parquet"),
    Container("tracker-export", "trackers' exports", "CSV or JSON lines of W&B, Trackio, MLflow, TensorBoard", "",
              "files made from a real history", "a history's rows, several runs by a column, or a chart's points"),
    Container("tracker-export", "trackers' exports in Parquet", "a data frame of a history", "parquet",
              "files made from a real history"),
    Container("table", "tables", "CSV, TSV or JSON lines, one row an evaluation", note="or one column a run: --wide"),
    Container("table", "Parquet tables", "a .parquet file, one row an evaluation", "parquet"),
    Container("ledger", "a ledger in SQLite", "ledger:FILE", note="what rlscale ledger add and rlscale watch keep"),
    Container("ledger", "a ledger in PostgreSQL", "ledger:postgresql://USER@HOST/DATABASE", "postgres", "a real server",
              "a password in PGPASSWORD or ~/.pgpass"),
)  # fmt: skip
