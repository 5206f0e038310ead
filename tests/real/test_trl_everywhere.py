"""One TRL run, logged by the real libraries to five places at once, is one curve wherever it is read from."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rlscale.errors import FormatError
from rlscale.sources import ReadOptions, collect

from .train_everywhere import PROJECT, mlflow_server

pytestmark = pytest.mark.real

STATE = "trl/trainer_state.json"
TRACKERS = {
    "tensorboard": "tensorboard",
    "wandb": "wandb",
    "mlflow": "mlflow/mlflow.db",
    "trackio": "trackio/rlscale.db",
}
PARTS = ("plain", "resumed", "renewed")
OPTIONS = {"steps": {"unit": "steps"}, "tokens": {"unit": "tokens"}, "gpu-hours": {"unit": "gpu-hours", "gpus": 1.0}}
CLOSE = {"rtol": 1e-6, "atol": 0.0}  # TensorBoard rounds to 32 bits: 6e-8

METRICS = {
    "train_reward": "reward",
    "entropy": "entropy",
    "kl": "kl",
    "clip_fraction": "clip_ratio/region_mean",
    "truncation": "completions/clipped_ratio",
    "response_length": "completions/mean_length",
    "zero_variance": "frac_reward_zero_std",
    "tokens": "num_tokens",
    "step_seconds": "step_time",
    "learning_rate": "learning_rate",
    "grad_norm": "grad_norm",
}

SETTINGS = {
    "loss_type": "dapo",
    "generations": 8,
    "eval_generations": 4,
    "epochs": 1,
    "learning_rate": 3e-4,
    "kl_coefficient": 0.02,
    "clip_low": 0.2,
    "temperature": 1.0,
    "max_response_length": 8,
    "seed": 7,
    "layers": 2,
    "width": 64,
}


@pytest.fixture(scope="session")
def logged(tmp_path_factory):
    """The folders ``plain``, ``resumed`` and ``renewed`` of a training that logs everywhere; one to two minutes."""
    out = tmp_path_factory.mktemp("everywhere")
    script = Path(__file__).with_name("train_everywhere.py")
    done = subprocess.run([sys.executable, str(script), "--out", str(out)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return out


def place(folder, tracker):
    """Where a tracker's log of ``plain``, ``resumed`` or ``renewed`` is."""
    return folder / ("trl/runs" if (folder.name, tracker) == ("renewed", "tensorboard") else TRACKERS[tracker])


def only(path, **options):
    reading = collect([path], ReadOptions(strict=True, **options))
    (run,) = reading.runs
    return run


def assert_same_curve(run, reference):
    assert (run.curve.metric, run.curve.unit) == (reference.curve.metric, reference.curve.unit)
    np.testing.assert_allclose(run.curve.compute, reference.curve.compute, **CLOSE)
    np.testing.assert_allclose(run.curve.reward, reference.curve.reward, **CLOSE)


@pytest.mark.parametrize("unit", OPTIONS)
@pytest.mark.parametrize("tracker", TRACKERS)
@pytest.mark.parametrize("part", PARTS)
def test_the_curve_is_that_of_the_trainer_state(logged, part, tracker, unit):
    reference = only(logged / part / STATE, **OPTIONS[unit])
    assert reference.curve.metric == "eval_reward"
    assert reference.curve.n_points == 5  # steps 0, 4, 8, 12, 16; the later of the two evaluations at step 8
    run = only(place(logged / part, tracker), **OPTIONS[unit])
    assert (run.source.format, run.source.trainer) == (tracker, "trl")
    assert_same_curve(run, reference)


@pytest.mark.parametrize("tracker", TRACKERS)
@pytest.mark.parametrize("part", PARTS)
def test_the_canonical_quantities_are_those_of_the_trainer_state(logged, part, tracker):
    reference = only(logged / part / STATE)
    run = only(place(logged / part, tracker))
    assert {name: one.key for name, one in reference.metrics.items()} == METRICS
    assert {name: one.key for name, one in run.metrics.items()} == METRICS
    for name, one in run.metrics.items():
        expected = reference.metrics[name]
        assert one.unit == expected.unit
        np.testing.assert_array_equal(one.series.step, expected.series.step, err_msg=name)
        np.testing.assert_allclose(one.series.value, expected.series.value, err_msg=name, **CLOSE)


@pytest.mark.parametrize("tracker", TRACKERS)
@pytest.mark.parametrize("part", PARTS)
def test_every_tracker_holds_the_settings(logged, part, tracker):
    run = only(place(logged / part, tracker))
    assert {name: run.settings.get(name) for name in SETTINGS} == SETTINGS
    assert run.seed == 7
    np.testing.assert_array_equal(run.curve.n_eval, 64 * 4)


def test_the_trainer_state_holds_prompts_but_no_generations(logged):
    run = only(logged / "plain" / STATE)
    assert run.settings == {}
    np.testing.assert_array_equal(run.curve.n_eval, 64)


@pytest.mark.parametrize("tracker", TRACKERS)
def test_the_value_a_resume_replaced_is_told(logged, tracker):
    said = "1 step logged again with another value; the later one won"
    assert [said in only(place(logged / part, tracker)).source.repairs for part in PARTS] == [False, True, True]


@pytest.mark.parametrize("part", PARTS)
def test_the_folder_of_all_five_is_one_run(logged, part):
    reading = collect([logged / part], ReadOptions(unit="tokens"))
    (run,) = reading.runs
    assert run.source.format == "trl"
    assert_same_curve(run, only(logged / part / STATE, unit="tokens"))
    assert {name: run.settings.get(name) for name in SETTINGS} == SETTINGS
    np.testing.assert_array_equal(run.curve.n_eval, 64 * 4)


def test_a_running_mlflow_server_gives_what_its_database_holds(logged):
    reference = only(logged / "resumed" / STATE, unit="tokens")
    with mlflow_server(logged / "resumed" / "mlflow" / "mlflow.db") as address:
        run = only(f"{address.replace('http', 'mlflow', 1)}/{PROJECT}", unit="tokens")
    assert_same_curve(run, reference)
    assert {name: one.key for name, one in run.metrics.items()} == METRICS
    assert {name: run.settings.get(name) for name in SETTINGS} == SETTINGS


def test_what_trl_prints_is_refused_for_a_better_file(logged):
    with pytest.raises(FormatError, match=r"rounded to 4 digits .* give the trainer_state\.json"):
        only(logged / "plain" / "stdout" / "train.log")
