"""The gate inside Ray Tune: real trials that are paused, resumed from their checkpoints and stopped."""

from __future__ import annotations

import json
import os
import pickle
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

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
    "middling": (0.45, 12.0, None),
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
    while not all((Path(config["log"]) / f"{other}.txt").exists() for other in config.get("together", ())):
        time.sleep(0.01)
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


def overrides(where):
    with Ledger(where) as ledger:
        return ledger.overrides.all()


@pytest.fixture
def four():
    return [name for name in CURVES if name != "middling"]


def test_tournament(tmp_path, four):
    where = str(tmp_path / "ledger.db")
    scheduler = AsymptoteScheduler(compute="step", budget=BUDGET, ledger=where, name=by_name)
    results = fit(tmp_path, scheduler, four, pause=0.05, together=["leader", "good"])
    assert not results.errors
    assert len(results) == len(four)
    done, starts = {}, {}
    for name in four:
        done[name], starts[name] = steps(tmp_path, name)
        assert done[name] == list(range(1, len(done[name]) + 1))  # no step twice, none left out
        assert all(step in (0, *done[name]) for step in starts[name])
    assert done["good"][-1] == BUDGET
    assert len(starts["good"]) >= 2  # paused for the leader, and resumed from its checkpoint when that fell
    assert starts["good"][1] > 0
    assert CURVES["leader"][2] < done["leader"][-1] < BUDGET
    decisions, runs = told(where)
    assert set(runs) == set(four)
    assert all(run.ended is not None for run in runs.values())
    said = {name: [one.action for one in decisions if one.run == name] for name in four}
    assert "hold" in said["good"]
    assert "commit" in said["good"]
    assert said["leader"][-2:] == ["hold", "stop"]
    assert said["worse"][-2:] == ["hold", "stop"] or said["bad"][-2:] == ["hold", "stop"]
    paused = {name for name in four if len(done[name]) < BUDGET}
    assert paused == {name for name in four if said[name][-1] == "stop"}
    reasons = {one.metrics["config"]["name"]: one.metrics.get("rlscale_reason") for one in results}
    assert {name for name, reason in reasons.items() if reason} == paused
    assert all(any(one.run == name and one.reason == reasons[name] for one in decisions) for name in paused)
    assert "3 stopped" in scheduler.debug_string() or "2 stopped" in scheduler.debug_string()
    with Ledger(where) as ledger:
        assert ledger.watcher() is None  # the lease was given back


class Words(tune.Callback):
    """A person who holds a run once it got somewhere, and lets it go on once another one has."""

    def __init__(self, where, key, held, other, at, until):
        self.where, self.key, self.held, self.other, self.at, self.until = where, key, held, other, at, until
        self.said, self.seen = [], []

    def on_trial_result(self, iteration, trials, trial, result, **_):
        name = trial.config[self.key]
        self.seen.append((name, result["step"], result["pid"]))
        if name == self.held and result["step"] >= self.at and not self.said:
            self.say("hold")
        paused = any(one.config[self.key] == self.held and one.status == "PAUSED" for one in trials)
        if name == self.other and result["step"] >= self.until and self.said == ["hold"] and paused:
            self.say("resume")

    def say(self, kind):
        self.said.append(kind)
        with Ledger(self.where) as ledger:
            ledger.overrides.add(ledger.book.run(self.held), kind, "in the test")


def test_trl_trial_paused_and_resumed(tmp_path):
    import ray_tournament as example
    import train_sort_task as task

    where, start = str(tmp_path / "ledger.db"), tmp_path / "warm_start.pt"
    pools = task.build_pools()
    task.torch.save(task.train_warm_start(set(pools.evaluation), steps=30), start)
    scheduler = AsymptoteScheduler(compute="step", budget=20, ledger=where, name=lambda trial: trial.config["recipe"])
    space = {"recipe": tune.grid_search(["base", "long10"]), "seed": 0, "steps": 20, "every": 2, "prompts": 50,
             "start": str(start)}  # fmt: skip
    words = Words(where, "recipe", "base", "long10", 2, 6)
    results = tune.Tuner(
        tune.with_resources(example.train, {"cpu": 1}),
        param_space=space,
        tune_config=tune.TuneConfig(scheduler=scheduler, metric="eval_reward", mode="max"),
        run_config=tune.RunConfig(storage_path=str(tmp_path / "ray"), name="trl", verbose=0, callbacks=[words]),
    ).fit()
    assert not results.errors
    decisions, runs = told(where)
    assert [one.kind for one in overrides(where)] == ["hold", "resume"]
    actions = [one.action for one in decisions if one.run == "base"]
    assert "continue" in actions[actions.index("hold") :]
    assert all(run.ended is not None for run in runs.values())
    for name, processes in (("base", 2), ("long10", 1)):
        assert [step for run, step, _ in words.seen if run == name] == list(range(0, 21, 2))
        assert len({process for run, _, process in words.seen if run == name}) == processes
    with Ledger(where) as ledger:
        points = ledger.book.points(list(runs.values()))
    assert all(len(one) == 11 for one in points.values())


