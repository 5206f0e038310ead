"""W&B's public API: a stub of its documented attributes, and the real package against a server that answers as W&B."""

import importlib.util
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rlscale.errors import FormatError, SourceError
from rlscale.sources.trackers import wandb_api

T0 = 1_767_225_600.0
ROWS = [
    {"_step": 0, "_timestamp": T0 + 1, "profiling/x": 1.0},
    {"_step": 1, "_timestamp": T0 + 2, "train/global_step": 10, "train/reward": 0.25, "nested": {"a": {"b": 2}}},
    {"_step": 2, "_timestamp": T0 + 3, "train/global_step": 20, "eval/reward": "NaN", "text": "dapo", "none": None},
    {"_step": 5, "_timestamp": T0 + 4, "eval/reward": 0.75, "flag": True},
]


class Failure(Exception):
    """Stands for the package's own error."""


def stub_run(**changes):
    run = {"id": "r1", "name": "tiny ü", "config": {"lr": 1e-4, "_wandb": {}}, "group": "base"}
    run |= {"created_at": "2026-01-01T00:00:00Z", "metadata": {"gpu_count": 8}, "scan_history": lambda: iter(ROWS)}
    return SimpleNamespace(**{**run, **changes})


@pytest.fixture
def stub(monkeypatch):
    """Put a stand-in for the wandb package in place; ``runs`` are what it returns."""

    def stub(runs=(), fails=None):
        asked = []

        class Api:
            def __init__(self, timeout):
                if fails is not None:
                    raise fails

            def runs(self, path, order):
                asked.append((path, order))
                return iter(runs)

            def run(self, path):
                asked.append((path, None))
                return runs[0]

        package = SimpleNamespace(
            Api=Api, setup=lambda: SimpleNamespace(settings=SimpleNamespace(base_url="https://h"))
        )
        monkeypatch.setitem(sys.modules, "wandb", package)
        monkeypatch.setitem(sys.modules, "wandb.errors", SimpleNamespace(Error=Failure))
        monkeypatch.setenv("WANDB_API_KEY", "x" * 40)
        return asked

    return stub


def refusal(uri):
    with pytest.raises(SourceError) as error:
        wandb_api.read_records(uri)
    assert error.value.path == uri
    return error.value.message


def test_a_project_and_a_run(stub):
    asked = stub([stub_run(), stub_run(id="r2", name=None, group=None, metadata=None, config=None)])
    one, two = wandb_api.read_records("wandb://team/my%20project/")
    assert (one.name, one.run_id, one.group, one.gpus, one.format) == ("tiny ü", "r1", "base", 8, "wandb")
    assert (one.config, one.starts, one.rows, one.repairs) == ({"lr": 1e-4}, (T0,), 4, ())
    np.testing.assert_array_equal(one.columns["eval/reward"].step, [20, 20])
    np.testing.assert_array_equal(one.columns["eval/reward"].value, [np.nan, 0.75])
    np.testing.assert_array_equal(one.columns["eval/reward"].time, [T0 + 3, T0 + 4])
    np.testing.assert_array_equal(one.columns["nested/a/b"].value, [2])
    assert not {"text", "flag", "profiling/x"} & set(one.columns)
    assert (two.name, two.group, two.gpus, two.config) == ("", None, None, {})
    assert len(wandb_api.read_records("WANDB://team/p/r1")) == 1
    assert asked == [("team/my project", "+created_at"), ("team/p/r1", None)]


def test_odd_runs(stub):
    rows = [5, {"loss": 1.0}, {"_step": "NaN", "_timestamp": T0, "loss": 2.0}, None]
    stub([stub_run(scan_history=lambda: rows, created_at="2027-01-01", metadata={"gpu_count": True})])
    (record,) = wandb_api.read_records("wandb://team/p")
    np.testing.assert_array_equal(record.columns["loss"].step, [1, 2])
    assert (record.starts, record.gpus) == ((), None)
    assert record.repairs == ("2 rows were left out, which are no objects",)


def test_nothing_in_the_project(stub):
    stub()
    assert refusal("wandb://team/p") == "the project holds no run; check its name"


