"""The recipe that is written for TRL is one that TRL takes, and the keys that are known are those that TRL has."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

import rlscale
from rlscale.sources.configs import read_config
from rlscale.sources.configs.schema import schema_of
from rlscale.sources.configs.settings import DEFAULTS

pytestmark = pytest.mark.real

#: On a machine without a GPU.
CPU = {"use_cpu": True, "bf16": False}
#: TRL's own warnings about its own defaults.
OWN = "ignore:.*(deprecated|cpu|pin_memory)"


@pytest.mark.filterwarnings(OWN)
@pytest.mark.parametrize("batch", [768, 2048])
def test_trl_takes_the_recipe(batch: int, tmp_path: Path) -> None:
    trl, yaml = pytest.importorskip("trl"), pytest.importorskip("yaml")
    emitted = rlscale.emit_config("scalerl", trainer="trl", batch=batch)
    path = tmp_path / "config.yaml"
    path.write_text(emitted.text)
    config = trl.GRPOConfig(output_dir=str(tmp_path), **CPU, **yaml.safe_load(emitted.text))
    assert config.generation_batch_size == batch
    assert config.steps_per_generation == config.gradient_accumulation_steps  # one update a batch
    assert config.loss_type == "cispo"
    assert config.epsilon_high == 5.0
    assert config.cast_lm_head_to_fp32 is True
    words = ["--config", str(path), "--output_dir", str(tmp_path), "--use_cpu", "True", "--bf16", "False"]
    (parsed,) = trl.TrlParser([trl.GRPOConfig]).parse_args_and_config(words)
    assert parsed.learning_rate == pytest.approx(5e-7 * (batch / 768) ** 0.5, rel=1e-3)
    assert parsed.adam_epsilon == 1e-15


@pytest.mark.filterwarnings(OWN)
def test_known_keys_and_defaults_are_trls(tmp_path: Path) -> None:
    trl = pytest.importorskip("trl")
    if trl.__version__ != schema_of("trl").versions[-1]:
        pytest.skip(f"the keys are those of {schema_of('trl').versions[-1]}")
    fields = {field.name for field in dataclasses.fields(trl.GRPOConfig)}
    assert {name for name in fields if not name.startswith("_")} <= set(schema_of("trl").keys)
    defaults = trl.GRPOConfig(output_dir=str(tmp_path), **CPU)
    derived = {"generation_batch_size", "steps_per_generation"}  # TRL fills them in, and refuses to be given both
    told = {name: getattr(defaults, name) for name in fields - derived}
    config = read_config({name: value for name, value in told.items() if value is not None})
    assert not [remark for remark in config.remarks if remark.refused]
    for setting in set(DEFAULTS["trl"]) & set(config.settings):
        assert config.settings[setting] == DEFAULTS["trl"][setting], setting


@pytest.mark.filterwarnings(OWN)
def test_what_is_called_a_contradiction_is_one(tmp_path: Path) -> None:
    trl = pytest.importorskip("trl")
    for told in (
        {"generation_batch_size": 64, "steps_per_generation": 2},
        {"generation_batch_size": 60, "num_generations": 8},
        {"num_generations": 1},
        {"auto_find_batch_size": True},
    ):
        assert [remark for remark in read_config(told, trainer="trl").remarks if remark.refused]
        with pytest.raises(ValueError, match=r"."):
            trl.GRPOConfig(output_dir=str(tmp_path), **CPU, **told)
