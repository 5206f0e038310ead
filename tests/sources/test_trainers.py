"""Trainers told apart by their keys, and the trap of each."""

import itertools

import numpy as np
import pytest

from rlscale.sources.history import of_record, of_rows
from rlscale.sources.record import Columns, Record, RowColumns
from rlscale.sources.trainers import CANONICAL, SETTINGS, TRAINERS, log_of, trainer_of
from rlscale.sources.trainers.canonical import Key, compiled
from rlscale.sources.trainers.other import OTHER
from rlscale.sources.trainers.trainer import Count

#: What W&B or TensorBoard shows of a run of each trainer; MLflow where it spells otherwise.
SHOWN = {
    "trl": """train/global_step train/loss train/grad_norm train/learning_rate train/reward train/reward_std
        train/rewards/accuracy/mean train/completions/mean_length train/completions/clipped_ratio
        train/frac_reward_zero_std train/entropy train/clip_ratio/region_mean train/num_tokens train/step_time
        eval/reward eval/rewards/accuracy/mean eval/runtime eval/samples_per_second""",
    "verl": """val-core/math/acc/mean@8 val-aux/math/reward/mean@8 critic/score/mean critic/rewards/mean actor/entropy
        actor/ppo_kl actor/pg_clipfrac actor/lr actor/grad_norm timing_s/step timing_s/gen perf/total_num_tokens
        perf/throughput perf/time_per_step response_length/mean response_length/clip_ratio training/global_step""",
    "openrlhf": """train/global_step train/policy_loss train/actor_lr train/actor_grad_norm train/reward train/return
        train/kl train/response_length train/total_length train/ppo_clip_ratio train/ppo_kl train/vllm_kl
        train/rollout/reward_mean train/rollout/num_samples train/rollout/truncated_rate train/timing/step_total
        eval/global_step eval/eval_aime_pass1 eval/eval_aime_pass8 eval/eval_num_samples""",
    "nemo-rl": """train/reward train/loss train/grad_norm train/lr train/total_num_tokens train/global_valid_toks
        train/approx_entropy train/kl_penalty train/probs_ratio train/token_mult_prob_error train/gen_kl_error
        train/truncation_rate train/mean_gen_tokens_per_sample train/baseline_reward/pct_mixed validation/accuracy
        validation/pass_k timing/train/total_step_time timing/validation/total_validation_time
        performance/tokens_per_sec performance/tokens_per_sec_per_gpu""",
    "prime-rl": """train/agg/all/default/reward/mean train/agg/all/default/num_output_tokens/mean
        eval/org/aime/all/default/avg@16 eval/org/aime/all/default/pass@16 eval/org/aime/policy_version off_policy/mean
        progress/tokens progress/total_tokens progress/output_tokens time/step time/wait_for_policy loss/mean
        entropy/all/mean mismatch_kl/all/mean optim/lr optim/grad_norm perf/throughput perf/throughput_per_gpu""",
    "skyrl": """trainer/global_step reward/avg_raw_reward reward/avg_pass_at_8 eval/all/avg_score eval/aime/avg_score
        eval/all/pass_at_8 policy/policy_entropy policy/policy_kl policy/policy_lr policy/grad_norm
        policy/loss_metrics/clip_ratio generate/avg_num_tokens generate/batch_num_seq timing/step timing/eval
        policy/rollout_train_logprobs_abs_diff_mean loss/avg_kl""",
    "slime": """rollout/step rollout/raw_reward rollout/rewards rollout/response_len/mean rollout/truncated_ratio
        rollout/zero_std/count_0 rollout/zero_std/count_1 rollout/entropy perf/rollout_time perf/train_time
        perf/train_wait_time perf/step_time perf/tokens_per_gpu_per_sec train/step train/loss train/pg_clipfrac
        train/ppo_kl train/kl_loss train/grad_norm train/lr-pg_0 train/lr-pg_1 train/train_rollout_logprob_abs_diff
        eval/step eval/aime eval/aime-pass@8 eval/aime-truncated_ratio eval/aime/response_len/mean""",
    "roll": """system/step system/tps system/tps_gpu critic/score/mean critic/rewards/mean critic/entropy/mean
        math_rule/critic/score/mean val_correct/all/mean val_correct/math/mean actor/kl_loss actor/clipfrac actor/lr
        actor/ppo_ratio_clipfrac actor_train/grad_norm token/response_length/mean token/total_length/mean
        token/total_response_length/clip time/step_total time/val_step scheduler/off_policy_ratio""",
    "areal": """rollout/reward rollout/rejected eval-rollout/reward ppo_actor/task_reward/avg ppo_actor/seq_len/avg
        ppo_actor/prompt_len/avg ppo_actor/no_eos_ratios/avg ppo_actor/update/entropy/avg ppo_actor/update/lr
        ppo_actor/update/grad_norm ppo_actor/update/clip_ratio/avg timeperf/rollout timeperf/train_step timeperf/eval
        ppo_actor/version_stats/sample_staleness_theta_avg""",
    "open-instruct": """episode global_step training_step epoch scores objective/verifiable_reward objective/kl0_avg
        objective/kl_avg loss/kl_avg policy/clipfrac_avg policy/entropy_avg val/sequence_lengths val/num_total_tokens
        val/num_step_tokens val/stop_rate val/ratio eval/scores eval/pass_at_1 eval/sequence_lengths time/total lr
        optim/grad_norm real_batch_size_ratio debug/vllm_vs_local_logprob_diff_mean learner_tokens_per_second_step""",
    "tinker": """env/all/reward/total env/all/correct env/all/by_group/frac_mixed env/all/total_episodes
        env/all/total_ac_tokens env/all/total_ob_tokens optim/lr optim/entropy optim/kl_sample_train_v1 progress/batch
        progress/done_frac time/total test/env/all/reward/total test/env/all/total_episodes""",
    "pipelinerl": """stats/completed_steps stats/lag stats/tokens stats/lr stats/grad_norm stats/max_actor_version
        rl/reward rl/kl rl/kl_new_old rl/entropy rl/ess rl/ratio_new_old throughput/sec_per_step""",
    "torchforge": """reward/evaluate_response/avg_total_reward generator/generate/avg_tokens_generated
        generator/generate/sum_tokens_generated rl_trainer/learning_rate rl_trainer/step/avg_policy_entropy
        buffer/sample/avg_sampled_policy_age""",
    "stable-baselines3": """rollout/ep_rew_mean rollout/ep_len_mean train/approx_kl train/clip_fraction train/n_updates
        train/explained_variance train/learning_rate train/entropy_loss time/fps eval/mean_reward
        eval/mean_ep_length""",
    "cleanrl": """charts/episodic_return charts/episodic_length charts/learning_rate charts/SPS losses/value_loss
        losses/policy_loss losses/entropy losses/approx_kl losses/old_approx_kl losses/clipfrac""",
    "rllib": """training_iteration num_env_steps_sampled_lifetime time_this_iter_s time_since_restore
        env_runners/episode_return_mean env_runners/num_episodes evaluation/env_runners/episode_return_mean
        learners/default_policy/entropy learners/default_policy/mean_kl_loss""",
}
#: The same under other spellings.
SPELLED = {
    "MLflow of TRL": ("trl", "reward reward_std loss num_tokens step_time eval_reward completions/mean_length"),
    "MLflow of verl": ("verl", "val-core/math/acc/mean_at_8 critic/score/mean timing_s/step actor/lr"),
    "verl 0.3": ("verl", "val/test_score/gsm8k critic/score/mean critic/rewards/mean actor/entropy_loss timing_s/gen"),
    "prime-rl before 0.8": ("prime-rl", "reward/all/mean solve_none/all solve_all/all progress/total_tokens time/step"),
    "the actor of PipelineRL": ("pipelinerl", "actor/reward_mean actor/success_mean actor/test_reward_mean"),
    "asynchronous tinker": ("tinker", "env/all/reward/total training_client/step sampling_client/step_mean"),
    "the agentic pipeline of ROLL": ("roll", "val/score/mean critic/score/mean system/tps_gpu token/total_length/mean"),
    "AReaL's documentation": ("areal", "ppo/actor/task_reward/avg ppo/actor/update/lr timeperf/rollout"),
    "a tag of ROLL": ("roll", "actor/clipfrac@mean critic/score/mean actor/pg_loss@sum token/total_length/mean"),
    "torchforge from 2025-11": (
        "torchforge",
        "reward/evaluate_response/avg_total_reward episode/avg_response_tokens grpo_loss/kl_divergence_mean",
    ),
    "RLlib in TensorBoard": (
        "rllib",
        "ray/tune/env_runners/episode_return_mean ray/tune/num_env_steps_sampled_lifetime ray/tune/time_total_s",
    ),
    "RLlib before 2.10": ("rllib", "episode_reward_mean timesteps_total training_iteration time_this_iter_s"),
    "a loop of one's own": ("other", "step reward/mean loss num_tokens"),
    "another loop of one's own": ("other", "step eval/reward train/loss lr"),
}