@pytest.mark.parametrize(
    "uri", ["wandb://", "wandb://team", "wandb://a/b/c/d", "wandb://a//b", "http://a/b", "wandb://a/%00"]
)
def test_what_is_no_address(uri):
    assert refusal(uri).startswith("is no address of a project or run; write wandb://ENTITY/PROJECT or")


def test_without_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(FormatError) as error:
        wandb_api.read_records("wandb://team/p")
    assert str(error.value) == "wandb://team/p: reading from W&B needs its package: pip install 'rlscale[wandb]'"


def test_without_a_login_nothing_is_asked(stub, monkeypatch, tmp_path):
    stub([stub_run()])
    for name in ("WANDB_API_KEY", "WANDB_IDENTITY_TOKEN_FILE", "NETRC"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert refusal("wandb://team/p") == "not logged in to h; run `wandb login` once, or set WANDB_API_KEY"
    (tmp_path / ".netrc").write_bytes(b"machine \xff")
    assert "not logged in" in refusal("wandb://team/p")
    (tmp_path / "other").write_text("machine h login user password made-up\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "other"))
    assert len(wandb_api.read_records("wandb://team/p")) == 1


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (Failure("Could not find project p"), "check the address and that you may see the project"),
        (Failure("HTTP 401: invalid credentials"), "run `wandb login`, or set WANDB_API_KEY to a key"),
        (
            Failure("Failed to verify credentials with h: did not respond in time"),
            "check the network and WANDB_BASE_URL",
        ),
        (Failure("dial tcp:\n refused"), "check the network and WANDB_BASE_URL, then try again"),
        (TimeoutError(), "W&B could not be read (TimeoutError; check the network"),
        (KeyError("project"), "check the network"),
    ],
)
def test_failures_give_advice(stub, error, advice):
    stub(fails=error)
    message = refusal("wandb://team/p").replace("TimeoutError)", "TimeoutError")
    assert message.startswith("W&B could not be read (")
    assert advice in message
    assert "\n" not in message


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=4,
)
KEY = st.sampled_from(["_step", "_timestamp", "train/global_step", "x"]) | st.text(max_size=2)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=st.lists(st.dictionaries(KEY, JSON, max_size=5) | JSON, max_size=5), config=JSON, stamp=JSON)
def test_any_rows(stub, rows, config, stamp):
    stub([stub_run(scan_history=lambda: rows, config=config, metadata=config, created_at=stamp)])
    (record,) = wandb_api.read_records("wandb://team/p")
    for column in record.columns.values():
        assert column.step.shape == column.value.shape == column.time.shape
        assert np.isfinite(column.step).all()
        assert not np.isinf(column.value).any()


def node(name):
    """Return a run as the service describes it."""
    return {
        "id": "x",
        "name": name,
        "displayName": f"shown {name}",
        "state": "finished",
        "config": json.dumps({"lr": {"value": 1e-4}, "_wandb": {"value": {}}}),
        "group": "base",
        "projectId": "1",
        "createdAt": "2026-01-01T00:00:00Z",
        "heartbeatAt": "2026-01-01T00:00:00Z",
        "description": "",
        "notes": "",
        "tags": [],
        "systemMetrics": "{}",
        "summaryMetrics": "{}",
        "historyLineCount": 4,
        "historyKeys": {"lastStep": 5, "keys": {}},
        "sweepName": None,
        "jobType": None,
        "commit": None,
        "readOnly": False,
        "user": {"name": "u", "username": "u"},
    }


