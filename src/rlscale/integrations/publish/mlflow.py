"""MLflow: metrics of the run itself, where its store has one run of that name; else a run ``NAME (rlscale)``.

MLflow takes metrics of a run from any process, each with steps of its own, so they stand where people look at the run.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from rlscale.errors import InputError, hidden
from rlscale.integrations.publish.contract import Account, Row, library

__all__ = ["MLflow"]

#: Tag of a run that stands beside another, by which it is found again.
_MARK = "rlscale.mark"
#: Schemes of MLflow's own addresses.
_SCHEMES = ("http", "https", "file", "sqlite", "postgresql", "mysql", "mssql", "databricks")
#: Most metrics of one request, and characters of a tag.
_METRICS, _TAG = 1000, 5000


class MLflow:
    """Writes to a tracking server or a store.

    Parameters
    ----------
    target, place : str
        As named; ``//HOST[:PORT][/EXPERIMENT]`` as readers take it, an address of MLflow's own (``http://HOST:PORT``,
        ``sqlite:///FILE``), or a path of a database or a folder.

    Raises
    ------
    InputError
        No such form, or mlflow is not installed.
    """

    def __init__(self, target: str, place: str) -> None:
        uri, experiment = _address(target, place)
        self.target, self.key = target, f"mlflow:{hidden(uri)}#{experiment}"
        mlflow = library(target, "mlflow", "mlflow")
        self.failures: tuple[type[Exception], ...] = (library(target, "mlflow.exceptions", "mlflow").MlflowException,)
        logging.getLogger("mlflow").setLevel(logging.WARNING)  # it tells of tables it makes, across what is shown
        self._entities = library(target, "mlflow.entities", "mlflow")
        self._new: Callable[[], Any] = partial(mlflow.MlflowClient, tracking_uri=uri)
        self._experiment = experiment
        self._runs: dict[str, str] = {}
        self._beside: dict[str, str] = {}
        if uri.startswith(("file:", "sqlite:")):  # a server may be down, and is asked when there is something to say
            try:
                _ = self._client
            except self.failures as error:
                said = " ".join(str(error).split())
                raise InputError(f"--publish {target} cannot be opened: {said}") from error

    @cached_property
    def _client(self) -> Any:
        return self._new()

    def write(self, account: Account, rows: Sequence[Row]) -> None:
        """Log rows of a run; where that fails it is looked up again the next time."""
        try:
            self._write(account, rows)
        except self.failures:
            for known in (self._runs, self._beside):
                known.pop(account.name, None)
            raise

    def _write(self, account: Account, rows: Sequence[Row]) -> None:
        run = self._runs.get(account.name) or self._opened(account)
        metrics = [
            self._entities.Metric(key, value, round(1000 * row.at), row.step)
            for row in rows
            for key, value in row.metrics.items()
        ]
        texts = {key: text for row in rows for key, text in row.texts.items()}
        tags = [self._entities.RunTag(key, text[:_TAG]) for key, text in texts.items()]
        for start in range(0, len(metrics), _METRICS):
            self._client.log_batch(run, metrics=metrics[start : start + _METRICS], synchronous=True)
        self._client.log_batch(run, tags=tags, synchronous=True)

    def _opened(self, account: Account) -> str:
        """Return the id of the run itself, else of the one beside it, which is made where it is not there."""
        known = {one.name: one.experiment_id for one in self._client.search_experiments()}
        if self._experiment:
            known = {name: number for name, number in known.items() if name == self._experiment}
        own = self._own(known, account.name)
        run = own or self._beside_it(known, account)
        self._runs[account.name] = run
        if not own:
            self._beside[account.name] = run
        return run

    def _own(self, known: Mapping[str, str], name: str) -> str | None:
        """Return the one active run of a name; readers put its experiment before it where there are several."""
        for experiment, number in known.items():
            if name.startswith(f"{experiment}/"):
                found = self._found([number], "attributes.run_name", name.removeprefix(f"{experiment}/"))
                if len(found) == 1:
                    return found[0]
        found = self._found(list(known.values()), "attributes.run_name", name)
        return found[0] if len(found) == 1 else None

    def _beside_it(self, known: Mapping[str, str], account: Account) -> str:
        found = self._found(list(known.values()), f"tags.`{_MARK}`", account.mark)
        if found:
            return found[0]
        name = self._experiment or os.environ.get("MLFLOW_EXPERIMENT_NAME") or "rlscale"
        number = known.get(name) or self._client.create_experiment(name)
        tags = {_MARK: account.mark, "rlscale.of": account.name, "rlscale.ledger": account.ledger}
        return str(self._client.create_run(number, run_name=account.beside, tags=tags).info.run_id)

    def _found(self, experiments: Sequence[str], field: str, value: str) -> list[str]:
        """Return the ids of at most two active runs of which a field has this value."""
        quote = '"' if "'" in value else "'"
        if not experiments or quote in value:  # MLflow has no way to write such a value
            return []
        asked = f"{field} = {quote}{value}{quote}"
        return [one.info.run_id for one in self._client.search_runs(list(experiments), asked, max_results=2)]

    def close(self) -> None:
        """End the runs that stand beside others; those of trainers are theirs to end."""
        for run in self._beside.values():
            self._client.update_run(run, status="FINISHED")  # set_terminated prints
        self._beside.clear()


def _address(target: str, place: str) -> tuple[str, str]:
    """Return MLflow's address of a store, and the experiment; empty where none is named."""
    scheme = "http"
    if place.lower().startswith("https://") or place.lower().startswith("http://"):
        scheme, _, place = place.partition(":")
    if place.startswith("//"):
        parts = urlsplit(f"{scheme}:{place}")
        if not parts.hostname:
            raise InputError(f"--publish {target!r} names no host; give mlflow://HOST:PORT, or mlflow:PATH of a store")
        return f"{scheme}://{parts.netloc}", unquote(parts.path.strip("/"))
    if place.partition(":")[0].partition("+")[0].lower() in _SCHEMES:
        return place, ""
    path = Path(place).expanduser().resolve()
    return (f"sqlite:///{path}" if path.suffix in (".db", ".sqlite") or path.is_file() else path.as_uri()), ""
