"""The gate inside Ray Tune: real trials that are paused, resumed from their checkpoints and stopped."""

from __future__ import annotations

import json
import os
import pickle
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest

pytestmark = [
    pytest.mark.real,
    pytest.mark.filterwarnings("default"),  # Ray's own, which are many
]

ray = pytest.importorskip("ray")
tune = pytest.importorskip("ray.tune")

from rlscale.decisions.gate import HOLD  # noqa: E402
from rlscale.errors import InputError  # noqa: E402
from rlscale.integrations.ray_tune import AsymptoteScheduler, AsymptoteStopper  # noqa: E402
from rlscale.ledger import Ledger  # noqa: E402

BUDGET = 40
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
#: Ceiling, midpoint and the step from which it falls: the early leader collapses, and what was held for it goes on.
CURVES = {
    "leader": (0.9, 5.0, 20),
    "good": (0.72, 12.0, None),
    "bad": (0.3, 8.0, None),
    "worse": (0.2, 8.0, None),
}


@pytest.fixture(scope="module", autouse=True)
def cluster(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    told = {
        "HOME": str(home), "RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0", "OMP_NUM_THREADS": "1",
        "RAY_AIR_NEW_OUTPUT": "0", "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1", "HF_HUB_OFFLINE": "1",
        "RAY_TRAIN_V2_ENABLED": "0",
    }  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        for name, value in told.items():
            patch.setenv(name, value)
        paths = os.pathsep.join([str(EXAMPLES), *filter(None, [os.environ.get("PYTHONPATH")])])
        patch.setenv("PYTHONPATH", paths)
        patch.syspath_prepend(str(EXAMPLES))
        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="error")
        yield
        ray.shutdown()
        assert not (home / ".ray" / "auth_token").exists()


def reward(name: str, step: int) -> float:
    ceiling, middle, falls = CURVES[name]
    rng = np.random.default_rng([len(name), step])
    value = 0.1 + (ceiling - 0.1) / (1.0 + (middle / max(step, 1e-9)) ** 1.8)
    if falls is not None and step >= falls:
        value = max(0.05, value - 0.15 * (step - falls + 1))
    return float(np.clip(value + 0.005 * rng.standard_normal(), 0.0, 1.0))


def train(config):
    """Report one step after another, each with a checkpoint; what was evaluated is written down."""
    step = 0
    checkpoint = tune.get_checkpoint()
    if checkpoint is not None:
        with checkpoint.as_directory() as folder:
            step = json.loads((Path(folder) / "state.json").read_text())["step"]
    with (Path(config["log"]) / f"{config['name']}.txt").open("a") as log:
        log.write(f"from {step}\n")
    while step < config.get("steps", BUDGET):
        step += 1
        time.sleep(config.get("pause", 0.0))
        with (Path(config["log"]) / f"{config['name']}.txt").open("a") as log:
            log.write(f"{step}\n")
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "state.json").write_text(json.dumps({"step": step}))
            told = {"eval_reward": reward(config["name"], step), "step": step}
            tune.report(told, checkpoint=tune.Checkpoint.from_directory(folder))


def fit(tmp_path, scheduler, names, trainable=train, **config):
    space = {"name": tune.grid_search(list(names)), "log": str(tmp_path), **config}
    tuner = tune.Tuner(
        tune.with_resources(trainable, {"cpu": 1}),
        param_space=space,
        tune_config=tune.TuneConfig(scheduler=scheduler, mode="max", metric=None),
        run_config=tune.RunConfig(storage_path=str(tmp_path / "ray"), name="made", verbose=0),
    )
    return tuner.fit()


def steps(tmp_path, name):
    lines = (tmp_path / f"{name}.txt").read_text().splitlines()
    return [int(line) for line in lines if line.isdigit()], [int(line[5:]) for line in lines if line.startswith("from")]


def by_name(trial):
    return trial.config["name"]


def told(where):
    with Ledger(where) as ledger:
        return ledger.rulings.decisions(), {row.name: row for row in ledger.book.runs()}


