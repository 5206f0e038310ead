"""``rlscale replay`` from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rlscale.cli import main
from rlscale.render.simulated import table_csv
from tests.trust.made import rising, several


def invoke(*args: object) -> Result:
    return CliRunner().invoke(main, ["replay", *map(str, args)])


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("replay") / "runs.csv"
    path.write_text(table_csv([*several(7, points=20), rising("short", points=8), rising("long", points=25)]))
    return path


def test_json_keeps_the_contract(table: Path) -> None:
    result = invoke(table, "--json", "--runs-per-tournament", 4, "--tournaments", 12)
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert list(found)[:4] == ["schema", "tournaments", "k", "policies"]
    assert (found["schema"], found["tournaments"], found["k"]) == (1, 12, 4)
    assert found["horizon"] == 190.0
    assert found["skipped"][0]["run"] == "short"
    names = [one["policy"] for one in found["policies"]]
    assert names == ["hold", "kill", "asha", "successive-halving", "hyperband", "median", "margin"]
    for one in found["policies"]:
        assert list(one)[:7] == ["policy", "cost", "kept", "regret", "wrong", "resumes", "rounds"]
        assert list(one["kept"]) == ["0", "0.01", "0.02"]
        assert 0.0 < one["cost"] <= 1.0
        assert one["wrong"] == pytest.approx(1.0 - one["kept"]["0.02"])
    again = invoke(table, "--json", "--runs-per-tournament", 4, "--tournaments", 12)
    assert again.stdout == result.stdout


def test_text_and_plot(table: Path, tmp_path: Path) -> None:
    plot = tmp_path / "replay.png"
    few = ("--runs-per-tournament", 5, "--tournaments", 6)
    result = invoke(table, *few, "--policy", "hold", "--policy", "asha", "--plot", plot)
    assert result.exit_code == 0, result.stderr
    assert "hold" in result.stdout
    assert "asha" in result.stdout
    assert "short: 8 evaluations; a replay needs 12" in result.stdout
    assert plot.stat().st_size > 10_000


def test_recipes_starts_and_costs(table: Path) -> None:
    few = ("--runs-per-tournament", 3, "--tournaments", 4, "--policy", "hold", "--json")
    together = json.loads(invoke(table, *few).stdout)["policies"][0]
    apart = json.loads(invoke(table, *few, "--stagger", 0.5).stdout)["policies"][0]
    dear = json.loads(invoke(table, *few, "--checkpoint-cost", 0.5).stdout)["policies"][0]
    assert apart["rounds"] > together["rounds"]
    assert dear["cost"] > together["cost"]
    refused = invoke(table, *few, "--cost-by", "params")
    assert refused.exit_code == 2
    assert "does not say its parameters" in refused.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--policy", "holt"), "unknown policy 'holt'"),
        (("--runs-per-tournament", 1), "--runs-per-tournament 1 leaves nothing to compare"),
        (("--tournaments", 0), "--tournaments 0 is none"),
        (("--stagger", -1), "--stagger -1 is not a share of the horizon"),
        (("--resume-cost", 2), "--resume-cost 2 is not a share"),
        (("--until", 60), "a replay compares at least 2"),
    ],
)
def test_bad_options_are_told(table: Path, options: tuple[object, ...], said: str) -> None:
    result = invoke(table, *options)
    assert result.exit_code == 2
    assert said in result.stderr
