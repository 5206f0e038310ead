"""A new format is one file and one line: everything else asks the formats."""

import importlib
import json

import numpy as np
import pytest
from click.testing import CliRunner

from rlscale.cli import main
from rlscale.errors import SourceError
from rlscale.render.logs.page import page
from rlscale.sources import ReadOptions, collect, formats
from rlscale.sources.follow import Follower

#: Lines ``step=5 accuracy=0.25`` behind a first line ``toy 1``; a ``.toyindex`` beside them repeats them.
MODULE = """
from pathlib import Path

from rlscale.sources.files.fold import Fold, forked, read_lines
from rlscale.sources.format import Address, Claim, Entry, Format, Precision
from rlscale.sources.history import of_rows
from rlscale.sources.trainers.base import log_of
from rlscale.sources.trainers.other import OTHER

NAME = "toy"


class ToyFold(Fold):
    def __init__(self, path):
        self.path, self.rows = path, []

    def feed(self, number, line):
        if line.endswith("\\n") and "=" in line:
            values = dict(part.split("=") for part in line.split())
            self.rows.append((float(values.pop("step")), {key: float(value) for key, value in values.items()}))

    def done(self):
        return [log_of(OTHER, one) for one in of_rows(self.rows, self.path, NAME)]

    def fork(self):
        return forked(self)

    def seal(self, rest):
        pass


FORMAT = Format(
    name=NAME,
    entries=(Entry(NAME, "toys", "a .toy file", note="one line a step", precision=Precision.FULL),),
    sniff=lambda path, head: head.startswith(b"toy 1"),
    fold=ToyFold,
    endings=(".toy",),
    unsure=(".dat",),
    looks_like=lambda path: path.read_bytes().startswith(b"toy 1"),
    claims=lambda folder, names: Claim(beside=frozenset(name for name in names if name.endswith(".index.toy"))),
    address=Address(("toy",), "toy://NAME", lambda uri: read_lines(Path(uri[6:]), ToyFold)),
    file_words="toybox",
)
"""
CURVE = {0: 0.1, 5: 0.23, 10: 0.31, 15: 0.37}


def toy(curve):
    return "toy 1\n" + "".join(f"step={step} accuracy={value}\n" for step, value in curve.items())


@pytest.fixture(autouse=True)
def entry(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("module")
    (folder / "toy_format_of_a_test.py").write_text(MODULE)
    monkeypatch.syspath_prepend(folder)
    module = importlib.import_module("toy_format_of_a_test")
    monkeypatch.setattr(formats, "FORMATS", (module.FORMAT, *formats.FORMATS))


def runs(folder):
    return [(run.name, run.source.format) for run in collect([folder], ReadOptions(unit="steps")).runs]


def test_it_is_read_and_restarts_are_repaired(write):
    path = write("run.toy", toy(CURVE) + "step=10 accuracy=0.35\nstep=15 accuracy=0.36\n")
    (run,) = collect([path], ReadOptions(unit="steps")).runs
    assert (run.name, run.source.format) == ("run", "toy")
    assert run.curve.reward.tolist() == [0.1, 0.23, 0.35, 0.36]
    assert any("resumed at step 10" in said for said in run.source.repairs)


def test_it_is_discovered(write, tmp_path):
    write("a/toybox.toy", toy(CURVE))
    write("b/x.toy", toy(CURVE | {15: 0.4}))
    write("b/x.index.toy", toy({0: 0.9, 5: 0.9, 10: 0.9, 15: 0.8}))
    write("c.dat", toy(CURVE | {15: 0.5}))
    write("d.dat", "no log")
    assert runs(tmp_path) == [("c", "toy"), ("a", "toy"), ("b/x", "toy")]


def test_its_addresses_are_known(write):
    assert len(collect([f"toy://{write('run.toy', toy(CURVE))}"], ReadOptions(unit="steps")).runs) == 1
    with pytest.raises(SourceError, match=r"write toy://NAME, wandb://ENTITY/PROJECT, mlflow://"):
        collect(["other://x"])


def test_it_is_followed_line_by_line(write, tmp_path):
    path = write("run.toy", toy({0: 0.1, 5: 0.23}) + "step=10 accu")
    follower = Follower([tmp_path], ReadOptions(unit="steps"))
    assert follower.poll().runs[0].curve.compute.tolist() == [0, 5]
    kept = follower.poll()
    assert follower.poll() is kept  # nothing changed
    with path.open("a") as file:
        file.write("racy=0.31\n")
    (run,) = follower.poll().runs
    assert run.curve.compute.tolist() == [0, 5, 10]
    path.write_text("toy 1\nstep=10 accuracy=0.3\nstep=15 accuracy=0.4\n")  # erased by a resume
    (run,) = follower.poll().runs
    np.testing.assert_array_equal(run.curve.reward, [0.1, 0.23, 0.3, 0.4])
    follower.close()


def test_a_copy_of_it_is_read_once(write, tmp_path):
    write("a/run.toy", toy(CURVE))
    rows = [{"step": step, "accuracy": value} for step, value in CURVE.items()]
    write("a/run.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    (run,) = collect([tmp_path], ReadOptions(unit="steps")).runs
    assert run.source.format == "toy"
    assert "a copy of this run beside it was not read twice: run.jsonl (jsonl)" in run.source.repairs


def test_it_is_listed():
    assert "toys" in CliRunner().invoke(main, ["sources"]).stdout
    listed = json.loads(CliRunner().invoke(main, ["sources", "--json"]).stdout)["sources"]
    (line,) = [one for one in listed if one["name"] == "toy"]
    assert (line["title"], line["give"], line["note"]) == ("toys", "a .toy file", "one line a step")
    assert "| toys | a .toy file |  | real files | one line a step |" in page()