class Counting(tune.Trainable):
    """A trainable of the other kind, whose checkpoints Tune asks for."""

    def setup(self, config):
        self.at = 0

    def step(self):
        self.at += 1
        if self.config["name"] == "bad" and self.at == 9:
            raise RuntimeError("out of memory")
        time.sleep(0.02)
        told = {"step": self.at, "loss": 1.0}
        return told if self.at % 2 else {**told, "eval_reward": reward(self.config["name"], self.at)}

    def save_checkpoint(self, folder):
        (Path(folder) / "at.txt").write_text(str(self.at))

    def load_checkpoint(self, folder):
        self.at = int((Path(folder) / "at.txt").read_text())


def test_class_trainables_and_one_that_fails(tmp_path):
    where = str(tmp_path / "ledger.db")
    scheduler = AsymptoteScheduler(compute="step", budget=BUDGET, ledger=where, name=by_name)
    results = fit(tmp_path, scheduler, ["good", "bad", "worse"], Counting)
    assert [result.config["name"] for result in results if result.error] == ["bad"]
    decisions, runs = told(where)
    assert all(run.ended is not None for run in runs.values())
    with Ledger(where) as ledger:
        points = {name: ledger.book.points([row])[row.id].compute.tolist() for name, row in runs.items()}
    assert points["bad"] == [2.0, 4.0, 6.0, 8.0]
    assert points["good"] == list(range(2, BUDGET + 1, 2))
    assert points["worse"] == list(range(2, int(points["worse"][-1]) + 1, 2))
    assert any(one.run == "good" and one.action == "commit" for one in decisions)


def test_stopper(tmp_path):
    where = str(tmp_path / "ledger.db")
    stopper = AsymptoteStopper(compute="step", budget=BUDGET, ledger=where, recipe=lambda config: config["name"])
    results = tune.Tuner(
        tune.with_resources(train, {"cpu": 1}),
        param_space={
            "name": tune.grid_search(["good", "worse"]),
            "log": str(tmp_path),
            "pause": 0.05,
            "together": ["good", "worse"],
        },
        run_config=tune.RunConfig(storage_path=str(tmp_path / "ray"), name="made", verbose=0, stop=stopper),
    ).fit()
    last = {result.config["name"]: result.metrics["step"] for result in results}
    assert last["good"] == BUDGET
    assert BUDGET / 4 <= last["worse"] < BUDGET
    decisions, runs = told(where)
    assert {run.recipe for run in runs.values()} == {"good", "worse"}
    assert [one.recipe for one in decisions if one.action == "stop"] == ["worse"]
    reasons = {result.config["name"]: result.metrics.get("rlscale_reason") for result in results}
    assert reasons["good"] is None
    assert reasons["worse"] in [one.reason for one in decisions]


def fails_once(config):
    """Train as above, and fail after the tenth step where nothing says that this has happened."""
    marker = Path(config["log"]) / "failed"
    if config["name"] == "good" and not marker.exists():
        train({**config, "steps": 10})
        marker.touch()
        raise RuntimeError("the machine went away")
    train(config)


