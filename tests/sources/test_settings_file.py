"""Settings of runs: columns of a table that no name explains, and files beside the logs."""

from __future__ import annotations

from pathlib import Path

import rlscale
from rlscale.sources import settings_file


def table(path: Path, header: str, row: str, runs: int = 4) -> Path:
    """Write a table; ``row`` may use {k}, the run, {i}, the evaluation, and {even}, 0 or 1."""
    rows = [row.format(k=k, i=i, even=k % 2, word="ab"[k % 2]) for k in range(runs) for i in range(1, 6)]
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def test_columns_that_set_runs_apart_are_kept(tmp_path: Path) -> None:
    path = table(
        tmp_path / "t.csv",
        "run,lr,loss,filter,same,entropy,step,accuracy",
        "r{k},{even}.5,{word},{even},7,{i}.{even},{i},0.{i}",
    )
    first, second, *_ = rlscale.read(path)
    assert dict(first.settings) == {"learning_rate": 0.5}
    assert dict(first.config) == {"filter": 0, "loss": "a"}  # not what is equal in all runs, nor what is measured
    assert dict(second.config) == {"filter": 1, "loss": "b"}


def test_a_setting_that_is_named_like_a_measured_quantity_is_kept(tmp_path: Path) -> None:
    header, row = "run,clip,length,tokens,step,accuracy", "r{k},0.{even},14,{k}5,{i},0.{i}"
    first, second, *_ = rlscale.read(table(tmp_path / "t.csv", header, row))
    assert (dict(first.config), dict(second.config)) == ({"clip": 0}, {"clip": 0.1})  # tokens: another in every run


def test_a_column_that_some_runs_leave_blank_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    rows = [f"r{k},{'0.2' if k else ''},{i},0.{i}" for k in range(3) for i in range(1, 6)]
    path.write_text("\n".join(["run,dropout,step,accuracy", *rows]) + "\n", encoding="utf-8")
    assert [dict(run.config) for run in rlscale.read(path)] == [{}, {"dropout": 0.2}, {"dropout": 0.2}]


def test_two_things_said_of_one_run_are_refused(tmp_path: Path) -> None:
    table(tmp_path / "t.csv", "run,recipe,step,accuracy", "r{k},base,{i},0.{i}")
    (tmp_path / "settings.csv").write_text("run,lr,loss\nr0,1,a\nbase,2,a\n", encoding="utf-8")
    reading = rlscale.collect(tmp_path)
    assert dict(reading.runs[0].settings) == {"loss": "a"}
    assert dict(reading.runs[1].settings) == {"learning_rate": "2", "loss": "a"}
    (error,) = reading.errors
    assert error.message == "says two things of learning_rate of r0: 1, and 2 of its recipe; keep one"


def test_what_changes_within_a_run_is_no_setting(tmp_path: Path) -> None:
    (run, *_) = rlscale.read(table(tmp_path / "t.csv", "run,phase,step,accuracy", "r{k},{i},{i},0.{i}"))
    assert not run.config


def test_a_settings_file_is_read_as_people_write_it(tmp_path: Path) -> None:
    path = tmp_path / "knobs.csv"
    path.write_text("\ufeffRecipe;LR;loss type\nbase;3e-4;dapo\n\nother; ;cispo\n", encoding="utf-8")
    assert settings_file(path) == {
        "base": {"learning_rate": "3e-4", "loss_type": "dapo"},
        "other": {"loss_type": "cispo"},
    }


def test_the_bundled_runs_know_their_settings() -> None:
    settings = {run.recipe: dict(run.settings) for run in rlscale.read("bundled")}
    assert settings["long10"] == {"max_response_length": "10", "learning_rate": "3e-4"}


def test_a_file_that_is_no_settings_file_hurts_nobody(tmp_path: Path) -> None:
    table(tmp_path / "t.csv", "run,lr,step,accuracy", "r{k},{even}.5,{i},0.{i}")
    (tmp_path / "settings.csv").write_text("name,value\na,1\n", encoding="utf-8")
    reading = rlscale.collect(tmp_path)
    assert len(reading.runs) == 4
    (error,) = reading.errors
    assert "has no column run or recipe" in error.message
    assert not any(lost.counted for lost in reading.left_out)
