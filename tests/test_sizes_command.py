"""``rlscale sizes`` from the command line: on tables, a ledger, and what users get wrong."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import rlscale
from rlscale.cli import main
from rlscale.curves import Run
from tests.inference.size_law.projects import K_MAX, N0, SIZES, runs_of_sizes, with_curve

NAMES = {0.5e9: "500M", 1.5e9: "1.5B", 3e9: "3B", 7e9: "7B", 14e9: "14B", 32e9: "32B"}


def invoke(*args: object) -> Result:
    return CliRunner().invoke(main, ["sizes", *map(str, args)])


def document(*args: object) -> dict:
    result = invoke(*args, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def written(
    path: Path, runs: Iterable[Run], sizes: dict[float, str] | None = None, column: str = "model_params"
) -> Path:
    """Write runs as a table; ``sizes`` is how each size is written."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["run", column, "samples", "accuracy"])
        for run in runs:
            size = (sizes or NAMES).get(run.model_params or 0.0, f"{run.model_params:g}")
            reward = np.clip(run.curve.reward, 0.0, 1.0)
            writer.writerows(
                zip([run.name] * reward.size, [size] * reward.size, run.curve.compute, reward, strict=True)
            )
    return path


@pytest.fixture(scope="module")
def runs() -> list[Run]:
    return runs_of_sizes(SIZES[:5], sd=0.004)


@pytest.fixture
def table(tmp_path: Path, runs: list[Run]) -> Path:
    return written(tmp_path / "sizes.csv", runs)


def test_the_law_and_what_it_is_asked(table: Path) -> None:
    found = document(table, "--predict", "32B", "--predict", "7e9", "--budget", "4e4")
    assert found["K_max"]["q50"] == pytest.approx(K_MAX, rel=0.1)
    assert found["N0"]["q50"] == pytest.approx(N0, rel=0.2)
    assert [row["model_params"] for row in found["sizes"]] == list(SIZES[:6])
    kinds = [(each["model_params"], each["kind"]) for each in found["predictions"] if each["compute"] == 4e4]
    assert kinds == [(32e9, "unseen"), (7e9, "unseen"), (7e9, "refitted")]
    assert found["budget"]["compute"] == 4e4
    assert found["options"]["predict"] == [32e9, 7e9]
    assert (found["unit"], found["metric"], found["r_max"]) == ("samples", "accuracy", 1.0)


@pytest.mark.parametrize("column", ["model_params", "Model Size", "n_params", "params", "num_parameters"])
def test_sizes_are_read_under_the_names_that_people_give_them(tmp_path: Path, runs: list[Run], column: str) -> None:
    found = document(written(tmp_path / "t.csv", runs[:3], column=column))
    assert [row["model_params"] for row in found["sizes"]] == list(SIZES[:3])


def test_sizes_in_billions_are_a_unit_of_their_own(tmp_path: Path, runs: list[Run]) -> None:
    path = written(tmp_path / "t.csv", runs, {size: f"{size / 1e9:g}" for size in NAMES})
    found = document(path, "--predict", 32)
    assert found["N0"]["q50"] == pytest.approx(13.0, rel=0.2)
    result = invoke(path, "--predict", "32B")
    assert result.exit_code == 2
    assert "--predict 32B is in another unit than the sizes of the runs, 0.5 to 14" in result.stderr


