from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import rlscale
from rlscale.cli import main
from rlscale.numerals import quantity

COMMANDS = (
    "fit", "rank", "backtest", "gate", "gate hold", "gate resume", "gate pin", "gate end", "gate lost", "watch",
    "health",
    "replay", "policy", "ledger add", "ledger list", "ledger history", "ledger export", "demo", "simulate", "show",
    "sources", "knobs",
)  # fmt: skip


def invoke(*args: object) -> Result:
    return CliRunner().invoke(main, [str(arg) for arg in args])


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cli") / "runs.csv"
    result = invoke("simulate", "--out", path, "--seeds", 1, "--points", 20, "--truth", path.with_suffix(".json"))
    assert result.exit_code == 0, result.stderr
    return path


def test_no_arguments_print_help() -> None:
    result = invoke()
    assert result.exit_code == 0
    assert "Usage:" in result.stdout
    assert "Example:\n    rlscale " in result.stdout


def test_a_report_never_replaces_a_log(table: Path) -> None:
    before = table.read_bytes()
    result = invoke("fit", table, "--report", table)
    assert result.exit_code == 2
    assert result.stderr == f"error: --report {table}: a report is an .html file; give a name that ends so\n"
    assert table.read_bytes() == before


def test_version() -> None:
    assert invoke("--version").stdout == f"rlscale, version {rlscale.__version__}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_help_ends_with_an_example(command: str) -> None:
    result = invoke(*command.split(), "--help")
    assert result.exit_code == 0
    assert result.stdout.rstrip().splitlines()[-2].strip() == "Example:"
    assert result.stdout.rstrip().splitlines()[-1].startswith(f"    rlscale {command} ")
    assert "--json" in result.stdout


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys, rlscale.cli\n"
        "heavy = ('numpy', 'scipy', 'rich', 'jinja2', 'matplotlib', 'sqlalchemy', 'alembic')\n"
        "print([m for m in heavy if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_click_8_1_suffices() -> None:
    code = (
        "import click\n"
        "def refuse(cls, item): raise TypeError('type is not subscriptable')\n"
        "click.ParamType.__class_getitem__ = classmethod(refuse)\n"
        "import rlscale.cli"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_simulate_writes_a_table_and_its_truth(table: Path) -> None:
    header, first = table.read_text().splitlines()[:2]
    assert header == "run,recipe,seed,model_params,compute,unit,reward,n_eval,sd"
    assert first.startswith("early-leader-s1,early-leader,1,,0,steps,0.")
    truth = json.loads(table.with_suffix(".json").read_text())
    assert [set(run) for run in truth["runs"]] == [
        {"run", "recipe", "unit", "R0", "A", "B", "C_mid", "sigma", "rho"}
    ] * 3


def test_simulate_to_stdout_keeps_the_truth_on_stderr() -> None:
    result = invoke("simulate", "--recipes", 1, "--seeds", 1, "--points", 3)
    assert len(result.stdout.splitlines()) == 5
    assert result.stderr.startswith("truth early-leader-s1: R0 0.100")
    assert json.loads(invoke("simulate", "--points", 3, "--json").stdout)["schema"] == 1


def test_from_auto_is_resolved_by_the_fit(table: Path) -> None:
    document = json.loads(invoke("fit", table, "--json", "--from", "auto").stdout)
    assert document["options"]["from"] == "auto"
    assert all(any(said.startswith("--from auto: ") for said in run["warnings"]) for run in document["runs"])
    refused = invoke("fit", table, "--from", "soon")
    assert refused.exit_code == 2
    assert "'soon' is not a compute; give a number, or auto" in refused.stderr


def test_fit_text_and_json(table: Path) -> None:
    assert "ceiling" in invoke("fit", table).stdout
    result = invoke("fit", table, "--json", "--target", "400", "--target", "inf", "--at-least", "0.5")
    document = json.loads(result.stdout)
    assert [item["compute"] for item in document["runs"][0]["forecast"]] == [400.0, "asymptote"]
    assert 0 <= document["runs"][0]["forecast"][0]["p_at_least"] <= 1
    text = invoke("fit", table, "--target", "400", "--at-least", "0.5").stdout
    assert "P(≥ 0.5)" in text


def test_a_far_target_and_a_reward_out_of_bounds_are_said(table: Path) -> None:
    asked = ("--target", "1M", "--at-least", "1.5", "--bounds", "0", "1")
    document = json.loads(invoke("fit", table, *asked, "--json").stdout)
    last = document["runs"][0]["compute_last"]
    far = (
        f"the target 1M steps is {quantity(1e6 / last)} times the last compute: forecasts were measured up to 32 times"
    )
    beyond = "the reward to reach, 1.5, lies outside the bounds [0, 1]: by these it is never reached"
    assert all(any(said.startswith(far) for said in run["warnings"]) for run in document["runs"])
    assert all(beyond in run["warnings"] for run in document["runs"])
    assert document["runs"][0]["forecast"][0]["p_at_least"] == 0.0
    assert far in " ".join(invoke("fit", table, *asked).stdout.split())
    notes = json.loads(invoke("rank", table, "--target", "1M", "--json").stdout)["notes"]
    assert any(far in note for note in notes)
    near = json.loads(invoke("fit", table, "--target", str(31 * last), "--at-least", "1", "--json").stdout)
    assert not any("times the last" in said or "to reach" in said for said in near["runs"][0]["warnings"])


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("2,500", 2500.0), ("1,000,000.5", 1000000.5), ("2_500", 2500.0), ("2.5e3", 2500.0), ("Asymptote", "asymptote")],
)
def test_targets_with_thousands(typed: str, meant: float | str, table: Path) -> None:
    assert json.loads(invoke("rank", table, "--json", "--target", typed).stdout)["at"] == meant


