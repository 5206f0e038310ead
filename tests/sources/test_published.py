"""What ``watch --publish`` writes to a tracker is never read back: neither as a metric of a run nor as a run."""

import csv
import io

import pytest

from rlscale.curves import ADDED
from rlscale.errors import EmptyError
from rlscale.sources import ReadOptions, collect
from rlscale.sources.follow import Follower
from tests.sources.test_tracker_export import table, trl
from tests.sources.trackers import made
from tests.sources.trackers.made_stores import mlflow_db, trackio_db

REWARDS = {0: 0.2, 10: 0.3, 20: 0.4, 30: 0.45}
#: Names as hostile as possible: some look like rewards of a validation.
TOLD = ("rlscale/forecast_q50", "rlscale/decision", "rlscale/compute", "rlscale/eval/reward", "rlscale/val/accuracy")
T0 = 1_700_000_000


def tensorboard(path, *, with_published):
    curve = {"eval/reward": REWARDS}
    told = {key: {10: 1.0, 20: 2.0} for key in TOLD} if with_published else {}
    (path / "runs" / "base").mkdir(parents=True)
    (path / "runs" / "base" / "events.out.tfevents.1.a").write_bytes(made.events(T0, {**curve, **told}))
    if with_published:
        (path / "runs" / "base (rlscale)").mkdir()
        text = [made.written("rlscale/reason", "because")]
        (path / "runs" / "base (rlscale)" / "events.out.tfevents.1.b").write_bytes(made.events(T0, told, text))
    return path / "runs"


def wandb(path, *, with_published):
    told = dict.fromkeys(TOLD, 1.0) if with_published else {}
    own = [made.run("abc", T0, "base")]
    own += [
        made.history(step, {"eval/reward": value, "train/global_step": step, **told}) for step, value in REWARDS.items()
    ]
    (path / "wandb" / "run-1-abc").mkdir(parents=True)
    (path / "wandb" / "run-1-abc" / "run-abc.wandb").write_bytes(made.wandb(*own))
    if with_published:
        (path / "wandb" / "offline-run-2-xyz").mkdir()
        rows = [made.run("xyz", T0, "base (rlscale)")]
        rows += [made.history(k, {**told, "rlscale/step": 10 * k, "_runtime": 1.0, "_step": k}) for k in range(3)]
        (path / "wandb" / "offline-run-2-xyz" / "run-xyz.wandb").write_bytes(made.wandb(*rows))
    return path / "wandb"


def mlflow(path, *, with_published):
    told = [(key, 1.0, T0 * 1000 + step, step) for key in TOLD for step in REWARDS] if with_published else []
    own = [("eval/reward", value, T0 * 1000 + step, step) for step, value in REWARDS.items()]
    runs = [{"run_id": "r1", "name": "base", "points": own + told}]
    runs += [{"run_id": "r2", "name": "base (rlscale)", "points": told}] if with_published else []
    return mlflow_db(path / "m.db", runs)


def trackio(path, *, with_published):
    told = {**dict.fromkeys(TOLD, 1.0), "rlscale/reason": "because"} if with_published else {}
    rows = [("a", "base", step, {"eval/reward": value, **told}) for step, value in REWARDS.items()]
    rows += [("b", "base (rlscale)", step, told) for step in REWARDS] if with_published else []
    return trackio_db(path / "p.db", rows, [("b", "base (rlscale)", {"_Group": "base"})] if with_published else [])


def export(path, *, with_published):
    told = dict.fromkeys(TOLD, 1.0) if with_published else {}
    path.mkdir(parents=True)
    (path / "base.csv").write_text(table([{**row, **told} for row in trl()]), encoding="utf-8")
    if with_published:
        alone = [{"_step": k, "_timestamp": T0 + k, "_runtime": k, **told} for k in range(5)]
        (path / "other.csv").write_text(table(alone), encoding="utf-8")
    return path


def chart(path, *, with_published):
    """The chart of a reward, and beside it, in a file of its own, that of a forecast."""
    path.mkdir(parents=True)
    charts = {"reward.csv": ("base", "eval/reward"), "told.csv": ("base (rlscale)", "rlscale/eval/reward")}
    for name, (run, key) in list(charts.items())[: 1 + with_published]:
        columns = ["Step", *(f"{run} - {key}{end}" for end in ("", "__MIN", "__MAX"))]
        out = io.StringIO()
        csv.writer(out).writerows([columns, *([step, value, value, value] for step, value in REWARDS.items())])
        (path / name).write_text(out.getvalue(), encoding="utf-8")
    return path


CONTAINERS = [tensorboard, wandb, mlflow, trackio, export, chart]


@pytest.mark.parametrize("write", CONTAINERS)
def test_runs_are_read_as_if_nothing_had_been_published(write, tmp_path):
    options = ReadOptions(unit="steps")
    (plain,) = collect([write(tmp_path / "plain", with_published=False)], options).runs
    beside = write(tmp_path / "told", with_published=True)
    reading = collect([beside], options)
    (run,) = reading.runs
    assert (run.name, run.recipe, run.curve) == (plain.name, plain.recipe, plain.curve)
    assert set(run.series) == set(plain.series)
    assert set(run.metrics) == set(plain.metrics)
    assert [lost.path for lost in reading.left_out if lost.counted] == []
    follower = Follower([beside], options)
    assert [one.curve for one in follower.poll().runs] == [plain.curve]
    follower.close()
    assert not any(key.startswith(ADDED) for key in set(run.series) - set(plain.series))


def test_a_run_that_only_the_package_wrote_is_said_to_be_that(tmp_path):
    folder = tensorboard(tmp_path, with_published=True) / "base (rlscale)"
    with pytest.raises(EmptyError, match=r"holds only what watch --publish wrote there; give the logs of the runs"):
        collect([folder / "events.out.tfevents.1.b"])
