"""``rlscale show`` and ``rlscale sources``."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from rlscale.cli import main
from rlscale.render.logs.page import page
from rlscale.sources.formats import entries
from rlscale.sources.trainers import CANONICAL, TRAINERS

STATE = {
    "logging_steps": 5,
    "log_history": [
        {"step": 0, "eval_reward": 0.2, "eval_runtime": 8.0, "eval_samples_per_second": 4.0, "eval_num_tokens": 0},
        {"step": 5, "reward": 0.3, "loss": 0.1, "entropy": 1.5, "num_tokens": 1000, "step_time": 2.0},
        {"step": 10, "reward": 0.4, "loss": 0.1, "entropy": None, "num_tokens": 2500, "step_time": 3.0},
        {"step": 10, "eval_reward": 0.5, "eval_runtime": 9.0, "eval_samples_per_second": 3.5555},
    ],
}


def run(*args):
    result = CliRunner().invoke(main, args)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "base" / "seed1" / "trainer_state.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(STATE))
    return path


def test_show_tells_what_a_log_holds(log):
    shown = json.loads(run("show", str(log.parent.parent), "--json").stdout)
    assert (shown["schema"], shown["errors"]) == (1, [])
    (one,) = shown["runs"]
    assert (one["run"], one["recipe"], one["seed"], one["trainer"], one["format"]) == ("seed1", "base", 1, "trl", "trl")
    assert one["validation"] == [
        {
            "key": "eval_reward",
            "points": 2,
            "first": 0.2,
            "last": 0.5,
            "n_eval": 32.0,
            "repairs": [
                "n_eval is inferred: eval_runtime x eval_samples_per_second prompts, how often each was answered is "
                "not logged"
            ],
        }
    ]
    assert [row["key"] for row in one["train"]] == ["reward"]
    assert one["metrics"]["entropy"] == {
        "key": "entropy", "unit": "nats per token", "points": 1, "first": 1.5, "last": 1.5,
    }  # fmt: skip
    assert one["compute"] == {"steps": 10.0, "tokens": 2500.0}
    # means over 5 steps, 5 x 2 s + 5 x 3 s, and 9 s of evaluation after the baseline
    assert (one["clocks"]["train"]["seconds"], one["clocks"]["train+eval"]["seconds"]) == (25.0, 34.0)
    assert (one["gpus"], one["config"]) == (None, {"logging_steps": 5})


def test_show_in_words(log):
    words = run("show", str(log)).stdout
    for piece in ("validation", "eval_reward", "nats per token", "2.5k tokens", "--gpus N gives gpu-hours", "Repairs"):
        assert piece in words


def test_show_does_not_choose(tmp_path):
    path = tmp_path / "two.jsonl"
    path.write_text('{"step": 1, "eval/math/score": 0.1, "eval/code/score": 0.2, "loss": 1.0}\n')
    assert run("fit", str(path)).exit_code == 2  # two metrics could be meant
    (one,) = json.loads(run("show", str(path), "--json").stdout)["runs"]
    assert [row["key"] for row in one["validation"]] == ["eval/math/score", "eval/code/score"]


def test_show_names_what_it_left_out(tmp_path, log):
    (tmp_path / "bad.log").write_text("hello\n")
    result = run("show", str(tmp_path), "--json")
    assert result.exit_code == 0
    assert [error["path"] for error in json.loads(result.stdout)["errors"]] == [str(tmp_path / "bad.log")]
    assert "left out" in result.stderr
    assert run("show", str(tmp_path), "--strict").exit_code == 2
    missing = run("show", str(tmp_path / "base" / "sed1"))
    assert (missing.exit_code, "did you mean" in missing.stderr) == (2, True)


def test_sources_lists_everything_and_the_install_line():
    listed = json.loads(run("sources", "--json").stdout)
    assert [one["title"] for one in listed["sources"]] == [one.title for one in entries()]
    assert {one["install"] for one in listed["sources"]} == {
        None, "pip install 'rlscale[wandb]'", "pip install 'rlscale[parquet]'", "pip install 'rlscale[postgres]'",
    }  # fmt: skip
    assert [one["name"] for one in listed["trainers"]] == [one.name for one in TRAINERS]
    words = run("sources").stdout
    assert all(one.title in " ".join(words.split()) for one in TRAINERS)


def test_the_keys_of_one_trainer():
    keys = json.loads(run("sources", "--trainer", "verl", "--json").stdout)["keys"]
    (validation,) = [key for key in keys if key["metric"] == "validation" and key["versions"] is None]
    assert (validation["key"], validation["seen"]) == ("val-core/{source...}/{acc|reward}/mean@{N}", "log")
    assert "val/test_score" in run("sources", "--metrics", "--trainer", "verl").stdout
    unknown = run("sources", "--trainer", "verll")
    assert (unknown.exit_code, "no trainer 'verll' is known" in unknown.stderr) == (2, True)


def test_every_key_names_a_canonical_metric():
    names = {one.name for one in CANONICAL}
    assert all(key.name in names for trainer in TRAINERS for key in trainer.keys)


def test_the_page_holds_every_trainer_and_key():
    text = page()
    assert all(f"### {one.title}" in text for one in TRAINERS)
    assert all(key.key.replace("|", "\\|") in text for one in TRAINERS for key in one.keys)


def test_the_page_in_docs_is_what_the_tables_make():
    path = Path(__file__).parents[2] / "docs" / "your-own-logs.md"
    if os.environ.get("RLSCALE_REGENERATE"):
        path.write_text(page(), encoding="utf-8")
    assert path.read_text(encoding="utf-8") == page(), "out of date: RLSCALE_REGENERATE=1 pytest tests/present"