@pytest.mark.parametrize("typed", ["2,5e2", "1,5", "1,00", "1000,000", ",500", "1,000,", "1,000e3", "2__5", "_5"])
def test_a_comma_that_is_not_between_thousands_is_refused(typed: str, table: Path) -> None:
    result = invoke("rank", table, "--target", typed)
    assert result.exit_code == 2
    assert f"{typed!r} is not a compute; give a number, or inf for the asymptote" in result.stderr


def test_the_report_states_the_command_as_typed(table: Path, tmp_path: Path) -> None:
    report = tmp_path / "a report.html"
    assert invoke("fit", table, "--target", "2,500", "--report", report).exit_code == 0
    assert f"<code>rlscale fit {table} --target 2,500 --report &#39;{report}&#39;</code>" in report.read_text("utf-8")


def test_rank_json_plot_and_report(table: Path, tmp_path: Path) -> None:
    plot, report = tmp_path / "f.svg", tmp_path / "f.html"
    result = invoke("rank", table, "--json", "--plot", plot, "--report", report, "--seed-sd", "0")
    document = json.loads(result.stdout)
    assert document["claim"] == "runs"
    assert document["options"]["seed_sd"] == 0.0
    assert len(document["pairs"]) == 3
    assert sum(row["p_best"] for row in document["recipes"]) == pytest.approx(1.0)
    assert plot.stat().st_size > 1000
    assert "<h2>All recipes</h2>" in report.read_text(encoding="utf-8")
    assert result.stderr.splitlines() == [f"wrote {plot}", f"wrote {report}"]


def test_rank_by_the_asymptote(table: Path) -> None:
    assert json.loads(invoke("rank", table, "--json", "--target", "inf").stdout)["at"] == "asymptote"


