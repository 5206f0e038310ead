"""Sessions of one run in a tracker are one run; runs that share a name are not."""

import numpy as np
import pytest

from rlscale.sources import ReadOptions, collect
from rlscale.sources.containers import logs_of, sessions_joined
from rlscale.sources.record import Column, Record

from .trackers import made
from .trackers.made_stores import mlflow_db, trackio_db

DAY = 1.7e9


def record(*steps, since=DAY, name="sort", value=0.0, form="mlflow", run_id=None, starts=True, **more):
    at = np.array(steps, dtype=float)
    times = since + 10.0 * np.arange(1, at.size + 1)
    columns = {"eval/reward": Column(at, value + at / 100, times)}
    begun = (since,) if starts else ()
    known = {"path": "p", "rows": at.size, "run_id": run_id or f"{since}"} | more
    return Record(name=name, format=form, columns=columns, starts=begun, **known)


def steps_of(records):
    return [one.columns["eval/reward"].step.tolist() for one in sessions_joined(records)]


FIRST = record(0, 2, 4, 6)
SECOND = record(4, 6, 8, since=DAY + 1000)
ALONE = [
    record(2, 4, 6, 8, since=DAY + 1000),  # from the start: its first step is no further than its usual distance
    record(0, 2, 4, since=DAY + 1000),
    record(10, 12, since=DAY + 1000),  # beyond where the first stopped
    record(1_000_000, 1_000_002, since=DAY + 1000),
    record(4, 6, 8, since=DAY + 20),  # while the first was up
    record(4, 6, 8, since=DAY - 1000),
    record(4, 6, 8, since=DAY + 1000, name="other"),
    record(4, 6, 8, since=DAY + 1000, group="other"),
    record(4, 6, 8, since=DAY + 1000, form="trackio"),
    record(4, 6, 8, since=DAY + 1000, config={"data": {"seed": 1}}),
    record(4, 6, 8, since=DAY + 1000, starts=False, name=""),
]


def test_a_run_resumed_under_a_new_id_is_one_run():
    (run,) = sessions_joined([FIRST, SECOND])
    assert run.repairs == ("a second run 'sort' goes on at step 4 where the first stopped: joined as one run",)
    (log,) = logs_of(run)
    assert log.series["eval_reward" if "eval_reward" in log.series else "eval/reward"].step.tolist() == [0, 2, 4, 6, 8]
    elapsed = log.clocks["elapsed"].seconds
    # 40 s of the first session; 4, 6 and 8 after 10, 20 and 30 s of the second
    assert dict(zip(elapsed.step.tolist(), elapsed.value.tolist(), strict=True)) == {0: 0, 2: 20, 4: 50, 6: 60, 8: 70}


def test_the_order_of_the_records_does_not_matter_and_is_kept():
    other = record(0, 2, since=DAY - 5000, name="other")
    assert steps_of([SECOND, other, FIRST]) == [[0, 2], [0, 2, 4, 6, 4, 6, 8]]
    assert steps_of([other, FIRST, SECOND]) == [[0, 2], [0, 2, 4, 6, 4, 6, 8]]


def test_three_sessions():
    third = record(8, 10, since=DAY + 2000)
    assert steps_of([FIRST, SECOND, third]) == [[0, 2, 4, 6, 4, 6, 8, 8, 10]]


@pytest.mark.parametrize("other", ALONE)
def test_runs_that_do_not_go_on_where_another_stopped(other):
    assert len(sessions_joined([FIRST, other])) == 2


def test_seeds_of_one_name_are_runs_of_their_own():
    seeds = [record(0, 2, 4, 6, since=DAY + 5 * k, config={"seed": k}) for k in range(3)]
    again = [record(4, 6, 8, since=DAY + 1000 + 5 * k, config={"seed": k}, value=1.0) for k in range(3)]
    found = sessions_joined([*seeds, *again])
    assert [one.config["seed"] for one in found] == [0, 1, 2]
    assert steps_of([*seeds, *again]) == [[0, 2, 4, 6, 4, 6, 8]] * 3


def test_a_session_that_could_go_on_from_two_runs_is_left_alone():
    twin = record(0, 2, 4, 6, since=DAY + 100)
    found = sessions_joined([FIRST, twin, SECOND])
    assert [one.warnings for one in found] == [
        (),
        (),
        ("starts at step 4, where any of 2 runs of its name may have stopped; read as a run of its own",),
    ]


def test_many_runs_of_one_name_are_not_compared_with_one_another(monkeypatch):
    from rlscale.sources import containers

    looked = []
    goes_on = containers._goes_on
    monkeypatch.setattr(containers, "_goes_on", lambda one, other: looked.append(1) or goes_on(one, other))
    assert len(sessions_joined([record(0, 2, 4, since=DAY + 100 * k) for k in range(500)])) == 500
    assert looked == []


def curve(run):
    return dict(zip(run.curve.compute.tolist(), run.curve.reward.tolist(), strict=True))


def offline(run_id, start, rows, *more, name="shown", group=""):
    """``rows``: (step, reward); a row every 10 s."""
    logged = [
        made.history(k + 1, {"train/global_step": step, "eval/reward": reward}, start + 9 * (k + 1))
        for k, (step, reward) in enumerate(rows)
    ]
    return made.wandb(made.run(run_id, start, name, group), *logged, *more)


