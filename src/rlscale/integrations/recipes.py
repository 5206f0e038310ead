"""Whether a run that enters a ledger is a seed of the recipe that its name says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rlscale.ledger import RunRow
from rlscale.sources.knobs import KNOBS, worded

__all__ = ["differing"]


def differing(rows: Iterable[RunRow], name: str, recipe: str, settings: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the settings in which a run differs from those that a ledger holds of its recipe.

    Parameters
    ----------
    rows : iterable of RunRow
        Runs of the ledger.
    name, recipe : str
        Of the run.
    settings : mapping of str to Any
        Of the run, under canonical names; those that either does not state are not compared.
    """
    others = [row.settings for row in rows if row.recipe == recipe and row.name != name]
    words = {name: worded(name, settings.get(name)) for name in KNOBS}
    return tuple(
        name
        for name, word in words.items()
        if word and any(worded(name, other.get(name)) not in ("", word) for other in others)
    )
