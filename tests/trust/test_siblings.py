"""What other runs had shown at the same cut, in a backtest and from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from rlscale.cli import main
from rlscale.curves import Curve, Run
from rlscale.inference.siblings import LEAST
from rlscale.render.simulated import table_csv
from rlscale.trust import backtest
from rlscale.trust.backtest import beside, cut_runs
from tests.trust.made import rising, several

#: Runs four times as long as :data:`SHORT`, which sit at one level.
LONG = tuple(
    Run(
        name=f"long-{k}",
        recipe="long",
        curve=Curve(compute=10.0 * np.arange(160), reward=np.full(160, 0.68 + 0.005 * k), unit="steps"),
    )
    for k in range(LEAST)
)
SHORT = rising("short", 0.7)


def invoke(command: str, *args: object) -> Result:
    return CliRunner().invoke(main, [command, *map(str, args)])


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("siblings") / "runs.csv"
    early = Run(name="early", recipe="early", curve=SHORT.curve.until(100.0))
    path.write_text(table_csv([early, *LONG]))
    return path


def test_others_count_by_what_was_seen_at_the_same_cut() -> None:
    tasks = beside(cut_runs([SHORT, *LONG], (0.2, 0.5))[0])
    first, later = (next(task for task in tasks if task.run == "short" and task.cut == cut) for cut in (0.2, 0.5))
    assert first.siblings is None  # at a fifth of their 1590 steps the others are at 310, the end of this one is at 390
    assert later.siblings is not None
    assert later.siblings.levels.size == LEAST
    end = float(later.ahead[-1])
    assert later.siblings.compute == end
    changed = [Run(name=run.name, recipe=run.recipe, curve=_fallen(run.curve, 0.5)) for run in LONG]
    again = [task for task in beside(cut_runs([SHORT, *changed], (0.5,))[0]) if task.run == "short"]
    assert again[0].siblings is not None
    assert again[0].siblings.levels.tolist() == later.siblings.levels.tolist()  # what came later is not known


def _fallen(curve: Curve, cut: float) -> Curve:
    reward = np.where(curve.compute > cut * curve.compute_last, 0.1, curve.reward)
    return Curve(compute=curve.compute, reward=reward, unit=curve.unit)


def test_runs_of_one_length_are_left_as_they_are() -> None:
    runs = several(LEAST + 2)
    on, off = (backtest(runs, cuts=0.5, siblings=siblings).cuts[0].cases for siblings in (True, False))
    assert [case.siblings for case in on] == [None] * len(runs)
    assert [case.quantiles for case in on] == [case.quantiles for case in off]


def test_a_backtest_counts_them_in_any_number_of_processes() -> None:
    runs = [SHORT, *LONG]
    here, there = (backtest(runs, cuts=0.4, siblings=True, jobs=jobs).cuts[0].cases for jobs in (1, 2))
    assert [case.siblings for case in here] == [LEAST, *[None] * LEAST]
    assert [case.quantiles for case in here] == [case.quantiles for case in there]


def test_fit_says_so_and_can_leave_them_out(table: Path) -> None:
    result = invoke("fit", table, "--target", 390, "--bounds", 0, 1, "--json")
    assert result.exit_code == 0, result.stderr
    first, *others = json.loads(result.stdout)["runs"]
    assert first["siblings"] == LEAST
    assert any(f"{LEAST} other runs at 390 steps; --siblings off" in text for text in first["warnings"])
    assert [run["siblings"] for run in others] == [None] * LEAST
    left_out = invoke("fit", table, "--target", 390, "--bounds", 0, 1, "--siblings", "off", "--json")
    off = json.loads(left_out.stdout)["runs"][0]
    assert off["siblings"] is None
    assert not any("--siblings" in text for text in off["warnings"])
    moved, alone = (run["forecast"][0]["q50"] for run in (first, off))
    assert abs(moved - 0.7) < abs(alone - 0.7)


def test_how_a_run_grew_is_told_without_others(table: Path) -> None:
    result = invoke("fit", table, "--run", "early", "--over-time", "--bounds", 0, 1, "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["runs"][0]["siblings"] is None