def test_a_folder_of_tables_in_json_lines_and_csv_is_one_law(tmp_path: Path, runs: list[Run]) -> None:
    written(tmp_path / "small.csv", runs[:3])
    rows = [
        {"run": run.name, "model_params": NAMES[run.model_params], "samples": c, "accuracy": float(np.clip(r, 0, 1))}
        for run in runs[3:]
        for c, r in zip(run.curve.compute.tolist(), run.curve.reward.tolist(), strict=True)
    ]
    (tmp_path / "large.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    assert [row["model_params"] for row in document(tmp_path)["sizes"]] == list(SIZES[:5])


def test_every_file_is_written(table: Path, tmp_path: Path) -> None:
    names = [tmp_path / f"out.{end}" for end in ("csv", "png", "html")]
    result = invoke(table, "--csv", names[0], "--plot", names[1], "--report", names[2])
    assert result.exit_code == 0, result.stderr
    assert names[0].read_text(encoding="utf-8").startswith("model_params,in_sample,runs,")
    assert names[1].stat().st_size > 20_000
    assert "Exponent k(N)" in names[2].read_text(encoding="utf-8")
    assert result.stderr.count("wrote ") == 3


def test_a_ledger_answers_as_the_table_does(table: Path, tmp_path: Path) -> None:
    where = tmp_path / "runs.db"
    added = CliRunner().invoke(main, ["ledger", "add", str(table), "--ledger", str(where)])
    assert added.exit_code == 0, added.output
    one, other = document(table), document(f"ledger:sqlite:///{where}")
    assert one["K_max"] == other["K_max"]


def test_python_gives_the_same_numbers(table: Path) -> None:
    law = rlscale.size_law(rlscale.read(table), predict=32e9)
    found, told = document(table, "--predict", "32B"), law.to_dict()
    assert all(told[key] == found[key] for key in ("K_max", "N0", "sizes", "predictions", "compare", "believe"))


def test_a_file_that_is_broken_ends_in_3(tmp_path: Path, runs: list[Run]) -> None:
    written(tmp_path / "a.csv", runs[:4])
    lines = written(tmp_path / "b.csv", runs[4:]).read_text(encoding="utf-8").splitlines()
    lines[3] = "broken"
    (tmp_path / "b.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    result = invoke(tmp_path)
    assert result.exit_code == 3
    assert "left out" in result.stdout
    assert invoke(tmp_path, "--partial").exit_code == 0
    (out,) = json.loads(invoke(tmp_path, "--json").stdout)["left_out"]
    assert out["counted"]
    assert out["path"].endswith("b.csv")


def test_a_run_too_short_is_not_used_and_said(tmp_path: Path, runs: list[Run]) -> None:
    short = runs_of_sizes(SIZES[5:6], compute=512.0 * np.arange(1, 4))
    path = written(tmp_path / "t.csv", [*runs, *short])
    result = invoke(path)
    assert result.exit_code == 0
    assert "Not used\n· 3.2e+10-0: Only 3 evaluations after the start; a fit needs 4." in result.stdout
    (out,) = document(path)["left_out"]
    assert (out["run"], out["path"], out["counted"]) == ("3.2e+10-0", str(path), False)


def refused(*args: object) -> str:
    result = invoke(*args)
    assert result.exit_code == 2
    assert not result.stdout
    return " ".join(result.stderr.split())


def test_sizes_in_mixed_units_are_shown(tmp_path: Path, runs: list[Run]) -> None:
    path = written(tmp_path / "t.csv", runs[1:4], {1.5e9: "7", 3e9: "7B", 7e9: "7e9"})
    assert refused(path) == (
        "error: model_params are in mixed units: 7, 7B (7e+09); 7 looks like billions beside 7B: write all as "
        "parameters (7e9 or 7B), or all in billions (7)"
    )


def test_a_word_is_no_size(tmp_path: Path, runs: list[Run]) -> None:
    path = written(tmp_path / "t.csv", runs[:3], dict.fromkeys(NAMES, "large"))
    assert "model_params 'large' is no size of a model; write 7e9 or 7B" in refused(path)
    # one bad cell costs its own run
    path = written(tmp_path / "t.csv", runs[:4], {**NAMES, 3e9: "large"})
    result = invoke(path, "--json")
    assert result.exit_code == 3
    answer = json.loads(result.stdout)
    assert [(each["run"], each["counted"]) for each in answer["left_out"]] == [("3e+09-0", True)]
    assert "'large' is no size" in json.dumps(answer["input"])
    assert invoke(path).stdout.startswith("1 of 4 runs left out: 3e+09-0 (the size of its model is not known).")
    assert invoke(path, "--partial").exit_code == 0
    assert refused(path, "--strict").startswith("error: 3e+09-0: the size of its model is not known; without --strict")
    # under another name words are a setting, and the size is not known
    path = written(tmp_path / "t.csv", runs[:3], {**NAMES, 3e9: "large"}, column="model_size")
    assert "the size of the model of 5e+08-0 and 2 more is not known; give a column model_params" in refused(path)


def test_questions_that_cannot_be_answered(table: Path, tmp_path: Path, runs: list[Run]) -> None:
    alone = written(tmp_path / "one.csv", runs[:1])
    for args, said in (
        ((alone,), "the runs are of one size (500M): a law across sizes needs two sizes, better three"),
        (("bundled",), "the size of the model of base/seed0 and 5 more is not known; give a column model_params"),
        ((table, "--r-max", 0.2), "above R_max = 0.2, where log(1 - R/R_max) is no number; give --r-max R with"),
        ((table, "--r-max", 0), "--r-max 0 is not above 0; the law is of 1 - R/R_max: give the largest reward"),
        ((table, "--budget", 0), "--budget 0 is not above 0; give a compute in the unit of the runs"),
        ((table, "--predict", 0), "--predict 0 is not above 0; give the parameters of a model"),
        ((table, "--predict", 72), "--predict 72 is in another unit than the sizes of the runs"),
        ((table, "--predict", "big"), "'big' is not a number; 1000, 1e6, 4k, 2.5M, 7B and 1.5T are numbers"),
        ((table, "--bounds", "open"), "the largest possible reward is not known (the highest seen is 0.4"),
    ):
        assert said in refused(*args), args


def test_two_sizes_answer_with_their_limits(tmp_path: Path, runs: list[Run]) -> None:
    result = invoke(written(tmp_path / "t.csv", runs[:2]), "--predict", "7B")
    assert result.exit_code == 0
    said = " ".join(result.stdout.split())
    assert "The law: too few points." in said
    assert "wo sizes barely identify N0" in said


def test_limits_of_what_was_given_are_named(tmp_path: Path, runs: list[Run]) -> None:
    early, late = runs_of_sizes(SIZES[:2]), runs_of_sizes(SIZES[2:4], compute=1e5 * np.arange(1, 30))
    apart = " ".join(invoke(written(tmp_path / "t.csv", [*early, *late])).stdout.split())
    assert "he computes of 500M (512 to 2.56e+04) and 3B (1e+05 to 2.9e+06) do not overlap" in apart
    reward = runs[3].curve.reward.copy()
    reward[35:] = 0.01
    changed = runs_of_sizes(SIZES[3:4])[0]
    fallen = changed.with_curve(changed.curve, source=None, warnings=())
    object.__setattr__(fallen.curve, "reward", reward)
    said = " ".join(invoke(written(tmp_path / "c.csv", [*runs[:3], fallen])).stdout.split())
    assert "7e+09-0 collapsed: the fit covers the part up to the peak" in said


def test_rewards_in_percent_and_of_any_scale(tmp_path: Path, table: Path) -> None:
    one = document(table)
    rows = [line.rsplit(",", 1) for line in table.read_text(encoding="utf-8").splitlines()]
    scaled = [f"{head},{100 * float(cell):.6f}" for head, cell in rows[1:]]
    path = tmp_path / "percent.csv"
    path.write_text("\n".join(["run,model_params,samples,accuracy", *scaled]) + "\n", encoding="utf-8")
    other = document(path)
    assert other["r_max"] == 100.0
    assert other["K_max"]["q50"] == pytest.approx(one["K_max"]["q50"], rel=1e-3)
    path.write_text("\n".join(["run,model_params,samples,score", *scaled]) + "\n", encoding="utf-8")
    assert document(path, "--r-max", 100)["K_max"]["q50"] == pytest.approx(one["K_max"]["q50"], rel=0.02)


def test_python_speaks_of_parameters(table: Path) -> None:
    with pytest.raises(
        rlscale.InputError, match=r"^predict=0 is not above 0; give the parameters of a model$"
    ) as caught:
        rlscale.size_law(rlscale.read(table), predict=0)
    assert caught.value.parameter == "predict"
    with pytest.raises(
        rlscale.InputError, match=r"above R_max = 0\.1, .* give r_max=R with the largest reward possible"
    ):
        rlscale.size_law(rlscale.read(table), r_max=0.1)


def test_a_blank_size_costs_its_own_run(tmp_path: Path, runs: list[Run]) -> None:
    path = written(tmp_path / "t.csv", runs[:4], {**NAMES, 7e9: ""})
    result = invoke(path, "--json")
    assert result.exit_code == 3
    assert [each["why"] for each in json.loads(result.stdout)["left_out"]] == ["the size of its model is not known"]


def test_a_dead_run_of_a_large_model_does_not_shape_the_law(tmp_path: Path, runs: list[Run]) -> None:
    dead = with_curve(runs[4], reward=0.1 + 0.004 * np.random.default_rng(3).standard_normal(50))
    path = written(tmp_path / "t.csv", [*runs[:4], dead])
    alone = document(written(tmp_path / "u.csv", runs[:4]), "--predict", "32B")
    answer = document(path, "--predict", "32B")
    assert answer["predictions"][0]["reward"] == alone["predictions"][0]["reward"]
    assert [each["run"] for each in answer["left_out"]] == [dead.name]
    assert f"Not part of the law: {dead.name} (no evidence of a gain" in " ".join(invoke(path).stdout.split())


def test_a_run_keeps_its_name(tmp_path: Path, runs: list[Run]) -> None:
    reward = runs[3].curve.reward.copy()
    reward[35:] = 0.02
    fallen = replace(with_curve(runs[3], reward=reward), name="c")
    said = invoke(written(tmp_path / "t.csv", [*runs[:3], fallen])).stdout
    assert "· c collapsed: " in said
    assert "C collapsed" not in said
