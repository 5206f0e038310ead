"""What a trainer leaves in a folder: which files are logs, how runs are named, which links are followed."""

import json
import os
import sys

import pytest
from click.testing import CliRunner

from rlscale.cli import main
from rlscale.errors import SourceError
from rlscale.sources import ReadOptions, collect
from rlscale.sources.printable import clean

from .trackers import made
from .trackers.made_stores import mlflow_db, mlruns, trackio_db

CURVE = {0: 0.1, 5: 0.2, 10: 0.3, 15: 0.35}
TRL = "eval/samples_per_second"
EVENTS = "events.out.tfevents.1764000000.host.123.0"


def curve(shift):
    return {step: round(value + shift, 3) for step, value in CURVE.items()}


def state(shift=0.0):
    return {"log_history": [{"step": step, "eval_reward": value} for step, value in curve(shift).items()]}


def events(shift=0.0, wall=2e9):
    return made.events(wall, {"eval/reward": curve(shift), TRL: dict.fromkeys(CURVE, 16.0)})


def offline(run_id, name="shown", shift=0.0):
    rows = [
        made.history(k + 1, {"train/global_step": step, "eval/reward": value, TRL: 16.0}, 2e9)
        for k, (step, value) in enumerate(curve(shift).items())
    ]
    return made.wandb(made.run(run_id, 2e9, name), *rows)


def read(*paths, **options):
    return collect(list(paths), ReadOptions(unit="steps", metric=options.pop("metric", None), **options))


def test_a_folder_as_trl_and_its_trackers_leave_it(write, tmp_path):
    """Three runs in five containers, with all that stands beside them."""
    for step in (5, 10, 15):
        write(f"base/seed0/checkpoint-{step}/trainer_state.json", state())
        write(f"base/seed0/checkpoint-{step}/trainer_log.txt", "nothing\n")
    write(f"base/seed0/runs/Nov23_10-15-00_host/{EVENTS}", events())
    home = "base/seed0/wandb/offline-run-20261123_101500-abc"
    write(f"{home}/run-abc.wandb", offline("abc", "sort"))
    write(f"{home}/files/output.log", "step:1 - critic/score/mean:0.5\n")
    write(f"{home}/files/wandb-summary.json", {"eval/reward": 0.35})
    write(f"{home}/logs/debug.log", "step:1 - critic/score/mean:0.5\n")
    write("base/seed0/wandb/debug.log", "step:1 - critic/score/mean:0.5\n")
    (tmp_path / "base/seed0/wandb/latest-run").symlink_to(tmp_path / home, target_is_directory=True)
    write(f"wide/seed0/tensorboard/{EVENTS}", events(0.1))
    write("wide/seed1/wandb/run-20261123_101500-def/run-def.wandb", offline("def", "free text", 0.2))
    reading = read(tmp_path)
    assert reading.errors == ()
    found = [(run.name, run.recipe, run.seed, run.source.format) for run in reading.runs]
    assert found == [
        ("base/seed0", "base", 0, "trl"),
        ("wide/seed0", "wide", 0, "tensorboard"),
        ("free text", "free text", None, "wandb"),
    ]
    (said,) = (one for one in reading.runs[0].source.repairs if "copies" in one)
    assert said.startswith("2 copies of this run beside it were not read twice")


def test_stores_of_many_runs_in_a_folder(tmp_path):
    keys = {"eval_reward": [f"{1_700_000_000_000 + step} {value} {step}" for step, value in CURVE.items()]}
    mlruns(tmp_path / "a/mlruns", [{"run_id": "1" * 32, "name": "files", "metrics": keys}])
    points = [("eval_reward", value, 1_700_000_000_000 + step, step) for step, value in curve(0.1).items()]
    mlflow_db(tmp_path / "b/mlflow.db", [{"run_id": "x", "name": "database", "points": points}])
    rows = [
        ("i", "tracked", k, {"train/global_step": s, "eval/reward": v, TRL: 16.0})
        for k, (s, v) in enumerate(curve(0.2).items())
    ]
    trackio_db(tmp_path / "c/trackio/project.db", rows)
    native = {run.name: run.source.format for run in read(tmp_path, metric=None).runs}
    assert native == {"files": "mlflow", "database": "mlflow", "tracked": "trackio"}


@pytest.mark.parametrize(
    ("path", "name", "recipe"),
    [
        (f"base/seed0/runs/Nov23_10-15-00_host/{EVENTS}", "base/seed0", "base"),
        (f"base/seed0/logs/{EVENTS}", "base/seed0", "base"),
        (f"base/seed0/{EVENTS}", "base/seed0", "base"),
        (f"base-s0/tb/version_0/{EVENTS}", "base-s0", "base"),
        ("base/seed0/checkpoint-15/trainer_state.json", "base/seed0", "base"),
    ],
)
def test_runs_are_named_after_their_folder_not_the_trackers(write, tmp_path, path, name, recipe):
    write(path, state() if path.endswith("json") else events())
    write("other/seed1/trainer_state.json", state(0.1))
    found = {(run.name, run.recipe) for run in read(tmp_path).runs}
    assert (name, recipe) in found


