"""MLflow's server: the real one, and one of the standard library that misbehaves."""

import base64
import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from rlscale.errors import FormatError, SourceError
from rlscale.sources.trackers import mlflow_server, mlflow_store
from tests.sources.trackers.made_stores import mlflow_db
from tests.waiting import LIMIT, wait_until

T0 = 1_700_000_000_000


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(mlflow_server, "_PAUSES", (0.01, 0.01))
    monkeypatch.setattr(mlflow_server, "_SILENCE", LIMIT)
    monkeypatch.setattr(mlflow_server, "_ANSWER", LIMIT)
    for name in ("TOKEN", "USERNAME", "PASSWORD"):
        monkeypatch.delenv(f"MLFLOW_TRACKING_{name}", raising=False)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def serve(quick):
    """Start a server that answers with ``answer(handler, what, asked)``: an object, or None where it has answered."""
    servers = []

    def serve(answer):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                asked = {key: value[0] for key, value in parse_qs(urlsplit(self.path).query).items()}
                self.reply(asked)

            def do_POST(self):
                self.reply(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

            def reply(self, asked):
                found = answer(self, urlsplit(self.path).path.removeprefix("/api/2.0/mlflow/"), asked)
                if found is not None:
                    self.send(200, json.dumps(found).encode())

            def send(self, code, raw, **headers):
                self.send_response(code)
                for key, value in {"Content-Length": str(len(raw)), **headers}.items():
                    self.send_header(key, value)
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        servers.append((server, thread))
        return f"mlflow://127.0.0.1:{server.server_address[1]}"

    yield serve
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


def run_of(run_id, keys, **info):
    tags = [{"key": "mlflow.runName", "value": run_id.upper()}]
    data = {
        "metrics": [{"key": key, "value": 0} for key in keys],
        "params": [{"key": "lr", "value": "1e-4"}],
        "tags": tags,
    }
    return {"info": {"run_id": run_id, "experiment_id": "7", "start_time": T0, **info}, "data": data}


def in_pages(held, asked, size=2):
    start = int(asked.get("page_token") or 0)
    more = {"next_page_token": str(start + size)} if start + size < len(held) else {}
    return held[start : start + size], more


def service(handler, what, asked):
    """Three experiments, five runs and five points a metric, two a page."""
    if what == "experiments/search":
        assert asked["view_type"] == "ACTIVE_ONLY"
        page, more = in_pages([{"experiment_id": str(k), "name": f"exp {k}"} for k in (6, 7, 8)], asked)
        return {"experiments": page, **more}
    if what == "runs/search":
        assert asked["run_view_type"] == "ACTIVE_ONLY"
        held = [run_of(f"r{k}", ["eval_reward", "x/ü"]) for k in range(5)] if "7" in asked["experiment_ids"] else []
        page, more = in_pages(held, asked)
        return {"runs": page, **more}
    values = [0.25, "NaN", "Infinity", 0.5, 0.75]
    stamps = [T0, T0 + 1, str(T0 + 2), T0 + 9, T0 + 3]
    points = [{"value": v, "timestamp": t, "step": str(k)} for k, (v, t) in enumerate(zip(values, stamps, strict=True))]
    page, more = in_pages(points, asked)
    return {"metrics": page, **more}


@pytest.mark.parametrize("which", ["", "/", "/exp%207", "/7"])
def test_every_page_is_read(serve, which):
    uri = serve(service) + which
    records = mlflow_server.read_records(uri)
    assert [record.name for record in records] == [f"R{k}" for k in range(5)]
    record = records[0]
    assert (record.path, record.format, record.rows, record.run_id) == (uri, "mlflow", 10, "r0")
    assert (record.config, record.starts) == ({"lr": 1e-4}, (T0 / 1000,))
    column = record.columns["x/ü"]
    np.testing.assert_array_equal(column.step, [0, 1, 2, 4, 3])  # in order of time
    np.testing.assert_array_equal(column.value, [0.25, np.nan, np.nan, 0.75, 0.5])


def refusal(uri, kind=SourceError):
    with pytest.raises(kind) as error:
        mlflow_server.read_records(uri)
    assert error.value.path == uri
    return error.value.message


def test_no_such_experiment_and_no_runs(serve):
    uri = serve(service)
    assert refusal(f"{uri}/none") == ("there is no experiment 'none' on the server; it holds 'exp 6', 'exp 7', 'exp 8'")
    assert refusal(f"{uri}/exp%208") == "this MLflow store holds no run; check that the trainer logs to it"


@pytest.mark.parametrize("code", [429, 500, 503])
def test_a_failure_is_tried_again_twice(serve, code):
    calls = []

    def failing(handler, what, asked):
        calls.append(what)
        if len(calls) in (1, 2, 4):
            return handler.send(code, b"busy")
        return service(handler, what, asked)

    assert len(mlflow_server.read_records(serve(failing))) == 5
    calls.clear()

    def always(handler, what, asked):
        calls.append(what)
        handler.send(code, b"busy")

    message = refusal(serve(always))
    assert message == f"the server failed 3 times (HTTP {code}); look at its log, try again later"
    assert len(calls) == 3


STRANGE = {
    "html": (200, b"<!DOCTYPE html><title>Sign in</title>", "what is not JSON ('<!DOCTYPE html>"),
    "bytes": (200, b"\xff\xfe\xff", "what is not JSON"),
    "nested": (200, b"[" * 100_000, "what is not JSON"),
    "list": (200, b"[]", "JSON that is not an object"),
    "missing": (404, b"", "HTTP 404; is it an MLflow tracking server?"),
    "teapot": (418, b"", "the server refused (HTTP 418); look at its log"),
    "login": (401, b"", "the server wants a login (HTTP 401); set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME"),
    "forbidden": (403, b"", "the server wants a login (HTTP 403)"),
    "no id": (200, b'{"experiments": [{"experiment_id": "1"}], "runs": [{"info": 3}]}', "answered a run without an id"),
    "same page": (200, b'{"experiments": [], "next_page_token": "x"}', "pages of experiments/search without end"),
    "other types": (200, b'{"experiments": {"a": 1}, "runs": 7}', "holds no run"),
}


@pytest.mark.parametrize("case", STRANGE)
def test_strange_answers(serve, case):
    code, raw, message = STRANGE[case]
    assert message in refusal(serve(lambda handler, what, asked: handler.send(code, raw)))


def test_metrics_of_other_kinds(serve):
    def odd(handler, what, asked):
        if what != "metrics/get-history":
            return service(handler, what, asked)
        points = [{"value": 1, "timestamp": T0, "step": 1}, {"value": None}, {"value": 2, "timestamp": "t"}, 5, {}]
        return {"metrics": points}

    record = mlflow_server.read_records(serve(odd))[0]
    np.testing.assert_array_equal(record.columns["eval_reward"].value, [2, 1])
    assert record.repairs == ("4 values were left out: not a number at a step",)


def test_a_redirect_leaves_no_host(serve):
    seen = []
    other = serve(lambda handler, what, asked: seen.append(handler.headers["Authorization"]))
    target = other.replace("mlflow://", "http://")
    uri = serve(lambda handler, what, asked: handler.send(302, b"", Location=f"{target}/api"))
    assert "points elsewhere (HTTP 302), which is not followed; give that address" in refusal(uri)
    uri = serve(lambda handler, what, asked: handler.send(302, b"", Location="file:///etc/hostname"))
    assert "HTTP 302" in refusal(uri)
    assert seen == []


def test_a_slow_or_silent_server(serve, monkeypatch):
    given_up = threading.Event()

    def slow(handler, what, asked):
        handler.send_response(200)
        handler.end_headers()
        while not given_up.wait(0.05):
            handler.wfile.write(b" ")
            handler.wfile.flush()

    monkeypatch.setattr(mlflow_server, "_ANSWER", 0.5)
    assert "took more than 0.5 s for one answer" in refusal(serve(slow))
    monkeypatch.setattr(mlflow_server, "_ANSWER", LIMIT)
    monkeypatch.setattr(mlflow_server, "_SILENCE", 0.3)
    message = refusal(serve(lambda handler, what, asked: given_up.wait(LIMIT) and None))
    given_up.set()
    assert "cannot be reached (timed out); check that the server runs and the address" in message


def test_an_answer_too_large(serve, monkeypatch):
    monkeypatch.setattr(mlflow_server, "MLFLOW_ANSWER_CAP", 1 << 20)
    uri = serve(lambda handler, what, asked: handler.send(200, b" " * (1 << 21)))
    assert "answered more than 1 MiB to one request" in refusal(uri)


def test_a_server_that_hangs_up_or_is_down(serve):
    uri = serve(lambda handler, what, asked: handler.connection.close())
    assert "cannot be reached" in refusal(uri)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        message = refusal(f"mlflow://127.0.0.1:{port}")
    assert message.startswith(f"http://127.0.0.1:{port} cannot be reached")


def test_the_login_is_sent(serve, monkeypatch):
    seen = set()

    def listening(handler, what, asked):
        seen.add(handler.headers["Authorization"])
        return service(handler, what, asked)

    uri = serve(listening)
    mlflow_server.read_records(uri)
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "ü")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "b:c")
    mlflow_server.read_records(uri)
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "made-up")
    mlflow_server.read_records(uri)
    assert seen == {None, f"Basic {base64.b64encode('ü:b:c'.encode()).decode()}", "Bearer made-up"}