def test_reading_options_reach_the_reader(table: Path) -> None:
    result = invoke(
        "fit", table, "--json", "--from", "50", "--until", "150", "--recipe", "^(slow|early)", "--bounds", 0, 2
    )
    run = json.loads(result.stdout)["runs"][0]
    assert (run["n_points"], run["recipe"], run["bounds"]) == (12, "early", [0.0, 2.0])


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["fit", "no-such-file.csv"], "no-such-file.csv: no such file or folder; check the path"),
        (["fit", "TABLE", "--target", "-5"], "--target -5 is not a compute above 0"),
        (["fit", "TABLE", "--plot", "f.pdf"], "--plot f.pdf: .pdf is not a chart; end the name in .png or .svg"),
        (["fit", "TABLE", "--report", "no/such/f.html"], "is not a folder; make it first"),
        (["rank", "TABLE", "--family", "cubic"], "unknown family 'cubic'"),
        (["rank", "TABLE", "--seed-sd", "-1"], "--seed-sd -1 is not a size"),
        (["rank", "TABLE", "--tolerance", "0"], "--tolerance 0 is not above 0"),
        (["simulate", "--points", "0"], "points 0 is below 1"),
    ],
)
def test_bad_input_is_two_and_one_line_on_stderr(args: list[str], message: str, table: Path) -> None:
    result = invoke(*[table if arg == "TABLE" else arg for arg in args], *([] if args[0] == "simulate" else ["--json"]))
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "args", [["fit"], ["fit", "x.csv", "--nonsense"], ["fit", "x.csv", "--target", "soon"], ["nope"]]
)
def test_bad_usage_is_two(args: list[str]) -> None:
    result = invoke(*args)
    assert result.exit_code == 2
    assert "Error: " in result.stderr


def test_one_bad_file_among_several_is_listed(table: Path, tmp_path: Path) -> None:
    bad = tmp_path / "empty.csv"
    bad.write_text("")
    result = invoke("fit", table, bad, "--json")
    assert result.exit_code == 0
    (error,) = json.loads(result.stdout)["errors"]
    assert error["path"] == str(bad)
    assert f"left out {bad}: " in result.stderr.replace("\n", "")
    text = invoke("fit", table, bad)
    assert str(bad) not in text.stdout
    assert f"left out {bad}: " in text.stderr
    assert invoke("fit", table, bad, "--strict").exit_code == 2
    assert invoke("fit", bad).exit_code == 2


def test_demo_ranks_the_bundled_runs_and_reports(tmp_path: Path) -> None:
    report = tmp_path / "demo.html"
    result = invoke("demo", "--json", "--report", report)
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    assert {row["recipe"] for row in document["recipes"]} == {"base", "long10", "lr1.5e-4"}
    assert document["recipes"][0]["recipe"] == "long10"
    assert document["report"] == str(report)
    assert report.exists()
    assert f"wrote {report}" in result.stderr


def test_demo_writes_report_html_here_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = invoke("demo")
    assert result.exit_code == 0
    assert "Six real RL runs" in result.stdout
    assert (tmp_path / "report.html").exists()
    assert "wrote report.html" in result.stderr


def test_a_defect_is_not_hidden(monkeypatch: pytest.MonkeyPatch, table: Path) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("rlscale.sources.collect", broken)
    result = invoke("fit", table)
    assert result.exit_code == 1
    assert isinstance(result.exception, ZeroDivisionError)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell")
def test_a_closed_pipe_is_no_defect(table: Path) -> None:
    for tail in ("rank", "rank --json"):
        command = f"set -o pipefail; {sys.executable} -m rlscale {tail} {table} | head -n 1"
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""


@pytest.mark.parametrize("command", ["fit", "rank", "plan", "health", "ablate"])
@pytest.mark.parametrize("folder", [False, True])
def test_nothing_that_is_read_is_written_over(command: str, folder: bool, table: Path, tmp_path: Path) -> None:
    log = tmp_path / "runs.csv"
    log.write_bytes(table.read_bytes())
    result = invoke(command, tmp_path if folder else log, "--csv", log)
    assert result.exit_code == 2
    assert "would write over what is read" in result.stderr
    assert log.read_bytes() == table.read_bytes()
