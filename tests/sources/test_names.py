"""The one table of names."""

import pytest

from rlscale.sources import names


@pytest.mark.parametrize(
    ("name", "role"),
    [
        *((name, "recipe") for name in ("method", "Algorithm", "algo", "condition", "variant", "arm", "config")),
        *(
            (name, "recipe")
            for name in ("experiment", "exp_name", "Exp Name", "group", "model", "model-name", "recipe")
        ),
        *((name, "dataset") for name in ("benchmark", "Dataset", "task", "split", "envId")),
        *((name, "seed") for name in ("seed", "random_seed", "RNG seed")),
        *((name, "run") for name in ("run", "run_id", "Run Name", "name")),
        *((name, "n_eval") for name in ("n_eval", "n", "N", "n_samples")),
        *((name, "sd") for name in ("sd", "stderr", "SEM")),
        *((name, None) for name in ("loss", "step", "reward", "armor", "grouping", "seeds_used")),
    ],
)
def test_roles(name, role):
    assert names.role_of(name) == role


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        *(
            (name, "steps")
            for name in ("step", "Global Step", "current_steps", "training_iteration", "iteration", "iter")
        ),
        *((name, "steps") for name in ("update", "checkpoint", "revision", "globalStep", "train/global_step")),
        *((name, "samples") for name in ("num_env_steps", "timesteps_total", "total_timesteps", "env_steps")),
        *((name, "samples") for name in ("episodes", "time/total_timesteps", "TotalEnvInteracts", "samples")),
        *((name, "tokens") for name in ("tokens", "num_tokens", "cumulative_response_tokens")),
        *((name, None) for name in ("total_steps", "step_time", "time/fps", "reward", "tokens_per_second", "stepwise")),
    ],
)
def test_compute(name, unit):
    assert names.axis_unit(name) == unit


@pytest.mark.parametrize(
    "name",
    [
        *("reward", "accuracy", "Acc", "val_acc", "test_accuracy", "eval_acc", "pass@1", "pass_rate", "Success Rate"),
        *("win_rate", "score", "mean_reward", "reward_mean", "episode_reward_mean", "ep_rew_mean", "return"),
        *("AverageEpRet", "meanReward", "exact_match"),
    ],
)
def test_rewards(name):
    assert names.is_reward(name)


@pytest.mark.parametrize(
    "name", ["reward_std", "episode_reward_max", "pass@8", "loss", "value", "accuracies", "rewards"]
)
def test_what_is_no_reward(name):
    assert not names.is_reward(name)


def test_a_path_means_what_its_last_part_means_where_no_whole_name_does():
    assert names.rewards_among(["rollout/ep_rew_mean", "loss"]) == ("rollout/ep_rew_mean",)
    assert names.rewards_among(["rollout/ep_rew_mean", "score"]) == ("score",)


def test_no_name_has_two_meanings():
    for name in (*names._ROLE, *names._AXIS, *names._REWARDS):
        meanings = [names.role_of(name), names.axis_unit(name), names.is_reward(name) or None]
        assert sum(one is not None for one in meanings) == 1, name
