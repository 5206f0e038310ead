"""``rlscale fit --over-time``: what runs were believed to reach as they grew."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

import rlscale
from rlscale.cli import main


def invoke(*args: object) -> Result:
    return CliRunner().invoke(main, [str(arg) for arg in args])


def written(path: Path, reward: Any) -> Path:
    """Write evaluations every 50 steps from 0 on as a table of one run, and return its path."""
    rows = [f"{50 * k},steps,{value:.5f}" for k, value in enumerate(reward)]
    path.write_text("\n".join(["compute,unit,reward", *rows]) + "\n", encoding="utf-8")
    return path


def rising(count: int) -> Any:
    share = np.arange(count) / 12.0
    return 0.15 + 0.6 * share**1.5 / (1.0 + share**1.5) + np.random.default_rng(4).normal(0.0, 0.008, count)


def runs_of(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.stderr
    found: list[dict[str, Any]] = json.loads(result.stdout)["runs"]
    return found


@pytest.fixture
def grown(tmp_path: Path) -> Path:
    return written(tmp_path / "grown.csv", rising(41))


def test_the_last_look_is_the_fit_itself(grown: Path) -> None:
    (run,) = runs_of(invoke("fit", grown, "--over-time", "--json"))
    looks = run["over_time"]
    assert len(looks) == 24
    assert (looks[0]["compute"], looks[-1]["compute"]) == (200.0, run["compute_last"])
    assert np.all(np.diff([look["compute"] for look in looks]) > 0)
    assert all(list(look) == ["compute", "verdict", "ceiling"] for look in looks)
    assert (looks[-1]["verdict"], looks[-1]["ceiling"]) == (run["verdict"], run["ceiling"])
    assert run["ceiling"] == run["A_average"]
    (alone,) = runs_of(invoke("fit", grown, "--json"))
    assert "over_time" not in alone
    assert {**run, "over_time": None} == {**alone, "over_time": None}


def test_an_earlier_look_is_the_fit_of_what_was_known_then(grown: Path) -> None:
    (run,) = runs_of(invoke("fit", grown, "--over-time", "--json"))
    look = run["over_time"][11]
    (then,) = runs_of(invoke("fit", grown, "--until", look["compute"], "--json"))
    assert look["verdict"] == then["verdict"]
    assert look["ceiling"] == pytest.approx(then["ceiling"], abs=1e-9)


def test_with_a_target_each_look_has_the_forecast_there(grown: Path) -> None:
    (run,) = runs_of(invoke("fit", grown, "--over-time", "--target", "6000", "--target", "3000", "--json"))
    assert run["over_time"][-1]["forecast"] == {key: run["forecast"][0][key] for key in ("q10", "q50", "q90")}
    assert run["over_time"][-1]["verdict"] == run["verdict"]
    text = invoke("fit", grown, "--over-time", "--target", "6000").stdout
    assert "at 6k" in text
    assert "earlier 80 % intervals of the reward at 6k" in " ".join(text.split())


def test_python_says_the_same(grown: Path) -> None:
    (run,) = runs_of(invoke("fit", grown, "--over-time", "--json"))
    looks = rlscale.over_time(rlscale.read(grown)[0]).looks
    assert [look.verdict.name for look in looks] == [look["verdict"] for look in run["over_time"]]
    assert [vars(look.ceiling) for look in looks if look.ceiling] == [
        pytest.approx(look["ceiling"], abs=1e-9) for look in run["over_time"]
    ]


def test_three_evaluations_are_one_look_at_nothing(tmp_path: Path) -> None:
    path = written(tmp_path / "young.csv", [0.1, 0.2, 0.25, 0.3])
    (run,) = runs_of(invoke("fit", path, "--over-time", "--json"))
    assert run["over_time"] == [{"compute": 150.0, "verdict": "too_few_points", "ceiling": None}]
    assert run["ceiling"] is None
    text = invoke("fit", path, "--over-time").stdout
    assert re.search(r"150  ● too few points(\s+–){2}$", text, re.M)


def test_a_collapsed_run_collapses_at_a_look(tmp_path: Path) -> None:
    reward = rising(41)
    reward[30:] = 0.12
    (run,) = runs_of(invoke("fit", written(tmp_path / "fell.csv", reward), "--over-time", "--json"))
    before = [look["verdict"] for look in run["over_time"] if look["compute"] < 1500]
    assert "collapsed" not in before
    assert run["over_time"][-1]["verdict"] == run["verdict"] == "collapsed"
    assert run["over_time"][-1]["ceiling"] == run["ceiling"] is not None


def test_a_broken_file_beside_it_is_named_and_costs_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "runs"
    folder.mkdir()
    written(folder / "whole.csv", rising(12))
    (folder / "broken.csv").write_text("compute,unit,reward\n50,steps,0.1\n-50,steps,0.3\n", encoding="utf-8")
    result = invoke("fit", folder, "--over-time", "--json")
    assert [len(run["over_time"]) for run in runs_of(result)] == [8]
    assert [Path(error["path"]).name for error in json.loads(result.stdout)["errors"]] == ["broken.csv"]


def test_chart_and_report(grown: Path, tmp_path: Path) -> None:
    plot, report = tmp_path / "f.svg", tmp_path / "f.html"
    result = invoke("fit", grown, "--over-time", "--plot", plot, "--report", report)
    assert result.exit_code == 0, result.stderr
    assert "As the run grew, 12 of 24 looks" in result.stdout
    assert plot.stat().st_size > 10_000
    assert "<h2>As the runs grew</h2>" in report.read_text(encoding="utf-8")
