"""What a watcher publishes, written by the trackers' own libraries and read back with them, offline and on loopback."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rlscale.errors import InputError
from rlscale.ledger import Ledger
from rlscale.sources import ReadOptions, collect
from rlscale.sources.trackers.wandb_file import _payloads, _State
from tests.live.test_watch import CEILINGS, STEPS, grow
from tests.sources.trackers.test_mlflow_server import answers
from tests.waiting import LIMIT, wait_until

pytestmark = [pytest.mark.real, pytest.mark.filterwarnings("ignore")]

KEYS = {
    "rlscale/compute", "rlscale/target", "rlscale/p_best", "rlscale/verdict", "rlscale/decision",
    *(f"rlscale/{name}_{level}" for name in ("ceiling", "forecast") for level in ("q10", "q50", "q90")),
}  # fmt: skip
COUNTS = (8, 8, 14, 20)
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "WANDB_MODE": "offline", "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "1"}


def watch(folder, *targets, check=True):
    """Run the command, one pass, in a folder."""
    command = [sys.executable, "-m", "rlscale", "watch", "--ledger", "runs.db", "--budget", "100", "--once", "--json"]
    command += [word for target in targets for word in ("--publish", target)]
    quiet = {**os.environ, **ENVIRONMENT, "TRACKIO_DIR": str(folder / "trackio")}
    done = subprocess.run(command, cwd=folder, env=quiet, capture_output=True, text=True, check=False, timeout=LIMIT)
    if check:
        assert (done.returncode, done.stderr) == (0, "")
        assert all(isinstance(json.loads(line), dict) for line in done.stdout.splitlines())  # no library speaks there
    return done


def grown(folder, count):
    with Ledger(str(folder / "runs.db"), create=True) as held:
        grow(held, STEPS[:count])


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A folder in which four watchers, one after the other, told all four trackers."""
    folder = tmp_path_factory.mktemp("published")
    for count in COUNTS:
        grown(folder, count)
        watch(folder, "tensorboard:runs", "trackio:project", "wandb:project", "mlflow:mlflow.db")
    return folder


@pytest.fixture(scope="module")
def believed(published):
    """The fits of the ledger by run, as the trackers should have them."""
    with Ledger(str(published / "runs.db")) as held:
        return {name: fits for recipe in held.fits.history().values() for name, fits in recipe.items()}


def check(believed, name, steps, values, key, field):
    """Compare a metric of a tracker with what the ledger holds."""
    wanted = [(round(one.compute), field(one)) for one in believed[name] if field(one) is not None]
    assert list(steps) == [step for step, _ in wanted], key  # each once, in order
    np.testing.assert_allclose(values, [value for _, value in wanted], rtol=1e-6)  # TensorBoard rounds to 32 bits


FIELDS = {
    "rlscale/ceiling_q50": lambda one: one.A[1],
    "rlscale/forecast_q10": lambda one: one.forecast[0],
    "rlscale/p_best": lambda one: one.p_best,
    "rlscale/resolves_at_q50": lambda one: None if one.resolves_at is None else one.resolves_at[1],
    "rlscale/target": lambda one: one.target,
}


@pytest.mark.parametrize("name", CEILINGS)
def test_tensorboard_shows_them(published, believed, name):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    folder = published / "runs" / f"{name} (rlscale)"
    held = EventAccumulator(str(folder))
    held.Reload()
    assert set(held.Tags()["scalars"]) >= KEYS
    for key, field in FIELDS.items():
        if key in held.Tags()["scalars"]:
            scalars = held.Scalars(key)
            check(believed, name, [one.step for one in scalars], [one.value for one in scalars], key, field)
    verdicts = [one.tensor_proto.string_val[0].decode() for one in held.Tensors("rlscale/verdict_text")]
    assert verdicts == [one.verdict for one in believed[name]]
    assert held.SummaryMetadata("rlscale/reason").plugin_data.plugin_name == "text"


@pytest.mark.parametrize("name", CEILINGS)
def test_trackio_shows_them(published, believed, name, monkeypatch):
    code = (
        "import json, sys; from trackio.sqlite_storage import SQLiteStorage as s; name = sys.argv[1];"
        "print(json.dumps([s.get_runs('project'), s.get_logs('project', name)]))"
    )
    quiet = {**os.environ, "TRACKIO_DIR": str(published / "trackio")}
    done = subprocess.run(
        [sys.executable, "-c", code, f"{name} (rlscale)"], env=quiet, capture_output=True, text=True, check=True
    )
    runs, rows = json.loads(done.stdout.splitlines()[-1])
    assert sorted(runs) == sorted(f"{one} (rlscale)" for one in CEILINGS)
    for key, field in FIELDS.items():
        told = [row for row in rows if key in row]
        check(believed, name, [row["step"] for row in told], [row[key] for row in told], key, field)
    assert [row["rlscale/verdict_text"] for row in rows if "rlscale/verdict_text" in row] == [
        one.verdict for one in believed[name]
    ]


