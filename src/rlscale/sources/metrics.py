"""The canonical-metric table: which keys of which trainer are validation rewards, and which are train rewards."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["is_validation", "train_keys", "trainer_like", "validation_keys"]

#: Primary validation keys by format, the first pattern that any key matches decides.
_VALIDATION = {
    "trl": (r"eval_reward", r"eval_(?!rewards/)[^/]+_reward"),
    "verl": (r"val-core/.+/(?:acc|reward)/mean@\d+", r"val/test_score/.+"),
    "tinker": (r"test/env/all/reward/total", r"test/.+/env/all/reward/total"),
    "jsonl": (
        r"eval[_/]reward(?:/mean)?",
        r"eval/all/avg_score",
        r"(?:test|eval|val|valid|validation)[_/](?:.*[_/])?"
        r"(?:reward|score|scores|avg_score|acc|accuracy|correct|pass_rate|success_rate|solve_rate|pass[@_](?:at_)?1|(?:avg|mean)@\d+)"
        r"(?:/(?:mean|avg|total))?",
    ),
}

#: Train rewards by format, in order of preference where the log holds the same reward under several names.
_TRAIN = {
    "trl": ((r"reward",),),
    "verl": ((r"critic/score/mean",), (r"critic/rewards/mean",)),
    "tinker": ((r"env/all/reward/total",),),
    "jsonl": (
        (r"reward(?:/mean)?", r"mean_reward", r"reward_mean", r"train[_/]reward(?:[_/]mean)?", r"train[_/]mean_reward"),
        (r"rollout/(?:reward|reward_mean|raw_reward)", r"reward/avg_raw_reward", r"env/all/reward/total"),
        (r"critic/score/mean", r"scores?", r"objective/verifiable_reward", r"reward/total", r"rl/reward"),
        (r"train/agg/(?:all|effective)/.+/reward/mean",),
    ),
}

#: What trainers log of a train batch.
_TRAINER = re.compile(
    r"(?:time|timing_s|progress|env|optim|actor|critic|perf|train|training|rollout|objective|policy|loss)/.+"
    r"|(?:.+[/_])?(?:loss|lr|learning_rate|entropy|kl|grad_norm|clip_?frac|clip_ratio|num_tokens|step_time)(?:[/_].+)?"
    r"|(?:completions?|response)s?(?:[/_]mean)?[/_]length.*"
)

_IS_VALIDATION = re.compile(r"(?:test|eval|val|valid|validation|val-core|val-aux|eval-rollout)[_/]")


def validation_keys(form: str, keys: Iterable[str]) -> tuple[str, ...]:
    """Return the primary validation keys among ``keys``, for a format."""
    known = tuple(keys)
    for pattern in _VALIDATION[form]:
        found = tuple(key for key in known if re.fullmatch(pattern, key))
        if found:
            return found
    return ()


def train_keys(form: str, keys: Iterable[str]) -> tuple[str, ...]:
    """Return the train rewards among ``keys``: those of the first group of patterns that matches any."""
    known = tuple(keys)
    for group in _TRAIN[form]:
        found = tuple(key for key in known if any(re.fullmatch(pattern, key) for pattern in group))
        if found:
            return found
    return ()


def trainer_like(keys: Iterable[str]) -> bool:
    """Whether any key is one that only a trainer logs beside its reward, on the train batch."""
    return any(_TRAINER.fullmatch(key) is not None and not is_validation(key) for key in keys)


def is_validation(key: str) -> bool:
    """Whether a key names something measured by an evaluation, not on the train batch."""
    return _IS_VALIDATION.match(key) is not None
