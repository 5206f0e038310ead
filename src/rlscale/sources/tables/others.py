"""The columns of a table that no name explains, by which its rows may be told apart."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

import numpy as np
from numpy.typing import NDArray

from rlscale.sources import names
from rlscale.sources.limits import WORDS_LOOKED_AT
from rlscale.sources.tables.columns import Columns
from rlscale.sources.tables.roles import Roles
from rlscale.sources.text import shown
from rlscale.sources.trainers.canonical import OWN_LOOP

__all__ = ["Loads", "unexplained", "unread_metrics", "unused_words"]

#: So many rows a word, and a column of words may tell runs apart.
_ROWS_OF_A_WORD = 4

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
        if name in beside or names.is_index(name) or names.is_time(name):
            continue
        if names.measures(name) and not names.is_choice(name):
            continue
        yield name, np.unique(values, return_inverse=True)[1].ravel()


def unused_words(columns: Columns, roles: Roles, again: Loads, beside: Collection[str]) -> tuple[str, ...]:
    """Return a warning on each column of few words in a table without a column that tells runs apart."""
    if roles.run or roles.recipe or roles.seed or not columns.words or columns.rows > WORDS_LOOKED_AT:
        return ()
    words = again(frozenset(columns.words)).labels
    few = [
        name for name in columns.words
        if name in words and name not in beside
        and 2 <= sum(map(bool, words[name][1])) <= columns.rows / _ROWS_OF_A_WORD
    ]  # fmt: skip
    return tuple(f"the column {name!r} is not used; if it means the recipe, give --by {name}" for name in few)


def unread_metrics(columns: Columns) -> tuple[str, ...]:
    """Return a sentence on each column of words that has the name of a quantity."""
    return tuple(
        f"the column {name!r} holds words (line {line}: {shown(cell)}) and is not used"
        for name, (line, cell) in columns.words.items()
        if any(key.matches(name) for key in OWN_LOOP)
    )
