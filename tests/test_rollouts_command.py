"""``rlscale rollouts``: from tables of runs and of pass counts to every form of the answer."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from rlscale.cli import main
from rlscale.curves import Run
from tests.decisions.rollouts.projects import project
from tests.sources.trackers import made


def invoke(*args: object) -> Result:
    return CliRunner().invoke(main, ["rollouts", *map(str, args)])


def document(*args: object) -> dict[str, Any]:
    result = invoke(*args, "--json")
    assert result.exit_code == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def written(path: Path, runs: Sequence[Run], columns: str = "run,rollouts,prompts_per_step,samples,reward") -> Path:
    """Write runs as a table with some of its columns, and return its path."""
    lines = [columns]
    for run in runs:
        for compute, reward in zip(run.curve.compute, run.curve.reward, strict=True):
            n = run.settings["generations"]
            cells = {
                "run": run.recipe, "rollouts": n, "prompts_per_step": 32, "samples": f"{compute:g}",
                "step": f"{compute / 32 / n:g}", "reward": f"{reward:.5f}",
            }  # fmt: skip
            lines.append(",".join(str(cells[name]) for name in columns.split(",")))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def rows(header: str, row: str) -> str:
    """Return a table of eight rows."""
    return "\n".join([header, *(row.format(k=k) for k in range(8))]) + "\n"


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("runs") / "runs.csv", project())


@pytest.fixture(scope="module")
def counts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(1)
    rows = [f"p{k},{rng.binomial(16, rate)},16" for k, rate in enumerate(np.repeat([0.0, 0.05, 0.5, 1.0], 10))]
    path = tmp_path_factory.mktemp("counts") / "counts.csv"
    path.write_text("\n".join(["prompt,correct,graded", *rows]) + "\n", encoding="utf-8")
    return path


def test_the_answer_stands_first(table: Path) -> None:
    result = invoke(table, "--budget", "1M")
    assert result.exit_code == 0, result.stderr
    said = " ".join(result.stdout.split())
    assert said.startswith("At 1M samples a run, about 1")
    assert "rollouts per prompt are best (80 %: " in said
    assert "Its rise ends at about 1" in said
    assert "of 32 problems with 1" in said


def test_json_is_the_answer_and_nothing_else(table: Path) -> None:
    found = document(table, "--budget", "1e6", "--problems", 64, "--unique", 1000)
    [entry] = found["classes"]
    assert entry["n"] == [8, 32, 128, 512, 2048]
    assert [piece["n"] for piece in entry["envelope"]] == [8, 32, 128]
    assert entry["n_star"]["q10"] < 150 < entry["n_star"]["q90"]
    assert found["allocation"]["problems_per_batch"] == 64
    assert found["allocation"]["rollouts"] == round(entry["n_star"]["q50"])
    assert found["data_reuse"]["planned"] == pytest.approx(64 * found["allocation"]["updates"] / 1000)
    assert (found["prompts"], found["best_at_k"], found["left_out"]) == (None, None, [])
    assert found["options"]["budget"] == 1e6


def test_files(table: Path, tmp_path: Path) -> None:
    flat, chart, page = tmp_path / "a.csv", tmp_path / "a.png", tmp_path / "a.html"
    assert invoke(table, "--csv", flat, "--plot", chart, "--report", page).exit_code == 0
    rows = list(csv.DictReader(flat.read_text().splitlines()))
    assert [row["n"] for row in rows] == ["8", "32", "128", "512", "2048"]
    assert {"class", "verdict", "compute_last", "compared_at", "reward", "reward_q10", "p_best"} <= set(rows[0])
    assert sum(float(row["p_best"]) for row in rows) == pytest.approx(1.0)
    assert chart.read_bytes().startswith(b"\x89PNG")
    assert "Best number of rollouts n*" in page.read_text(encoding="utf-8")


def test_steps_become_samples(table: Path, tmp_path: Path) -> None:
    steps = written(tmp_path / "steps.csv", project(), "run,rollouts,prompts_per_step,step,reward")
    found, same = document(steps, "--budget", "1M"), document(table, "--budget", "1M")
    assert found["unit"] == "samples"
    assert found["classes"][0]["n_star"]["q50"] == pytest.approx(same["classes"][0]["n_star"]["q50"], rel=0.02)
    assert "Compute and budget are in samples in place of steps" in " ".join(invoke(steps).stdout.split())


def test_pass_counts_are_told_by_their_columns(counts: Path, tmp_path: Path) -> None:
    found = document(counts, "--budget", 200)
    assert (found["unit"], found["budget"], found["classes"]) == ("samples", 200.0, [])
    assert len(found["prompts"]) == 40
    assert sum(each["rollouts"] for each in found["prompts"]) == found["prompt_budget"]["used"] == 200
    assert {each["rollouts"] for each in found["prompts"][:10] + found["prompts"][30:]} == {0}
    assert found["prompt_budget"]["mixed"]["q50"] > found["prompt_budget"]["even"]
    assert (found["best_at_k"]["k"], found["best_at_k"]["prompts"]) == (4, 40)
    flat = tmp_path / "prompts.csv"
    result = invoke(counts, "--budget", 200, "--csv", flat, "--plot", tmp_path / "p.svg")
    assert result.stdout.startswith("200 rollouts over ")
    assert len(flat.read_text().splitlines()) == 41


def test_runs_and_pass_counts_together(table: Path, counts: Path) -> None:
    found = document(table, counts, "--budget", "1M", "--spend", 100, "--best-at", 8)
    assert found["prompt_budget"]["budget"] == 100
    assert found["best_at_k"]["k"] == 8
    assert found["classes"][0]["n_star"] is not None
    beside = document(table, counts, "--budget", "1M")
    assert beside["prompts"] is None
    assert any("spend beside them" in note for note in beside["notes"])


def test_runs_of_different_rollouts_are_not_advised_to_be_pooled(table: Path, tmp_path: Path) -> None:
    """``n8`` and ``n32`` differ in what is compared; names that end in a seed may be pooled."""
    assert "would pool" not in invoke(table).stdout
    seeds = written(tmp_path / "a.csv", [replace(run, recipe=f"wide_{k}") for run in project(8) for k in (1, 2)])
    more = written(tmp_path / "b.csv", [replace(run, recipe=f"deep_{k}") for run in project(32) for k in (1, 2)])
    assert "would pool the 4 runs into 2 recipes" in " ".join(invoke(seeds, more).stdout.split())


def test_a_single_group_is_one(tmp_path: Path) -> None:
    few = tmp_path / "few.csv"
    few.write_text("prompt,correct,graded\na,4,8\nb,8,8\n", encoding="utf-8")
    assert "should give 1 group with right and wrong answers" in " ".join(invoke(few, "--budget", 4).stdout.split())


def test_a_file_that_cannot_be_read_is_said(table: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.csv"
    broken.write_text("run,rollouts,samples,reward\nx,8,1,abc\n", encoding="utf-8")
    result = invoke(table, broken)
    assert result.exit_code == 3
    assert result.stdout.startswith("1 of 6 runs left out: ")
    assert f"left out {broken}: line 2: reward 'abc' is not a number" in result.stderr
    assert invoke(table, broken, "--partial").exit_code == 0
    assert invoke(table, broken, "--strict").exit_code == 2


def test_a_run_that_does_not_state_its_rollouts_is_said(table: Path, tmp_path: Path) -> None:
    bare = written(tmp_path / "bare.csv", project(8), "run,samples,reward")
    bare.write_text(bare.read_text(encoding="utf-8").replace("n8", "bare"), encoding="utf-8")
    result = invoke(table, bare, "--json")
    assert result.exit_code == 3
    [lost] = json.loads(result.stdout)["left_out"]
    assert (lost["run"], lost["path"], lost["counted"]) == ("bare", str(bare), True)


def test_logs_in_which_training_and_validation_disagree(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for n, validated, trained in ((8, 0.5, 0.95), (32, 0.6, 0.85), (128, 0.68, 0.75)):
        records = [
            made.run(f"r{n}", 1000.0, f"n{n}"),
            made.config(actor_rollout_ref={"rollout": {"n": n}}, data={"train_batch_size": 32}),
        ]
        for k, step in enumerate(np.linspace(1, 1e6 / 32 / n, 40).round().astype(int).tolist()):
            risen = 1.0 / (1.0 + (1e4 * (n / 8) / (step * 32 * n)) ** 1.6)
            rewards = [0.1 + (top - 0.1) * risen + 0.005 * rng.standard_normal() for top in (validated, trained)]
            names = ("val-core/math/reward/mean@1", "critic/rewards/mean")
            row = {"training/global_step": step, "training/epoch": step * n / 8000.0, "actor/lr": 1e-6}
            records.append(made.history(k, {**row, **dict(zip(names, rewards, strict=True))}))
        (tmp_path / f"run-{n}.wandb").write_bytes(made.wandb(*records))
    result = invoke(tmp_path, "--unit", "samples", "--json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    [entry] = found["classes"]
    assert entry["n"] == [8, 32, 128]
    assert entry["training"]["opposed"]
    assert (entry["training"]["best_by_training"], entry["training"]["best_by_validation"]) == (8, 128)
    assert found["data_reuse"]["passes"] == pytest.approx(1e6 / 32 / 8000.0, rel=0.01)
    assert set(found["data_reuse"]["widening"]) == {"n8", "n32", "n128"}
    assert "Beware: training reward and validation rank" in " ".join(
        invoke(tmp_path, "--unit", "samples").stdout.split()
    )


def test_runs_of_a_ledger(table: Path, tmp_path: Path) -> None:
    ledger = f"sqlite:///{tmp_path}/runs.db"
    added = CliRunner().invoke(main, ["ledger", "add", str(table), "--ledger", ledger])
    assert added.exit_code == 0, added.stderr
    found = document(f"ledger:{ledger}", "--budget", "1M")
    assert found["classes"] == document(table, "--budget", "1M")["classes"]


@pytest.mark.parametrize(
    ("numbers", "budget", "said"),
    [
        ((8,), "1M", "is not known: all runs have 8 rollouts per prompt: there is nothing to compare; run the same"),
        ((8, 32), "1M", "At 1M samples, 32 rollouts per prompt have the highest reward with probability"),
        ((8, 32, 128), "1G", "the budget 1G samples lies beyond 4 times what was evaluated, 1M"),
        ((8, 32, 128), "3M", "which is beyond the 1M evaluated"),
        ((8, 32, 128), "10", "the budget 10 samples lies below the compute from which two numbers were evaluated"),
    ],
)  # fmt: skip
def test_answers_with_limits(tmp_path: Path, numbers: tuple[int, ...], budget: str, said: str) -> None:
    result = invoke(written(tmp_path / "runs.csv", project(*numbers)), "--budget", budget)
    assert result.exit_code == 0, result.stderr
    assert said in " ".join(result.stdout.split())


def test_what_does_not_learn_has_no_best_number(tmp_path: Path) -> None:
    lines = ["run,rollouts,samples,reward"]
    noise = np.random.default_rng(0).normal(0.1, 0.005, (3, 31))
    lines += [f"n{n},{n},{1e4 * k:g},{noise[i, k]:.5f}" for i, n in enumerate((8, 32, 128)) for k in range(31)]
    path = tmp_path / "flat.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    found = document(path, "--budget", "2e5")
    [entry] = found["classes"]
    assert (entry["n_star"], entry["saturation"], entry["envelope"], entry["path"]) == (None, None, [], [])
    assert "no run shows a gain" in " ".join(invoke(path).stdout.split())


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--budget", "0"), "error: --budget 0 is not a compute above 0; give what one run may spend"),
        (("--budget", "-5"), "error: --budget -5 is not a compute above 0; give what one run may spend"),
        (("--spend", "100"), "error: --spend 100 is of pass counts; give a table of prompt, correct and graded too"),
        (("--seed-sd", "-1"), "error: --seed-sd -1 is not a size; give a share of the range, 0 or more"),
        (("--plot", "a.txt"), "error: --plot a.txt: .txt is not a chart; end the name in .png or .svg"),
    ],
)
def test_options_that_cannot_be(table: Path, args: tuple[str, ...], said: str) -> None:
    result = invoke(table, *args)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"{said}\n"


@pytest.mark.parametrize(
    ("text", "args", "said"),
    [
        (rows("run,samples,reward", "a,{k},0.{k}"), (), "none of 1 runs states its rollouts per prompt; add a column"),
        (rows("run,rollouts,step,reward", "a,8,{k},0.{k}"), (), "a column 'prompts_per_step', or --problems B"),
        (rows("run,rollouts,samples,reward", "a,8.5,{k},0.{k}"), (), "has 8.5 rollouts per prompt; give a whole"),
        ("prompt,correct,graded\na,9,8\n", (), "prompt 'a' has 9 right of 8 graded; give whole numbers"),
        ("prompt,correct,graded\na,,8\n", (), "prompt 'a' has no number right of 8 graded; give whole numbers"),
        ("prompt,correct,graded\na,1,8\na,2,8\n", (), "prompt 'a' stands in several rows; add up its counts"),
        ("prompt,correct,graded\na,1,8\n", ("--budget", "7.5"), "--budget 7.5 is no number of rollouts for groups of"),
        ("prompt,correct\na,1\n", (), "has the columns prompt and correct and not graded; pass counts are a table of"),
    ],
)  # fmt: skip
def test_tables_that_cannot_be(tmp_path: Path, text: str, args: tuple[str, ...], said: str) -> None:
    path = tmp_path / "table.csv"
    path.write_text(text, encoding="utf-8")
    result = invoke(path, *args)
    assert result.exit_code == 2
    assert result.stderr.startswith("error: ")
    first, *more = result.stderr.splitlines()
    assert said in first
    assert [line.partition(":")[0].strip() for line in more] in ([], ["for a bug report"])