def test_restored_experiment(tmp_path):
    where = str(tmp_path / "ledger.db")
    scheduler = AsymptoteScheduler(compute="step", budget=BUDGET, ledger=where, name=by_name)
    results = fit(tmp_path, scheduler, ["good", "bad"], fails_once)
    assert len(results.errors) == 1
    before = told(where)[1]
    assert before["good"].ended is not None
    again = tune.Tuner.restore(
        str(tmp_path / "ray" / "made"), tune.with_resources(fails_once, {"cpu": 1}), resume_errored=True
    )
    assert not again.fit().errors
    done, starts = steps(tmp_path, "good")
    assert done == list(range(1, BUDGET + 1))
    assert starts == [0, 10]
    with Ledger(where) as ledger:
        points = ledger.book.points(ledger.book.runs(["good"]))
    assert [one.compute.tolist() for one in points.values()] == [list(range(1, BUDGET + 1))]


class Made:
    """A trial, as far as the scheduler looks at it."""

    def __init__(self, name, status="RUNNING"):
        self.trial_id, self.config, self.status, self.checkpoint = name, {"name": name}, status, "there"
        self.run_metadata = SimpleNamespace(last_result={"training_iteration": 1})

    def is_finished(self):
        return self.status in ("TERMINATED", "ERROR")


class Controller:
    def __init__(self, scheduler, *trials):
        self.scheduler, self.trials = scheduler, list(trials)
        for trial in trials:
            scheduler.on_trial_add(self, trial)

    def get_trials(self):
        return self.trials

    def stop_trial(self, trial):
        self.scheduler.on_trial_remove(self, trial)
        trial.status = "TERMINATED"

    def result(self, trial, step):
        found = {"eval_reward": reward(trial.trial_id, step), "step": step}
        action = self.scheduler.on_trial_result(self, trial, found)
        trial.status = {"PAUSE": "PAUSED", "STOP": "TERMINATED", "CONTINUE": "RUNNING"}[action]
        if action == "STOP":
            self.scheduler.on_trial_complete(self, trial, found)
        return action


def played(tmp_path, until, *names):
    """Return a controller with trials that ran side by side to a step."""
    scheduler = AsymptoteScheduler(compute="step", budget=BUDGET, ledger=str(tmp_path / "ledger.db"))
    controller = Controller(scheduler, *map(Made, names))
    for step in range(1, until + 1):
        for trial in controller.trials:
            if trial.status == "RUNNING":
                controller.result(trial, step)
    return controller


def test_a_copy_opens_the_ledger_again(tmp_path):
    controller = played(tmp_path, 15, "good", "worse")
    good, worse = controller.trials
    assert worse.status == "PAUSED"
    controller.scheduler.close()
    controller.scheduler = pickle.loads(pickle.dumps(controller.scheduler))
    assert controller.scheduler.choose_trial_to_run(controller) is None
    for step in range(16, BUDGET + 1):
        controller.result(good, step)
    assert good.status == "TERMINATED"
    assert controller.scheduler.choose_trial_to_run(controller) is None
    assert worse.status == "TERMINATED"
    assert "1 stopped, 1 ended; committed to good; P(" in controller.scheduler.debug_string()


def test_a_trial_that_failed_is_tried_again(tmp_path):
    controller = played(tmp_path, 5, "good", "bad")
    good, _ = controller.trials
    controller.scheduler.on_trial_error(controller, good)
    assert told(controller.scheduler.ledger)[1]["good"].ended is not None
    good.status = "PENDING"
    controller.scheduler.on_trial_add(controller, good)
    assert controller.scheduler.choose_trial_to_run(controller) is good
    controller.result(good, 5)
    assert told(controller.scheduler.ledger)[1]["good"].ended is None
    controller.scheduler.close()


def test_a_leader_that_fails_takes_nobody_along(tmp_path):
    controller = played(tmp_path, 14, "good", "middling", "bad")
    good, middling, _ = controller.trials
    assert [one.status for one in controller.trials] == ["RUNNING", "PAUSED", "PAUSED"]
    good.status = "ERROR"
    controller.scheduler.on_trial_error(controller, good)
    chosen = controller.scheduler.choose_trial_to_run(controller)
    assert chosen is middling
    middling.status = "RUNNING"
    for step in range(15, BUDGET + 1):
        if middling.status == "RUNNING":
            controller.result(middling, step)
    assert middling.status == "TERMINATED"
    decisions, runs = told(controller.scheduler.ledger)
    last = {one.run: one.action for one in decisions}
    assert last["good"] == "stop"
    assert last["middling"] in ("continue", "commit")
    with Ledger(controller.scheduler.ledger) as ledger:
        assert ledger.book.points([runs["middling"]])[runs["middling"].id].compute[-1] == BUDGET
    controller.scheduler.close()


