"""What is known of the runs as metrics, in the text format of Prometheus."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from rlscale.errors import InputError
from rlscale.serve.board import Board
from rlscale.serve.board.kept import MOST
from rlscale.serve.query import Query

__all__ = ["Counts", "metrics"]

_PREFIX = "rlscale"
_QUANTILES = {"q10": "0.1", "q50": "0.5", "q90": "0.9"}


class Counts:
    """Requests answered, by status."""

    def __init__(self) -> None:
        self.by_status: Counter[int] = Counter()

    def add(self, status: int) -> None:
        """Count an answer."""
        self.by_status[status] += 1


async def metrics(request: Request) -> Response:
    """Answer with the metrics of the runs as they stand."""
    from prometheus_client import CollectorRegistry
    from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

    board: Board = request.app.state.board
    registry = CollectorRegistry()
    registry.register(_Board(board, request.app.state.counts))
    text = await asyncio.to_thread(generate_latest, registry)
    return Response(text, headers={"Content-Type": CONTENT_TYPE_LATEST, "Cache-Control": "no-store"})


class _Board:
    """What the documents of a board say, as metrics."""

    def __init__(self, board: Board, counts: Counts) -> None:
        self._board, self._counts = board, counts

    def collect(self) -> Iterator[Any]:
        """Yield the metrics."""
        yield from self._server()
        for view, metrics_of in (("overview", _recipes), ("decisions", _decisions)):
            document = self._document(Query(view=view))
            yield from () if document is None else metrics_of(document)
        yield from _alarms(self._health())

    def _document(self, query: Query) -> Mapping[str, Any] | None:
        try:
            return self._board.page(query).answer.document
        except InputError:  # nothing to show there yet
            return None

    def _health(self) -> list[Mapping[str, Any]]:
        """Return the health of every run; of none where they are too many to be judged while a page is open."""
        runs: dict[str, Mapping[str, Any]] = {}
        many = sum(map(len, self._board.recipes.values()))
        while len(runs) < many <= MOST:  # the page shows a part at a time
            document = self._document(Query(view="health", offset=len(runs)))
            more = {} if document is None else {run["run"]: run for run in document["runs"] if run["run"] not in runs}
            if not more:
                break
            runs.update(more)
        return [*runs.values()]

    def _server(self) -> Iterator[Any]:
        from prometheus_client.metrics_core import CounterMetricFamily

        board = self._board
        yield from _gauge(
            "board_version", "Number of the runs as they stand; it rises with what is read", (({}, board.version),)
        )
        yield from _gauge(
            "board_age_seconds", "Since the runs were read as they stand", (({}, time.time() - board.at),)
        )
        yield from _gauge("troubles", "Sources that cannot be read now", (({}, len(board.troubles)),))
        requests = CounterMetricFamily(f"{_PREFIX}_requests", "Requests answered, by status", labels=["status"])
        for status, count in sorted(self._counts.by_status.items()):
            requests.add_metric([str(status)], count)
        yield requests


def _recipes(document: Mapping[str, Any]) -> Iterator[Any]:
    recipes = document["recipes"]
    yield from _quantiles("ceiling", "Reward that a recipe tops out at", recipes, "ceiling")
    yield from _quantiles("forecast", "Reward of a recipe at the common compute", recipes, "forecast")
    best = [({"recipe": row["recipe"]}, row["p_best"]) for row in recipes]
    yield from _gauge("p_best", "Probability that a recipe is the best", best)
    verdicts = [({"recipe": row["recipe"], "verdict": row["verdict"]}, 1) for row in recipes]
    yield from _gauge("verdict_info", "What the evaluations of a recipe support", verdicts)


def _decisions(document: Mapping[str, Any]) -> Iterator[Any]:
    decided = document["decisions"]
    rows = [({"run": row["run"], "recipe": row["recipe"], "decision": row["decision"]}, 1) for row in decided]
    yield from _gauge("decision_info", "What the gate decided on a run", rows)
    yield from _gauge("spent_compute", "Compute of all runs so far", (({}, document.get("spent")),))


def _alarms(runs: Sequence[Mapping[str, Any]]) -> Iterator[Any]:
    counts = Counter(
        (run["run"], alarm["severity"]) for run in runs for alarm in run["alarms"] if alarm["until_step"] is None
    )
    rows = [({"run": run, "severity": severity}, count) for (run, severity), count in sorted(counts.items())]
    yield from _gauge("alarms", "Alarms of a run that last, by severity", rows)


def _quantiles(name: str, what: str, rows: Any, key: str) -> Iterator[Any]:
    values = [
        ({"recipe": row["recipe"], "quantile": quantile}, row[key][at])
        for row in rows if row.get(key) is not None
        for at, quantile in _QUANTILES.items()
    ]  # fmt: skip
    yield from _gauge(name, what, values)


def _gauge(name: str, what: str, values: Any) -> Iterator[Any]:
    """Yield a metric; nothing where no value of it is known."""
    from prometheus_client.metrics_core import GaugeMetricFamily

    values = [(labels, value) for labels, value in values if value is not None]
    if not values:
        return
    names = [*values[0][0]]
    family = GaugeMetricFamily(f"{_PREFIX}_{name}", what, labels=names)
    for labels, value in values:
        family.add_metric([labels[key] for key in names], value)
    yield family
