"""The columns of a table that no name explains and that set runs apart: ``loss`` or ``filter``, one value a run."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlscale.sources import names
from rlscale.sources.limits import WORDS_LOOKED_AT
from rlscale.sources.tables.columns import Columns
from rlscale.sources.tables.identity import Coded
from rlscale.sources.tables.others import Loads
from rlscale.sources.tables.settings import Settings, numbers_of, texts_of_runs

__all__ = ["knob_columns"]

#: A quantity that was measured so often changes.
_OFTEN = 4


def knob_columns(columns: Columns, runs: Coded, again: Loads, beside: Collection[str | None]) -> Settings:
    """Return the columns that do not change within any run and differ between runs, under their own names.

    One that is stated of some runs only differs: what is not stated is not known to be the same. One whose name is that
    of a measured quantity (``clip``, ``length``) is a setting where no run ever changes it and runs share its values.

    Parameters
    ----------
    columns : Columns
    runs : (array, list of str)
        The run of each row.
    again : callable
        Reads the table with more columns as text.
    beside : collection of str
        Columns that are explained.
    """
    if len(runs[1]) < 2:
        return {}
    stated: dict[str, list[Any] | None] = {
        name: numbers_of(values, runs) for name, values in columns.numbers.items()
        if name not in beside and (not _measured(name) or _is_kept(name, values, runs))
    }  # fmt: skip
    wanted = frozenset(columns.words) - set(beside) if columns.rows <= WORDS_LOOKED_AT else frozenset()
    if wanted:
        words = again(wanted)
        if words.rows == columns.rows:
            stated |= {
                name: texts_of_runs(words.labels[name], runs)
                for name in columns.words if name in wanted and name in words.labels
            }  # fmt: skip
    return {
        name: values for name, values in stated.items()
        if values is not None and len(set(values)) > 1
    }  # fmt: skip


def _is_kept(name: str, values: NDArray[np.float64], runs: Coded) -> bool:
    """Whether a column that is named like a measured quantity has one value a run, at each of several evaluations."""
    if names.is_index(name) or names.is_time(name) or names.is_spread(name):
        return False
    codes, runs_named = runs
    counts = np.bincount(codes[np.isfinite(values)], minlength=len(runs_named))
    by_run = numbers_of(values, runs)
    if by_run is None or counts[counts > 0].min(initial=_OFTEN) < _OFTEN:
        return False
    return len({value for value in by_run if value is not None}) < int(np.count_nonzero(counts))


def _measured(name: str) -> bool:
    if names.is_setting(name) or names.is_choice(name):
        return False
    return names.is_index(name) or names.is_time(name) or names.is_spread(name) or names.measures(name)
