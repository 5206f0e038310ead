"""MLflow's tracking server, over the REST API 2.0 it documents; the standard library is enough.

========================================  ==============================================================
``mlflow://HOST[:PORT]``                  every experiment of a server, over HTTP
``mlflow://HOST[:PORT]/EXPERIMENT``       one of them, by its name (%-quoted where a URI needs it) or its id
``mlflow+https://HOST[:PORT]/EXPERIMENT`` the same over TLS
``mlflow:///FOLDER/mlflow.db``            a store on this machine: a database, or a folder ``mlruns``
========================================  ==============================================================

Where set, ``MLFLOW_TRACKING_TOKEN``, else ``MLFLOW_TRACKING_USERNAME`` and ``MLFLOW_TRACKING_PASSWORD``, are sent to
the host named, and nowhere else: no redirect leaves it.
"""

from __future__ import annotations

import base64
import http.client
import json
import math
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import IO, Any

from rlscale.errors import SourceError
from rlscale.sources.limits import MLFLOW_ANSWER_CAP, MLFLOW_PAGES
from rlscale.sources.record import Record
from rlscale.sources.trackers import mlflow_store
from rlscale.sources.trackers.mlflow_run import Run, records, value_of

__all__ = ["read_records"]

_SCHEMES = {"mlflow": "http", "mlflow+https": "https"}

#: Seconds: without a byte, and for a whole answer.
_SILENCE, _ANSWER = 10.0, 120.0

_PAUSES = (0.5, 1.0)
_AGAIN = frozenset({429, 500, 502, 503, 504})
_POINTS_A_PAGE = 25_000

#: A metric is a request; one after the other they would mostly wait.
_REQUESTS_AT_ONCE = 4


def read_records(uri: str) -> list[Record]:
    """Return the runs of a server, or of one experiment, as :func:`mlflow_store.read_records` does for a store.

    Of each run, the whole history of every metric it lists is fetched, in order of time.

    Raises
    ------
    FormatError
        The path of a local store is not one of MLflow's.
    SourceError
        The address is none, the server is down, refuses, or is not MLflow's; there is no such experiment; no run in it
        holds metrics.
    """
    scheme, host, rest = _address(uri)
    if not host:
        return _local(uri, rest)
    server = _Server(f"{_SCHEMES[scheme]}://{host}", uri)
    runs: list[tuple[Run, list[str]]] = []
    experiments = _experiments(server, rest.strip("/"))
    for start in range(0, len(experiments), 100):
        some = dict(list(experiments.items())[start : start + 100])
        asked = {"experiment_ids": list(some), "run_view_type": "ACTIVE_ONLY", "max_results": 1000}
        runs.extend(_run(server, stored, some) for stored in server.pages("runs/search", "runs", asked))
    with ThreadPoolExecutor(_REQUESTS_AT_ONCE) as pool:
        try:
            for run, keys in runs:
                for key, points in zip(keys, pool.map(partial(server.history, run.run_id), keys), strict=True):
                    for point in points:
                        run.add(key, point.get("step", 0), point.get("value"), point.get("timestamp"))
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    return records((run for run, _ in runs), uri)


def _address(uri: str) -> tuple[str, str, str]:
    """Return the scheme, ``host[:port]`` (empty for a local store) and the path of an address."""
    try:
        parts = urllib.parse.urlsplit(uri)
        port = parts.port
    except ValueError as error:
        raise SourceError(uri, f"is no address ({error}); {_FORM}") from error
    host = parts.hostname or ""
    if parts.scheme not in _SCHEMES or parts.username is not None or parts.query or parts.fragment:
        shown = uri if parts.password is None else uri.replace(f":{parts.password}@", ":...@")
        raise SourceError(shown, f"is no address of MLflow; {_FORM}")
    if any(not (letter.isalnum() or letter in ".-_:") for letter in host):
        raise SourceError(uri, f"is no address of MLflow (the host is {host!r}); {_FORM}")
    host = f"[{host}]" if ":" in host else host
    return parts.scheme, host if port is None else f"{host}:{port}", urllib.parse.unquote(parts.path)


