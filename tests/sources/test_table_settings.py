"""Settings in the columns of a table: they set recipes apart, and are no metrics."""

import json

import pytest

from rlscale.errors import InputError
from rlscale.sources import ReadOptions, collect


def rows(column, values, *, steps=6):
    """Return rows of the runs warm-seed0, warm-seed1, ...: each with its values of the column, repeated in turn."""
    return [
        {"run": f"warm-seed{k}", column: several[i % len(several)], "step": 10 * i, "reward": 0.1 + 0.05 * i + 0.01 * k}
        for k, several in enumerate(values)
        for i in range(steps)
    ]


def as_csv(table):
    return "\n".join(",".join(map(str, line)) for line in [list(table[0]), *(row.values() for row in table)]) + "\n"


def recipes(reading):
    return [run.recipe for run in reading.runs]


@pytest.mark.parametrize(
    ("column", "setting", "values"),
    [
        ("learning_rate", "learning_rate", (2e-6, 3e-5)),
        ("Learning Rate", "learning_rate", (2e-6, 3e-5)),
        ("lr", "learning_rate", (2e-6, 3e-5)),
        ("beta", "kl_coefficient", (0, 0.04)),
        ("kl_coef", "kl_coefficient", (0, 0.04)),
        ("group_size", "generations", (4, 16)),
        ("num_generations", "generations", (4, 16)),
        ("temperature", "temperature", (0.7, 1)),
        ("clip_high", "clip_high", (0.2, 0.28)),
        ("loss_type", "loss_type", ("grpo", "dr_grpo")),
    ],
)
def test_runs_that_differ_in_a_setting_are_different_recipes(write, column, setting, values):
    reading = collect([write("a.csv", as_csv(rows(column, [[value] for value in values])))])
    assert [run.settings for run in reading.runs] == [{setting: value} for value in values]
    assert recipes(reading) == [f"warm ({setting}={value:g})" if isinstance(value, float | int)
                                else f"warm ({setting}={value})" for value in values]  # fmt: skip
    assert (reading.grouping.by, reading.grouping.recipes) == ("settings", 2)
    assert f"recipes of one name differ in {setting}" in str(reading.grouping)
    assert all(run.curve.metric == "reward" and column not in run.series for run in reading.runs)


def test_runs_of_one_setting_are_one_recipe(write):
    reading = collect([write("a.csv", as_csv(rows("lr", [[2e-6], [2e-6]])))])
    assert recipes(reading) == ["warm", "warm"]
    assert [run.settings for run in reading.runs] == [{"learning_rate": 2e-6}] * 2


def test_a_column_that_changes_within_a_run_is_a_series(write):
    path = write("a.csv", as_csv(rows("learning_rate", [[2e-6], [3e-5, 1e-5]])))
    reading = collect([path])
    assert recipes(reading) == ["warm", "warm"]
    assert [run.settings for run in reading.runs] == [{}, {}]
    assert reading.runs[1].series["learning_rate"].value.tolist() == [3e-5, 1e-5] * 3


def test_settings_of_json_lines_are_those_of_csv(write):
    table = rows("group_size", [[4], [16]])
    reading = collect([write("a.jsonl", "".join(json.dumps(row) + "\n" for row in table))])
    assert [run.source.format for run in reading.runs] == ["table", "table"]
    assert recipes(reading) == ["warm (generations=4)", "warm (generations=16)"]


def test_an_empty_cell_states_nothing(write):
    reading = collect([write("a.csv", as_csv(rows("lr", [[2e-6, ""], [""]])))])
    assert [run.settings for run in reading.runs] == [{"learning_rate": 2e-6}, {}]
    assert recipes(reading) == ["warm", "warm"]


def test_the_full_name_goes_before_a_synonym(write):
    table = [{**row, "learning_rate": 1e-5} for row in rows("lr", [[2e-6], [3e-5]])]
    reading = collect([write("a.csv", as_csv(table))])
    assert [run.settings for run in reading.runs] == [{"learning_rate": 1e-5}] * 2
    assert recipes(reading) == ["warm", "warm"]


def test_a_setting_is_no_metric(write):
    path = write("a.csv", as_csv(rows("temperature", [[0.7], [1]])).replace("reward", "quality"))
    (run, _) = collect([path]).runs
    assert run.curve.metric == "quality"
    with pytest.raises(InputError) as caught:
        collect([path], ReadOptions(metric="tempo", strict=True))
    assert "temperature" not in str(caught.value)


def test_a_column_that_is_asked_for_is_what_it_is_asked_for(write):
    path = write("a.csv", as_csv(rows("temperature", [[0.7], [1]])))
    (first, _) = collect([path], ReadOptions(metric="temperature")).runs
    assert (first.curve.metric, first.settings) == ("temperature", {})
    assert recipes(collect([path], ReadOptions(by="temperature"))) == ["0.7", "1"]


def test_a_setting_in_words_is_not_offered_as_the_recipe(write):
    table = [{k: v for k, v in row.items() if k != "run"} for row in rows("precision", [["bf16"]], steps=8)]
    (run,) = collect([write("a.csv", as_csv(table))]).runs
    assert run.settings == {"precision": "bf16"}
    assert not any("is not used" in said for said in run.warnings)
