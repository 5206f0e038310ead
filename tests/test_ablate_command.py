"""``rlscale ablate`` from the command line: tables, settings files, the bundled runs, and what users get wrong."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import rlscale
from rlscale.cli import main
from rlscale.curves import Run
from tests.decisions.ablation.simulated import runs_of

KEYS = {
    "schema", "baseline", "design", "tau", "knobs", "confounded", "left_out", "grouping", "trends", "interactions",
    "recipes", "notes", "method", "options", "errors", "unit", "metric",
}  # fmt: skip
KNOB = {"knob", "from", "to", "runs", "ceiling", "at", "speed", "says", "needs"}
RECIPES = (
    ({"loss": "dapo", "lr": 1e-4}, {}),
    ({"loss": "cispo", "lr": 1e-4}, {"A": 0.65}),
    ({"loss": "dapo", "lr": 3e-4}, {}),
)


def invoke(*args: object) -> Result:
    return CliRunner().invoke(main, ["ablate", *map(str, args)])


def document(*args: object) -> dict:
    result = invoke(*args, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def refused(*args: object) -> str:
    result = invoke(*args)
    assert result.exit_code == 2
    assert not result.stdout
    return " ".join(result.stderr.split())


def written(path: Path, runs: Iterable[Run], columns: Sequence[str]) -> Path:
    """Write runs as a table with a column a setting."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["run", *columns, "step", "accuracy"])
        for run in runs:
            for c, r in zip(run.curve.compute, np.clip(run.curve.reward, 0.0, 1.0), strict=True):
                writer.writerow([run.name, *(run.settings[name] for name in columns), c, r])
    return path


@pytest.fixture(scope="module")
def runs() -> list[Run]:
    return runs_of(RECIPES)


@pytest.fixture
def table(tmp_path: Path, runs: list[Run]) -> Path:
    return written(tmp_path / "runs.csv", runs, ("loss", "lr"))


def test_columns_of_a_table_are_knobs(table: Path) -> None:
    found = document(table)
    assert found.keys() >= KEYS
    assert [each.keys() >= KNOB for each in found["knobs"]] == [True, True]
    says = {each["knob"]: each["says"] for each in found["knobs"]}
    assert says == {"loss": "raises_ceiling", "learning_rate": "unresolved"}
    first = found["knobs"][0]
    assert (first["from"], first["to"], first["runs"]) == ("dapo", "cispo", [2, 2])
    assert first["ceiling"]["effect"].keys() == {"q10", "q50", "q90"}
    assert first["at"]["compute"] == 1000.0
    assert found["knobs"][1]["needs"].keys() == {"seeds", "compute"}
    assert (found["design"], found["baseline"], found["tau"]["from"]) == ("leave_one_out", "r0", "replicates")


def test_the_bundled_runs_answer() -> None:
    found = document("bundled", "--unit", "steps")
    says = {each["knob"]: each["says"] for each in found["knobs"]}
    assert says == {"max_response_length": "raises_ceiling", "learning_rate": "unresolved"}
    speed = next(each["speed"]["factor"] for each in found["knobs"] if each["knob"] == "learning_rate")
    assert speed["q90"] < 1.0  # half the learning rate is slower, but two seeds do not show it against all comparisons
    assert "raises the ceiling; of learning_rate no effect is resolved." in " ".join(invoke("bundled").stdout.split())


def test_settings_stand_in_a_file_of_their_own(tmp_path: Path, runs: list[Run]) -> None:
    table = written(tmp_path / "runs.csv", runs, ())
    assert "give --settings F.csv with a column run or recipe and a column a knob" in refused(table)
    for key, names in (("recipe", ["r0", "r1", "r2"]), ("run", [run.name for run in runs])):
        rows = [f"{name},{'cispo' if name.startswith('r1') else 'dapo'},{'r2' in name:d}" for name in names]
        (tmp_path / "knobs.txt").write_text("\n".join([f"{key},loss,big", *rows]), encoding="utf-8")
        found = document(table, "--settings", tmp_path / "knobs.txt")
        assert {each["knob"] for each in found["knobs"]} == {"loss", "big"}
    (tmp_path / "logs").mkdir()
    written(tmp_path / "logs" / "runs.csv", runs, ())
    (tmp_path / "knobs.txt").rename(tmp_path / "logs" / "settings.csv")
    assert {each["knob"] for each in document(tmp_path / "logs")["knobs"]} == {"loss", "big"}
    assert len(rlscale.read(tmp_path / "logs")) == len(runs)


def test_knobs_are_narrowed_and_the_baseline_is_chosen(table: Path) -> None:
    (only,) = document(table, "--knob", "loss", "--baseline", "r1")["knobs"]
    assert (only["knob"], only["from"], only["to"], only["says"]) == ("loss", "cispo", "dapo", "lowers_ceiling")