def by_name(name):
    return next(one for one in (*TRAINERS, OTHER) if one.name == name)


def tracked(rows, config=None, **record):
    """The only run of rows as W&B holds them."""
    columns = RowColumns()
    for number, row in enumerate(rows):
        columns.add({key: value for key, value in row.items() if key != "time"}, number, row.get("time", np.nan))
    made = columns.done()
    (history,) = of_record(
        Record(name="r", path="r", format="wandb", rows=len(rows), columns=made, config=config or {}, **record)
    )
    return log_of(trainer_of(history.series), history)


def test_every_trainer_is_here():
    assert [one.name for one in TRAINERS] == list(SHOWN)


@pytest.mark.parametrize("name", SHOWN)
def test_a_trainer_is_recognised_and_never_as_another(name):
    keys = SHOWN[name].split()
    assert trainer_of(keys).name == name
    scores = {one.name: one.score({one.native(key) for key in keys}) for one in TRAINERS}
    own = scores.pop(name)
    assert own >= 3
    assert max(scores.values()) < own - 1, scores


@pytest.mark.parametrize("name", SPELLED)
def test_other_spellings_are_recognised(name):
    trainer, keys = SPELLED[name]
    assert trainer_of(keys.split()).name == trainer


@pytest.mark.parametrize("name", SHOWN)
def test_no_few_keys_pass_for_another_trainer(name):
    """A run that logs a part of its keys is told apart as well, or is nobody's."""
    keys = SHOWN[name].split()
    for chosen in itertools.combinations(keys, len(keys) - 3):
        assert trainer_of(chosen).name == name


