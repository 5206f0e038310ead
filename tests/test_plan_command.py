"""``rlscale plan`` end to end."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from rlscale.cli import main
from rlscale.curves import Truth, simulate

LAWS = {"slow": (0.75, 160.0), "quick": (0.55, 50.0)}


def invoke(*args: object) -> Result:
    return CliRunner().invoke(main, [str(arg) for arg in args])


def asked(*args: object, code: int = 0) -> dict[str, Any]:
    result = invoke("plan", *args, "--json")
    assert result.exit_code == code, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two recipes that cross, in GPU-hours."""
    path = tmp_path_factory.mktemp("plan") / "runs.csv"
    lines = ["run,compute,unit,reward"]
    for seed, (name, (ceiling, middle)) in enumerate(LAWS.items()):
        law = Truth(R0=0.1, A=ceiling, B=1.6, C_mid=middle, sigma=0.008)
        curve = simulate(law, np.linspace(0.0, 200.0, 31), rng=np.random.default_rng(seed), unit="gpu-hours")
        lines += [f"{name},{x:.6g},gpu-hours,{y:.5f}" for x, y in zip(curve.compute, curve.reward, strict=True)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_the_bundled_runs_reach_nine_tenths() -> None:
    result = invoke("plan", "bundled", "--reward", "0.9")
    assert result.exit_code == 0
    text = " ".join(result.stdout.split())
    assert re.match(
        r"long10 reaches 0\.900 at \S+ tokens \(80 %: \S+\) if at all: P = 9\d % within 14\.7M tokens\.", text
    )
    assert "lr1.5e-4 and base probably do not." in text


def test_the_whole_answer(table: Path, tmp_path: Path) -> None:
    wanted = (
        "--reward",
        ".6",
        "--budget",
        "1.2k",
        "--pretraining",
        "1M",
        "--lr-anchor",
        "1e-6",
        "1024",
        "--batch",
        "8k",
    )
    found = asked(table, *wanted, "--unit", "gpu-hours", "--price", "2")
    assert (found["reward"], found["budget"], found["unit"], found["price"]) == (0.6, 1200.0, "gpu-hours", 2.0)
    assert [row["recipe"] for row in found["recipes"]] == ["slow", "quick"]
    assert found["recipes"][0]["reach"]["p_by_budget"] > 0.5
    assert found["split"]["explore_each"] * len(found["split"]["recipes"]) + found["split"]["commit"] == pytest.approx(
        1000.0
    )
    assert found["pretraining"]["share"] == pytest.approx(1.2e-3)
    assert found["lr"]["batch"] == 8000.0
    assert found["options"]["worth"] == 0.01
    files = [tmp_path / name for name in ("out.csv", "out.png", "out.html")]
    result = invoke("plan", table, *wanted, "--csv", files[0], "--plot", files[1], "--report", files[2])
    assert result.exit_code == 0, result.stderr
    with files[0].open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert float(rows[0]["compute"]) == pytest.approx(found["recipes"][0]["reach"]["compute"]["q50"], rel=1e-6)
    assert files[1].read_bytes().startswith(b"\x89PNG")
    page = files[2].read_text(encoding="utf-8")
    assert page.count('role="img"') >= 4
    assert "ScaleRL" in page


def test_a_price_alone_turns_compute_into_dollars(table: Path) -> None:
    found = asked(table, "--price", "2")
    assert found["unit"] == "dollars"
    assert found["recipes"][0]["next_doubling"]["from"] == 400.0
    assert found["recipes"][0]["next_doubling"]["cost"]["unit"] == "dollars"


def test_open_bounds_have_their_own_range(table: Path, tmp_path: Path) -> None:
    rows = [line.split(",") for line in table.read_text(encoding="utf-8").splitlines()]
    scaled = [rows[0], *([*row[:3], f"{40.0 * float(row[3]) - 3.0:.4f}"] for row in rows[1:])]
    path = tmp_path / "open.csv"
    path.write_text("\n".join(map(",".join, scaled)) + "\n", encoding="utf-8")
    result = invoke("plan", path, "--bounds", "open", "--reward", "20")
    assert result.exit_code == 0
    text = " ".join(result.stdout.split())
    rise = float(re.findall(r"typical rise of the runs, ([0-9.]+),", text)[0])
    assert float(re.findall(r"worth it: a doubling gains ([0-9.]+) or more", text)[0]) == pytest.approx(
        0.01 * rise, abs=0.006
    )


def test_run_limits_what_is_shown_and_not_what_is_compared(table: Path) -> None:
    whole, part = asked(table, "--reward", ".6"), asked(table, "--reward", ".6", "--run", "q*")
    assert [row["recipe"] for row in part["recipes"]] == ["quick"]
    assert part["recipes"][0] == whole["recipes"][1]
    assert part["crossings"] == whole["crossings"]


def test_a_ledger_gives_the_same_plan(table: Path, tmp_path: Path) -> None:
    where = tmp_path / "runs.db"
    assert invoke("ledger", "add", table, "--ledger", where).exit_code == 0
    kept = asked(f"ledger:{where}", "--reward", ".6", "--bounds", "0", "1")
    assert kept["recipes"] == asked(table, "--reward", ".6", "--bounds", "0", "1")["recipes"]


def test_a_broken_file_is_told_first_and_ends_with_3(table: Path, tmp_path: Path) -> None:
    torn = tmp_path / "torn.jsonl"
    torn.write_text('{"step": 1, "eval_reward": 0.5}\n{"st\n{"step": 2, "eval_reward": 0.5}\n', encoding="utf-8")
    result = invoke("plan", table, torn)
    assert result.exit_code == 3
    assert result.stdout.startswith("1 of 3 runs left out: ")
    assert invoke("plan", table, torn, "--partial").exit_code == 0
    assert invoke("plan", table, torn, "--strict").exit_code == 2
    assert [one["counted"] for one in asked(table, torn, code=3)["left_out"]] == [True]


def test_runs_that_cannot_be_fitted_have_their_verdict(tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    path.write_text("compute,unit,reward\n0,steps,.1\n10,steps,.1\n20,steps,.2\n", encoding="utf-8")
    (row,) = asked(path, "--reward", ".6", "--budget", "100")["recipes"]
    assert row["verdict"] == "too_few_points"
    assert row["reach"] is row["next_doubling"] is row["worth_until"] is row["forecast"] is None
    result = invoke("plan", path, "--reward", ".6")
    assert result.exit_code == 0
    assert result.stdout.startswith("No recipe could be fitted yet: nothing is known of the compute that it takes.")


def test_a_budget_beyond_what_was_measured_is_named(table: Path) -> None:
    found = asked(table, "--reward", ".6", "--budget", "1e6")
    assert any("forecasts were measured up to 32 times" in note for note in found["notes"])


def test_a_learning_rate_needs_no_runs(tmp_path: Path) -> None:
    found = asked("--lr-anchor", "1e-6", "1024", "--batch", "8192")
    assert f"{found['lr']['value']:.3e}" == "2.828e-06"
    assert found["recipes"] == []
    assert found["reward"] is found["unit"] is found["split"] is None
    result = invoke("plan", "--lr-anchor", "1e-6", "1024", "--batch", "8192", "--plot", tmp_path / "lr.png")
    assert result.exit_code == 0
    assert result.stdout.startswith("Learning rate 2.828e-06 for a total batch of 8,192, from 1e-06 at 1,024")
    assert (tmp_path / "lr.png").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--reward 1.5", "--reward 1.5 lies above the highest possible reward, 1: no compute reaches it"),
        ("--reward 0", "--reward 0 is not above the lowest possible reward, 0: it takes no compute"),
        ("--budget 0", "--budget 0 is not a compute above 0; give one, in gpu-hours"),
        ("--budget -5", "--budget -5 is not a compute above 0; give one, in gpu-hours"),
        ("--pretraining 0", "--pretraining 0 is not a compute above 0; give that of pretraining, in gpu-hours"),
        ("--worth 0", "--worth 0 is not a share above 0"),
        ("--price -1", "--price -1 is no price of a GPU-hour"),
        ("--batch 8", "a learning rate is that of a batch, from one that works: --lr-anchor LR BATCH is missing"),
        ("--lr-anchor 1e-6 8", "a learning rate is that of a batch, from one that works: --batch B is missing"),
        ("--lr-anchor 0 8 --batch 8", "--lr-anchor 0 8 is not a learning rate and a batch"),
        ("--run zz", "--run 'zz' matches no run; they are slow, quick"),
        ("--seed-sd -1", "--seed-sd -1 is not a size"),
        ("--seed-sd 5", "--seed-sd 5 is more than the whole range"),
    ],
)
def test_bad_requests_end_with_2_and_one_line(table: Path, options: str, said: str) -> None:
    result = invoke("plan", table, *options.split())
    assert result.exit_code == 2
    assert result.stderr.startswith(f"error: {said}")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("", "no path is given; give a log or a folder of logs, or --lr-anchor LR BATCH --batch B alone"),
        ("--reward .5", "no path is given"),
        ("--lr-anchor 1e-6 8 --batch 8 --reward .5", "--reward 0.5 needs runs; give a log or a folder of logs"),
    ],
)
def test_what_needs_runs_says_so(options: str, said: str) -> None:
    result = invoke("plan", *options.split())
    assert result.exit_code == 2
    assert result.stderr.startswith(f"error: {said}")


def test_rewards_that_are_no_numbers_are_refused() -> None:
    result = invoke("plan", "bundled", "--reward", "high")
    assert result.exit_code == 2
    assert "'high' is not a number" in result.stderr