def test_nothing_else_can_run(tmp_path, caplog):
    controller = played(tmp_path, 15, "good", "worse")
    good, worse = controller.trials
    scheduler = controller.scheduler
    with Ledger(scheduler.ledger) as ledger:
        # a run of another machine, which never ends: the gate would wait for it
        other = ledger.book.enlist(replace_name(ledger.book.run("good"), "elsewhere"))
        for one in ledger.book.points([ledger.book.run("good")]).values():
            ledger.book.append({other.id: {"eval_reward": one}})
        good.status = "ERROR"
        scheduler.on_trial_error(controller, good)
        assert scheduler.choose_trial_to_run(controller) is worse
        worse.status = "RUNNING"
        assert controller.result(worse, 16) == "CONTINUE"
        ledger.overrides.add(ledger.book.run("worse"), "hold")
        assert controller.result(worse, 17) == "PAUSE"
        assert scheduler.choose_trial_to_run(controller) is None
        assert "a person holds worse" in caplog.text
        ledger.overrides.add(ledger.book.run("worse"), "resume")
        time.sleep(1.1)
        assert scheduler.choose_trial_to_run(controller) is worse
    scheduler.close()


def replace_name(row, name):
    from rlscale.ledger import Heading

    return Heading(name=name, recipe=name, unit=row.unit, metric=row.metric, bounds=row.bounds)


def test_a_ledger_that_fails_stops_nothing(tmp_path, caplog):
    scheduler = AsymptoteScheduler(compute="step", budget=BUDGET, ledger=str(tmp_path / "missing" / "ledger.db"))
    controller = Controller(scheduler, Made("good"), Made("worse"))
    for step in range(1, BUDGET):
        assert [controller.result(trial, step) for trial in controller.trials] == ["CONTINUE", "CONTINUE"]
    assert [controller.result(trial, BUDGET) for trial in controller.trials] == ["STOP", "STOP"]
    assert caplog.text.count("without decisions") == 1


def test_results_that_are_no_evaluations(tmp_path, caplog):
    controller = played(tmp_path, 1, "good")
    (good,) = controller.trials
    for found in ({"step": 2}, {"step": 3, "eval_reward": float("nan")}, {"eval_reward": 0.5}, {"step": 4, "loss": 1}):
        assert controller.scheduler.on_trial_result(controller, good, found) == "CONTINUE"
    with Ledger(controller.scheduler.ledger) as ledger:
        assert ledger.book.points(ledger.book.runs())[1].compute.tolist() == [1.0]
    assert "have no 'step'" in caplog.text
    controller.scheduler.close()


@pytest.mark.parametrize(("metric", "mode"), [("eval_reward", "min"), (None, "min"), ("loss", "max")])
def test_a_wrong_metric_or_mode(metric, mode):
    scheduler = AsymptoteScheduler(budget=10.0, policy=HOLD)
    assert scheduler.set_search_properties("eval_reward", "max")
    assert scheduler.set_search_properties(None, None)
    with pytest.raises(InputError, match=r"to be high|give one"):
        scheduler.set_search_properties(metric, mode)


def test_a_held_trial_of_a_restored_experiment_is_not_started(tmp_path):
    controller = played(tmp_path, 15, "good", "worse")
    good, worse = controller.trials
    assert worse.status == "PAUSED"
    controller.scheduler.close()
    scheduler = AsymptoteScheduler(compute="step", budget=BUDGET, ledger=str(tmp_path / "ledger.db"))
    restored = Controller(scheduler, Made("worse", "PENDING"), Made("good", "PENDING"))
    worse, good = restored.trials
    assert scheduler.choose_trial_to_run(restored) is good
    good.status = "RUNNING"
    assert scheduler.choose_trial_to_run(restored) is None
    scheduler.on_trial_error(restored, good)
    good.status = "ERROR"
    assert scheduler.choose_trial_to_run(restored) is worse  # nothing else can run
    scheduler.close()
