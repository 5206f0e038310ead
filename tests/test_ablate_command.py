"""``rlscale ablate`` from the command line: tables, settings files, the bundled runs, and what users get wrong."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

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
    own = [replace(run, settings={"loss": "dapo", "lr": ""}) if run.name == "r2-seed1" else run for run in runs]
    result = invoke(written(tmp_path / "missing.csv", own, ("loss", "lr")))
    assert result.exit_code == 3
    assert "1 of 6 runs left out: r2-seed1 (it states no learning_rate)." in " ".join(result.stdout.split())


def test_blanks_are_unknown_and_never_equal(tmp_path: Path, runs: list[Run]) -> None:
    blank = [replace(run, settings={**run.settings, "clip": "" if run.recipe == "r1" else 0.2}) for run in runs]
    table = written(tmp_path / "blank.csv", blank, ("loss", "lr", "clip"))
    result = invoke(table)
    assert result.exit_code == 3
    assert "2 of 6 runs left out: r1-seed0, r1-seed1 (it states no clip)" in " ".join(result.stdout.split())
    assert "same settings" not in result.stdout
    lost = json.loads(invoke(table, "--json").stdout)["left_out"]
    assert [(each["run"], each["counted"]) for each in lost] == [("r1-seed0", True), ("r1-seed1", True)]
    halves = [
        replace(run, settings={"a": "" if k < 2 else k % 2, "b": k % 2 if k < 2 else ""}) for k, run in enumerate(runs)
    ]
    assert (
        "nothing can be compared, as settings are not known: r0-seed0, r0-seed1 state no a; r1-seed0, r1-seed1 state "
        "no b; state each knob for all runs, with --settings F.csv"
    ) in refused(written(tmp_path / "halves.csv", halves[:4], ("a", "b")))


def test_recipes_of_equal_settings_are_not_pooled(tmp_path: Path) -> None:
    truths = [(size, 0.4 + 0.05 * k + 0.15 * loss) for k, size in enumerate((1e9, 8e9)) for loss in (0, 1)]
    own = runs_of([({"model_params": f"{size:g}"}, {"A": ceiling}) for size, ceiling in truths])
    named = [
        replace(run, settings={**run.settings, "recipe": ("base", "cispo")[k // 2 % 2]}) for k, run in enumerate(own)
    ]
    found = document(written(tmp_path / "sizes.csv", named, ("recipe", "model_params")))
    says = {each["knob"]: (each["says"], each["runs"]) for each in found["knobs"]}
    assert says["recipe"] == ("raises_ceiling", [4, 4])
    assert says["model_params"][1] == [4, 4]


def test_runs_that_say_nothing_end_in_2(tmp_path: Path) -> None:
    table = written(tmp_path / "short.csv", runs_of(RECIPES, last=50.0), ("loss", "lr"))
    assert "nothing can be compared: no run has a ceiling that counts; r0-seed0, r0-seed1" in refused(table)


def test_an_alias_of_a_setting_is_a_knob(table: Path) -> None:
    (only,) = document(table, "--knob", "lr")["knobs"]
    assert only["knob"] == "learning_rate"


def test_no_file_holds_what_steers_a_terminal(tmp_path: Path, runs: list[Run]) -> None:
    hostile = "\x1b[2Jcispo\x9b1m"
    own = [replace(run, settings={"loss": hostile if run.recipe == "r1" else "dapo"}) for run in runs[:4]]
    names = [tmp_path / f"out.{end}" for end in ("csv", "svg", "html")]
    result = invoke(
        written(tmp_path / "runs.csv", own, ("loss",)), "--csv", names[0], "--plot", names[1], "--report", names[2]
    )
    assert result.exit_code == 0, result.stderr
    for text in (result.stdout, *(name.read_text(encoding="utf-8") for name in names)):
        assert all(line.isprintable() for line in text.replace("\xa0", " ").split("\n"))
    ElementTree.fromstring(names[1].read_text(encoding="utf-8"))
    as_json = invoke(tmp_path / "runs.csv", "--json").stdout
    assert all(map(str.isprintable, as_json.split("\n")))
    assert json.loads(as_json)["knobs"][0]["to"] == hostile


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
        ("recipe,run,loss\nr0,x,a\n", "has a column run and a column recipe; keep that which its rows are about"),
        ("recipe,lo\0ss\nr0,a\n", "holds a NUL byte: it is no text; give a CSV of settings"),
        (
            "recipe,lr\nr0,1e400\n",
            "line 2: learning_rate is '1e400', which is no finite number; give a number, or a word",
        ),
        ("recipe,lr\nr0,-inf\n", "line 2: learning_rate is '-inf', which is no finite number"),
        (
            "run,lr\nr0-seed0,1\nr0,2\n",
            "--settings says two things of learning_rate of 'r0-seed0': 1, and 2 of its recipe 'r0'",
        ),
    ):
        knobs.write_text(text, encoding="utf-8")
        assert said in refused(table, "--settings", knobs)
    for args, said in (
        ((alone,), "one run: an ablation compares runs that differ in a setting; give at least two"),
        ((same,), "no setting of the runs is known; give --settings F.csv"),
        ((table, "--knob", "losss"), "--knob 'losss' is stated by no run; did you mean loss?"),
        ((table, "--baseline", "x"), "--baseline 'x' is no run and no recipe; there are r0, r1, r2"),
        ((table, "--knob", "learing_rate"), "--knob 'learing_rate' is stated by no run; did you mean learning_rate?"),
        ((table, "--seed-sd", 5), "--seed-sd 5 is more than the whole range; give a share of it, 0 to 1: 0.05 is 5 %"),
        ((table, "--effect", 2), "--effect 2 is more than the whole range of accuracy, 0 to 1; give a difference"),
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


def test_runs_that_do_not_state_what_others_do_are_compared_without_a_claim(tmp_path: Path) -> None:
    base = {"loss": "dapo", "lr": 1e-4, "batch": 32}
    recipes = [(base, {}), ({**base, "loss": "cispo"}, {"A": 0.65}), ({**base, "batch": 64}, {})]
    full = [run for recipe in recipes for run in runs_of([recipe], seeds=3)]
    runs = [
        replace(run, name=f"{run.settings['loss']}{run.settings['batch']}-seed{k % 3}") for k, run in enumerate(full)
    ]
    known = written(tmp_path / "known.csv", runs, ["loss", "batch"])
    claims = {(each["knob"], each["says"]) for each in document(known)["knobs"]}
    assert ("loss", "raises_ceiling") in claims
    base_alone = [
        run
        if run.settings["loss"] == "dapo" and run.settings["batch"] == 32
        else replace(run, settings={**run.settings, "loss": ""})
        for run in runs
    ]
    path = written(tmp_path / "unknown.csv", base_alone, ["loss", "batch"])
    result = invoke(path, "--json", "--partial")
    found = json.loads(result.stdout)
    assert found["unstated"] == ["loss"]
    assert {each["says"] for each in found["knobs"]} == {each["together"] for each in found["knobs"]} == {"confounded"}
    assert [each["run"] for each in found["left_out"]] == ["dapo32-seed0", "dapo32-seed1", "dapo32-seed2"]
    text = " ".join(invoke(path, "--partial").stdout.split())
    assert "The 6 runs compared do not state loss, as others do, and may differ in it: no effect is claimed." in text
    assert "raises" not in text
    assert "lowers" not in text