_FORM = (
    "write mlflow://HOST:PORT/EXPERIMENT (mlflow+https:// for TLS) or mlflow:///FOLDER/mlflow.db; "
    "a login goes into MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
)


def _local(uri: str, path: str) -> list[Record]:
    store = Path(path)
    try:
        there = bool(path.strip("/")) and (store.is_file() or store.is_dir())
    except (OSError, ValueError):
        there = False
    if not there:
        raise SourceError(uri, f"no such file or folder; {_FORM}")
    return mlflow_store.read_records(store)


def _experiments(server: _Server, wanted: str) -> dict[str, str]:
    """Return the names of the experiments to read by their ids."""
    asked = {"max_results": 1000, "view_type": "ACTIVE_ONLY"}
    found: dict[str, str] = {}
    for stored in server.pages("experiments/search", "experiments", asked):
        key = str(stored.get("experiment_id"))
        found[key] = str(stored.get("name", key))
    if not wanted:
        return found
    for key, name in found.items():
        if name == wanted:
            return {key: name}
    if wanted in found:
        return {wanted: found[wanted]}
    names = ", ".join(map(repr, list(found.values())[:8]))
    raise SourceError(server.uri, f"there is no experiment {wanted!r} on the server; it holds {names or 'none'}")


def _run(server: _Server, stored: Mapping[str, Any], experiments: Mapping[str, str]) -> tuple[Run, list[str]]:
    """Return a run without its metrics, and the keys of those."""
    info, data = _object(stored.get("info")), _object(stored.get("data"))
    run_id = info.get("run_id") or info.get("run_uuid")
    if not isinstance(run_id, str):
        raise server.strange("a run without an id")
    experiment = str(info.get("experiment_id"))
    run = Run(run_id, experiment=experiments.get(experiment, experiment))
    tags = {item.get("key"): item.get("value") for item in _objects(data.get("tags"))}
    name = tags.get("mlflow.runName") or info.get("run_name")
    run.name = name if isinstance(name, str) else ""
    begun = value_of(info.get("start_time"))
    run.start = math.nan if begun is None else begun / 1000
    for item in _objects(data.get("params")):
        key, value = item.get("key"), item.get("value", "")
        if isinstance(key, str) and isinstance(value, str):
            run.params[key] = value
    keys = [item.get("key") for item in _objects(data.get("metrics"))]
    return run, list(dict.fromkeys(key for key in keys if isinstance(key, str)))


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


