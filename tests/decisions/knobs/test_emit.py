"""The published recipe as it is written: read back it has no unknown key, and departs only where it says so."""

from __future__ import annotations

from pathlib import Path

import pytest

import rlscale
from rlscale.decisions.knobs.recipe import planned
from rlscale.errors import InputError
from rlscale.sources.configs import read_config

ENDS = {"trl": "yaml", "verl": "sh", "openrlhf": "sh"}


@pytest.mark.parametrize("trainer", ENDS)
@pytest.mark.parametrize("batch", [768, 2048])
def test_what_is_written_is_read_back(trainer: str, batch: int, tmp_path: Path) -> None:
    emitted = rlscale.emit_config("scalerl", trainer=trainer, batch=batch, gpus=8)
    path = tmp_path / f"config.{ENDS[trainer]}"
    path.write_text(emitted.text)
    config = read_config(path, gpus=8)
    assert config.trainer == trainer
    assert config.version == emitted.version
    assert config.remarks == ()
    assert config.settings["total_batch"] == batch
    assert config.settings["generations"] == 16
    assert config.settings["updates_per_batch"] == 1
    assert config.settings["learning_rate"] == pytest.approx(5e-7 * (batch / 768) ** 0.5, rel=1e-3)
    assert config.settings["adam_epsilon"] == 1e-15
    assert config.settings["max_response_length"] == 14336
    check = rlscale.check_config(config, difficulty="hard")
    assert not [one for one in check.findings if one.severity in ("error", "warning")]


@pytest.mark.parametrize("trainer", ENDS)
def test_every_line_has_a_reason_and_what_is_missing_is_listed(trainer: str) -> None:
    emitted = rlscale.emit_config("scalerl", trainer=trainer)
    assert all(line.reason and line.source for line in emitted.lines)
    missing = {one.setting for one in emitted.missing}
    assert {"aggregation of the loss", "solved prompts", "length control"} <= missing
    for one in (*emitted.lines, *emitted.missing):
        assert one.__class__.__name__ == "ConfigLine" or one.why
    assert ("policy loss" in missing) == (trainer == "openrlhf")
    assert ("logits in FP32" in missing) == (trainer != "trl")
    assert all(len(line) <= 110 for line in emitted.text.splitlines())


def test_the_batch_is_divided_over_gpus() -> None:
    for batch, gpus in ((768, 1), (768, 8), (2048, 64), (1008, 7)):
        plan = planned(batch, gpus)
        assert plan.per_gpu * plan.accumulated * gpus == batch


@pytest.mark.parametrize(
    ("more", "parameter", "says"),
    [
        ({"batch": 100}, "batch", "batch=100 is no multiple of 16 rollouts; give 96"),
        ({"batch": 768, "gpus": 7}, "gpus", "gpus=7 does not divide"),
        ({"trainer": "openrlfh"}, "trainer", "did you mean openrlhf?"),
        ({"trainer": "nemo-rl"}, "trainer", "no configuration is written for it"),
        ({"recipe": "dapo"}, "recipe", "the published one is scalerl"),
    ],
)
def test_what_cannot_be_written(more: dict, parameter: str, says: str) -> None:
    with pytest.raises(InputError) as raised:
        rlscale.emit_config(**{"recipe": "scalerl", "trainer": "trl", **more})
    assert says in str(raised.value)
    assert raised.value.parameter == parameter
