"""Runs that were started again: the rules that logs of rows, of columns, and tables share.

A log that goes back to above its first place was resumed from a checkpoint: what is written last wins. One that goes
back to the first place or below holds another run after it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["begins_of", "is_another", "last_written", "numbered", "resumed"]

Floats = NDArray[np.float64]
Places = NDArray[np.intp]


def is_another(place: float, first: float) -> bool:
    """Whether a run that goes back to ``place`` is another one than that which began at ``first``."""
    return place <= first


def begins_of(place: Floats, back: Sequence[int] | Places) -> list[int]:
    """Return where each run begins.

    Parameters
    ----------
    place : array, shape (n,), n > 0
        Finite, in the order they were written.
    back : sequence of int
        Where they go back, ascending.

    Examples
    --------
    >>> import numpy as np
    >>> begins_of(np.array([0.0, 5.0, 10.0, 5.0, 10.0, 0.0, 5.0]), [3, 5])
    [0, 5]
    """
    begins = [0]
    for k in back:
        if is_another(place[k], place[begins[-1]]):
            begins.append(int(k))
    return begins


def last_written(place: Floats, back: Sequence[int] | Places | None = None) -> NDArray[np.bool_]:
    """Return which values are kept: those that none at their place, or before it, follows.

    Parameters
    ----------
    place : array, shape (n,), n > 0
        Finite, in the order they were written.
    back : sequence of int, optional
        Where they go back, ascending: values between two of these do not replace one another.

    Examples
    --------
    >>> import numpy as np
    >>> last_written(np.array([1.0, 2.0, 3.0, 2.0, 3.0])).tolist()
    [True, False, False, True, True]
    """
    starts = None if back is None else np.append(0, back).astype(np.intp)
    lowest = place if starts is None else np.minimum.reduceat(place, starts)
    later = np.append(np.minimum.accumulate(lowest[::-1])[::-1][1:], np.inf)  # smallest place still to come
    if starts is not None:
        later = np.repeat(later, np.diff(np.append(starts, place.size)))
    kept: NDArray[np.bool_] = place < later
    return kept


def numbered(what: str, count: int, number: int) -> str:
    """Return the sentence on one of several runs, from 1."""
    return f"{what} holds {count} runs one after the other; this is number {number}"


def resumed(at: str, what: str, lost: str, *, clocked: bool = False) -> str:
    """Return the sentence on a resume.

    Parameters
    ----------
    at : str
        The step, and after which.
    what, lost : str
        What took the place of what.
    clocked : bool
        Whether the log has a clock, which counts what was lost.
    """
    more = " logged before, whose compute counts only in --clock elapsed" if clocked else ""
    return f"the run resumed at {at}: the later {what} replace {lost}{more}"