REWARDS = {
    "trl": ("eval_reward", "reward"),
    "verl": ("val-core/math/acc/mean@8", "critic/score/mean"),
    "openrlhf": ("eval/eval_aime_pass1", "train/rollout/reward_mean"),
    "nemo-rl": ("validation/accuracy", "train/reward"),
    "prime-rl": ("eval/org/aime/all/default/avg@16", "train/agg/all/default/reward/mean"),
    "skyrl": ("eval/all/avg_score", "reward/avg_raw_reward"),
    "slime": ("eval/aime", "rollout/raw_reward"),
    "roll": ("val_correct/all/mean", "critic/score/mean"),
    "areal": ("eval-rollout/reward", "rollout/reward"),
    "open-instruct": ("eval/scores", "scores"),
    "tinker": ("test/env/all/reward/total", "env/all/reward/total"),
    "pipelinerl": (None, "rl/reward"),
    "torchforge": (None, "reward/evaluate_response/avg_total_reward"),
    "stable-baselines3": ("eval/mean_reward", "rollout/ep_rew_mean"),
    "cleanrl": (None, "charts/episodic_return"),
    "rllib": ("evaluation/env_runners/episode_return_mean", "env_runners/episode_return_mean"),
}


@pytest.mark.parametrize("name", SHOWN)
def test_the_rewards_of_each_trainer(name):
    trainer = by_name(name)
    keys = [trainer.native(key) for key in SHOWN[name].split()]
    validation, train = REWARDS[name]
    assert trainer.validation(keys) == ((validation,) if validation else ())
    assert trainer.train(keys) == (train,)


@pytest.mark.parametrize("trainer", [*TRAINERS, OTHER], ids=lambda one: one.name)
def test_a_trainer_is_well_formed(trainer):
    names = {one.name for one in CANONICAL}
    assert trainer.title
    assert trainer.files
    for key in trainer.keys:
        assert key.name in names
        assert key.seen in {"log", "run", "source", "docs"}
        compiled(key.key)
    assert set(trainer.settings) <= set(SETTINGS)
    assert all(keys for keys in trainer.settings.values())
    units = {(key.name, key.key): key.unit for key in trainer.keys}
    assert all(unit for (name, _), unit in units.items() if name == "mismatch")
    assert trainer.snapshot or trainer is OTHER


