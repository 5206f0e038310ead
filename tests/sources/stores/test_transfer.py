"""Long objects come in pieces, what grew from where it ends; the folder goes with the process, killed or not."""

import random
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from rlscale.sources.stores import transfer
from rlscale.sources.stores.folder import temporary
from rlscale.sources.stores.portions import Portion, beside, portions
from rlscale.sources.stores.transfer import ChangedError, Transfer, transferred


class Owner:
    pass


@pytest.fixture
def small(monkeypatch):
    """Pieces of ten bytes, three at a time."""
    monkeypatch.setattr(transfer, "_PIECE", 10)
    monkeypatch.setattr(transfer, "_BATCH", 30)
    monkeypatch.setattr(transfer, "_TOGETHER", 3)
    monkeypatch.setattr(transfer, "_OVERLAP", 7)


@pytest.mark.usefixtures("small")
def test_objects_of_every_length_that_grow(memory, tmp_path):
    rng = random.Random(4)
    contents = {f"{k}": b"" for k in range(12)}
    for _ in range(6):
        jobs = []
        for name, before in contents.items():
            anew = rng.random() < 0.2
            contents[name] = rng.randbytes(rng.randrange(90)) if anew else before + rng.randbytes(rng.randrange(45))
            memory.put(name, contents[name])
            start = len(before) if len(before) <= len(contents[name]) else 0
            jobs.append(Transfer(f"{memory.url}/{name}", tmp_path / name, len(contents[name]), start))
        assert transferred(memory.store, jobs) == {}
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == contents


@pytest.mark.usefixtures("small")
def test_what_cannot_be_fetched_stays_as_it_was(memory, tmp_path):
    memory.put("short", b"x" * 15)
    local = tmp_path / "short"
    local.write_bytes(b"before")
    wrong = transferred(
        memory.store, [Transfer(f"{memory.url}/short", local, 40), Transfer("/none", tmp_path / "n", 9)]
    )
    assert {path.name: type(error) for path, error in wrong.items()} == {"short": ChangedError, "n": FileNotFoundError}
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("short", b"before")]


@pytest.mark.usefixtures("small")
def test_what_an_interrupted_look_left_is_no_part_of_a_file(memory, tmp_path):
    memory.put("log", b"x" * 25)
    job = Transfer(f"{memory.url}/log", tmp_path / "log", 25)
    job.part.write_bytes(b"left")
    assert transferred(memory.store, [job]) == {}
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"x" * 25]


def test_what_is_fetched():
    names = [
        "a/checkpoint-9/trainer_state.json", "a/checkpoint-10/trainer_state.json", "a/checkpoint-80/trainer_state.json",
        "a/trainer_state.json", "a/checkpoint-9/model.safetensors", "a/tokenizer.json", "a/.hidden/log.jsonl",
        "b/console.txt", "b/run.err", "b/events.out.tfevents.1.host.2.0", "b/p.db", "b/p.db-wal", "b/x.pkl",
        "mlruns/0/meta.yaml", "mlruns/0/r/meta.yaml", "mlruns/0/r/metrics/eval/reward", "mlruns/0/r/artifacts/model",
        "metrics/loss",
    ]  # fmt: skip
    how = portions(names)
    assert ".hidden" not in str(list(how))
    assert [name for name, portion in how.items() if portion is Portion.HEAD] == ["a/tokenizer.json"]
    assert [name for name, portion in how.items() if portion is Portion.NAME] == [
        "a/checkpoint-9/trainer_state.json", "a/checkpoint-10/trainer_state.json", "a/checkpoint-9/model.safetensors",
        "b/x.pkl", "mlruns/0/r/artifacts/model", "metrics/loss",
    ]  # fmt: skip
    assert beside("run.wandb") == ["files/wandb-metadata.json"]
    assert beside("p.parquet") == ["p_configs.parquet", "aux/configs.parquet"]
    assert beside("log.jsonl") == []


def test_a_folder_goes_with_its_owner_or_its_process(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    owner = Owner()
    folder, remove = temporary(owner)
    assert [folder] == list(tmp_path.iterdir())
    remove()
    assert list(tmp_path.iterdir()) == []
    folder, _ = temporary(owner)
    del owner
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_removed_and_no_other(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    code = (
        "import os, signal, sys, tempfile\n"
        "from rlscale.sources.stores.folder import temporary\n"
        "class Owner: pass\n"
        "owner = Owner()\n"
        "tempfile.tempdir = sys.argv[1]\n"
        "print(temporary(owner)[0])\n"
        "sys.stdout.flush()\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False)
    left = Path(done.stdout.strip())
    assert left.is_dir()
    first, second = Owner(), Owner()
    folders = {temporary(first)[0], temporary(second)[0]}
    assert set(tmp_path.iterdir()) == folders
    assert left not in folders
