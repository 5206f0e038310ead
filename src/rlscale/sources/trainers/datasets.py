"""Keys with the name of a dataset behind them: ``accuracy@math``, where the rows of a log name their dataset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rlscale.sources.log import Log
from rlscale.sources.trainers.trainer import Trainer

__all__ = ["bare_key", "with_datasets"]


def bare_key(key: str, datasets: Sequence[str]) -> str:
    """Return a key without its dataset, where the log has several (``datasets`` are the columns that name them)."""
    return (key.rpartition("@")[0] or key) if datasets else key


def with_datasets(trainer: Trainer, log: Log, datasets: Sequence[str]) -> Log:
    """Return the log of a trainer with the rewards of each dataset among its metrics."""
    if not datasets:
        return log
    bare = {key: bare_key(key, datasets) for key in log.series}
    validation, train = trainer.validation(bare.values()), trainer.train(bare.values())
    return replace(
        log,
        validation=tuple(key for key, name in bare.items() if name in validation),
        train=tuple(key for key, name in bare.items() if name in train),
        dataset_by=tuple(datasets),
    )
