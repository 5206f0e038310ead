"""Words among the numbers of a column or a key: a few are left out and told, many make it a column of words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rlscale.sources.text import shown
from rlscale.sources.trainers.canonical import OWN_LOOP

__all__ = ["left_out", "mostly_numbers"]

Floats = NDArray[np.float64]

#: So small a share of words is left out of any column, ...
_FEW = 1 / 20
#: ... and so small a one of a column whose numbers differ in a quarter of the rows: labels repeat.
_SOME, _DIFFERENT = 1 / 5, 1 / 4


def mostly_numbers(name: str, values: Floats, words: int) -> bool:
    """Whether a column is of numbers, although some of its cells are words.

    Parameters
    ----------
    name : str
        One with the name of a quantity is of numbers where most of its cells are.
    values : array, shape (n,)
        The cells, NaN where empty or a word.
    words : int
        How many are words.

    Examples
    --------
    >>> import numpy as np
    >>> mostly_numbers("x", np.r_[np.nan, np.arange(30.0)], 1), mostly_numbers("x", np.array([4.0, np.nan, 4.0]), 1)
    (True, False)
    """
    numbers = values[np.isfinite(values)]
    if any(key.matches(name) for key in OWN_LOOP):
        return words < numbers.size
    share = words / max(words + numbers.size, 1)
    return share <= _FEW or (share < _SOME and np.unique(numbers).size > _DIFFERENT * numbers.size)


def left_out(name: str, words: int, at: int, cell: str, *, what: str = "cell", place: str = "line") -> str:
    """Return the sentence about words that were left out, with the first of them and where it stands."""
    if words == 1:
        return f"1 {what} of {name!r} is no number and was left out ({place} {at}: {shown(cell)})"
    return f"{words} {what}s of {name!r} are no numbers and were left out (first {place} {at}: {shown(cell)})"
