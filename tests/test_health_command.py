"""``rlscale health`` from the command line, on logs written by the test."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

import rlscale
from rlscale.cli import main
from rlscale.curves import COMPUTE, NON_FINITE
from rlscale.errors import ChoiceError
from rlscale.sources import bundled
from tests.health.runs import healthy_series, noise, steps


def invoke(*args, code=0):
    result = CliRunner(env={"COLUMNS": "80"}).invoke(main, ["health", *map(str, args)])
    assert result.exit_code == code, result.stderr
    return result


def write(path, *, every=5, **changed):
    """Write a log as a trainer's own loop does: one object a step, evaluations at some."""
    series = {**healthy_series(), **changed}
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = []
    for k, step in enumerate(steps()):
        row = {"step": step, "tokens": 1e5 * step}
        row.update({key: float(value[k]) for key, value in series.items() if np.size(value)})
        if step % every == 0:
            row["eval/accuracy"] = round(0.2 + 0.004 * step, 4)
        rows.append(json.dumps(row))
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("health")
    late = steps() > 60
    write(folder / "well" / "metrics.jsonl")
    write(folder / "noise" / "metrics.jsonl", entropy=np.where(late, 6.0, 0.5) + noise(1, sd=0.01))
    write(folder / "lost" / "metrics.jsonl", loss=np.where(late, np.nan, 0.1))
    return folder


def test_the_text_names_who_is_sick_and_since_when(logs):
    text = invoke(logs).stdout
    assert " ".join(text.split()).startswith(
        "2 of 3 runs are sick now: lost and noise; first lost, NaN or inf since 6.1M tokens (step 61)."
    )
    assert "the policy dissolves into noise" in " ".join(text.split())
    assert "Judged and quiet on every run" in text
    assert max(map(len, text.splitlines())) <= 80


def test_the_document_has_the_keys_of_the_contract(logs):
    document = json.loads(invoke(logs, "--json").stdout)
    assert document["schema"] == 1
    runs = {run["run"]: run for run in document["runs"]}
    assert {"run", "alarms", "not_measurable"} <= set(runs["well"])
    assert runs["well"]["alarms"] == []
    (alarm,) = runs["lost"]["alarms"]
    contract = {"monitor", "severity", "since", "value", "threshold", "message", "source", "false_alarms"}
    assert contract <= set(alarm)
    assert (alarm["monitor"], alarm["severity"], alarm["since"], alarm["value"]) == ("non_finite", "stop", 6.1e6, None)
    assert {"data_reuse", "stalled"} == {one["monitor"] for one in runs["well"]["not_measurable"]}
    assert document["left_out"] == []


def test_explain_lines_the_series_up(logs, tmp_path):
    found = invoke(logs, "--explain", "noise", "--plot", tmp_path / "h.svg", "--report", tmp_path / "h.html")
    assert "Alarms of noise" in found.stdout
    assert "To do: lower the learning rate" in found.stdout
    assert "Not measurable in noise" in found.stdout
    assert (tmp_path / "h.svg").stat().st_size > 10_000
    page = (tmp_path / "h.html").read_text(encoding="utf-8")
    assert "noise: the series under the curve" in page
    assert "severity_stop" in page


