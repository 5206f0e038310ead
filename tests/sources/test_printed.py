"""Rewards that a trainer printed rounded, beside the file that holds them in full, and without it."""

import numpy as np
import pytest

from rlscale.sources import collect

REWARDS = np.cumsum(np.random.default_rng(0).uniform(0.0, 0.02, 40))


def printed(rewards, key="eval_reward"):
    return "".join(f"{{'{key}': '{reward:.4g}', 'epoch': '0.1'}}\n" for reward in rewards)


def state(rewards, key="eval_reward"):
    return {"log_history": [{"step": 10 * k, key: float(reward)} for k, reward in enumerate(rewards, 1)]}


def lost(write, tmp_path, log, rewards=None, key="eval_reward"):
    """Return whether a folder with a table, a printed log and perhaps a state counts the log as left out."""
    write("table.jsonl", [{"step": k, "eval_reward": 0.5 + k / 1000} for k in range(1, 9)])
    if rewards is not None:
        write("out/checkpoint-10/trainer_state.json", state(rewards, key))
    path = write("out/train.log", log)
    [each] = [each for each in collect([tmp_path]).left_out if each.path == str(path)]
    return each.counted


@pytest.mark.parametrize("key", ["eval_reward", "reward"])
def test_rewards_that_stand_nowhere_else_are_lost(write, tmp_path, key):
    assert lost(write, tmp_path, printed(REWARDS, key))


@pytest.mark.parametrize(
    ("shown", "full"),
    [
        (slice(None), slice(None)),
        (slice(None), slice(0, 30)),  # stopped after the last checkpoint
        (slice(0, 30), slice(None)),
        (slice(20, 40), slice(None)),  # resumed
        (slice(20, 40), slice(0, 30)),
    ],
)
def test_the_run_whose_state_was_read_is_not_lost(write, tmp_path, shown, full):
    assert not lost(write, tmp_path, printed(REWARDS[shown]), REWARDS[full])


@pytest.mark.parametrize(
    ("shown", "full"),
    [
        (REWARDS, REWARDS + 0.001),
        (REWARDS, REWARDS[::-1]),
        (REWARDS[:20], REWARDS[20:]),
        (np.zeros(9), np.zeros(9)),  # what all failed runs have in common
        (REWARDS[:2], REWARDS[:2]),
    ],
)
def test_the_state_of_another_run_does_not_stand_for_it(write, tmp_path, shown, full):
    assert lost(write, tmp_path, printed(shown), full)


def test_what_holds_no_reward_is_not_lost(write, tmp_path):
    assert not lost(write, tmp_path, "{'loss': '0.2', 'epoch': '0.1'}\n" * 9)
    assert not lost(write, tmp_path, "Collecting torch\nInstalling\n" * 9)


def test_what_nemo_prints(write, tmp_path):
    assert lost(write, tmp_path, "📊 Validation Results:\n  • Accuracy: 0.1234\n" * 9)
