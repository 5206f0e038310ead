"""A run that is left out is told first, counted, and ends a command with exit code 3."""

import json

import pytest
from click.testing import CliRunner

from rlscale import ReadOptions, collect
from rlscale.cli import main

COMMANDS = {
    "rank": ["rank"],
    "backtest": ["backtest"],
    "plan": ["plan", "--reward", "0.7"],
    "gate": ["gate", "--budget", "400"],
    "replay": ["replay", "--policy", "hold"],
    "fit": ["fit"],
    "show": ["show"],
}


def asked(*args):
    return CliRunner().invoke(main, [str(arg) for arg in args])


def rows(ceiling, count=24):
    """Rewards that rise to ``ceiling`` over steps 10, 20, ..."""
    return [{"step": 10 * k, "eval_reward": round(0.1 + (ceiling - 0.1) * k / (k + 6), 5)} for k in range(1, count + 1)]


@pytest.fixture
def folder(tmp_path):
    """Two good runs, a torn one, one without an evaluation, and a configuration."""

    def write(name, content):
        path = tmp_path / "runs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else "".join(json.dumps(row) + "\n" for row in content))

    write("high.jsonl", rows(0.8))
    write("low.jsonl", rows(0.5))
    write("torn.jsonl", '{"step": 1, "eval_reward": 0.5}\n{"st\n{"step": 2, "eval_reward": 0.5}\n')
    write("new.csv", "step,eval_reward\n")
    write("server.log", "INFO: Started server process\n" * 9)
    return tmp_path / "runs"


@pytest.mark.parametrize("name", COMMANDS)
def test_an_answer_without_a_run_says_so_first(folder, name):
    command = COMMANDS[name]
    result = asked(*command, folder)
    assert result.exit_code == (0 if name in ("fit", "show") else 3)
    text = " ".join(result.stdout.split())
    assert text.startswith("1 of 3 runs left out: runs/torn.jsonl (line 2 ")
    document = json.loads(asked(*command, folder, "--json").stdout)
    assert {(one["path"].rpartition("/")[2], one["run"], one["counted"]) for one in document["left_out"]} == {
        ("torn.jsonl", None, True), ("new.csv", None, False), ("server.log", None, False),
    }  # fmt: skip
    assert len(document["errors"]) == 3
    assert set(document["grouping"]) == {"by", "recipes", "note"}
    assert document["grouping"]["note"] == "Recipes: 2, each run its own: no seed marks"
    assert document["grouping"]["note"] in text


@pytest.mark.parametrize("name", ["rank", "backtest", "gate", "replay"])
def test_what_is_asked_for_in_part_is_no_failure(folder, name):
    assert asked(*COMMANDS[name], folder, "--partial").exit_code == 0
    whole = asked(*COMMANDS[name], folder, "--exclude", "torn", "--json")
    assert whole.exit_code == 0
    assert {one["counted"] for one in json.loads(whole.stdout)["left_out"]} == {False}
    assert asked(*COMMANDS[name], folder, "--strict").exit_code == 2


def test_nothing_left_is_bad_input(folder):
    result = asked("rank", folder / "torn.jsonl")
    assert result.exit_code == 2


def test_a_run_that_no_curve_can_be_made_of_leaves_the_others_of_its_table(tmp_path):
    table = tmp_path / "t.csv"
    lines = [f"{run},{k},{0.02 * k}" for run in ("a", "b") for k in range(1, 11)]
    table.write_text("\n".join(["run,step,reward", *lines, "c,1,.2", "c,2,7.5"]) + "\n")
    reading = collect([table])
    left = [one for one in reading.left_out if one.counted]
    if left:  # where bounds are open no run is
        assert [run.name for run in reading.runs] == ["a", "b"]
        assert [(one.run, one.path) for one in left] == [("c", str(table))]
        assert left[0].why.startswith("reward 7.5 is outside the bounds [0, 1]")
    reading = collect([table], ReadOptions(bounds=(0.0, 1.0)))
    assert [run.name for run in reading.runs] == ["a", "b"]
    assert [(one.run, one.counted) for one in reading.left_out] == [("c", True)]