class _SameHost(urllib.request.HTTPRedirectHandler):
    """Follows a redirect only to the host that was asked, by the same protocol."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        """Return the request to make next; None where the redirect leads elsewhere."""
        old, new = urllib.parse.urlsplit(req.full_url), urllib.parse.urlsplit(newurl)
        if (old.scheme, old.netloc) != (new.scheme, new.netloc):
            return None
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class _Server:
    """The REST API of one server.

    Parameters
    ----------
    root : str
        ``http(s)://host[:port]``.
    uri : str
        As the user named it.
    """

    def __init__(self, root: str, uri: str) -> None:
        self.uri = uri
        self._root = root
        self._opener = urllib.request.build_opener(_SameHost)
        self._headers = {"Accept": "application/json", "Content-Type": "application/json", **_login()}

    def history(self, run_id: str, key: str) -> list[dict[str, Any]]:
        """Return every point of a metric, in order of time."""
        asked = {"run_id": run_id, "metric_key": key, "max_results": _POINTS_A_PAGE}
        points = list(self.pages("metrics/get-history", "metrics", asked, post=False))
        return sorted(points, key=_time_of)

    def pages(self, what: str, holds: str, asked: Mapping[str, Any], post: bool = True) -> Iterator[dict[str, Any]]:
        """Yield the objects of every page of an answer."""
        token, seen = "", set[str]()
        while len(seen) < MLFLOW_PAGES:
            answer = self._ask(what, {**asked, "page_token": token} if token else asked, post)
            yield from _objects(answer.get(holds))
            token = str(answer.get("next_page_token") or "")
            if not token:
                return
            if token in seen:
                break
            seen.add(token)
        raise self.strange(f"pages of {what} without end")

    def strange(self, what: str) -> SourceError:
        """Return the error of an answer that is not MLflow's."""
        return SourceError(self.uri, f"{self._root} answered {what}; is it an MLflow tracking server?")

    def _ask(self, what: str, asked: Mapping[str, Any], post: bool) -> Mapping[str, Any]:
        url = f"{self._root}/api/2.0/mlflow/{what}"
        if post:
            request = urllib.request.Request(url, json.dumps(asked).encode(), self._headers)
        else:
            request = urllib.request.Request(f"{url}?{urllib.parse.urlencode(asked)}", headers=self._headers)
        for pause in (*_PAUSES, None):
            try:
                with self._opener.open(request, timeout=_SILENCE) as response:
                    raw = self._read(response)
                break
            except urllib.error.HTTPError as error:
                with error:
                    if pause is None or error.code not in _AGAIN:
                        raise self._refused(error) from error
            except (OSError, http.client.HTTPException, ValueError) as error:
                reason = str(getattr(error, "reason", "") or error or type(error).__name__)
                message = f"{self._root} cannot be reached ({reason}); check that the server runs and the address"
                raise SourceError(self.uri, message) from error
            time.sleep(pause)
        try:
            answer = json.loads(raw)
        except (ValueError, RecursionError) as error:
            start = raw[:40].decode("utf-8", "replace").strip()
            raise self.strange(f"what is not JSON ({start!r})") from error
        if not isinstance(answer, dict):
            raise self.strange("JSON that is not an object")
        return answer

    def _read(self, response: http.client.HTTPResponse) -> bytes:
        """Return an answer, bounded in size and time."""
        until, raw = time.monotonic() + _ANSWER, bytearray()
        while block := response.read1(1 << 16):
            raw += block
            if len(raw) > MLFLOW_ANSWER_CAP:
                raise self.strange(f"more than {MLFLOW_ANSWER_CAP >> 20} MiB to one request")
            if time.monotonic() > until:
                message = f"{self._root} took more than {_ANSWER:g} s for one answer; try again when it is less busy"
                raise SourceError(self.uri, message)
        return bytes(raw)

    def _refused(self, error: urllib.error.HTTPError) -> SourceError:
        if error.code in (401, 403):
            message = (
                f"the server wants a login (HTTP {error.code}); set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME "
                "and MLFLOW_TRACKING_PASSWORD, to one that may read"
            )
        elif error.code in (301, 302, 303, 307, 308):
            message = f"{self._root} points elsewhere (HTTP {error.code}), which is not followed; give that address"
        elif error.code == 404:
            return self.strange("HTTP 404")
        elif error.code in _AGAIN:
            message = (
                f"the server failed {len(_PAUSES) + 1} times (HTTP {error.code}); look at its log, try again later"
            )
        else:
            message = f"the server refused (HTTP {error.code}); look at its log"
        return SourceError(self.uri, message)


def _time_of(point: Mapping[str, Any]) -> float:
    stamp = value_of(point.get("timestamp"))
    return 0.0 if stamp is None or math.isnan(stamp) else stamp


def _login() -> dict[str, str]:
    token, user = os.environ.get("MLFLOW_TRACKING_TOKEN"), os.environ.get("MLFLOW_TRACKING_USERNAME")
    if token:
        login = f"Bearer {token}"
    elif user:
        both = f"{user}:{os.environ.get('MLFLOW_TRACKING_PASSWORD', '')}"
        login = f"Basic {base64.b64encode(both.encode()).decode()}"
    else:
        return {}
    return {"Authorization": login} if login.isascii() and login.isprintable() else {}
