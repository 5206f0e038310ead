"""What is read of a store is what is read of the same files on a disk."""

import json
import os
import signal
import subprocess
import sys
import tempfile

import pytest
from click.testing import CliRunner

import rlscale
from rlscale.cli import main
from rlscale.errors import ChoiceError, SourceError, StoreError
from rlscale.sources import ReadOptions, bundled, collect, survey, without_prompt_tables
from tests.sources import fuzzed
from tests.sources.stores.server import CREDENTIALS
from tests.sources.test_follow import verl_file
from tests.sources.test_verl import console, rows
from tests.waiting import wait_until

SECRETS = [CREDENTIALS["AWS_SECRET_ACCESS_KEY"], CREDENTIALS["AWS_ACCESS_KEY_ID"]]


def plain(reading, folder, url):
    """All that a reading says, with the folder's address in the place of the folder."""
    runs = [(run.name, run.recipe, run.seed, run.curve, run.config, run.source, run.series) for run in reading.runs]
    text = "\n".join(map(repr, [*runs, *[(str(error), error.counted) for error in reading.errors], reading.left_out]))
    return text.replace(str(folder), url)


def settled(path):
    """A folder of everything: consoles, JSON lines, tables, settings, checkpoints, texts, and what is no log."""
    base = bundled() / "base" / "seed0" / "trainer_state.json"
    state = json.loads(base.read_text())
    for step in (100, 200):
        folder = path / "trl" / f"checkpoint-{step}"
        folder.mkdir(parents=True)
        (folder / "trainer_state.json").write_text(json.dumps({**state, "global_step": step}))
        (folder / "model.safetensors").write_bytes(b"\0" * 1000)
        (folder / "config.json").write_text('{"hidden_size": 4}')
    for name in ("seed0", "seed1"):
        (path / "verl" / name).mkdir(parents=True)
        (path / "verl" / name / "log.jsonl").write_text(verl_file(n=20))
    (path / "verl" / "seed0" / "console.log").write_text(console(rows(20)[0]))
    (path / "verl" / "seed1" / "notes.txt").write_text("nothing to see")
    (path / "verl" / "seed1" / "rewards.pkl").write_bytes(b"x")
    (path / "verl" / "seed1" / "bad.csv").write_text("a,b\n")
    (path / "console").mkdir()
    (path / "console" / "console.txt").write_text(console(rows(9)[0]))
    (path / "settings.csv").write_text("run,lr\nverl/seed0,0.5\n")
    return path


@pytest.fixture
def everything(tmp_path):
    return settled(tmp_path / "exp")