def test_runs_cut_away_are_left_out_and_runs_without_an_evaluation_are_not_counted(tmp_path):
    (tmp_path / "t.csv").write_text("run,step,reward\na,10,.5\na,20,.6\nb,1,.5\n")
    (one,) = collect([tmp_path], ReadOptions(since=5.0)).left_out
    assert (one.run, one.why, one.counted) == ("b", "no point within --from 5", True)
    (tmp_path / "t.csv").write_text("run,step,reward\na,10,.5\na,20,.6\nb,1,\n")
    (one,) = collect([tmp_path]).left_out
    assert (one.run, one.why, one.counted) == ("b", "no point with a finite reward", False)


def test_the_gates_exit_code_goes_first_unless_the_run_is_left_out(folder):
    def gate(run):
        return asked("gate", folder, "--budget", 400, "--exit-code", "--run", run).exit_code

    assert gate("high") in (0, 20, 21, 22)
    table = folder / "t.csv"
    table.write_text("run,step,eval_reward\nx,1,.2\nx,2,7.5\n")
    result = asked(
        "gate", folder, "--budget", 400, "--bounds", 0, 1, "--metric", "eval_reward", "--exit-code", "--run", "x"
    )
    assert (result.exit_code, "x (reward 7.5 " in " ".join(result.stdout.split())) == (3, True)


def test_short_runs_that_a_backtest_skips_are_not_counted(folder):
    (folder / "short.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows(0.6, 9)))
    for name in ("backtest", "replay"):
        result = asked(*COMMANDS[name], folder, "--exclude", "torn", "--json")
        assert result.exit_code == 0
        (one,) = [one for one in json.loads(result.stdout)["left_out"] if one["run"] == "short"]
        assert (one["counted"], one["path"]) == (False, str(folder / "short.jsonl"))
        assert one["why"].startswith("9 evaluations; a ")


def test_show_tells_recipe_and_seed_of_each_run(folder):
    (folder / "base-seed3.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows(0.6)))
    text = asked("show", folder, "--run", "base*").stdout
    assert "recipe base (by seed mark (`seed3`)); seed 3 (by seed mark (`seed3`))" in text
    (run,) = json.loads(asked("show", folder, "--run", "base*", "--json").stdout)["runs"]
    assert (run["recipe"], run["seed"], run["recipe_from"]) == ("base", 3, "by seed mark (`seed3`)")


def test_the_report_begins_with_what_it_lacks(folder, tmp_path):
    asked("rank", folder, "--report", tmp_path / "r.html")
    html = (tmp_path / "r.html").read_text()
    assert "1 of 3 runs left out:" in html[html.index("<h1>") :][:60]
    assert "Recipes: 2, each run its own: no seed marks" in html


def test_sessions_that_follow_on_are_told(tmp_path):
    for k in (1, 2):
        held = [{**row, "step": row["step"] + 100 * (k - 1)} for row in rows(0.6, 9)]
        (tmp_path / f"dqn_{k}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in held))
    first, second = collect([tmp_path]).runs
    told = (
        "begins at 110 steps, where 'dqn_1' had ended: if they are sessions of one run, append their logs to one file"
    )
    assert (told in first.warnings, told in second.warnings) == (False, True)


def test_a_run_that_a_table_cannot_place_leaves_the_others(tmp_path):
    table = tmp_path / "t.csv"
    table.write_text(
        "run,compute,unit,reward\na,1,steps,.2\na,2,steps,.3\nb,1,steps,.2\nb,2,tokens,.3\nc,-1,steps,.2\n"
    )
    reading = collect([table])
    assert [run.name for run in reading.runs] == ["a"]
    assert {(one.run, one.why, one.counted) for one in reading.left_out} == {
        ("b", "run 'b' mixes the units steps and tokens; keep one unit for each run", True),
        ("c", "run 'c': negative compute -1; compute counts up from 0", True),
    }
