"""What the value of each key may be: impossible ones are errors, of every trainer, and are judged no further."""

from __future__ import annotations

from pathlib import Path

import pytest

import rlscale
from rlscale.curves import Config, Curve, Run, Source
from rlscale.sources.configs import TRAINERS, read_config
from rlscale.sources.configs.kinds import Kind, fault, kind_of
from rlscale.sources.configs.schema import schema_of

EXAMPLES = Path(__file__).parent / "examples"
NAN = float("nan")


def refused(config: Config) -> dict[str, str]:
    return {remark.key: remark.says for remark in config.remarks if remark.refused}


def impossible(kind: Kind) -> list[object]:
    """Values that no key of this kind can have."""
    values: list[object] = [] if kind.what in ("text", "name") else ["maybe so", "grpoo"]
    if kind.what in ("number", "whole", "interval"):
        values += [NAN, "nan", float("-inf"), True, "abc"]
    if kind.what == "whole":
        values += [8.5, 1e30]
    values += [limit - 1 for sign, limit in kind.limits if sign in (">=", ">")]
    values += [limit + 1 for sign, limit in kind.limits if sign in ("<=", "<")]
    values += [limit for sign, limit in kind.limits if sign in ("<", ">")]
    if kind.what not in ("numbers", "some"):
        values += [[1, 2], {}]
    if "null" not in kind.also and kind.what not in ("text", "some"):
        values.append(None)
    return values


@pytest.mark.parametrize("trainer", TRAINERS)
def test_every_key_states_its_kind_and_refuses_what_it_cannot_be(trainer: str) -> None:
    schema = schema_of(trainer)
    assert set(schema.kinds) == set(schema.keys)
    for key, kind in schema.kinds.items():
        if kind.what == "any":
            continue
        for value in impossible(kind):
            config = read_config({key: value}, trainer=trainer)
            written = [remark for remark in config.remarks if remark.kind == "value"]
            assert [remark.key for remark in written] == [key], (key, value)
            assert written[0].refused or kind.own, (key, value)


def test_few_keys_may_be_anything() -> None:
    for trainer in TRAINERS:
        schema = schema_of(trainer)
        loose = [key for key, kind in schema.kinds.items() if kind.what == "any" and key not in schema.open]
        assert len(loose) <= 0.06 * len(schema.kinds), loose


@pytest.mark.parametrize(
    ("written", "key", "says"),
    [
        ({"learning_rate": NAN}, "learning_rate", "it must be a number above 0, and nan is no number"),
        ({"learning_rate": "-1e-6"}, "learning_rate", "it must be a number above 0"),
        ({"learning_rate": "fast"}, "learning_rate", "it must be a number above 0"),
        ({"learning_rate": [1e-6, 2e-6]}, "learning_rate", "it must be a number above 0, not a list"),
        ({"num_generations": 8.5}, "num_generations", "it must be a whole number of 2 or more; give 8 or 9"),
        ({"num_generations": 1}, "num_generations", "it must be a whole number of 2 or more"),
        ({"num_generations": 1.5}, "num_generations", "it must be a whole number of 2 or more; give 2"),
        ({"max_steps": 1e3}, "max_steps", "it must be written as a whole number, without a point or an exponent: 1000"),
        ({"max_steps": "1,000"}, "max_steps", "it must be a whole number of -1 or more; write 1000"),
        ({"beta": float("inf")}, "beta", "it must be a number of 0 or more, and inf is no number"),
        ({"beta": "abc"}, "beta", "it must be a number of 0 or more"),
        ({"epsilon": -0.2}, "epsilon", "it must be a number of 0 or more"),
        ({"max_completion_length": 0}, "max_completion_length", "it must be a whole number of 1 or more, or null"),
        ({"use_vllm": "maybe"}, "use_vllm", "it must be true or false"),
        ({"lr_scheduler_type": "cosin"}, "lr_scheduler_type", "did you mean cosine?"),
        ({"eval_strategy": False}, "eval_strategy", 'write "no" in quotes'),
        ({"logging_steps": 2.5}, "logging_steps", "a whole number of steps, or a share of all steps"),
        ({"reward_weights": [1, "x"]}, "reward_weights", "it must be a list of numbers, or null"),
        ({"algorithm.adv_estimator": "grpoo"}, "algorithm.adv_estimator", "did you mean grpo?"),
        ({"actor_rollout_ref.actor.optim.lr": "1e-6x"}, "actor_rollout_ref.actor.optim.lr", "a number above 0"),
        ({"actor_rollout_ref.rollout.temperature": 0}, "actor_rollout_ref.rollout.temperature", "a number above 0"),
        ({"algo.advantage.estimator": "grop"}, "algo.advantage.estimator", "one of gae, reinforce, rloo"),
        ({"actor.eps_clip_low_high": [0.2]}, "actor.eps_clip_low_high", "a list of 2 numbers of 0 or more"),
        ({"grpo.num_prompts_per_step": 0}, "grpo.num_prompts_per_step", "a whole number of 1 or more"),
        ({"loss_fn.reference_policy_kl_type": "k4"}, "loss_fn.reference_policy_kl_type", "one of k1, k2, k3"),
    ],
)
def test_what_is_said(written: dict, key: str, says: str) -> None:
    assert says in refused(read_config(written))[key]


