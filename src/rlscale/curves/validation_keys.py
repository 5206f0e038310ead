"""Validation rewards by their names alone, whichever trainer logged them and whatever holds the log."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

__all__ = ["EVALUATED", "REWARD", "SOMETHING_ELSE", "names_a_validation", "validation_keys"]

#: Words of a key that say it was measured by an evaluation.
EVALUATED = ("eval", "val", "valid", "validation", "test")

#: Words that say it is a reward.
REWARD = ("acc", "accuracy", "pass", "success", "correct", "reward", "score", "win")

#: Words of a spread, an extreme or a vote of a reward, of rewards by function, and of what is no reward at all.
SOMETHING_ELSE = (
    *("std", "min", "max", "best", "maj", "worst"),
    *("length", "lengths", "loss", "kl", "entropy", "clip", "ratio", "zero", "token", "tokens", "count"),
    *("time", "seconds", "lr", "margin", "margins", "advantage", "advantages", "rewards", "accuracies"),
)

_BETWEEN = re.compile(r"[/_\-.@]")


def validation_keys(keys: Iterable[str], *, without: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the keys whose names say that they are the reward of a validation, in their order.

    Of several spellings of one name (``eval/reward`` and ``eval_reward``, which trackers write) the first is returned.

    Parameters
    ----------
    keys : iterable of str
        The keys of a run.
    without : iterable of str
        What keys that are something else begin with: ``val/`` of open-instruct holds statistics of the train batch.

    Examples
    --------
    >>> validation_keys(["val/success_rate", "val/reward_std", "eval/reward", "eval_reward", "critic/score/mean"])
    ('val/success_rate', 'eval/reward')
    """
    excluded = tuple(without)
    named: dict[tuple[str, ...], str] = {}
    for key in keys:
        if names_a_validation(key) and not key.startswith(excluded):
            # MLflow writes pass@1 as pass_at_1
            named.setdefault(tuple(part for part in _parts(key) if part != "at"), key)
    return tuple(named.values())


@lru_cache(maxsize=4096)
def names_a_validation(key: str) -> bool:
    """Whether a key names the reward of a validation.

    The key is split at ``/ _ - . @`` and its parts are compared whole, in lower case: one says that it was validated
    (``eval``, ``val``, ``test``, ...), one that it is a reward (``acc``, ``success``, ``score``, ...), and none that it
    is something else (``std``, ``max``, ``loss``, ``length``, ...).

    Examples
    --------
    >>> names_a_validation("val-env/Maze/success"), names_a_validation("eval/reward_std"), names_a_validation("latest")
    (True, False, False)
    """
    parts = frozenset(_parts(key))
    return not parts.isdisjoint(EVALUATED) and not parts.isdisjoint(REWARD) and parts.isdisjoint(SOMETHING_ELSE)


def _parts(key: str) -> list[str]:
    return [part for part in _BETWEEN.split(key.lower()) if part]