def test_keys_are_patterns():
    key = Key("validation", "eval/{dataset}", without=("eval/step", "eval/{dataset}-pass@{k}"))
    assert key.matches("eval/gsm8k")
    assert not any(map(key.matches, ["eval/step", "eval/gsm8k-pass@4", "eval/gsm8k/mean", "eval/"]))


def train_rows(n, first=1, **values):
    return [
        {"train/global_step": k, "train/policy_loss": 0.1, "train/rollout/reward_mean": k / 10, **values}
        for k in range(first, first + n)
    ]


def test_openrlhf_counts_its_batches_and_warns_of_untimed_validation():
    rows = train_rows(
        4,
        **{
            "train/timing/step_total": 100.0,
            "train/rollout/num_samples": 64,
            "train/total_length": 50,
            "train/dynamic_filtering_pass_rate": 0.75,
        },
    )
    rows.append({"eval/global_step": 2, "eval/eval_aime_pass1": 0.5, "eval/eval_aime_pass4": 0.9})
    log = tracked(
        rows, {"actor": {"num_nodes": 1, "num_gpus_per_node": 4}, "vllm": {"num_engines": 2, "tensor_parallel_size": 2}}
    )
    assert (log.trainer, log.validation, log.gpus) == ("openrlhf", ("eval/eval_aime_pass1",), 8)
    assert log.series["eval/eval_aime_pass1"].step.tolist() == [2]
    assert log.axes["samples"].value.tolist() == [64, 128, 192, 256]
    assert log.axes["tokens"].value.tolist() == [3200, 6400, 9600, 12800]
    assert log.clocks["train+eval"].seconds.value[-1] == 400
    assert log.metrics["zero_variance"].series.value.tolist() == [0.25] * 4
    assert log.metrics["zero_variance"].key == "1 - train/dynamic_filtering_pass_rate"
    assert "no time of its validations" in log.axis_warnings["gpu-hours"][0]


@pytest.mark.parametrize(
    ("config", "gpus"),
    [
        (
            {"actor_num_nodes": 2, "actor_num_gpus_per_node": 8, "vllm_num_engines": 4, "vllm_tensor_parallel_size": 2},
            24,
        ),
        (
            {
                "actor_num_nodes": 2,
                "actor_num_gpus_per_node": 8,
                "vllm_num_engines": 4,
                "vllm_tensor_parallel_size": 2,
                "colocate_all_models": True,
            },
            16,
        ),
        ({"actor/num_nodes": "1", "actor/num_gpus_per_node": "8", "train/colocate_all": "True"}, 8),
        ({"actor_num_nodes": 1}, None),
        ({}, None),
    ],
)
def test_gpus_of_a_configuration(config, gpus):
    assert tracked(train_rows(2), config).gpus == gpus


def nemo(accuracy, at=(0, 2, 4)):
    rows = [
        {"step": k, "train/reward": 0.1, "timing/train/total_step_time": 150.0 if k in at else 100.0,
         "train/total_num_tokens": 1000, "performance/tokens_per_sec": 160.0,
         "performance/tokens_per_sec_per_gpu": 20.0}
        for k in range(1, 5)
    ]  # fmt: skip
    rows += [
        {
            "step": k,
            "validation/accuracy": value,
            "validation/pass_k": 0.5,
            "timing/validation/total_validation_time": 50.0,
        }
        for k, value in zip(at, accuracy, strict=True)
    ]
    return tracked(sorted(rows, key=lambda row: row["step"]), {"cluster": {"num_nodes": 1, "gpus_per_node": 8}})


def test_nemo_validates_inside_its_step():
    log = nemo([0.1, 0.2, 0.3])
    assert (log.trainer, log.gpus, log.gpus_said) == ("nemo-rl", 8, "from the configuration")
    assert log.clocks["train+eval"].seconds.value[-1] == 500
    assert log.clocks["train"].seconds.value[-1] == 400  # the first validation, at 0, lies outside
    assert log.axes["tokens"].value.tolist() == [1000, 2000, 3000, 4000]
    assert log.warnings == ()
    assert "the mean reward of the validation, not an accuracy" in log.metric_repairs["validation/accuracy"][0]


def test_nemo_accuracy_is_a_reward():
    log = nemo([-0.5, 0.2, 1.3])
    assert log.warnings == (
        "validation/accuracy is a mean reward, not an accuracy: it runs from -0.5 to 1.3 here; "
        "give --bounds LO HI, the lowest and highest reward",
    )