@pytest.mark.parametrize("name", CEILINGS)
def test_wandb_shows_them(published, believed, name):
    """The sessions of one run, as ``wandb sync`` would send them."""
    from wandb.proto import wandb_internal_pb2

    rows, ids, texts = [], set(), {}
    for file in sorted((published / "wandb").glob("offline-run-*/run-*.wandb")):
        called = None
        for data in _payloads(file, _State()):  # W&B's own reader of its files is no Python any more
            record = wandb_internal_pb2.Record()
            record.ParseFromString(data)
            kind = record.WhichOneof("record_type")
            if kind == "run":
                called = record.run.display_name
                if called == f"{name} (rlscale)":
                    ids.add(record.run.run_id)
                    assert record.run.run_group == name
            elif kind == "history" and called == f"{name} (rlscale)":
                rows.append({item.key or "/".join(item.nested_key): json.loads(item.value_json)
                             for item in record.history.item})  # fmt: skip
            elif kind == "summary" and called == f"{name} (rlscale)":
                texts |= {item.key or "/".join(item.nested_key): json.loads(item.value_json)
                          for item in record.summary.update}  # fmt: skip
    assert len(ids) == 1
    for key, field in FIELDS.items():
        told = [row for row in rows if key in row]
        check(believed, name, [row["rlscale/step"] for row in told], [row[key] for row in told], key, field)
    assert texts["rlscale/verdict_text"] == believed[name][-1].verdict
    assert texts["rlscale/decision_text"] == ("commit" if name == "best" else "hold")


def of_mlflow(uri, name):
    """Return a run of a store by its name, and the client."""
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=uri)
    experiments = [one.experiment_id for one in client.search_experiments()]
    (run,) = client.search_runs(experiments, f"attributes.run_name = '{name}'")
    return client, run


def check_mlflow(believed, uri, name, called):
    client, run = of_mlflow(uri, called)
    assert set(run.data.metrics) >= KEYS
    for key, field in FIELDS.items():
        history = client.get_metric_history(run.info.run_id, key)
        check(believed, name, [one.step for one in history], [one.value for one in history], key, field)
    assert run.data.tags["rlscale/verdict_text"] == believed[name][-1].verdict
    assert "forecast" in run.data.tags["rlscale/reason"]
    return run


@pytest.mark.parametrize("name", CEILINGS)
def test_mlflow_shows_them(published, believed, name):
    run = check_mlflow(believed, f"sqlite:///{published}/mlflow.db", name, f"{name} (rlscale)")
    assert run.info.status == "FINISHED"


@pytest.mark.parametrize("place", ["runs", "trackio", "wandb", "mlflow.db"])
def test_none_of_it_is_read_back(published, place):
    with pytest.raises(InputError, match=r"no run|holds only what watch --publish wrote there"):
        collect([published / place])


def test_what_a_killed_watcher_writes_again_is_there_once(tmp_path):
    """In trackio and in MLflow, which know a row again; see the page for the others."""
    code = """
import sys
from rlscale.integrations.publish import Account, Row, opened
rows = [Row(f"k{k}", k, 1.7e9 + k, {"rlscale/p_best": k / 10}, {"rlscale/reason": "x"}) for k in range(3)]
tracker = opened(sys.argv[1])
for _ in range(2):
    tracker.write(Account("a", "a", "0" * 32, "runs.db", "steps"), rows)
tracker.close()
if sys.argv[1].startswith("trackio"):
    from trackio.sqlite_storage import SQLiteStorage
    print([row["step"] for row in SQLiteStorage.get_logs("p", "a (rlscale)")])
else:
    from mlflow import MlflowClient
    client = MlflowClient(tracking_uri=f"sqlite:///{sys.argv[2]}")
    (run,) = client.search_runs([one.experiment_id for one in client.search_experiments()])
    print([one.step for one in client.get_metric_history(run.info.run_id, "rlscale/p_best")])
"""
    quiet = {**os.environ, **ENVIRONMENT, "TRACKIO_DIR": str(tmp_path / "trackio")}
    for target in ("trackio:p", f"mlflow:{tmp_path / 'm.db'}"):
        command = [sys.executable, "-c", code, target, str(tmp_path / "m.db")]
        for _ in range(2):  # and in another process
            done = subprocess.run(command, env=quiet, capture_output=True, text=True, check=True, timeout=LIMIT)
            assert done.stdout.splitlines()[-1] == "[0, 1, 2]"