def test_every_file_is_written(table: Path, tmp_path: Path) -> None:
    names = [tmp_path / f"out.{end}" for end in ("csv", "png", "html")]
    result = invoke(table, "--csv", names[0], "--plot", names[1], "--report", names[2])
    assert result.exit_code == 0, result.stderr
    header, first, *_ = names[0].read_text(encoding="utf-8").splitlines()
    assert header.startswith("knob,from,to,runs_from,runs_to,says,together,ceiling,ceiling_q10,ceiling_q90")
    assert first.startswith("loss,dapo,cispo,2,2,raises_ceiling")
    assert names[1].stat().st_size > 20_000
    assert "Effect on the ceiling against effect on speed" in names[2].read_text(encoding="utf-8")


def test_a_ledger_answers_as_the_table_does(table: Path, tmp_path: Path) -> None:
    where = tmp_path / "runs.db"
    added = CliRunner().invoke(main, ["ledger", "add", str(table), "--ledger", str(where)])
    assert added.exit_code == 0, added.output
    assert document(table)["knobs"] == document(f"ledger:sqlite:///{where}")["knobs"]


def test_python_gives_the_same_numbers(table: Path) -> None:
    found = rlscale.ablate(rlscale.read(table))
    assert found.to_dict()["knobs"] == document(table)["knobs"]
    assert "raises the ceiling" in found.summary()
    assert found.to_frame()["knob"].tolist() == ["loss", "learning_rate"]


def test_what_is_left_out_ends_in_3(tmp_path: Path, runs: list[Run]) -> None:
    written(tmp_path / "runs.csv", runs, ("loss", "lr"))
    (tmp_path / "other.csv").write_text("run,step,accuracy\nx,1,broken\n", encoding="utf-8")
    assert invoke(tmp_path).exit_code == 3
    assert invoke(tmp_path, "--partial").exit_code == 0
    for run in runs:
        if run.name == "r2-seed1":
            object.__setattr__(run, "settings", {"loss": "dapo", "lr": ""})
    result = invoke(written(tmp_path / "missing.csv", runs, ("loss", "lr")))
    assert result.exit_code == 3
    assert "1 of 6 runs left out: r2-seed1 (it states no learning_rate)." in " ".join(result.stdout.split())


def test_what_users_get_wrong(table: Path, tmp_path: Path, runs: list[Run]) -> None:
    alone = written(tmp_path / "one.csv", runs[:1], ("loss",))
    same = written(tmp_path / "same.csv", runs[:2], ("loss",))
    knobs = tmp_path / "knobs.csv"
    for text, said in (
        ("name,loss\nr0,a\n", "has no column run or recipe; its columns are name, loss"),
        ("recipe\nr0\n", "has no column beside recipe; give one a knob"),
        ("recipe,loss\nr0,a\nr0,b\n", "says two things of recipe 'r0' (line 3); keep one row"),
        ("recipe,loss\nr0,a,b\n", "line 2 has 3 cells, the header 2"),
        ("recipe,lr,learning_rate\nr0,1,1\n", "has several columns for learning_rate; keep one"),
        ("recipe,loss\n", "has a header and no row"),
        ("recipe,loss\nr9,a\n", "--settings: 'r9' is no run and no recipe; there are r0-seed0, r0-seed1"),
    ):
        knobs.write_text(text, encoding="utf-8")
        assert said in refused(table, "--settings", knobs)
    for args, said in (
        ((alone,), "one run: an ablation compares runs that differ in a setting; give at least two"),
        ((same,), "no setting of the runs is known; give --settings F.csv"),
        ((table, "--knob", "losss"), "--knob 'losss' is stated by no run; did you mean loss?"),
        ((table, "--baseline", "x"), "--baseline 'x' is no run and no recipe; there are r0, r1, r2"),
        ((table, "--effect", 0), "--effect 0 is not a difference of rewards above 0; give one, such as .03"),
        ((table, "--target", -1), "--target -1 is not a compute above 0; give one in steps"),
        ((table, "--settings", tmp_path / "none.csv"), "cannot be read: No such file or directory"),
    ):
        assert said in refused(*args), args


def test_all_knobs_at_once_are_confounded(tmp_path: Path) -> None:
    runs = runs_of([({"a": k, "b": "xyz"[k], "c": 2 * k}, {"A": 0.4 + 0.1 * k}) for k in range(3)])
    found = document(written(tmp_path / "all.csv", runs, ("a", "b", "c")))
    assert found["confounded"] == [["a", "b", "c"]]
    assert found["design"] == "unbalanced"
    assert {each["says"] for each in found["knobs"]} == {"confounded"}
    assert "All knobs were changed at once" in invoke(tmp_path / "all.csv").stdout