def test_nemo_gpus_by_its_throughputs():
    rows = [
        {"step": k, "train/reward": 0.1, "train/gen_kl_error": 0.0, "performance/tokens_per_sec": 161.0,
         "performance/tokens_per_sec_per_gpu": 20.0}
        for k in (1, 2)
    ]  # fmt: skip
    log = tracked(rows)
    assert (log.gpus, log.gpus_said) == (8, "recovered from throughput")


def test_skyrl_adds_its_validation():
    rows = [
        {"trainer/global_step": k, "reward/avg_raw_reward": 0.1, "generate/batch_num_seq": 8,
         "generate/avg_num_tokens": 100, "timing/step": 60.0, "policy/policy_lr": 1e-6}
        for k in (1, 2)
    ]  # fmt: skip
    rows[1] |= {"eval/all/avg_score": 0.3, "eval/math/avg_score": 0.3, "timing/eval": 30.0}
    placed = {"policy_num_nodes": 1, "policy_num_gpus_per_node": 4, "colocate_all": True}
    config = {
        "trainer": {"placement": placed},
        "generator": {"num_inference_engines": 2, "inference_engine_tensor_parallel_size": 2},
    }
    log = tracked(rows, config)
    assert (log.trainer, log.validation, log.gpus) == ("skyrl", ("eval/all/avg_score",), 4)
    assert log.clocks["train+eval"].seconds.value[-1] == 150
    assert log.axes["tokens"].value.tolist() == [800, 1600]
    placed["colocate_all"] = False
    assert tracked(rows, config).gpus == 8


def test_skyrl_pass_at_n_is_not_spelled_anew():
    rows = [{"trainer/global_step": 1, "reward/avg_raw_reward": 0.4, "eval/all/pass_at_8": 0.5}]
    assert "eval/all/pass_at_8" in tracked(rows).series


def slime(n=4, per=2):
    rows = [{"eval/step": 0, "eval/aime": 0.1, "eval/aime-pass@8": 0.5}]
    for k in range(n):
        rows.append(
            {"rollout/step": k, "rollout/raw_reward": k / 10, "perf/step_time": 60.0, "rollout/response_len/mean": 9.0}
        )
        rows += [{"train/step": k * per + j, "train/pg_clipfrac": k + j, "train/lr-pg_0": 1e-6} for j in range(per)]
        if k % 2 == 1:
            rows.append({"eval/step": k, "eval/aime": 0.1 + k / 10, "eval/aime-pass@8": 0.5})
    return rows


@pytest.mark.parametrize("config", [{}, {"rollout_batch_size": 4, "n_samples_per_prompt": 8, "global_batch_size": 16}])
def test_slime_has_three_axes_on_one(config):
    log = tracked(slime(), config)
    assert (log.trainer, log.validation) == ("slime", ("eval/aime",))
    assert log.series["rollout/raw_reward"].step.tolist() == [1, 2, 3, 4]
    assert log.series["train/pg_clipfrac"].step.tolist() == [1, 2, 3, 4]
    assert log.series["train/pg_clipfrac"].value.tolist() == [0.5, 1.5, 2.5, 3.5]
    assert log.series["eval/aime"].step.tolist() == [0, 2, 4]
    assert log.clocks["train+eval"].seconds.value.tolist() == [60, 120, 180, 240]
    if config:
        assert log.axes["samples"].value[-1] == 128
    else:
        assert "samples" not in log.axes


def test_slime_gpus_are_those_of_the_rollout_as_well():
    config = {"actor_num_nodes": 1, "actor_num_gpus_per_node": 8, "rollout_num_gpus": 4, "colocate": False}
    assert tracked(slime(), config).gpus == 12
    assert tracked(slime(), {**config, "colocate": True}).gpus == 8


def roll(agentic=False, n=4):
    validation = "val/score/mean" if agentic else "val_correct/all/mean"
    rows = []
    for k in range(n):
        row = {"system/step": k, "critic/score/mean": k / 10, "token/total_length/mean": 100.0, "actor/clipfrac": 0.0}
        row |= {"system/tps": 80.0, "system/tps_gpu": 10.0, "token/total_response_length/clip": 3.0}
        if k or agentic:
            row["time/step_total"] = 10.0 * (k + 1 if agentic else k)
        if k % 2 == 0:
            row[validation] = 0.1 + k / 10
        rows.append(row)
    return rows


