"""The columns of a table that hold settings: a learning rate that is the same in all rows of a run."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlscale.curves.vocabulary import normal, setting_of
from rlscale.sources.tables.columns import Columns
from rlscale.sources.tables.extents import by_code
from rlscale.sources.tables.identity import Coded
from rlscale.sources.tables.others import Loads

__all__ = ["Held", "Settings", "held_by", "numbers_of", "settings_columns", "texts_of_runs"]

#: The values of a setting for each run, by the setting's canonical name; None where a run states none.
Settings = dict[str, list[Any]]
#: Canonical settings of one run, and what other columns state of it.
Held = tuple[dict[str, Any], dict[str, Any]]


def held_by(settings: Settings, code: int) -> dict[str, Any]:
    """Return the settings that one run states."""
    return {name: values[code] for name, values in settings.items() if values[code] is not None}


def settings_columns(
    columns: Columns, runs: Coded, again: Loads, beside: Collection[str | None]
) -> tuple[Settings, frozenset[str]]:
    """Return the settings that columns state, and those columns: they do not change within any run.

    One that changes within a run is a quantity that is logged along it, such as a learning rate that decays.

    Parameters
    ----------
    columns : Columns
    runs : (array, list of str)
        The run of each row.
    again : callable
        Reads the table with more columns as text: words are left out as long as nobody asks for them.
    beside : collection of str
        Columns that have another role.
    """
    asked = {name: setting for name in (*columns.numbers, *columns.words) if (setting := setting_of(name)) is not None}
    asked = {name: asked[name] for name in sorted(asked, key=lambda name: asked[name] != normal(name))
             if name not in beside}  # fmt: skip
    words = again(frozenset(asked) & columns.words.keys()) if columns.words.keys() & asked.keys() else None
    values: Settings = {}
    used: set[str] = set()
    for name, setting in asked.items():
        if name in columns.numbers:
            stated = numbers_of(columns.numbers[name], runs)
        elif words is not None and words.rows == columns.rows and name in words.labels:
            stated = texts_of_runs(words.labels[name], runs)
        else:
            continue
        if stated is not None and any(value is not None for value in stated):
            used.add(name)
            values.setdefault(setting, stated)
    return values, frozenset(used)


def numbers_of(values: NDArray[np.float64], runs: Coded) -> list[Any] | None:
    """Return the number of each run, None where a run has several."""
    lows, highs = by_code(values, runs[0], len(runs[1]))
    if np.any(lows < highs):
        return None
    return [_number(low) if low <= high else None for low, high in zip(lows.tolist(), highs.tolist(), strict=True)]


def _number(value: float) -> float | int:
    return int(value) if value.is_integer() else value


def texts_of_runs(column: Coded, runs: Coded) -> list[Any] | None:
    """Return the text of each run, None where a run has several."""
    codes, texts = column
    filled = np.array([bool(text) for text in texts])[codes]
    lows, highs = by_code(np.where(filled, codes, np.nan), runs[0], len(runs[1]))
    if np.any(lows < highs):
        return None
    return [texts[int(low)] if low <= high else None for low, high in zip(lows.tolist(), highs.tolist(), strict=True)]
