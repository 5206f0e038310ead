"""Configurations in canonical words: the examples of four trainers, in every form they are written in."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import pytest

import rlscale
from rlscale.curves import Curve, Run, Source
from rlscale.errors import InputError, SourceError
from rlscale.sources.configs import SETTINGS, TRAINERS, config_of_run, read_config
from rlscale.sources.configs.schema import schema_of
from rlscale.sources.configs.settings import DEFAULTS
from rlscale.sources.trainers import SETTINGS as LOGGED

EXAMPLES = Path(__file__).parent / "examples"


def remarks(config, kind):
    return {one.key: one for one in config.remarks if one.kind == kind}


def test_trl_yaml() -> None:
    config = read_config(EXAMPLES / "trl.yaml")
    assert (config.trainer, config.title, config.version) == ("trl", "TRL", "1.16.0")
    assert config.settings["learning_rate"] == 1e-5  # text in YAML 1.1, a number to TRL's parser
    assert config.settings["generations"] == 8
    assert config.settings["kl_coefficient"] == 0.04
    assert config.settings["advantage_normalisation"] == "group_std"
    assert config.settings["aggregation"] == "sample_mean"
    assert config.settings["off_policy_correction"] is True
    assert "total_batch" not in config.settings
    assert config.remarks == ()
    assert config.value_of("fp32_head") is False  # the default


def test_trl_counts_its_batch_by_gpu() -> None:
    config = read_config(EXAMPLES / "trl.yaml", gpus=8)
    assert config.settings["total_batch"] == 8 * 4 * 8
    assert config.settings["prompts_per_step"] == 32
    assert config.settings["updates_per_batch"] == 1


def test_trl_python_is_read_and_never_run() -> None:
    config = read_config(EXAMPLES / "trl.py")
    assert config.settings["generations"] == 8
    assert config.raw["per_device_train_batch_size"] == 16
    assert config.raw["bf16"] is True
    assert config.settings["learning_rate"] == 5e-6
    assert set(remarks(config, "unread")) == {"run_name"}


def test_verl_overrides() -> None:
    config = read_config(EXAMPLES / "verl.sh")
    assert config.trainer == "verl"
    assert config.settings["prompts_per_step"] == 1024
    assert config.settings["total_batch"] == 5120
    assert config.settings["updates_per_batch"] == 4
    assert config.settings["max_response_length"] == 2048
    assert config.settings["kl_coefficient"] == 0.001
    assert config.settings["entropy_coefficient"] == 0
    assert config.raw["trainer.logger"] == ["console", "wandb"]
    assert set(remarks(config, "unread")) == {"data.train_files"}
    assert not remarks(config, "unknown")  # +trainer.my_own_key was added on purpose


def test_verl_yaml() -> None:
    config = read_config(EXAMPLES / "verl.yaml")
    assert config.trainer == "verl"
    assert (config.settings["clip_low"], config.settings["clip_high"]) == (0.2, 0.28)
    assert config.settings["aggregation"] == "token_mean"
    assert config.settings["updates_per_batch"] == 1
    assert config.value_of("kl_coefficient") == 0.0  # no switch is on
    assert config.remarks == ()


def test_openrlhf_flags() -> None:
    config = read_config(EXAMPLES / "openrlhf.sh")
    assert config.trainer == "openrlhf"
    assert config.settings["total_batch"] == 1024
    assert config.settings["updates_per_batch"] == 1
    assert (config.settings["clip_low"], config.settings["clip_high"]) == (0.2, 0.27)
    assert config.settings["asynchronous"] is True
    assert config.settings["staleness"] == 2
    assert config.settings["advantage_normalisation"] == "group_std"
    assert config.remarks == ()  # neither the flags of ray job submit


def test_openrlhf_arguments_and_older_flags() -> None:
    words = "--rollout_batch_size 128 --n_samples_per_prompt 8 --actor_learning_rate 5e-7 --init_kl_coef 0.01".split()  # noqa: SIM905
    config = read_config(words, version="0.9.0")
    assert (config.trainer, config.settings["total_batch"]) == ("openrlhf", 1024)
    assert config.remarks == ()
    newer = read_config(words)
    assert "0.10.0 is the last that has it" in remarks(newer, "version")["init_kl_coef"].says


def test_nemo_rl_yaml() -> None:
    config = read_config(EXAMPLES / "nemo_rl.yaml")
    assert config.trainer == "nemo-rl"
    assert config.settings["max_response_length"] == 4096  # an interpolation
    assert config.settings["total_batch"] == 512
    assert config.settings["loss_type"] == "ppo"
    assert config.settings["staleness"] == 1
    assert remarks(config, "contradiction")["loss_fn.use_importance_sampling_correction"].refused
    assert set(remarks(config, "unread")) == {"defaults"}


def test_json_and_mapping_say_the_same(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"num_generations": 8, "beta": 0.04, "learning_rate": "1e-6"}')
    told = {"num_generations": 8, "beta": 0.04, "learning_rate": 1e-6}
    assert dict(read_config(path).settings) == dict(read_config(told).settings)


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("learning_rte", "learning_rate"),
        ("num_generation", "num_generations"),
        ("max_completion_len", "max_completion_length"),
    ],
)
def test_misspelt_keys_are_told(key: str, meant: str) -> None:
    config = read_config({key: 1, "beta": 0.0, "loss_type": "dapo"})
    told = remarks(config, "unknown")[key]
    assert told.refused
    assert told.says == f"TRL up to 1.16.0 has no such key; did you mean {meant}?"


def test_a_key_in_the_wrong_place_is_told() -> None:
    config = read_config(["actor_rollout_ref.rollout.temprature=1.0", "data.train_batch_size=64"])
    told = remarks(config, "unknown")["actor_rollout_ref.rollout.temprature"]
    assert told.says.endswith("did you mean actor_rollout_ref.rollout.temperature?")


def test_versions_that_lack_a_key() -> None:
    told = {"num_generations": 8, "cast_lm_head_to_fp32": True, "loss_type": "cispo", "max_prompt_length": 512}
    old = remarks(read_config(told, version="0.19.1"), "version")
    assert set(old) == {"cast_lm_head_to_fp32", "loss_type"}
    assert (
        old["loss_type"].says
        == "TRL 0.19.1 does not have it: of the versions looked at, 0.29.0 is the first that has it"
    )
    assert old["cast_lm_head_to_fp32"].refused
    assert "0.25.1 is the first that has it" in old["cast_lm_head_to_fp32"].says
    new = remarks(read_config(told), "version")
    assert "0.25.1 is the last that has it" in new["max_prompt_length"].says
    between = remarks(read_config(told, version="0.24.0"), "version")["cast_lm_head_to_fp32"]
    assert (between.refused, "may lack it" in between.says) == (False, True)  # that version was not looked at


@pytest.mark.parametrize(
    ("told", "key", "refused", "says"),
    [
        ({"generation_batch_size": 64, "steps_per_generation": 2}, "generation_batch_size", True, "drop one"),
        ({"generation_batch_size": 60, "num_generations": 8}, "generation_batch_size", True, "multiple of"),
        ({"epsilon": 0.3, "epsilon_high": 0.2}, "epsilon", False, "above epsilon_high"),
        ({"loss_type": "cispo", "num_generations": 8}, "loss_type", False, "epsilon_high is not set"),
        ({"data.train_batch_size": 64, "actor_rollout_ref.actor.ppo_mini_batch_size": 128},
         "actor_rollout_ref.actor.ppo_mini_batch_size", True, "larger than data.train_batch_size"),
        ({"actor_rollout_ref.actor.use_kl_loss": True, "algorithm.use_kl_in_reward": True},
         "algorithm.use_kl_in_reward", False, "counts twice"),
        ({"algorithm.adv_estimator": "grpo", "actor_rollout_ref.rollout.n": 1},
         "actor_rollout_ref.rollout.n", True, "several completions"),
        ({"algo.advantage.estimator": "rloo", "rollout.batch_size": 64},
         "rollout.n_samples_per_prompt", True, "2 or more"),
        ({"train.async_enable": True, "vllm.enable_sleep": True}, "vllm.enable_sleep", True, "does not go with"),
        ({"bf16": True, "fp16": True, "beta": 0.0}, "fp16", True, "bf16 is on too"),
        ({"num_generations": 7, "per_device_train_batch_size": 8}, "per_device_train_batch_size", True,
         "only on a multiple of 7 GPUs"),
        ({"vllm_importance_sampling_clip_min": 3.5}, "vllm_importance_sampling_clip_min", True, "max = 3"),
        ({"vllm_importance_sampling_mode": "token_truncate", "vllm_importance_sampling_clip_max": None},
         "vllm_importance_sampling_mode", True, "a *_truncate mode needs"),
        ({"lr_scheduler_type": "greedy"}, "lr_scheduler_type", True, "set eval_strategy"),
        ({"load_best_model_at_end": True}, "load_best_model_at_end", True, "nothing is evaluated"),
        ({"log_completions_hub_repo": "a/b"}, "log_completions_hub_repo", True, "turn it on"),
        ({"dataloader_prefetch_factor": 2}, "dataloader_prefetch_factor", True, "dataloader_num_workers is 0"),
        ({"eval_strategy": "epoch", "num_generations": 12, "generation_batch_size": 24},
         "per_device_eval_batch_size", True, "8 completions evaluated a GPU"),
        ({"loss_type": "luspo"}, "loss_type", False, "importance_sampling_level: sequence"),
        ({"importance_sampling_level": "sequence"}, "importance_sampling_level", False, "loss_type = dapo"),
        ({"actor_rollout_ref.actor.clip_ratio_low": 0.3, "actor_rollout_ref.actor.clip_ratio_high": 0.2},
         "actor_rollout_ref.actor.clip_ratio_low", False, "exchange them"),
        ({"data.train_batch_size": 60, "actor_rollout_ref.rollout.n": 5, "trainer.n_gpus_per_node": 8},
         "data.train_batch_size", True, "300 completions of a step"),
        ({"actor_rollout_ref.actor.ppo_micro_batch_size": 8, "actor_rollout_ref.actor.ppo_micro_batch_size_per_gpu": 1},
         "actor_rollout_ref.actor.ppo_micro_batch_size", True, "keep that one"),
        ({"rollout.max_new_tokens": 8192}, "rollout.max_new_tokens", False, "data.max_len = 2048"),
        ({"rollout.batch_size": 64, "train.batch_size": 128}, "train.batch_size", False, "larger than the 64"),
        ({"rollout_batch_size": 64, "n_samples_per_prompt": 1, "advantage_estimator": "rloo"},
         "n_samples_per_prompt", True, "give 2 or more"),
        ({"policy.generation.max_new_tokens": 9000, "policy.max_total_sequence_length": 8192},
         "policy.generation.max_new_tokens", False, "holds prompt and completion"),
        ({"grpo.num_generations_per_prompt": 1}, "grpo.num_generations_per_prompt", False, "give 2 or more"),
    ],
)  # fmt: skip
def test_contradictions(told: dict, key: str, refused: bool, says: str) -> None:
    found = remarks(read_config(told), "contradiction")[key]
    assert found.refused is refused
    assert says in found.says
    assert "{" not in found.says


@pytest.mark.parametrize(
    ("gpus", "says"),
    [(None, ""), (1, "1 GPUs x 2"), (4, "4 GPUs x 2"), (8, ""), (12, "12 GPUs x 2"), (16, "")],
)
def test_groups_that_a_batch_by_gpu_holds(gpus: int | None, says: str) -> None:
    told = {"num_generations": 16, "per_device_train_batch_size": 1, "gradient_accumulation_steps": 2}
    config = read_config(told, gpus=gpus)
    wrong = remarks(config, "contradiction").get("per_device_train_batch_size")
    assert (wrong.says if wrong else "").startswith(says)
    assert bool(wrong) is bool(says)
    if gpus is None:
        depends = remarks(config, "depends")["per_device_train_batch_size"]
        assert "only on a multiple of 8 GPUs" in depends.says
        assert not depends.refused


def test_switches_that_are_off_on_purpose_and_equal_bounds_are_no_remark() -> None:
    actor = "actor_rollout_ref.actor"
    told = {f"{actor}.use_kl_loss": False, f"{actor}.kl_loss_coef": 0.001, f"{actor}.clip_ratio": 0.2,
            f"{actor}.clip_ratio_low": 0.2, f"{actor}.clip_ratio_high": 0.2}  # fmt: skip
    assert read_config(told).remarks == ()
    assert remarks(read_config({**told, f"{actor}.clip_ratio": 0.3}), "unused")


def test_what_has_no_effect_is_told() -> None:
    config = read_config({"actor_rollout_ref.actor.kl_loss_coef": 0.001, "data.train_batch_size": 64})
    assert "there is no KL loss" in remarks(config, "unused")["actor_rollout_ref.actor.kl_loss_coef"].says
    assert "kl_coefficient" not in config.settings


def test_keys_that_are_written_twice(tmp_path: Path) -> None:
    path = tmp_path / "twice.yaml"
    path.write_text("beta: 0.0\nnum_generations: 8\nbeta: 0.04\n")
    config = read_config(path)
    assert config.settings["kl_coefficient"] == 0.04
    assert "the last one counts" in remarks(config, "twice")["beta"].says


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("list.yaml", "- beta\n- 0.04\n", "a configuration is a mapping of names to values, this YAML is a list"),
        ("word.yaml", "hello\n", "this YAML is text (hello)"),
        ("torn.yaml", "beta: [1, 2\n", "it is no plain YAML"),
        ("object.yaml", "beta: !!python/object/apply:os.system ['true']\n", "it is no plain YAML"),
        ("loop.yaml", "a: &a\n  b: *a\n", "a.b contains itself"),
        ("deep.yaml", "".join(f"{' ' * k}k{k}:\n" for k in range(200)) + " " * 200 + "x: 1\n", "levels deep"),
        ("flow.yaml", "a: " + "[" * 300 + "]" * 300, "levels deep"),
        ("bomb.yaml", "a: &a {x: 1, y: 1, z: 1}\n" + "".join(
            f"{chr(98 + k)}: &{chr(98 + k)} {{" + ", ".join(f"k{j}: *{chr(97 + k)}" for j in range(9)) + "}\n"
            for k in range(9)), "more than 20,000 settings"),
        ("empty.yaml", "\n", "it is empty"),
        ("number.yaml", "5\n", "this YAML is a number (5)"),
        ("true.yaml", "true\n", "this YAML is true"),
        ("keys.yaml", "? [a, b]\n: 1\n", "line 1 has a list or a mapping for a key; give a name"),
        ("merge.yaml", "a: &a\n  <<: *a\n", "a merge (<<) takes other mappings only"),
        ("merges.yaml", "a: &a {" + ", ".join(f"k{k}: 1" for k in range(900)) + "}\nb:\n  <<: ["
         + ", ".join(["*a"] * 900) + "]\n", "its merges (<<) copy more than 200,000 settings"),
        ("many.yaml", "".join(f"k{k}: 1\n" for k in range(60_000)), "more than 20,000 settings"),
        ("date.yaml", "beta: 2001-99-99\n", "a date or a number in it is none"),
        ("torn.json", "{", "it is no JSON: line 1, column 2 cannot be read"),
        ("deep.json", '{"a":' * 100_000, "it is nested more than 40 levels deep; give one configuration"),
        ("digits.json", '{"beta": ' + "9" * 5000 + "}", "a number in it has thousands of digits"),
        ("deep.py", "GRPOConfig(beta=" + "-" * 300_000 + "1)", "its expressions are too deep or too long"),
        ("list.json", "[1]", "this JSON is a list"),
        ("torn.py", "GRPOConfig(", "it is no Python"),
        ("none.py", "x = 1\n", "it has no call of GRPOConfig(...)"),
        ("two.py", "GRPOConfig(beta=0)\nGRPOConfig(beta=1)\n", "on lines 1, 2"),
        ("none.sh", "echo hello\n", "it has neither flags"),
        ("other.yaml", "colour: red\n", "of no trainer"),
        ("bytes.yaml", b"\xff\xfe\x00", "no text in UTF-8"),
    ],
)  # fmt: skip
def test_what_is_no_configuration(tmp_path: Path, name: str, text: str | bytes, says: str) -> None:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SourceError) as raised:
        read_config(path)
    assert says in raised.value.on_command_line
    assert str(path) in raised.value.on_command_line


def test_huge_and_missing_files(tmp_path: Path) -> None:
    path = tmp_path / "huge.yaml"
    path.write_text("# " + "x" * (5 << 20))
    with pytest.raises(SourceError, match="larger than 2 MB"):
        read_config(path)
    with pytest.raises(SourceError, match="cannot read this configuration: No such file"):
        read_config(tmp_path / "nothing.yaml")


def test_a_list_of_lists_is_cheap(tmp_path: Path) -> None:
    path = tmp_path / "laughs.yaml"
    path.write_text("a: &a [x, x, x]\n" + "".join(
        f"{chr(98 + k)}: &{chr(98 + k)} [" + ", ".join(f"*{chr(97 + k)}" for _ in range(9)) + "]\n" for k in range(12)
    ) + "beta: 0.0\n")  # fmt: skip
    assert read_config(path).settings["kl_coefficient"] == 0.0


def test_keys_are_what_is_written(tmp_path: Path) -> None:
    path = tmp_path / "keys.yaml"
    path.write_text("beta: 0.0\n1: a\ntrue: b\nTrue: c\non: d\nnull: e\n0x1: f\n")
    raw = read_config(path).raw
    assert [raw[key] for key in ("1", "true", "True", "on", "null", "0x1")] == ["a", "b", "c", "d", "e", "f"]


def test_a_key_that_is_written_twice_is_told_where_it_stands(tmp_path: Path) -> None:
    yaml, json = tmp_path / "twice.yaml", tmp_path / "twice.json"
    yaml.write_text("data: {train_batch_size: 64}\ntrainer: {train_batch_size: 1, nnodes: 1, nnodes: 2}\n")
    json.write_text('{"data": {"train_batch_size": 64}, "trainer": {"nnodes": 1, "nnodes": 2}}')
    for path in (yaml, json):
        told = remarks(read_config(path, trainer="verl"), "twice")
        assert list(told) == ["trainer.nnodes"]
        assert told["trainer.nnodes"].says.startswith("it is written twice, with 1 and 2")


def test_long_words_are_text(tmp_path: Path) -> None:
    path = tmp_path / "long.yaml"
    path.write_text("beta: 0.0\ntop_k: " + ":".join(["1"] * 100_000) + "\nseed: " + "9" * 100_000 + "\n")
    assert {"top_k", "seed"} == set(remarks(read_config(path), "value"))


@pytest.mark.parametrize("name", ["trl.yaml", "trl.py", "verl.sh", "verl.yaml", "openrlhf.sh", "nemo_rl.yaml"])
@pytest.mark.parametrize("end", ["", ".txt", ".conf", ".json", ".sh", ".yaml", ".py"])
def test_a_file_is_told_by_what_stands_in_it(name: str, end: str, tmp_path: Path) -> None:
    path = tmp_path / f"config{end}"
    path.write_text((EXAMPLES / name).read_text())
    assert dict(read_config(path).settings) == dict(read_config(EXAMPLES / name).settings)


def test_many_unknown_keys_are_counted(tmp_path: Path) -> None:
    config = read_config({"beta": 0.0, **{f"k{k}": k for k in range(5000)}})
    told = remarks(config, "unknown")
    assert len(told) == 51
    assert told["4,950 more keys"].refused


@pytest.mark.parametrize("version", ["abc", "", "1.", "-1", "1e30", "1.2.3 or so", "1" * 50])
def test_a_version_that_is_none(version: str) -> None:
    with pytest.raises(InputError, match=r"is no version; give one like 0\.19\.1"):
        read_config({"beta": 0.0}, version=version)
    assert read_config({"beta": 0.0}, version="v1.17.0rc1").version == "1.17.0rc1"


@pytest.mark.parametrize("gpus", [0, -1, 10**30, 1.5, "8"])
def test_gpus_that_are_none(gpus: object) -> None:
    with pytest.raises(InputError, match="give a whole number from 1 to 1,000,000"):
        read_config({"beta": 0.0}, gpus=gpus)  # type: ignore[arg-type]


def test_python_evaluates_no_bombs(tmp_path: Path) -> None:
    path = tmp_path / "bomb.py"
    path.write_text("GRPOConfig(beta=0.0, a='x' * 10**9, b=9**9**9, c=1/0, num_generations=8 * 2)\n")
    config = read_config(path)
    assert config.settings["generations"] == 16
    assert {"a", "b", "c"} <= set(remarks(config, "unread"))


def test_deep_sums_and_long_words_are_cheap(tmp_path: Path) -> None:
    path = tmp_path / "deep.py"
    path.write_text(f"GRPOConfig(beta=0.0, top_k={' + '.join(['1'] * 300)})\n")
    assert "top_k" in remarks(read_config(path), "unread")
    path = tmp_path / "long.sh"
    path.write_text(
        "a=xxxxxxxxxx\n" + "a=$a$a$a$a$a$a$a$a$a$a\n" * 30 + f"run --beta 0.0 --model_name_or_path {'$a' * 100_000}\n"
    )
    assert read_config(path, trainer="trl").settings["kl_coefficient"] == 0.0


def test_a_yaml_word_is_no_setting(tmp_path: Path) -> None:
    config = read_config({"beta": float("inf"), "num_generations": float("nan"), "generation_batch_size": 1e300})
    assert rlscale.check_config(config).to_dict()["schema"] == 1


def test_yaml_without_pyyaml_names_the_extra() -> None:
    code = (
        "import sys; sys.modules['yaml'] = None\n"
        "import rlscale\n"
        f"try: rlscale.read_config({str(EXAMPLES / 'trl.yaml')!r})\n"
        "except rlscale.InputError as error: print(error)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "pip install 'rlscale[configs]'" in told


def test_unknown_trainer() -> None:
    with pytest.raises(InputError, match="did you mean openrlhf") as raised:
        read_config({"beta": 0.0}, trainer="openrlhff")
    assert raised.value.parameter == "trainer"


def run_of(**more) -> Run:
    curve = Curve(compute=[1, 2, 3], reward=[0.1, 0.2, 0.3], unit="steps")
    return Run(name="a/seed0", recipe="a", curve=curve, **more)


def test_a_run_that_logged_its_configuration() -> None:
    source = Source("x.jsonl", "verl", 3, trainer="verl")
    config = config_of_run(run_of(
        config={"data": {"train_batch_size": 64}, "actor_rollout_ref": {"rollout": {"n": 8}}, "host": "n1"},
        source=source, settings={"prompts_per_step": 64, "generations": 8},
    ))  # fmt: skip
    assert config.settings["total_batch"] == 512
    assert config.remarks == ()  # a tracker holds more than the configuration


def test_a_run_with_settings_only() -> None:
    config = read_config(run_of(settings={"prompts_per_step": 4, "generations": 8}))
    assert config.settings["total_batch"] == 32
    with pytest.raises(InputError, match="its log holds no settings"):
        config_of_run(run_of())


def test_the_vocabulary_is_that_of_logs() -> None:
    assert set(LOGGED) <= set(SETTINGS)
    for trainer in TRAINERS:
        assert set(DEFAULTS[trainer]) <= set(SETTINGS)
        assert len(schema_of(trainer).keys) > 50


def test_a_configuration_is_a_plain_value() -> None:
    config = rlscale.read_config(EXAMPLES / "trl.yaml")
    assert pickle.loads(pickle.dumps(config)) == config
    assert repr(config).endswith("settings)")
    with pytest.raises(TypeError):
        config.settings["beta"] = 1  # type: ignore[index]