@pytest.mark.parametrize(
    "uri",
    [
        "http://h/x",
        "mlflow://a b",
        "mlflow://h:99999",
        "mlflow://h:port",
        "mlflow://h?x=1",
        "mlflow://[::1",
        "mlflow://h#x",
    ],
)
def test_what_is_no_address(uri):
    assert "write mlflow://HOST:PORT/EXPERIMENT (mlflow+https:// for TLS)" in refusal(uri)


def test_a_password_in_the_address_is_not_repeated():
    with pytest.raises(SourceError) as error:
        mlflow_server.read_records("mlflow://me:hidden@host/x")
    assert "hidden" not in str(error.value)
    assert "MLFLOW_TRACKING_PASSWORD" in str(error.value)


def test_a_store_of_this_machine(tmp_path):
    path = mlflow_db(tmp_path / "ü 1.db", [{"run_id": "a", "points": [("x", 1.0, T0, 1)]}])
    (record,) = mlflow_server.read_records(f"mlflow://{path}")
    assert (record.name, record.path) == ("a", str(path))
    (record,) = mlflow_server.read_records(f"mlflow://{urllib.request.pathname2url(str(path))}")
    assert record.path == str(path)
    assert "no such file or folder" in refusal(f"mlflow://{tmp_path}/none.db")
    assert "no such file or folder" in refusal("mlflow://")
    assert "no such file or folder" in refusal("mlflow:///%00")
    with pytest.raises(FormatError, match="is not a folder of MLflow"):
        mlflow_server.read_records(f"mlflow://{tmp_path}")