def test_roll_logs_the_time_of_the_step_before():
    log = tracked(roll(), {"rollout_batch_size": 4, "num_return_sequences_in_group": 2})
    assert (log.trainer, log.gpus, log.gpus_said) == ("roll", 8, "recovered from throughput")
    assert log.series["critic/score/mean"].step.tolist() == [1, 2, 3, 4]
    assert log.series["val_correct/all/mean"].step.tolist() == [0, 2]
    clock = log.clocks["train+eval"].seconds
    assert (clock.step.tolist(), clock.value.tolist()) == ([1, 2, 3], [10, 30, 60])
    assert log.axes["tokens"].value.tolist() == [800, 1600, 2400, 3200]
    assert log.metrics["truncation"].unit == "samples (a count)"


def test_roll_agentic_logs_the_time_of_the_step_itself():
    clock = tracked(roll(agentic=True)).clocks["train+eval"].seconds
    assert (clock.step.tolist(), clock.value.tolist()) == ([1, 2, 3, 4], [10, 30, 60, 100])


def test_roll_logs_its_history_again_after_a_resume():
    rows = [(row.pop("system/step"), row) for row in roll(n=4)]
    trainer = by_name("roll")
    again = [*rows[:3], *((step, dict(row)) for step, row in rows)]
    (history,) = of_rows(trainer.rows(again), "x", "roll-stdout")
    assert history.repairs == ()
    assert history.series["critic/score/mean"].step.tolist() == [0, 1, 2, 3]


def test_areal_places_rows_after_their_update():
    rows = [
        {"step": k, "rollout/reward": 0.1, "ppo_actor/seq_len/avg": 150.0, "ppo_actor/prompt_len/avg": 50.0,
         "timeperf/rollout": 30.0, "timeperf/train_step": 60.0, "timeperf/eval": 10.0, "eval-rollout/reward": 0.2}
        for k in range(3)
    ]  # fmt: skip
    log = tracked(rows, {"allocation_mode": "sglang:d4p1t1+d2p1t2"})
    assert (log.trainer, log.gpus, log.validation) == ("areal", 8, ("eval-rollout/reward",))
    assert log.series["eval-rollout/reward"].step.tolist() == [1, 2, 3]
    assert log.clocks["train+eval"].seconds.value.tolist() == [100, 200, 300]
    assert log.clocks["train"].seconds.value.tolist() == [90, 180, 270]
    assert log.metrics["response_length"].series.value.tolist() == [100] * 3
    assert log.metrics["response_length"].key == "ppo_actor/seq_len/avg - ppo_actor/prompt_len/avg"


def test_areal_prefers_the_time_that_passed():
    rows = [
        {
            "step": k,
            "rollout/reward": 0.1,
            "timeperf/rollout": 30.0,
            "timeperf/train_step": 60.0,
            "time": 1.7e9 + 70 * k,
        }
        for k in range(3)
    ]
    log = tracked(rows, {"cluster": {"n_nodes": 1, "n_gpus_per_node": 8}, "allocation_mode": "(attn:d2|ffn:e2)"})
    assert list(log.clocks) == ["elapsed"]
    assert log.gpus == 8
    np.testing.assert_allclose(log.clocks["elapsed"].seconds.value, [70, 140, 210])
    assert log.clocks["elapsed"].seconds.step.tolist() == [1, 2, 3]


def test_open_instruct_val_is_no_validation_and_global_step_counts_episodes():
    rows = [
        {"training_step": k, "global_step": 64 * k, "episode": 64 * k, "scores": 0.1 * k, "val/sequence_lengths": 100.0,
         "val/num_total_tokens": 6400 * k, "val/stop_rate": 0.9, "real_batch_size_ratio": 0.75, "time": 1.7e9 + 60 * k,
         "time/total": 55.0}
        for k in (1, 2, 3)
    ]  # fmt: skip
    config = {"world_size": 4, "vllm_num_engines": 4, "vllm_tensor_parallel_size": 1}
    log = tracked(rows, config)
    assert (log.trainer, log.validation, log.train, log.gpus) == ("open-instruct", (), ("scores",), 8)
    assert log.series["scores"].step.tolist() == [1, 2, 3]
    assert log.axes["samples"].value.tolist() == [64, 128, 192]
    assert log.axes["tokens"].value.tolist() == [6400, 12800, 19200]
    assert list(log.clocks) == ["elapsed"]
    assert log.metrics["truncation"].series.value == pytest.approx([0.1] * 3)
    assert log.metrics["zero_variance"].series.value.tolist() == [0.25] * 3
    assert tracked([{**rows[0], "eval/scores": 0.5}, *rows[1:]], config).validation == ("eval/scores",)


