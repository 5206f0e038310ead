"""Whether a run that enters a ledger is a seed of the recipe that its name says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rlscale.ledger import RunRow

__all__ = ["differing"]

#: What belongs to the machine and sets no recipes apart.
_MACHINE = ("per_device_train_batch_size",)


def differing(rows: Iterable[RunRow], name: str, recipe: str, settings: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the settings in which a run differs from those that a ledger holds of its recipe.

    Parameters
    ----------
    rows : iterable of RunRow
        Runs of the ledger.
    name, recipe : str
        Of the run.
    settings : mapping of str to Any
        Of the run; those that either does not state are not compared.
    """
    others = [row.settings for row in rows if row.recipe == recipe and row.name != name]
    return tuple(
        key
        for key, value in settings.items()
        if key not in _MACHINE and value is not None
        if any(other.get(key) is not None and other[key] != value for other in others)
    )