#: Logs two runs into one experiment and one into another, with the real client.
CLIENT = """
import sys
from mlflow.entities import Metric, Param
from mlflow.tracking import MlflowClient

client = MlflowClient(sys.argv[1])
for name, seeds in (("größe/1", 2), ("other", 1)):
    experiment = client.create_experiment(name)
    for seed in range(seeds):
        run = client.create_run(experiment, run_name=f"seed{seed}")
        client.log_batch(run.info.run_id, params=[Param("lr", "1e-4"), Param("beta", "None")])
        points = [Metric("eval/reward", k / 10, 1700000000000 + k, 10 * k) for k in range(5)]
        points += [Metric("odd", float(v), 1700000000000 + k, k) for k, v in enumerate(["nan", "inf", "-inf", "1"])]
        client.log_batch(run.info.run_id, metrics=points)
gone = client.create_run(experiment, run_name="gone")
client.log_metric(gone.info.run_id, "eval/reward", 1.0)
client.delete_run(gone.info.run_id)
"""


def answers(url):
    try:
        with urllib.request.urlopen(url, timeout=LIMIT):
            return True
    except OSError:
        return False


@pytest.fixture(scope="module")
def real_server(tmp_path_factory):
    """Start MLflow's own server; yields its port and its database."""
    if importlib.util.find_spec("mlflow") is None:
        pytest.skip("mlflow is not installed: make test-real")
    folder = tmp_path_factory.mktemp("mlflow")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    quiet = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", f"sqlite:///{folder}/m.db"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=quiet, stdout=log, stderr=log, start_new_session=True)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: answers(f"{url}/health"), process)
        subprocess.run([sys.executable, "-c", CLIENT, url], cwd=folder, env=quiet, check=True, timeout=LIMIT)
        yield port, folder / "m.db"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(LIMIT)


@pytest.mark.real
def test_the_real_server(real_server):
    port, database = real_server
    records = mlflow_server.read_records(f"mlflow://127.0.0.1:{port}")
    assert sorted(record.name for record in records) == ["größe/1/seed0", "größe/1/seed1", "other/seed0"]
    stored = {record.run_id: record for record in mlflow_store.read_records(database)}
    for record in records:
        other = stored[record.run_id]
        assert (record.name, record.config, record.starts) == (other.name, other.config, other.starts)
        assert record.config == {"lr": 1e-4, "beta": None}
        assert set(record.columns) == set(other.columns) == {"eval/reward", "odd"}
        np.testing.assert_array_equal(record.columns["eval/reward"].value, [0, 0.1, 0.2, 0.3, 0.4])
        np.testing.assert_array_equal(record.columns["odd"].value, [np.nan, np.nan, np.nan, 1])
        for key, column in record.columns.items():
            np.testing.assert_array_equal(column.step, other.columns[key].step)
            np.testing.assert_array_equal(column.value, other.columns[key].value)
            np.testing.assert_array_equal(column.time, other.columns[key].time)


@pytest.mark.real
def test_pages_of_the_real_server(real_server, monkeypatch):
    port, _ = real_server
    monkeypatch.setattr(mlflow_server, "_POINTS_A_PAGE", 2)
    records = mlflow_server.read_records(f"mlflow://localhost:{port}/gr%C3%B6%C3%9Fe/1")
    assert sorted(record.name for record in records) == ["seed0", "seed1"]
    assert [len(record.columns["eval/reward"].step) for record in records] == [5, 5]
    with pytest.raises(SourceError, match="there is no experiment 'none' on the server; it holds"):
        mlflow_server.read_records(f"mlflow://localhost:{port}/none")
