"""Names of runs; folders; collisions."""

from pathlib import Path

import pytest

from rlscale.sources import ReadOptions, collect
from rlscale.sources.naming import named

ROW = [{"step": 1, "reward": 0.5}, {"step": 2, "reward": 0.6}]
STATE = {"log_history": [{"step": 1, "reward": 0.5}]}


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("base/seed0/trainer_state.json", "base/seed0"),
        ("base/seed0/checkpoint-500/trainer_state.json", "base/seed0"),
        ("base/seed0/metrics.jsonl", "base/seed0"),
        ("base/a.metrics.jsonl", "base/a"),
        ("LOCAL_trl1.16_seed0.trainer_state.json", "LOCAL_trl1.16_seed0"),
        ("v0.7.console.log", "v0.7"),
        ("progress.csv", "root"),
        ("x.csv", "x"),
    ],
)
def test_a_file_names_its_run(path, name):
    assert named(Path("/root") / path, Path("/root")).name == name


def names_of(paths, **options):
    return [(run.name, run.recipe, run.seed) for run in collect(paths, ReadOptions(**options)).runs]


def test_a_folder_of_folders(write, tmp_path):
    for recipe in ("wide", "base"):
        for seed in (1, 0):
            write(f"{recipe}/seed{seed}/trainer_state.json", STATE)
    assert names_of([tmp_path]) == [
        ("base/seed0", "base", 0),
        ("base/seed1", "base", 1),
        ("wide/seed0", "wide", 0),
        ("wide/seed1", "wide", 1),
    ]
    assert names_of([tmp_path / "base"]) == [("seed0", "base", 0), ("seed1", "base", 1)]
    assert names_of([tmp_path / "base" / "seed1"]) == [("seed1", "base", 1)]
    assert names_of([tmp_path / "wide", tmp_path / "base"])[:2] == [
        ("wide/seed0", "wide", 0),
        ("wide/seed1", "wide", 1),
    ]
    assert names_of([tmp_path / "base/seed0/trainer_state.json"]) == [("seed0", "base", 0)]


def test_the_pattern_decides_for_all(write, tmp_path):
    write("lr3-s0.jsonl", ROW)
    write("lr4-s0.jsonl", ROW)
    assert names_of([tmp_path], recipe=r"(lr\d)") == [("lr3-s0", "lr3", 0), ("lr4-s0", "lr4", 0)]


def test_a_table_keeps_its_names(write):
    path = write("runs/t.csv", "run,recipe,step,reward\nq/base,q/base,1,.5\n")
    assert names_of([path]) == [("q/base", "q/base", None)]


def test_two_tables_with_one_name(write, tmp_path):
    write("a.csv", "run,step,reward\nr1,1,.5\nr2,1,.5\n")
    write("b.csv", "run,step,reward\nr1,1,.5\n")
    reading = collect([tmp_path])
    assert [(run.name, run.recipe) for run in reading.runs] == [("a/r1", "a/r1"), ("r2", "r2"), ("b/r1", "b/r1")]
    assert reading.runs[0].source.repairs == ("2 files hold a run 'r1'; this one is named after its file",)
    assert reading.runs[1].source.repairs == ()


def test_two_logs_of_one_folder(write, tmp_path):
    write("base/seed0/trainer_state.json", STATE)
    write("base/seed0/metrics.jsonl", ROW)
    assert [name for name, _, _ in names_of([tmp_path])] == [
        "base/seed0/metrics.jsonl",
        "base/seed0/trainer_state.json",
    ]


def test_two_tables_that_differ_in_their_ending(write, tmp_path):
    write("a.csv", "run,step,reward\nr,1,.5\n")
    write("a.jsonl", [{"run": "r", "step": 1, "reward": 0.5}])
    assert [name for name, _, _ in names_of([tmp_path])] == ["a.csv/r", "a.jsonl/r"]


def test_names_that_differ_by_a_space_are_one_run(write):
    assert names_of([write("t.csv", "run,step,reward\na,1,.5\na ,2,.5\n")]) == [("a", "a", None)]


def test_links_are_followed_to_names(write, tmp_path):
    write("real/base/seed0/trainer_state.json", STATE)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert names_of([tmp_path / "link"]) == [("base/seed0", "base", 0)]
