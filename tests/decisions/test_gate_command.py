"""``rlscale gate`` and ``rlscale policy`` from the command line, on the bundled runs and on what users get wrong."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from rlscale.cli import main
from rlscale.curves import Curve, Run, Truth, simulate
from rlscale.decisions.gate import HOLD
from rlscale.render.simulated import table_csv

HALF = ("bundled", "--budget", 1.84e6, "--until", 9.2e5)


def invoke(*args: object) -> Result:
    return CliRunner().invoke(main, [*map(str, args)])


def document(*args: object) -> dict:
    result = invoke("gate", *args, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def run(name: str, ceiling: float, last: float = 500.0, seed: int = 0, recipe: str | None = None) -> Run:
    truth = Truth(R0=0.1, A=ceiling, B=1.8, C_mid=150.0, sigma=0.008, rho=0.3)
    curve = simulate(truth, np.arange(0.0, last + 1, 12.5), rng=np.random.default_rng(seed))
    return Run(name=name, recipe=recipe or name, curve=curve)


def flat(name: str, seed: int) -> Run:
    rng = np.random.default_rng(seed)
    compute = np.arange(0.0, 401.0, 20.0)
    return Run(name=name, recipe=name, curve=Curve(compute=compute, reward=0.2 + 0.01 * rng.standard_normal(21)))


def written(path: Path, *runs: Run) -> Path:
    path.write_text(table_csv(list(runs)), encoding="utf-8")
    return path


@pytest.fixture
def table(tmp_path: Path) -> Path:
    runs = [run("best", 0.8, seed=1), run("good", 0.79, seed=2), run("low", 0.4, seed=3), run("lower", 0.3, seed=4)]
    return written(tmp_path / "runs.csv", *runs)


def test_bundled_runs_cut_at_half_are_decided_and_explained() -> None:
    found = document(*HALF)
    assert list(found)[:4] == ["schema", "budget", "spent", "decisions"]
    assert found["schema"] == 1
    assert found["budget"] == 1.84e6
    assert 4.8e6 < found["spent"] < 5.6e6
    assert len(found["decisions"]) == 6
    by_run = {one["run"]: one for one in found["decisions"]}
    for one in found["decisions"]:
        assert list(one)[:6] == ["run", "recipe", "decision", "reason_code", "reason", "evidence"]
        assert one["reason"].endswith(".")
        assert 0.0 <= one["evidence"]["joint_risk"] <= 0.1
    assert {name: one["decision"] for name, one in by_run.items() if one["decision"] == "commit"} == {
        "long10/seed0": "commit",
        "long10/seed1": "commit",
    }
    assert by_run["base/seed0"]["decision"] == "hold"
    text = invoke("gate", *HALF).stdout
    assert "model-based risk" in text
    assert text.count("guarantee") == 1
    assert "Uncalibrated" in text


def test_near_ties_go_on_and_clear_losers_are_held(table: Path) -> None:
    found = {one["run"]: one for one in document(table, "--budget", 1000)["decisions"]}
    assert found["low"]["decision"] == found["lower"]["decision"] == "hold"
    assert found["best"]["decision"] == found["good"]["decision"] == "continue"
    assert {found["best"]["reason_code"], found["good"]["reason_code"]} <= {"leader", "cannot_separate", "keep_top"}


def test_the_shared_options_are_taken(table: Path) -> None:
    plain = document(table, "--budget", 1000)
    same = document(table, "--budget", 1000, "--model-error", 0, "--tolerance", 0.05, "--bounds", 0, 1)
    assert [{**one, "bounds_from": "values"} for one in same["decisions"]] == plain["decisions"]
    assert plain["options"]["model_error"] == 0.0
    wider = document(table, "--budget", 1000, "--model-error", 0.05)
    alone = document(table, "--budget", 1000, "--family", "sigmoid")
    for other in (wider, alone):
        assert other["decisions"][0]["evidence"]["forecast"] != plain["decisions"][0]["evidence"]["forecast"]
    assert wider["decisions"][2]["evidence"]["h"] >= plain["decisions"][2]["evidence"]["h"]


def test_exit_code_tells_the_decision_on_one_run(table: Path) -> None:
    asked = ("gate", table, "--budget", 1000, "--exit-code")
    assert invoke(*asked, "--run", "low").exit_code == 20
    assert invoke(*asked, "--run", "best").exit_code == 0
    refused = invoke(*asked)
    assert refused.exit_code == 2
    assert "--exit-code is of one run and 0 are given" in refused.stderr
    assert invoke(*asked, "--run", "low", "--run", "best").exit_code == 2
    assert invoke(*asked, "--run", "*").exit_code == 2
    assert invoke(*asked, "--run", "lo?").exit_code == 20
    assert len(document(table, "--budget", 1000, "--run", "low")["decisions"]) == 1


def test_patterns_limit_what_is_shown_and_compared(table: Path) -> None:
    whole = document(table, "--budget", 1000)
    shown = document(table, "--budget", 1000, "--run", "lo?", "--run", "b*")
    assert [one["run"] for one in shown["decisions"]] == ["best", "low"]
    assert shown["decisions"] == [one for one in whole["decisions"] if one["run"] in ("best", "low")]
    assert shown["spent"] == whole["spent"]
    fewer = document(table, "--budget", 1000, "--exclude", "b*")
    assert "best" not in [one["run"] for one in fewer["decisions"]]
    assert fewer["spent"] < whole["spent"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--budget", 100), "--budget 100 is below what every run has spent already (the least 500 steps)"),
        (("--budget", 0), "--budget 0 is not a compute above 0"),
        (("--budget", "inf"), "--budget inf is not a compute above 0"),
        (("--budget", 800, "--horizon", 900), "--horizon 900 is beyond --budget 800"),
        (("--budget", 1000, "--held", "nobody"), "--held 'nobody' is none of the runs"),
        (("--budget", 1000, "--held", "low", "--ended", "low"), "'low' is given as --held and as --ended"),
        (("--budget", 1000, "--run", "nobody"), "--run 'nobody' matches no run; they are best, good, low, lower"),
        (("--budget", 1000, "--policy", "asha"), "--policy asha can be replayed, not asked"),
        (("--budget", 1000, "--policy", "holt"), "unknown policy 'holt'"),
        (("--budget", 1000, "--policy", "missing.toml"), "missing.toml: cannot read this policy"),
        (("--budget", 1000, "--alpha", 2), "alpha = 2.0 is not a number strictly between 0 and 1"),
        (("--budget", 1000, "--seed-sd", -1), "--seed-sd -1 is not a size"),
        (("--budget", 1000, "--seed-sd", 5), "--seed-sd 5 is more than the whole range"),
    ],
)
def test_bad_options_are_told(table: Path, options: tuple[object, ...], said: str) -> None:
    result = invoke("gate", table, *options)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.output


def test_one_run_one_recipe_and_no_learning_go_on_with_the_reason(tmp_path: Path) -> None:
    alone = document(written(tmp_path / "a.csv", run("one", 0.7)), "--budget", 1000)["decisions"]
    assert [(one["decision"], one["reason_code"]) for one in alone] == [("continue", "nothing_to_compare")]
    seeds = written(tmp_path / "b.csv", run("r-1", 0.7, seed=1, recipe="r"), run("r-2", 0.7, seed=2, recipe="r"))
    found = document(seeds, "--budget", 1000)["decisions"]
    assert [(one["decision"], one["reason_code"]) for one in found] == [("continue", "one_recipe")] * 2
    still = written(tmp_path / "c.csv", *(flat(f"f{k}", k) for k in range(3)))
    found = document(still, "--budget", 1000)["decisions"]
    assert [(one["decision"], one["reason_code"]) for one in found] == [("continue", "no_learning")] * 3


def test_runs_on_different_metrics_or_axes_are_refused(tmp_path: Path) -> None:
    one, two = run("a", 0.7), run("b", 0.6)
    text = table_csv([one, two])
    lines = text.splitlines()
    mixed = tmp_path / "mixed.csv"
    mixed.write_text("\n".join(line.replace("steps", "tokens") if line.startswith("b,") else line for line in lines))
    result = invoke("gate", mixed, "--budget", 1000)
    assert result.exit_code == 2
    assert "unit" in result.stderr


def test_a_run_that_ended_early_is_told_apart(tmp_path: Path) -> None:
    table = written(
        tmp_path / "t.csv", run("long", 0.8, seed=1), run("other", 0.75, seed=3), run("short", 0.5, 200.0, 2)
    )
    found = document(table, "--budget", 1000)
    assert any("short" in note and "--ended" in note for note in found["notes"])
    ended = {one["run"]: one for one in document(table, "--budget", 1000, "--ended", "short")["decisions"]}
    assert (ended["short"]["decision"], ended["short"]["reason_code"]) == ("continue", "finished")


def test_a_policy_file_is_read_and_its_mistakes_named(table: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(invoke("policy", "hold").stdout.replace(f"alpha = {HOLD.alpha}", "alpha = 0.03"))
    assert document(table, "--budget", 1000, "--policy", path)["policy"]["alpha"] == 0.03
    for text, said in (
        ("alfa = 0.1\n", "policy 'hold' has no number 'alfa'"),
        ("patience = 24\n", "patience = 24 looks leaves none of looks = 24"),
        ("alpha = 'much'\n", "alpha = 'much' is not a number"),
        ("alpha = \n", "this policy is not the TOML it is named"),
        ("policy = 'none'\n", "unknown policy 'none'"),
    ):
        path.write_text(text)
        result = invoke("gate", table, "--budget", 1000, "--policy", path)
        assert result.exit_code == 2
        assert said in result.stderr
    as_json = tmp_path / "mine.json"
    as_json.write_text("[1]")
    assert (
        "a policy is a table of names and values" in invoke("gate", table, "--budget", 1000, "--policy", as_json).stderr
    )


def test_every_policy_can_be_printed_and_read_back(tmp_path: Path) -> None:
    for name in json.loads(invoke("policy", "--json").stdout)["policies"]:
        path = tmp_path / f"{name['policy']}.toml"
        path.write_text(invoke("policy", name["policy"]).stdout)
        again = json.loads(invoke("policy", path, "--json").stdout)["policies"][0]
        assert again == name
        assert all(number["why"] for number in name["numbers"])


def test_calibration_from_finished_runs_to_the_gate(table: Path, tmp_path: Path) -> None:
    finished = written(tmp_path / "past.csv", *(run(f"p{k}", 0.4 + 0.04 * k, seed=k) for k in range(11)))
    out = tmp_path / "calibration.json"
    made = invoke("backtest", finished, "--calibrate", "--out", out, "--cut", 0.5)
    assert made.exit_code == 0, made.stderr
    held = json.loads(out.read_text())
    assert held["calibrated"] is True
    assert held["runs"] == 11
    found = document(table, "--budget", 1000, "--calibration", out)
    assert found["policy"]["discrepancy"] == held["discrepancy"]
    assert found["calibration"].startswith("Calibrated on 11 finished runs")
    for key, value, said in (
        ("metric", "another", "the calibration is of metric 'another'"),
        ("bounds", [0, 2], "the calibration is of bounds (0.0, 2.0)"),
        ("family", "sigmoid", "the calibration is of family 'sigmoid'"),
        ("discrepancy", 7, "discrepancy 7 is not a share of the range"),
        ("runs", "many", "cannot be read"),
    ):
        out.write_text(json.dumps({**held, key: value}))
        result = invoke("gate", table, "--budget", 1000, "--calibration", out)
        assert result.exit_code == 2
        assert said in result.stderr
    out.write_text(json.dumps({key: value for key, value in held.items() if key != "cuts"}))
    assert "the calibration has no 'cuts'" in invoke("gate", table, "--budget", 1000, "--calibration", out).stderr
    both = invoke("gate", table, "--budget", 1000, "--calibration", out, "--discrepancy", 0.03)
    assert "give one of them" in both.stderr
    assert "Calibrated on 11 finished runs" in " ".join(invoke("backtest", finished, "--calibrate").stdout.split())
    assert invoke("backtest", finished, "--out", out).exit_code == 2
    assert invoke("backtest", finished, "--calibrate", "--out", tmp_path / "no" / "c.json").exit_code == 2


def test_few_finished_runs_calibrate_nothing(table: Path, tmp_path: Path) -> None:
    finished = written(tmp_path / "past.csv", *(run(f"p{k}", 0.5 + 0.03 * k, seed=k) for k in range(5)))
    out = tmp_path / "calibration.json"
    result = invoke("backtest", finished, "--calibrate", "--out", out, "--json")
    assert json.loads(result.stdout)["calibration"]["calibrated"] is False
    found = document(table, "--budget", 1000, "--calibration", out)
    assert found["policy"]["discrepancy"] == 0.02
    assert found["calibration"].startswith("Uncalibrated: 5 finished runs, 10 are needed")


def test_kill_stops_for_good_and_spends_its_risk(table: Path) -> None:
    found = document(table, "--budget", 1000, "--policy", "kill")
    by_run = {one["run"]: one for one in found["decisions"]}
    assert by_run["low"]["decision"] == by_run["lower"]["decision"] == "stop"
    spent = document(table, "--budget", 1000, "--policy", "kill", "--risk-spent", 0.05)
    assert all(one["decision"] != "stop" for one in spent["decisions"])
    gone = document(table, "--budget", 1000, "--policy", "kill", "--stopped", "low")
    assert {one["run"]: one["reason_code"] for one in gone["decisions"]}["low"] == "stopped"