def test_several_starts_in_one_output_folder_keep_their_names(write, tmp_path):
    for k, hour in enumerate(("10", "11")):
        write(f"base/runs/Nov23_{hour}-15-00_host/{EVENTS}", events(k / 10, 2e9 + 9999 * k))
    found = read(tmp_path).runs
    assert len({run.name for run in found}) == 2
    assert all("Nov23_1" in run.name for run in found)


def test_links_out_of_the_folder_are_told_and_not_followed(write, tmp_path):
    write("inside/a/trainer_state.json", state())
    write("outside/b/trainer_state.json", state(0.1))
    write("outside/c.jsonl", [{"step": 1, "eval_reward": 0.5}])
    root = tmp_path / "inside"
    (root / "b").symlink_to(tmp_path / "outside/b", target_is_directory=True)
    (root / "c.jsonl").symlink_to(tmp_path / "outside/c.jsonl")
    (root / "again").symlink_to(root / "a", target_is_directory=True)
    (root / "loop").symlink_to(root, target_is_directory=True)
    (root / "gone").symlink_to(tmp_path / "nowhere")
    reading = read(root)
    assert [run.name for run in reading.runs] == ["a"]
    assert [str(error) for error in reading.errors] == [
        f"{root / 'b'}: is a link that leads out of the folder and is not followed; 1 more link like it; "
        "give its target"
    ]
    assert [run.name for run in read(root / "b").runs] == ["b"]  # named by the user it is read
    (root / "a/trainer_state.json").unlink()
    with pytest.raises(SourceError, match="leads out of the folder"):
        read(root)


def test_a_slip_in_a_path(write, tmp_path):
    write("wandb/run-20260101_000000-a/run-a.wandb", offline("a"))
    with pytest.raises(SourceError) as caught:
        read(tmp_path / "wndb")
    assert str(caught.value) == (
        f"{tmp_path / 'wndb'}: no such file or folder; did you mean {str(tmp_path / 'wandb')!r}?"
    )
    reading = read(tmp_path / "wandb", tmp_path / "wndb")
    assert ([run.name for run in reading.runs], len(reading.errors)) == (["shown"], 1)


NAMES = [
    "a\x1b[31mred",
    "[red]x[/red]",
    "<script>alert(1)</script>",
    "new\nline",
    "bell\x07\t",
    "\u202eturned",
    "a & 'b' \"c\"",
]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é 日本 🙂", "plain é 日本 🙂"),
        ("[red]<b>&", "[red]<b>&"),
        ("a\x1b[31m\n\t\x07\x7f\x85", r"a\x1b[31m\n\t\x07\x7f\x85"),
        ("\u202eabc\u2066", r"\u202eabc\u2066"),
        ("line\u2028end", r"line\u2028end"),
        ("\udcff", r"\udcff"),
    ],
)
def test_characters_that_steer_a_terminal_are_shown(text, shown):
    assert clean(text) == shown
    assert clean(shown) == shown


def test_free_text_in_the_names_of_a_tracker(tmp_path):
    """Names, keys and settings of a tracker reach the text, the JSON and the report without steering any of them."""
    runs = []
    for k, name in enumerate(NAMES):
        points = [("eval_reward", value, 1_700_000_000_000 + step, step) for step, value in curve(k / 50).items()]
        odd = [("k\x1b[2J<script>", 1.0, 1_700_000_000_001, 1)]
        runs.append({"run_id": f"id{k}", "name": name, "points": points + odd, "params": {"loss_type": name}})
    path = mlflow_db(tmp_path / "mlflow.db", runs)
    assert sorted(run.name for run in read(path).runs) == sorted(map(clean, NAMES))
    for command in ("fit", "rank"):
        report = tmp_path / f"{command}.html"
        text = CliRunner().invoke(main, [command, str(path), "--unit", "steps", "--report", str(report)])
        assert text.exit_code == 0, text.output
        html = report.read_text(encoding="utf-8")
        assert "<script>alert" not in html
        for content in (text.output, html):
            assert not any(ord(one) < 32 and one != "\n" for one in content)
            assert "\u202e" not in content
        held = json.loads(CliRunner().invoke(main, [command, str(path), "--unit", "steps", "--json"]).stdout)
        assert len(held["runs" if command == "fit" else "recipes"]) == len(NAMES)
    shown = CliRunner().invoke(main, ["show", str(path), "--json"])
    assert len(json.loads(shown.stdout)["runs"]) == len(NAMES)


@pytest.mark.skipif(sys.platform != "linux", reason="file names are bytes")
def test_a_file_name_that_is_no_text(tmp_path):
    rows = "".join(json.dumps({"step": step, "eval_reward": value}) + "\n" for step, value in CURVE.items())
    with open(os.fsencode(tmp_path) + b"/\xff\x1b.jsonl", "w") as file:
        file.write(rows)
    (run,) = read(tmp_path).runs
    assert (run.name, run.recipe) == (r"\udcff\x1b", r"\udcff\x1b")