def test_a_folder_of_mlflow_is_written_where_mlflow_still_does(tmp_path, monkeypatch):
    grown(tmp_path, 8)
    done = watch(tmp_path, "mlflow:mlruns", check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("error: --publish mlflow:mlruns cannot be opened: The filesystem tracking backend")
    assert "MLFLOW_ALLOW_FILE_STORE=true" in done.stderr
    monkeypatch.setitem(ENVIRONMENT, "MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    watch(tmp_path, "mlflow:mlruns")
    _, run = of_mlflow(f"file://{tmp_path}/mlruns", "best (rlscale)")
    assert set(run.data.metrics) >= KEYS
    with pytest.raises(InputError, match=r"no run|holds only what watch --publish wrote there"):
        collect([tmp_path / "mlruns"])


def test_a_run_that_was_deleted_meanwhile_is_begun_again(tmp_path):
    from rlscale.integrations.publish import Account, Row, opened

    tracker = opened(f"mlflow:{tmp_path / 'm.db'}")
    account, row = Account("a", "a", "0" * 32, "runs.db", "steps"), Row("k", 1, 1.7e9, {"rlscale/p_best": 0.5}, {})
    tracker.write(account, [row])
    client, run = of_mlflow(f"sqlite:///{tmp_path}/m.db", "a (rlscale)")
    client.delete_run(run.info.run_id)
    with pytest.raises(tracker.failures):
        tracker.write(account, [row])
    tracker.write(account, [row])
    _, again = of_mlflow(f"sqlite:///{tmp_path}/m.db", "a (rlscale)")
    assert again.info.run_id != run.info.run_id
    tracker.close()


@pytest.fixture
def port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def server(folder, port):
    """Start MLflow's own server."""
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", f"sqlite:///{folder}/server.db"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **ENVIRONMENT}, stdout=log, stderr=log, start_new_session=True
        )
    wait_until(lambda: answers(f"http://127.0.0.1:{port}/health"), process)
    return process


def test_a_server_that_comes_late_has_it_all_in_the_runs_themselves(tmp_path, port, monkeypatch):
    """While it is down watchers go on; then their runs have what they missed beside what their trainer logged."""
    from mlflow import MlflowClient

    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    target = f"mlflow://127.0.0.1:{port}/mine"
    for count in COUNTS[:3]:
        grown(tmp_path, count)
        done = watch(tmp_path, target, check=False)
        assert done.returncode == 0
        assert "was not told everything" in done.stderr
    process = server(tmp_path, port)
    try:
        client = MlflowClient(tracking_uri=f"http://127.0.0.1:{port}")
        experiment = client.create_experiment("mine")
        own = client.create_run(experiment, run_name="best").info.run_id
        for step, reward in ((0, 0.1), (10, 0.2), (20, 0.3)):
            client.log_metric(own, "eval/reward", reward, step=step)
        grown(tmp_path, COUNTS[3])
        watch(tmp_path, target)
        watch(tmp_path, target)
        with Ledger(str(tmp_path / "runs.db")) as held:
            believed = {name: fits for recipe in held.fits.history().values() for name, fits in recipe.items()}
        assert len(believed["best"]) == 3
        run = check_mlflow(believed, f"http://127.0.0.1:{port}", "best", "best")
        assert (run.info.run_id, run.info.status) == (own, "RUNNING")  # it is its trainer's to end
        check_mlflow(believed, f"http://127.0.0.1:{port}", "low", "low (rlscale)")
        (read,) = collect([target], ReadOptions(unit="steps")).runs
        assert read.curve.reward.tolist() == [0.1, 0.2, 0.3]
        assert not any(key.startswith("rlscale/") for key in read.series)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(LIMIT)


def test_a_service_of_wandb_that_is_down_stops_nobody(tmp_path, port, monkeypatch):
    for name, value in {"WANDB_BASE_URL": f"http://127.0.0.1:{port}", "WANDB_API_KEY": "0" * 40}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setitem(ENVIRONMENT, "WANDB_MODE", "online")
    grown(tmp_path, 8)
    done = watch(tmp_path, "wandb:project", check=False)
    assert done.returncode == 0
    assert len(json.loads(done.stdout.splitlines()[0])["decisions"]) == 4
    assert done.stderr.startswith("wandb:project was not told everything")
    monkeypatch.setitem(ENVIRONMENT, "WANDB_MODE", "offline")
    watch(tmp_path, "wandb:project")
    assert len(list(Path(tmp_path).glob("wandb/offline-run-*"))) == 4
