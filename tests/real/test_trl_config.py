"""The recipe that is written for TRL is one that TRL takes, and the keys that are known are those that TRL has."""

from __future__ import annotations

import dataclasses
import math
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
    written = {name: getattr(defaults, name) for name in fields - derived}
    config = read_config({name: value for name, value in written.items() if value is not None})
    assert not [remark for remark in config.remarks if remark.refused]
    for setting in set(DEFAULTS["trl"]) & set(config.settings):
        assert config.settings[setting] == DEFAULTS["trl"][setting], setting


#: Values that many keys cannot have.
STRANGE = (math.nan, math.inf, -1, 0, 8.5, 1e30, "abc", "maybe", "grpoo", [1, 2], None, True)
#: How GRPOConfig says no.
REFUSALS = (ArithmeticError, AttributeError, ImportError, LookupError, OSError, RuntimeError, TypeError, ValueError)
#: Keys that this machine decides on, not TRL.
MACHINES = frozenset({"output_dir", "use_cpu", "bf16", "bf16_full_eval", "tf32", "deepspeed", "resume_from_checkpoint"})


@pytest.mark.filterwarnings("ignore")
def test_what_trl_refuses_is_an_error_here(tmp_path: Path) -> None:
    """One key at a time, each with every strange value: whatever GRPOConfig refuses is an error here."""
    trl = pytest.importorskip("trl")
    schema = schema_of("trl")
    names = {field.name for field in dataclasses.fields(trl.GRPOConfig)} - MACHINES - schema.open
    refused, missed = 0, []
    for name in sorted(name for name in names if not name.startswith("_")):
        for value in STRANGE:
            try:
                trl.GRPOConfig(output_dir=str(tmp_path), **CPU, **{name: value})
            except REFUSALS as error:
                refused += 1
                written = read_config({name: value}, trainer="trl", gpus=1).remarks
                if not any(remark.refused for remark in written):
                    missed.append((name, value, str(error)[:80]))
    assert refused > 150  # the control: there is something to be refused
    assert missed == []


#: Keys that do not go together, and the number of GPUs is 1.
TOGETHER: tuple[dict[str, object], ...] = (
    {"generation_batch_size": 64, "steps_per_generation": 2},
    {"generation_batch_size": 60, "num_generations": 6, "per_device_train_batch_size": 8},
    {"generation_batch_size": 60, "num_generations": 8, "per_device_train_batch_size": 1},
    {"num_generations": 7, "per_device_train_batch_size": 8},
    {"num_generations": 16},
    {"num_generations": 1},
    {"auto_find_batch_size": True},
    {"fp16_full_eval": True, "bf16_full_eval": True},
    {"log_completions_hub_repo": "someone/something"},
    {"vllm_importance_sampling_clip_min": 3.5},
    {"vllm_importance_sampling_clip_min": 2.0, "vllm_importance_sampling_clip_max": 2.0},
    {"vllm_importance_sampling_mode": "token_truncate", "vllm_importance_sampling_clip_max": None},
    {"lr_scheduler_type": "reduce_lr_on_plateau"},
    {"lr_scheduler_type": "greedy"},
    {"load_best_model_at_end": True},
    {"dataloader_prefetch_factor": 2},
    {"eval_strategy": "steps", "per_device_eval_batch_size": 3},
    {"eval_strategy": "steps", "num_generations_eval": 5},
    {"eval_strategy": False},
    {"logging_steps": 0},
)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("written", TOGETHER, ids=lambda written: "-".join(written))
def test_what_is_called_a_contradiction_is_one(written: dict[str, object], tmp_path: Path) -> None:
    trl = pytest.importorskip("trl")
    assert [remark for remark in read_config(written, trainer="trl", gpus=1).remarks if remark.refused]
    with pytest.raises(ValueError, match=r"."):
        trl.GRPOConfig(output_dir=str(tmp_path), **{**CPU, **written})


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("written", [
    {"num_generations": 4}, {"num_generations": 16, "gradient_accumulation_steps": 2}, {"generation_batch_size": 64},
    {"steps_per_generation": 3}, {"vllm_importance_sampling_clip_min": 0.5}, {"eval_strategy": "epoch"},
    {"vllm_importance_sampling_mode": "token_truncate"}, {"lr_scheduler_type": "greedy", "eval_strategy": "epoch"},
    {"load_best_model_at_end": True, "save_strategy": "no"}, {"logging_strategy": "epoch", "logging_steps": 0},
    {"eval_strategy": "steps", "num_generations_eval": 4},
    {"dataloader_prefetch_factor": 2, "dataloader_num_workers": 1},
], ids=lambda written: "-".join(written))  # fmt: skip
def test_what_trl_takes_is_no_error(written: dict[str, object], tmp_path: Path) -> None:
    trl = pytest.importorskip("trl")
    trl.GRPOConfig(output_dir=str(tmp_path), **CPU, **written)
    assert not [remark for remark in read_config(written, trainer="trl", gpus=1).remarks if remark.refused]
