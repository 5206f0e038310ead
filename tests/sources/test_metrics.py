"""Which keys are rewards."""

import pytest

from rlscale.sources.metrics import is_validation, train_keys, trainer_like, validation_keys


@pytest.mark.parametrize(
    ("form", "keys", "primary"),
    [
        ("trl", ["reward", "eval_reward", "eval_reward_std", "eval_rewards/x/mean"], ["eval_reward"]),
        ("trl", ["eval_easy_reward", "eval_hard_reward"], ["eval_easy_reward", "eval_hard_reward"]),
        ("verl", ["val-core/m/acc/mean@8", "val-core/m/acc/best@8/mean", "val-aux/m/reward/mean@8"], [0]),
        ("verl", ["val-core/m/acc/mean@8", "val-core/m/reward/mean@8", "val-core/m/acc/maj@8/mean"], [0, 1]),
        ("verl", ["val-core/m/acc/mean@8", "val-core/n/reward/mean@4"], [0, 1]),
        ("verl", ["val-core/org/name/reward/mean@1", "val-core/org/name/reward/std@1"], [0]),
        ("verl", ["val/test_score/gsm8k", "critic/score/mean"], [0]),
        ("tinker", ["env/all/reward/total", "test/env/all/reward/total", "test/env/math/reward/total"], [1]),
        ("jsonl", ["eval/scores", "val/sequence_lengths", "val/ratio"], ["eval/scores"]),
        ("jsonl", ["validation/accuracy", "validation/pass_k"], ["validation/accuracy"]),
        ("jsonl", ["eval/all/avg_score", "eval/gsm8k/avg_score"], [0]),
        ("jsonl", ["eval/math/all/agent/avg@16", "loss"], [0]),
        ("jsonl", ["eval_reward_std", "reward"], []),
    ],
)
def test_primary_validation(form, keys, primary):
    assert validation_keys(form, keys) == tuple(keys[k] if isinstance(k, int) else k for k in primary)


@pytest.mark.parametrize(
    ("form", "keys", "primary"),
    [
        ("trl", ["reward", "reward_std", "rewards/x"], ["reward"]),
        ("verl", ["critic/score/mean", "critic/rewards/mean", "reward/mean"], ["critic/score/mean"]),
        ("verl", ["critic/rewards/mean"], ["critic/rewards/mean"]),
        ("tinker", ["env/all/reward/total", "env/math/reward/total"], ["env/all/reward/total"]),
        ("jsonl", ["reward/mean", "reward/correctness_f", "reward/compilable_g"], ["reward/mean"]),
        ("jsonl", ["scores", "objective/kl_avg"], ["scores"]),
        ("jsonl", ["loss"], []),
    ],
)
def test_train_rewards(form, keys, primary):
    assert train_keys(form, keys) == tuple(primary)


def test_validation_keys_are_told_from_train_keys():
    assert all(map(is_validation, ["eval_reward", "val-core/x", "test/env/all/correct", "validation/accuracy"]))
    assert not any(map(is_validation, ["reward", "env/all/correct", "evaluator", "testing", "timing_s/testing"]))


def test_what_only_trainers_log():
    for key in ("loss", "train/loss", "lr", "actor/entropy", "kl", "grad_norm", "time/total", "optim/lr", "num_tokens"):
        assert trainer_like(["step", key])
    assert not trainer_like(["step", "reward", "seed", "eval/loss", "acc", "explore", "tokens"])