def test_tinker_asynchronous_rows_tell_the_staleness():
    rows = [
        {"step": k, "env/all/reward/total": 0.1, "training_client/step": k, "sampling_client/step_mean": max(0, k - 2)}
        for k in range(4)
    ]
    rows.insert(4, {"step": 1, "test/env/all/reward/total": 0.5})
    (history,) = of_rows(((row.pop("step"), row) for row in rows), "x", "jsonl")
    log = log_of(trainer_of(history.series), history)
    assert log.metrics["staleness"].series.value.tolist() == [0, 1, 2, 2]
    assert log.series["test/env/all/reward/total"].step.tolist() == [1]


def test_pipelinerl_the_actor_has_no_steps():
    rows = [{"actor/reward_mean": 0.1, "actor/test_reward_mean": 0.2, "time": 1.7e9 + 60 * k} for k in range(3)]
    log = tracked(rows)
    assert (log.trainer, log.validation) == ("pipelinerl", ("actor/test_reward_mean",))
    assert "this is the actor's run" in log.axis_warnings["steps"][0]
    finetune = [{"stats/completed_steps": k, "rl/reward": 0.1, "stats/tokens": 100 * k} for k in (1, 2)]
    assert tracked(finetune).axes["tokens"].value.tolist() == [100, 200]


def test_torchforge_logs_no_validation():
    rows = [{"step": k, "reward/evaluate_response/avg_total_reward": 0.1, "rl_trainer/learning_rate": 1e-6,
             "generator/generate/sum_tokens_generated": 500.0} for k in (1, 2)]  # fmt: skip
    log = tracked(rows)
    assert (log.trainer, log.validation) == ("torchforge", ())
    assert log.axes["tokens"].value.tolist() == [500, 1000]


def test_settings_come_from_the_configuration():
    config = {"policy": {"model_name": "m/x", "precision": "bfloat16", "optimizer": {"kwargs": {"lr": 5e-6}}},
              "grpo": {"num_prompts_per_step": 32, "num_generations_per_prompt": 16, "seed": 42},
              "loss_fn": {"ratio_clip_min": 0.2, "ratio_clip_max": 0.28, "reference_policy_kl_penalty": 0.0},
    }  # fmt: skip
    log = tracked([{"step": 1, "train/reward": 0.1, "train/gen_kl_error": 0.0}], config)
    assert log.seed == 42
    assert log.settings == {
        "model": "m/x", "prompts_per_step": 32, "generations": 16, "learning_rate": 5e-6, "kl_coefficient": 0.0,
        "clip_low": 0.2, "clip_high": 0.28, "precision": "bfloat16", "seed": 42,
    }  # fmt: skip
    assert log.axes["samples"].value.tolist() == [512]


def test_no_marks_are_no_trainer():
    assert trainer_of([]) is OTHER
    assert trainer_of(["loss"]) is OTHER


def test_negative_counters_are_no_compute():
    rows = [{"step": k, "train/reward": 0.1, "train/gen_kl_error": 0.0, "train/total_num_tokens": -5.0} for k in (1, 2)]
    log = tracked(rows)
    assert "tokens" not in log.axes
    assert log.absent["tokens"] == "train/total_num_tokens is negative"


def test_columns_of_a_tracker_without_rows():
    columns = Columns()
    for key in ("train/reward", "train/gen_kl_error", "validation/accuracy"):
        for step in (1, 2):
            columns.add(key, step, 0.5, 1.7e9 + step)
    (history,) = of_record(Record(name="r", path="r", format="tensorboard", rows=6, columns=columns.done()))
    log = log_of(trainer_of(history.series), history)
    assert (log.trainer, log.validation) == ("nemo-rl", ("validation/accuracy",))


def test_counts_say_what_they_count():
    assert all(count.per in {"step", "total"} for one in TRAINERS for count in one.counts)
    assert Count("tokens", "x", "step").times == ""
