"""Trackers by their address: ``tensorboard:DIR``, ``trackio:PROJECT``, ``wandb:PROJECT``, ``mlflow:URI``."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from rlscale.errors import InputError, hidden
from rlscale.integrations.publish.contract import Tracker

__all__ = ["TRACKERS", "opened"]

#: The class of each tracker; its module is called as the scheme.
TRACKERS = {
    "tensorboard": "TensorBoard",
    "trackio": "Trackio",
    "wandb": "WandB",
    "mlflow": "MLflow",
}


def opened(target: str) -> Tracker:
    """Return the tracker of an address; nothing is written yet.

    Parameters
    ----------
    target : str
        ``tensorboard:DIR``, ``trackio:PROJECT``, ``wandb:PROJECT`` or ``wandb:ENTITY/PROJECT``, ``mlflow:URI``.

    Raises
    ------
    InputError
        No such tracker, nothing behind the colon, its library is not installed, or it cannot be written to.
    """
    scheme, colon, place = target.partition(":")
    name = scheme.lower()
    if not colon or name not in TRACKERS:
        forms = "tensorboard:DIR, trackio:PROJECT, wandb:PROJECT or mlflow:URI"
        raise InputError(f"--publish {hidden(target)!r} is no tracker; give {forms}")
    if not place:
        raise InputError(f"--publish {target!r} names no place behind the colon; give one")
    made: Callable[[str, str], Tracker] = getattr(import_module(f"{__package__}.{name}"), TRACKERS[name])
    return made(hidden(target), place)
