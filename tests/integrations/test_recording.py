"""A run that records itself is the run that its log holds."""

import json
import math
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest

import rlscale
from rlscale.integrations.recording import Recording, stated
from rlscale.ledger import Heading, Ledger
from rlscale.sources import bundled

LOG = Path(bundled()) / "base" / "seed0" / "trainer_state.json"
CONFIG = {"num_generations": 8, "beta": 0.0, "epsilon": 0.2, "seed": 7, "num_parameters": 12, "name": "a\x00\ud800",
          "rate": math.inf, "hidden_size": 64}  # fmt: skip


def rows():
    """Return the rows of a real log by step, as they were logged."""
    history = json.loads(LOG.read_text(encoding="utf-8"))["log_history"]
    return [(step, list(several)) for step, several in groupby(history, key=lambda row: row["step"])]


def record(ledger, row, recording, logged):
    """Log rows, and have each evaluation kept; the last ones too."""
    for step, several in logged:
        for values in several:
            recording.log(float(step), values)
            if "eval_reward" in values:
                recording.evaluate(float(step), values)
                keep(ledger, row, recording)
    keep(ledger, row, recording)


def keep(ledger, row, recording):
    points, log, about = recording.new()
    ledger.book.extend(row.id, points, log, about=about)
    recording.kept()


@pytest.fixture
def ledger(tmp_path):
    with Ledger(str(tmp_path / "runs.db"), create=True) as held:
        yield held


@pytest.fixture
def row(ledger):
    heading = Heading(name="a", recipe="a", metric="eval_reward", source="trl", **stated(CONFIG))
    return ledger.book.enlist(heading)


def read(ledger):
    (run,) = rlscale.read([f"ledger:{ledger.where}"])
    return run


def test_it_holds_what_the_log_holds(ledger, row):
    record(ledger, row, Recording("eval_reward", CONFIG, 0.0), rows())
    run, (log,) = read(ledger), rlscale.read([LOG], unit="steps")
    assert len(log.series) == 31
    assert dict(run.series) == dict(log.series)
    assert dict(run.metrics) == dict(log.metrics)
    assert np.array_equal(run.curve.reward, log.curve.reward)
    assert run.config == CONFIG
    assert run.settings == {"generations": 8, "kl_coefficient": 0.0, "clip_low": 0.2, "seed": 7, "width": 64}
    assert (run.model_params, run.source.trainer) == (12.0, "trl")


def test_a_run_that_goes_on_from_a_checkpoint_logs_again_what_came_after_it(ledger, row):
    logged = rows()
    record(ledger, row, Recording("eval_reward", CONFIG, 0.0), logged[:20])
    lost = logged[:16]
    step = float(lost[-1][0])
    record(ledger, row, Recording("eval_reward", CONFIG, step), logged[16:])
    (log,) = rlscale.read([LOG], unit="steps")
    assert dict(read(ledger).series) == dict(log.series)


def test_what_a_ledger_could_not_take_is_kept_the_next_time():
    recording = Recording("eval_reward", CONFIG, 0.0)
    recording.log(2.0, {"loss": 0.5, "odd": math.inf, "text": "x", "yes": True, "eval_reward": 0.5})
    recording.evaluate(2.0, {"eval_reward": math.nan})
    points, log, about = recording.new()
    assert (points, about) == ({}, True)
    assert {key: (one.step.tolist(), one.value.tolist()[0]) for key, one in log.series.items() if key != "odd"} == {
        "loss": ([1.5], 0.5)
    }
    assert np.isnan(log.series["odd"].value).all()
    recording.log(4.0, {"loss": 0.4})
    recording.evaluate(4.0, {"eval_reward": 0.25})
    points, log, about = recording.new()
    assert (log.series["loss"].step.tolist(), points["eval_reward"].value.tolist(), about) == ([1.5, 3.5], [0.25], True)
    recording.kept()
    recording.log(6.0, {"loss": 0.3})
    assert recording.new()[2] is False
    recording.log(6.0, {"kl": 0.3})
    assert recording.new()[2] is True