def test_a_wrong_value_is_judged_no_further() -> None:
    config = read_config({"cast_lm_head_to_fp32": "maybe", "lr_scheduler_type": "constan", "num_generations": 8})
    check = rlscale.check_config(config)
    assert "fp32_head" not in config.settings
    assert config.value_of("fp32_head") is None
    assert [finding.setting for finding in check.findings if finding.severity == "error"] == [
        "cast_lm_head_to_fp32", "lr_scheduler_type",
    ]  # fmt: skip
    assert not {"fp32_head", "learning_rate"} & {finding.knob for finding in check.findings}


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("my_very_own_loss", ""),
        ("cispo_v2", ""),
        ("cispo2", ""),
        ("cipso", "cispo"),
        ("cispoo", "cispo"),
        ("gspp", "gspo"),
    ],
)
def test_words_of_ones_own_are_a_warning_and_slips_an_error(word: str, meant: str) -> None:
    config = read_config({"actor_rollout_ref.actor.policy_loss.loss_mode": word})
    (remark,) = [each for each in config.remarks if each.kind == "value"]
    assert remark.refused is bool(meant)
    assert (f"did you mean {meant}?" if meant else "must add it") in remark.says


@pytest.mark.parametrize("name", ["trl.yaml", "trl.py", "verl.sh", "verl.yaml", "openrlhf.sh", "nemo_rl.yaml"])
def test_examples_have_no_wrong_value(name: str) -> None:
    assert not [remark for remark in read_config(EXAMPLES / name).remarks if remark.kind == "value"]


def test_right_values_in_every_way_they_are_written() -> None:
    written = {"learning_rate": "5e-7", "num_generations": "16", "beta": 0, "bf16": "yes", "use_vllm": "False",
            "scale_rewards": True, "top_k": -1, "reward_weights": [1, 0.5], "warmup_steps": 0.1, "report_to": "all",
            "max_completion_length": None, "eval_strategy": "no", "logging_steps": 0.5, "generation_batch_size": 32,
            "pad_to_multiple_of": "auto", "fsdp": "full_shard auto_wrap", "run_name": 5}  # fmt: skip
    config = read_config(written, trainer="trl")
    assert not [remark for remark in config.remarks if remark.kind == "value"]
    assert fault(kind_of("number >=0, inf"), float("inf")) == ""


def test_switches_may_be_numbers_and_sweeps_are_no_numbers() -> None:
    config = read_config(["actor_rollout_ref.actor.use_kl_loss=1", "data.train_batch_size=8,16"])
    assert config.settings["kl_coefficient"] == 0.001
    assert refused(config) == {"data.train_batch_size": "it must be a whole number of 1 or more"}


def test_a_switch_of_openrlhf_takes_no_value() -> None:
    wrong = refused(read_config(["--train.async_enable", "true", "--rollout.batch_size", "64", "--algo.kl.use_loss"]))
    assert list(wrong) == ["train.async_enable"]
    assert "write --train.async_enable alone" in wrong["train.async_enable"]


def test_words_that_came_later_than_the_key() -> None:
    written = {"loss_type": "cispo", "scale_rewards": "batch", "num_generations": 8}
    assert set(refused(read_config(written, version="0.19.1"))) == {"loss_type", "scale_rewards"}
    between = [remark for remark in read_config(written, version="0.27.0").remarks if remark.kind == "version"]
    assert [(remark.key, remark.refused) for remark in between] == [("loss_type", False)]
    assert read_config(written, version="0.19.1").settings["loss_type"] == "cispo"


def test_what_a_run_logged_is_not_doubted() -> None:
    curve = Curve(compute=[1, 2, 3], reward=[0.1, 0.2, 0.3], unit="steps")
    written = {
        "num_generations": 8.0,
        "lr_scheduler_type": "SchedulerType.COSINE",
        "loss_type": "grpo",
        "hub_token": "abc",
    }
    config = read_config(
        Run(name="a", recipe="a", curve=curve, config=written, source=Source("a", "csv", 3, trainer="trl"))
    )
    assert config.remarks == ()
    assert config.settings["generations"] == 8.0
    assert config.raw["hub_token"] == "***"


def test_secrets_are_shown_nowhere(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(
        "beta: 0.0\npush_to_hub_token: hf_abc\nhub_token: hf_abc\nhub_token: hf_abcd\nenv: {WANDB_API_KEY: hf_abc}\n"
    )
    config = read_config(path)
    assert "hf_abc" not in repr((config.raw, config.remarks))
    words = ["--use_wandb", "hf_abc", "--rollout_batch_size", "64", "--logger.wandb.key", "hf_abc"]
    flags = read_config(words)
    assert "hf_abc" not in repr((flags.raw, flags.remarks))


def test_a_value_that_another_file_holds_is_not_judged() -> None:
    written = {"grpo.num_prompts_per_step": "${grpo.elsewhere}", "grpo.num_generations_per_prompt": 16}
    config = read_config(written)
    assert "grpo.num_prompts_per_step" not in config.raw
    assert config.remarks == ()


def test_a_table_that_says_nothing_known() -> None:
    for text in ("colour", "whole about 3", "number >x"):
        with pytest.raises(ValueError, match=r"is no kind of value|has a limit that is none"):
            kind_of(text)