def test_tournament(tmp_path):
    where = str(tmp_path / "ledger.db")
    scheduler = AsymptoteScheduler(compute="step", budget=BUDGET, ledger=where, name=by_name)
    results = fit(tmp_path, scheduler, CURVES, pause=0.05)
    assert not results.errors
    assert len(results) == len(CURVES)
    done, starts = {}, {}
    for name in CURVES:
        done[name], starts[name] = steps(tmp_path, name)
        assert done[name] == list(range(1, len(done[name]) + 1))  # no step twice, none left out
        assert all(step in (0, *done[name]) for step in starts[name])
    assert done["good"][-1] == BUDGET
    assert len(starts["good"]) >= 2  # paused for the leader, and resumed from its checkpoint when that fell
    assert starts["good"][1] > 0
    assert CURVES["leader"][2] < done["leader"][-1] < BUDGET
    decisions, runs = told(where)
    assert set(runs) == set(CURVES)
    assert all(run.ended is not None for run in runs.values())
    said = {name: [one.action for one in decisions if one.run == name] for name in CURVES}
    assert "hold" in said["good"]
    assert "commit" in said["good"]
    assert said["leader"][-2:] == ["hold", "stop"]
    assert said["worse"][-2:] == ["hold", "stop"] or said["bad"][-2:] == ["hold", "stop"]
    paused = {name for name in CURVES if len(done[name]) < BUDGET}
    assert paused == {name for name in CURVES if said[name][-1] == "stop"}
    assert "3 stopped" in scheduler.debug_string() or "2 stopped" in scheduler.debug_string()
    with Ledger(where) as ledger:
        assert ledger.watcher() is None  # the lease was given back


class Words(tune.Callback):
    """A person who holds a run once it got somewhere, and lets it go on once another one has."""

    def __init__(self, where, key, held, other, at, until):
        self.where, self.key, self.held, self.other, self.at, self.until = where, key, held, other, at, until
        self.said = []

    def on_trial_result(self, iteration, trials, trial, result, **_):
        name = trial.config[self.key]
        if name == self.held and result["step"] >= self.at and not self.said:
            self.say("hold")
        if name == self.other and result["step"] >= self.until and self.said == ["hold"]:
            self.say("resume")

    def say(self, kind):
        self.said.append(kind)
        with Ledger(self.where) as ledger:
            ledger.rulings.override(ledger.book.run(self.held), kind, "in the test")


def test_trl_trial_paused_and_resumed(tmp_path):
    import ray_tournament as example
    import train_sort_task as task

    where, start = str(tmp_path / "ledger.db"), tmp_path / "warm_start.pt"
    pools = task.build_pools()
    task.torch.save(task.train_warm_start(set(pools.evaluation), steps=30), start)
    scheduler = AsymptoteScheduler(compute="step", budget=12, ledger=where, name=lambda trial: trial.config["recipe"])
    space = {"recipe": tune.grid_search(["base", "long10"]), "seed": 0, "steps": 12, "every": 2, "prompts": 50,
             "start": str(start)}  # fmt: skip
    words = Words(where, "recipe", "base", "long10", 4, 12)
    results = tune.Tuner(
        tune.with_resources(example.train, {"cpu": 1}),
        param_space=space,
        tune_config=tune.TuneConfig(scheduler=scheduler, metric="eval_reward", mode="max"),
        run_config=tune.RunConfig(storage_path=str(tmp_path / "ray"), name="trl", verbose=0, callbacks=[words]),
    ).fit()
    assert not results.errors
    decisions, runs = told(where)
    codes = [one.code for one in decisions if one.run == "base"]
    assert "held_by_hand" in codes
    assert all(run.ended is not None for run in runs.values())
    for result in results:
        frame = result.metrics_dataframe
        assert frame["step"].tolist() == [0, 2, 4, 6, 8, 10, 12]
        assert len(set(frame["pid"])) == (2 if result.config["recipe"] == "base" else 1)
    with Ledger(where) as ledger:
        points = ledger.book.points(list(runs.values()))
    assert all(len(one) == 7 for one in points.values())