def test_a_store_reads_as_a_folder(bucket, everything, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    url = bucket.put_folder(everything, "exp")
    for options in ({}, {"exclude": ("trl*",)}, {"run": ("verl/*",)}):
        here, there = (survey([path], ReadOptions(**options)) for path in (everything, url))
        assert [(one.name, one.identity, one.log.settings) for one in there.logs] == [
            (one.name, one.identity, one.log.settings) for one in here.logs
        ]
        assert [str(error) for error in there.errors] == [
            str(error).replace(str(everything), url) for error in here.errors
        ]
        assert [one.log.path for one in there.logs] == [one.log.path.replace(str(everything), url) for one in here.logs]
    one, other = (collect([f"{path}/verl"]) for path in (everything, url))
    assert "not read twice: console.log" in str(other.runs[0].source.repairs)
    assert len(one.runs) == 2
    assert plain(one, everything, url) == plain(other, everything, url)
    with pytest.raises(ChoiceError) as caught:
        collect([url])
    assert f"{url}/trl" in str(caught.value)
    assert list((tmp_path / "temporary").iterdir()) == []


@pytest.mark.parametrize("name", ["verl/seed0/log.jsonl", "trl/checkpoint-100", "console/console.txt"])
def test_a_single_object_reads_as_a_file(bucket, everything, name):
    url = bucket.put_folder(everything, "exp")
    one, other = (collect([f"{path}/{name}"]) for path in (everything, url))
    assert plain(one, everything, url) == plain(other, everything, url)


FORMATS = {form.name: form for form in fuzzed.formats()}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format(memory, tmp_path, name):
    form = FORMATS[name]
    form.lay(tmp_path / "exp")
    url = memory.put_folder(tmp_path / "exp", "exp")
    for ending in ("", f"/{form.read}"):
        here, there = survey([f"{tmp_path}/exp{ending}"]), survey([url + ending])
        text = repr([(one.name, one.identity, one.log, one.repairs) for one in here.logs])
        assert repr([(one.name, one.identity, one.log, one.repairs) for one in there.logs]) == text.replace(
            f"{tmp_path}/exp", url
        )


def test_names_beside_local_logs_do_not_depend_on_the_temporary_folder(memory):
    url = memory.put_folder(bundled() / "long10", "exp")
    for _ in range(2):
        names = [run.name for run in rlscale.read([url, bundled() / "base"])]
        assert names == [f"{url.replace('://', '/')}/seed{k}" for k in (0, 1)] + ["seed0", "seed1"]
    both = memory.put_folder(bundled() / "base", "other")
    assert [run.name for run in rlscale.read([url, both])] == ["exp/seed0", "exp/seed1", "other/seed0", "other/seed1"]


def test_only_logs_are_fetched(s3, s3_server, everything):
    url = s3.put_folder(everything, "exp")
    before = len(s3_server.requests())
    survey([url])
    requests = s3_server.requests()[before:]
    assert not [line for line in requests if "safetensors" in line or "pkl" in line]
    assert len([line for line in requests if "list-type" in line]) == 2  # what it is, and all that is below
    assert all(line.startswith(("GET", "HEAD")) for line in requests)


def test_a_long_document_that_is_no_log_is_fetched_in_part(s3, s3_server):
    s3.put("exp/log.jsonl", verl_file(n=9, test_every=2))
    s3.put("exp/tokenizer.json", json.dumps({str(k): k for k in range(100_000)}))
    long = json.dumps([{"step": k, "val/reward": 0.1 + k / 1e5, "n_tokens": k} for k in range(6000)])
    s3.put("exp/history.json", long)
    whole = survey([f"{s3.url}/exp"])
    assert len(whole.logs) == 2
    assert max(one.log.rows for one in whole.logs) == 6000
    requests = [line for line in s3_server.requests() if "tokenizer" in line and line.startswith("GET")]
    assert len(requests) == 1


def test_names_that_no_file_can_have(memory):
    memory.put("exp/log.jsonl", verl_file(n=9, test_every=2))
    memory.put(f"exp/{'x' * 300}/log.jsonl", verl_file(n=9, test_every=2))
    reading = collect([f"{memory.url}/exp"])
    assert len(reading.runs) == 1
    (error,) = reading.errors
    assert str(error).endswith("has a name that no file can have and was not read; rename it, or give its own address")


def test_objects_that_cannot_stand_beside_one_another_on_a_disk(s3):
    s3.put("exp/log.jsonl", verl_file(n=9, test_every=2))
    for key in ("exp/a", "exp/a/log.jsonl", "exp//log.jsonl"):
        s3.put(key, "x")
    reading = collect([f"{s3.url}/exp"])
    assert [run.name for run in reading.runs] == ["exp"]
    named = [str(error) for error in reading.errors if "no file can have" in str(error)]
    assert named == [
        f"{s3.url}/exp//log.jsonl: has a name that no file can have and was not read; rename it, or give its own "
        "address (so for 1 more)"
    ]


def test_an_address_below_another_is_read_once(memory):
    url = memory.put_folder(bundled(), "exp")
    runs = rlscale.read([url, f"{url}/base", f"{url}/base/seed0/trainer_state.json"])
    assert [run.name for run in runs] == [run.name for run in rlscale.read("bundled")]


def test_one_address_that_is_missing_beside_another(bucket):
    url = bucket.put("exp/log.jsonl", verl_file(n=9, test_every=2))
    reading = collect([url, f"{bucket.url}/none"])
    assert len(reading.runs) == 1
    (error,) = reading.errors
    assert isinstance(error, StoreError)
    assert error.path == f"{bucket.url}/none"
    assert error.counted
    with pytest.raises(StoreError, match="there is no such object, and none below it; check the address"):
        collect([url, f"{bucket.url}/none"], ReadOptions(strict=True))
    with pytest.raises(StoreError, match="there is no such object"):
        collect([f"{bucket.url}/none"])


def test_errors_of_readers_name_addresses(bucket, tmp_path):
    url = bucket.put("exp/log.csv", "step,reward\n1,a\n")
    with pytest.raises(SourceError) as caught:
        collect([url])
    assert caught.value.path == url
    assert "rlscale-image" not in str(caught.value)
    with pytest.raises(SourceError) as caught:
        collect([url], ReadOptions(strict=True))
    assert caught.value.path == url


def test_a_bucket_that_is_not_there(s3):
    with pytest.raises(StoreError) as caught:
        collect(["s3://nobody-has-this/exp"])
    message = "there is no such bucket; check its name, and the endpoint if it is not the provider's own"
    assert str(caught.value) == f"s3://nobody-has-this/exp: {message}"


def other_run():
    """A state like those bundled, with rewards of its own."""
    state = json.loads((bundled() / "long10" / "seed0" / "trainer_state.json").read_text())
    for row in state["log_history"]:
        for key in row:
            if "reward" in key:
                row[key] *= 0.9
    return json.dumps(state)


def run(*args):
    done = CliRunner().invoke(main, args)
    assert not any(secret in done.output for secret in SECRETS)
    assert "rlscale-image" not in done.output
    return done


def test_commands(s3):
    url = s3.put_folder(bundled(), "exp")
    here, there = run("rank", str(bundled())), run("rank", url)
    assert (there.exit_code, there.stdout) == (here.exit_code, here.stdout)
    document = json.loads(run("fit", url, "--json", "--run", "base/*").stdout)
    assert f'"{url}/base/seed0/trainer_state.json"' in json.dumps(document)
    assert f"{url}/long10/seed0/trainer_state.json" in run("show", url).stdout.replace("\n", "")
    refused = run("rank", f"{s3.url}/none")
    assert refused.exit_code == 2
    assert refused.stderr == f"error: {s3.url}/none: there is no such object, and none below it; check the address\n"


def test_a_table_of_pass_counts(memory):
    rows = "".join(f"p{k},{k % 8},8\n" for k in range(40))
    url = memory.put("counts.csv", f"prompt,correct,graded\n{rows}")
    logs, (table,) = without_prompt_tables([url, "x"])
    assert (logs, table.path, table.correct.size) == (["x"], url, 40)
    url = memory.put("counts.csv", "prompt,correct\na,1\n")
    with pytest.raises(SourceError, match=f"^{url}: has the columns prompt and correct and not graded"):
        without_prompt_tables([url])


def test_watch_puts_runs_into_a_ledger(s3, tmp_path):
    url = s3.put_folder(bundled(), "exp")
    ledger = str(tmp_path / "runs.db")
    requests = ("watch", url, "--ledger", ledger, "--budget", "8e6", "--once")
    assert run(*requests).exit_code == 0
    s3.put("exp/long10/seed2/trainer_state.json", other_run())
    assert run(*requests).exit_code == 0
    assert not any(secret.encode() in (tmp_path / "runs.db").read_bytes() for secret in SECRETS)
    names = {run.name for run in rlscale.read(f"ledger:{ledger}")}
    assert names == {run.name for run in rlscale.read("bundled")} | {"long10/seed2"}


def test_watch_follows_a_log_and_leaves_nothing(s3, tmp_path):
    lines = verl_file(n=40, test_every=2).splitlines(keepends=True)
    url, ledger, place = f"{s3.url}/exp", str(tmp_path / "runs.db"), tmp_path / "temporary"
    place.mkdir()
    s3.put("exp/seed0/log.jsonl", "".join(lines[:20]))
    command = ["watch", url, "--ledger", ledger, "--budget", "100", "--interval", "0.05"]
    watcher = subprocess.Popen(
        [sys.executable, "-m", "rlscale", *command], env={**os.environ, "TMPDIR": str(place)},
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip

    def points():
        try:
            return rlscale.read(f"ledger:{ledger}")[0].curve.n_points
        except rlscale.InputError:
            return 0

    few = wait_until(points, watcher)
    assert len(list(place.iterdir())) == 1
    s3.put("exp/seed0/log.jsonl", "".join(lines))
    many = rlscale.read(url)[0].curve.n_points
    assert few < many
    wait_until(lambda: points() == many, watcher)
    watcher.send_signal(signal.SIGINT)
    _, wrong = watcher.communicate()
    assert list(place.iterdir()) == []
    assert not any(secret in wrong.decode() for secret in SECRETS)