def answered(root, query, asked):
    """Answer the queries wandb 0.31 sends: login, runs two a page, history in pages of steps, the metadata file."""
    if "viewer" in query:
        viewer = {"id": "1", "entity": "team", "username": "u", "email": "", "flags": "{}", "teams": {"edges": []}}
        return {"viewer": viewer}
    if asked.get("project") == "none":
        return {"project": None}
    if "parquetHistory" in query:
        return {"project": {"run": {"parquetHistory": {"parquetUrls": [], "liveData": []}}}}
    if "history(" in query:
        low, high = int(asked["minStep"]), int(asked["maxStep"])
        return {"project": {"run": {"history": [json.dumps(row) for row in ROWS if low <= row["_step"] < high]}}}
    if "files(" in query:
        file = {"id": "f", "name": "wandb-metadata.json", "sizeBytes": "16", "mimetype": "", "md5": "", "updatedAt": ""}
        edges = [{"node": {**file, "url": f"{root}/file", "directUrl": f"{root}/file"}, "cursor": "0"}]
        page = {"endCursor": "0", "hasNextPage": False}
        return {"project": {"internalId": "1", "run": {"fileCount": 1, "files": {"edges": edges, "pageInfo": page}}}}
    if "runs(" in query:
        start = int(asked["cursor"] or -1) + 1
        edges = [{"node": node(f"r{k}"), "cursor": str(k)} for k in range(start, min(start + 2, 3))]
        page = {"endCursor": edges[-1]["cursor"], "hasNextPage": start == 0}
        return {
            "project": {"internalId": "1", "runCount": 3, "readOnly": False, "runs": {"edges": edges, "pageInfo": page}}
        }
    found = node(asked["name"]) if asked["name"] != "none" else None
    return {"project": {"internalId": "1", "run": found}}


@pytest.fixture
def service():
    """Start a local server that answers as W&B's; yields its address."""
    if importlib.util.find_spec("wandb") is None:
        pytest.skip("wandb is not installed: make test-real")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            root = f"http://127.0.0.1:{self.server.server_address[1]}"
            self.send({"data": answered(root, asked["query"], asked.get("variables") or {})})

        def do_GET(self):
            self.send({"gpu_count": 4})

        def send(self, found):
            raw = json.dumps(found).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


#: The package keeps its settings and a helper program for the life of a process, so each case has a process.
READ = """
import json, sys
from rlscale.errors import SourceError
from rlscale.sources.trackers.wandb_api import read_records
try:
    found = [
        [r.name, r.run_id, r.group, r.gpus, r.config, list(r.starts), r.rows,
         {key: [c.step.tolist(), [v if v == v else None for v in c.value.tolist()]] for key, c in r.columns.items()}]
        for r in read_records(sys.argv[1])
    ]
except SourceError as error:
    found = error.message
print("FOUND" + json.dumps(found))
"""


def really(uri, address, folder, **changes):
    base = {"WANDB_BASE_URL": address, "WANDB_API_KEY": "0" * 40, "WANDB_ERROR_REPORTING": "false", "HOME": str(folder)}
    base |= {"WANDB_CACHE_DIR": str(folder), "WANDB_CONFIG_DIR": str(folder), "WANDB_DIR": str(folder)}
    asked = {key: value for key, value in {**os.environ, **base, **changes}.items() if value is not None}
    done = subprocess.run(
        [sys.executable, "-c", READ, uri], cwd=folder, env=asked, capture_output=True, text=True, timeout=120
    )
    assert "Traceback" not in done.stderr
    return json.loads(done.stdout.rpartition("FOUND")[2])


@pytest.mark.real
def test_the_real_package(service, tmp_path):
    found = really("wandb://team/p", service, tmp_path)
    assert [run[:2] for run in found] == [[f"shown r{k}", f"r{k}"] for k in range(3)]
    columns = {
        "_step": [[10, 20, 20], [1, 2, 5]],
        "_timestamp": [[10, 20, 20], [T0 + 2, T0 + 3, T0 + 4]],
        "eval/reward": [[20, 20], [None, 0.75]],
        "nested/a/b": [[10], [2]],
        "none": [[20], [None]],
        "train/global_step": [[10, 20], [10, 20]],
        "train/reward": [[10], [0.25]],
    }
    assert found[0][2:] == ["base", 4, {"lr": 1e-4}, [T0], 4, columns]
    (one,) = really("wandb://team/p/r1", service, tmp_path)
    assert one == found[1]


@pytest.mark.real
def test_refusals_of_the_real_package(service, tmp_path):
    for uri in ("wandb://team/none", "wandb://team/p/none"):
        message = really(uri, service, tmp_path)
        assert message.startswith("W&B could not be read (")
        assert "check the address and that you may see the project" in message
    assert "not logged in to 127.0.0.1; run `wandb login`" in really(
        "wandb://team/p", service, tmp_path, WANDB_API_KEY=None
    )
    assert "set WANDB_API_KEY" in really("wandb://team/p", service, tmp_path, WANDB_API_KEY="short")
