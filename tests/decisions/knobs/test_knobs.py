"""The catalogue is complete and honest; findings, differences and advice say what the evidence says."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import rlscale
from rlscale.curves import Curve, Metric, Run, Series
from rlscale.decisions.knobs import GRADES, KNOBS, SEVERITIES, advice_on, difficulty_of, second_order_knobs
from rlscale.errors import InputError
from rlscale.sources.configs import SETTINGS, read_config

ASKED = {
    "total_batch", "batch_split", "loss_type", "clip_bounds", "fp32_head", "zero_variance_filter", "easy_prompt_filter",
    "aggregation", "advantage_normalisation", "staleness", "pipeline", "curriculum", "max_response_length",
    "generations", "kl_coefficient", "entropy_coefficient", "temperature", "learning_rate", "data_reuse",
    "adam_epsilon",
}  # fmt: skip


def found(told, **more):
    check = rlscale.check_config(read_config(told, gpus=more.pop("gpus", None)), **more)
    return {(one.knob, one.setting): one for one in check.findings}


def test_the_catalogue_has_what_was_asked_for() -> None:
    names = [knob.name for knob in KNOBS]
    assert set(names) >= ASKED
    assert len(names) == len(set(names))


@pytest.mark.parametrize("knob", KNOBS, ids=lambda knob: knob.name)
def test_every_row_has_source_grade_baseline_and_effect(knob) -> None:
    assert knob.evidence
    assert knob.reading
    for study in knob.evidence:
        assert study.grade.partition(",")[0] in GRADES
        assert study.source
        assert study.baseline
        assert study.effect
    assert set(knob.settings) <= set(SETTINGS)
    assert {each.knob for each in knob.interacts} <= {other.name for other in KNOBS}


def test_contradictions_are_shown_and_not_averaged() -> None:
    head = rlscale.knob_catalogue("fp32").knobs[0]
    assert head.evidence[0].effect.startswith("A .52 to .61")
    assert "not at all in the full recipe" in head.contradictions[0]
    assert rlscale.knob_catalogue("filter").knobs[0].contradictions


def test_published_figures_stand_in_the_catalogue() -> None:
    batch, length = (rlscale.knob_catalogue(name).knobs[0].evidence[0].effect for name in ("batch", "length"))
    assert "A .605, .610, .645" in batch
    assert "C_mid 2,818, 2,542, 10,909" in batch
    assert "A .610 to .645, C_mid 2,542 to 11,272" in length


@pytest.mark.parametrize(
    ("asked", "name"),
    [("beta", "kl_coefficient"), ("KL", "kl_coefficient"), ("lr", "learning_rate"), ("num-generations", "generations"),
     ("eps", "adam_epsilon"), ("Learning Rate", "learning_rate")],
)  # fmt: skip
def test_a_knob_is_found_by_what_trainers_call_it(asked: str, name: str) -> None:
    assert rlscale.knob_catalogue(asked).knobs[0].name == name


def test_a_knob_that_there_is_not() -> None:
    with pytest.raises(InputError, match=r"no knob is named 'entropie'; did you mean entropy"):
        rlscale.knob_catalogue("entropie")
    with pytest.raises(InputError, match="rlscale knobs lists all"):
        rlscale.knob_catalogue("zzzzzz")


@pytest.mark.parametrize(
    ("rate", "severity"), [(5e-7, "agrees"), (1e-6, "agrees"), (1e-5, "warning"), (5e-8, "warning")]
)
def test_the_learning_rate_goes_with_the_root_of_the_batch(rate: float, severity: str) -> None:
    one = found({"learning_rate": rate, "generation_batch_size": 768, "num_generations": 16})[
        "learning_rate", "learning_rate"
    ]
    assert one.severity == severity
    assert "total_batch" in one.with_


def test_the_root_rule_moves_the_verdict_with_the_batch() -> None:
    small, large = (
        found({"learning_rate": 2e-6, "generation_batch_size": batch, "num_generations": 16})[
            "learning_rate", "learning_rate"
        ]
        for batch in (256, 8192)
    )
    assert (small.severity, large.severity) == ("warning", "agrees")
    assert "2.8e-06" in large.says


@pytest.mark.parametrize(
    ("difficulty", "beta", "severity"),
    [("easy", 0.04, "agrees"), ("easy", 0.0, "warning"), ("hard", 0.04, "warning"), ("hard", 0.0, "agrees"),
     ("mixed", 0.04, "warning"), ("mixed", 0.0, "agrees"), (None, 0.04, "note"), (None, 0.0, "note")],
)  # fmt: skip
def test_kl_is_judged_by_difficulty(difficulty: str | None, beta: float, severity: str) -> None:
    check = rlscale.check_config(read_config({"beta": beta, "entropy_coef": beta}), difficulty=difficulty)
    one = [each for each in check.findings if each.setting == "beta"]
    assert [each.severity for each in one] == [severity]
    assert "curriculum" in one[0].with_


def test_staleness_needs_a_correction() -> None:
    told = {"train.async_enable": True, "train.async_queue_size": 4, "actor.policy_loss_type": "ppo"}
    key = "staleness", "train.async_queue_size"
    assert found(told)[key].severity == "warning"
    assert "off_policy_correction" in found(told)[key].with_
    assert found({**told, "algo.advantage.is_correction_level": "token"})[key].severity == "agrees"
    far = {**told, "algo.advantage.is_correction_level": "token", "train.async_queue_size": 32}
    assert found(far)[key].severity == "warning"


def test_clip_bounds_are_read_in_the_words_of_each_trainer() -> None:
    trl = found({"loss_type": "cispo", "epsilon_high": 5.0})["clip_bounds", "epsilon_high"]
    key = "actor_rollout_ref.actor.clip_ratio_high"
    verl = found({"actor_rollout_ref.actor.policy_loss.loss_mode": "cispo", key: 4.0})["clip_bounds", key]
    low = found({"actor_rollout_ref.actor.policy_loss.loss_mode": "cispo", key: 0.2})["clip_bounds", key]
    assert (trl.severity, verl.severity, low.severity) == ("agrees", "agrees", "warning")
    assert "1.2" in low.says


def test_defaults_are_judged_and_said_to_be_defaults() -> None:
    one = found({"beta": 0.0})["loss_type", "loss_type"]
    assert (one.severity, one.stated, one.value) == ("warning", False, "dapo")
    assert one.says.startswith("Not written, so TRL's default counts.")


def test_an_unread_value_is_not_judged_as_a_default() -> None:
    config = read_config(["actor_rollout_ref.actor.policy_loss.loss_mode=$LOSS", "data.train_batch_size=64"])
    check = rlscale.check_config(config)
    assert not [one for one in check.findings if one.knob == "loss_type"]


def test_findings_are_sorted_and_have_sources() -> None:
    check = rlscale.check_config(read_config({"loss_type": "grpo", "learning_rte": 1, "beta": 0.04}))
    order = [list(SEVERITIES).index(one.severity) for one in check.findings]
    assert order == sorted(order)
    assert all(one.source and one.says for one in check.findings)
    assert pickle.loads(pickle.dumps(check)) == check


def test_second_order_splits_of_an_own_ablation() -> None:
    def row(knob, low, high):
        return {"knob": knob, "ceiling": {"effect": {"q10": low, "q50": 0.0, "q90": high}}}

    small, wide = row("generations", -0.01, 0.012), row("generations", -0.08, 0.09)
    assert second_order_knobs({"knobs": [small]}) == {"generations"}
    assert second_order_knobs({"knobs": [wide]}) == frozenset()  # not resolved is not small
    assert second_order_knobs({"knobs": [small, wide]}) == frozenset()
    told = {"num_generations": 8, "steps_per_generation": 8, "gradient_accumulation_steps": 2, "beta": 0.0}
    with_, without = (
        found(told, ablation={"knobs": [each]})["batch_split", "steps_per_generation"] for each in (small, wide)
    )
    assert "Over-split" in with_.says
    assert "Over-split" not in without.says
    advice = rlscale.check_config(difficulty="hard", ablation={"knobs": [small]}).advice
    assert any("Your own ablation finds generations second-order" in one.says for one in advice)
    with pytest.raises(InputError, match="no document of rlscale ablate"):
        second_order_knobs({})


def run_of(rewards, share=None, entropy=None, bounds=(0.0, 1.0), **more):
    n = len(rewards)
    steps = np.arange(n, dtype=float)
    metrics = {}
    if share is not None:
        metrics["zero_variance"] = Metric("frac_reward_zero_std", "share of groups", Series(steps, np.full(n, share)))
    if entropy is not None:
        metrics["entropy"] = Metric("entropy", "nats per token", Series(steps, np.linspace(*entropy, n)))
    curve = Curve(compute=steps, reward=rewards, unit="steps", bounds=bounds)
    return Run(name="a", recipe="a", curve=curve, metrics=metrics, **more)


@pytest.mark.parametrize(
    ("run", "difficulty", "trend"),
    [
        (run_of([0.45] * 10, 0.1, (1.0, 0.2)), "easy", "falls"),
        (run_of([0.02] * 10, 0.9, (0.5, 1.5)), "hard", "rises"),
        (run_of([0.45] * 10, 0.7, (1.0, 0.9)), "mixed", "steady"),
        (run_of([0.15] * 10), "mixed", "unknown"),
        (run_of([0.8] * 10), "easy", "unknown"),
        (run_of([0.45] * 10, settings={"difficulty": "hard"}), "hard", "unknown"),
        (run_of([5.0] * 10, bounds=(0.0, 10.0)), "unknown", "unknown"),
    ],
)
def test_difficulty_from_logs(run: Run, difficulty: str, trend: str) -> None:
    observed = difficulty_of(run)
    assert (observed.difficulty, observed.trend) == (difficulty, trend)
    assert observed.why


def test_entropy_that_disagrees_is_said() -> None:
    assert "seen on hard prompts" in difficulty_of(run_of([0.45] * 10, 0.1, (0.5, 1.5))).why


def test_advice_is_never_one_for_all() -> None:
    easy, hard, mixed = (advice_on(name)[0] for name in ("easy", "hard", "mixed"))
    assert easy.says.startswith("Use a KL term and an entropy bonus")
    assert hard.says.startswith("Use neither")
    assert mixed.says.startswith("Follow the recipe of hard prompts")
    with pytest.raises(InputError, match="give easy") as raised:
        advice_on("medium")
    assert raised.value.parameter == "difficulty"
    with pytest.raises(InputError, match="nothing to check"):
        rlscale.check_config()


def test_runs_of_several_classes_follow_hard() -> None:
    check = rlscale.check_config(runs=[run_of([0.45] * 10, 0.1), run_of([0.02] * 10)])
    assert check.advice[0].difficulty == "mixed"


def test_differences_across_trainers() -> None:
    trl = read_config({"num_generations": 8, "learning_rate": 1e-6, "beta": 0.0, "temperature": 1.0})
    verl = read_config(
        ["actor_rollout_ref.rollout.n=16", "actor_rollout_ref.actor.optim.lr=0.000001", "data.train_batch_size=64"]
    )
    diff = rlscale.diff_configs(trl, verl)
    by_setting = {one.setting: one for one in diff.differences}
    assert by_setting["generations"].matters == "ceiling"
    assert "learning_rate" not in by_setting
    assert (by_setting["prompts_per_step"].a, by_setting["prompts_per_step"].b) == ("", "64")
    assert diff.same >= 2
    assert diff.differences[0].matters == "ceiling"


def test_equal_configurations_have_no_differences() -> None:
    config = read_config({"beta": 0.0, "num_generations": 8})
    assert rlscale.diff_configs(config, config).differences == ()


@pytest.mark.parametrize(
    "rows", [[1, 2], [{"ceiling": None}], [{"knob": "x", "ceiling": {"effect": "x"}}], [{"knob": "x", "ceiling": 1}]]
)
def test_what_is_no_ablation_is_refused(rows):
    with pytest.raises(InputError, match="no list of knobs and effects"):
        second_order_knobs({"knobs": rows})
