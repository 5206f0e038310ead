"""Words among the numbers of a column or a key: a few are left out and told, many make it a column of words."""

import json

import pytest

import rlscale
from rlscale.errors import SourceError


def table(path, name, cells, *, rows=40):
    """Write a table with a column of cells beside step and reward."""
    lines = [f"step,reward,{name}", *(f"{k},{0.2 + 0.004 * k:.3f},{cells[k % len(cells)]}" for k in range(rows))]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def repairs(run):
    return [said for said in run.source.repairs if "left out" in said]


def test_a_few_words_are_left_out_of_a_column_of_numbers_with_the_first_of_them(tmp_path):
    cells = [f"{0.3 + 0.01 * k:.2f}" for k in range(40)]
    cells[7], cells[9] = "OOM", "#DIV/0!"
    (run,) = rlscale.read(table(tmp_path / "a.csv", "entropy", cells))
    assert sorted(set(range(40)) - set(run.series["entropy"].step)) == [7, 9]
    assert repairs(run) == ["2 cells of 'entropy' are no numbers and were left out (first line 9: 'OOM')"]


def test_labels_among_which_some_are_numbers_stay_words(tmp_path):
    (run,) = rlscale.read(table(tmp_path / "a.csv", "schedule", ["1", "2", "cosine", "4"]))
    assert "schedule" not in run.series
    assert repairs(run) == []


def test_a_word_in_the_reward_is_an_error_as_ever(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("step,reward\n1,0.2\n2,oops\n3,0.4\n", encoding="utf-8")
    with pytest.raises(SourceError, match="line 3: reward 'oops' is not a number"):
        rlscale.read(path)


def test_per_cent_signs_beside_a_word_are_dropped(tmp_path):
    cells = [f"{3 + k}%" for k in range(40)]
    cells[5] = "oops"
    (run,) = rlscale.read(table(tmp_path / "a.csv", "truncation", cells))
    assert run.series["truncation"].value[[0, -1]].tolist() == [3.0, 42.0]
    assert "the percent signs of the column 'truncation' were dropped" in run.source.repairs


def test_texts_of_every_row_are_no_words_among_numbers(tmp_path):
    rows = [{"step": k, "reward": 0.2 + 0.01 * k, "kl": 0.1, "note": "fine", "host": "a"} for k in range(20)]
    rows[3]["kl"] = "n/a"
    path = tmp_path / "metrics.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    (run,) = rlscale.read(path)
    assert repairs(run) == ["1 value of 'kl' is no number and was left out (line 4: 'n/a')"]


def test_words_in_trl_are_told_by_entry(tmp_path):
    history = [{"step": k, "reward": 0.2 + 0.01 * k, "eval_reward": 0.2, "kl": 0.1} for k in range(1, 9)]
    history[2]["kl"] = "diverged"
    path = tmp_path / "trainer_state.json"
    path.write_text(json.dumps({"log_history": history}), encoding="utf-8")
    (run,) = rlscale.read(path)
    assert repairs(run) == ["1 value of 'kl' is no number and was left out (entry 3: 'diverged')"]


def test_what_a_trainer_does_not_log_itself_is_known_by_the_name_of_a_loop_of_ones_own(tmp_path):
    rows = [
        {
            "step": k, "env/all/reward/total": 0.2 + 0.01 * k, "env/all/total_episodes": 64, "optim/entropy": 0.5,
            "progress/done_frac": 0.1, "env/all/total_ac_tokens": 900, "truncation": 0.02,
        }
        for k in range(20)
    ]  # fmt: skip
    path = tmp_path / "metrics.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    (run,) = rlscale.read(path)
    assert run.source.trainer == "tinker"
    assert (run.metrics["truncation"].key, run.metrics["truncation"].unit) == ("truncation", "share of samples")
