"""Which keys are rewards."""

import pytest

from rlscale.sources.keys import is_evaluation
from rlscale.sources.trainers import trainer_of
from rlscale.sources.trainers.other import OTHER, trainer_like
from rlscale.sources.trainers.tinker import TINKER
from rlscale.sources.trainers.trl import TRL
from rlscale.sources.trainers.verl import VERL


@pytest.mark.parametrize(
    ("trainer", "keys", "primary"),
    [
        (TRL, ["reward", "eval_reward", "eval_reward_std", "eval_rewards/x/mean"], ["eval_reward"]),
        (TRL, ["eval_easy_reward", "eval_hard_reward"], ["eval_easy_reward", "eval_hard_reward"]),
        (VERL, ["val-core/m/acc/mean@8", "val-core/m/acc/best@8/mean", "val-aux/m/reward/mean@8"], [0]),
        (VERL, ["val-core/m/acc/mean@8", "val-core/m/reward/mean@8", "val-core/m/acc/maj@8/mean"], [0, 1]),
        (VERL, ["val-core/m/acc/mean@8", "val-core/n/reward/mean@4"], [0, 1]),
        (VERL, ["val-core/org/name/reward/mean@1", "val-core/org/name/reward/std@1"], [0]),
        (VERL, ["val/test_score/gsm8k", "critic/score/mean"], [0]),
        (TINKER, ["env/all/reward/total", "test/env/all/reward/total", "test/env/math/reward/total"], [1]),
        (None, ["eval/scores", "val/sequence_lengths", "val/ratio"], ["eval/scores"]),
        (None, ["validation/accuracy", "validation/pass_k"], ["validation/accuracy"]),
        (None, ["eval/all/avg_score", "eval/gsm8k/avg_score"], [0]),
        (None, ["eval/math/all/agent/avg@16", "loss"], [0]),
        (OTHER, ["eval/reward", "loss"], [0]),
        (OTHER, ["test/accuracy", "loss"], [0]),
        (OTHER, ["eval_reward_std", "reward"], []),
    ],
)
def test_primary_validation(trainer, keys, primary):
    found = (trainer or trainer_of(keys)).validation([*keys, "loss"])
    assert found == tuple(keys[k] if isinstance(k, int) else k for k in primary)


@pytest.mark.parametrize(
    ("trainer", "keys", "primary"),
    [
        (TRL, ["reward", "reward_std", "rewards/x"], ["reward"]),
        (VERL, ["critic/score/mean", "critic/rewards/mean", "reward/mean"], ["critic/score/mean"]),
        (VERL, ["critic/rewards/mean"], ["critic/rewards/mean"]),
        (TINKER, ["env/all/reward/total", "env/math/reward/total"], ["env/all/reward/total"]),
        (OTHER, ["reward/mean", "reward/correctness_f", "reward/compilable_g"], ["reward/mean"]),
        (None, ["scores", "objective/kl_avg"], ["scores"]),
        (OTHER, ["loss"], []),
    ],
)
def test_train_rewards(trainer, keys, primary):
    assert (trainer or trainer_of(keys)).train(keys) == tuple(primary)


def test_validation_keys_are_told_from_train_keys():
    assert all(map(is_evaluation, ["eval_reward", "val-core/x", "test/env/all/correct", "validation/accuracy"]))
    assert not any(map(is_evaluation, ["reward", "env/all/correct", "evaluator", "testing", "timing_s/testing"]))


def test_what_only_trainers_log():
    for key in ("loss", "train/loss", "lr", "actor/entropy", "kl", "grad_norm", "time/total", "optim/lr", "num_tokens"):
        assert trainer_like(["step", key])
    assert not trainer_like(["step", "reward", "seed", "eval/loss", "acc", "explore", "tokens"])


def test_a_step_and_a_reward_alone_are_evaluations():
    assert OTHER.validation(["reward", "seed"]) == ("reward",)
