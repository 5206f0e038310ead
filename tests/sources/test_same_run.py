"""One run logged in several places is read once."""

import random

import numpy as np

from rlscale.sources import ReadOptions, collect, same_run, survey

from .trackers import made

CURVE = {0: 0.1, 5: 0.23, 10: 0.31, 15: 0.37}
SECOND = {0: 0.1, 5: 0.21, 10: 0.35, 15: 0.36}


def state(curve=CURVE):
    return {
        "log_history": [
            {"step": step, "eval_reward": value, "eval_runtime": 1.0, "eval_samples_per_second": 32.0}
            for step, value in curve.items()
        ]
    }


def event_file(curve=CURVE, wall=2e9):
    return made.events(wall, {"eval/reward": curve, "eval/samples_per_second": dict.fromkeys(curve, 32.0)})


def offline_file(curve=CURVE, **settings):
    timed = {"eval/runtime": 2.0, "eval/samples_per_second": 16.0}
    rows = [
        made.history(k + 1, {"train/global_step": step, "eval/reward": value, **timed}, 2e9)
        for k, (step, value) in enumerate(curve.items())
    ]
    return made.wandb(made.run("abc", 2e9, "shown", **settings), made.config(num_generations=4), *rows)


def names(folder, **options):
    return [(run.name, run.source.format) for run in collect([folder], ReadOptions(unit="steps", **options)).runs]


def test_a_run_folder_with_three_logs_of_it(write, tmp_path):
    write("base/seed0/trainer_state.json", state())
    write("base/seed0/runs/Nov23_10-00-00_host/events.out.tfevents.1.host.0", event_file())
    write("base/seed0/wandb/offline-run-20260101_000000-abc/run-abc.wandb", offline_file())
    (run,) = collect([tmp_path], ReadOptions(unit="steps")).runs
    assert (run.name, run.seed, run.source.format) == ("base/seed0", 0, "trl")
    assert [said for said in run.source.repairs if "copies" in said] == [
        "2 copies of this run beside it were not read twice: events.out.tfevents.1.host.0 (tensorboard), "
        "run-abc.wandb (wandb)"
    ]
    # what only the tracker holds is taken over
    assert run.config["num_generations"] == 4
    assert run.curve.n_eval.tolist() == [128.0] * 4
    (hours,) = collect([tmp_path], ReadOptions(clock="elapsed", gpus=3600.0)).runs
    assert hours.curve.compute.tolist() == [0, 2, 3, 4]  # event rows are a second apart, from the start on


def test_the_log_that_goes_furthest_is_kept(write, tmp_path):
    write("a/trainer_state.json", state({step: CURVE[step] for step in (0, 5, 10)}))
    write("a/events.out.tfevents.1.host.0", event_file())
    (run,) = collect([tmp_path], ReadOptions(unit="steps")).runs
    assert (run.source.format, run.curve.n_points) == ("tensorboard", 4)


def test_what_only_a_copy_that_stopped_holds_is_told(write, tmp_path):
    write("a/trainer_state.json", state())
    write("a/events.out.tfevents.1.host.0", event_file({step: v for step, v in CURVE.items() if step} | {20: 0.4}))
    (run,) = collect([tmp_path], ReadOptions(unit="steps")).runs
    assert (run.source.format, run.curve.compute.tolist()) == ("tensorboard", [5, 10, 15, 20])
    assert "1 reward before step 5 is only in trainer_state.json, which was left out" in run.warnings


def test_a_seed_that_only_the_tracker_holds(write, tmp_path):
    write("a/trainer_state.json", state())
    write("a/wandb/run-abc.wandb", offline_file(seed=7))
    (run,) = collect([tmp_path], ReadOptions(unit="steps")).runs
    assert (run.source.format, run.seed) == ("trl", 7)


def test_the_clock_of_a_copy_that_stopped_is_not_taken(write, tmp_path):
    write("a/trainer_state.json", state())
    write("a/events.out.tfevents.1.host.0", event_file({step: CURVE[step] for step in (0, 5, 10)}))
    (named,) = survey([tmp_path]).logs
    assert (named.log.format, named.log.clocks) == ("trl", {})


def test_two_runs_in_one_folder_stay_two(write, tmp_path):
    write("a/trainer_state.json", state())
    write("a/events.out.tfevents.1.host.0", event_file(SECOND))
    assert len(names(tmp_path)) == 2


def test_the_same_values_in_other_folders_are_other_runs(write, tmp_path):
    write("a/trainer_state.json", state())
    write("b/events.out.tfevents.1.host.0", event_file())
    assert names(tmp_path) == [("a", "trl"), ("b", "tensorboard")]


def test_too_few_or_equal_values_prove_nothing(write, tmp_path):
    write("a/trainer_state.json", state({0: 0.1, 5: 0.2}))
    write("a/events.out.tfevents.1.host.0", event_file({0: 0.1, 5: 0.2}))
    write("b/trainer_state.json", state(dict.fromkeys(CURVE, 0.5)))
    write("b/events.out.tfevents.1.host.0", event_file(dict.fromkeys(CURVE, 0.5)))
    assert len(names(tmp_path)) == 4


def test_a_copy_of_the_end_alone(write, tmp_path):
    long = {step: float(np.round(random.Random(step).random(), 6)) for step in range(0, 5000, 5)}
    write("a/trainer_state.json", state(long))
    write("a/events.out.tfevents.1.host.0", event_file({step: v for step, v in long.items() if step >= 2500}))
    write("b/trainer_state.json", state(long | {0: 0.5}))
    write("b/events.out.tfevents.1.host.0", event_file({step: v for step, v in long.items() if step < 2500}))
    assert names(tmp_path) == [
        ("a", "trl"),
        ("b/events.out.tfevents.1.host.0", "tensorboard"),
        ("b/trainer_state.json", "trl"),
    ]


def test_thousands_of_logs_in_one_folder_are_not_compared_with_one_another(write, tmp_path, monkeypatch):
    looked = []
    same = same_run._same
    monkeypatch.setattr(same_run, "_same", lambda one, other: looked.append(1) or same(one, other))
    draw = random.Random(0)
    for k in range(200):
        curve = {step: draw.random() for step in range(0, 30, 5)}
        write(f"r{k}.trainer_state.json", state(curve))
        write(f"r{k}.metrics.jsonl", [{"step": step, "eval_reward": value} for step, value in curve.items()])
    assert len(names(tmp_path)) == 200
    assert len(looked) == 200