def test_wandb_sessions_of_one_id_and_of_two(write, tmp_path):
    write("one/wandb/offline-run-20260101_000000-a/run-a.wandb", offline("a", 2e9, [(0, 0.1), (2, 0.2), (4, 0.3)]))
    write("one/wandb/offline-run-20260102_000000-a/run-a.wandb", offline("a", 2.1e9, [(4, 0.4), (6, 0.5)]))
    write("two/wandb/offline-run-20260101_000000-b/run-b.wandb", offline("b", 2e9, [(0, 0.1), (2, 0.2), (4, 0.3)]))
    write("two/wandb/offline-run-20260102_000000-c/run-c.wandb", offline("c", 2.1e9, [(4, 0.4), (6, 0.5)]))
    for folder in ("one", "two"):
        (run,) = collect([tmp_path / folder], ReadOptions(unit="steps")).runs
        assert (run.name, curve(run)) == ("shown", {0: 0.1, 2: 0.2, 4: 0.4, 6: 0.5})
        assert sum("joined as one run" in said for said in run.source.repairs) == 1
        (hours,) = collect([tmp_path / folder], ReadOptions(clock="elapsed", gpus=3600.0)).runs
        assert hours.curve.compute.tolist() == [0, 20, 40, 50]  # 30 s, then rows after 10 and 20 s


def test_a_wandb_project_of_many_runs(write, tmp_path):
    for k in range(12):
        rows = [(step, step / 10 + k / 100) for step in range(4)]
        group = "wide" if k % 2 else "base"
        write(f"wandb/run-20260101_{k:06d}-r{k}/run-r{k}.wandb", offline(f"r{k}", 2e9 + k, rows, name="s", group=group))
    runs = collect([tmp_path], ReadOptions(unit="steps")).runs
    assert [run.recipe for run in runs] == ["base", "wide"] * 6
    assert len({run.name for run in runs}) == 12
    assert [curve(run)[0] for run in runs] == [k / 100 for k in range(12)]


def test_a_killed_wandb_run_keeps_what_it_printed(write, tmp_path):
    lines = [made.output(f"step:{k} - val-core/gsm8k/acc/mean@8:0.{k} - critic/score/mean:0.5\n") for k in (1, 2, 3)]
    write("wandb/run-20260101_000000-k/run-k.wandb", made.wandb(made.run("k", 2e9, "killed"), *lines))
    (run,) = collect([tmp_path], ReadOptions(unit="steps")).runs
    assert (run.name, run.source.format, run.source.trainer) == ("killed", "wandb", "verl")
    assert curve(run) == {1: 0.1, 2: 0.2, 3: 0.3}
    assert "the file holds no history; the metrics are those the run printed" in run.source.repairs


def test_a_run_that_logged_nothing_is_told(write, tmp_path):
    write("wandb/run-20260101_000000-a/run-a.wandb", offline("a", 2e9, [(0, 0.1), (1, 0.2)]))
    empty = write("wandb/run-20260101_000001-b/run-b.wandb", made.wandb(made.run("b", 2e9, "empty")))
    reading = collect([tmp_path], ReadOptions(unit="steps"))
    assert [run.name for run in reading.runs] == ["shown"]
    assert [(error.path, error.message) for error in reading.errors] == [
        (str(empty), "run 'empty' holds no metric; nothing was logged yet")
    ]


def test_an_mlflow_database_of_many_runs_and_experiments(tmp_path):
    experiments = [(k, f"exp{k}", "active") for k in range(3)]
    runs = [
        {
            "run_id": f"id{k}{seed}",
            "name": f"base-s{seed}",
            "experiment": k,
            "points": [
                ("eval_reward", step / 10 + k / 100, 1_700_000_000_000 + 1000 * step, step) for step in range(4)
            ],
        }
        for k in range(3)
        for seed in range(2)
    ]
    found = collect([mlflow_db(tmp_path / "mlflow.db", runs, experiments)], ReadOptions(unit="steps")).runs
    assert [run.name for run in found] == [f"exp{k}/base-s{seed}" for k in range(3) for seed in range(2)]
    assert [run.seed for run in found] == [0, 1] * 3
    assert [curve(run)[0] for run in found] == [0, 0, 0.01, 0.01, 0.02, 0.02]


def test_seeds_under_one_name_in_trackio_are_split(tmp_path):
    """TRL resumes by name: a second seed of the same name continues the first one's rows."""
    points = [(0, 0.1), (2, 0.2), (4, 0.3), (0, 0.4), (2, 0.5), (4, 0.6)]
    rows = [
        ("id", "sort-s1", k, {"train/global_step": step, "eval/reward": reward})
        for k, (step, reward) in enumerate(points)
    ]
    found = collect([trackio_db(tmp_path / "p.db", rows)], ReadOptions(unit="steps")).runs
    assert [(run.name, curve(run)) for run in found] == [
        ("sort-s1", {0: 0.1, 2: 0.2, 4: 0.3}),
        ("sort-s1#2", {0: 0.4, 2: 0.5, 4: 0.6}),
    ]
    assert {(run.recipe, run.seed) for run in found} == {("sort", 1), ("sort#2", 1)}  # a restart is not pooled
