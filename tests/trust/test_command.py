"""``rlscale backtest`` from the command line."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rlscale.cli import main
from rlscale.render.simulated import table_csv
from tests.trust.made import rising, several


def invoke(*args: object) -> Result:
    return CliRunner().invoke(main, ["backtest", *map(str, args)])


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("backtest") / "runs.csv"
    path.write_text(table_csv([*several(6), rising("short", points=8)]))
    return path


def test_text_tells_each_cut_and_what_was_skipped(table: Path) -> None:
    result = invoke(table, "--cut", "0.5", "--cut", "0.3")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("Made at 30 and 50 % of its compute")
    assert "At 30 % of the compute, 6 runs\n" in result.stdout
    assert "· short: 8 evaluations; a backtest needs 12\n" in result.stdout


def test_json_is_the_same_for_any_number_of_jobs(table: Path) -> None:
    one, two = invoke(table, "--json"), invoke(table, "--json", "--jobs", 2)
    assert one.exit_code == two.exit_code == 0, two.stderr
    assert one.stdout == two.stdout
    document = json.loads(one.stdout)
    assert [cut["cut"] for cut in document["cuts"]] == [0.25, 0.5, 0.75]
    assert document["options"]["cuts"] == [0.25, 0.5, 0.75]
    assert len(document["runs"]) == 18


def test_reading_and_fitting_options_bear_on_the_answer(table: Path) -> None:
    result = invoke(table, "--json", "--cut", 0.5, "--until", 200, "--model-error", 0, "--family", "sigmoid")
    document = json.loads(result.stdout)
    assert document["runs"][0]["compute_seen"] == 100.0
    assert document["options"]["model_error"] == 0.0
    assert document["options"]["family"] == "sigmoid"


def test_plot_and_report(table: Path, tmp_path: Path) -> None:
    plot, report = tmp_path / "f.svg", tmp_path / "f.html"
    result = invoke(table, "--cut", 0.5, "--plot", plot, "--report", report)
    assert result.exit_code == 0, result.stderr
    assert plot.stat().st_size > 5000
    assert "<h2>Forecast and truth</h2>" in report.read_text(encoding="utf-8")
    assert result.stderr.splitlines() == [f"wrote {plot}", f"wrote {report}"]


def test_one_run_is_scored(tmp_path: Path) -> None:
    path = tmp_path / "one.csv"
    path.write_text(table_csv([rising("alone")]))
    result = invoke(path)
    assert result.exit_code == 0, result.stderr
    assert "1 run cannot tell methods apart" in result.stdout


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["TABLE", "--cut", "1.5"], "--cut 1.5 is not between 0 and 1; give the share of each run's compute"),
        (["TABLE", "--cut", "0"], "--cut 0 is not between 0 and 1"),
        (["TABLE", "--cut", "nan"], "--cut nan is not between 0 and 1"),
        (["TABLE", "--jobs", "0"], "--jobs 0 is not a number of processes; give 1 or more"),
        (["TABLE", "--until", "80"], "nothing can be backtested: r-0 and 5 more: 9 evaluations; a backtest needs 12"),
        (["TABLE", "--family", "cubic"], "unknown family 'cubic'"),
        (["no-such-file.csv"], "no-such-file.csv: no such file or folder; check the path"),
    ],
)
def test_bad_input_is_two_and_one_line_on_stderr(args: list[str], message: str, table: Path) -> None:
    result = invoke(*[table if arg == "TABLE" else arg for arg in args], "--json")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith(f"error: {message}")
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("args", [["--cut", "half"], ["--jobs", "two"], []])
def test_bad_usage_is_two(args: list[str], table: Path) -> None:
    assert invoke(*args, *([table] if args else [])).exit_code == 2


def test_long_work_shows_progress_on_a_terminal(monkeypatch: pytest.MonkeyPatch, table: Path) -> None:
    monkeypatch.setattr("rlscale.cli.base._PROGRESS", 1)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert invoke(table, "--cut", 0.5).exit_code == 0
