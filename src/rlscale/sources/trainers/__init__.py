"""Trainers: what each logs under which key, in one canonical table; one module a trainer."""

from __future__ import annotations

from collections.abc import Iterable

from rlscale.sources.trainers.areal import AREAL
from rlscale.sources.trainers.base import Trainer, log_of
from rlscale.sources.trainers.canonical import CANONICAL, SETTINGS, Canonical, Key
from rlscale.sources.trainers.cleanrl import CLEANRL
from rlscale.sources.trainers.nemo_rl import NEMO_RL
from rlscale.sources.trainers.open_instruct import OPEN_INSTRUCT
from rlscale.sources.trainers.openrlhf import OPENRLHF
from rlscale.sources.trainers.other import OTHER
from rlscale.sources.trainers.pipelinerl import PIPELINERL
from rlscale.sources.trainers.prime_rl import PRIME_RL
from rlscale.sources.trainers.rllib import RLLIB
from rlscale.sources.trainers.roll import ROLL
from rlscale.sources.trainers.skyrl import SKYRL
from rlscale.sources.trainers.slime import SLIME
from rlscale.sources.trainers.stable_baselines3 import STABLE_BASELINES3
from rlscale.sources.trainers.tinker import TINKER
from rlscale.sources.trainers.torchforge import TORCHFORGE
from rlscale.sources.trainers.trl import TRL
from rlscale.sources.trainers.verl import VERL

__all__ = ["CANONICAL", "SETTINGS", "TRAINERS", "Canonical", "Key", "Trainer", "log_of", "trainer_of"]

#: In the order of the docs page; of two that fit equally well the first is taken.
TRAINERS = (
    TRL,
    VERL,
    OPENRLHF,
    NEMO_RL,
    PRIME_RL,
    SKYRL,
    SLIME,
    ROLL,
    AREAL,
    OPEN_INSTRUCT,
    TINKER,
    PIPELINERL,
    TORCHFORGE,
    STABLE_BASELINES3,
    CLEANRL,
    RLLIB,
)

#: Marks that another program may log by chance.
_FEW = 2


def trainer_of(keys: Iterable[str]) -> Trainer:
    """Return the trainer that logged ``keys``: the one with most of its marks among them, else ``OTHER``.

    One or two counters with a trainer's names (``num_tokens``) beside rewards with other names are no trainer's.
    """
    known = dict.fromkeys(keys)
    best: Trainer = OTHER
    most = 0
    for trainer in TRAINERS:
        score = trainer.score(known if trainer.native is str else {trainer.native(key) for key in known})
        if score > most:
            best, most = trainer, score
    if 0 < most <= _FEW and not _own_rewards(best, known) and _own_rewards(OTHER, known):
        return OTHER
    return best


def _own_rewards(trainer: Trainer, keys: Iterable[str]) -> tuple[str, ...]:
    """Return the rewards that the trainer's table knows; of ``OTHER``, those that their names tell."""
    native = [trainer.native(key) for key in keys]
    validation = trainer.validation(native) if trainer is OTHER else trainer.found("validation", native)
    return validation or trainer.train(native)