def test_csv_holds_an_alarm_a_row(logs, tmp_path):
    invoke(logs, "--csv", tmp_path / "h.csv")
    lines = (tmp_path / "h.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("run,recipe,monitor,severity,since,step,raised,until,value,threshold")
    assert any(line.startswith("lost,lost,non_finite,stop,") for line in lines)


def test_a_run_that_is_not_there_is_named(logs):
    result = invoke(logs, "--explain", "nobody", code=2)
    assert result.stderr == "error: --explain 'nobody' is no run that was read; give one of lost, noise, well\n"


def test_nothing_to_judge(tmp_path):
    (tmp_path / "empty.csv").write_text("", encoding="utf-8")
    assert "error: " in invoke(tmp_path, code=2).stderr


def test_a_broken_file_beside_is_told_and_exits_0(logs, tmp_path):
    write(tmp_path / "well" / "metrics.jsonl")
    (tmp_path / "broken.jsonl").write_text('{"step": 1, "a": {{{\n{"step": 2}\n', encoding="utf-8")
    document = json.loads(invoke(tmp_path, "--json").stdout)
    assert [run["run"] for run in document["runs"]] == ["well"]
    assert len(document["errors"]) == 1


def test_until_looks_at_what_was_there_then(logs):
    assert "No warning in 3 runs" in invoke(logs, "--until", "5M").stdout


def test_a_ledger_gives_the_same_alarms_as_the_logs(logs, tmp_path):
    where = f"sqlite:///{tmp_path / 'runs.db'}"
    added = CliRunner().invoke(main, ["ledger", "add", str(logs), "--ledger", where, "--no-fits"])
    assert added.exit_code == 0, added.stderr
    first, again = (json.loads(invoke(path, "--json").stdout)["runs"] for path in (logs, f"ledger:{where}"))
    assert [run["alarms"] for run in first] == [run["alarms"] for run in again]
    assert sum(len(run["alarms"]) for run in first) >= 2


def test_a_table_of_csv_is_judged_by_its_own_compute(tmp_path):
    series = healthy_series()
    lost = np.where(steps() > 60, np.nan, series["loss"])
    lines = ["run,tokens,accuracy,entropy,loss,kl"]
    for k, step in enumerate(steps()):
        loss = "nan" if np.isnan(lost[k]) else f"{lost[k]:.4f}"
        accuracy = 0.2 + 0.004 * step
        lines.append(f"a,{1000 * step:g},{accuracy:.4f},{series['entropy'][k]:.4f},{loss},{series['kl'][k]:.4f}")
    (tmp_path / "runs.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    document = json.loads(invoke(tmp_path / "runs.csv", "--metric", "accuracy", "--json").stdout)
    (alarm,) = document["runs"][0]["alarms"]
    assert (alarm["monitor"], alarm["severity"], alarm["since"]) == ("non_finite", "stop", 61000.0)


@pytest.mark.parametrize("blank", [range(51, 60), (20, 40)])
def test_an_empty_cell_of_a_table_is_no_nan(blank, tmp_path):
    lines = ["step,reward,grad_norm"]
    lines += [f"{k},{0.2 + 0.005 * k:.3f},{'' if k in blank else 0.5 + 0.01 * (k % 5)}" for k in range(60)]
    (tmp_path / "runs.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert json.loads(invoke(tmp_path / "runs.csv", "--json").stdout)["runs"][0]["alarms"] == []


def test_readers_keep_what_was_not_finite_and_the_compute_of_steps(tmp_path):
    write(tmp_path / "a" / "metrics.jsonl", kl=np.where(steps() == 7, np.inf, 0.1))
    path = tmp_path / "a" / "metrics.jsonl"
    text = path.read_text(encoding="utf-8").replace('"eval/accuracy": 0.28', '"eval/accuracy": NaN')
    path.write_text(text, encoding="utf-8")
    (run,) = rlscale.read(path)
    assert np.flatnonzero(~np.isfinite(run.series["kl"].value)).tolist() == [6]
    lost = run.series[f"{NON_FINITE}eval/accuracy"]
    assert (lost.step.tolist(), lost.value.tolist()) == ([20.0], [1.0])
    assert run.series[COMPUTE].value[:2].tolist() == [1e5, 2e5]


def test_python_says_what_the_command_says():
    health = rlscale.check_health(rlscale.read(bundled()))
    assert health.summary() == invoke(bundled()).stdout.partition("Recipes: ")[0] + health.summary().partition("\n")[2]
    assert [run["run"] for run in health.to_dict()["runs"]] == [run.run for run in health.runs]
    assert list(health.to_frame().columns)[:4] == ["run", "recipe", "monitor", "severity"]
    assert "<svg" in health._repr_html_()


def test_runs_that_log_different_rewards_are_each_judged_by_their_own(tmp_path):
    write(tmp_path / "well" / "metrics.jsonl")
    late = steps() > 60
    rows = [
        {"step": k, "reward": 0.2 + 0.001 * k, "entropy": 6.0 if late[k - 1] else 0.5 + 0.01 * (k % 3)}
        for k in range(1, 101)
    ]
    for name, reward in (("young", "reward"), ("other", "val/success_rate")):
        (tmp_path / name).mkdir()
        lines = [json.dumps({reward if key == "reward" else key: value for key, value in row.items()}) for row in rows]
        (tmp_path / name / "metrics.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    document = json.loads(invoke(tmp_path, "--json").stdout)
    assert {run["run"]: run["metric"] for run in document["runs"]} == {
        "well": "eval/accuracy", "young": "reward", "other": "val/success_rate",
    }  # fmt: skip
    assert document["left_out"] == []
    worst = {run["run"]: {alarm["monitor"] for alarm in run["alarms"]} for run in document["runs"]}
    assert "entropy_explosion" in worst["young"] & worst["other"]
    text = " ".join(invoke(tmp_path).stdout.split())
    assert "Judged by their own rewards" in text
    assert "young: by reward." in text
    with pytest.raises(ChoiceError):  # who compares runs is asked
        rlscale.read(tmp_path)
    assert len(rlscale.check_health(rlscale.read(tmp_path, apart=True)).runs) == 3


def test_a_log_that_leaves_the_choice_open_stops_no_other_and_is_refused_alone(tmp_path):
    write(tmp_path / "well" / "metrics.jsonl")
    (tmp_path / "torn").mkdir()
    lines = [json.dumps({"step": k, "val/a/success": 0.1, "val/b/success": 0.1 + 0.001 * k}) for k in range(1, 30)]
    (tmp_path / "torn" / "metrics.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    document = json.loads(invoke(tmp_path, "--json").stdout)
    assert [run["run"] for run in document["runs"]] == ["well"]
    assert (
        "holds 2 validation metrics; give --metric KEY: val/a/success, val/b/success" in document["left_out"][0]["why"]
    )
    assert "holds 2 validation metrics" in invoke(tmp_path / "torn", code=2).stderr
