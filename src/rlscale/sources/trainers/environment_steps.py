"""Trainers whose steps count those of an environment: samples, not updates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rlscale.sources.history import History
from rlscale.sources.trainers.base import by_table
from rlscale.sources.trainers.trainer import Measured, Trainer

__all__ = ["by_environment"]

#: Containers that number the rows by the step that the trainer hands over; rows of JSON name theirs.
_BY_TRAINER = frozenset({"tensorboard", "wandb", "mlflow", "trackio", "tracker-export", "sb3-monitor"})


def by_environment(trainer: Trainer, history: History, config: Mapping[str, Any]) -> Measured:
    """Return a run's compute where the step of a row is the number of steps of the environment so far."""
    measured = by_table(trainer, history, config)
    if history.format not in _BY_TRAINER:
        return measured
    axes = dict(measured.axes)
    axes["samples"] = axes.pop("steps")
    absent = {**measured.absent, "steps": f"{trainer.title} counts the steps of the environment, which are samples"}
    absent.pop("samples", None)
    return replace(measured, axes=axes, absent=absent)
