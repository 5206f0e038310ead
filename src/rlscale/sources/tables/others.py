"""The columns of a table that no name explains, by which its rows may be told apart."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

import numpy as np
from numpy.typing import NDArray

from rlscale.sources import names
from rlscale.sources.tables.columns import Columns

__all__ = ["Loads", "unexplained"]

#: Reads the file again, with these columns as text too.
Loads = Callable[[frozenset[str]], Columns]


def unexplained(columns: Columns, again: Loads, beside: Collection[str]) -> Iterator[tuple[str, NDArray[np.intp]]]:
    """Yield (name, a code for each row) of the columns of words, and of numbers that are no metric, compute or time.

    Parameters
    ----------
    columns : Columns
        The table.
    again : callable
        Reads it with more columns as text: words are left out as long as nobody asks for them.
    beside : collection of str
        Columns that are explained.
    """
    words = again(frozenset(columns.words)) if columns.words else None
    if words is not None and words.rows == columns.rows:
        yield from ((name, words.labels[name][0]) for name in columns.words if name in words.labels)
    for name, values in columns.numbers.items():
        if name in beside or names.is_index(name) or names.is_time(name) or names.measures(name):
            continue
        yield name, np.unique(values, return_inverse=True)[1].ravel()
